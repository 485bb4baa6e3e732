"""The inventory: which drives are there, in which bay, and what lies on them.

Place and identity come from udev (RACKEYE_BAY, made from the chassis profile), what lies on a drive from `wipefs`
(every signature it knows) and from md's superblock read by ourselves. Reading a drive is slow beside sysfs, so a look
never does it: `decide` asks for a `Probe`, and the answer is kept until the drive's next event.
"""

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyudev

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

    def __init__(self, sysfs: Sysfs, paths: Paths) -> None:
        self._sysfs = sysfs
        self._paths = paths
        self._context = pyudev.Context()
        self._lock = threading.Lock()
        self._epoch: dict[str, int] = {}
        self._blocks: dict[str, Block] = {}
        self._system: tuple[object, dict[str, str]] = ((), {})
        self._identities: dict[tuple[str, int], Identity] = {}
        self._probes: dict[tuple[str, int], Probe] = {}
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
            self._drop_probe(name)
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
        with self._lock:
            epoch = self._epoch.get(name, 0)
        ends = self._read_ends(name)  # first: what is written meanwhile must differ later
        answer = read_signatures(self._paths.dev / name, self._sysfs)
        self._keep(name, diskseq, epoch, answer)
        if ends:
            with self._lock:
                self._ends[name, diskseq] = ends, answer
        return answer

    def _keep(self, name: str, diskseq: int, epoch: int, answer: Probe) -> None:
        """Until the next event, unless one came while it was read."""
        with self._lock:
            if self._epoch.get(name, 0) == epoch:
                self._probes[name, diskseq] = answer

    def probe_at_once(self, name: str, diskseq: int) -> Probe:
        """As `probe`, but without a program where both ends of the drive, and with them all signatures, are as they
        were when it was read: to start one takes as long as mdadm's work."""
        with self._lock:
            epoch = self._epoch.get(name, 0)
            before, answer = self._ends.get((name, diskseq), (b"", Probe()))
        if not before or before != self._read_ends(name):
            return self.probe(name, diskseq)
        self._keep(name, diskseq, epoch, answer)
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
        with self._lock:
            probe = self._probes.get((block.name, block.diskseq))
        return Disk(
            name=block.name, diskseq=block.diskseq, bay=identity.bay, serial=identity.serial, model=identity.model,
            size=block.size, protected=why, system=bool(mounted), held_by=block.holders, probe=probe,
            backplane=identity.backplane, rotational=block.rotational,
        )

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

    def _drop_probe(self, name: str) -> None:
        with self._lock:
            for key in [key for key in self._probes if key[0] == name]:
                del self._probes[key]

    def _drop_gone(self, there: set[tuple[str, int]]) -> None:
        with self._lock:
            for cache in (self._identities, self._probes, self._ends):
                for key in [key for key in cache if key not in there]:
                    del cache[key]


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
