"""What the redundant server tells the others. Frozen dataclasses that travel as msgspec JSON."""

from dataclasses import dataclass
from enum import StrEnum, unique

BUS_NAME = "org.rackeye.Failover1"
NAME = "rackeye-failover"


@unique
class FailoverState(StrEnum):
    """How far the redundant server is."""

    WAITING = "Waiting for a CMS"


@dataclass(frozen=True, slots=True)
class FailoverSnapshot:
    """What the redundant server says."""

    state: FailoverState
    version: str
    sentence: str
    problems: tuple[str, ...] = ()
