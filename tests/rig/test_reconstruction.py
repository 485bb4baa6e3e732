"""Reconstruction on real md: drives are added under recording and through power cuts."""

import json
import os
import random
import time

import pytest

from nvr.recorder.model import CameraState
from raid.grow_model import GrowPlan, GrowRequest, PlanGrowRequest
from raid.model import Done, DriveState, RaidSnapshot, VdState, Work
from rig.daemons import recorder
from rig.drives import DriveKind
from rig.rack import Rack
from tests.rig.raid_rig import (
    Refused,
    checksum,
    command,
    create,
    hurry,
    in_bay,
    is_whole,
    jobs_of,
    kill_raidd,
    parity_is_clean,
    snapshot,
    speed,
    until,
    vd,
    write_file,
)

pytestmark = [pytest.mark.rig, pytest.mark.rack(bay_mib=352)]

kept: dict[str, str] = {}
KEPT = "/srv/rackeye/vd0/kept"
XFS_LOG = 64 * 1024**2


def grow(rack: Rack, bays: tuple[int, ...], level: int | None = None) -> GrowPlan:
    """Ordered as the command line does it."""
    request = PlanGrowRequest("vd0", bays, level)
    plan = command(rack, "PlanGrow", request, GrowPlan)
    command(rack, "GrowVd", GrowRequest(request, plan.fingerprint), Done)
    return plan


def reconstructing(told: RaidSnapshot, beyond: float = -1.0) -> bool:
    progress = vd(told, "vd0").progress
    return progress is not None and progress.kind is Work.RECONSTRUCTION and progress.percent > beyond


def room(rack: Rack) -> int:
    """Bytes of the file system, as df sees it."""
    return int(rack.sh("df -B1 --output=size /srv/rackeye/vd0").split()[-1])


def remembered(rack: Rack) -> tuple[object, object]:
    """What raidd's memory holds of a growth under way, and of work left to a person."""
    noted = json.loads(rack.sh("cat /var/lib/rackeye/raid/memory.json"))["vds"][0]
    return noted["growth"], noted["by_hand"]


def ended(rack: Rack, level: int, drives: int, *, bitmap: bool = True) -> None:
    """It has its new shape, is whole, checked, and holds what it held."""
    until(rack, lambda s: is_whole(s, "vd0") and len(vd(s, "vd0").bays) == drives, "it has ended", 240)
    told = vd(snapshot(rack), "vd0")
    assert (told.level, told.state, told.detail) == (level, VdState.OPTIMAL, "")
    rack.wait_until(lambda: remembered(rack) == (None, False), 60, "its ending has ended")
    md = told.device.removeprefix("/dev/") if told.device else ""
    assert rack.sh(f"cat /sys/block/{md}/md/bitmap/location").strip() == ("+8" if bitmap else "none")
    assert room(rack) > 0.9 * (told.size - XFS_LOG)
    assert checksum(rack, KEPT) == kept["vd0"]


def cut(rack: Rack) -> None:
    rack.power_cut()
    rack.boot()


def slow(rack: Rack) -> None:
    """A minute or two for all of it."""
    speed(rack, 1000, 6000)


def fast(rack: Rack) -> None:
    speed(rack, 500_000, 500_000)


@pytest.fixture(scope="module")
def vd0(rack: Rack) -> str:
    """RAID5 over the bays 0 to 2, recorded on, with a file that is to stay."""
    hurry(rack)
    until(rack, lambda s: all(in_bay(s, bay)[0].state is DriveState.BLANK for bay in range(8)), "blank drives", 60)
    create(rack, bays=(0, 1, 2))
    urls = rack.start_cameras(2)
    rack.exec(["rackeye", "camera", "add", "cam1", urls["cam1"]], check=True)
    until(rack, lambda s: is_whole(s, "vd0"), "it is made", 240)
    kept["vd0"] = write_file(rack, KEPT, 60)
    return "vd0"


def next_bay(rack: Rack) -> int:
    return len(vd(snapshot(rack), "vd0").bays)


def test_a_raid5_grows_by_a_drive_while_cameras_are_recorded(rack: Rack, vd0: str) -> None:
    before, bay = room(rack), next_bay(rack)
    with pytest.raises(Refused, match="at least 3, and a change takes one drive more"):
        command(rack, "PlanGrow", PlanGrowRequest(vd0), GrowPlan)
    with pytest.raises(Refused, match="Bay 12 holds no drive"):
        command(rack, "PlanGrow", PlanGrowRequest(vd0, (12,)), GrowPlan)
    with pytest.raises(Refused, match="does not become RAID10"):
        command(rack, "PlanGrow", PlanGrowRequest(vd0, (bay,), 10), GrowPlan)
    shown = rack.exec(["rackeye", "vd", "grow", vd0, "--add", str(bay), "--dry-run"], check=True).stdout
    assert "RAID5 over 4 drives" in shown

    slow(rack)
    plan = grow(rack, (bay,))
    until(rack, lambda s: reconstructing(s, 0.5), "it is seen at work", 60)
    assert in_bay(snapshot(rack), bay)[0].state in (DriveState.ONLINE, DriveState.REBUILD)
    for refused in (["vd", "stop", vd0, "--yes"], ["vd", "delete", vd0, "--yes"], ["check", "start", vd0]):
        done = rack.exec(["rackeye", *refused])
        assert done.rc == 1
        assert "reconstruct" in done.stderr + done.stdout
    kill_raidd(rack)  # the work is not raidd's own process
    fast(rack)
    ended(rack, 5, 4)
    assert len(jobs_of(rack, "reshape")) == 1
    assert vd(snapshot(rack), vd0).size == plan.new_capacity
    assert room(rack) > 1.3 * before
    (camera,) = recorder(rack).cameras
    assert camera.state is CameraState.RECORDING
    rack.wait_until(
        lambda: sum(volume.total for volume in recorder(rack).volumes) == room(rack), 60, "the recorder sees the room"
    )
    parity_is_clean(rack)


