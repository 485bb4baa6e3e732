"""Restore to default: what goes, what stays, and that it comes to its end.

The intent is on the disk before anything is wiped and is taken back when all of it is done, so that a power cut in
between resumes at the next start. Each item can be done again. Video, drive groups and md superblocks are not touched:
nothing here opens a drive or goes below /srv.
"""

import os
import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from boot import clock_set, network_set
from boot.model import Intent, Mode
from boot.state import Record, StateStore
from core.config import write_atomic
from core.errors import RackeyeError, RestoreFailed
from core.journal import get_logger
from core.paths import Paths
from core.run import run

log = get_logger("rackeye-restore")

FACTORY_HOSTNAME = "rackeye"
KEPT = frozenset({"boot", "raid", "jobs", "accounts"})
"""Folders of /var/lib/rackeye that are not emptied: the record of the mode, and what raidd knows of drive groups, which
stay. The accounts have an item of their own, because the file is made anew at once."""
LOGS = ("var/log/journal", "var/log/rackeye")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a restore resets. reset: may be done twice; raises OSError or RackeyeError."""

    name: str
    reset: Callable[[Paths], None]


def _settings(paths: Paths) -> None:
    """Every person's settings go; /etc/rackeye becomes what the installation put there."""
    (paths.state / "settings.toml").unlink(missing_ok=True)
    _empty(paths.state / "last-good")
    factory = factory_settings(paths)
    if factory.exists():
        for file in paths.etc.glob("*.toml"):
            if file.name != "rackeye.toml":
                file.unlink()
        file = paths.etc / "rackeye.toml"
        write_atomic(file, factory.read_bytes())
        os.chown(file, -1, paths.state.stat().st_gid)  # for the daemons only: it may hold a password


def _accounts(paths: Paths) -> None:
    from core.accounts import Accounts  # noqa: PLC0415 -- SQLite and argon2 are slow to load, and seldom needed at boot

    Accounts(paths).reset()


def _index(paths: Paths) -> None:
    """The recorder builds it anew from the video files."""
    _empty(paths.state / "recorder")


def _alarms(paths: Paths) -> None:
    _empty(paths.state / "policy")


def _certificates(paths: Paths) -> None:
    _empty(paths.state / "web")


def _rest(paths: Paths) -> None:
    """Whatever else lies in /var/lib/rackeye: a new room's state cannot be forgotten here."""
    for entry in _entries(paths.state):
        if entry.name in KEPT:
            continue
        if entry.is_dir() and not entry.is_symlink():
            _empty(entry)
        else:
            entry.unlink(missing_ok=True)


def _logs(paths: Paths) -> None:
    for folder in LOGS:
        _empty(paths.root / folder)


def _identity(paths: Paths) -> None:
    """A new machine id, the factory's name, new host keys. In force with the next start."""
    identity = f"{uuid.uuid4().hex}\n".encode()
    write_atomic(paths.root / "etc/machine-id", identity, 0o444)
    copy = paths.root / "var/lib/dbus/machine-id"
    if copy.exists() and not copy.is_symlink():
        write_atomic(copy, identity, 0o444)
    write_atomic(paths.root / "etc/hostname", f"{factory_hostname(paths)}\n".encode(), 0o644)
    keys = list((paths.root / "etc/ssh").glob("ssh_host_*"))
    for key in keys:
        key.unlink(missing_ok=True)
    if keys and shutil.which("ssh-keygen"):
        run(["ssh-keygen", "-A", *(["-f", str(paths.root)] if paths.root != Path("/") else [])], timeout=None)


def _network_and_time(paths: Paths) -> None:
    network_set.forget(paths)
    clock_set.forget(paths)


ITEMS = (
    Item("settings and cameras", _settings),
    Item("accounts, sessions and API tokens", _accounts),
    Item("certificates", _certificates),
    Item("the index of the recordings", _index),
    Item("alarms", _alarms),
    Item("other state of Rackeye", _rest),
    Item("network and time", _network_and_time),
    Item("logs", _logs),
    Item("name, machine id and host keys", _identity),
)

GOES = "settings, cameras, accounts, sessions, mode, certificates, network, time zone, alarms, logs, name and keys"
STAYS = "video, virtual drives and drive groups"


def factory_settings(paths: Paths) -> Path:
    """/etc/rackeye/rackeye.toml as the installation made it (systemd/install.sh)."""
    return paths.share / "factory/rackeye.toml"


def factory_hostname(paths: Paths) -> str:
    """The name that the installation found, if any."""
    with suppress(OSError):
        return (paths.share / "factory/hostname").read_text().strip() or FACTORY_HOSTNAME
    return FACTORY_HOSTNAME


def intend(store: StateStore, *, erase: bool = False) -> None:
    """From now on the restore is finished at the next start whatever happens. erase: the recordings go, too.

    Raises StateUnwritable.
    """
    wanted = Intent.RESTORE_AND_ERASE if erase else Intent.RESTORE
    store.change(lambda record: replace(record, intent=wanted))


def finish(paths: Paths, store: StateStore, items: tuple[Item, ...] = ITEMS) -> None:
    """Does all of it, then takes the intent back: Standard Mode. Raises RestoreFailed, StateUnwritable.

    Recordings go later, by rackeye-erase: their volumes are not mounted yet.
    """
    failed = []
    for item in items:
        try:
            item.reset(paths)
        except (OSError, RackeyeError) as error:
            said = error.sentence if isinstance(error, RackeyeError) else str(error)
            failed.append(f"{item.name} ({said})")
            log.error(f"Restore to default: {item.name} could not be reset: {said}")
    os.sync()  # the intent must not be taken back before the wipe has reached the drive
    if failed:
        raise RestoreFailed(
            f"Restore to default could not reset {'; '.join(failed)}.",
            hint="It is tried again at the next start. Is the system drive full or read-only?",
        )
    def done(record: Record) -> Record:
        left = Intent.ERASE if record.intent is Intent.RESTORE_AND_ERASE else Intent.NONE
        return replace(record, mode=Mode.STANDARD, intent=left)

    store.change(done)
    log.info("Restore to default is done.")


def _entries(folder: Path) -> list[Path]:
    with suppress(FileNotFoundError, NotADirectoryError):
        return sorted(folder.iterdir())
    return []


def _empty(folder: Path) -> None:
    """The folder itself stays, with its owner and rights. Raises OSError."""
    for entry in _entries(folder):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)
