"""From the device's bytes to paneld's memory, and that the memory outlives paneld."""

import asyncio
import os
import selectors
from collections.abc import Callable
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
from hw.model import ButtonAct, Conditions, Pressed, Uid
from hw.panel import PanelMemory
from hw.profile import SHIPPED, InForce

RACK = profile.read(SHIPPED / "virtual-8.toml")


class CountedTurns(selectors.DefaultSelector):
    """How often the event loop went round."""

    count = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As the base's."""
        self.count += 1
        return super().select(timeout)


async def heard(front: FrontButtons, enough: Callable[[], bool]) -> None:
    """Watches until it is enough. Raises TimeoutError after 30 s."""
    watching = asyncio.create_task(front.watch(lambda: None))
    try:
        async with asyncio.timeout(30):
            while not enough():  # noqa: ASYNC110 -- the end of a press has no event to wait for
                await asyncio.sleep(0.01)
    finally:
        watching.cancel()
        await asyncio.wait([watching])


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

    front.tell = tell
    asyncio.run(heard(front, lambda: bool(front.problems)))
    assert "Rack front buttons" in front.problems[0]
    (folder / "name").write_text("Rack front buttons\n")
    for at, key, value in ((90, 148, 1), (91, 148, 0), (92, 116, 1), (93, 116, 0), (94, 30, 1)):
        os.write(handle, EVENT.pack(at, 0, EV_KEY, key, value))
    asyncio.run(heard(front, lambda: len(told) == 4))
    assert told == [("uid", True, 90.0), ("uid", False, 91.0), ("power", True, 92.0), ("power", False, 93.0)]
    assert front.problems == ()
    assert (memory.uid, memory.buttons.pressed) == (Uid.PRESSED, (Pressed(ButtonAct.SHUTDOWN, 93.0),))
    os.close(handle)


def test_a_slow_ear_makes_no_long_press_and_no_busy_loop(tmp_path: Path) -> None:
    """While a press was being written to the disk the release stood unread: the loop spun, and nothing was written."""
    folder = tmp_path / "class/input/event9/device"
    folder.mkdir(parents=True)
    (folder / "name").write_text("Rack front buttons\n")
    (tmp_path / "input").mkdir()
    os.mkfifo(tmp_path / "input/event9")
    handle = os.open(tmp_path / "input/event9", os.O_RDWR | os.O_NONBLOCK)
    front = FrontButtons(lambda: InForce(RACK, tmp_path), tmp_path, ManualClock(0.0, 100.0))
    memory = PanelMemory()

    async def tell(button: Button, down: bool, at: float) -> None:
        nonlocal memory
        memory = memory.with_button(button, down, at)
        if down:
            os.write(handle, EVENT.pack(50, 250_000, EV_KEY, 116, 0))
            await asyncio.sleep(0.2)

    front.tell = tell
    os.write(handle, EVENT.pack(50, 0, EV_KEY, 116, 1))
    turns = CountedTurns()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(turns)) as runner:
        runner.run(heard(front, lambda: bool(memory.buttons.pressed)))
    assert turns.count < 10_000, "30 s of looking every 10 ms at the most; the loop that spun went round 79475 times"
    assert memory.buttons.pressed == (Pressed(ButtonAct.SHUTDOWN, 50.25),)
    os.close(handle)


def test_the_silence_button_ends_what_sounds_now() -> None:
    mute = next(button for button in RACK.buttons if button.role is ButtonRole.SILENCE)
    memory = replace(PanelMemory(), chassis=Conditions(alarms=("overheat/Chassis",)))
    assert not memory.beeps.silenced
    memory = memory.with_button(mute, True, 90.0).with_button(mute, False, 91.0)
    assert memory.beeps.silenced == memory.asked_for(False)
    assert memory.buttons.pressed == ()
    assert memory.with_button(mute, True, 92.0, policy_silent=True).beeps.silenced == memory.asked_for(True)


def test_the_minute_of_beeping_outlives_paneld() -> None:
    state = Buttons({ButtonRole.RESET: 4.0}, 74.0, (Pressed(ButtonAct.REBOOT, 3.0),))
    memory = replace(PanelMemory(), buttons=state)
    assert msgspec.json.decode(msgspec.json.encode(memory), type=PanelMemory).buttons == state
