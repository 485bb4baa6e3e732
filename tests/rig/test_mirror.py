"""The check of mirrors on a real md: every layout is clean and each copy is found, no false alarm under writes; then
RAID1, RAID10 and RAID0 as a person has them."""

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from raid.model import CheckVerdict, DriveState
from rig.rack import Rack
from tests.rig.parity_rig import MD, NAME, PYTHON
from tests.rig.raid_rig import alarms, hurry, is_whole, snapshot, until

pytestmark = [pytest.mark.rig, pytest.mark.rack(bay_mib=330)]

CHUNK = 64 * 1024
WRITER = """
import mmap, os, random
block, fd = mmap.mmap(-1, 65536), os.open('/dev/md90', os.O_RDWR | os.O_DIRECT)
while True:
    block[:] = random.randbytes(65536)
    os.pwrite(fd, block, random.randrange(1000) * 4096)
"""


@pytest.fixture(scope="module")
def bare(rack: Rack) -> Iterator[Rack]:
    """The drives are the test's own."""
    rack.exec(["systemctl", "stop", "rackeye-raidd.service"])
    yield rack
    rack.exec(["systemctl", "start", "rackeye-raidd.service"])


def create(rack: Rack, how: str, disks: int) -> None:
    drives = " ".join(f"$(readlink -f /dev/disk/by-bay/{bay})" for bay in range(disks))
    rack.sh(
        f"mdadm --create /dev/{NAME} --run --force --metadata=1.2 {how} -n {disks} --size=24576 {drives} 2>&1; "
        f"echo 1000000 > {MD}/sync_speed_min"
    )
    deadline = time.monotonic() + 60
    while rack.sh(f"cat {MD}/sync_action {MD}/resync_start").split() != ["idle", "none"]:
        assert time.monotonic() < deadline, rack.sh("cat /proc/mdstat")
        time.sleep(0.2)
    rack.sh(f"dd if=/dev/urandom of=/dev/{NAME} bs=1M oflag=direct status=none || true; sync")


def destroy(rack: Rack, disks: int) -> None:
    rack.sh(f"mdadm --stop /dev/{NAME} 2>&1; udevadm settle")
    for bay in range(disks):
        rack.sh(f"mdadm --zero-superblock /dev/disk/by-bay/{bay}")


def check(rack: Rack) -> tuple[int, dict[str, Any]]:
    ran = rack.exec([PYTHON, "-m", "raid.scrub", f"/dev/{NAME}", "--json"], timeout=120)
    assert ran.stdout, ran.stderr
    return ran.rc, json.loads(ran.stdout)


def damage(rack: Rack, bay: int, at: int) -> bytes:
    """Turns 64 bytes of a member over, behind md's back; returns what stood there. Twice mends them."""
    device = rack.sh(f"basename $(readlink -f /dev/disk/by-bay/{bay})").strip()
    offset = int(rack.sh(f"cat /sys/block/md*/md/dev-{device}/offset")) * 512
    with rack.drive_file(bay).open("r+b") as file:
        file.seek(offset + at)
        old = file.read(64)
        file.seek(-64, os.SEEK_CUR)
        file.write(bytes(byte ^ 0x5A for byte in old))
        return old


RARE = [
    ("--level=1", 3, 3), ("--level=10 --layout=n2 --chunk=64", 3, 2), ("--level=10 --layout=f2 --chunk=64", 3, 2),
    ("--level=10 --layout=o2 --chunk=64", 4, 2), ("--level=10 --layout=o2 --chunk=64", 3, 2),
    ("--level=10 --layout=n3 --chunk=64", 4, 3),
]
"""Not made by us, but taken from elsewhere."""


