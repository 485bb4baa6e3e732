"""Setting network and time: what is refused, the files, and that an address that nobody confirms does not stay."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boot import clock_set, power, restore
from boot.audit import Audit
from boot.box import Action, BoxLook, BoxMemory, decide, show
from boot.model import InterfaceSettings, SetTimeRequest
from boot.network_set import Network, Undo, check, file_of, overdue, set_hostname, settings, settings_of, text_of
from boot.redundant import look, refusals
from boot.settings_service import SettingsService
from boot.state import Loaded, Record, StateStore
from core.errors import CommandFailed, NetworkBusy, NetworkRefused, NoNetworkPending, TimeRefused
from core.paths import Paths

STATIC = InterfaceSettings("eth0", address="192.168.1.10/24", gateway="192.168.1.1", dns=("192.168.1.1", "9.9.9.9"))
DHCP = InterfaceSettings("eth0", dhcp=True)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    for folder in ("sys/class/net/eth0", "proc/sys/kernel/random", "etc", "var/lib/rackeye",
                   "usr/share/zoneinfo/Europe", "usr/share/zoneinfo/Etc", "usr/lib/systemd/system"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "proc/sys/kernel/random/boot_id").write_text("this-boot\n")
    for zone in ("Europe/Berlin", "Etc/UTC"):
        (tmp_path / "usr/share/zoneinfo" / zone).write_bytes(b"TZif")
    return Paths(tmp_path)


@pytest.mark.parametrize("good", [STATIC, DHCP, InterfaceSettings("enp3s0", address="fd00::5/64", gateway="fd00::1"),
                                  InterfaceSettings("eth0", address="10.0.0.1/31", gateway="10.0.0.0")])
def test_what_is_taken_is_read_back(good: InterfaceSettings) -> None:
    check(good)
    assert settings_of(text_of(good)) == good


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "../etc"}, "no network interface"),
        ({"name": "eth0\nName=*"}, "no network interface"),
        ({"dhcp": True}, "by itself"),
        ({"address": ""}, "missing"),
        ({"address": "192.168.1.10"}, "prefix length"),
        ({"address": "192.168.1.999/24"}, "no address"),
        ({"address": "192.168.1.0/24"}, "that a machine can have"),
        ({"address": "192.168.1.255/24"}, "that a machine can have"),
        ({"address": "127.0.0.1/8"}, "that a machine can have"),
        ({"gateway": "10.0.0.1"}, "not reached"),
        ({"gateway": "192.168.1.10"}, "not reached"),
        ({"dns": ("a\nDHCP=yes",)}, "DNS server"),
    ],
)
def test_what_cannot_be_meant_is_refused(changes: dict[str, Any], said: str) -> None:
    table = {"name": "eth0", "address": STATIC.address, "gateway": STATIC.gateway} | changes
    with pytest.raises(NetworkRefused, match=said):
        check(InterfaceSettings(**table))


@given(st.text(max_size=30))
def test_no_text_becomes_a_line_of_the_file(text: str) -> None:
    """Whatever is sent: the file has the lines of one interface, or it is refused."""
    for wanted in (
        InterfaceSettings(text, True), InterfaceSettings("eth0", address=text),
        InterfaceSettings("eth0", True, dns=(text,)), InterfaceSettings("eth0", address="10.0.0.5/8", gateway=text),
    ):
        try:
            check(wanted)
        except NetworkRefused:
            continue
        assert len(text_of(wanted).splitlines()) <= 7
        assert settings_of(text_of(wanted)) == wanted


def test_set_confirm_undo(paths: Paths, request: pytest.FixtureRequest) -> None:
    before = os.umask(0o077)  # boxd's
    request.addfinalizer(lambda: os.umask(before))
    told: list[str] = []
    network, file = Network(paths, told.append), paths.root / file_of("eth0")
    network.set(STATIC, 60, 100.0)
    assert tuple(settings(paths)) == (STATIC,)
    assert told == ["eth0"]
    assert (file.parent.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o755, 0o644), "networkd is not root"
    with pytest.raises(NetworkBusy):
        network.set(DHCP, 60, 101.0)
    assert network.confirm() == "eth0"
    assert network.pending() is None
    with pytest.raises(NoNetworkPending):
        network.undo()
    network.set(DHCP, 60, 200.0)
    assert tuple(settings(paths)) == (DHCP,)
    assert network.undo() == "eth0"
    assert tuple(settings(paths)) == (STATIC,)
    file.unlink()
    network.set(DHCP, 60, 300.0)
    network.undo()
    assert not file.exists(), "what was not there is not there again"
    assert told == ["eth0"] * 5


def test_a_networkd_that_fails_leaves_what_was(paths: Paths) -> None:
    def fail(_: str) -> None:
        raise CommandFailed("networkctl failed.")

    network = Network(paths, fail)
    with pytest.raises(CommandFailed):
        network.set(STATIC, 60, 100.0)
    assert network.pending() is None
    assert tuple(settings(paths)) == ()


@pytest.mark.parametrize(("seconds", "name"), [(5, "eth0"), (601, "eth0"), (60, "eth7")])
def test_refused_before_anything_is_written(paths: Paths, seconds: float, name: str) -> None:
    network = Network(paths, lambda _: None)
    with pytest.raises(NetworkRefused):
        network.set(InterfaceSettings(name, dhcp=True), seconds, 100.0)
    assert tuple(settings(paths)) == ()
    assert network.pending() is None


UNDO = Undo("eth0", "this-boot", 160.0, {})


@pytest.mark.parametrize(
    ("undo", "boot", "now", "due"),
    [
        (None, "this-boot", 999.0, False),
        (UNDO, "this-boot", 159.0, False),
        (UNDO, "this-boot", 160.0, True),
        (UNDO, "another-boot", 1.0, True),  # the power was cut before anybody confirmed
    ],
)
def test_when_nobody_confirmed(undo: Undo | None, boot: str, now: float, due: bool) -> None:
    assert overdue(undo, boot, now) is due
    seen = BoxLook(Loaded(Record()), "V1", "rack", undo=undo, boot=boot, uptime=now)
    decision = decide(seen, BoxMemory())
    assert (Action.UNDO_NETWORK in decision.actions) is due
    if undo is not None and not due:
        assert decision.again == pytest.approx(1.1)
        assert show(seen, BoxMemory(), (), 5000.0).undo_at == 5001.0


def test_host_name(paths: Paths) -> None:
    set_hostname(paths, "front-door")
    assert (paths.root / "etc/hostname").read_text() == "front-door\n"
    for bad in ("", "-a", "a b", "a.b", "x" * 64, "a\nb"):
        with pytest.raises(NetworkRefused):
            set_hostname(paths, bad)


def test_time(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    clock_set.set_zone(paths, "Europe/Berlin")
    clock_set.set_zone(paths, "Europe/Berlin")
    assert str((paths.root / "etc/localtime").readlink()) == "/usr/share/zoneinfo/Europe/Berlin"
    for bad in ("Mars/Base", "../../etc/passwd", "/etc/passwd", ""):
        with pytest.raises(TimeRefused):
            clock_set.set_zone(paths, bad)
    done: list[str] = []
    monkeypatch.setattr(clock_set, "run", lambda argv, **_: done.append(" ".join(argv)))
    with pytest.raises(TimeRefused, match="not installed"):
        clock_set.set_servers(paths, ("10.0.0.1",))
    (paths.root / "usr/lib/systemd/system/systemd-timesyncd.service").write_text("")
    with pytest.raises(TimeRefused):
        clock_set.set_servers(paths, ("a b",))
    clock_set.set_servers(paths, ("10.0.0.1", "pool.ntp.org"))
    assert clock_set.servers(paths) == ("10.0.0.1", "pool.ntp.org")
    assert done == ["systemctl enable systemd-timesyncd.service", "systemctl restart systemd-timesyncd.service"]
    monkeypatch.setattr(power, "is_active", lambda _: None)
    put: list[float] = []
    with pytest.raises(TimeRefused, match="by NTP"):
        clock_set.set_clock(paths, 1_800_000_000.0, put.append)
    clock_set.set_servers(paths, ())
    clock_set.set_clock(paths, 1_800_000_000.0, put.append)
    with pytest.raises(TimeRefused):
        clock_set.set_clock(paths, 0.0, put.append)
    assert put == [1_800_000_000.0]


@pytest.mark.parametrize(("asked", "why"), [
    (("Mars/Base", (), None), "no time zone"), (("Europe/Berlin", ("a;b",), None), "no NTP server"),
    (("Europe/Berlin", None, 0.0), "2020 to 2099"), (("Europe/Berlin", ("10.0.0.1",), 1_800_000_000.0), "at once"),
])
def test_of_what_is_asked_for_together_all_is_done_or_nothing(
    paths: Paths, asked: tuple[str, tuple[str, ...] | None, float | None], why: str,
) -> None:
    (paths.root / "usr/lib/systemd/system/systemd-timesyncd.service").write_text("")
    with pytest.raises(TimeRefused, match=why):
        SettingsService(paths, Network(paths), Audit(paths)).set_time(SetTimeRequest(*asked))
    assert not (paths.root / "etc/localtime").is_symlink()


def test_a_restore_leaves_nothing_of_it_and_a_set_network_is_a_setting(paths: Paths) -> None:
    Network(paths, lambda _: None).set(STATIC, 60, 100.0)
    clock_set.set_zone(paths, "Europe/Berlin")
    store = StateStore(paths)
    assert any("05-rackeye-eth0" in error.sentence for error in refusals(look(paths, store)))
    restore.intend(store)
    restore.finish(paths, store)
    assert tuple(settings(paths)) == ()
    assert Network(paths).pending() is None
    assert str((paths.root / "etc/localtime").readlink()).endswith("Etc/UTC")
