"""From the device's bytes to paneld's memory, and that the memory outlives paneld."""

import asyncio
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec

from core.clock import ManualClock
from hw import profile
from hw.buttons import Buttons
from hw.chassis import Button, ButtonRole
from hw.drivers.beepers import EVENT
from hw.drivers.buttons import EV_KEY
from hw.front_buttons import FrontButtons
from hw.model import ButtonAct, Pressed, Uid
from hw.panel import PanelMemory
from hw.profile import SHIPPED, InForce

RACK = profile.read(SHIPPED / "virtual-8.toml")


def test_presses_are_told_and_a_device_that_is_gone_is_a_problem(tmp_path: Path) -> None:
    folder = tmp_path / "class/input/event9/device"
    folder.mkdir(parents=True)
    (tmp_path / "input").mkdir()
    os.mkfifo(tmp_path / "input/event9")
    handle = os.open(tmp_path / "input/event9", os.O_RDWR | os.O_NONBLOCK)
    front = FrontButtons(lambda: InForce(RACK, tmp_path), tmp_path, ManualClock(0.0, 100.0))
    told: list[tuple[str, bool, float]] = []
    memory = PanelMemory()

    async def tell(button: Button, down: bool, at: float) -> None:
        nonlocal memory
        told.append((button.role.value, down, at))
        memory = memory.with_button(button, down, at)

    async def run(seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(front.watch(lambda: None), seconds)

    front.tell = tell
    asyncio.run(run(0.05))
    assert "Rack front buttons" in front.problems[0]
    (folder / "name").write_text("Rack front buttons\n")
    for key, value in ((148, 1), (148, 0), (116, 1), (116, 0), (30, 1)):
        os.write(handle, EVENT.pack(0, 0, EV_KEY, key, value))
    asyncio.run(run(0.2))
    assert told == [("uid", True, 100.0), ("uid", False, 100.0), ("power", True, 100.0), ("power", False, 100.0)]
    assert front.problems == ()
    assert (memory.uid, memory.buttons.pressed) == (Uid.PRESSED, (Pressed(ButtonAct.SHUTDOWN, 100.0),))
    os.close(handle)


def test_the_minute_of_beeping_outlives_paneld() -> None:
    state = Buttons({ButtonRole.RESET: 4.0}, 74.0, (Pressed(ButtonAct.REBOOT, 3.0),))
    memory = replace(PanelMemory(), buttons=state)
    assert msgspec.json.decode(msgspec.json.encode(memory), type=PanelMemory).buttons == state
