"""The boot menu hears the chassis' buttons by a real bus."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from boot import menu_buttons
from boot.menu_buttons import MenuButtons
from boot.panel_buttons import Asked
from core.bus import BusServer
from core.paths import Paths
from hw.model import ButtonAct, PanelSnapshot, Pressed


@pytest.mark.usefixtures("bus")
def test_the_boot_menu_hears_paneld_also_when_the_bus_comes_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(menu_buttons, "AGAIN", 0.05)
    buttons = MenuButtons(Paths(tmp_path))
    assert buttons.take() is None
    address = os.environ["DBUS_SYSTEM_BUS_ADDRESS"]
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere")
    buttons.listen()

    async def life() -> Asked | None:
        await asyncio.sleep(0.2)
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        server = await BusServer.connect("org.rackeye.Panel1", [])
        server.publish(PanelSnapshot("p", "P", (), pressed=(Pressed(ButtonAct.SHUTDOWN, time.monotonic()),)))
        await server.own()
        try:
            for _ in range(500):
                if (asked := buttons.take()) is not None:
                    return asked
                await asyncio.sleep(0.02)
        finally:
            buttons.close()
            server.close()
        return None

    assert asyncio.run(life()) is Asked.SHUTDOWN
    assert buttons.take() is None
