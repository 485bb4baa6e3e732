"""The inventory: which drives are there, in which bay, and what lies on them.

Place and identity come from udev (RACKEYE_BAY, made from the chassis profile), what lies on a drive from `wipefs`
(every signature it knows) and from md's superblock read by ourselves. Reading a drive is slow beside sysfs, so a look
never does it: `decide` asks for a `Probe`, and the answer is kept until the drive's next event. A read that failed is
tried again by itself: a good drive that did not answer once, on a busy boot, is not left out for good.
"""

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyudev

from core.clock import Clock, SystemClock
from core.errors import RunError
from core.paths import Paths
from core.run import run
from core.udev_facts import BACKPLANE, BAY, model, of_an_earlier_drive, serial
from raid import superblock
from raid.mounts import Mount, read_swaps, system_disks
from raid.sysfs import Block, Sysfs, Vanished
from raid.world import Disk, Probe

KIB = 1024
FRONT = ((0, 576 * KIB), (1024 * KIB, 8 * KIB), (2048 * KIB, 4 * KIB), (4096 * KIB, 4 * KIB))
BACK = ((1544 * KIB, 4 * KIB), (576 * KIB, 576 * KIB))
"""Where libblkid looks for signatures (libblkid/src/superblocks): bytes from the front, or back from the end, and how
many. Most lie in the first 64 KiB; then come ZFS's labels, UDF, VMFS, and LUKS2's second header, which may lie at 1, 2
or 4 MiB; Promise's RAID lies 3087 sectors before the end."""

SOON = (2.0, 12.0, 72.0)
"""Seconds after the first read of a drive that failed: then it is read again."""
LATER = 600.0
"""Seconds between the tries after those: a drive whose reads hang delays a look each time."""
SHARE = 20
"""A late try is made no sooner than so many times as long as the last one took."""
PATIENCE = 15.0
"""Seconds after the first read that failed. As long as a try is still to come within them the drive counts as not read
yet, so that no array is started without it for one hiccup."""


@dataclass(frozen=True, slots=True)
class Failing:
    """A drive whose reads fail. since: when the first one had; due: when it is read again. By the monotonic clock."""

    since: float
    due: float

    @property
    def told(self) -> bool:
        """It counts as one that cannot be read."""
        return self.due - self.since > PATIENCE


@dataclass(frozen=True, slots=True)
class Identity:
    """What udev says of a drive. settled: udev has come to its end with it."""

    bay: int | None
    serial: str
    model: str
    settled: bool
    backplane: str = ""


