"""Whether policyd lives: it says so every 2 s. Before its first word it has a time to start in, and that time begins
when it was to start: not while a person stands at the boot menu, for which it waits."""

import asyncio
from collections.abc import Callable

from core.clock import Clock
from core.daemon import Wake
from core.errors import RackeyeError
from core.run import run

SILENT_AFTER = 5.0
"""Seconds after policyd's last word from which nobody watches over the chassis (shared/DESIGN.md)."""
START_GRACE = 60.0
"""Seconds that policyd has for its first word: it starts after us."""
ASK_EVERY = 10.0
MENU = "rackeye-boot-menu.service"


def menu_is_shown() -> bool:
    """Whether policyd has to wait for the boot menu still. False when systemd cannot say: then it should be there."""
    try:
        return run(["systemctl", "is-active", MENU], ok=(0, 3, 4), timeout=5.0).stdout.strip() == "activating"
    except RackeyeError:
        return False


class Heartbeat:
    """policyd's words, and how long ago the last one was. held_up: whether it cannot have started yet."""

    def __init__(self, clock: Clock, held_up: Callable[[], bool] = menu_is_shown) -> None:
        self._clock = clock
        self._held_up = held_up
        self._deadline = clock.monotonic() + START_GRACE
        self._spoken = False
        self._word = asyncio.Event()

    @property
    def silent(self) -> bool:
        """policyd is gone or hung."""
        return self._clock.monotonic() >= self._deadline

    def hear(self) -> None:
        """policyd lives."""
        self._spoken = True
        self._deadline = self._clock.monotonic() + SILENT_AFTER
        self._word.set()

    def wait_longer(self) -> None:
        """Before the first word: while policyd is held up, its time does not run. May block for seconds."""
        if not self._spoken and self._held_up() and not self._spoken:
            self._deadline = self._clock.monotonic() + START_GRACE

    async def watch(self, wake: Wake) -> None:
        """Wakes when policyd falls silent, and when it speaks again. Never returns."""
        while True:
            while (left := self._deadline - self._clock.monotonic()) > 0:
                await asyncio.sleep(left if self._spoken else min(left, ASK_EVERY))
                if not self._spoken:
                    await asyncio.to_thread(self.wait_longer)
            wake()
            self._word.clear()
            await self._word.wait()
            wake()