@pytest.mark.long
def test_a_cut_at_the_very_beginning(rack: Rack, vd0: str) -> None:
    """Where without the room in front of the data md would write over what it has just read."""
    speed(rack, 20, 20)
    bay = next_bay(rack)
    grow(rack, (bay,))
    rack.wait_until(lambda: rack.sh("cat /sys/block/md*/md/reshape_position").strip() != "none", 60, "md is at it")
    where = rack.sh("cat /sys/block/md*/md/reshape_position").strip()
    cut(rack)
    assert int(where) < 16384, where  # array sectors
    until(rack, lambda s: vd(s, vd0).mountpoint is not None, "it is mounted", 120)
    assert checksum(rack, KEPT) == kept[vd0]
    fast(rack)
    ended(rack, 5, bay + 1)


def test_a_cut_in_the_middle(rack: Rack, vd0: str) -> None:
    slow(rack)
    bay = next_bay(rack)
    grow(rack, (bay,))
    until(rack, lambda s: reconstructing(s, 20.0), "it is in the middle", 240)
    cut(rack)
    until(rack, lambda s: vd(s, vd0).mountpoint is not None, "it is mounted", 120)
    assert checksum(rack, KEPT) == kept[vd0]
    fast(rack)
    ended(rack, 5, bay + 1)
    parity_is_clean(rack)


def test_a_raid5_becomes_a_raid6_and_bears_a_pull_in_the_middle(rack: Rack, vd0: str) -> None:
    slow(rack)
    bay = next_bay(rack)
    plan = grow(rack, (bay,), 6)
    assert (plan.new_level, plan.new_tolerance, plan.new_capacity) == ("RAID6", 2, plan.capacity)
    told = until(rack, lambda s: reconstructing(s, 3.0), "it is at work", 60)
    assert (vd(told, vd0).state, vd(told, vd0).tolerance) == (VdState.OPTIMAL, 1)
    rack.pull(1)
    until(rack, lambda s: vd(s, vd0).state is VdState.DEGRADED, "the pull is seen", 30)
    assert checksum(rack, KEPT) == kept[vd0]
    rack.insert(1, DriveKind.BLANK)
    fast(rack)
    until(rack, lambda s: vd(s, vd0).progress is None and vd(s, vd0).level == 6, "it has ended", 240)
    told = snapshot(rack)
    assert vd(told, vd0).state is VdState.PARTIALLY_DEGRADED
    (waiting,) = [drive for drive in in_bay(told, 1) if drive.device]
    assert (waiting.state, "on your word" in waiting.detail) == (DriveState.BLANK, True)
    rack.exec(["rackeye", "drive", "rebuild", "--bay", "1", "--for", vd0], 120, check=True)
    ended(rack, 6, bay + 1)
    parity_is_clean(rack)


CUTS = 20


def through_a_cut(level: int, bays: tuple[int, ...], add: tuple[int, ...], after: int, seconds: float) -> None:
    """In a rack of its own: made, grown, and the power is cut so long after the order."""
    with Rack(f"reshape_{level}_{len(bays)}_{after}_{os.getpid()}", drives=6, bay_mib=352) as rack:
        hurry(rack)
        until(rack, lambda s: all(in_bay(s, bay)[0].state is DriveState.BLANK for bay in range(6)), "drives", 60)
        wanted = ["--level", str(level), "--bays", ",".join(map(str, bays)), "--name", "vd0", "--yes"]
        rack.exec(["rackeye", "vd", "create", *wanted], 300, check=True)
        kept["vd0"] = write_file(rack, KEPT, 60)
        speed(rack, 1000, 8000)
        grow(rack, add, after)
        time.sleep(seconds)
        cut(rack)
        fast(rack)
        ended(rack, after, len(bays) + len(add), bitmap=level != 0)  # a RAID0 is made without room for one
        parity_is_clean(rack)


@pytest.mark.long
@pytest.mark.parametrize("number", range(CUTS))
def test_a_cut_at_any_moment(number: int) -> None:
    """Five shapes in turn; each cut falls into its own twentieth of the work."""
    level, bays, add, after = [
        (5, (0, 1, 2), (3,), 5), (5, (0, 1, 2, 3), (4, 5), 5), (5, (0, 1, 2), (3,), 6), (6, (0, 1, 2, 3), (4,), 6),
        (5, (0, 1, 2), (3, 4), 6),
    ][number % 5]
    chance = random.Random(number).uniform(90 * number / CUTS, 90 * (number + 1) / CUTS)
    through_a_cut(level, bays, add, after, chance if number else 0.4)


@pytest.mark.long
@pytest.mark.parametrize(
    ("level", "bays", "add", "after"),
    [
        (0, (0,), (1,), 1), (0, (0, 1), (2,), 5), (0, (0, 1), (2, 3), 5), (0, (0, 1), (2, 3), 6),
        (1, (0, 1), (2,), 5), (1, (0, 1), (2, 3), 6),
    ],
)
def test_more_parity_than_before(level: int, bays: tuple[int, ...], add: tuple[int, ...], after: int) -> None:
    through_a_cut(level, bays, add, after, 15)
