"""Sectors that cannot be read: dm-dust between a drive's file and its bay, in racks that ask for it.

As on a real drive a bad sector reads with an error until it is written; then the drive has put it elsewhere. A dead one
cannot be written either. A power cut makes all of them good again.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

SECTOR = 512


def lay(ubd: Path, serial: str) -> Path:
    """Puts the layer over a drive; returns its node. Raises OSError."""
    _run("modprobe", "dm_dust")
    size = _size(ubd)
    table = f"0 {size} dust {ubd} 0 {SECTOR}"
    _run("dmsetup", "create", _name(serial), "--noudevrules", "--noudevsync", "--table", table)
    _run("dmsetup", "message", _name(serial), "0", "enable")
    # the kernel's own node: at the start of the rack there is no udev yet to make /dev/mapper's
    made = next(dm for dm in Path("/sys/block").glob("dm-*") if (dm / "dm/name").read_text().strip() == _name(serial))
    return Path("/dev") / made.name


def take(serial: str) -> None:
    """Takes it off again. Raises OSError."""
    _run("dmsetup", "remove", "--noudevrules", "--noudevsync", "--retry", _name(serial))


def spoil(ubd: Path, serial: str, first: int, sectors: int, *, dead: bool) -> None:
    """Makes sectors bad, or dead (then the bad ones of before are good). Raises OSError."""
    if not dead:
        for lba in range(first, first + sectors):
            _run("dmsetup", "message", _name(serial), "0", "addbadblock", str(lba))
        return
    after = first + sectors
    table = (
        f"0 {first} linear {ubd} 0\n{first} {sectors} error\n"
        f"{after} {_size(ubd) - after} linear {ubd} {after}\n"
    )
    _run("dmsetup", "suspend", "--noudevsync", _name(serial))
    _run("dmsetup", "reload", _name(serial), stdin=table)
    _run("dmsetup", "resume", "--noudevrules", "--noudevsync", _name(serial))


def _name(serial: str) -> str:
    return f"dust-{serial}"


def _size(ubd: Path) -> int:
    return int(Path(f"/sys/block/{ubd.name}/size").read_text())


def _run(*argv: str, stdin: str = "") -> None:
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})  # fmt: skip
    if done.returncode:
        raise OSError(f"{' '.join(argv)}: {done.stderr.strip()}")
