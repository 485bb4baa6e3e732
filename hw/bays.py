"""Where each drive is: udev rules made from the profile, and what udev then says.

udev keeps RACKEYE_BAY of a drive in its database until the drive is gone, so every program reads the same bay; sdX is
never used to find one (facts/hardware.md: bays 1 and 3 pulled and put back in reverse swap their sdX).
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyudev

from core.errors import UdevSilent
from core.udev_facts import ARRIVAL, BACKPLANE, BAY, model, of_an_earlier_drive, serial
from hw.chassis import Bay, Match, Profile

NOT_IN_BAYS = ("md", "dm-", "loop", "ram", "zram", "nbd")
"""Kernel names of block devices that hang on no slot."""

RULES_FILE = "60-rackeye-bays.rules"
RULES_FOLDERS = ("etc/udev/rules.d", "run/udev/rules.d", "usr/local/lib/udev/rules.d", "usr/lib/udev/rules.d")
"""Where udev reads rules, the first that has a file of a name wins (udev(7))."""

_HEAD = """\
# Bays of the chassis profile "{name}": {title}.
# Made by `rackeye-paneld --udev-rules`: do not edit, change the profile.
# After 60-persistent-storage.rules, which sets ID_PATH.
"""

_FRAME = """\
SUBSYSTEM!="block", GOTO="rackeye_bays_end"
# Not on remove: udev then still knows the bay from its database, and takes the links away itself.
ACTION=="remove", GOTO="rackeye_bays_end"

# Partitions take the bay of their drive.
ENV{{DEVTYPE}}=="partition", IMPORT{{parent}}="{property}"
ENV{{DEVTYPE}}=="partition", ENV{{{property}}}=="?*", SYMLINK+="disk/by-bay/$env{{{property}}}-part%n"
ENV{{DEVTYPE}}!="disk", GOTO="rackeye_bays_end"

# An entry may outlive its drive: it says of which arrival it is.
ENV{{DISKSEQ}}=="?*", ENV{{{arrival}}}="$env{{DISKSEQ}}"
{bays}

LABEL="rackeye_bays_end"
"""


def udev_rules(profile: Profile) -> str:
    """The text of the udev rules file (60-rackeye-bays.rules); a profile without bays gives only the comment."""
    head = _HEAD.format(name=profile.name, title=profile.title)
    if not profile.bays:
        return head + "# It names no bays.\n"
    bays = "\n".join(
        f'{_match(bay.match)}, ENV{{{BAY}}}="{bay.number}"{_backplane(bay)}, SYMLINK+="disk/by-bay/{bay.number}"'
        for bay in sorted(profile.bays, key=lambda bay: bay.number)
    )
    return head + "\n" + _FRAME.format(property=BAY, arrival=ARRIVAL, bays=bays)


def rules_problem(profile: Profile, root: Path) -> str | None:
    """Why udev does not know this profile's bays: its rules are not installed, or those of another profile are."""
    if not profile.bays:
        return None
    file = next((file for folder in RULES_FOLDERS if (file := root / folder / RULES_FILE).exists()), None)
    if file is None:
        return f"udev's rules for the bays are not installed ({RULES_FILE}): no drive is found in a bay."
    try:
        current = file.read_text(encoding="utf-8") == udev_rules(profile)
    except (OSError, UnicodeDecodeError) as error:
        return f"{file} cannot be read: {error}."
    if current:
        return None
    return f"{file} is not of the profile {profile.name}: bays may be wrong. Make it anew: rackeye-paneld --udev-rules."


def _backplane(bay: Bay) -> str:
    return f', ENV{{{BACKPLANE}}}="{bay.backplane}"' if bay.backplane else ""


def _match(match: Match) -> str:
    if match.id_path is None:
        return f'KERNELS=="{match.place()}"'
    if "-ata-" in match.id_path:  # older and newer udev: with and without the target ".0" (facts/hardware.md)
        return f'ENV{{ID_PATH}}=="{match.place()}|{match.place()}.0"'
    return f'ENV{{ID_PATH}}=="{match.id_path}"'


@dataclass(frozen=True, slots=True)
class Occupant:
    """A drive that sits in a bay, as udev knows it. serial and model are None when the drive gives none."""

    bay: int
    device: str
    serial: str | None
    model: str | None


class BlockDevice(Protocol):
    """What is read of a pyudev.Device."""

    @property
    def device_node(self) -> str | None: ...

    @property
    def properties(self) -> Mapping[str, str]: ...


class DriveSource(Protocol):
    """Where whole drives come from; raises UdevSilent when udev cannot be read."""

    def drives(self) -> Iterable[BlockDevice]: ...


class Udev:
    """The machine's own udev. sys: the kernel's tree; run: where udev keeps its database.

    Drives are taken from /sys/block one by one: libudev's enumeration of the block subsystem took 200 ms in the virtual
    rack, this 15 ms, and it stands between a pulled drive and its light.
    """

    def __init__(self, sys: Path = Path("/sys"), run: Path = Path("/run/udev")) -> None:
        self._context = pyudev.Context()
        self._sys = sys
        self._run = run

    def drives(self) -> Iterator[BlockDevice]:
        """Whole drives, without partitions. Raises UdevSilent: without its database every bay would look empty."""
        if not (self._run / "data").is_dir():
            raise UdevSilent(f"udev has no database in {self._run}.", hint="systemctl status systemd-udevd")
        for path in sorted((self._sys / "block").iterdir()):
            if path.name.startswith(NOT_IN_BAYS):
                continue
            with suppress(pyudev.DeviceNotFoundError):
                yield pyudev.Devices.from_sys_path(self._context, str(path))


def occupants(source: DriveSource) -> tuple[Occupant, ...]:
    """The drives that sit in bays, by bay then device; drives without a bay are not in it.

    A drive that goes while it is read is left out: it is gone. Raises UdevSilent.
    """
    found = []
    for device in source.drives():
        try:
            properties = device.properties
            bay = properties.get(BAY)
            node = device.device_node
        except (FileNotFoundError, pyudev.DeviceNotFoundError):
            continue
        if bay is None or node is None or not bay.isdecimal() or of_an_earlier_drive(properties):
            continue
        found.append(Occupant(int(bay), node, serial(properties) or None, model(properties) or None))
    return tuple(sorted(found, key=lambda drive: (drive.bay, drive.device)))
