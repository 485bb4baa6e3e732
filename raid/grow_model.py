"""Commands of org.rackeye.Raid1.Admin about reconstruction: drives are added, or the level changes."""

from dataclasses import dataclass

from raid.model_plan import PlannedDrive


@dataclass(frozen=True, slots=True)
class PlanGrowRequest:
    """PlanGrow: what would come of a virtual drive with the drives of these bays, too."""

    name: str
    bays: tuple[int, ...] = ()
    level: int | None = None
    """None: it stays."""


@dataclass(frozen=True, slots=True)
class GrowPlan:
    """Answer of PlanGrow. `fingerprint` goes into GrowVd. Sizes in bytes; seconds: of the work, with the drives for
    itself; level: for example "RAID5"."""

    name: str
    level: str
    new_level: str
    drives: int
    new_drives: int
    added: tuple[PlannedDrive, ...]
    capacity: int
    new_capacity: int
    tolerance: int
    new_tolerance: int
    strip: int
    seconds: float
    warnings: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class GrowRequest:
    """GrowVd: do what PlanGrow showed for the same request."""

    plan: PlanGrowRequest
    fingerprint: str
