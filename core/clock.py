"""Time, injectable."""

import time
from dataclasses import dataclass
from typing import Protocol

STEP = 1.0
"""Seconds; less is the clock being brought right little by little."""


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> float:
        """UTC, seconds since 1970; may step."""

    def monotonic(self) -> float:
        """Seconds since some moment; never steps."""


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


class ClockSteps:
    """Notices that UTC was set, by a person or by NTP at a start: what was measured by it has to be moved along."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = clock.now() - clock.monotonic()

    def due(self) -> float:
        """Seconds by which it was set forward since the last `take`, negative for back; 0 when it only ran."""
        step = self._clock.now() - self._clock.monotonic() - self._ahead
        return step if abs(step) >= STEP else 0.0

    def take(self) -> float:
        """As `due`, once."""
        step = self.due()
        self._ahead += step
        return step


@dataclass(slots=True)
class ManualClock:
    """A clock for tests: stands still until `advance`."""

    utc: float = 1_800_000_000.0
    ticks: float = 1000.0

    def now(self) -> float:
        return self.utc

    def monotonic(self) -> float:
        return self.ticks

    def advance(self, seconds: float) -> None:
        """Both clocks go on by `seconds`."""
        self.utc += seconds
        self.ticks += seconds

    def set_forward(self, seconds: float) -> None:
        """UTC is set, by a person or NTP; negative: back."""
        self.utc += seconds
