"""Commands of org.rackeye.Raid1.Admin for virtual drives that are not (yet) this machine's: taking one over that came
from elsewhere, giving one up that could not be made. Frozen dataclasses that travel as msgspec JSON."""

from dataclasses import dataclass

from raid.model_plan import PlannedDrive


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """PlanImport: what would be taken over. missing: how many of its drives are not here, or no longer current.

    size: bytes. means: what it would do. refusal: why it is not done; empty when it can be. fingerprint: goes into
    ImportVd; a plan whose drives have changed is refused.
    """

    name: str
    level: str
    """For example "RAID60"."""
    size: int
    drives: tuple[PlannedDrive, ...]
    missing: int
    means: str
    refusal: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """ImportVd: take over what PlanImport showed."""

    name: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class AbandonPlan:
    """PlanAbandon: a virtual drive that was asked for and could not be made.

    why: what keeps it from being made. means: what giving it up would do. refusal: why it is not given up; empty when
    it can be.
    """

    name: str
    uuid: str
    level: str
    drives: tuple[PlannedDrive, ...]
    why: str
    means: str
    refusal: str


@dataclass(frozen=True, slots=True)
class AbandonRequest:
    """AbandonVd: give up what PlanAbandon showed."""

    name: str
    uuid: str
