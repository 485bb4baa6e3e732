"""RAID5 with a partial parity log: a power cut while a drive is missing tears nothing, and everything else goes on as
with the write-intent bitmap."""

import pytest

from raid.model import DriveState, VdState
from raid.spare_model import SpareState
from rig.drives import DriveKind
from rig.rack import Rack
from tests.rig.raid_rig import (
    alarms,
    checksum,
    hurry,
    is_whole,
    jobs_of,
    parity_is_clean,
    rackeye,
    snapshot,
    states,
    until,
    vd,
    write_file,
)

pytestmark = [pytest.mark.rig, pytest.mark.rack(drives=4, bay_mib=340, without=("rackeye-web.service",))]

KEPT = "/srv/rackeye/vd0/kept"
OVERWRITE = f"""
import os, random
block = os.urandom(4096)
file = os.open({KEPT!r}, os.O_WRONLY | os.O_DSYNC)
while True:
    os.pwrite(file, block, random.randrange(256) * 131072)
"""
"""The first 4 KiB of every second strip, over and over: parts of stripes whose other parts must stay."""
THE_OTHERS = f"""
import hashlib
with open({KEPT!r}, "rb") as file:
    data = file.read()
print(hashlib.sha256(b"".join(data[at + 4096 : at + 131072] for at in range(0, len(data), 131072))).hexdigest())
"""


def others(rack: Rack) -> str:
    """Of the file, what is never written anew."""
    rack.sh("echo 3 > /proc/sys/vm/drop_caches")
    return rack.exec(["/usr/lib/rackeye/bin/python", "-c", THE_OTHERS], 60, check=True).stdout


@pytest.fixture(scope="module")
def kept(rack: Rack) -> str:
    hurry(rack)
    until(rack, lambda s: sum(drive.state is DriveState.BLANK for drive in s.drives) == 4, "four blank drives")
    words = ["--level", "5", "--bays", "0-2", "--strip", "64K", "--name", "vd0", "--ppl", "--yes", "--no-wait"]
    rack.exec(["rackeye", "vd", "create", *words], 60, check=True)
    until(rack, lambda s: bool(s.virtual_drives) and is_whole(s, "vd0"), "it is whole", 240)
    write_file(rack, KEPT, mib=32)
    return others(rack)


def test_it_is_made_so_and_told_so(rack: Rack, kept: str) -> None:
    assert rack.sh("cat /sys/block/md*/md/consistency_policy").strip() == "ppl"
    assert "closed by a partial parity log" in rackeye(rack, "vd", "show", "vd0")
    assert "md reconstructs no array with one" in rackeye(rack, "vd", "grow", "vd0", "--add", "3", "--dry-run")
    parity_is_clean(rack)


@pytest.mark.long
def test_a_cut_while_a_drive_is_missing_tears_nothing_and_needs_no_force(rack: Rack, kept: str) -> None:
    rack.pull(1)
    until(rack, lambda s: vd(s, "vd0").state is VdState.DEGRADED, "it is seen", 20)
    for seconds in (0.2, 0.7):
        rack.exec(["tee", "/run/overwrite.py"], stdin=OVERWRITE, check=True)
        rack.sh("/usr/lib/rackeye/bin/python /run/overwrite.py >/dev/null 2>&1 &")
        rack.wait_until(lambda: "active" in rack.sh("cat /sys/block/md*/md/array_state"), 20, "it is being written")
        rack.sh(f"sleep {seconds}")
        rack.power_cut()
        rack.boot()
        told = until(rack, lambda s: vd(s, "vd0").mountpoint is not None, "it runs", 120)
        assert vd(told, "vd0").state is VdState.DEGRADED
        assert all("--force" not in step for step in jobs_of(rack, "assemble")[-1]["steps"])
        assert "starting dirty degraded array with PPL" in rack.sh("dmesg")
        assert others(rack) == kept
    assert vd(snapshot(rack), "vd0").torn == 0.0
    assert "ALARM-136" not in alarms(rack)
    hurry(rack)
    rack.insert(1, DriveKind.BLANK)
    until(rack, lambda s: is_whole(s, "vd0"), "it is rebuilt", 240)
    assert others(rack) == kept
    parity_is_clean(rack)


@pytest.mark.long
def test_a_former_member_is_written_anew_in_full(rack: Rack, kept: str) -> None:
    rack.pull(2)
    until(rack, lambda s: vd(s, "vd0").state is VdState.DEGRADED, "it is seen", 20)
    newer = write_file(rack, "/srv/rackeye/vd0/newer")
    rack.insert(2, DriveKind.SAME)
    until(rack, lambda s: is_whole(s, "vd0"), "it is rebuilt", 240)
    assert [record["kind"] for record in jobs_of(rack, "rebuild")] == ["rebuild"]
    assert checksum(rack, "/srv/rackeye/vd0/newer") == newer
    parity_is_clean(rack)


@pytest.mark.long
def test_a_spare_takes_over_and_the_data_goes_back(rack: Rack, kept: str) -> None:
    rack.exec(["rackeye", "spare", "add", "--bay", "3"], check=True)
    until(rack, lambda s: [one.state for one in s.spares] == [SpareState.READY], "the spare is ready", 60)
    rack.pull(0)
    until(rack, lambda s: is_whole(s, "vd0") and s.spares[0].state is SpareState.IN_USE, "it stands in", 240)
    rack.insert(0, DriveKind.BLANK)
    told = until(rack, lambda s: is_whole(s, "vd0") and s.spares[0].state is SpareState.READY, "it went back", 240)
    assert states(told, 0, 3) == [DriveState.ONLINE, DriveState.HOT_SPARE]
    assert rack.sh("cat /sys/block/md*/md/consistency_policy").strip() == "ppl"
    assert others(rack) == kept
    parity_is_clean(rack)
