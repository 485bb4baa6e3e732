"""Drives and md arrays of toy_md.py: what a box in memory is made of."""

from dataclasses import dataclass, field

from raid.superblock import Superblock
from tests.unit.raid import worlds as w

STRIPES = 3
MIRRORS = ({0, 1}, {2, 3})
"""Slots of a RAID10 of four that hold the same (md(4), near 2)."""
LAYOUTS = {5: 2, 6: 2, 10: 0x102}


def bears(level: int, good: set[int]) -> int:
    """How many more of four members may go, whichever they are; below zero it has failed."""
    if level == 10:
        return min(len(good & mirror) for mirror in MIRRORS) - 1
    return {5: 1, 6: 2}[level] - (4 - len(good))


@dataclass
class Drive:
    """One physical drive. signatures: of foreign data. content: what each stripe of a member holds."""

    serial: str
    size: int = w.SIZE
    signatures: tuple[str, ...] = ()
    superblock: Superblock | None = None
    content: list[int] = field(default_factory=list)
    bay: int | None = None
    name: str = ""
    diskseq: int = 0

    @property
    def written(self) -> tuple[object, ...]:
        """What must not change by itself."""
        return self.signatures, self.superblock, tuple(self.content)


@dataclass
class Part:
    """A member of a running array. name: of the device that it was when it came."""

    drive: Drive
    name: str
    diskseq: int
    number: int
    slot: int | None
    in_sync: bool = True
    faulty: bool = False


@dataclass
class Md:
    """A running array. truth: how often each stripe was written. dirty: the write-intent bitmap."""

    uuid: str
    level: int
    disks: int
    parts: list[Part]
    truth: list[int]
    events: int
    dirty: set[int] = field(default_factory=set)
    broken: bool = False
    mounted: bool = False
    resync: bool = False
    todo: list[int] = field(default_factory=list)

    def good(self, without: Part | None = None) -> set[int]:
        """Slots whose member has all, as far as md knows."""
        return {
            part.slot for part in self.parts
            if part is not without and part.slot is not None and part.in_sync and not part.faulty
        }

    def spares_left(self) -> int:
        return bears(self.level, self.good())

    def bears_to_lose(self, part: Part) -> bool:
        return bears(self.level, self.good(without=part)) >= 0

    @property
    def whole(self) -> bool:
        return len(self.good()) == self.disks
