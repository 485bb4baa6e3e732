"""What raidd cannot see now has not ended by that: nvr.policy, by tables."""

from dataclasses import replace

import pytest

from nvr.policy.decide import Memory, decide
from nvr.policy.world import World
from raid.model import DriveState, Progress, VdState, VirtualDrive, Work
from raid.model_care import BadBlocks
from tests.unit.nvr.policy.worlds import NOW, codes, drive, raid, vd, world

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
