"""What the world cannot tell: the virtual drives that should exist, and which drive belongs in which slot.

Kept in /var/lib/rackeye/raid/memory.json, written atomically before the actions that follow from it. `Fleeting` is
not written: it is right to lose it with the process.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum, unique
from pathlib import Path

import msgspec

from core.config import write_atomic
from core.errors import MemoryBroken


@unique
class Stage(StrEnum):
    """How far the making of a virtual drive is. Each stage is finished by observation, so that it can be resumed."""

    CREATING = "Creating"
    FORMATTING = "Formatting"
    READY = "Ready"
    DELETING = "Deleting"


@dataclass(frozen=True, slots=True)
class Slot:
    """The drive that belongs in a slot of an array; the empty serial: not known (adopted while it was absent).

    dismissed: it is gone, and a person does not want to be told of it any more.
    """

    bay: int | None
    serial: str
    model: str
    size: int
    dismissed: bool = False
    backplane: str = ""


@dataclass(frozen=True, slots=True)
class Growth:
    """A reconstruction that a person ordered, until it has ended (docs/design/reconstruction.md).

    token: tells this one from others. level, disks: what comes out. added: the drives that come in, in order. begun: md
    has been seen at it; before that it can be given up, and nothing has changed. whole: serials of those of the added
    drives that are members like the others by now, or were: lost, they are rebuilt on a person's word.
    """

    token: str
    level: int
    disks: int
    added: tuple[Slot, ...] = ()
    begun: bool = False
    whole: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownVd:
    """A virtual drive that should exist.

    filesystem: the XFS's UUID; empty when adopted and not read yet. initialized: its parity was complete once.
    component_size: bytes of each member, 0 = all that fits. stopped: a person told it to rest. spans: of
    RAID50, 60 and 00, else 0; their arrays are virtual drives of their own (spans.py), and `slots` is empty here.
    out: serials of the drives that md had put out, or not yet taken in, when the array was last seen running: they
    missed what was written since, whatever they say themselves.
    group, start, size: of one that is a part of a shared drive group (docs/design/groups.md): the UUID of the group's
    array, and its place there in bytes; `slots` is empty then.
    growth: the reconstruction under way. by_hand: it lost a drive during one, and is rebuilt only on a person's word
    (spec/raid.md).
    doubt: since when (UTC) its parity is in doubt, after a copyback that was cut off; 0 when it is not.
    ppl: it is made with a partial parity log.
    torn: when (UTC) it was last started degraded though it was being written at a power cut, until it is whole and
    checked; 0 when there is nothing to tell (torn.py).
    """

    name: str
    uuid: str
    level: int
    strip: int
    slots: tuple[Slot, ...]
    stage: Stage
    filesystem: str
    component_size: int = 0
    initialized: bool = False
    stopped: bool = False
    spans: int = 0
    out: tuple[str, ...] = ()
    group: str = ""
    start: int = 0
    size: int = 0
    growth: Growth | None = None
    by_hand: bool = False
    doubt: float = 0.0
    torn: float = 0.0
    ppl: bool = False


@dataclass(frozen=True, slots=True)
class FailedDrive:
    """A drive that md put out for its errors while it was there: not taken back until it was pulled or cleared.

    last_straw: with it the virtual drive failed, so that its data may be the last hope: Offline, and nobody is led to
    pull it.
    """

    serial: str
    vd: str
    diskseq: int
    boot: str
    last_straw: bool = False


@dataclass(frozen=True, slots=True)
class Serving:
    """Where a spare stands in. vd: UUID. home: the place and drive whose work it does; data goes back to that bay."""

    vd: str
    slot: int
    home: Slot


@dataclass(frozen=True, slots=True)
class Spare:
    """A drive that a person made a hot spare, known by its serial wherever it sits (docs/design/spares.md).

    bay, model, size: as it was last seen. dedicated: UUID of its virtual drive, empty for a global one. affinity: its
    own backplane comes first. serving: set before it is taken, until it is free again. fault: why it is never chosen.
    """

    serial: str
    model: str
    size: int
    bay: int | None
    dedicated: str = ""
    affinity: bool = False
    serving: Serving | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """A recovery that a person confirmed. vd: the array's name. plan: fingerprint of the members that were shown
    (assemble.py). after: id of the last recovery of it before, "" when there was none: a later one is this one's job.
    """

    vd: str
    plan: str
    after: str = ""


@dataclass(frozen=True, slots=True)
class Erred:
    """How often a member had erred when it was last asked about it, and when that was (UTC seconds)."""

    diskseq: int
    errors: int
    asked: float = 0.0


@dataclass(frozen=True, slots=True)
class Fleeting:
    """Of this run of raidd only. Times are UTC seconds; seen: first sight of each drive, by diskseq; met: serials of
    all drives that were here at one time or another."""

    started: float | None = None
    seen: tuple[tuple[int, float], ...] = ()
    recover: tuple[Wish, ...] = ()
    """Recoveries that a person told, one an array at most."""
    named: tuple[tuple[str, str], ...] = ()
    """Good drives that a person named for a rebuild: serial, UUID of the virtual drive."""
    fastest: tuple[tuple[str, int], ...] = ()
    """The fastest resync or rebuild seen, by UUID: KiB/s of each member."""
    met: tuple[str, ...] = ()
    erred: tuple[Erred, ...] = ()

    def first_seen(self, diskseq: int) -> float | None:
        return next((at for seq, at in self.seen if seq == diskseq), None)

    def moved(self, seconds: float) -> "Fleeting":
        """After UTC was set by so many seconds: all that was is as long ago as before."""
        started = None if self.started is None else self.started + seconds
        seen = tuple((seq, at + seconds) for seq, at in self.seen)
        erred = tuple(replace(one, asked=one.asked + seconds) for one in self.erred)
        return replace(self, started=started, seen=seen, erred=erred)

    def wish(self, vd: str) -> Wish | None:
        """The recovery of this array that was told."""
        return next((wish for wish in self.recover if wish.vd == vd), None)


@dataclass(frozen=True, slots=True)
class Memory:
    """adopting: nothing was remembered at the start, so arrays of ours that can start are taken over. free: drives of
    no virtual drive, where they are or were last (vanished.py)."""

    vds: tuple[KnownVd, ...] = ()
    failed: tuple[FailedDrive, ...] = ()
    spares: tuple[Spare, ...] = ()
    adopting: bool = False
    free: tuple[Slot, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences that stay until the next start, such as a memory file that could not be read."""
    fleeting: Fleeting = field(default_factory=Fleeting)

    def vd(self, name: str) -> KnownVd | None:
        return next((vd for vd in self.vds if vd.name == name), None)

    def by_uuid(self, uuid: str) -> KnownVd | None:
        return next((vd for vd in self.vds if vd.uuid == uuid), None)

    def spare(self, serial: str) -> Spare | None:
        """The hot spare of that serial, in use or not."""
        return next((spare for spare in self.spares if spare.serial == serial), None)

    def with_spare(self, changed: Spare) -> "Memory":
        """This memory with the spare of that serial replaced."""
        kept = (changed if spare.serial == changed.serial else spare for spare in self.spares)
        return replace(self, spares=tuple(kept))

    def with_vd(self, changed: KnownVd) -> "Memory":
        """This memory with the virtual drive of that UUID replaced."""
        return replace(self, vds=tuple(changed if vd.uuid == changed.uuid else vd for vd in self.vds))


