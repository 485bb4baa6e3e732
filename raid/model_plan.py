"""What a virtual drive would be made of, and what would be lost with one (org.rackeye.Raid1)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlanSimpleRequest:
    """PlanSimple: what would be made of the blank drives in bays: by simple configuration, which divides what is there
    and leaves over what does not fit, or in full, where each bay that is named is used."""

    level: int = 5
    """0, 1, 5, 6, 10, 50 or 60; 0 with spans is RAID00."""
    count: int | None = None
    """Number of virtual drives; None: two from eight drives on, else one."""
    strip: int = 256 * 1024
    """Bytes of a stripe on one drive: a power of two, 64 KiB to 1 MiB."""
    bays: tuple[int, ...] = ()
    """Only these bays; empty: all with a blank drive."""
    spans: int = 0
    """Equal groups that 50, 60 and 00 stripe over; 0: two where the level has spans."""
    full: bool = False
    """One virtual drive of exactly these bays, in their order."""
    name: str = ""
    """Of the one virtual drive; empty: the next free one."""
    size: int = 0
    """Bytes of the one virtual drive, so that its drives can hold others too; 0: all there is."""
    group: str = ""
    """In this drive group, which must have been made with a size; level and strip are then the group's."""
    spares: int = 0
    """By simple configuration: so many of the largest drives become global hot spares."""
    ppl: bool = False
    """RAID5 and 50: with a partial parity log in place of the write-intent bitmap."""


@dataclass(frozen=True, slots=True)
class PlannedDrive:
    """A drive that a plan would use. bay: None where none is known (of a virtual drive that was taken over)."""

    bay: int | None
    serial: str
    model: str
    size: int


@dataclass(frozen=True, slots=True)
class PlannedVd:
    """A virtual drive that a plan would make."""

    name: str
    level: int
    drives: tuple[PlannedDrive, ...]
    capacity: int
    tolerance: int
    strip: int
    stripe: int
    """Data bytes of one full stripe: strip times data drives."""
    spans: int = 0
    """Of 50, 60 and 00; the drives are theirs in turn, equally many each."""
    group: str = ""
    """The drive group that it is a part of; empty: it has its drives for itself."""
    start: int = 0
    left: int = 0
    """Bytes that stay free in the drive group."""
    ppl: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Answer of PlanSimple. `fingerprint` goes into CreateSimple: a plan whose drives have changed is refused."""

    vds: tuple[PlannedVd, ...]
    warnings: tuple[str, ...]
    erased: tuple[str, ...]
    """What would be overwritten: always empty, only blank drives are taken."""
    unused: tuple[PlannedDrive, ...]
    fingerprint: str
    spares: tuple[PlannedDrive, ...] = ()
    """These become global hot spares."""


@dataclass(frozen=True, slots=True)
class CreateSimpleRequest:
    """CreateSimple: make what PlanSimple showed for the same request."""

    plan: PlanSimpleRequest
    fingerprint: str


@dataclass(frozen=True, slots=True)
class CreateSimpleReply:
    """Names of the virtual drives that are now being made."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeletePlan:
    """PlanDelete: what would be lost with a virtual drive.

    used: bytes of its files, None when it is not mounted. refusal: why it is not done now; empty when it can be done.
    """

    name: str
    uuid: str
    level: str
    """For example "RAID60"."""
    size: int
    used: int | None
    drives: tuple[PlannedDrive, ...]
    mountpoint: str | None
    loses: str
    refusal: str
