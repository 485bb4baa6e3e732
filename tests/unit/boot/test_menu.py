"""The menu by tables: what is typed, what is shown, what is done."""

import random

import pytest

from boot import menu as machine
from boot.keys import Key, KeyReader, Special
from boot.menu import IDLE, LONGEST, Effect, Entry, Menu, Screen
from boot.model import Mode, Refusal, SwitchPlan
from boot.panel_buttons import Asked
from boot.screen import draw

ENTER, UP, DOWN, ESCAPE = Special.ENTER, Special.UP, Special.DOWN, Special.ESCAPE
PLAN = SwitchPlan(("One way.",), ())


def fresh(mode: Mode = Mode.STANDARD) -> Menu:
    return machine.begin(mode, "V0.1.0", 0.0, 10.0)


def typed(menu: Menu, *keys: Key, now: float = 1.0) -> tuple[Menu, list[Effect]]:
    """Presses one key after the other; a text is its characters."""
    effects: list[Effect] = []
    for key in keys:
        for one in [key] if isinstance(key, Special) else list(key):
            menu, effect = machine.press(menu, one, now)
            effects += [effect] if effect else []
    return menu, effects


@pytest.mark.parametrize(
    ("keys", "effects"),
    [
        ((ENTER,), [Effect.LEAVE]),
        (("0", ENTER), [Effect.LEAVE]),
        (("2",), []),
        (("2", ENTER), []),
        (("2", ENTER, ENTER), []),
        (("2", ENTER, "n", ENTER), []),
        (("2", ENTER, "y"), []),
        (("2", ENTER, "y", ENTER), [Effect.REBOOT]),
        ((DOWN, DOWN, ENTER, "yes", ENTER), [Effect.REBOOT]),
        (("3", ENTER, "Y", ENTER), [Effect.SHUTDOWN]),
        (("3", ENTER, ESCAPE, ENTER), [Effect.LEAVE]),
        ((UP, ENTER), [Effect.PLAN]),
        (("4", ENTER), [Effect.PLAN]),
        (("1", ENTER, "admin", ENTER, "admin", ENTER), [Effect.CHECK]),
        (("1", ENTER, ENTER, ENTER), [Effect.LEAVE]),
        (("1", ENTER, "y", ENTER, "y", ENTER, "y", ENTER), [Effect.CHECK]),
        (("7", "x", ENTER), [Effect.LEAVE]),
        (("2", "0", ENTER), [Effect.LEAVE]),
    ],
)
def test_what_is_typed_and_what_is_done(keys: tuple[Key, ...], effects: list[Effect]) -> None:
    assert typed(fresh(), *keys)[1] == effects


def test_the_countdown_ends_with_entry_0() -> None:
    menu = fresh()
    assert machine.tick(menu, 9.9) == (menu, None)
    assert machine.tick(menu, 10.0)[1] is Effect.LEAVE


@pytest.mark.parametrize("key", ["3", "x", UP, ESCAPE])
def test_any_key_stops_the_countdown_and_a_minute_without_one_is_entry_0(key: Key) -> None:
    menu, _ = typed(fresh(), key, now=9.0)
    assert machine.tick(menu, 9.0 + IDLE - 0.1)[1] is None
    assert machine.tick(menu, 9.0 + IDLE)[1] is Effect.LEAVE
    assert "countdown" not in draw(menu, 9.0)[-1]


@pytest.mark.parametrize("keys", [("2", ENTER), ("1", ENTER, "admin"), ("1", ENTER, "admin", ENTER, "x")])
def test_every_screen_is_left_after_a_minute(keys: tuple[Key, ...]) -> None:
    menu, _ = typed(fresh(), *keys)
    assert machine.tick(menu, 1.0 + IDLE)[1] is Effect.LEAVE


def test_no_typing_keeps_the_recorder_from_starting() -> None:
    menu, now = fresh(), 0.0
    while now < LONGEST - 1:
        now += 1.0
        menu, _ = machine.press(menu, "x", now)
        assert machine.tick(menu, now)[1] is None
    assert machine.tick(menu, LONGEST)[1] is Effect.LEAVE


