"""The patrol read over plain files, and when it comes; bad sectors that md mends are on the rack (tests/rig)."""

import threading
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from core.jobs import Job, JobState
from core.settings import Care
from raid import check, patrolling
from raid.actions import StartPatrol, StopCheck
from raid.decide import decide
from raid.patrol import array_of
from raid.patrol_result import Fate, MediaError, PatrolFile, Patrolled, ToRead, load
from raid.world import World
from tests.unit.raid import worlds as w
from tests.unit.raid.plain_drives import MIB, Drives


@pytest.fixture
def drives(tmp_path: Path) -> Drives:
    made = Drives(tmp_path)
    made.make("sda", 4)
    made.make("sdb", 2)
    return made


def test_good_drives(drives: Drives) -> None:
    found = drives.patrol("sda", "sdb", "sdz")  # sdz has just gone
    assert [(drive.serial, drive.position, drive.errors, drive.gone) for drive in found.drives] == [
        ("SN-sda", 4 * MIB, (), ""), ("SN-sdb", 2 * MIB, (), ""),
        ("SN-sdz", 0, (), "It was not here when it was to be read."),
    ]
    assert (found.whole, found.percent) == (True, 100.0)
    assert load(drives.root / "patrol.json") == found


def test_a_bad_page_is_named_by_its_lba_and_the_rest_is_read(drives: Drives) -> None:
    drives.bad = {300, 301, 700}
    first = drives.patrol("sda", "sdb").drives[0]
    assert [(error.lba, error.sectors, error.fate) for error in first.errors] == [
        (300 * 8, 8, Fate.UNREADABLE), (301 * 8, 8, Fate.UNREADABLE), (700 * 8, 8, Fate.UNREADABLE),
    ]
    assert first.ended


def test_a_dead_drive_is_given_up_and_the_next_one_is_read(drives: Drives) -> None:
    drives.bad = set(range(256, 1024))
    found = drives.patrol("sda", "sdb")
    assert "replace it" in found.drives[0].gone
    assert len(found.drives[0].errors) == 100
    assert found.drives[1].position == 2 * MIB
    drives.gone_at = MIB
    assert {drive.gone for drive in drives.patrol("sdb").drives} == {"It went away."}


def test_it_goes_on_where_it_was_left_and_another_drive_is_begun_anew(drives: Drives) -> None:
    stop = threading.Event()
    stop.set()
    left = drives.patrol("sda", "sdb", stop=stop)
    assert (left.stopped, left.whole, left.percent) == (True, False, 0.0)
    bad = (MediaError(8, 8, Fate.REWRITTEN, "so"),)
    left = msgspec.structs.replace(left, drives=(
        replace(left.drives[0], position=3 * MIB, errors=bad), replace(left.drives[1], serial="OTHER", position=MIB),
    ))
    drives.bad = {1}  # before the place where it goes on
    found = drives.patrol("sda", "sdb", before=left)
    assert found.drives[0].errors == bad
    assert [(drive.serial, drive.seen) for drive in found.drives] == [
        ("SN-sda", True), ("SN-sdb", True), ("OTHER", False),
    ]


def test_which_array_holds_a_drive(drives: Drives) -> None:
    (drives.root / "sys/class/block/sda/holders/md127").mkdir(parents=True)
    assert array_of("sda", drives.root / "sys") == "md127"
    assert array_of("sdb", drives.root / "sys") == ""


# -- when it comes, and what is told

CARE = Care(check_days=0, patrol_days=7, quiet_from=0, quiet_until=0)


def begun(world: World, care: Care = CARE) -> list[object]:
    found = decide(world, w.memory(), replace(w.SETTINGS, care=care), w.NOW)
    return [action for action in found.actions if isinstance(action, StartPatrol | StopCheck)]


def seen(*errors: MediaError, days_ago: float = 1.0) -> PatrolFile:
    return PatrolFile((Patrolled("sdb", w.serial(1), 10, 10, errors),), done=True, finished=w.NOW - days_ago * 86400)


def test_when_it_comes() -> None:
    world = w.healthy()
    [start] = begun(world)
    assert isinstance(start, StartPatrol)
    assert start.drives == tuple(ToRead(f"sd{chr(97 + bay)}", 10 + bay, w.serial(bay)) for bay in range(4))
    assert not begun(world, replace(CARE, patrol_days=0))
    assert not begun(replace(world, patrol=seen(days_ago=6.9)))
    assert begun(replace(world, patrol=seen(days_ago=7.1)))
    job = Job("patrol-1", check.SCHEDULED_PATROL, check.PATROL, (), JobState.RUNNING, w.BOOT, w.NOW - 60)
    assert not begun(replace(world, jobs=(job,)))
    rebuilding = w.running(w.array(*(w.member(bay) for bay in range(4)), sync_action="recover", sync_total=100))
    assert not begun(replace(world, arrays=(rebuilding,)))


def test_a_place_is_told_with_its_bay_its_stripe_and_what_to_do() -> None:
    lost = MediaError(800, 8, Fate.UNREADABLE, "Input/output error", "md127", 12)
    mended = MediaError(1600, 8, Fate.REWRITTEN, "so", "md127", 13)
    told = patrolling.view(w.scene(replace(w.healthy(), patrol=seen(lost, mended))))
    first, second = told.bad
    assert (first.bay, first.vd, first.stripe, first.lba, first.rewritten) == (1, "vd0", 12, 800, False)
    assert "stripe 12 of vd0: Input/output error. Replace this drive: rackeye drive replace --bay 1." in first.detail
    assert (second.rewritten, "written anew" in second.detail) == (True, True)


def test_a_place_of_a_span_is_told_of_the_virtual_drive_that_people_know() -> None:
    lost = MediaError(800, 8, Fate.UNREADABLE, "Input/output error", "md127", 12)
    span = w.memory(w.known(name="fifty.2of2"))
    (place,) = patrolling.view(w.scene(replace(w.healthy(), patrol=seen(lost)), span)).bad
    assert place.vd == "fifty"
    assert "stripe 12 of span 2 of fifty: Input/output error." in place.detail


def test_what_was_met_holds_until_the_drive_is_read_again_or_gone() -> None:
    lost = MediaError(800, 8, Fate.UNREADABLE, "Input/output error")
    again = PatrolFile((Patrolled("sdb", w.serial(1), 10, 4),), last=seen(lost))
    assert patrolling.view(w.scene(replace(w.healthy(), patrol=again))).bad
    ended = PatrolFile((Patrolled("sdb", w.serial(1), 10, 10),), done=True, finished=w.NOW, last=seen(lost))
    assert not patrolling.view(w.scene(replace(w.healthy(), patrol=ended))).bad
    without = replace(w.pulled(1), patrol=seen(lost))
    assert not patrolling.view(w.scene(without)).bad
