"""A drive whose read failed: what waits for it, when it is read again, and what people are told meanwhile."""

from dataclasses import replace

import pytest

from core.daemon import Decision
from core.jobs import Job, JobState
from raid.actions import Action, Probe, StartJob
from raid.decide import decide
from raid.derive import derive
from raid.memory import FailedDrive, Memory
from raid.model import DriveState, RaidSnapshot
from raid.world import Disk, World
from raid.world import Probe as OnDisk
from tests.unit.raid import spare_worlds as s
from tests.unit.raid import worlds as w

BAD = OnDisk(error="It cannot be read: Input/output error.")
READ = Probe("sdc", 12)


def boot(third: Disk) -> World:
    """Nothing runs yet; three of four members were read, and this is the fourth."""
    return w.world((*(w.disk(bay, w.probe(bay)) for bay in (0, 1)), third, w.disk(3, w.probe(3))))


def look(of: World, memory: Memory | None = None) -> Decision[Memory, Action]:
    return decide(of, memory or w.memory(), w.SETTINGS, w.NOW)


def started(of: World) -> list[int]:
    """Of how many members arrays are started."""
    return [len(action.drives) for action in look(of).actions if isinstance(action, StartJob)]


def tell(of: World, memory: Memory | None = None) -> RaidSnapshot:
    return derive(w.scene(of, memory or w.memory()))


def test_a_degraded_start_waits_for_the_next_try_which_is_not_slept_through() -> None:
    decision = look(boot(w.disk(2, None, retry=1.5)))
    assert (decision.actions, decision.again) == ((), 1.5)
    assert look(boot(w.disk(2, None, retry=0.0))).actions == (READ,)


def test_once_it_has_been_read_the_array_is_whole() -> None:
    assert started(boot(w.disk(2, w.probe(2)))) == [4]


@pytest.mark.parametrize(("retry", "reads"), [(50.0, ()), (0.0, (READ,))])
def test_nobody_waits_for_one_that_is_told_as_bad_and_it_is_read_again_all_the_same(
    retry: float, reads: tuple[Probe, ...]
) -> None:
    of = boot(w.disk(2, BAD, retry=retry))
    assert started(of) == [3]
    assert tuple(action for action in look(of).actions if isinstance(action, Probe)) == reads


def test_one_that_is_not_tried_again_is_not_read_at_each_look() -> None:
    assert READ not in look(boot(w.disk(2, BAD))).actions


@pytest.mark.parametrize("probe", [None, BAD])
def test_a_member_of_a_running_array_is_not_read(probe: OnDisk | None) -> None:
    of = w.healthy()
    disks = tuple(replace(disk, probe=probe, retry=0.0) if disk.bay == 2 else disk for disk in of.disks)
    assert look(replace(of, disks=disks)).actions == ()


def test_nor_one_that_is_never_touched_or_is_just_being_written() -> None:
    assert READ not in look(boot(w.disk(2, BAD, retry=0.0, protected="It carries the system."))).actions
    job = Job("vd0-assemble-1", "assemble", "vd0", (("mdadm",),), JobState.RUNNING, w.BOOT, w.NOW)
    assert look(replace(boot(w.disk(2, BAD, retry=0.0)), jobs=(job,))).actions == ()


def row(told: RaidSnapshot) -> tuple[DriveState, str]:
    """Of the drive in bay 2."""
    return next((drive.state, drive.detail) for drive in told.drives if drive.bay == 2 and drive.device is not None)


def test_it_is_unknown_at_first_and_bad_then() -> None:
    waits = tell(boot(w.disk(2, None, retry=1.5)))
    assert row(waits) == (DriveState.UNKNOWN, "It could not be read. It is read again in a moment.")
    assert "waits for its other drives" in waits.virtual_drives[0].detail
    assert [drive.state for drive in waits.drives if drive.bay == 2] == [DriveState.UNKNOWN], "nor is it missing"
    for retry in (50.0, 0.0):
        told = tell(boot(w.disk(2, BAD, retry=retry)))
        assert row(told) == (DriveState.UNCONFIGURED_BAD, BAD.error)
        (missing,) = (drive for drive in told.drives if drive.bay == 2 and drive.device is None)
        assert "what it held of it cannot be read" in missing.detail, "not that it is gone"


@pytest.mark.parametrize(("probe", "retry"), [(None, None), (None, 1.5), (BAD, 50.0)])
def test_one_that_md_put_out_is_the_failed_one_while_it_is_not_read(probe: OnDisk | None, retry: float | None) -> None:
    """In one row: not as a new drive that is bad, beside a member that is missing."""
    memory = w.memory(failed=(FailedDrive("SN0002", "vd0", 12, w.BOOT),))
    told = tell(w.pulled(2, w.disk(2, probe, retry=retry)), memory)
    [failed] = [drive for drive in told.drives if drive.bay == 2]
    assert (failed.state, failed.serial, failed.slot) == (DriveState.FAILED, "SN0002", 2)
    assert failed.detail == "md put it out of vd0 for its errors. Replace it."


def test_nor_is_it_missing_while_a_spare_stands_in() -> None:
    of = s.stands_in(w.disk(2, BAD, retry=50.0))
    told = tell(of, replace(s.serving(), failed=(FailedDrive("SN0002", "vd0", 12, w.BOOT),)))
    [failed] = [drive for drive in told.drives if drive.bay == 2]
    assert failed.state is DriveState.FAILED
    assert failed.detail.endswith("Pull it.")
