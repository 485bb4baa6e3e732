"""Buttons: what a press means, and the driver by the bytes that the kernel gives."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ButtonsGone
from hw.buttons import POWER_ON, WARNING, Buttons, due, pass_time, press
from hw.chassis import Button, ButtonDriver, ButtonRole
from hw.drivers.beepers import EVENT
from hw.drivers.buttons import EV_KEY, EvdevButtons
from hw.model import ButtonAct

POWER, RESET, UID = (
    Button(role, ButtonDriver.EVDEV, "Buttons", key, hold)
    for role, key, hold in ((ButtonRole.POWER, 116, 4.0), (ButtonRole.RESET, 408, 10.0), (ButtonRole.UID, 148, 0.0))
)
ALL = (POWER, RESET, UID)


def acts(state: Buttons) -> list[str]:
    return [pressed.act.value for pressed in state.pressed]


def tap(button: Button, at: float, held: float) -> Buttons:
    state = press(Buttons(), button, True, at)
    state = pass_time(state, ALL, at + held)
    return press(state, button, False, at + held)


@pytest.mark.parametrize(
    ("button", "at", "held", "acted"),
    [
        (POWER, 500.0, 0.2, [ButtonAct.SHUTDOWN]),
        (POWER, 500.0, 3.9, [ButtonAct.SHUTDOWN]),
        (POWER, 500.0, 4.0, [ButtonAct.OFF]),
        (POWER, 5.0, 9.0, [ButtonAct.OFF]),
        (RESET, 500.0, 0.2, [ButtonAct.REBOOT]),
        (RESET, 500.0, 30.0, [ButtonAct.REBOOT]),  # not at power-on
        (RESET, 5.0, 9.9, [ButtonAct.REBOOT]),
        (RESET, 5.0, 10.0, []),  # the minute of beeping begins
        (UID, 500.0, 0.2, []),
    ],
)
def test_what_a_press_means(button: Button, at: float, held: float, acted: list[ButtonAct]) -> None:
    state = tap(button, at, held)
    assert acts(state) == acted
    assert state.held == {}
    assert state.uid == (button is UID)


def test_power_held_is_off_before_it_is_let_go() -> None:
    state = press(Buttons(), POWER, True, 500.0)
    assert due(state, ALL, 501.0) == pytest.approx(3.0)
    state = pass_time(state, ALL, 504.0)
    assert acts(state) == [ButtonAct.OFF]
    assert acts(press(state, POWER, False, 509.0)) == [ButtonAct.OFF], "once"


def test_reset_held_at_power_on_beeps_a_minute_and_then_restores() -> None:
    state = press(Buttons(), RESET, True, 4.0)
    state = pass_time(state, ALL, 13.9)
    assert state.alarms == ()
    state = pass_time(state, ALL, 14.0)
    assert state.alarms == ("restore-by-button",)
    state = press(state, RESET, False, 15.0)
    assert acts(state) == []
    assert due(state, ALL, 15.0) == pytest.approx(14.0 + WARNING - 15.0)
    assert acts(pass_time(state, ALL, 14.0 + WARNING - 0.1)) == []
    done = pass_time(state, ALL, 14.0 + WARNING)
    assert acts(done) == [ButtonAct.RESTORE]
    assert done.alarms == ()
    assert acts(pass_time(done, ALL, 500.0)) == [ButtonAct.RESTORE], "once"


@pytest.mark.parametrize("button", ALL)
def test_any_press_in_that_minute_ends_it_and_does_nothing_else(button: Button) -> None:
    state = press(pass_time(press(Buttons(), RESET, True, 4.0), ALL, 14.0), RESET, False, 15.0)
    state = press(press(state, button, True, 30.0), button, False, 30.5)
    state = pass_time(state, ALL, 500.0)
    assert acts(state) == []
    assert state.uid == 0


@given(st.lists(st.tuples(st.sampled_from(ALL), st.booleans(), st.floats(0.0, 30.0)), max_size=30))
def test_nothing_restores_but_a_hold_from_power_on(story: list[tuple[Button, bool, float]]) -> None:
    """Whatever is pressed once the appliance has been on for a while, nothing is wiped."""
    state, now = Buttons(), POWER_ON + 1
    for button, down, wait in story:
        now += wait
        state = press(pass_time(state, ALL, now), button, down, now)
    state = pass_time(state, ALL, now + 1000)
    assert "RESTORE" not in acts(state)
    assert state.restore_at is None


# -- the driver ------------------------------------------------------------------------------------------------------


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """A pipe in the place of the kernel's device: the same bytes."""
    folder = tmp_path / "sys/class/input/event7/device"
    folder.mkdir(parents=True)
    (folder / "name").write_text("Front buttons\n")
    (tmp_path / "dev/input").mkdir(parents=True)
    os.mkfifo(tmp_path / "dev/input/event7")
    return tmp_path


def test_keys_by_the_kernels_bytes(device: Path) -> None:
    buttons = EvdevButtons.open("Front buttons", device / "sys", device / "dev")
    assert buttons.down() == frozenset(), "a pipe cannot tell"
    with (device / "dev/input/event7").open("wb", buffering=0) as out:
        assert buttons.read() == []
        events = b"".join(EVENT.pack(7, 250_000, kind, code, value) for kind, code, value in
                          ((EV_KEY, 408, 1), (0, 0, 0), (EV_KEY, 408, 2), (EV_KEY, 408, 0)))
        out.write(events[:30])
        assert buttons.read() == [(408, True, 7.25)]
        out.write(events[30:])
        assert buttons.read() == [(408, False, 7.25)], "what repeats is no press"
    buttons.close()
    with pytest.raises(ButtonsGone):
        buttons.read()


def test_no_such_device(tmp_path: Path) -> None:
    with pytest.raises(ButtonsGone, match="Front buttons"):
        EvdevButtons.open("Front buttons", tmp_path, tmp_path)
