"""Alarms as other programs read them from org.rackeye.Policy1."""

from dataclasses import dataclass
from enum import StrEnum, unique

BUS_NAME = "org.rackeye.Policy1"


@unique
class Level(StrEnum):
    """How much it matters. CRITICAL: video or the last redundancy is being lost now."""

    CRITICAL = "Critical"
    WARNING = "Warning"
    NOTICE = "Notice"


@unique
class Category(StrEnum):
    """Which part of the appliance an alarm is about."""

    STORAGE = "Storage"
    RECORDING = "Recording"
    CHASSIS = "Chassis"
    SYSTEM = "System"


@unique
class Health(StrEnum):
    """The appliance in one word: its worst open alarm. UNKNOWN: a daemon that should tell is silent."""

    GOOD = "Good"
    NOTICE = "Notice"
    WARNING = "Warning"
    CRITICAL = "Critical"
    UNKNOWN = "Unknown"


@unique
class Event(StrEnum):
    """What happened to an alarm, and is told."""

    RAISED = "Raised"
    ACKNOWLEDGED = "Acknowledged"
    CLEARED = "Cleared"


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody was told of an event of an alarm, or could not be. at: UTC. error: empty when told."""

    channel: str
    who: str
    event: Event
    at: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm, open or cleared.

    same: what makes two alarms the same one. raised, cleared, acknowledged: UTC seconds, None for not yet.
    An acknowledged alarm stays open until what it is about is mended.
    sounds: the beeper tells it. loud: video is being lost. told: who was told of it, or could not be.
    """

    id: int
    code: str
    category: Category
    level: Level
    title: str
    text: str
    hint: str
    same: str
    raised: float
    acknowledged: float | None = None
    cleared: float | None = None
    cleared_text: str = ""
    bay: int | None = None
    serial: str | None = None
    vd: str | None = None
    camera: str | None = None
    sounds: bool = False
    loud: bool = False
    told: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A way that alarms are told. waiting: events not told yet. error: why not, empty when all is well. last: UTC."""

    name: str
    to: tuple[str, ...]
    waiting: int
    error: str
    last: float | None


@dataclass(frozen=True, slots=True)
class PolicySnapshot:
    """Health, the open alarms (newest first), those that were cleared lately, which daemons answer, who is told."""

    health: Health
    alarms: tuple[Alarm, ...]
    cleared: tuple[Alarm, ...]
    daemons: dict[str, bool]
    problems: tuple[str, ...] = ()
    channels: tuple[ChannelView, ...] = ()


@dataclass(frozen=True, slots=True)
class AcknowledgeRequest:
    """Acknowledge: somebody has seen the alarm `id`. The reply is core.bus.Sentence."""

    id: int
