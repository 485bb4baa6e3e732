"""boxd: what it does by itself, what it shows, and its commands on a real bus."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from boot import boxd, power, switch_command
from boot.box import DHCP_SECONDS, Action, BoxLook, BoxMemory, decide, show
from boot.consoles import has_keyboard, names
from boot.model import (
    BUS_NAME,
    BoxSnapshot,
    Intent,
    Interface,
    InterfaceSettings,
    KeepModeRequest,
    Mode,
    PowerRequest,
    RestoreRequest,
    SwitchPlan,
    SwitchRequest,
)
from boot.state import Loaded, Record, StateStore
from boot.version import version_text
from core.accounts import Accounts
from core.bus import BusClient, Nothing, Sentence
from core.errors import RackeyeError, SwitchNotConfirmed, WrongLogin
from core.paths import Paths
from tests.private_bus import Bus

STANDARD, FAILOVER = Loaded(Record()), Loaded(Record(Mode.FAILOVER, 3))


def look(state: Loaded, *, failover_runs: bool | None = False, going_down: bool = False) -> BoxLook:
    return BoxLook(state, "V1", "rack", failover_runs=failover_runs, going_down=going_down)


@pytest.mark.parametrize(
    ("seen", "actions"),
    [
        (look(STANDARD), ()),
        (look(STANDARD, failover_runs=True), ()),
        (look(FAILOVER), (Action.START_FAILOVER,)),
        (look(FAILOVER, failover_runs=True), ()),
        (look(FAILOVER, failover_runs=None), ()),
        (look(FAILOVER, going_down=True), ()),  # it was just switched: the next start does it
        (look(replace(FAILOVER, uneven=True), failover_runs=True), (Action.MEND,)),
        (look(Loaded(Record(), lost=True, problem="Both are gone.")), ()),
    ],
)
def test_what_boxd_does_by_itself(seen: BoxLook, actions: tuple[Action, ...]) -> None:
    assert decide(seen, BoxMemory()).actions == actions


def test_a_lost_record_and_a_mended_copy_are_said() -> None:
    lost = show(look(Loaded(Record(), lost=True, problem="Both are gone.")), BoxMemory(), ())
    assert (lost.state_damaged, lost.problems) == (True, ("Both are gone.",))
    decision = decide(look(replace(STANDARD, uneven=True, problem="One was damaged.")), BoxMemory())
    assert show(look(STANDARD), decision.memory, ()).problems == ("One was damaged.",)
    assert show(look(STANDARD), decision.memory, ()).state_mended == "One was damaged."
    pending = show(look(Loaded(Record(intent=Intent.RESTORE))), BoxMemory(), ())
    assert "finished at the next start" in pending.problems[0]


DHCP = InterfaceSettings("eth0", dhcp=True)


@pytest.mark.parametrize(
    ("settings", "up", "addresses", "said"),
    [
        (DHCP, True, (), True),
        (DHCP, None, (), True),
        (DHCP, True, ("169.254.7.7/16", "fe80::5054:ff:fe12:3456/64"), True),  # what it gave itself
        (DHCP, True, ("10.0.0.7/24", "fe80::1/64"), False),
        (DHCP, True, ("2001:db8::7/64",), False),
        (DHCP, False, (), False),  # no cable: said as "down"
        (InterfaceSettings("eth0", address="10.0.0.7/24"), True, (), False),
        (InterfaceSettings("eth9", dhcp=True), True, (), False),
    ],
)
def test_a_dhcp_server_that_does_not_answer_is_said_after_a_while(
    settings: InterfaceSettings, up: bool | None, addresses: tuple[str, ...], said: bool,
) -> None:
    first = replace(look(STANDARD), uptime=100.0, networks=(settings,),
                    interfaces=(Interface("eth0", "52:54:00:12:34:56", up, addresses),))
    memory = decide(first, BoxMemory()).memory
    assert show(first, memory, ()).problems == ()
    assert (decide(first, BoxMemory()).again is not None) is said
    later = replace(first, uptime=100.0 + DHCP_SECONDS)
    memory = decide(later, memory).memory
    problems = show(later, memory, ()).problems
    assert bool(problems) is said
    if said:
        assert problems[0].startswith("eth0 gets its address by DHCP, and no DHCP server answers")
        leased = replace(later, interfaces=(Interface("eth0", "", True, ("10.0.0.7/24",)),))
        assert show(leased, decide(leased, memory).memory, ()).problems == ()


def test_the_r_is_computed() -> None:
    assert version_text(Mode.FAILOVER) == version_text(Mode.STANDARD) + "R"


def run_with_boxd(paths: Paths, story: Callable[[BusClient], Awaitable[None]]) -> None:
    async def life() -> None:
        daemon = asyncio.create_task(boxd.make(paths).run())
        async with BusClient() as client:
            for _ in range(200):
                try:
                    await client.snapshot(BUS_NAME, BoxSnapshot)
                    break
                except RackeyeError:
                    await asyncio.sleep(0.02)
            await story(client)
        daemon.cancel()
        await asyncio.gather(daemon, return_exceptions=True)

    asyncio.run(life())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been asked of systemd."""
    done: list[str] = []
    monkeypatch.setattr(power, "reboot", lambda: done.append("reboot"))
    monkeypatch.setattr(power, "shutdown", lambda: done.append("shutdown"))
    monkeypatch.setattr(power, "beep_once", lambda: done.append("beep"))
    monkeypatch.setattr(power, "is_active", lambda _: False)
    monkeypatch.setattr(boxd, "later", lambda step: step())
    return done


