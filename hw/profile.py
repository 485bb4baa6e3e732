"""A chassis is data: one TOML file names every bay, LED, sensor and fan, and the driver of each.

The reference of the file is docs/ref/profile.md. `load` reads a profile by name, `read` a file; both refuse what does
not fit with a `ConfigError` that names file, line and what was expected (keys and types by core.config, the rest by
`hw.profile_checks`). There is no code per chassis.
"""

from dataclasses import dataclass
from pathlib import Path

from core import config
from core.errors import ConfigError, Unreadable
from core.paths import Paths
from core.settings import Settings
from hw import profile_checks
from hw.chassis import Profile
from hw.lines import Lines

SHIPPED = Path(__file__).parent / "profiles"


@dataclass(frozen=True, slots=True)
class InForce:
    """The chassis that a daemon works with. sysfs: root of the tree of LEDs and sensors."""

    profile: Profile
    sysfs: Path
    problems: tuple[str, ...] = ()


def in_force(paths: Paths, last: Profile | None = None) -> InForce:
    """The profile of the settings; a bad one leaves `last` in force, or `generic` at the start, and is a problem."""
    loaded = config.load_settings(Settings, paths)
    chassis = loaded.settings.chassis
    try:
        return InForce(load(chassis.profile, paths), Path(chassis.sysfs), loaded.problems)
    except ConfigError as error:
        profile = last or load("generic", paths)
        said = f"[{error.code}] {error.sentence} The profile {profile.name} is in force."
        return InForce(profile, Path(chassis.sysfs), (*loaded.problems, said))


def names(paths: Paths) -> tuple[str, ...]:
    """Profiles that can be named in the settings: shipped ones and a person's own."""
    return tuple(sorted({file.stem for folder in _folders(paths) for file in folder.glob("*.toml")}))


def load(profile: str, paths: Paths) -> Profile:
    """The profile of the settings key `chassis.profile`: a name, or the path of a file (with a slash or .toml).

    A person's /etc/rackeye/profiles/NAME.toml goes before the shipped one. Raises ConfigError: none, or refused.
    """
    if "/" in profile or profile.endswith(".toml"):
        return read(Path(profile))
    for folder in _folders(paths):
        file = folder / f"{profile}.toml"
        if file.is_file():
            return read(file)
    raise Unreadable(
        f'There is no chassis profile "{profile}".',
        hint=f"Known: {', '.join(names(paths))}. Your own goes to {paths.etc}/profiles/{profile}.toml.",
    )


def read(file: Path) -> Profile:
    """The profile in `file`. Raises ConfigError with file, line and what was expected."""
    table, source = config.read_toml(file)
    lines = Lines(source.file, source.text)
    profile = config.convert(Profile, table, lines)
    profile_checks.check(profile, lines)
    return profile


def _folders(paths: Paths) -> tuple[Path, ...]:
    return (paths.etc / "profiles", SHIPPED)