class Inventory:
    """Drives as they are now, with caches that events clear. Safe to `forget` from another thread."""

    def __init__(self, sysfs: Sysfs, paths: Paths, clock: Clock | None = None) -> None:
        self._sysfs = sysfs
        self._paths = paths
        self._clock = clock or SystemClock()
        self._context = pyudev.Context()
        self._lock = threading.Lock()
        self._epoch: dict[str, int] = {}
        self._blocks: dict[str, Block] = {}
        self._system: tuple[object, dict[str, str]] = ((), {})
        self._identities: dict[tuple[str, int], Identity] = {}
        self._probes: dict[tuple[str, int], Probe] = {}
        self._failing: dict[tuple[str, int], Failing] = {}
        """Not ended by an event: a drive that sends many would be waited for as long as it does."""
        self._ends: dict[tuple[str, int], tuple[bytes, Probe]] = {}
        """Of what was read: the ends of the drive then, and the answer."""
        self.appearing = 0
        """Drives that were left out of the last list, because udev is still at work on them."""

    def forget(self, name: str) -> None:
        """An event of this drive: what is known of it may no longer hold."""
        with self._lock:
            self._epoch[name] = self._epoch.get(name, 0) + 1
            self._blocks.pop(name, None)
            for cache in (self._identities, self._probes):
                for key in [key for key in cache if key[0] == name]:
                    del cache[key]

    def disks(self, mounts: tuple[Mount, ...], ours: frozenset[str], members: frozenset[str]) -> tuple[Disk, ...]:
        """All drives that udev has come to its end with, and the system's in any case.

        ours: md arrays of ours (kernel names). members: disks that run in an array: what was read of them is dropped,
        because md writes there without an event.
        """
        blocks = self.blocks(members)
        system = self._system_disks(blocks, mounts, ours)
        for name in members:
            self._drop_read(name)
        self._drop_gone({(block.name, block.diskseq) for block in blocks})
        found = []
        appearing = 0
        for block in blocks:
            identity = self._identity(block)
            if identity is not None and (identity.settled or block.name in system) and block.size:
                found.append(self._disk(block, identity, system.get(block.name, "")))
            elif block.size:
                appearing += 1
        self.appearing = appearing
        return tuple(found)

    def forget_all(self) -> None:
        """Should an event have been lost: all is read anew, save what lies on the drives."""
        with self._lock:
            self._blocks.clear()
            self._identities.clear()

    def blocks(self, members: frozenset[str]) -> list[Block]:
        """What the block layer says, kept until an event. A drive that goes while it is read is left out.

        No event tells that an array let go of a drive: one that is held and is no member is read each time.
        """
        blocks = []
        for name in self._sysfs.disk_names():
            with self._lock:
                known, epoch = self._blocks.get(name), self._epoch.get(name, 0)
            if known is None or (known.holders and name not in members):
                try:
                    known = self._sysfs.disk(name)
                except Vanished:
                    continue
                with self._lock:
                    if self._epoch.get(name, 0) == epoch:
                        self._blocks[name] = known
            blocks.append(known)
        return blocks

    def _system_disks(self, blocks: list[Block], mounts: tuple[Mount, ...], ours: frozenset[str]) -> dict[str, str]:
        """Found anew when mounts, swaps or drives have changed."""
        swaps = read_swaps(self._paths)
        key = (mounts, swaps, ours, frozenset(block.name for block in blocks))
        if self._system[0] != key:
            self._system = (key, system_disks(self._sysfs, mounts, swaps, ours))
        return self._system[1]

    def probe(self, name: str, diskseq: int) -> Probe:
        """Reads what lies on a drive, and keeps it. An error is part of the answer."""
        began = self._clock.monotonic()
        with self._lock:
            epoch = self._epoch.get(name, 0)
        ends = self._read_ends(name)  # first: what is written meanwhile must differ later
        answer = read_signatures(self._paths.dev / name, self._sysfs)
        self._keep(name, diskseq, epoch, answer, began)
        if ends and not answer.error:
            with self._lock:
                self._ends[name, diskseq] = ends, answer
        return answer

    def _keep(self, name: str, diskseq: int, epoch: int, answer: Probe, began: float) -> None:
        """Until the next event, unless one came while it was read; and when it is read again, if that failed."""
        now = self._clock.monotonic()
        with self._lock:
            if self._epoch.get(name, 0) == epoch:
                self._probes[name, diskseq] = answer
            known = self._failing.pop((name, diskseq), None)
            if answer.error:
                since = now if known is None else known.since
                self._failing[name, diskseq] = Failing(since, next_try(since, began, now))

    def probe_at_once(self, name: str, diskseq: int) -> Probe:
        """As `probe`, but without a program where both ends of the drive, and with them all signatures, are as they
        were when it was read: to start one takes as long as mdadm's work."""
        began = self._clock.monotonic()
        with self._lock:
            epoch = self._epoch.get(name, 0)
            before, answer = self._ends.get((name, diskseq), (b"", Probe()))
        if not before or before != self._read_ends(name):
            return self.probe(name, diskseq)
        self._keep(name, diskseq, epoch, answer, began)
        return answer

    def _read_ends(self, name: str) -> bytes:
        """Empty when they cannot be read."""
        try:
            return digest_of_ends(self._paths.dev / name, self._sysfs.disk(name).size)
        except (OSError, Vanished):
            return b""

    def _disk(self, block: Block, identity: Identity, mounted: str) -> Disk:
        why = ""
        if mounted:
            why = f"It carries the system ({mounted})."
        elif identity.bay is None:
            why = "It sits in no bay of the chassis."
        probe, retry = self._known(block)
        return Disk(
            name=block.name, diskseq=block.diskseq, bay=identity.bay, serial=identity.serial, model=identity.model,
            size=block.size, protected=why, system=bool(mounted), held_by=block.holders, probe=probe,
            backplane=identity.backplane, rotational=block.rotational, retry=retry,
        )

    def _known(self, block: Block) -> tuple[Probe | None, float | None]:
        """What was read of a drive, and in how many seconds it is read again because that failed."""
        key = (block.name, block.diskseq)
        with self._lock:
            probe, failing = self._probes.get(key), self._failing.get(key)
        if probe is None or not probe.error or failing is None:
            return probe, None
        return (probe if failing.told else None), max(0.0, failing.due - self._clock.monotonic())

    def _identity(self, block: Block) -> Identity | None:
        key = (block.name, block.diskseq)
        with self._lock:
            known, epoch = self._identities.get(key), self._epoch.get(block.name, 0)
        if known is not None:
            return known
        identity = read_identity(self._context, block.name)
        if identity is not None:  # one that is not settled, too: udev's event, once it is, makes forget it
            with self._lock:
                if self._epoch.get(block.name, 0) == epoch:
                    self._identities[key] = identity
        return identity

    def _drop_read(self, name: str) -> None:
        with self._lock:
            for cache in (self._probes, self._failing):
                for key in [key for key in cache if key[0] == name]:
                    del cache[key]

    def _drop_gone(self, there: set[tuple[str, int]]) -> None:
        with self._lock:
            for cache in (self._identities, self._probes, self._failing, self._ends):
                for key in [key for key in cache if key not in there]:
                    del cache[key]


