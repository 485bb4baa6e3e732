"""What a drive says of itself (S.M.A.R.T.), as other rooms read it.

A figure that the drive does not tell is None, never 0. Temperatures are °C, hours are power-on hours.
"""

from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class SmartHealth(StrEnum):
    """What the last reading means. FAILING: the drive's own verdict, or a limit of raid/smart_limits.py: it is shown in
    Shield. WATCH: it works, and something of it is worth an eye. UNKNOWN: nothing can be said."""

    GOOD = "Good"
    WATCH = "Watch"
    FAILING = "Failing"
    UNKNOWN = "Unknown"


PREDICTED = "A failure is predicted"
"""How people are told of FAILING, before the reason."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one reading.

    passed: the drive's own verdict. wear: per cent of the rated endurance that is used; may pass 100.
    spare: per cent of the reserve blocks that is left (NVMe). uncorrectable: sectors or requests that could not be
    corrected (ATA 198 and 187, NVMe media errors, SCSI counters). grown_defects: SCSI's list.
    """

    protocol: str = ""
    """"ATA", "NVMe" or "SCSI"."""
    passed: bool | None = None
    temperature: int | None = None
    hours: int | None = None
    wear: int | None = None
    spare: int | None = None
    reallocated: int | None = None
    pending: int | None = None
    uncorrectable: int | None = None
    grown_defects: int | None = None
    firmware: str = ""
    """Its revision; empty when the drive does not tell."""


@dataclass(frozen=True, slots=True)
class Smart:
    """What is known of a drive now. read: UTC seconds of the reading that the figures are from; None: never read.
    asleep: it slept at the last try, and was not woken for this."""

    health: SmartHealth = SmartHealth.UNKNOWN
    detail: str = "It has not been read yet."
    """Why it is not good, in a sentence; empty when it is."""
    figures: Figures = Figures()
    read: float | None = None
    asleep: bool = False


@dataclass(frozen=True, slots=True)
class ReadSmartRequest:
    """ReadSmart: read the drive in this bay now, and not only when it is due. A sleeping drive is not woken."""

    bay: int


@dataclass(frozen=True, slots=True)
class SmartHistoryRequest:
    """SmartHistory: the kept readings of the drive with this serial, the newest first."""

    serial: str
    limit: int = 100


@dataclass(frozen=True, slots=True)
class SmartRecord:
    """One kept reading. at: UTC seconds."""

    at: float
    health: SmartHealth
    detail: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class SmartHistory:
    """Answer of SmartHistory."""

    serial: str
    model: str
    records: tuple[SmartRecord, ...]
