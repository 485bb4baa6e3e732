"""A parity array over the first bays of a rack, which tests damage behind md's back."""

import json
import os
import time
from dataclasses import dataclass
from typing import Any

from rig.rack import RackClient

PYTHON = "/usr/lib/rackeye/bin/python"
NAME = "md90"
MD = f"/sys/block/{NAME}/md"
CHUNK = 64 * 1024


@dataclass
class Array:
    """A parity array over the first bays: slot i is bay i."""

    rack: RackClient
    level: int
    disks: int

    def sh(self, script: str) -> str:
        return self.rack.exec(["sh", "-c", script]).stdout.strip()

    def create(self) -> None:
        drives = " ".join(f"$(readlink -f /dev/disk/by-bay/{bay})" for bay in range(self.disks))
        self.sh(
            f"mdadm --create /dev/{NAME} --run --force --metadata=1.2 --level={self.level} -n {self.disks}"
            f" --chunk={CHUNK // 1024} --size=32768 {drives} && echo 1000000 > {MD}/sync_speed_min"
        )
        self.wait_for_parity()
        self.sh(f"dd if=/dev/urandom of=/dev/{NAME} bs=1M oflag=direct; sync")

    def wait_for_parity(self) -> None:
        deadline = time.monotonic() + 60
        while self.sh(f"cat {MD}/sync_action {MD}/resync_start").split() != ["idle", "none"]:
            assert time.monotonic() < deadline, self.sh("cat /proc/mdstat")
            time.sleep(0.2)

    def destroy(self) -> None:
        self.sh(f"mdadm --stop /dev/{NAME}; udevadm settle")
        for bay in range(self.disks):
            self.sh(f"mdadm --zero-superblock /dev/disk/by-bay/{bay}")

    def check(self) -> tuple[int, dict[str, Any]]:
        ran = self.rack.exec([PYTHON, "-m", "raid.scrub", f"/dev/{NAME}", "--json"])
        return ran.rc, json.loads(ran.stdout or "{}")

    def damage(self, slot: int, stripe: int, at: int = 0) -> None:
        """Turns 64 bytes over, behind md's back; twice mends them."""
        offset = int(self.sh(f"for d in {MD}/dev-*; do [ $(cat $d/slot) = {slot} ] && cat $d/offset; done"))
        with self.rack.drive_file(slot).open("r+b") as file:
            file.seek(offset * 512 + stripe * CHUNK + at)
            old = file.read(64)
            file.seek(-64, os.SEEK_CUR)
            file.write(bytes(byte ^ 0x5A for byte in old))

    def device(self, slot: int) -> str:
        return self.sh(f"readlink -f /dev/disk/by-bay/{slot}")

    def held(self) -> tuple[int, int]:
        low, high = self.sh(f"cat {MD}/suspend_lo {MD}/suspend_hi").split()
        return int(low), int(high)
