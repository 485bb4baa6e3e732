"""What a patrol read found, as its file holds it. Sizes and positions are bytes, LBAs sectors of 512 bytes."""

from dataclasses import dataclass, replace
from enum import StrEnum, unique
from pathlib import Path

import msgspec

SECTOR = 512
MOST_ERRORS = 100
"""Places of one drive: with more it is dead, and each try may cost seconds."""


@dataclass(frozen=True, slots=True)
class ToRead:
    """A drive that a patrol is to read. diskseq: which arrival of a drive under this name; 0: not known."""

    device: str
    diskseq: int
    serial: str

    @property
    def word(self) -> str:
        """As it stands in the command: "sda:17=WD-123"."""
        return f"{self.device}:{self.diskseq}={self.serial}"

    @classmethod
    def parse(cls, word: str) -> "ToRead":
        """Raises ValueError. Without a diskseq ("sda=WD-123") it is not known."""
        place, _, serial = word.partition("=")
        device, _, diskseq = place.partition(":")
        return cls(device, int(diskseq or 0), serial)


@unique
class Fate(StrEnum):
    """What became of an unreadable place. REWRITTEN: md computed it from the others, wrote it, and it reads again."""

    REWRITTEN = "rewritten"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class MediaError:
    """An unreadable place of a drive. array, stripe: where it lies in an md array, empty and None when in none.

    why: what the drive said, or what kept it from being rewritten.
    """

    lba: int
    sectors: int
    fate: Fate
    why: str
    array: str = ""
    stripe: int | None = None


@dataclass(frozen=True, slots=True)
class Patrolled:
    """One drive. position: all before it was read. gone: why the rest is not: it went away, or has too many errors."""

    device: str
    serial: str
    size: int
    position: int = 0
    errors: tuple[MediaError, ...] = ()
    gone: str = ""
    diskseq: int = 0

    @property
    def ended(self) -> bool:
        return self.position >= self.size or bool(self.gone)

    @property
    def given_up(self) -> bool:
        """It answers, but reading on is of no use."""
        return len(self.errors) >= MOST_ERRORS

    @property
    def seen(self) -> bool:
        """It was read to the end: what was known of it before holds no more."""
        return self.ended and not self.gone


class PatrolFile(msgspec.Struct):
    """The file, replaced as a whole. finished: UTC seconds of the end, None while it runs or was cut off.

    full: UTC seconds of the end of the patrol over all drives of which this one reads again what was not read then;
    None: it is over all drives itself.
    last: the patrol before it that came to its end; its errors hold until this one has read the drive, too.
    """

    drives: tuple[Patrolled, ...] = ()
    done: bool = False
    stopped: bool = False
    speed: int | None = None
    seconds_left: float | None = None
    finished: float | None = None
    last: "PatrolFile | None" = None
    full: float | None = None

    @property
    def percent(self) -> float:
        whole = sum(drive.size for drive in self.drives)
        seen = sum(drive.size if drive.ended else drive.position for drive in self.drives)
        return 100.0 * seen / whole if whole else 0.0

    @property
    def whole(self) -> bool:
        return self.done and not self.stopped

    @property
    def over_all(self) -> float | None:
        """When the last one ended that went over all drives (UTC seconds), once this one is whole."""
        return self.full or self.finished

    def unread(self) -> tuple[Patrolled, ...]:
        """Drives that were not read to their end, by this one or, while it has not come to them, by the one before."""
        here = tuple(drive for drive in self.drives if drive.gone)
        known = {drive.serial for drive in self.drives if drive.ended}
        if self.whole or self.last is None:
            return here
        return (*here, *(drive for drive in self.last.drives if drive.gone and drive.serial not in known))

    def standing(self) -> "PatrolFile | None":
        """What the next one has to know: the last that came to its end, and of drives that were not read to their end
        all that was met on them so far. None: there was none, and no such drive."""
        earlier = {drive.serial: drive for drive in self.last.drives} if self.last is not None else {}
        gone = {drive.serial: _with_errors_of(drive, earlier.get(drive.serial)) for drive in self.drives if drive.gone}
        base = self if self.whole else self.last
        if base is None:
            return PatrolFile(tuple(gone.values())) if gone else None
        rest = tuple(drive for drive in base.drives if drive.serial not in gone)
        return msgspec.structs.replace(base, drives=(*rest, *gone.values()), last=None)


def _with_errors_of(drive: Patrolled, earlier: Patrolled | None) -> Patrolled:
    known = {error.lba for error in drive.errors}
    more = () if earlier is None else tuple(error for error in earlier.errors if error.lba not in known)
    return replace(drive, errors=(*drive.errors, *more))


def load(file: Path) -> PatrolFile | None:
    """None when there is none, or it cannot be read: then the next one begins anew."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=PatrolFile)
    except (OSError, msgspec.MsgspecError):
        return None
