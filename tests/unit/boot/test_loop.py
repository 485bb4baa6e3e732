"""What the boot menu does when something was chosen; what is chosen: test_menu.py."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from boot import loop, power, program, redundant, restore
from boot import menu as machine
from boot.loop import MenuLoop
from boot.menu import Effect, Menu, Screen
from boot.model import Mode
from boot.state import StateStore
from core.accounts import Accounts
from core.paths import Paths

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Terminals:
    """Consoles that nobody sits at."""

    handles = ()
    bells = 0

    def show(self, _: tuple[str, ...]) -> None: ...

    def bell(self) -> None:
        self.bells += 1


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.setattr(Accounts.__init__, "__defaults__", (None, CHEAP))
    return Paths(tmp_path)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been asked of systemd and paneld."""
    steps: list[str] = []
    for step in ("reboot", "shutdown", "off", "beep_once"):
        monkeypatch.setattr(power, step, lambda step=step: steps.append(step))
    monkeypatch.setattr(loop, "_wait_for_the_end", lambda: None)
    monkeypatch.setattr("boot.restore.run", lambda *_, **__: None)
    monkeypatch.setattr(power, "is_active", lambda _: False)
    return steps


def typed(user: str, password: str) -> Menu:
    menu = machine.begin(Mode.STANDARD, "V1", 0.0, 10.0)
    return replace(menu, screen=Screen.BUSY, user=user, typed=password)


def perform(paths: Paths, effect: Effect, menu: Menu) -> tuple[Menu, int]:
    """The menu afterwards, and how often the bell rang."""
    terminals = Terminals()
    shown = MenuLoop(paths, StateStore(paths), terminals)._perform(effect, menu)  # type: ignore[arg-type]
    return shown, terminals.bells


def test_damaged_accounts_are_no_wrong_password_and_nobody_gets_past_them(paths: Paths, done: list[str]) -> None:
    people = Accounts(paths)
    people.file.parent.mkdir(parents=True)
    people.file.write_bytes(b"no database at all" * 1000)
    shown, bells = perform(paths, Effect.CHECK, typed("admin", "admin"))
    assert shown.screen is Screen.NOTICE
    assert "cannot be used" in shown.lines[0]
    assert "hold the reset button" in shown.lines[1]
    assert shown.lines[2] == "(ACC-010)"
    assert (shown.wrong, bells, done) == (0, 0, [])


def test_a_wrong_password_rings_beeps_and_counts(paths: Paths, done: list[str]) -> None:
    shown, bells = perform(paths, Effect.CHECK, typed("admin", "guess"))
    assert (shown.screen, shown.wrong, bells, done) == (Screen.DELAY, 1, 1, ["beep_once"])


BUTTON = ("front panel", "chassis")
NOBODY = ("boot menu", "console")


@pytest.mark.parametrize(("effect", "step", "line"), [
    (Effect.REBOOT, "reboot", (*NOBODY, "reboot")),
    (Effect.SHUTDOWN, "shutdown", (*NOBODY, "shutdown")),
    (Effect.REBOOT, "reboot", (*BUTTON, "reboot")),
    (Effect.OFF, "off", (*BUTTON, "power off")),
    (Effect.RESTORE, "reboot", (*BUTTON, "asked for a restore to default")),
])
def test_what_is_done_at_the_menu_is_written_down(
    paths: Paths, done: list[str], effect: Effect, step: str, line: tuple[str, str, str],
) -> None:
    menu = machine.begin(Mode.STANDARD, "V1", 0.0, 10.0)
    perform(paths, effect, machine.by_button(menu, effect.name)[0] if line[0] == BUTTON[0] else menu)
    assert done == [step]
    assert lines(paths) == [line]


def test_a_damaged_log_stops_nothing_at_the_menu(paths: Paths, done: list[str]) -> None:
    people = Accounts(paths)
    people.file.parent.mkdir(parents=True)
    people.file.write_bytes(b"no database at all" * 1000)
    for effect in (Effect.REBOOT, Effect.SHUTDOWN, Effect.OFF):
        perform(paths, effect, machine.begin(Mode.STANDARD, "V1", 0.0, 10.0))
    assert done == ["reboot", "shutdown", "off"]


def test_a_restore_is_the_first_line_of_the_new_log(paths: Paths, done: list[str]) -> None:
    perform(paths, Effect.CHECK, typed("admin", "guess"))
    assert [line[0] for line in lines(paths)] == ["admin"]
    assert lines(paths)[0][2].startswith("restore to default refused: The user name or the password")
    perform(paths, Effect.RESTORE_AND_ERASE, typed("admin", ""))
    assert lines(paths) == [("admin", "console", "asked for a restore to default, with video")]


def test_a_restore_that_is_finished_at_the_start_is_written_down(paths: Paths, done: list[str]) -> None:
    restore.intend(StateStore(paths))
    assert program._resume(paths, StateStore(paths)) == ("Restore to default is done.",)
    assert lines(paths) == [(*NOBODY, "Restore to default is done.")]


def test_the_switch_at_the_menu_is_written_down(
    paths: Paths, done: list[str], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redundant, "convert", lambda *_: None)
    perform(paths, Effect.SWITCH, machine.begin(Mode.STANDARD, "V1", 0.0, 10.0))
    assert (done, lines(paths)) == (["reboot"], [(*NOBODY, "switched to Failover Mode")])


def lines(paths: Paths) -> list[tuple[str, str, str]]:
    return [(line.who, line.where, line.what) for line in Accounts(paths).audit_list()]


def test_what_only_a_choice_needs_is_not_loaded_for_the_menu() -> None:
    said = "import sys, boot.loop; print([name for name in ('sqlite3', 'argon2') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
