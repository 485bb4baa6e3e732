"""One class an alarm: what it is about, its words, what makes two the same, and what to do.

A `Condition` holds now; nvr/policy turns conditions that appear into alarms, and clears alarms whose condition ended.
`explain` serves `rackeye explain ALARM-101`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from core.units import human_bytes
from nvr.alarms.model import Category, Level


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is not as it should be, now."""

    code: ClassVar[str] = ""
    category: ClassVar[Category]
    level: ClassVar[Level]
    title: ClassVar[str]
    meaning: ClassVar[str]
    cleared_text: ClassVar[str]
    grace: ClassVar[float] = 0.0
    """Seconds that it must hold before it is an alarm: what ends by itself at every start is none."""
    sounds: ClassVar[bool] = False
    """The beeper tells it (spec/panel.md: degraded or failed array, overheat, fan; and what loses video)."""
    loud: ClassVar[bool] = False
    """Mailed at once and marked as urgent: nothing is recorded."""

    @property
    def same(self) -> str:
        """Two conditions with the same text here are one alarm."""
        raise NotImplementedError

    @property
    def text(self) -> str:
        """What happened, with names."""
        raise NotImplementedError

    @property
    def hint(self) -> str:
        """What to do now."""
        raise NotImplementedError


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
    cleared_text = "The drive is rebuilt and the virtual drive is whole in this place."
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
        place = "a bay that is not known" if self.bay is None else f"bay {self.bay}"
        name = f"{self.model} {self.serial}".strip()
        state = "being rebuilt" if self.state == "Rebuild" else self.state.lower()
        return f"The drive of {self.vd} in {place} ({name}) is {state}."

    @property
    def hint(self) -> str:
        if self.state == "Rebuild":
            return f"Wait for the rebuild to end; pull no other drive of {self.vd}."
        place = "its bay" if self.bay is None else f"bay {self.bay}"
        return f"Put a blank drive of {human_bytes(self.size)} or more into {place}; pull no other drive of {self.vd}."


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
        return f"{self.vd} is {self.state}: it bears the loss of {self.tolerance} more drive(s)."

    @property
    def hint(self) -> str:
        return "Replace the failed drive (amber LED on)."


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
class ReplacementRefused(Condition):
    """The drive that was put in place of a failed one is not used."""

    code = "ALARM-104"
    category = Category.STORAGE
    level = Level.WARNING
    title = "Replacement drive not used"
    meaning = (
        "The drive in the bay of a failed one is too small, or holds data. Data is never overwritten without a word: "
        "`rackeye drive clear --bay N` erases it, after showing what is there; the rebuild then starts by itself."
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
        return f"Put in another drive; or, to erase this one: rackeye drive clear --bay {self.bay}"


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
class SpareLost(Condition):
    """A hot spare could not be taken now."""

    code = "ALARM-107"
    category = Category.STORAGE
    level = Level.WARNING
    title = "Hot spare lost"
    meaning = (
        "A hot spare does not read any more, is not there, or holds data. It is not chosen: the next drive that fails "
        "would wait for a person. `rackeye spare` shows it. Replace the drive and name the new one with `rackeye "
        "spare add`, or say that there shall be none with `rackeye spare remove`."
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


def _named(bay: int | None, serial: str, model: str, vd: str | None) -> str:
    place = "on no bay" if bay is None else f"in bay {bay}"
    name = f"{model} {serial}".strip() or "serial unknown"
    return f"The drive {place} ({name})" if vd is None else f"The drive of {vd} {place} ({name})"


@dataclass(frozen=True, slots=True)
class NoVolume(Condition):
    """Cameras are set, and there is nowhere to record."""

    code = "ALARM-201"
    category = Category.RECORDING
    level = Level.CRITICAL
    title = "No volume: nothing is recorded"
    meaning = (
        "There is no recording volume, so that nothing is recorded: never to the system drive. Make one with "
        "`rackeye vd create --simple --level 5`, or mend the virtual drive that failed."
    )
    cleared_text = "There is a volume again."
    sounds = True
    loud = True
    grace = 5.0

    cameras: int

    @property
    def same(self) -> str:
        return "no-volume"

    @property
    def text(self) -> str:
        return f"There is no volume: {self.cameras} camera(s) are not recorded."

    @property
    def hint(self) -> str:
        return "See `rackeye vd`; make one: rackeye vd create --simple --level 5"


@dataclass(frozen=True, slots=True)
class RecordingStopped(Condition):
    """A camera that should be recorded is not."""

    code = "ALARM-202"
    category = Category.RECORDING
    level = Level.CRITICAL
    title = "Recording stopped"
    meaning = (
        "A camera that should be recorded is not. The text says why: refused, no answer, wrong password, not "
        "understood, or frozen (connected, without pictures)."
    )
    cleared_text = "The camera is recorded again."
    sounds = True
    loud = True

    camera: str
    state: str
    detail: str

    @property
    def same(self) -> str:
        return f"recording-stopped/{self.camera}"

    @property
    def text(self) -> str:
        return f"{self.camera} is not recorded: {self.state}. {self.detail}".strip()

    @property
    def hint(self) -> str:
        return "Check the camera's power, network and password; it is tried again by itself."


@dataclass(frozen=True, slots=True)
class Overheat(Condition):
    """A temperature is over its limit."""

    code = "ALARM-301"
    category = Category.CHASSIS
    level = Level.CRITICAL
    title = "Overheat"
    meaning = "A sensor is over its limit. It ends when it is below the limit less its hysteresis."
    cleared_text = "The temperature is below its limit."
    sounds = True

    sensor: str
    detail: str

    @property
    def same(self) -> str:
        return f"overheat/{self.sensor}"

    @property
    def text(self) -> str:
        return f"{self.sensor} is too hot. {self.detail}".strip()

    @property
    def hint(self) -> str:
        return "Look at the fans, the air filter and the room."


@dataclass(frozen=True, slots=True)
class FanFailed(Condition):
    """A fan is slower than its minimum."""

    code = "ALARM-302"
    category = Category.CHASSIS
    level = Level.WARNING
    title = "Fan failed"
    meaning = "A fan was below its minimum speed for three readings. Replace it."
    cleared_text = "The fan turns again."
    sounds = True

    sensor: str
    detail: str

    @property
    def same(self) -> str:
        return f"fan-failed/{self.sensor}"

    @property
    def text(self) -> str:
        return f"{self.sensor} is too slow. {self.detail}".strip()

    @property
    def hint(self) -> str:
        return f"Replace {self.sensor}."


@dataclass(frozen=True, slots=True)
class SensorLost(Condition):
    """A sensor that the profile names cannot be read, or says what cannot be meant."""

    code = "ALARM-303"
    category = Category.CHASSIS
    level = Level.WARNING
    title = "Sensor lost"
    meaning = "A sensor of the chassis profile is missing or says what cannot be: its value is not known."
    cleared_text = "The sensor can be read again."

    sensor: str
    detail: str

    @property
    def same(self) -> str:
        return f"sensor-lost/{self.sensor}"

    @property
    def text(self) -> str:
        return f"{self.sensor} cannot be trusted. {self.detail}".strip()

    @property
    def hint(self) -> str:
        return "Check the profile against the chassis (rackeye-paneld --check), then the cabling."


@dataclass(frozen=True, slots=True)
class DaemonSilent(Condition):
    """A daemon of ours does not answer: what it watches is unknown."""

    code = "ALARM-401"
    category = Category.SYSTEM
    level = Level.CRITICAL
    title = "Part of the appliance does not answer"
    meaning = "A daemon is gone or hung. systemd starts it again; until then its part is shown as unknown."
    cleared_text = "It answers again."

    daemon: str

    @property
    def same(self) -> str:
        return f"daemon-silent/{self.daemon}"

    @property
    def text(self) -> str:
        return f"{self.daemon} does not answer: what it watches is unknown."

    @property
    def hint(self) -> str:
        return f"systemctl status {self.daemon}"


@dataclass(frozen=True, slots=True)
class Trouble(Condition):
    """A daemon says that something is in its way: a broken settings file, an LED that is gone, a failed command."""

    code = "ALARM-402"
    category = Category.SYSTEM
    level = Level.WARNING
    title = "A part of the appliance reports a problem"
    meaning = "A daemon works, and something is in its way: a broken settings file, an LED that is gone, a program that is missing."  # noqa: E501
    cleared_text = "The problem is gone."

    daemon: str
    sentence: str

    @property
    def same(self) -> str:
        return f"trouble/{self.daemon}/{self.sentence}"

    @property
    def text(self) -> str:
        return self.sentence

    @property
    def hint(self) -> str:
        return f"journalctl -u {self.daemon} has the details."


@dataclass(frozen=True, slots=True)
class ModeRecordLost(Condition):
    """Neither copy of the record of the mode can be read."""

    code = "ALARM-411"
    category = Category.SYSTEM
    level = Level.WARNING
    title = "Record of the mode lost"
    meaning = (
        "Both copies of the record of the mode (/var/lib/rackeye/boot) are damaged. The appliance works in Standard "
        "Mode; nothing was restored or wiped because of it. `rackeye mode keep` writes the record anew. If this was a "
        "redundant server, switch it again. Look at the system drive: its files do not get damaged by themselves."
    )
    cleared_text = "The record of the mode can be read again."

    detail: str

    @property
    def same(self) -> str:
        return "mode-record-lost"

    @property
    def text(self) -> str:
        return self.detail or "The record of the mode cannot be read; Standard Mode is assumed."

    @property
    def hint(self) -> str:
        return "If Standard Mode is right: rackeye mode keep. If it was a redundant server, switch it again."


@dataclass(frozen=True, slots=True)
class ModeRecordDamaged(Condition):
    """One copy of the record of the mode was damaged, and is mended."""

    code = "ALARM-412"
    category = Category.SYSTEM
    level = Level.NOTICE
    title = "Record of the mode was damaged"
    meaning = (
        "One of the two copies of the record of the mode was damaged. The other one holds, and the damaged one is "
        "mended: mode and settings are what they were. Look at the system drive. `rackeye mode keep` says that "
        "somebody has seen it; so does the next start."
    )
    cleared_text = "Both copies of the record of the mode are whole, and somebody has seen it."

    detail: str

    @property
    def same(self) -> str:
        return "mode-record-damaged"

    @property
    def text(self) -> str:
        return self.detail

    @property
    def hint(self) -> str:
        return "Look at the system drive, then: rackeye mode keep"


@dataclass(frozen=True, slots=True)
class RestoreUnfinished(Condition):
    """A restore to default is on record, and the appliance runs."""

    code = "ALARM-413"
    category = Category.SYSTEM
    level = Level.CRITICAL
    title = "Restore to default is not finished"
    meaning = (
        "A restore to default was begun and has not come to its end: something of it could not be reset, or the "
        "appliance was not started again after it was asked for. It is tried again at each start, before anything "
        "else; until then some settings may be the old ones and some the factory's. Video is touched only when that "
        "was asked for in full (`also erase recordings`), and may then be in part there still."
    )
    cleared_text = "The restore to default is done."
    grace = 30.0

    detail: str

    @property
    def same(self) -> str:
        return "restore-unfinished"

    @property
    def text(self) -> str:
        return self.detail

    @property
    def hint(self) -> str:
        return "Reboot: rackeye reboot. If it stays: journalctl -u rackeye-boot-menu -u rackeye-erase says why."


@dataclass(frozen=True, slots=True)
class SwitchUnfinished(Condition):
    """The mode is Failover Mode, and something else runs."""

    code = "ALARM-414"
    category = Category.SYSTEM
    level = Level.CRITICAL
    title = "Switch to Failover Mode is not finished"
    meaning = (
        "The record says Failover Mode, and the redundant server does not run: the reboot after the switch did not "
        "come, or failover.target cannot be started. Nobody takes the place of a station that fails."
    )
    cleared_text = "What runs is what the mode says."
    grace = 60.0

    @property
    def same(self) -> str:
        return "switch-unfinished"

    @property
    def text(self) -> str:
        return "The mode is Failover Mode, and the redundant server does not run."

    @property
    def hint(self) -> str:
        return "Reboot: rackeye reboot. If it stays: systemctl status failover.target"


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
        place = "a bay that is not known" if self.bay is None else f"bay {self.bay}"
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
        place = "a bay that is not known" if self.bay is None else f"bay {self.bay}"
        return (
            f"The drive in {place} (serial {self.serial}) lacks {human_bytes(self.size)} of {self.vd} in "
            f"{self.places} place(s)."
        )

    @property
    def hint(self) -> str:
        if self.bay is None:
            return f"Replace it while the other drives of {self.vd} are good."
        return f"Replace it while the other drives of {self.vd} are good: rackeye drive replace --bay {self.bay}"


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


KINDS: tuple[type[Condition], ...] = (
    DriveFailed, SpareLost, DriveFailing, DriveWatch, Unreadable, MemberLacks, DataLost,
    VdDegraded, VdFailed, VdOffline, ReplacementRefused, ParityWrong, NoVolume, RecordingStopped,
    Overheat, FanFailed, SensorLost, DaemonSilent, Trouble, ModeRecordLost, ModeRecordDamaged, RestoreUnfinished,
    SwitchUnfinished,
)


def all_kinds() -> Iterator[type[Condition]]:
    """Every alarm, by its code."""
    return iter(sorted(KINDS, key=lambda kind: kind.code))


def kind_of(code: str) -> type[Condition] | None:
    """The alarm of a code; None for one that this version does not know."""
    return next((kind for kind in KINDS if kind.code == code), None)
