"""Time, injectable."""

import time
from dataclasses import dataclass
from typing import Protocol


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
