"""Alarms of single drives."""

from dataclasses import dataclass

from core.units import human_bytes
from nvr.alarms.kinds.condition import Condition
from nvr.alarms.model import Category, Level


@dataclass(frozen=True, slots=True)
class DriveFailed(Condition):
    """A member of a virtual drive is failed, missing, or being rebuilt after that."""

    code = "ALARM-101"
    category = Category.STORAGE
    level = Level.CRITICAL
    title = "Drive failed"
    meaning = (
        "A drive of a virtual drive failed or was pulled. Recording goes on without it. The tray's amber LED is on. "
        "Put a blank drive of at least the same size into that bay: the rebuild starts by itself. Pull no other drive "
        "before the virtual drive is Optimal again."
    )
    cleared_text = "The virtual drive has its drive in this place again, or the missing one was dismissed by a person."
    sounds = True

    vd: str
    slot: int | None
    bay: int | None
    serial: str
    model: str
    size: int
    state: str

    @property
    def same(self) -> str:
        return f"drive-failed/{self.vd}/{self.slot}"

    @property
    def text(self) -> str:
        place = _place(self.bay)
        name = f"{self.model} {self.serial}".strip()
        state = "being rebuilt" if self.state == "Rebuild" else self.state.lower()
        return f"The drive of {self.vd} in {place} ({name}) is {state}."

    @property
    def hint(self) -> str:
        place = "its bay" if self.bay is None else f"bay {self.bay}"
        if self.state in ("Rebuild", "Copyback"):
            return f"Wait for the rebuild to end; pull no other drive of {self.vd}."
        if self.state not in ("Failed", "Missing"):  # a drive of it is there, and may be needed
            return f"Leave the drive in {place} where it is. What it waits for: rackeye vd show {self.vd}"
        return f"Put a blank drive of {human_bytes(self.size)} or more into {place}; pull no other drive of {self.vd}."


@dataclass(frozen=True, slots=True)
class ReplacementRefused(Condition):
    """The drive that was put in place of a failed one is not used."""

    code = "ALARM-104"
    category = Category.STORAGE
    level = Level.WARNING
    title = "Replacement drive not used"
    meaning = (
        "The drive in the bay of a failed one is too small, cannot be read, is expected to fail, or holds data. Data "
        "is never overwritten without a word: `rackeye drive clear --bay N` erases it, after showing what is there; "
        "the rebuild then starts by itself."
    )
    cleared_text = "The drive is used, or gone."

    bay: int
    serial: str
    vd: str
    detail: str

    @property
    def same(self) -> str:
        return f"replacement-refused/{self.bay}"

    @property
    def text(self) -> str:
        return f"The drive {self.serial} in bay {self.bay} is not used for {self.vd}. {self.detail}"

    @property
    def hint(self) -> str:
        return f"Put in another drive; or, to erase one that holds data: rackeye drive clear --bay {self.bay}"


@dataclass(frozen=True, slots=True)
class SpareLost(Condition):
    """A hot spare could not be taken now."""

    code = "ALARM-107"
    category = Category.STORAGE
    level = Level.WARNING
    title = "Hot spare lost"
    meaning = (
        "A hot spare does not read any more, is expected to fail, is not there, holds data, or is in use. It is not "
        "chosen: the next drive that fails would wait for a person. `rackeye spare` shows it. Replace the drive and "
        "name the new one with `rackeye spare add`, or say that there shall be none with `rackeye spare remove`."
    )
    cleared_text = "The hot spare is ready again, or is no spare any more."
    grace = 15.0

    serial: str
    bay: int | None
    model: str
    state: str
    detail: str

    @property
    def same(self) -> str:
        return f"spare-lost/{self.serial}"

    @property
    def text(self) -> str:
        place = "no bay that is known" if self.bay is None else f"bay {self.bay}"
        return f"The hot spare of {place} ({self.model} {self.serial}) is {self.state.lower()}. {self.detail}"

    @property
    def hint(self) -> str:
        return f"Replace it, then `rackeye spare add`; or `rackeye spare remove --serial {self.serial}`."


@dataclass(frozen=True, slots=True)
class DriveFailing(Condition):
    """A drive that works says, or lets expect, that it will fail."""

    code = "ALARM-121"
    category = Category.STORAGE
    level = Level.WARNING
    title = "Drive expected to fail"
    meaning = (
        "The drive works, and by its S.M.A.R.T. figures it will fail: its own verdict is FAILED, or a figure is over "
        "the limit of Rackeye (guide: A drive is expected to fail). It is shown as Shield, its tray's amber LED is on, "
        "and it stays in its virtual drive until it is replaced. Replace it soon, while the others are whole. Until "
        "the virtual drive is Optimal again, no other drive may fail."
    )
    cleared_text = "The drive is gone, or its S.M.A.R.T. figures are good again."

    bay: int | None
    serial: str
    model: str
    vd: str | None
    detail: str

    @property
    def same(self) -> str:
        return f"drive-failing/{self.serial or self.bay}"

    @property
    def text(self) -> str:
        return f"{_named(self.bay, self.serial, self.model, self.vd)} is expected to fail. {self.detail}".strip()

    @property
    def hint(self) -> str:
        place = "it" if self.bay is None else f"the drive in bay {self.bay}"
        if self.vd is None:
            return f"Replace {place}; no virtual drive is made of it."
        return f"Have a blank drive of the same size ready, then replace {place} while {self.vd} is Optimal."


