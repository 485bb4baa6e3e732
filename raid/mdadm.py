"""The one door to mdadm: the commands, as argument lists. Each one that changes something runs as a job (core.jobs).

State is never read from mdadm: sysfs and the superblocks have it (facts/raid.md).
"""

import os

from raid.members import md_level
from raid.memory import KnownVd

HOMEHOST = "rackeye"
SMALL = 16 * 1024**3
"""Bytes of a drive: on smaller ones mdadm leaves under 16 MiB in front of the data."""


def available() -> bool:
    """mdadm is there and may be run."""
    return any(os.access(f"{folder}/mdadm", os.X_OK) for folder in ("/usr/sbin", "/sbin", "/usr/bin"))


def node(vd: str) -> str:
    """The name under which an array is made; the kernel's own name is found by UUID."""
    return f"/dev/md/{vd}"


def create(vd: KnownVd, devices: tuple[str, ...]) -> tuple[str, ...]:
    """--force: all drives are members at once and the parity is computed; without it mdadm makes a degraded array that
    recovers onto its last drive, and one pull during that loses everything (facts/raid.md)."""
    size = () if not vd.component_size else (f"--size={vd.component_size // 1024}",)
    level = md_level(vd.level, len(devices))
    chunk = () if level == 1 else (f"--chunk={vd.strip // 1024}",)
    layout = ("--layout=n2",) if level == 10 else ()
    return (
        *_new(vd, level, len(devices)), *chunk, *layout, *_policy(vd, level), *_head(vd, level), *size, *devices,
    )


def _policy(vd: KnownVd, level: int) -> tuple[str, ...]:
    """What a power cut is made good by; md has one of the two."""
    if level == 0:
        return ()
    return ("--consistency-policy=ppl",) if vd.ppl and level == 5 else ("--bitmap=internal",)


def _head(vd: KnownVd, level: int) -> tuple[str, ...]:
    """Room in front of the data, into which they move when drives are added (grow_plan.py): mdadm leaves 1/1024 of a
    drive, up to 128 MiB, which is too little on the smallest."""
    small = min((slot.size for slot in vd.slots), default=0) < SMALL
    return ("--data-offset=8M",) if level in (0, 1, 4, 5, 6) and small else ()


def create_upper(vd: KnownVd, devices: tuple[str, ...], chunk: int, offset: int) -> tuple[str, ...]:
    """The RAID0 over the spans. chunk: bytes given to a span at a time; offset: where the data begin on each."""
    return (*_new(vd, 0, len(devices)), f"--chunk={chunk // 1024}", f"--data-offset={offset // 1024}", *devices)


def _new(vd: KnownVd, level: int, count: int) -> tuple[str, ...]:
    return (
        "mdadm", "--create", node(vd.name), "--run", "--force", "--metadata=1.2", f"--homehost={HOMEHOST}",
        f"--name={vd.name}", f"--uuid={vd.uuid}", f"--level={level}", f"--raid-devices={count}",
    )


def assemble(vd: KnownVd, devices: tuple[str, ...], *, force: bool) -> tuple[str, ...]:
    """Starts an array from exactly these members.

    force: for an array that is degraded and was being written at a power cut (md refuses it, for a stripe that was
    half written cannot be told from a good one), and for a recovery that a person asked for.
    """
    flags = ("--force",) if force else ()
    return (
        "mdadm", "--assemble", node(vd.name), "--run", *flags, f"--homehost={HOMEHOST}", f"--uuid={vd.uuid}", *devices,
    )


def stop(array: str) -> tuple[str, ...]:
    return ("mdadm", "--stop", array)


def add(array: str, device: str) -> tuple[str, ...]:
    """A blank drive: the rebuild onto it begins by itself."""
    return ("mdadm", array, "--add", device)


def re_add(array: str, device: str) -> tuple[str, ...]:
    """A former member: only what the write-intent bitmap names is copied. The kernel checks its event counter against
    the bitmap's (events_cleared) once more."""
    return ("mdadm", array, "--re-add", device)


def replace(array: str, old: str, new: str) -> tuple[str, ...]:
    """Copyback: what lies on the working member `old` goes onto `new`, a spare of the array; redundant meanwhile."""
    return ("mdadm", array, "--replace", old, "--with", new)


def zero_superblock(device: str) -> tuple[str, ...]:
    """Makes a former member a drive like any other."""
    return ("mdadm", "--zero-superblock", device)
