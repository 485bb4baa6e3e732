"""What clearing a drive would destroy, and why it is refused."""

from dataclasses import replace

import pytest

from core.errors import DriveInUse, NoSuchDrive
from raid.clear import plan_clear, refuse
from raid.memory import Memory, Stage
from raid.model import ClearDriveRequest
from raid.world import Disk, Probe, World
from tests.unit.raid import worlds as w

UNREAD = Probe(error="It cannot be read: Input/output error.")
OTHERS = w.probe(2, array_uuid="elsewhere", name="elsewhere:vd7")


@pytest.mark.parametrize(
    ("probe", "signatures", "says"),
    [
        (w.EXT4, ("ext4",), "It holds: ext4."),
        (OTHERS, ("linux_raid_member",), "It is of the array 'vd7' (RAID5 of 4)."),
        (w.BLANK, (), "it is blank"),
        (UNREAD, None, "not known. It cannot be read: Input/output error."),
        (None, None, "it has not been read"),
    ],
)
def test_the_plan_names_the_drive_and_what_lies_on_it(
    probe: Probe | None, signatures: tuple[str, ...] | None, says: str
) -> None:
    new = replace(w.newcomer(2, w.BLANK), probe=probe)
    plan = plan_clear(ClearDriveRequest(2, "NEW0002"), w.scene(w.pulled(2, new)))
    assert (plan.bay, plan.serial, plan.model, plan.size) == (2, "NEW0002", "RACK DRIVE", w.SIZE)
    assert (plan.device, plan.signatures, plan.refusal) == ("/dev/sdm", signatures, "")
    assert says in plan.loses


def held(bay: int, *by: str, **changes: object) -> Disk:
    return w.disk(bay, w.probe(bay), held_by=by, **changes)


@pytest.mark.parametrize(
    ("of", "memory", "says"),
    [
        pytest.param(w.world((held(0, "md127"),)), w.memory(), "is in use by md127", id="member"),
        pytest.param(w.world((held(0, protected="It carries the system (/)."),)), w.memory(), "carries the system",
                     id="system"),
        pytest.param(w.asleep(w.probe(0)), w.memory(), "is needed by vd0, which does not run", id="of one that is off"),
        pytest.param(w.asleep(w.BLANK), w.memory(w.known(stage=Stage.CREATING)), "is needed by vd0", id="chosen"),
    ],
)  # fmt: skip
def test_a_refusal_is_part_of_the_plan_and_keeps_it_from_being_done(of: World, memory: Memory, says: str) -> None:
    scene = w.scene(of, memory)
    assert says in plan_clear(ClearDriveRequest(0, "SN0000"), scene).refusal
    with pytest.raises(Exception, match=says):
        refuse(of.disks[0], scene)


def test_another_drive_than_the_one_named_is_no_plan() -> None:
    with pytest.raises(NoSuchDrive, match="Bay 0 holds SN0000, not the serial 'NEW0000'"):
        plan_clear(ClearDriveRequest(0, "NEW0000"), w.scene(w.healthy()))
    with pytest.raises(NoSuchDrive, match="no drive"):
        plan_clear(ClearDriveRequest(9, "SN0000"), w.scene(w.healthy()))


def test_a_former_member_of_one_that_runs_may_be_cleared() -> None:
    stale = w.disk(2, w.probe(2), name="sdm", diskseq=52)
    scene = w.scene(w.pulled(2, stale))
    assert plan_clear(ClearDriveRequest(2, "SN0002"), scene).refusal == ""
    scene = w.scene(w.asleep(w.probe(0), w.probe(1), w.probe(2)))
    with pytest.raises(DriveInUse):
        refuse(scene.world.disks[2], scene)
