"""What every command is given: the client, the clock, and whether JSON was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.clock import Clock, SystemClock

if TYPE_CHECKING:
    from nvr.cli.client import Client


@dataclass(slots=True)
class Session:
    """Kept as click's `obj`. Tests put their own client in; else the bus is reached at the first question."""

    given: Client | None = None
    clock: Clock = field(default_factory=SystemClock)
    as_json: bool = False

    @property
    def client(self) -> Client:
        if self.given is None:
            from nvr.cli.client import BusQuestions  # noqa: PLC0415 -- help and explain start without the bus

            self.given = BusQuestions(self.clock)
        return self.given

    def close(self) -> None:
        """Leaves the bus."""
        if self.given is not None:
            self.given.close()
