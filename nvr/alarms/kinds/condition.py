"""What all alarms are."""

from dataclasses import dataclass
from typing import ClassVar

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
