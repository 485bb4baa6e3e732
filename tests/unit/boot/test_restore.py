"""Restore to default: each item, what stays, and a cut at every point of it."""

from dataclasses import replace
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from boot import restore
from boot.model import Intent, Mode
from boot.restore import ITEMS, Item
from boot.state import Record, StateStore
from core import accounts as accounts_room
from core.accounts import Accounts
from core.accounts_model import Role
from core.errors import RestoreFailed, WrongLogin
from core.paths import Paths

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
FACTORY = b'[chassis]\nprofile = "virtual-8"\n'
GONE = (
    "var/lib/rackeye/settings.toml", "var/lib/rackeye/last-good/var-lib-rackeye-settings.toml",
    "var/lib/rackeye/recorder/index.sqlite", "var/lib/rackeye/recorder/memory.json",
    "var/lib/rackeye/policy/alarms.json", "var/lib/rackeye/web/certificate.pem",
    "var/lib/rackeye/fleet/cms.json", "var/lib/rackeye/odd.json",
    "var/log/journal/ac/system.journal", "etc/ssh/ssh_host_ed25519_key", "etc/rackeye/mine.toml",
)
KEPT = (
    "var/lib/rackeye/raid/memory.json", "var/lib/rackeye/jobs/raid/1.json", "srv/rackeye/vd0/recordings/cam1/a.mp4",
    "srv/rackeye/vd0/rackeye-volume.json", "etc/fstab", "etc/rackeye/profiles/mine",
)


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts_room, "STRONG", CHEAP)
    monkeypatch.setattr(Accounts.__init__, "__defaults__", (None, CHEAP))
    monkeypatch.setattr("boot.restore.run", lambda *_, **__: None)  # ssh-keygen is slow


@pytest.fixture
def used(tmp_path: Path) -> Paths:
    """An appliance in use, in Failover Mode."""
    paths = Paths(tmp_path)
    for name in (*GONE, *KEPT):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("used")
    (paths.etc / "rackeye.toml").write_text('[chassis]\nprofile = "mine"\n')
    factory = restore.factory_settings(paths)
    factory.parent.mkdir(parents=True)
    factory.write_bytes(FACTORY)
    (tmp_path / "etc/machine-id").write_text("ac" * 16 + "\n")
    (tmp_path / "etc/hostname").write_text("lobby\n")
    people = Accounts(paths)
    people.change_password("admin", "admin", "three quiet words", "console")
    people.add("guard", Role.VIEWER, "another long one")
    StateStore(paths).change(lambda record: replace(record, mode=Mode.FAILOVER))
    return paths


def is_default(paths: Paths) -> None:
    root = paths.root
    assert [name for name in GONE if (root / name).exists()] == []
    assert {name: (root / name).read_text() for name in KEPT} == dict.fromkeys(KEPT, "used")
    assert (paths.etc / "rackeye.toml").read_bytes() == FACTORY
    assert (paths.etc / "rackeye.toml").stat().st_mode & 0o777 == 0o640
    identity = (root / "etc/machine-id").read_text()
    assert identity != "ac" * 16 + "\n"
    assert len(identity) == 33
    assert (root / "etc/hostname").read_text() == "rackeye\n"
    assert [view.name for view in Accounts(paths).list()] == ["admin"]
    assert Accounts(paths).authenticate("admin", "admin", "console").must_change
    with pytest.raises(WrongLogin):
        Accounts(paths).authenticate("admin", "three quiet words", "console")
    for folder in ("recorder", "policy", "web", "last-good"):
        assert (paths.state / folder).is_dir()  # with the owner that tmpfiles gave it
    record = StateStore(paths).load().record
    assert (record.mode, record.intent) == (Mode.STANDARD, Intent.NONE)


def test_everything_that_should_go_goes_and_the_rest_stays(used: Paths) -> None:
    store = StateStore(used)
    restore.intend(store)
    restore.finish(used, store)
    is_default(used)


def test_an_untouched_appliance_can_be_restored(tmp_path: Path) -> None:
    store = StateStore(Paths(tmp_path))
    restore.intend(store)
    restore.finish(Paths(tmp_path), store)
    assert store.load().record == Record(Mode.STANDARD, 2, Intent.NONE)


class PowerCut(BaseException):
    """Nothing after it happens."""


@pytest.mark.parametrize("before", range(len(ITEMS) + 1))
def test_a_cut_before_any_item_is_finished_at_the_next_start(used: Paths, before: int) -> None:
    def cut(_: Paths) -> None:
        raise PowerCut

    store = StateStore(used)
    restore.intend(store)
    with pytest.raises(PowerCut):
        restore.finish(used, store, (*ITEMS[:before], Item("cut", cut)))
    assert StateStore(used).load().record == Record(Mode.FAILOVER, 2, Intent.RESTORE)
    restore.finish(used, StateStore(used))
    is_default(used)


def test_what_cannot_be_reset_is_named_the_rest_is_done_and_the_intent_stays(used: Paths) -> None:
    def refuse(_: Paths) -> None:
        raise OSError(30, "Read-only file system")

    store = StateStore(used)
    restore.intend(store)
    with pytest.raises(RestoreFailed, match=r"the index .*Read-only"):
        restore.finish(used, store, (Item("the index", refuse), *ITEMS))
    assert store.load().record.intent is Intent.RESTORE
    assert not (used.state / "settings.toml").exists()
    restore.finish(used, store)
    is_default(used)


def test_nothing_is_followed_out_of_the_state_folder(used: Paths) -> None:
    (used.state / "web" / "link").symlink_to(used.root / "srv/rackeye/vd0")
    (used.state / "shortcut").symlink_to(used.root / "srv/rackeye/vd0")
    store = StateStore(used)
    restore.finish(used, store)
    is_default(used)
