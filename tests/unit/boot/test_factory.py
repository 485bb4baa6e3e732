"""What stands against the switch as a person's setting is what a restore to default sets back, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from boot import clock_set, factory, network_set, restore
from boot.state import StateStore
from core.accounts import Accounts
from core.accounts_model import Role
from core.paths import Paths

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
LONG = "three quiet words"


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """As it was installed."""
    monkeypatch.setattr(Accounts.__init__, "__defaults__", (None, CHEAP))
    monkeypatch.setattr("boot.restore.run", lambda *_, **__: None)
    paths = Paths(tmp_path)
    for name, text in (
        ("usr/share/rackeye/factory/rackeye.toml", "[chassis]\n"), ("etc/rackeye/rackeye.toml", "[chassis]\n"),
        ("usr/share/rackeye/factory/hostname", "nvr-7\n"), ("etc/hostname", "nvr-7\n"),
        ("usr/share/zoneinfo/Etc/UTC", "TZif utc"), ("usr/share/zoneinfo/Europe/Berlin", "TZif berlin"),
        ("var/lib/rackeye/settings.toml", ""), ("etc/localtime", "TZif utc"),
    ):
        put(paths, name, text)
    return paths


def put(paths: Paths, name: str, text: str) -> None:
    (paths.root / name).parent.mkdir(parents=True, exist_ok=True)
    (paths.root / name).write_text(text)


def token(paths: Paths) -> None:
    Accounts(paths).add_token("board", "admin")


SET: list[tuple[Callable[[Paths], object], str]] = [
    (lambda p: put(p, "var/lib/rackeye/settings.toml", "[a]\nb = 1\n"), "settings.toml"),
    (lambda p: put(p, "var/lib/rackeye/settings.toml", "no TOML"), "settings.toml"),
    (lambda p: put(p, "etc/rackeye/rackeye.toml", "[chassis]\nprofile = 'x'\n"), "rackeye.toml"),
    (lambda p: (p.etc / "rackeye.toml").unlink(), "rackeye.toml"),
    (lambda p: put(p, "etc/rackeye/mail.toml", "[mail]\n"), "mail.toml"),
    (lambda p: Accounts(p).add("guard", Role.VIEWER, LONG), "account guard"),
    (token, "API token board"),
    (lambda p: put(p, network_set.file_of("eth0"), "[Match]\n"), "05-rackeye-eth0.network"),
    (lambda p: put(p, "etc/hostname", "lobby\n"), "host name lobby"),
    (lambda p: put(p, clock_set.DROP_IN, "[Time]\n"), "timesyncd.conf.d"),
    (lambda p: clock_set.set_zone(p, "Europe/Berlin"), "time zone Europe/Berlin"),
    (lambda p: put(p, "etc/localtime", "TZif berlin"), "localtime"),
]


@pytest.mark.parametrize(("use", "said"), SET)
def test_what_a_restore_sets_back_counts_until_it_did(
    paths: Paths, use: Callable[[Paths], object], said: str,
) -> None:
    use(paths)
    unknown: list[str] = []
    (only,) = factory.changed(paths, unknown)
    assert said in only
    restore.finish(paths, StateStore(paths))
    assert (factory.changed(paths, unknown), unknown) == ((), [])


def test_an_untouched_appliance_and_a_new_password_are_the_factorys(paths: Paths) -> None:
    unknown: list[str] = []
    assert factory.changed(paths, unknown) == ()
    assert not Accounts(paths).file.exists()  # looking makes nothing
    people = Accounts(paths)
    people.change_password("admin", "admin", LONG, "console")
    people.open_session(people.authenticate("admin", LONG, "console"))
    clock_set.set_zone(paths, "Etc/UTC")
    assert (factory.changed(paths, unknown), unknown) == ((), [])


def folder(paths: Paths, name: str) -> None:
    """A folder where a file belongs: it cannot be read."""
    (paths.root / name).unlink(missing_ok=True)
    (paths.root / name).mkdir(parents=True)


UNREADABLE: list[tuple[Callable[[Paths], object], str]] = [
    (lambda p: folder(p, "var/lib/rackeye/settings.toml"), "the settings are"),
    (lambda p: folder(p, "usr/share/rackeye/factory/rackeye.toml"), "the files in /etc/rackeye are"),
    (lambda p: put(p, "var/lib/rackeye/accounts/accounts.sqlite", "no database" * 1000), "the accounts are"),
    (lambda p: put(p, network_set.FOLDER, ""), "the network is"),
    (lambda p: folder(p, "etc/hostname"), "the host name is"),
    (lambda p: (p.root / "etc/hostname").write_bytes(b"\xff\xfe"), "the host name is"),
    (lambda p: folder(p, "etc/localtime"), "the time zone and NTP are"),
]


@pytest.mark.parametrize(("use", "said"), UNREADABLE)
def test_what_cannot_be_read_is_unknown(paths: Paths, use: Callable[[Paths], object], said: str) -> None:
    use(paths)
    unknown: list[str] = []
    assert factory.changed(paths, unknown) == ()
    (only,) = unknown
    assert only.startswith(f"Whether {said} the factory's is not known: ")
