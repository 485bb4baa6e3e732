"""Alarms of virtual drives."""

from dataclasses import dataclass

from core.units import human_bytes, utc_text
from nvr.alarms.kinds.condition import Condition
from nvr.alarms.model import Category, Level


@dataclass(frozen=True, slots=True)
class VdDegraded(Condition):
    """A virtual drive runs with less than its redundancy."""

    code = "ALARM-102"
    category = Category.STORAGE
    level = Level.WARNING
    title = "Virtual drive degraded"
    meaning = (
        "The virtual drive works, with less redundancy than it should have. `tolerance` says how many more drives may "
        "be lost. It ends when the failed drive is replaced and rebuilt."
    )
    cleared_text = "The virtual drive is Optimal again."
    sounds = True

    vd: str
    state: str
    tolerance: int

    @property
    def same(self) -> str:
        return f"vd-degraded/{self.vd}"

    @property
    def text(self) -> str:
        if self.state in ("Offline", "Unknown"):
            return f"{self.vd} is {self.state}, and had less redundancy than it should have when it last ran."
        return f"{self.vd} is {self.state}: it bears the loss of {self.tolerance} more drive(s)."

    @property
    def hint(self) -> str:
        return f"Replace the drive that failed, and pull no other: rackeye vd show {self.vd} names its bay."


@dataclass(frozen=True, slots=True)
class VdFailed(Condition):
    """A virtual drive has lost more drives than it bears."""

    code = "ALARM-103"
    category = Category.STORAGE
    level = Level.CRITICAL
    title = "Virtual drive failed"
    meaning = (
        "More drives are gone than the level bears. Nothing is recorded on it, and nothing on the drives is "
        "overwritten. If drives were pulled by mistake put them back, then `rackeye vd recover NAME` shows what can be "
        "had back and what it may lose."
    )
    cleared_text = "The virtual drive works again."
    sounds = True

    vd: str
    detail: str

    @property
    def same(self) -> str:
        return f"vd-failed/{self.vd}"

    @property
    def text(self) -> str:
        return f"{self.vd} is Failed. {self.detail}".strip()

    @property
    def hint(self) -> str:
        return f"Put pulled drives back where they were, then look at: rackeye vd recover {self.vd}"


@dataclass(frozen=True, slots=True)
class VdOffline(Condition):
    """A virtual drive does not run, or its state cannot be told."""

    code = "ALARM-106"
    category = Category.STORAGE
    level = Level.CRITICAL
    title = "Virtual drive offline or unknown"
    meaning = (
        "The virtual drive has not been started: drives of it may still be missing, or are being read. Nothing is "
        "recorded on it. `rackeye vd show NAME` says what it waits for."
    )
    cleared_text = "The virtual drive runs, or its real state is known."
    sounds = True
    grace = 30.0

    vd: str
    state: str
    detail: str

    @property
    def same(self) -> str:
        return f"vd-offline/{self.vd}"

    @property
    def text(self) -> str:
        return f"{self.vd} is {self.state}. {self.detail}".strip()

    @property
    def hint(self) -> str:
        return f"rackeye vd show {self.vd}"


@dataclass(frozen=True, slots=True)
class ParityWrong(Condition):
    """A consistency check found stripes whose parity disagrees with the data."""

    code = "ALARM-105"
    category = Category.STORAGE
    level = Level.WARNING
    title = "Parity does not agree"
    meaning = (
        "A consistency check found stripes in which data and parity, or the copies of a mirror, disagree. On RAID5 and "
        "with two copies, nobody can tell which of them is wrong. After the loss of a drive these stripes may come out "
        "wrong. Look at the drives' S.M.A.R.T."
    )
    cleared_text = "A later check found every stripe clean."

    vd: str
    count: int
    detail: str

    @property
    def same(self) -> str:
        return f"parity-wrong/{self.vd}"

    @property
    def text(self) -> str:
        return f"{self.count} stripe(s) of {self.vd} do not agree. {self.detail}".strip()

    @property
    def hint(self) -> str:
        return f"See which: rackeye check show {self.vd}. Repair: rackeye check repair {self.vd}"


