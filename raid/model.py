"""What the RAID room tells the others: drives, virtual drives, progress, and the commands of org.rackeye.Raid1.

Frozen dataclasses that travel as msgspec JSON. Sizes are bytes, times UTC seconds, speeds bytes per second.
"""

from dataclasses import dataclass
from enum import StrEnum, unique

from raid.model_care import BadBlocks, PatrolView, Schedule, Upkeep, WrongPlace
from raid.smart_model import Smart
from raid.spare_model import Rate, SpareView

BUS_NAME = "org.rackeye.Raid1"


@unique
class DriveState(StrEnum):
    """State of one drive (spec/raid.md, "Drive states"), derived at each look and never remembered."""

    ONLINE = "Online"
    UNCONFIGURED_GOOD = "Unconfigured Good"
    HOT_SPARE = "Hot Spare"
    FAILED = "Failed"
    REBUILD = "Rebuild"
    UNCONFIGURED_BAD = "Unconfigured Bad"
    MISSING = "Missing"
    OFFLINE = "Offline"
    SHIELD = "Shield"
    COPYBACK = "Copyback"
    BLANK = "Blank"
    FOREIGN = "Foreign"
    STALE = "Stale"
    SYSTEM = "System"
    UNKNOWN = "Unknown"


@unique
class VdState(StrEnum):
    """State of a virtual drive (spec/raid.md)."""

    OPTIMAL = "Optimal"
    PARTIALLY_DEGRADED = "Partially Degraded"
    DEGRADED = "Degraded"
    FAILED = "Failed"
    OFFLINE = "Offline"
    UNKNOWN = "Unknown"


@unique
class Work(StrEnum):
    """What a virtual drive is busy with."""

    CREATING = "Creating"
    FORMATTING = "Formatting"
    INITIALIZING = "Initializing"
    RESYNC = "Resync"  # parity of stripes that were being written at a power cut
    REBUILD = "Rebuild"
    COPYBACK = "Copyback"
    CHECK = "Check"
    REPAIR = "Repair"
    RECONSTRUCTION = "Reconstruction"  # drives are added, or the level changes
    DELETING = "Deleting"


@dataclass(frozen=True, slots=True)
class Drive:
    """A drive that is there, or one that should be (MISSING: `device` is None).

    A bay can have two rows: the missing member, and another drive that was put there and is not (yet) used.
    """

    bay: int | None
    serial: str
    model: str
    size: int
    device: str | None
    state: DriveState
    detail: str
    """One sentence for people, empty when the state says it all."""
    vd: str | None = None
    slot: int | None = None
    span: int | None = None
    """Of RAID50, 60 and 00: which span of `vd` it is in, from 1; `slot` counts over all spans."""
    refused: bool = False
    """It stands in the bay of a missing member and is not taken; `detail` says why."""
    smart: Smart = Smart()
    """What it says of itself; the last word of a drive that is gone is not repeated."""
    hold: str = ""
    """Why it is not to be pulled now, though its virtual drive may bear the loss; empty when nothing is against it."""
    read_errors: int = 0
    """Of a member: reads that it could not do and that md made good from the others, ever since it is one."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a piece of work is. `percent` 0 to 100; `speed` of each member; None is unknown."""

    kind: Work
    percent: float
    speed: int | None = None
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """One of the equal arrays under a RAID50, 60 or 00, from 1; fields as of a virtual drive."""

    number: int
    state: VdState
    bays: tuple[int | None, ...]
    tolerance: int
    device: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class MirrorSet:
    """Drives of a RAID10 that hold the same data. tolerance: how many of them may be lost now."""

    bays: tuple[int | None, ...]
    tolerance: int


@dataclass(frozen=True, slots=True)
class VirtualDrive:
    """One virtual drive: an md array (or the RAID0 over its spans) and the file system on it."""

    name: str
    uuid: str
    level: int
    state: VdState
    progress: Progress | None
    device: str | None
    """For example "/dev/md127"; None while it is not assembled."""
    size: int
    strip: int
    bays: tuple[int | None, ...]
    """Bay of each slot, in slot order; None where no bay is known."""
    tolerance: int
    """How many more drives may be lost now without losing data."""
    mountpoint: str | None
    """None while it is not mounted: then it is no volume."""
    detail: str
    spans: tuple[Span, ...] = ()
    """Of RAID50, 60 and 00 (level 0 with spans)."""
    mirrors: tuple[MirrorSet, ...] = ()
    """Of RAID10, and of RAID1 over more than two drives; empty when it is not known which drives are mirrors."""
    bad_blocks: tuple[BadBlocks, ...] = ()
    """Members that lack a place of it, though md counts them as whole."""
    group: str = ""
    """The drive group that it shares with others ("dg0"); empty when all of its drives are its own."""
    torn: float = 0.0
    """When it was started degraded though a power cut may have torn a stripe; 0 once nothing is to be told of it."""
    ppl: bool = False
    """It keeps a partial parity log, so that no power cut tears a stripe, and has no write-intent bitmap."""


