"""What the RAID room tells of its care for parity and drives: schedule, patrol read, repair, and their commands.

Part of raid/model.py. Sizes are bytes, times UTC seconds, speeds bytes per second.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Upkeep:
    """When a virtual drive is checked next by itself (UTC seconds); None: never. why: what it waits for."""

    vd: str
    next_check: float | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The settings of what comes by itself: days between two (0: never), hours of the local time."""

    check_days: float = 0.0
    patrol_days: float = 0.0
    quiet_from: int = 0
    quiet_until: int = 0


@dataclass(frozen=True, slots=True)
class WrongPlace:
    """A stripe in which the members disagree. span: of RAID50 and 60, from 1, else None; stripe counts in the span.

    slots, bays: of the drives that are wrong in it, where that is known (RAID6). pages: of 4 KiB.
    Where a place could not be read, why says it, and lba is the drive's sector of 512 bytes.
    A mirror has one of these for each range: offset: where it begins in the array (bytes); differ: the drives in `bays`
    differ from each other, and which is right is not known.
    """

    stripe: int
    span: int | None
    pages: int
    slots: tuple[int, ...] = ()
    bays: tuple[int | None, ...] = ()
    offset: int | None = None
    differ: bool = False
    lba: int | None = None
    why: str = ""

    @property
    def text(self) -> str:
        """ "span 2 stripe 17 (bay 5)", "stripe 17: 8 KiB at 1114112 (bay 2 and bay 3 differ)" """
        span = "" if self.span is None else f"span {self.span} "
        bays = " and ".join("a drive on no bay" if bay is None else f"bay {bay}" for bay in self.bays)
        if self.why:
            return f"{span}{bays} at LBA {self.lba} ({self.why})"
        where = "" if self.offset is None else f": {self.pages * 4} KiB at {self.offset}"
        drives = f" ({bays}{' differ' if self.differ else ''})" if bays else ""
        return f"{span}stripe {self.stripe}{where}{drives}"


@dataclass(frozen=True, slots=True)
class BadPlace:
    """An unreadable place that a patrol read met. lba: of 512 bytes. rewritten: md has mended it, and it reads again.

    detail: what it is, and what to do.
    """

    bay: int | None
    serial: str
    device: str
    lba: int
    sectors: int
    rewritten: bool
    vd: str | None
    stripe: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class UnreadDrive:
    """A drive that the last patrol read did not read to its end, so what it says of places holds for a part. bay: None
    when it is not here. why: a sentence."""

    bay: int | None
    serial: str
    device: str
    why: str


@dataclass(frozen=True, slots=True)
class BadBlocks:
    """Places of a member that md has in its list of bad blocks: what belongs there is not on that drive.

    places: how many; size: bytes of them. lost: bytes that no other member has either; None while that is not known.
    """

    bay: int | None
    serial: str
    places: int
    size: int
    lost: int | None


@dataclass(frozen=True, slots=True)
class PatrolView:
    """The patrol read over all drives. percent: of the one that runs or was left, None when none is under way.

    finished: when the last one ended that went over all drives (UTC seconds); unread: those that it could not read, or
    not to their end. next: when one begins by itself, None for never.
    """

    running: bool = False
    percent: float | None = None
    speed: int | None = None
    seconds_left: float | None = None
    finished: float | None = None
    drives: int = 0
    bad: tuple[BadPlace, ...] = ()
    next: float | None = None
    unread: tuple[UnreadDrive, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedRepair:
    """A stripe that a repair would write. members: the bays whose drive is wrong in it; empty: not known (RAID5).

    left: why it would be left alone; empty when it would be written. span: of RAID50 and 60, from 1.
    """

    stripe: int
    pages: int
    members: tuple[int | None, ...]
    left: str = ""
    span: int | None = None


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """PlanRepair: what a repair of the wrong stripes that the last check found would do.

    checked: when that check ended (UTC seconds). stripes: the first ones; count: of all that would be written.
    means: what this does to the data, in words. fingerprint goes into StartRepair.
    """

    name: str
    level: int
    checked: float
    stripes: tuple[PlannedRepair, ...]
    count: int
    means: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class RepairRequest:
    """StartRepair: do what PlanRepair showed. Each stripe is read again, and its writes wait, before it is written."""

    name: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class ScheduleRequest:
    """SetSchedule: what is not None is set."""

    check_days: float | None = None
    patrol_days: float | None = None
    quiet_from: int | None = None
    quiet_until: int | None = None
