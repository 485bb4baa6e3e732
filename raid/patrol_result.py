"""What a patrol read found, as its file holds it. Sizes and positions are bytes, LBAs sectors of 512 bytes."""

from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path

import msgspec

SECTOR = 512


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
    """One drive. position: all before it was read. gone: it went away, or has too many errors to go on."""

    device: str
    serial: str
    size: int
    position: int = 0
    errors: tuple[MediaError, ...] = ()
    gone: str = ""

    @property
    def ended(self) -> bool:
        return self.position >= self.size or bool(self.gone)


class PatrolFile(msgspec.Struct):
    """The file, replaced as a whole. finished: UTC seconds of the end, None while it runs or was cut off.

    last: the patrol before it that saw all; its errors hold until this one has seen all, too.
    """

    drives: tuple[Patrolled, ...] = ()
    done: bool = False
    stopped: bool = False
    speed: int | None = None
    seconds_left: float | None = None
    finished: float | None = None
    last: "PatrolFile | None" = None

    @property
    def percent(self) -> float:
        whole = sum(drive.size for drive in self.drives)
        seen = sum(drive.size if drive.ended else drive.position for drive in self.drives)
        return 100.0 * seen / whole if whole else 0.0

    @property
    def whole(self) -> bool:
        return self.done and not self.stopped


def load(file: Path) -> PatrolFile | None:
    """None when there is none, or it cannot be read: then the next one begins anew."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=PatrolFile)
    except (OSError, msgspec.MsgspecError):
        return None
