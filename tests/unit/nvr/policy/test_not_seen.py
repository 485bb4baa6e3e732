"""What raidd cannot see now has not ended by that: nvr.policy, by tables."""

from dataclasses import replace

import pytest

from hw.model import TrayCondition
from nvr.alarms.kinds.drives import SpareLost
from nvr.policy.decide import Memory, SetTrays, decide
from nvr.policy.world import World
from raid.model import CheckResult, CheckVerdict, DriveState, Progress, VdState, VirtualDrive, Work
from raid.model_care import BadBlocks, BadPlace, PatrolView, WrongPlace
from raid.smart_model import Smart, SmartHealth
from raid.spare_model import SpareState, SpareView
from tests.unit.nvr.policy.worlds import MEMBERS, NOW, codes, drive, panel, raid, trays, vd, with_bay_2, world

LACKING = (BadBlocks(2, "SN2", 3, 12288, 4096), BadBlocks(3, "SN3", 1, 4096, 4096))
TOLD = ["ALARM-132", "ALARM-132", "ALARM-133"]


def of(one: VirtualDrive) -> World:
    return world(replace(raid(), virtual_drives=(one,)))


@pytest.mark.parametrize(
    "hidden",
    [
        *(vd(state) for state in (VdState.OFFLINE, VdState.UNKNOWN, VdState.FAILED)),
        replace(vd(), progress=Progress(Work.REPAIR, 40.0)),
    ],
)
def test_bad_blocks_are_not_mended_by_a_stop_a_start_or_while_a_repair_writes_them_down(hidden: VirtualDrive) -> None:
    first = decide(of(replace(vd(), bad_blocks=LACKING)), Memory(), NOW)
    assert codes(first) == TOLD
    second = decide(of(hidden), first.memory, NOW + 5)
    assert set(TOLD) <= set(codes(second))
    assert second.memory.cleared == ()
    other = decide(of(replace(hidden, name="vd1")), first.memory, NOW + 5)
    assert not set(TOLD) & set(codes(other)), "the virtual drive is gone"
    for well in (VdState.OPTIMAL, VdState.PARTIALLY_DEGRADED, VdState.DEGRADED):
        assert not set(TOLD) & set(codes(decide(of(vd(well)), second.memory, NOW + 10)))


def test_a_check_reads_the_lists_like_any_time() -> None:
    first = decide(of(replace(vd(), bad_blocks=LACKING)), Memory(), NOW)
    checked = replace(vd(), progress=Progress(Work.CHECK, 40.0))
    assert codes(decide(of(checked), first.memory, NOW + 5)) == []


def test_a_drive_that_was_refused_is_not_used_while_its_virtual_drive_does_not_run() -> None:
    foreign = drive(2, DriveState.FOREIGN, vd=None, slot=None, detail="It holds ext4.", refused=True)
    missing = drive(2, DriveState.MISSING)
    first = decide(world(raid(missing, foreign, state=VdState.DEGRADED)), Memory(), NOW)
    assert "ALARM-104" in codes(first)
    asleep = raid(missing, replace(foreign, refused=False), state=VdState.OFFLINE)
    assert "ALARM-104" in codes(decide(world(asleep), first.memory, NOW + 5))
    used = raid(drive(2, DriveState.REBUILD), state=VdState.DEGRADED)
    assert "ALARM-104" not in codes(decide(world(used), first.memory, NOW + 5))


UNREADABLE = BadPlace(5, "SN5", "/dev/sdf", 800, 8, rewritten=False, vd=None, stripe=None, detail="Do not use it.")


@pytest.mark.parametrize(
    ("smart", "patrol", "code"),
    [
        (Smart(SmartHealth.FAILING, "The drive itself says that it is failing.", read=NOW), PatrolView(), "ALARM-121"),
        (Smart(SmartHealth.WATCH, "8 sectors were reallocated.", read=NOW), PatrolView(), "ALARM-122"),
        (Smart(SmartHealth.GOOD, read=NOW), PatrolView(bad=(UNREADABLE,)), "ALARM-131"),
    ],
)
def test_a_drive_that_has_not_come_yet_after_a_start_is_not_gone(smart: Smart, patrol: PatrolView, code: str) -> None:
    """Bay 5 holds a drive of no virtual drive."""
    unused = drive(5, DriveState.BLANK, vd=None, slot=None, smart=smart)
    first = decide(world(raid(unused, patrol=patrol)), Memory(), NOW)
    assert codes(first) == [code]
    starting = decide(world(raid(starting=True)), first.memory, NOW + 5)
    assert (codes(starting), starting.memory.cleared) == ([code], ())
    assert codes(decide(world(raid()), starting.memory, NOW + 20)) == [], "it does not come"


def test_what_a_drive_that_has_not_come_yet_tells_itself_is_not_told_by_its_check() -> None:
    place = WrongPlace(-1, None, 1, (2,), (2,), lba=800, why="Input/output error")
    blind = (CheckResult("vd0", CheckVerdict.FAILED, NOW, 9, (), 0, "1 place.", 100.0, NOW, (place,)),)
    first = decide(world(raid(checks=blind, starting=True)), Memory(), NOW)
    assert codes(first) == []
    second = decide(world(raid(checks=blind)), first.memory, NOW + 10)
    assert codes(second) == ["ALARM-134"]
    assert codes(decide(world(raid(checks=blind, starting=True)), second.memory, NOW + 20)) == ["ALARM-134"]


def test_a_drive_that_is_awaited_after_a_start_raises_nothing_and_ends_nothing() -> None:
    awaited = raid(replace(drive(2, DriveState.UNKNOWN), device=None), starting=True)
    late = decide(world(awaited), Memory(), NOW)
    assert codes(late) == []
    assert trays(late) == [SetTrays(tuple((bay, kind) for bay, kind in MEMBERS.items() if bay != 2))]

    failed = decide(world(raid(drive(2, DriveState.MISSING))), Memory(), NOW)
    assert codes(failed) == ["ALARM-101"]
    again = decide(world(awaited, panel(bay2=TrayCondition.NONE)), failed.memory, NOW + 60)
    assert (codes(again), again.memory.cleared) == (["ALARM-101"], ())
    assert trays(again) == [with_bay_2(TrayCondition.FAILED)], "its LED stays amber"
    put_back = raid(drive(2, DriveState.UNKNOWN, detail="It is being read."))
    read = decide(world(put_back, panel(bay2=TrayCondition.FAILED)), again.memory, NOW + 61)
    assert codes(read) == ["ALARM-101"]
    assert trays(read), "nobody is led to pull a drive that is there"


def test_a_lost_spare_is_not_well_by_being_read_or_awaited() -> None:
    def spare(state: SpareState) -> World:
        return world(raid(spares=(SpareView(5, "SN5", "RACK DISK", 512 << 20, state, "It holds data (ext4)."),)))

    assert decide(spare(SpareState.UNKNOWN), Memory(), NOW).memory.pending == ()
    lost = decide(spare(SpareState.NOT_BLANK), Memory(pending=(("spare-lost/SN5", NOW - SpareLost.grace),)), NOW)
    assert codes(lost) == ["ALARM-107"]
    read = decide(spare(SpareState.UNKNOWN), lost.memory, NOW + 1)
    assert codes(read) == ["ALARM-107"]
    assert codes(decide(spare(SpareState.READY), read.memory, NOW + 2)) == []
