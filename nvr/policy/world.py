"""What policyd sees: the latest word of every daemon."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from boot.model import BoxSnapshot, Mode
from hw.model import FanSnapshot, PanelSnapshot
from nvr.recorder.model import RecorderSnapshot
from raid.model import RaidSnapshot

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Word(Generic[T]):
    """What a daemon last said. since: UTC seconds of the last change between answering and silent."""

    daemon: str
    data: T | None
    since: float
    answers: bool = True


@dataclass(frozen=True, slots=True)
class World:
    """The latest word of every daemon; a daemon that has not been asked yet is silent."""

    raid: Word[RaidSnapshot]
    panel: Word[PanelSnapshot]
    fan: Word[FanSnapshot]
    recorder: Word[RecorderSnapshot]
    box: Word[BoxSnapshot]
    channels: tuple[str, ...] = ()
    """By which alarms are told: nvr/alarms/courier.py."""

    @property
    def words(
        self,
    ) -> tuple[
        Word[RaidSnapshot], Word[PanelSnapshot], Word[FanSnapshot], Word[RecorderSnapshot], Word[BoxSnapshot]
    ]:
        return (self.raid, self.panel, self.fan, self.recorder, self.box)

    @property
    def awaited(self) -> tuple[Word[Any], ...]:
        """Those that should answer: a redundant server has no recorder."""
        return tuple(word for word in self.words if word is not self.recorder or not self.redundant)

    @property
    def redundant(self) -> bool:
        """Failover Mode, by boxd's last word."""
        return self.box.data is not None and self.box.data.mode is Mode.FAILOVER
