"""The patrol read of drives that go away, or that another drive has the name of: nothing of them is a bad place."""

import errno
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from core.clock import ManualClock
from raid.patrol_result import PatrolFile, load
from tests.unit.raid.plain_drives import MIB, Drives

WENT_AWAY = "It went away."
OTHER = "sda is another drive now, or was put in anew: not read on."


@pytest.fixture
def drives(tmp_path: Path) -> Drives:
    made = Drives(tmp_path)
    made.make("sda", 4, diskseq=17)
    made.make("sdb", 2, diskseq=18)
    return made


class Moment(threading.Event):
    """To stop a patrol by; `then` is what happens in the moment that it waits after failed reads."""

    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__()
        self.then = then

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002 -- the event's own
        self.then()
        return self.is_set()


def failing_from(place: int) -> Callable[[int], None]:
    def read(offset: int) -> None:
        if offset >= place:
            raise OSError(errno.EIO, "I/O error")

    return read


def told(found: PatrolFile) -> list[tuple[str, int, str]]:
    return [(drive.serial, drive.position, drive.gone) for drive in found.drives]


def test_a_drive_whose_name_another_one_has_is_not_read(drives: Drives) -> None:
    read: list[int] = []
    drives.of_sda = read.append
    found = drives.patrol("sda:16", "sdb:18")
    assert (told(found), read) == ([("SN-sda", 0, OTHER), ("SN-sdb", 2 * MIB, "")], [])


@pytest.mark.parametrize("second", ["sdb:18", "sdb"])
def test_names_that_change_hands_while_it_reads(drives: Drives, second: str) -> None:
    drives.of_sda = lambda offset: drives.set_diskseq("sdb", 19) if offset else None
    found = drives.patrol("sda:17", second)
    assert told(found) == [("SN-sda", 4 * MIB, ""), ("SN-sdb", 0, OTHER.replace("sda", "sdb"))]


def test_reads_of_nothing_are_those_of_a_drive_that_was_pulled(drives: Drives) -> None:
    drives.of_sda = lambda offset: os.truncate(drives.root / "dev/sda", 0) if offset >= MIB else None
    found = drives.patrol("sda:17", "sdb:18")
    assert told(found) == [("SN-sda", MIB, WENT_AWAY), ("SN-sdb", 2 * MIB, "")]
    assert found.drives[0].errors == ()


@pytest.mark.parametrize(("goes", "why"), [
    (lambda drives: shutil.rmtree(drives.folder("sda"), ignore_errors=True), WENT_AWAY),
    (lambda drives: (drives.folder("sda") / "diskseq").unlink(missing_ok=True), WENT_AWAY),
    (lambda drives: drives.set_diskseq("sda", 20), OTHER),
    (lambda drives: drives.set_state("sda", "offline"), "It does not answer: the kernel calls it offline."),
], ids=["gone", "going", "another", "offline"])
def test_the_last_reads_of_a_drive_that_goes_away_are_no_bad_places(
    drives: Drives, goes: Callable[[Drives], None], why: str
) -> None:
    drives.set_state("sda", "running")
    drives.of_sda = failing_from(MIB)
    found = drives.patrol("sda:17", "sdb:18", stop=Moment(lambda: goes(drives)))
    assert told(found) == [("SN-sda", MIB, why), ("SN-sdb", 2 * MIB, "")]
    assert found.drives[0].errors == ()


def test_what_can_be_read_a_moment_later_is_no_bad_place(drives: Drives) -> None:
    drives.of_sda = failing_from(MIB)  # its controller is reset

    def again() -> None:
        drives.of_sda = lambda _: None

    found = drives.patrol("sda:17", stop=Moment(again))
    assert (told(found), found.drives[0].errors) == ([("SN-sda", 4 * MIB, "")], ())