def test_wrong_passwords_take_longer_each_time_also_after_leaving() -> None:
    menu, now, delays = fresh(), 0.0, []
    for _ in range(7):
        menu, effects = typed(menu, ESCAPE, "1", ENTER, "admin", ENTER, "guess", ENTER, now=now)
        assert effects == [Effect.CHECK]
        assert menu.typed == "guess"
        menu = machine.wrong_password(menu, "The user name or the password is wrong.", now)
        assert typed(menu, "1", ENTER, ESCAPE, now=now) == (menu, [])  # no way past it
        delays.append(menu.deadline - now)
        assert machine.tick(menu, menu.deadline - 0.1)[0] is menu
        now = menu.deadline
        menu, effect = machine.tick(menu, now)
        assert (menu.screen, menu.typed, effect) == (Screen.USER, "", None)
    assert delays == [2, 4, 8, 16, 32, 60, 60]


def test_restore_asks_once_more_and_says_what_goes_and_what_stays() -> None:
    menu, _ = typed(fresh(), "1", ENTER, "admin", ENTER, "admin", ENTER)
    assert draw(menu, 1.0)[-1] == "Please wait."
    menu = machine.proved(menu, 1.0)
    text = " ".join(draw(menu, 1.0))
    assert "settings" in text
    assert "video" in text
    assert typed(menu, "n", ENTER)[1] == []
    assert typed(menu, ENTER)[1] == []
    assert typed(menu, "y", ENTER)[1] == [Effect.RESTORE]


def test_the_password_is_not_shown() -> None:
    menu, _ = typed(fresh(), "1", ENTER, "admin", ENTER, "secret")
    assert draw(menu, 1.0)[-1] == "Password of admin: ******"
    assert "secret" not in " ".join(draw(menu, 1.0))


def test_a_switch_that_is_refused_says_why_and_goes_back() -> None:
    menu, _ = typed(fresh(), "4", ENTER)
    refusal = Refusal("BOOT-012", "There are drive groups: vd0.", "Delete.")
    refused = machine.planned(menu, SwitchPlan((), (refusal,)), 1.0)
    text = " ".join(draw(refused, 1.0))
    assert "There are drive groups: vd0." in text
    assert "BOOT-012" in text
    assert typed(refused, "y") == (machine.press(refused, "y", 1.0)[0], [])
    assert typed(refused, "y")[0].screen is Screen.MAIN


def test_the_switch_asks_y() -> None:
    menu = machine.planned(typed(fresh(), "4", ENTER)[0], PLAN, 1.0)
    assert typed(menu, ENTER)[1] == []
    assert typed(menu, "y", ENTER)[1] == [Effect.SWITCH]


def test_in_failover_mode_there_is_no_entry_4() -> None:
    menu = fresh(Mode.FAILOVER)
    text = "\n".join(draw(menu, 0.0))
    assert "0  Enter NVR (failover)" in text
    assert "4  " not in text
    assert Mode.FAILOVER.value in text
    assert typed(menu, "4", ENTER)[1] == [Effect.LEAVE]
    assert typed(menu, UP)[0].chosen is Entry.SHUTDOWN


def test_the_menu_fits_a_terminal() -> None:
    long = SwitchPlan((), tuple(Refusal("BOOT-013", "x" * 30 + " y" * 60, "z " * 30) for _ in range(2)))
    for menu in (fresh(), machine.planned(typed(fresh(), "4", ENTER)[0], long, 1.0)):
        assert max(map(len, draw(menu, 0.0))) <= 79
        assert len(draw(menu, 0.0)) <= 24


def test_noise_chooses_nothing() -> None:
    noise = random.Random(20261121)
    for _ in range(300):
        menu, reader, now = fresh(), KeyReader(), 0.0
        while not reader.hopeless and menu.screen is not Screen.OVER:
            for key in reader.feed(noise.randbytes(noise.randint(1, 6)), now):
                menu, effect = machine.press(menu, key, now)
                assert effect in (None, Effect.LEAVE)
            menu, effect = machine.tick(menu, now)
            assert effect in (None, Effect.LEAVE)
            now += 0.25


@pytest.mark.parametrize("asked", list(Asked))
def test_a_button_of_the_chassis_is_done_at_once_and_no_key_stops_it(asked: Asked) -> None:
    menu, effect = machine.by_button(machine.begin(Mode.STANDARD, "V1", 0.0, 10.0), asked.value)
    assert effect is not None
    assert effect.name == asked.value
    assert menu.screen is Screen.BUSY
    assert "button" in menu.lines[0]
    assert machine.press(menu, "0", 1.0) == (menu, None)
    assert machine.tick(menu, 1e6) == (menu, None)
    assert machine.by_button(menu, asked.value) == (menu, None)