def next_try(since: float, began: float, now: float) -> float:
    """When a drive is read again whose reads fail since then, the last one from `began` to now."""
    soon = [since + after for after in SOON if since + after > now]
    return soon[0] if soon else now + max(LATER, SHARE * (now - began))


def read_identity(context: pyudev.Context, name: str) -> Identity | None:
    """What udev knows of a disk; None when it has just gone."""
    try:
        device = pyudev.Devices.from_name(context, "block", name)
        settled = bool(device.is_initialized)  # before the rest: what is read after it is at least as new
        properties: Mapping[str, str] = dict(device.properties)
    except (pyudev.DeviceNotFoundError, OSError):
        return None
    if of_an_earlier_drive(properties):
        return Identity(None, "", "", settled=False)
    bay = properties.get(BAY, "")
    return Identity(
        bay=int(bay) if bay.isdecimal() else None,
        serial=serial(properties),
        model=model(properties),
        settled=settled,
        backplane=properties.get(BACKPLANE, ""),
    )


def digest_of_ends(device: Path, size: int) -> bytes:
    """Of the bytes in which signatures lie. Raises OSError."""
    found = hashlib.blake2b()
    for offset, length in (*FRONT, *((max(0, size - back), length) for back, length in BACK)):
        found.update(superblock.read_block(device, offset, length))
    return found.digest()


def read_signatures(device: Path, sysfs: Sysfs) -> Probe:
    """Every signature on a whole drive, and md's superblock when there is one."""
    try:
        block = superblock.read(device)
        listed = run(["wipefs", "--no-act", "--json", str(device)], timeout=60.0).stdout
    except RunError as error:
        return Probe(error=f"It cannot be read: {error.sentence}")
    except OSError as error:
        return Probe(error=f"It cannot be read: {error.strerror}.")
    kinds = [str(entry["type"]) for entry in json.loads(listed or "{}").get("signatures", ())]
    if not kinds and sysfs.disk(device.name).partitions:
        kinds = ["partitions"]
    if block is not None and "linux_raid_member" not in kinds:
        kinds.append("linux_raid_member")
    return Probe(signatures=tuple(dict.fromkeys(kinds)), superblock=block)