@dataclass(frozen=True, slots=True)
class StripeTorn(Condition):
    """A virtual drive was being written, with a drive missing, when the power went."""

    code = "ALARM-136"
    category = Category.STORAGE
    level = Level.WARNING
    title = "A stripe may be torn"
    meaning = (
        "A virtual drive with a drive missing was being written when the power went. The drives of a stripe are "
        "written one after the other; cut off in between, what the missing drive held in that stripe comes out wrong, "
        "also of an older recording. It was started all the same, because everything else is right, and records. A "
        "rebuild puts down what comes out, so that no check can show it afterwards. The alarm ends when the virtual "
        "drive is whole again and a consistency check has come to its end since; what was torn stays as it is until it "
        "is recorded over."
    )
    cleared_text = "The virtual drive is whole again and was checked since, or it is gone."

    vd: str
    at: float

    @property
    def same(self) -> str:
        return f"stripe-torn/{self.vd}"

    @property
    def text(self) -> str:
        return (
            f"{self.vd} was being written, with a drive missing, when the power went, and was started at "
            f"{utc_text(self.at)}: in the stripes that were being written a piece of a recording may be wrong."
        )

    @property
    def hint(self) -> str:
        return f"Replace the failed drive. When {self.vd} is Optimal again: rackeye check start {self.vd}"


@dataclass(frozen=True, slots=True)
class CheckBlind(Condition):
    """A consistency check met places that cannot be read."""

    code = "ALARM-134"
    category = Category.STORAGE
    level = Level.WARNING
    title = "Check could not read everything"
    meaning = (
        "A consistency check met places of a drive that could not be read; there nothing is known of the redundancy. "
        "When another drive fails such a place is lost, or the rebuild meets it. `rackeye patrol start` reads all "
        "drives, names each place, and has it written anew from the other drives where that can be done. A drive with "
        "more and more of them is to be replaced; then check again, which ends this alarm. What a patrol read, or md's "
        "list of bad blocks, has told already is not told again by this alarm."
    )
    cleared_text = "A later check could read everything, or the alarm of the drive itself tells it now."

    vd: str
    detail: str

    @property
    def same(self) -> str:
        return f"check-blind/{self.vd}"

    @property
    def text(self) -> str:
        return f"A check of {self.vd} could not read everything. {self.detail}".strip()

    @property
    def hint(self) -> str:
        return f"rackeye patrol start names the drive. When it is mended or replaced: rackeye check start {self.vd}"


@dataclass(frozen=True, slots=True)
class CheckUndone(Condition):
    """The last consistency check was refused, or broke off. Not raised while the virtual drive has a louder alarm."""

    code = "ALARM-135"
    category = Category.STORAGE
    level = Level.NOTICE
    title = "Check not done"
    meaning = (
        "The last consistency check of a virtual drive could not begin, or broke off: most often a drive was pulled "
        "or failed meanwhile, or the virtual drive was stopped. Nothing is known to be wrong; it is only not known "
        "that all is right. A check that comes by itself is tried again; `rackeye check schedule` says when."
    )
    cleared_text = "A later check came to its end, or the virtual drive is gone."

    vd: str
    detail: str

    @property
    def same(self) -> str:
        return f"check-undone/{self.vd}"

    @property
    def text(self) -> str:
        return f"The last check of {self.vd} was not done. {self.detail}".strip()

    @property
    def hint(self) -> str:
        return f"Nothing now. When it comes again: rackeye check schedule; at once: rackeye check start {self.vd}"


@dataclass(frozen=True, slots=True)
class DataLost(Condition):
    """Places of a virtual drive are on none of its drives."""

    code = "ALARM-133"
    category = Category.STORAGE
    level = Level.CRITICAL
    title = "Data of a virtual drive lost in places"
    meaning = (
        "More drives of a virtual drive lack the same place (md's lists of bad blocks) than it bears. Most often a "
        "drive failed, and another one could not be read somewhere while it was rebuilt. What lay there cannot be read "
        "any more; everything else is as it was, and recording goes on. Replace the drives that are named, one after "
        "the other, each after the rebuild of the one before. What is recorded over such a place later is good again."
    )
    cleared_text = "The places were written anew, or the virtual drive is gone."
    sounds = True

    vd: str
    size: int
    bays: tuple[int | None, ...]

    @property
    def same(self) -> str:
        return f"data-lost/{self.vd}"

    @property
    def text(self) -> str:
        bays = ", ".join("?" if bay is None else str(bay) for bay in self.bays)
        return f"{human_bytes(self.size)} of a drive of {self.vd} can be had from no other drive (bays {bays})."

    @property
    def hint(self) -> str:
        return f"Copy what must be kept off {self.vd}, then replace these drives one after the other."