def test_commands_on_the_bus(bus: Bus, tmp_path: Path, asked: list[str]) -> None:
    for folder in ("sys/class/net", "sys/block", "proc/self"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text("")
    paths = Paths(tmp_path)

    async def story(client: BusClient) -> None:
        assert (await client.snapshot(BUS_NAME, BoxSnapshot)).data.mode is Mode.STANDARD
        await client.call(BUS_NAME, "Shutdown", PowerRequest("admin", "10.0.0.9"), Sentence)
        with pytest.raises(WrongLogin):
            await client.call(BUS_NAME, "Restore", RestoreRequest("admin", "guess", "page"), Sentence)
        assert StateStore(paths).load().record.intent is Intent.NONE
        assert (await client.call(BUS_NAME, "PlanSwitch", Nothing(), SwitchPlan)).refusals == ()
        with pytest.raises(SwitchNotConfirmed):
            await client.call(BUS_NAME, "SwitchToRedundant", SwitchRequest("no"), Sentence)
        await client.call(BUS_NAME, "SwitchToRedundant", SwitchRequest("y"), Sentence)
        assert StateStore(paths).load().record.mode is Mode.FAILOVER
        for copy in StateStore(paths).copies:
            copy.write_bytes(b"garbage")
        said = await client.call(BUS_NAME, "KeepMode", KeepModeRequest("admin", "page"), Sentence)
        assert "Standard Mode" in said.text
        assert not StateStore(paths).load().lost
        await client.call(BUS_NAME, "Restore", RestoreRequest("admin", "admin", "page"), Sentence)
        assert StateStore(paths).load().record.intent is Intent.RESTORE

    run_with_boxd(paths, story)
    assert asked == ["shutdown", "beep", "reboot", "reboot"]


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """An appliance without drives, as root finds it."""
    for folder in ("sys/class/net", "sys/block", "proc/self"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text("")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "jo")
    monkeypatch.setattr(switch_command, "Paths", lambda *_: Paths(tmp_path))
    return Paths(tmp_path)


SWITCHED = [("jo", "switched to Failover Mode", "command line")]


def switched(paths: Paths) -> list[tuple[str, str, str]]:
    return [(line.who, line.what, line.where) for line in Accounts(paths).audit_list()]


def test_the_script_has_boxd_switch(
    bus: Bus, box: Paths, asked: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(switch_command, "_alone", lambda _: pytest.fail("boxd alone writes the mode"))

    async def story(_: BusClient) -> None:
        assert await asyncio.to_thread(switch_command.main, ["--dry-run"], lambda _: "y") == 0
        assert await asyncio.to_thread(switch_command.main, [], lambda _: "n") == 1
        assert asked == []
        assert await asyncio.to_thread(switch_command.main, [], lambda _: "y") == 0
        assert await asyncio.to_thread(switch_command.main, [], lambda _: "y") == 1

    run_with_boxd(box, story)
    assert StateStore(box).load().record.mode is Mode.FAILOVER
    assert (asked, switched(box)) == (["reboot"], SWITCHED)
    said = capsys.readouterr()
    assert "is in Failover Mode, and reboots" in said.out
    assert "[BOOT-010]" in said.err


def test_without_boxd_the_script_switches_by_itself(bus: Bus, box: Paths, asked: list[str]) -> None:
    assert switch_command.main([], lambda _: "y") == 0
    assert StateStore(box).load().record.mode is Mode.FAILOVER
    assert (asked, switched(box)) == (["reboot"], SWITCHED)


def test_nothing_is_done_beside_a_boxd_that_falls_silent(
    bus: Bus, box: Paths, asked: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(switch_command, "_boxds_plan", lambda: SwitchPlan(("One way.",), ()))
    assert switch_command.main([], lambda _: "y") == 1
    assert "[BUS-001]" in capsys.readouterr().err
    assert (asked, StateStore(box).load().record) == ([], Record())


# -- which consoles there are ----------------------------------------------------------------------------------------

KEYBOARD = 'N: Name="AT keyboard"\nB: EV=120013\n'
BUTTON = 'N: Name="Power Button"\nH: Handlers=kbd event0\nB: EV=3\n'


@pytest.mark.parametrize(
    ("active", "devices", "found"),
    [
        ("tty0 ttyS0", KEYBOARD, ("tty1", "ttyS0")),
        ("tty0 ttyS0", BUTTON, ("ttyS0",)),
        ("tty0", BUTTON, ()),
        ("tty0", "", ()),
        ("hvc0 tty0", BUTTON + KEYBOARD, ("hvc0", "tty1")),
        (None, KEYBOARD, ()),
    ],
)
def test_a_screen_counts_only_with_a_keyboard(
    tmp_path: Path, active: str | None, devices: str, found: tuple[str, ...]
) -> None:
    (tmp_path / "sys/class/tty/console").mkdir(parents=True)
    (tmp_path / "proc/bus/input").mkdir(parents=True)
    if active is not None:
        (tmp_path / "sys/class/tty/console/active").write_text(active + "\n")
    (tmp_path / "proc/bus/input/devices").write_text(devices)
    assert names(Paths(tmp_path), ()) == found
    assert names(Paths(tmp_path), ("ttyS1",)) == ("ttyS1",)


def test_no_input_devices_at_all(tmp_path: Path) -> None:
    assert not has_keyboard(Paths(tmp_path))
