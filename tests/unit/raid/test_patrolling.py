"""What raidd makes of a patrol read: its command, drives that were not read, and when it comes again."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.paths import Paths
from core.settings import Care
from raid import check, patrolling
from raid.actions import StartPatrol
from raid.decide import decide
from raid.model_care import PatrolView, UnreadDrive
from raid.patrol_result import Fate, MediaError, PatrolFile, Patrolled, ToRead
from raid.world import Disk, World
from tests.unit.raid import worlds as w

DAY = 86400.0
CARE = Care(check_days=0, patrol_days=7, quiet_from=0, quiet_until=0)
LOST = MediaError(800, 8, Fate.UNREADABLE, "Input/output error", "md127", 12)


def read(bay: int, *errors: MediaError, gone: str = "") -> Patrolled:
    return Patrolled(f"sd{chr(97 + bay)}", w.serial(bay), 10, 5 if gone else 10, errors, gone, 10 + bay)


def ended(*drives: Patrolled, days_ago: float = 1.0, **more: object) -> PatrolFile:
    return PatrolFile(drives, done=True, finished=w.NOW - days_ago * DAY, **more)  # type: ignore[arg-type]


def begun(patrol: PatrolFile, world: World | None = None) -> StartPatrol | None:
    of = replace(world or w.healthy(), patrol=patrol)
    found = decide(of, w.memory(), replace(w.SETTINGS, care=CARE), w.NOW)
    return next((action for action in found.actions if isinstance(action, StartPatrol)), None)


def view(patrol: PatrolFile | None, world: World | None = None) -> PatrolView:
    return patrolling.view(w.scene(replace(world or w.healthy(), patrol=patrol)))


def exchanged() -> World:
    """After a reset of the controller the drives of bays 1 and 2 have each other's name."""
    here = w.healthy()
    one, two = here.disks[1], here.disks[2]
    swapped = (replace(one, name=two.name, diskseq=31), replace(two, name=one.name, diskseq=32))
    return replace(here, disks=(here.disks[0], *swapped, here.disks[3]))


def test_the_job_is_told_which_drive_is_meant() -> None:
    drives = patrolling.to_read(w.scene(w.healthy()))
    spec = check.patrol_spec(Paths(Path("/x")), drives, 3, check.PATROL, again=True)
    assert spec.steps[0][-5:] == ("--again", "sda:10=SN0000", "sdb:11=SN0001", "sdc:12=SN0002", "sdd:13=SN0003")
    assert "--again" not in check.patrol_spec(Paths(Path("/x")), drives, 3, check.PATROL).steps[0]


@pytest.mark.parametrize(("word", "drive"), [
    ("sda:17=WD-123", ToRead("sda", 17, "WD-123")),
    ("dm-0=A=B:C", ToRead("dm-0", 0, "A=B:C")),
    ("sda:17=", ToRead("sda", 17, "")),
])
def test_a_word_of_the_command(word: str, drive: ToRead) -> None:
    assert ToRead.parse(word) == drive
    assert ToRead.parse(drive.word) == drive


def test_what_was_found_is_told_of_the_drive_and_not_of_its_name() -> None:
    told = view(ended(read(0), read(1, LOST), read(2, gone="Another.")), exchanged())
    assert [(place.bay, place.serial, place.device) for place in told.bad] == [(1, "SN0001", "/dev/sdc")]
    assert told.unread == (UnreadDrive(2, "SN0002", "/dev/sdb", "Another."),)


def test_a_drive_that_was_not_read_is_told_wherever_it_is() -> None:
    gone = ended(read(0), read(1), read(2, gone="It went away."), read(3))
    assert [(drive.bay, drive.why) for drive in view(gone).unread] == [(2, "It went away.")]
    assert [(drive.bay, drive.serial) for drive in view(gone, w.pulled(2)).unread] == [(None, "SN0002")]
    going_on = PatrolFile((read(0),), last=gone)
    assert [drive.bay for drive in view(going_on).unread] == [2], "until it is read"
    assert view(PatrolFile((read(0), read(2)), last=gone)).unread == ()


def test_a_serial_that_no_command_can_name_is_told() -> None:
    odd: Disk = w.disk(3, serial="SN/3'$")
    world = w.world((w.disk(0), odd))
    assert [drive.serial for drive in patrolling.to_read(w.scene(world))] == ["SN0000"]
    for patrol in (None, ended(read(0))):
        (told,) = view(patrol, world).unread
        assert (told.bay, told.serial, "leaves it out" in told.why) == (3, "SN/3'$", True)


def test_what_was_met_holds_when_the_drive_went_away_before_it_was_read() -> None:
    before = ended(read(1, LOST), days_ago=8)
    assert view(ended(read(1, gone="It went away."), last=before)).bad
    assert not view(ended(read(1), last=before)).bad


def test_a_drive_that_was_not_read_is_read_again_soon_and_alone() -> None:
    gone = (read(0), read(1), read(2, gone="It went away."), read(3))
    assert begun(ended(*gone, days_ago=0.4)) is None
    again = begun(ended(*gone, days_ago=0.6))
    assert again is not None
    assert (again.again, "read again: SN0002" in again.why, len(again.drives)) == (True, True, 4)
    assert begun(ended(*gone), w.pulled(2)) is None, "it is not here"
    assert begun(ended(read(0), days_ago=0.6)) is None


def test_one_that_never_can_be_read_does_not_keep_the_others_from_it() -> None:
    gone = read(2, gone="It went away.")
    again = begun(ended(gone, days_ago=0.6, full=w.NOW - 6.9 * DAY))
    assert again is not None
    assert again.again
    over_all = begun(ended(gone, days_ago=0.6, full=w.NOW - 7.1 * DAY))
    assert over_all is not None
    assert not over_all.again
    assert view(ended(gone, days_ago=0.6, full=w.NOW - 2 * DAY)).finished == w.NOW - 2 * DAY


def test_one_that_was_given_up_waits_for_the_next_over_all() -> None:
    places = tuple(replace(LOST, lba=8 * number) for number in range(100))
    assert begun(ended(read(2, *places, gone="Replace it."))) is None
    assert [drive.bay for drive in view(ended(read(2, *places, gone="Replace it."))).unread] == [2]


@pytest.mark.parametrize("stopped", [False, True])
def test_a_time_in_the_future_is_none(*, stopped: bool) -> None:
    assert begun(ended(read(1), days_ago=-400, stopped=stopped)) is not None
    assert begun(ended(read(1), days_ago=-0.5, stopped=stopped)) is None, "the clock may be a little behind"
    assert begun(ended(read(1), days_ago=1, full=w.NOW + 400 * DAY)) is not None