def test_md_is_asked_for_nothing_under_a_name_that_another_drive_has(
    drives: Drives, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def array_of(device: str, _: Path) -> str:
        asked.append(device)
        return ""

    monkeypatch.setattr("raid.patrol.array_of", array_of)
    drives.bad = {300}
    drives.patrol("sda:17", stop=Moment(lambda: drives.set_diskseq("sda", 20)))
    assert asked == []


def test_one_that_goes_away_while_md_is_asked_has_no_bad_place_by_that(
    drives: Drives, monkeypatch: pytest.MonkeyPatch
) -> None:
    def array_of(device: str, _: Path) -> str:
        shutil.rmtree(drives.folder(device))
        return ""

    monkeypatch.setattr("raid.patrol.array_of", array_of)
    drives.bad = {300}
    (drive,) = drives.patrol("sda:17").drives
    assert (drive.errors, drive.gone) == ((), WENT_AWAY)


@pytest.mark.parametrize("state", ["running", "live"])
def test_a_bad_place_of_a_drive_that_is_here_is_named(drives: Drives, state: str) -> None:
    drives.set_state("sda", state)
    drives.bad = {300}
    (drive,) = drives.patrol("sda:17").drives
    assert ([error.lba for error in drive.errors], drive.seen) == ([2400], True)


def test_what_was_met_before_it_went_away_stays_known_until_it_is_read(drives: Drives) -> None:
    drives.bad = {10}
    drives.gone_at = 2 * MIB
    first = drives.patrol("sda:17")
    assert ([error.lba for error in first.drives[0].errors], first.drives[0].gone) == ([80], WENT_AWAY)
    drives.gone_at = 0
    second = drives.patrol("sda:17")
    assert second.drives[0].errors == ()
    third = drives.patrol("sda:17")
    assert third.last is not None
    assert [error.lba for error in third.last.drives[0].errors] == [80]


def test_again_reads_what_was_not_read_and_keeps_the_rest(drives: Drives) -> None:
    drives.bad = {10}
    clock = ManualClock()
    first = drives.patrol("sda:17", "sdb:99", clock=clock)
    assert (first.whole, first.drives[1].position) == (True, 0)
    read: list[int] = []
    drives.of_sda = read.append
    clock.advance(86_400)
    second = drives.patrol("sda:17", "sdb:18", before=first, again=True, clock=clock)
    assert (told(second), read) == ([("SN-sda", 4 * MIB, ""), ("SN-sdb", 2 * MIB, "")], [])
    assert second.drives[0].errors == first.drives[0].errors
    assert (second.over_all, second.finished) == (first.finished, clock.now())
    clock.advance(86_400)
    third = drives.patrol("sda:17", "sdb:18", before=second, clock=clock)
    assert bool(read), "all of them anew"
    assert third.over_all == clock.now()


def test_again_leaves_alone_what_was_given_up(drives: Drives) -> None:
    drives.bad = set(range(200))
    first = drives.patrol("sda:17")
    read: list[int] = []
    drives.of_sda = read.append
    second = drives.patrol("sda:17", before=first, again=True)
    assert (second.drives, read) == (first.drives, [])
    assert "replace it" in second.drives[0].gone


def test_one_that_is_not_here_when_it_goes_on_stays_in_it(drives: Drives) -> None:
    stop = threading.Event()
    stop.set()
    left = drives.patrol("sda:17", "sdb:18", stop=stop)
    ended = drives.patrol("sda:17", before=left)
    assert told(ended) == [("SN-sda", 4 * MIB, ""), ("SN-sdb", 0, "It was not here when it was to be read.")]
    assert told(drives.patrol("sda:17", "sdb:18", before=ended, again=True))[1] == ("SN-sdb", 2 * MIB, "")


def test_stopped_at_a_bad_place_it_is_named_once(drives: Drives) -> None:
    drives.bad = {10, 11}
    stop = Moment(lambda: stop.set())  # noqa: PLW0108 -- not made yet
    left = drives.patrol("sda:17", stop=stop)
    assert (left.stopped, left.drives[0].position, left.drives[0].errors) == (True, 0, ())
    ended = drives.patrol("sda:17", before=left)
    assert [error.lba for error in ended.drives[0].errors] == [80, 88]
    assert load(drives.file) == ended
