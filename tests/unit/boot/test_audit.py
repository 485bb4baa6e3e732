"""The log of who did what: nothing that keeps it from being written keeps the appliance from going down."""

import threading
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from boot import audit, boxd, power, restore
from boot.audit import Audit
from boot.boxd import BoxCycle, Service
from boot.model import Intent, PowerRequest
from boot.panel_buttons import Asked
from boot.state import StateStore
from core.accounts import Accounts
from core.errors import AccountsBroken, StateUnwritable
from core.paths import Paths

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.setattr(Accounts.__init__, "__defaults__", (None, CHEAP))
    (tmp_path / "sys/class/net").mkdir(parents=True)
    return Paths(tmp_path)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been asked of systemd."""
    steps: list[str] = []
    for step in ("reboot", "shutdown", "off"):
        monkeypatch.setattr(power, step, lambda step=step: steps.append(step))
    monkeypatch.setattr(power, "is_active", lambda _: False)
    monkeypatch.setattr(boxd, "later", lambda step: step())
    return steps


def damage(paths: Paths) -> None:
    people = Accounts(paths)
    people.file.parent.mkdir(parents=True, exist_ok=True)
    people.file.write_bytes(b"no database at all" * 1000)


def service(paths: Paths) -> tuple[Service, BoxCycle]:
    cycle = BoxCycle(paths, StateStore(paths))
    return Service(paths, StateStore(paths), Accounts(paths), cycle), cycle


STEPS = [(Asked.SHUTDOWN, "shutdown"), (Asked.OFF, "off"), (Asked.REBOOT, "reboot"), (Asked.RESTORE, "reboot")]


@pytest.mark.parametrize(("asked", "step"), STEPS)
def test_a_button_works_with_damaged_accounts_and_the_damage_is_told(
    paths: Paths, done: list[str], asked: Asked, step: str, caplog: pytest.LogCaptureFixture,
) -> None:
    damage(paths)
    box, cycle = service(paths)
    box.press(asked)
    assert done == [step]
    assert (StateStore(paths).load().record.intent is Intent.RESTORE) == (asked is Asked.RESTORE)
    problems = cycle.observe().problems
    assert problems[0].startswith("The log of who did what cannot be written: The accounts in")
    assert f"{asked.value.lower()} by a button" in caplog.text


def test_a_button_is_written_down(paths: Paths, done: list[str]) -> None:
    box, cycle = service(paths)
    box.press(Asked.REBOOT)
    (line,) = Accounts(paths).audit_list()
    assert (line.who, line.what, line.where) == ("front panel", "reboot by a button", "chassis")
    assert cycle.observe().problems == ()


def test_reboot_and_shutdown_by_the_bus_work_with_damaged_accounts(paths: Paths, done: list[str]) -> None:
    damage(paths)
    box, _ = service(paths)
    box.reboot(PowerRequest("admin", "page"))
    box.shutdown(PowerRequest("admin", "page"))
    assert done == ["reboot", "shutdown"]


def test_a_press_that_fails_is_told(paths: Paths, done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Buttons:
        def take(self, _: object) -> Asked:
            return Asked.RESTORE

    def refuse(*_: object) -> None:
        raise StateUnwritable("The record of the mode cannot be written: No space left on device.")

    monkeypatch.setattr(restore, "intend", refuse)
    box, cycle = service(paths)
    box.hear(Buttons(), ())  # type: ignore[arg-type]
    assert done == []
    assert "No space left" in cycle.observe().problems[0]


def test_reset_mends_damaged_accounts(paths: Paths, done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The way that ACC-010 tells."""
    monkeypatch.setattr("boot.restore.run", lambda *_, **__: None)
    damage(paths)
    box, cycle = service(paths)
    with pytest.raises(AccountsBroken, match="cannot be used") as broken:
        Accounts(paths).authenticate("admin", "admin", "console")
    assert "reset button" in broken.value.hint
    box.press(Asked.RESTORE)
    restore.finish(paths, StateStore(paths))
    assert Accounts(paths).authenticate("admin", "admin", "console").must_change
    box.reboot(PowerRequest("admin", "page"))
    assert cycle.observe().problems == ()


def test_a_drive_that_hangs_is_not_waited_for(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:
    over = threading.Event()
    monkeypatch.setattr(audit, "PATIENCE", 0.01)
    monkeypatch.setattr(Accounts, "audit", lambda *_: over.wait(10))
    log = Audit(paths)
    log.write("admin", "reboot", "page")
    assert "no answer" in log.problem
    assert "admin (page): reboot" in caplog.text
    over.set()
