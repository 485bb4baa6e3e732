"""The buttons that the profile names: opened, waited for, and told one by one. What it means: `hw.buttons`."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from core.clock import Clock
from core.daemon import Wake
from core.errors import ButtonsGone
from hw.chassis import Button
from hw.drivers.buttons import EvdevButtons
from hw.profile import InForce

TRY_AGAIN = 30.0
Tell = Callable[[Button, bool, float], Awaitable[None]]


async def nobody(_button: Button, _down: bool, _at: float) -> None:
    """Until the daemon stands."""


class FrontButtons:
    """All input devices with buttons. tell: what hears of each press. dev: where their nodes are."""

    def __init__(self, chassis: Callable[[], InForce], dev: Path, clock: Clock) -> None:
        self._chassis = chassis
        self._dev = dev
        self._clock = clock
        self._gone: dict[str, str] = {}
        self.tell: Tell = nobody

    @property
    def problems(self) -> tuple[str, ...]:
        """Sentences about devices that cannot be read."""
        return tuple(self._gone.values())

    async def watch(self, wake: Wake) -> None:
        """Never returns. A profile that names other devices later is in force with the next start."""
        buttons = self._chassis().profile.buttons
        async with asyncio.TaskGroup() as group:
            for name in sorted({button.name for button in buttons}):
                group.create_task(self._follow(name, tuple(b for b in buttons if b.name == name), wake))
            await asyncio.Event().wait()

    async def _follow(self, name: str, buttons: tuple[Button, ...], wake: Wake) -> None:
        """One device, opened again when it goes."""
        while True:
            try:
                device = EvdevButtons.open(name, self._chassis().sysfs, self._dev)
            except ButtonsGone as error:
                self._gone[name] = error.sentence
            else:
                self._gone.pop(name, None)
                wake()
                try:
                    await self._read(device, {button.key: button for button in buttons})
                except ButtonsGone as error:
                    self._gone[name] = error.sentence
                finally:
                    device.close()
            wake()
            await asyncio.sleep(TRY_AGAIN)

    async def _read(self, device: EvdevButtons, buttons: dict[int, Button]) -> None:
        """Raises ButtonsGone."""
        held = device.down()  # held since before we looked: taken as pressed now
        loop, news = asyncio.get_running_loop(), asyncio.Queue[tuple[int, bool, float] | ButtonsGone]()

        def hear() -> None:
            """Reads in any case: what is left unread calls again at once, for as long as somebody is being told."""
            try:
                for event in device.read():
                    news.put_nowait(event)
            except ButtonsGone as error:
                loop.remove_reader(device.handle)
                news.put_nowait(error)

        loop.add_reader(device.handle, hear)
        try:
            for key in held & buttons.keys():
                await self.tell(buttons[key], True, self._clock.monotonic())
            while True:
                event = await news.get()
                if isinstance(event, ButtonsGone):
                    raise event
                key, down, at = event
                if key in buttons:
                    await self.tell(buttons[key], down, at)
        finally:
            loop.remove_reader(device.handle)