@dataclass(frozen=True, slots=True)
class DriveWatch(Condition):
    """A drive works, and a figure of it is worth an eye."""

    code = "ALARM-122"
    category = Category.STORAGE
    level = Level.NOTICE
    title = "Drive to watch"
    meaning = (
        "By its S.M.A.R.T. figures the drive has begun to lose sectors, is nearly worn, or is too hot. It may go on "
        "like this for years. `rackeye drive smart --bay N --history` shows how fast it changes: replace it when the "
        "figures grow from day to day."
    )
    cleared_text = "The drive is gone, or its S.M.A.R.T. figures are good again."

    bay: int | None
    serial: str
    model: str
    vd: str | None
    detail: str

    @property
    def same(self) -> str:
        return f"drive-watch/{self.serial or self.bay}"

    @property
    def text(self) -> str:
        return f"{_named(self.bay, self.serial, self.model, self.vd)} works, but: {self.detail}"

    @property
    def hint(self) -> str:
        return "rackeye drive" if self.bay is None else f"rackeye drive smart --bay {self.bay} --history"


def _place(bay: int | None) -> str:
    return "a bay that is not known" if bay is None else f"bay {bay}"


def _named(bay: int | None, serial: str, model: str, vd: str | None) -> str:
    place = "on no bay" if bay is None else f"in bay {bay}"
    name = f"{model} {serial}".strip() or "serial unknown"
    return f"The drive {place} ({name})" if vd is None else f"The drive of {vd} {place} ({name})"


@dataclass(frozen=True, slots=True)
class Unreadable(Condition):
    """A patrol read met places of a drive that cannot be read, or could not until they were written anew."""

    code = "ALARM-131"
    category = Category.STORAGE
    level = Level.WARNING
    title = "Unreadable places on a drive"
    meaning = (
        "A patrol read, which reads every drive from end to end, met sectors that could not be read. In a whole "
        "virtual drive with parity they are computed from the other drives and written anew, and the drive puts them "
        "elsewhere. One such place is no reason to worry, a growing number is: replace the drive. Places that stay "
        "unreadable are lost when another drive fails: replace the drive now. rackeye patrol names each."
    )
    cleared_text = "A later patrol read met none on this drive, or the drive is gone."

    bay: int | None
    serial: str
    lost: int
    mended: int
    first: str

    @property
    def same(self) -> str:
        return f"unreadable/{self.serial}"

    @property
    def text(self) -> str:
        place = _place(self.bay)
        return (
            f"The drive in {place} (serial {self.serial}): {self.lost} places cannot be read, {self.mended} were "
            f"written anew. {self.first}"
        )

    @property
    def hint(self) -> str:
        if not self.lost:
            return "Watch it: rackeye patrol. Replace the drive when the number grows."
        return "rackeye patrol names each." if self.bay is None else f"rackeye drive replace --bay {self.bay}"


@dataclass(frozen=True, slots=True)
class MemberLacks(Condition):
    """md has places of a member in its list of bad blocks."""

    code = "ALARM-132"
    category = Category.STORAGE
    level = Level.WARNING
    title = "Bad blocks in a virtual drive"
    meaning = (
        "There are places that md could not write to a drive, or could not rebuild on it. It keeps a list of them and "
        "takes them from the other drives: the virtual drive is whole in all other places, but there it bears one "
        "drive less. Replace the drive while the others are good: `rackeye drive replace --bay 3`. A place also goes "
        "off the list when it is written anew without an error. `rackeye vd show vd0` has the figures."
    )
    cleared_text = "md's list of bad blocks of this drive is empty, or the drive is out of the virtual drive."

    vd: str
    bay: int | None
    serial: str
    places: int
    size: int

    @property
    def same(self) -> str:
        return f"member-lacks/{self.vd}/{self.serial}"

    @property
    def text(self) -> str:
        place = _place(self.bay)
        return (
            f"The drive in {place} (serial {self.serial}) lacks {human_bytes(self.size)} of {self.vd} in "
            f"{self.places} place(s)."
        )

    @property
    def hint(self) -> str:
        if self.bay is None:
            return f"Replace it while the other drives of {self.vd} are good."
        return f"Replace it while the other drives of {self.vd} are good: rackeye drive replace --bay {self.bay}"