@pytest.mark.parametrize(("how", "disks", "copies"), [
    ("--level=1", 2, 2), ("--level=10 --layout=n2 --chunk=64", 4, 2), ("--level=10 --layout=f2 --chunk=64", 4, 2),
    *(pytest.param(*one, marks=pytest.mark.long) for one in RARE),
])
def test_every_copy_is_found_where_md_has_it(bare: Rack, how: str, disks: int, copies: int) -> None:
    create(bare, how, disks)
    code, result = check(bare)
    assert (code, result["bad"], result["stopped"]) == (0, [], False)
    for bay, at in ((disks - 1, 17 * CHUNK + 8192), (0, 200 * CHUNK)):
        old = damage(bare, bay, at)
        code, result = check(bare)
        [bad] = result["bad"]
        [extent] = bad["extents"]
        assert (code, len(extent["copies"]), extent["pages"]) == (1, copies, 1)
        assert (bay, at) in [(copy["slot"], copy["offset"]) for copy in extent["copies"]]
        assert (extent["wrong"] and extent["wrong"]["slot"]) == (bay if copies > 2 else None)
        damage(bare, bay, at)  # right again: what stood there is what md reads at that place of the array
        page = bare.sh(f"dd if=/dev/{NAME} bs=4096 skip={extent['array_offset'] // 4096} count=1 iflag=direct "
                       "status=none | head -c 64 | od -An -v -tx1").split()
        assert bytes.fromhex("".join(page)) == old
    assert check(bare)[0] == 0
    if "f2" in how and disks == 4:
        no_false_alarm(bare)
    destroy(bare, disks)


def no_false_alarm(rack: Rack) -> None:
    pid = rack.sh(f'setsid {PYTHON} -c "{WRITER}" > /dev/null 2>&1 < /dev/null & echo $!').strip()
    try:
        for _ in range(3):
            code, result = check(rack)
            assert (code, result["bad"]) == (0, [])
        damage(rack, 1, 380 * CHUNK)  # a copy of what lies behind the writers
        assert len(check(rack)[1]["bad"]) == 1
        assert rack.sh(f"cat {MD}/suspend_lo {MD}/suspend_hi").split() == ["0", "0"]
    finally:
        rack.sh(f"kill {pid}")


def test_a_person_compares_copies_and_is_told_what_cannot_be_known(bare: Rack) -> None:
    rack = bare
    rack.exec(["systemctl", "start", "rackeye-raidd.service"])
    hurry(rack)
    until(rack, lambda s: sum(d.state is DriveState.BLANK for d in s.drives) == 8, "eight blank drives")
    for name, level, bays in (("pair", "1", "0,1"), ("mirrors", "10", "2-5"), ("none", "0", "6,7")):
        rack.exec(["rackeye", "vd", "create", "--level", level, "--bays", bays, "--name", name, "--yes", "--no-wait"],
                  60, check=True)
    until(rack, lambda s: len(s.virtual_drives) == 3 and is_whole(s, "pair", "mirrors", "none"), "whole", 200)
    refused = rack.exec(["rackeye", "check", "start", "none"])
    assert (refused.rc, "there is no redundancy" in refused.stderr) == (1, True)
    at = 150 * 1024 * 1024
    damage(rack, 1, at)
    damage(rack, 4, at)
    for name, bays in (("pair", "bay 0 and bay 1 differ"), ("mirrors", "bay 4 and bay 5 differ")):
        found = rack.exec(["rackeye", "check", "start", name, "--watch"], timeout=300)
        assert (found.rc, bays in found.stdout) == (1, True), found.stdout + found.stderr
        assert "Which copy is right is not known" in found.stdout
        plan = json.loads(rack.exec(["rackeye", "check", "repair", name, "--dry-run", "--json"], check=True).stdout)
        assert "nobody can know" in plan["would_repair"]["stripes"][0]["left"]
        assert rack.exec(["rackeye", "check", "repair", name, "--yes"]).rc == 1
    rack.wait_until(lambda: "bay 4 and bay 5 differ" in alarms(rack), 20, "the alarm")
    damage(rack, 1, at)
    assert rack.exec(["rackeye", "check", "start", "pair", "--watch"], timeout=300).rc == 0
    (one,) = (check for check in snapshot(rack).checks if check.vd == "pair")
    assert one.verdict is CheckVerdict.CLEAN
    assert {up.vd: bool(up.next_check) for up in snapshot(rack).upkeep}["none"] is False
