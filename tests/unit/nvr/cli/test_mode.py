"""`rackeye mode`, `reboot`, `shutdown`: what they show, ask and send."""

import json

from boot.model import (
    BoxSnapshot,
    Interface,
    Mode,
    PowerRequest,
    Refusal,
    RestoreRequest,
    SwitchPlan,
    SwitchRequest,
    TimeView,
)
from core.accounts_model import COMMAND_LINE, person
from core.bus import Sentence
from nvr.cli.mode import BOX
from tests.unit.nvr.cli.fakes import client, rackeye

SNAPSHOT = BoxSnapshot(
    Mode.FAILOVER, 4, version="V0.1.0R", hostname="lobby",
    interfaces=(Interface("eth0", "aa", True, ("10.0.0.2/24",)),),
    time=TimeView("Europe/Berlin", True), problems=("One copy was damaged.",),
)
PLAN = SwitchPlan(("One way.",), ())
REFUSED = SwitchPlan(("One way.",), (Refusal("BOOT-012", "There are drive groups: vd0.", "Delete them."),))


def test_mode_shows_what_the_appliance_is() -> None:
    fake = client()
    fake.said[BOX.name] = SNAPSHOT
    shown = rackeye(fake, "mode").output
    for word in ("Failover Mode", "V0.1.0R", "lobby", "eth0 up 10.0.0.2/24", "Europe/Berlin", "One copy was damaged."):
        assert word in shown
    assert json.loads(rackeye(fake, "mode", "--json").output)["mode"]["version"] == "V0.1.0R"


def test_reboot_and_shutdown_ask_first() -> None:
    for name, command in (("reboot", "Reboot"), ("shutdown", "Shutdown")):
        fake = client()
        fake.replies[command] = Sentence("It goes.")
        assert rackeye(fake, name, answer="n\n").exit_code == 1
        assert fake.calls == []
        assert rackeye(fake, name, answer="y\n").exit_code == 0
        assert fake.calls == [(BOX.name, command, PowerRequest(person(), COMMAND_LINE))]


def test_the_switch_shows_its_plan_asks_and_sends_the_y() -> None:
    fake = client()
    fake.replies = {"PlanSwitch": PLAN, "SwitchToRedundant": Sentence("It reboots.")}
    assert rackeye(fake, "mode", "switch", "--dry-run").exit_code == 0
    assert rackeye(fake, "mode", "switch", answer="n\n").exit_code == 1
    assert [command for _, command, _ in fake.calls] == ["PlanSwitch", "PlanSwitch"]
    done = rackeye(fake, "mode", "switch", answer="y\n")
    assert "One way." in done.output
    assert fake.calls[-1] == (BOX.name, "SwitchToRedundant", SwitchRequest("y", person(), COMMAND_LINE))


def test_a_refused_switch_says_why_with_its_code() -> None:
    fake = client()
    fake.replies = {"PlanSwitch": REFUSED}
    done = rackeye(fake, "mode", "switch", "--yes")
    assert done.exit_code == 1
    assert "There are drive groups: vd0." in done.output
    assert "BOOT-012" in done.output + done.stderr


def test_restore_asks_for_an_administrator_and_says_what_stays() -> None:
    fake = client()
    fake.replies["Restore"] = Sentence("It reboots.")
    done = rackeye(fake, "mode", "restore", answer="admin\nsecret\ny\n")
    assert "Stays: video" in done.output
    assert "secret" not in done.output
    assert fake.calls == [(BOX.name, "Restore", RestoreRequest("admin", "secret", COMMAND_LINE))]
