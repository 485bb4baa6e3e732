"""Which disks carry mounted file systems or swap: they are the system's, and never touched."""

import os
from dataclasses import dataclass
from pathlib import Path

from core.paths import Paths
from raid.sysfs import Sysfs

_ESCAPES = ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\"))


@dataclass(frozen=True, slots=True)
class Mount:
    """A line of mountinfo (proc(5)). devnum: `major:minor`, of no block device for overlay, tmpfs, btrfs."""

    devnum: str
    mountpoint: str
    kind: str
    source: str


def parse_mountinfo(text: str) -> tuple[Mount, ...]:
    """The lines of /proc/PID/mountinfo."""
    mounts = []
    for line in text.splitlines():
        left, _, right = line.partition(" - ")
        fields, tail = left.split(" "), right.split(" ")
        if len(fields) >= 5 and len(tail) >= 2:
            mounts.append(Mount(fields[2], _plain(fields[4]), tail[0], _plain(tail[1])))
    return tuple(mounts)


def read_mountinfo(paths: Paths) -> str:
    """What the system has mounted, as its first process sees it. Raises OSError."""
    try:
        return (paths.proc / "1" / "mountinfo").read_text()
    except PermissionError:
        return (paths.proc / "self" / "mountinfo").read_text()


def read_swaps(paths: Paths) -> tuple[str, ...]:
    """Devices and files that are swap."""
    try:
        lines = (paths.proc / "swaps").read_text().splitlines()[1:]
    except OSError:
        return ()
    return tuple(_plain(line.split()[0]) for line in lines if line.strip())


def system_disks(
    sysfs: Sysfs, mounts: tuple[Mount, ...], swaps: tuple[str, ...], ours: frozenset[str]
) -> dict[str, str]:
    """Kernel name of each disk that the system uses -> why, in words.

    ours: kernel names of md arrays of ours, whose file systems are volumes and not the system's.
    """
    found: dict[str, str] = {}
    uses = [(_whole(sysfs, m.devnum, m.source), f"mounted at {m.mountpoint}") for m in mounts]
    uses += [(_whole(sysfs, "", swap), "swap") for swap in swaps]
    for top, why in uses:
        if top is not None and top not in ours:
            for disk in _leaves(sysfs, top):
                found.setdefault(disk, why)
    return found


def _whole(sysfs: Sysfs, devnum: str, source: str) -> str | None:
    whole = sysfs.whole(devnum) if devnum and not devnum.startswith("0:") else None
    if whole is None and source.startswith("/dev/"):
        try:
            number = Path(source).stat().st_rdev
        except OSError:
            return None
        whole = sysfs.whole(f"{os.major(number)}:{os.minor(number)}")
    return whole


def _leaves(sysfs: Sysfs, name: str) -> frozenset[str]:
    """The disks under a stack of md and dm; a partition counts as its disk."""
    below = sysfs.slaves(name)
    if not below:
        return frozenset({name})
    return frozenset().union(*(_leaves(sysfs, sysfs.disk_of(slave)) for slave in below))


def _plain(text: str) -> str:
    for escape, char in _ESCAPES:
        text = text.replace(escape, char)
    return text