@dataclass(frozen=True, slots=True)
class _File:
    """What is written."""

    vds: tuple[KnownVd, ...]
    failed: tuple[FailedDrive, ...] = ()
    adopting: bool = False
    spares: tuple[Spare, ...] = ()
    free: tuple[Slot, ...] = ()


def encode(memory: Memory) -> bytes:
    """The file's text; equal for memories that differ only in what is fleeting."""
    file = _File(memory.vds, memory.failed, memory.adopting, memory.spares, memory.free)
    return msgspec.json.format(msgspec.json.encode(file))


def save(memory: Memory, file: Path) -> None:
    """Atomic; raises OSError."""
    write_atomic(file, encode(memory))


def load(file: Path) -> Memory:
    """What was remembered; an absent file is an empty memory that adopts. Raises MemoryBroken."""
    try:
        data = msgspec.json.decode(file.read_bytes(), type=_File)
    except FileNotFoundError:
        return Memory(adopting=True)
    except (OSError, msgspec.MsgspecError) as error:
        raise MemoryBroken(f"{file} cannot be read: {error}.", hint="It is put aside as memory.broken.") from error
    return Memory(data.vds, data.failed, data.spares, data.adopting, data.free)


def load_or_adopt(file: Path) -> Memory:
    """As `load`; a broken file is put aside, said in a note, and the arrays are taken over from their superblocks."""
    try:
        return load(file)
    except MemoryBroken as error:
        if file.exists():
            file.replace(file.with_suffix(".broken"))
        return Memory(adopting=True, notes=(f"{error.sentence} Arrays are taken over from their own superblocks.",))
