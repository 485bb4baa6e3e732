"""What is told of hot spares, and the commands about spares, rebuilds by hand and rates (org.rackeye.Raid1)."""

from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class SpareState(StrEnum):
    """How a hot spare stands. Only a Ready one is taken. FAILED: it does not read, or is expected to fail; NOT_BLANK:
    it holds data, or something else uses it."""

    READY = "Ready"
    IN_USE = "In use"
    RETURNING = "Returning"
    FAILED = "Failed"
    MISSING = "Missing"
    NOT_BLANK = "Not blank"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class SpareView:
    """A hot spare. bay: where it sits, or sat last. dedicated: its virtual drive, None for a global one.
    serving: the virtual drive in which it stands in, slot and home_bay: for which place."""

    bay: int | None
    serial: str
    model: str
    size: int
    state: SpareState
    detail: str
    dedicated: str | None = None
    affinity: bool = False
    serving: str | None = None
    slot: int | None = None
    home_bay: int | None = None


@unique
class RateKind(StrEnum):
    """Work that has a rate."""

    REBUILD = "rebuild"
    INITIALIZATION = "initialization"
    CHECK = "check"
    RECONSTRUCTION = "reconstruction"
    PATROL = "patrol"


@dataclass(frozen=True, slots=True)
class Rate:
    """Per cent of what the drives can do that is kept for this work."""

    kind: RateKind
    percent: int


@dataclass(frozen=True, slots=True)
class AddSpareRequest:
    """AddSpare: the blank drive in this bay becomes a hot spare. dedicated: of one virtual drive only. A spare that is
    one already is changed to what is said here, and a fault of it is forgotten."""

    bay: int
    serial: str
    dedicated: str | None = None
    affinity: bool = False


@dataclass(frozen=True, slots=True)
class RemoveSpareRequest:
    """RemoveSpare: it is no hot spare any more. One that serves stays a member for good."""

    serial: str


@dataclass(frozen=True, slots=True)
class RebuildOnRequest:
    """RebuildOn: a good blank drive, in whatever bay, takes the missing place of a virtual drive for good."""

    bay: int
    serial: str
    vd: str


@dataclass(frozen=True, slots=True)
class SetRateRequest:
    """SetRate: 1 to 100 per cent; holds at once, also for work that runs."""

    kind: RateKind
    percent: int
