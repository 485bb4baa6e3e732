"""Which settings are not the factory's: whatever a person can set and a restore to default sets back (boot/restore.py).

Not counted: what the appliance makes by itself (certificates, index, alarms, logs, sessions, identity), and the
passwords of the factory's account: without a new one nobody can log in at all.
"""

import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress

from boot import clock_set, network_set
from boot.restore import factory_hostname, factory_settings
from core.accounts_model import Role
from core.errors import RackeyeError
from core.paths import Paths

UTC = (clock_set.FACTORY_ZONE, "UTC")


def changed(paths: Paths, unknown: list[str]) -> tuple[str, ...]:
    """Files and other things that hold a person's settings; what cannot be read goes to `unknown`, in sentences."""
    found: list[str] = []
    for what, look in LOOKS:
        try:
            found += look(paths)
        except (OSError, ValueError, RackeyeError) as error:
            said = error.sentence if isinstance(error, RackeyeError) else f"{error}."
            unknown.append(f"Whether {what} the factory's is not known: {said}")
    return tuple(found)


def _settings(paths: Paths) -> Iterator[str]:
    """Set by page and command line."""
    own = paths.state / "settings.toml"
    with suppress(FileNotFoundError):
        try:
            if tomllib.loads(own.read_text()):
                yield str(own)
        except ValueError:  # no TOML: a restore takes it away all the same
            yield str(own)


def _files(paths: Paths) -> Iterator[str]:
    """Written by hand. Where the installation kept nothing, a restore does not touch them."""
    factory = factory_settings(paths)
    if factory.exists():
        main = paths.etc / "rackeye.toml"
        if not main.exists() or main.read_bytes().strip() != factory.read_bytes().strip():
            yield str(main)
        yield from (str(file) for file in sorted(paths.etc.iterdir()) if file.suffix == ".toml" and file != main)


def _accounts(paths: Paths) -> Iterator[str]:
    from core.accounts import FACTORY_NAME, Accounts  # noqa: PLC0415 -- SQLite and argon2 are slow to load at boot

    people = Accounts(paths)
    if people.file.exists():
        factory = (FACTORY_NAME, Role.ADMINISTRATOR)
        yield from (f"account {one.name}" for one in people.list() if (one.name, one.role) != factory)
        yield from (f"API token {one.name}" for one in people.tokens())


def _network(paths: Paths) -> Iterator[str]:
    with suppress(FileNotFoundError):
        for file in sorted((paths.root / network_set.FOLDER).iterdir()):
            if file.match(network_set.file_of("*")):
                yield str(file)


def _hostname(paths: Paths) -> Iterator[str]:
    with suppress(FileNotFoundError):
        name = (paths.root / "etc/hostname").read_text().strip()
        if name != factory_hostname(paths):
            yield f"host name {name}"


def _time(paths: Paths) -> Iterator[str]:
    drop_in = paths.root / clock_set.DROP_IN
    if drop_in.exists():
        yield str(drop_in)
    factory, here = paths.root / clock_set.ZONES / clock_set.FACTORY_ZONE, paths.root / "etc/localtime"
    if factory.is_file():  # else no zone can be set, nor set back
        if here.is_symlink():
            zone = str(here.readlink()).rpartition("zoneinfo/")[2]
            if zone not in UTC:
                yield f"time zone {zone}"
        elif here.exists() and here.read_bytes() != factory.read_bytes():
            yield str(here)


LOOKS: tuple[tuple[str, Callable[[Paths], Iterator[str]]], ...] = (
    ("the settings are", _settings),
    ("the files in /etc/rackeye are", _files),
    ("the accounts are", _accounts),
    ("the network is", _network),
    ("the host name is", _hostname),
    ("the time zone and NTP are", _time),
)
