"""The long tier (`make test-long`): the power is cut at random moments of each piece of work, and nobody helps.

After each cut everything comes up by itself, and what was committed reads back right. Where cameras are recorded (the
rebuild, recording) at most the last ten seconds and a GOP before the cut are lost, and every file plays.
"""

import json
import os
import random
import time
from collections.abc import Callable

import pytest

from nvr.recorder.model import CameraState
from raid.model import VdState
from rig.daemons import raid, recorder
from rig.drives import DriveKind
from rig.rack import Rack
from rig.story import EXAMINE, LAST_END
from tests.rig.raid_rig import checksum, clock, hurry, speed, write_file

pytestmark = [pytest.mark.rig, pytest.mark.long]

# The flush interval, and the GOP of the slower test camera.
MAY_LOSE = 10 + 2


def moments(seed: str, longest: float, cuts: int) -> list[float]:
    """Seconds after the beginning of the work, spread over it."""
    chance = random.Random(seed)
    return [round(chance.uniform(longest * n / cuts, longest * (n + 1) / cuts), 2) for n in range(cuts)]


def cut(rack: Rack) -> None:
    """The power goes and comes."""
    rack.power_cut()
    rack.boot()
    rack.start_cameras(2)


def comes_up(rack: Rack, *names: str) -> None:
    """All virtual drives run and are mounted, and every camera is recorded."""

    def up() -> bool:
        seen = {vd.name: vd for vd in raid(rack).virtual_drives}
        return all(seen[name].mountpoint and seen[name].state is not VdState.FAILED for name in names)

    rack.wait_until(up, 180, f"{', '.join(names)} mounted")
    rack.wait_until(
        lambda: all(camera.state is CameraState.RECORDING for camera in recorder(rack).cameras), 90, "recording"
    )


def whole(rack: Rack) -> bool:
    return all(vd.state is VdState.OPTIMAL and vd.progress is None for vd in raid(rack).virtual_drives)


def examine(rack: Rack) -> None:
    """Every file plays, and the index is right."""
    rack.sh("systemctl stop rackeye-recorder", 30)
    found = json.loads(rack.exec(["/usr/lib/rackeye/bin/python", "-c", EXAMINE], 300, check=True).stdout)
    rack.sh("systemctl start rackeye-recorder", 60)
    assert (found["bad"], found["differ"]) == ([], [])


def cut_while_recording(rack: Rack) -> None:
    """What is lost is counted from the cut, by the guest's clock."""
    moment = clock(rack)
    cut(rack)
    comes_up(rack, "vd0")
    rack.sh("systemctl stop rackeye-recorder", 30)
    for camera in ("cam1", "cam2"):
        argv = ["/usr/lib/rackeye/bin/python", "-c", LAST_END, str(int(moment * 1000)), camera]
        assert moment - float(rack.exec(argv, check=True).stdout) / 1000 <= MAY_LOSE
    examine(rack)


@pytest.fixture(scope="module")
def kept(rack: Rack) -> str:
    """One virtual drive with something on it, and two cameras recorded; returns the checksum."""
    hurry(rack)
    argv = ["rackeye", "vd", "create", "--simple", "--level", "5", "--count", "1", "--bays", "0-3", "--yes"]
    rack.exec(argv, 300, check=True)
    urls = rack.start_cameras(2)
    for name in ("cam1", "cam2"):
        rack.exec(["rackeye", "camera", "add", name, urls[name]], check=True)
    comes_up(rack, "vd0")
    return write_file(rack, "/srv/rackeye/vd0/kept")


def cut_after_creation(rack: Rack, after: float, begun: Callable[[], bool]) -> None:
    """begun: from when on `after` counts."""
    rack.wait_until(lambda: len(raid(rack).drives) == 5, 60, "four blank drives and the system's")
    argv = ["rackeye", "vd", "create", "--simple", "--level", "5", "--yes", "--no-wait"]
    rack.exec(argv, 60, check=True)
    rack.wait_until(begun, 120, "begun")
    time.sleep(after)
    cut(rack)
    comes_up(rack, "vd0")
    assert write_file(rack, "/srv/rackeye/vd0/written")
    rack.wait_until(lambda: whole(rack), 300, "initialized")


# On a rack of its own each time: what is made is never deleted by itself.


@pytest.mark.parametrize("after", moments("creation", 6, 20))
def test_during_creation(after: float) -> None:
    with Rack(f"creation_{os.getpid()}", drives=4) as rack:
        cut_after_creation(rack, after, lambda: True)


@pytest.mark.parametrize("after", moments("initialization", 15, 10))
def test_during_initialization(after: float) -> None:
    with Rack(f"initialization_{os.getpid()}", drives=4) as rack:
        hurry(rack, resync=False)
        cut_after_creation(rack, after, lambda: any(vd.mountpoint and vd.progress for vd in raid(rack).virtual_drives))


@pytest.mark.parametrize("after", moments("rebuild", 15, 20))
def test_during_a_rebuild(rack: Rack, kept: str, after: float) -> None:
    bay = random.Random(after).choice((0, 1, 2, 3))
    rack.wait_until(lambda: whole(rack), 300, "whole before")
    comes_up(rack, "vd0")
    time.sleep(MAY_LOSE)
    rack.pull(bay)
    rack.wait_until(lambda: raid(rack).virtual_drives[0].state is VdState.DEGRADED, 30, "degraded")
    speed(rack, 1000, 4000)
    rack.insert(bay, DriveKind.BLANK)
    time.sleep(after)
    assert raid(rack).virtual_drives[0].state is VdState.DEGRADED, "the cut falls into the work"
    cut_while_recording(rack)
    speed(rack, 500_000, 500_000)
    rack.wait_until(lambda: whole(rack), 300, "rebuilt")
    assert checksum(rack, "/srv/rackeye/vd0/kept") == kept


@pytest.mark.parametrize("after", moments("recording", 30, 10))
def test_during_recording(rack: Rack, kept: str, after: float) -> None:
    comes_up(rack, "vd0")
    time.sleep(MAY_LOSE + after)
    cut_while_recording(rack)
