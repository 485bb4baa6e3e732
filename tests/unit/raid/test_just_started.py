"""raidd has just started: a drive that it has not seen yet may still come, and is neither gone nor pulled by that."""

from dataclasses import replace

import pytest

from raid.actions import StartJob
from raid.decide import WHILE_WAITING, decide
from raid.derive import derive
from raid.memory import FailedDrive, Fleeting, Memory
from raid.model import DriveState, VdState
from raid.scene import APPEAR_SECONDS, Scene
from raid.spare_model import SpareState
from raid.world import Disk, World
from tests.unit.raid import spare_worlds as s
from tests.unit.raid import worlds as w

LATE = w.disk(2, w.probe(2))
BEFORE = FailedDrive("SN0002", "vd0", 12, "boot-0")
"""Bay 2, put out by md before the reboot."""


def young(**changes: object) -> Memory:
    """At the first look after a start."""
    return replace(w.memory(fleeting=Fleeting()), **changes)  # type: ignore[arg-type]


def look(of: World, memory: Memory, after: float = 0.0) -> Memory:
    """What is remembered after a look so many seconds after the start."""
    return decide(of, memory, w.SETTINGS, w.NOW + after).memory


def jobs(of: World, memory: Memory, after: float) -> list[str]:
    """Kinds of the jobs that are started then."""
    wanted = decide(of, memory, w.SETTINGS, w.NOW + after).actions
    return [action.kind for action in wanted if isinstance(action, StartJob)]


@pytest.mark.parametrize(("appearing", "after"), [(0, 9.0), (1, APPEAR_SECONDS - 1)])
def test_a_drive_that_failed_before_a_reboot_and_comes_late_is_not_taken_back(appearing: int, after: float) -> None:
    memory = look(w.pulled(), young(failed=(BEFORE,)))
    memory = look(replace(w.pulled(), appearing=appearing), memory, after)
    assert memory.failed == (BEFORE,)
    back = w.pulled(2, LATE)
    memory = look(back, memory, after)
    assert jobs(back, memory, after + 60) == []
    assert jobs(back, look(back, young()), 60.0) == ["re-add"], "one that only was away"


def test_it_may_come_by_minutes_too_late() -> None:
    memory = look(w.pulled(), young(failed=(BEFORE,)))
    memory = look(w.pulled(), memory, 600.0)
    back = w.pulled(2, LATE)
    memory = look(back, memory, 601.0)
    assert [failed.serial for failed in memory.failed] == ["SN0002"]
    assert jobs(back, memory, 700.0) == []
    again = replace(memory, fleeting=Fleeting())
    for after in (702.0, 720.0):
        again = look(w.pulled(), again, after)
    assert again.failed == (), "it was here in this boot, and was pulled while raidd was not"


def test_one_that_comes_back_blank_is_a_new_drive() -> None:
    memory = look(w.pulled(), young(failed=(BEFORE,)))
    assert look(w.pulled(2, replace(LATE, probe=w.BLANK)), memory, 600.0).failed == ()


@pytest.mark.parametrize(("boot", "looks"), [
    pytest.param("boot-0", ((w.pulled(2, LATE), 0.0), (w.pulled(), 5.0)), id="just after a start"),
    pytest.param(w.BOOT, ((w.pulled(), 0.0), (w.pulled(), 11.0)), id="while raidd was not there"),
])
def test_it_is_forgotten_once_it_is_known_to_be_pulled(boot: str, looks: tuple[tuple[World, float], ...]) -> None:
    memory = young(failed=(replace(BEFORE, boot=boot),))
    for of, after in looks:
        assert memory.failed
        memory = look(of, memory, after)
    assert memory.failed == ()


def test_a_restart_of_raidd_does_not_hide_that_it_was_pulled() -> None:
    """In the same boot the number of its arrival tells."""
    memory = look(w.pulled(), young(failed=(replace(BEFORE, boot=w.BOOT),)))
    assert memory.failed
    put_back: Disk = replace(LATE, diskseq=52)
    assert look(w.pulled(2, put_back), memory, 2.0).failed == ()


@pytest.mark.parametrize(
    ("appearing", "after", "starting"),
    [(0, 0.0, True), (0, 9.0, True), (0, 11.0, False), (1, 11.0, True), (1, 61.0, False)],
)
def test_others_are_told_while_drives_may_still_come_and_the_end_of_it_is_not_slept_through(
    appearing: int, after: float, starting: bool
) -> None:
    of = replace(w.healthy(), appearing=appearing)
    decision = decide(of, look(of, young()), w.SETTINGS, w.NOW + after)
    told = derive(Scene(of, decision.memory, w.SETTINGS, w.NOW + after))
    assert told.starting is starting
    assert decision.again == (WHILE_WAITING if starting else None)


