"""The chassis' buttons while the boot menu is shown: boxd, which acts on them later, waits for the menu's end.

paneld is followed in a thread, which only listens: what it imports must not delay the first screen, and nothing that
goes wrong there may end the menu. The menu's loop takes a press and acts; one that it has not taken is boxd's.
"""

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from core import journal
from core.paths import Paths

if TYPE_CHECKING:
    from boot.panel_buttons import Asked, PanelButtons, Press

AGAIN = 2.0
"""Seconds until the bus, or paneld, is tried again."""
log = journal.get_logger("rackeye-boot-menu")


class MenuButtons:
    """listen(), then take() again and again."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._buttons: PanelButtons | None = None
        self._pressed: tuple[Press, ...] = ()
        self._over = threading.Event()

    def listen(self) -> None:
        """In a thread that ends with the program."""
        threading.Thread(target=self._follow, name="buttons", daemon=True).start()

    def close(self) -> None:
        """No new attempt to listen is made."""
        self._over.set()

    def take(self) -> "Asked | None":
        """What was asked for since the last call."""
        buttons = self._buttons
        return None if buttons is None else buttons.take(self._pressed)

    def _follow(self) -> None:
        import asyncio  # noqa: PLC0415 -- see above

        from boot.panel_buttons import PanelButtons  # noqa: PLC0415
        from core.clock import SystemClock  # noqa: PLC0415

        self._buttons = PanelButtons(self._paths, SystemClock())
        while not self._over.is_set():
            with suppress(Exception):  # whatever it is, the menu goes on without the buttons, and tries again
                asyncio.run(self._listen(self._buttons))
            self._over.wait(AGAIN)

    async def _listen(self, buttons: "PanelButtons") -> None:
        async for pressed in buttons.presses():
            self._pressed = pressed
