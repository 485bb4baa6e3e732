"""What the front panel and the sensors are: the types that other rooms read over the bus.

Lights, conditions and rates are those of spec/panel.md; how a condition becomes a light is in `hw.leds`.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class LampMode(StrEnum):
    """What one LED does. OTHER: something that we never set, such as a trigger of another program."""

    OFF = "OFF"
    ON = "ON"
    BLINK = "BLINK"
    OTHER = "OTHER"


class TrayCondition(StrEnum):
    """What the RAID side says about a bay; the only thing about a bay that hw/ cannot see for itself.

    MEMBER: it holds a drive of a virtual drive; empty, it has failed, and nobody has to be asked once more.
    """

    NONE = "NONE"
    MEMBER = "MEMBER"
    FAILED = "FAILED"
    REBUILD = "REBUILD"


class TrayLight(StrEnum):
    """What the two LEDs of a bay show together, from the least to the most important."""

    ABSENT = "ABSENT"
    PRESENT = "PRESENT"
    ACTIVE = "ACTIVE"
    REBUILD = "REBUILD"
    FAILED = "FAILED"
    LOCATE = "LOCATE"


@dataclass(frozen=True, slots=True)
class BayView:
    """One bay, as it is now.

    present: None when udev could not be read: not known, never "empty".
    light: what the LEDs show, read back from them; None when the chassis has no LEDs here or they cannot be read.
    """

    bay: int
    present: bool | None = None
    device: str | None = None
    serial: str | None = None
    model: str | None = None
    light: TrayLight | None = None
    locate: bool = False
    condition: TrayCondition = TrayCondition.NONE


@dataclass(frozen=True, slots=True)
class LedView:
    """One LED of the profile, read back. name: to its driver; role: in the profile. bay: None for those of the panel.

    lamp: None when it cannot be read. hz: its rate while it blinks.
    """

    name: str
    role: str
    bay: int | None = None
    lamp: LampMode | None = None
    hz: float = 0.0


class Uid(StrEnum):
    """The unit's identification light: off, pressed on the chassis, or set by command."""

    OFF = "OFF"
    PRESSED = "PRESSED"
    REMOTE = "REMOTE"


class InformationLight(StrEnum):
    """What the red and blue Information LED shows, from the least to the most important."""

    OFF = "OFF"
    PSU = "PSU"
    FAN = "FAN"
    OVERHEAT = "OVERHEAT"
    UID_REMOTE = "UID_REMOTE"
    UID_PRESSED = "UID_PRESSED"


class Sound(StrEnum):
    """What the beeper does. OTHER: something that we never play."""

    SILENT = "SILENT"
    CODE = "CODE"
    ALARM = "ALARM"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Conditions:
    """What policyd says of the whole chassis. alarms: names of what shall be heard; a new one ends a silence."""

    overheat: bool = False
    fan: bool = False
    psu: bool = False
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BeeperView:
    """The beeper. sound: read back, None when the chassis has none or it cannot be read.

    code: the code that is being played; queue: those that wait. heard: alarms that sound; silenced: that do not.
    """

    sound: Sound | None = None
    code: int | None = None
    queue: tuple[int, ...] = ()
    heard: tuple[str, ...] = ()
    silenced: tuple[str, ...] = ()


class ButtonAct(StrEnum):
    """What a person asked for by a button of the chassis; boxd does it."""

    SHUTDOWN = "SHUTDOWN"
    OFF = "OFF"
    REBOOT = "REBOOT"
    RESTORE = "RESTORE"


@dataclass(frozen=True, slots=True)
class Pressed:
    """at: CLOCK_MONOTONIC, seconds since the power came on."""

    act: ButtonAct
    at: float


@dataclass(frozen=True, slots=True)
class PanelSnapshot:
    """The front of the chassis.

    front: rows of bay numbers, top row first, left to right, as a person stands before it.
    information, warning: what the LEDs show, read back; None when there is none or it cannot be read.
    conditions: all that hold, also those that a more important one hides. policy_silent: policyd is gone or hung.
    pressed: the latest wishes by buttons, newest last. restoring: a restore by the button begins within a minute.
    leds: every one of the profile, those of the bays first; in a lamp test they are all on, and `light` is None.
    problems: one sentence each: an LED that is gone, two drives in one bay, udev not readable.
    """

    profile: str
    title: str = ""
    front: tuple[tuple[int, ...], ...] = ()
    bays: tuple[BayView, ...] = ()
    information: InformationLight | None = None
    warning: bool | None = None
    uid: Uid = Uid.OFF
    conditions: Conditions = Conditions()
    policy_silent: bool = False
    beeper: BeeperView = BeeperView()
    lamp_test: bool = False
    problems: tuple[str, ...] = ()
    pressed: tuple[Pressed, ...] = ()
    restoring: bool = False
    leds: tuple[LedView, ...] = ()


@dataclass(frozen=True, slots=True)
class SetConditionsRequest:
    """From policyd, at each change and every 2 s: what holds, and that policyd lives."""

    conditions: Conditions = Conditions()


@dataclass(frozen=True, slots=True)
class UidRequest:
    """UID on or off. button: the button on the chassis was pressed; else a command, which blinks."""

    on: bool = True
    button: bool = False


@dataclass(frozen=True, slots=True)
class BeepRequest:
    """Play a code of spec/panel.md once. The reply is core.bus.Sentence."""

    code: int


@dataclass(frozen=True, slots=True)
class SetTraysRequest:
    """From policyd: the condition of every bay it has an opinion on; a bay not named is NONE."""

    conditions: dict[int, TrayCondition] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LocateRequest:
    """Blink bay `bay` so that a person finds it, or stop; works on an empty bay. The reply is core.bus.Sentence."""

    bay: int
    on: bool = True


class SensorKind(StrEnum):
    """What a sensor measures."""

    TEMPERATURE = "TEMPERATURE"
    FAN = "FAN"
    POWER = "POWER"


class SensorState(StrEnum):
    """OK and ALARM are measured; MISSING is a sensor that cannot be read, or a power supply that is not there; UNKNOWN
    is one whose value cannot be meant."""

    OK = "OK"
    ALARM = "ALARM"
    MISSING = "MISSING"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Sensor:
    """One sensor, as it is now.

    value: degrees Celsius, rpm or watts; None when there is no trustworthy value, and `detail` then says why (a power
    supply that is well may tell none).
    low, high: the limits that make it an alarm, in the same unit; None when there is no such limit.
    """

    name: str
    kind: SensorKind
    value: float | None
    unit: str
    low: float | None
    high: float | None
    state: SensorState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FanSnapshot:
    """Temperatures, fans and power supplies of the chassis."""

    profile: str = ""
    sensors: tuple[Sensor, ...] = ()
    problems: tuple[str, ...] = ()
