"""What a person asked for by the chassis' buttons, as paneld tells it, and boxd does it.

boxd hears paneld by itself, and not by policyd: a button must work when policyd hangs, and policyd's user must not be
able to restore the appliance without a password. Of paneld's snapshot only this part is read.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path

from core.bus import BusClient
from core.clock import Clock
from core.config import write_atomic
from core.journal import get_logger
from core.paths import Paths

PANEL = "org.rackeye.Panel1"
FRESH = 30.0
"""Seconds after which a press means nothing any more: who pressed has gone. A restore was waited for a minute, and
holds for as long as the power does."""
log = get_logger("rackeye-boxd")


@unique
class Asked(StrEnum):
    """The same words as hw.model.ButtonAct."""

    SHUTDOWN = "SHUTDOWN"
    OFF = "OFF"
    REBOOT = "REBOOT"
    RESTORE = "RESTORE"


@dataclass(frozen=True, slots=True)
class Press:
    """at: CLOCK_MONOTONIC."""

    act: Asked
    at: float


@dataclass(frozen=True, slots=True)
class Front:
    """The part of paneld's snapshot that boxd reads."""

    pressed: tuple[Press, ...] = ()


def wanted(pressed: tuple[Press, ...], done: float, now: float) -> Press | None:
    """The latest press that is to be acted on. done: the latest one that was, or was let go by. Pure."""
    fresh = [press for press in pressed
             if done < press.at <= now and (press.act is Asked.RESTORE or now - press.at <= FRESH)]
    return max(fresh, key=lambda press: (press.act is Asked.RESTORE, press.at), default=None)


class PanelButtons:
    """Follows paneld; what was acted on is kept below /run, so that a restart of boxd does not do it again."""

    def __init__(self, paths: Paths, clock: Clock, act: Callable[[Asked], Awaitable[None]]) -> None:
        self._file: Path = paths.run / "box-buttons"
        self._clock = clock
        self._act = act

    async def watch(self, _wake: Callable[[], None]) -> None:
        """Never returns."""
        async with BusClient() as client:
            async for envelope in client.watch(PANEL, Front):
                if envelope is not None:
                    await self.hear(envelope.data.pressed)

    async def hear(self, pressed: tuple[Press, ...]) -> None:
        """Acts on the latest press, once."""
        press = wanted(pressed, self._done(), self._clock.monotonic())
        if press is None:
            return
        write_atomic(self._file, str(press.at).encode(), 0o600)
        log.warning(f"By a button of the chassis: {press.act.value.lower()}.")
        await self._act(press.act)

    def _done(self) -> float:
        try:
            return float(self._file.read_text())
        except (OSError, ValueError):
            return 0.0
