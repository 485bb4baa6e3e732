"""What a person asked for by the chassis' buttons, as paneld tells it, and boxd does it.

boxd hears paneld by itself, and not by policyd: a button must work when policyd hangs, and policyd's user must not be
able to restore the appliance without a password. Of paneld's snapshot only this part is read.
"""

from collections.abc import AsyncIterator
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


def late(pressed: tuple[Press, ...], done: float, now: float) -> Press | None:
    """The latest press that came to nothing because nobody heard it in time. Pure."""
    lost = [press for press in pressed if done < press.at <= now - FRESH and press.act is not Asked.RESTORE]
    return max(lost, key=lambda press: press.at, default=None)


class PanelButtons:
    """Follows paneld; what was acted on is kept below /run, so that it is done once: by the boot menu or by boxd, and
    not again after a restart of boxd."""

    def __init__(self, paths: Paths, clock: Clock) -> None:
        self._file: Path = paths.run / "box-buttons"
        self._clock = clock

    async def presses(self) -> AsyncIterator[tuple[Press, ...]]:
        """All presses that paneld shows, at each change. Ends only with the bus."""
        async with BusClient() as client:
            async for envelope in client.watch(PANEL, Front):
                if envelope is not None:
                    yield envelope.data.pressed

    def take(self, pressed: tuple[Press, ...]) -> Asked | None:
        """The latest press that is to be acted on, once."""
        press = wanted(pressed, self._done(), self._clock.monotonic())
        if press is None:
            return None
        self._note(press)
        log.warning(f"By a button of the chassis: {press.act.value.lower()}.")
        return press.act

    def missed(self, pressed: tuple[Press, ...]) -> str:
        """A sentence about the latest press that nobody heard in time, once; else empty."""
        now = self._clock.monotonic()
        press = late(pressed, self._done(), now)
        if press is None:
            return ""
        self._note(press)
        return (f"A button of the chassis asked for {press.act.value.lower()}, {now - press.at:.0f} s before anything "
                "could hear it; it was not done. Press it again.")

    def _note(self, press: Press) -> None:
        try:
            write_atomic(self._file, str(press.at).encode(), 0o600)
        except OSError as error:  # what was asked for is done all the same
            log.error(f"The press of a button cannot be noted: {error}")

    def _done(self) -> float:
        try:
            return float(self._file.read_text())
        except (OSError, ValueError):
            return 0.0
