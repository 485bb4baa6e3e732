"""The boot menu hears the chassis' buttons by a real bus."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from boot import loop, menu_buttons, power
from boot.consoles import Consoles
from boot.menu_buttons import MenuButtons
from boot.panel_buttons import Asked
from boot.state import StateStore
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


@pytest.mark.usefixtures("bus")
def test_the_menu_on_a_terminal_shuts_down_at_the_power_button(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []

    def end() -> None:
        raise SystemExit  # systemd ends it here

    monkeypatch.setattr(power, "shutdown", lambda: done.append("shutdown"))
    monkeypatch.setattr(loop, "_wait_for_the_end", end)
    there, terminal = os.openpty()
    paths = Paths(tmp_path)
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/tty1").symlink_to(os.ttyname(terminal))
    menu = loop.MenuLoop(paths, StateStore(paths), Consoles(paths, ("tty1",)))

    def show() -> None:
        menu.run(30.0, ())

    async def life() -> None:
        server = await BusServer.connect("org.rackeye.Panel1", [])
        server.publish(PanelSnapshot("p", "P", (), pressed=(Pressed(ButtonAct.SHUTDOWN, time.monotonic()),)))
        await server.own()
        with pytest.raises(SystemExit):
            await asyncio.to_thread(show)
        server.close()

    asyncio.run(life())
    assert done == ["shutdown"]
    shown = os.read(there, 65536).decode()
    assert "Any key stops the countdown" in shown
    assert "The power button was pressed: the appliance shuts down." in shown
    os.close(there)
    os.close(terminal)