def test_while_drives_come_one_after_the_other_the_last_one_is_waited_for() -> None:
    """A controller may start them so, seconds apart. A degraded start by force after a power cut would tear stripes."""
    come = [w.disk(bay, w.probe(bay)) for bay in range(4)]
    memory = young()
    for count, after in ((1, 0.0), (2, 7.0), (3, 14.0), (3, 21.0)):
        assert jobs(w.world(tuple(come[:count])), memory, after) == []
        memory = look(w.world(tuple(come[:count])), memory, after)
    assert jobs(w.world(tuple(come)), memory, 22.0) == ["assemble"]
    assert jobs(w.world(tuple(come[:3])), memory, 25.0) == ["assemble"], "none has come for so long as they settle"
    late = replace(memory, fleeting=replace(memory.fleeting, seen=((10, w.NOW), (11, w.NOW + 55), (13, w.NOW + 55))))
    assert jobs(w.world(tuple(come[:3])), late, APPEAR_SECONDS + 1) == ["assemble"], "no longer than a minute"


def row_of(memory: Memory, of: World, after: float, bay: int = 2) -> tuple[DriveState, str | None, int | None]:
    """State of the drive of a bay, of which there is one row, and its place."""
    scene = Scene(of, look(of, memory, after), w.SETTINGS, w.NOW + after)
    (row,) = [row for row in derive(scene).drives if row.bay == bay]
    return row.state, row.vd, row.slot


UNKNOWN, MISSING = (DriveState.UNKNOWN, "vd0", 2), (DriveState.MISSING, "vd0", 2)
ASLEEP = w.world(tuple(w.disk(bay, w.probe(bay)) for bay in (0, 1, 3)))


@pytest.mark.parametrize(
    ("of", "after", "row"),
    [
        pytest.param(ASLEEP, 9.0, UNKNOWN, id="its virtual drive waits for it"),
        pytest.param(ASLEEP, 11.0, MISSING, id="it does not wait any longer"),
        pytest.param(replace(ASLEEP, appearing=1), 59.0, UNKNOWN, id="udev is at work on it"),
        pytest.param(replace(ASLEEP, appearing=1), 61.0, MISSING, id="and does not end"),
        pytest.param(w.pulled(), 1.0, MISSING, id="raidd was restarted beside an array that runs"),
        pytest.param(replace(w.pulled(), appearing=1), 11.0, UNKNOWN, id="started without the one that udev has"),
    ],
)
def test_a_member_that_has_not_come_yet_is_not_missing(
    of: World, after: float, row: tuple[DriveState, str | None, int | None]
) -> None:
    assert row_of(look(of, young()), of, after) == row


def test_a_member_that_was_here_is_missing_the_moment_it_is_pulled() -> None:
    memory = look(w.healthy(), young())
    for of in (w.pulled(), replace(w.pulled(), appearing=1), replace(ASLEEP, appearing=1)):
        assert row_of(memory, of, 1.0) == MISSING


def test_the_drive_that_a_spare_stands_in_for_is_awaited_too() -> None:
    spares = replace(s.serving(), fleeting=Fleeting())
    asleep = w.world((*ASLEEP.disks, s.drive(probe=w.probe(2))))
    assert row_of(look(asleep, spares), asleep, 9.0) == UNKNOWN
    assert row_of(look(asleep, spares), asleep, 11.0) == MISSING
    running = s.stands_in()
    assert row_of(look(running, spares), running, 1.0) == MISSING


def vd_state(of: World, after: float) -> VdState:
    scene = Scene(of, look(of, look(of, young()), after), w.SETTINGS, w.NOW + after)
    return derive(scene).virtual_drives[0].state


@pytest.mark.parametrize(
    ("of", "after", "state"),
    [
        pytest.param(w.world(()), 0.0, VdState.UNKNOWN, id="none has come yet"),
        pytest.param(w.world(()), 11.0, VdState.FAILED, id="none comes"),
        pytest.param(w.world((), appearing=4), 59.0, VdState.UNKNOWN, id="udev is at work on all of them"),
        pytest.param(w.asleep(w.BLANK, w.BLANK, w.BLANK, w.BLANK), 0.0, VdState.FAILED, id="all are here, wiped"),
    ],
)
def test_one_none_of_whose_drives_has_come_yet_has_not_failed(of: World, after: float, state: VdState) -> None:
    assert vd_state(of, after) is state


def test_a_spare_that_has_not_come_yet_is_not_lost() -> None:
    memory = look(w.healthy(), replace(s.remembered(s.spare()), fleeting=Fleeting()))
    states = [derive(Scene(w.healthy(), memory, w.SETTINGS, w.NOW + after)).spares[0].state for after in (9.0, 11.0)]
    assert states == [SpareState.UNKNOWN, SpareState.MISSING]
    pulled = look(w.healthy(), look(w.world((*w.healthy().disks, s.drive()), *w.healthy().arrays), memory), 1.0)
    told = derive(Scene(w.healthy(), pulled, w.SETTINGS, w.NOW + 1.0))
    assert told.spares[0].state is SpareState.MISSING, "it was here"