@dataclass(frozen=True, slots=True)
class DriveGroup:
    """Drives with one or several virtual drives. Sizes in bytes of what can be kept, not of the drives.

    name: "dg0" of one that can be shared, else that of its one virtual drive. free: in all; largest: in one piece.
    """

    name: str
    level: int
    spans: int
    strip: int
    bays: tuple[int | None, ...]
    vds: tuple[str, ...]
    size: int
    free: int
    largest: int
    shared: bool


def level_text(level: int, spans: int) -> str:
    """"RAID5", "RAID60"; RAID0 over spans is "RAID00"."""
    return f"RAID{level}" if level or not spans else "RAID00"


@unique
class JobState(StrEnum):
    """How a job stands."""

    RUNNING = "Running"
    DONE = "Done"
    FAILED = "Failed"
    INTERRUPTED = "Interrupted"


@dataclass(frozen=True, slots=True)
class JobView:
    """A mutation that runs, or ran last, on a virtual drive."""

    id: str
    kind: str
    vd: str
    state: JobState
    error: str = ""


@unique
class CheckVerdict(StrEnum):
    """How the last consistency check of a virtual drive ended."""

    CLEAN = "Clean"
    WRONG = "Wrong stripes"
    STOPPED = "Stopped"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The last consistency check of a virtual drive that came to an end."""

    vd: str
    verdict: CheckVerdict
    finished: float
    stripes: int
    """Stripes looked at."""
    wrong: tuple[int, ...]
    """Numbers of the stripes whose parity disagrees (the first ones, when there are many); `places` says more."""
    wrong_count: int
    detail: str
    percent: float = 100.0
    """Below 100: a check (this one, or one after it) was stopped so far, and goes on from there."""
    tried: float = 0.0
    """When the last try ended, however it ended; 0: it was cut off."""
    places: tuple[WrongPlace, ...] = ()


@dataclass(frozen=True, slots=True)
class RaidSnapshot:
    """All that raidd knows, as people and other daemons read it."""

    drives: tuple[Drive, ...] = ()
    virtual_drives: tuple[VirtualDrive, ...] = ()
    jobs: tuple[JobView, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    upkeep: tuple[Upkeep, ...] = ()
    schedule: Schedule = Schedule()
    patrol: PatrolView = PatrolView()
    problems: tuple[str, ...] = ()
    spares: tuple[SpareView, ...] = ()
    rates: tuple[Rate, ...] = ()
    foreign: tuple[str, ...] = ()
    """Virtual drives of another Rackeye whose drives are here: PlanImport."""
    unmade: tuple[str, ...] = ()
    """Virtual drives that were asked for and could not be made: PlanAbandon."""
    groups: tuple[DriveGroup, ...] = ()
    starting: bool = False
    """raidd has just started: a drive that is in no row may still come, and is not gone by that."""


# Commands (org.rackeye.Raid1.Admin). Destructive ones name what they touch; raidd reads it again before it acts.


@dataclass(frozen=True, slots=True)
class ClearDriveRequest:
    """ClearDrive: wipe every signature off a drive that is in no use, so that it is Blank. Destroys its data.
    PlanClear: what that would be."""

    bay: int
    serial: str


@dataclass(frozen=True, slots=True)
class DismissDriveRequest:
    """DismissDrive: a Missing drive leaves the picture until it is seen again."""

    bay: int
    serial: str


@dataclass(frozen=True, slots=True)
class DeleteVdRequest:
    """DeleteVd: delete the virtual drive that PlanDelete showed. Destroys its data."""

    name: str
    uuid: str


@dataclass(frozen=True, slots=True)
class VdRequest:
    """PlanDelete, StopVd, StartVd, PlanRecover, StartCheck, StopCheck, PlanImport, PlanAbandon: by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Done:
    """Answer of a command that has nothing but a sentence to say."""

    sentence: str
