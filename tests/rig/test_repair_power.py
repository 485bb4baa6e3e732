"""The power is cut in the middle of a repair: nothing committed is lost, the repair is shown as interrupted, and done
again it ends right. Two moments in the normal tier, twenty in the long one."""

import os
import random

import pytest

from raid.model import CheckResult, CheckVerdict, DriveState, JobState
from rig.rack import Rack
from tests.rig.raid_rig import checksum, hurry, is_whole, snapshot, until, write_file

pytestmark = [pytest.mark.rig, pytest.mark.rack(drives=4, bay_mib=256)]

STRIP = 64 * 1024
STRIPES = range(200, 440, 8)
MOMENTS = [0.8, 3.0]
LONG = [round(0.3 + 0.4 * n, 1) for n in range(20)]


@pytest.fixture(scope="module")
def kept(rack: Rack) -> str:
    """A RAID6 of four with a file on it; its checksum."""
    hurry(rack)
    until(rack, lambda s: sum(d.state is DriveState.BLANK for d in s.drives) == 4, "four blank drives")
    rack.exec(["rackeye", "vd", "create", "--level", "6", "--bays", "0-3", "--strip", "64K", "--name", "vd0", "--yes",
               "--no-wait"], 60, check=True)
    until(rack, lambda s: bool(s.virtual_drives) and is_whole(s, "vd0"), "it is whole", 200)
    rack.sh("rackeye rate set check 100")
    return write_file(rack, "/srv/rackeye/vd0/kept", mib=48)


def result(rack: Rack) -> CheckResult:
    (one,) = snapshot(rack).checks
    return one


def flip(rack: Rack, bay: int, stripes: range) -> None:
    """Turns 64 bytes of each of these stripes over on one drive, behind md's back."""
    device = rack.sh(f"basename $(readlink -f /dev/disk/by-bay/{bay})").strip()
    offset = int(rack.sh(f"cat /sys/block/md*/md/dev-{device}/offset")) * 512
    with rack.drive_file(bay).open("r+b") as file:
        for stripe in stripes:
            file.seek(offset + stripe * STRIP + 8192)
            other = bytes(byte ^ 0x5A for byte in file.read(64))
            file.seek(-64, os.SEEK_CUR)
            file.write(other)


def quiet(rack: Rack) -> bool:
    """The bitmap names nothing: after a cut md makes the parity of what it names fit the data, right or wrong."""
    device = rack.sh("readlink -f /dev/disk/by-bay/0").strip()
    return ", 0 dirty" in rack.sh(f"mdadm -X {device} | tr -s ' '")


def cut_and_do_again(rack: Rack, kept: str, after: float) -> None:
    rack.sh("sync")
    rack.wait_until(lambda: quiet(rack), 120, "nothing is being written")
    bay = random.Random(after).choice((0, 1, 2, 3))
    flip(rack, bay, STRIPES)
    found = rack.exec(["rackeye", "check", "start", "vd0", "--watch"], timeout=300)
    assert (found.rc, result(rack).wrong_count) == (1, len(STRIPES)), found.stdout + found.stderr
    rack.wait_until(lambda: quiet(rack), 120, "nothing is being written")
    rack.exec(["rackeye", "check", "repair", "vd0", "--yes"], 60, check=True)
    rack.sh(f"sleep {after}")
    rack.power_cut()
    rack.boot()
    told = until(rack, lambda s: bool(s.virtual_drives) and is_whole(s, "vd0"), "it runs again", 200)
    left = result(rack)
    if left.verdict is CheckVerdict.WRONG:  # else it had ended
        assert "A repair of them was cut off" in left.detail
        assert [job.kind for job in told.jobs if job.state is JobState.INTERRUPTED] == ["repair"]
        again = rack.exec(["rackeye", "check", "repair", "vd0", "--yes", "--watch"], timeout=300)
        assert again.rc == 0, again.stdout + again.stderr
        assert "cut off" not in result(rack).detail
    assert not any(job.state is JobState.INTERRUPTED for job in snapshot(rack).jobs)
    clean = rack.exec(["rackeye", "check", "start", "vd0", "--watch"], timeout=300)
    assert clean.rc == 0, clean.stdout + clean.stderr
    assert rack.sh("cat /sys/block/md*/md/dev-sd*/bad_blocks").strip() == ""
    assert checksum(rack, "/srv/rackeye/vd0/kept") == kept


@pytest.mark.parametrize("after", MOMENTS)
def test_a_power_cut_in_a_repair(rack: Rack, kept: str, after: float) -> None:
    cut_and_do_again(rack, kept, after)


@pytest.mark.long
@pytest.mark.parametrize("after", LONG)
def test_a_power_cut_at_twenty_moments_of_a_repair(rack: Rack, kept: str, after: float) -> None:
    cut_and_do_again(rack, kept, after)
