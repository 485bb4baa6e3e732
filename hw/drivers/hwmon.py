"""Temperatures and fans of the kernel's hwmon class.

A chip is found by its own name and, where two have one name, by a part of its device path; never by hwmonN, which goes
by the order of loading (facts/hardware.md). Units: millidegrees and rpm (Linux, Documentation/hwmon/sysfs-interface).
"""

import errno
from dataclasses import dataclass
from pathlib import Path

from hw.chassis import Fan, Temperature
from hw.model import SensorState

# The chip does not answer now, or the fan's plug is empty: not there, as opposed to a value that cannot be meant.
_ABSENT = {errno.ENOENT, errno.ENODATA, errno.EIO, errno.ENXIO, errno.ENODEV, errno.EREMOTEIO, errno.ETIMEDOUT}


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading. value: degrees Celsius, rpm or watts, None when it is bad; `bad` is then MISSING or UNKNOWN.

    fault: what a power supply says is wrong with it; one that is well may tell no value.
    """

    value: float | None
    bad: SensorState | None = None
    detail: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Chip:
    """A hwmon chip: its name, the path of the device behind it, and its folder of this moment."""

    name: str
    device: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Hwmon:
    """Chips under `root`/class/hwmon."""

    root: Path = Path("/sys")

    def chips(self) -> tuple[Chip, ...]:
        """All chips that are there now; one that goes while it is read is left out."""
        found = []
        for folder in sorted((self.root / "class/hwmon").glob("hwmon*")):
            try:
                name = (folder / "name").read_text(encoding="ascii", errors="replace").strip()
            except OSError:
                continue
            device = folder / "device"
            found.append(Chip(name, str(device.resolve()) if device.exists() else "", folder))
        return tuple(found)

    def temperature(self, sensor: Temperature, chips: tuple[Chip, ...]) -> Reading:
        """Degrees Celsius; a value outside low to high is bad."""
        reading = _read(sensor, "temp", chips, 1000.0)
        return _within(reading, sensor.low, sensor.high, "°C")

    def fan(self, sensor: Fan, chips: tuple[Chip, ...]) -> Reading:
        """Revolutions a minute; a negative value or one above high is bad."""
        reading = _read(sensor, "fan", chips, 1.0)
        return _within(reading, 0.0, sensor.high, "rpm")


def _missing(detail: str) -> Reading:
    return Reading(None, SensorState.MISSING, detail)


def _unknown(detail: str) -> Reading:
    return Reading(None, SensorState.UNKNOWN, detail)


def _within(reading: Reading, low: float, high: float, unit: str) -> Reading:
    if reading.value is None or low <= reading.value <= high:
        return reading
    return _unknown(f"It reads {reading.value:g} {unit}, which cannot be meant ({low:g} to {high:g}).")


def _read(sensor: Temperature | Fan, kind: str, chips: tuple[Chip, ...], scale: float) -> Reading:
    fitting = [chip for chip in chips if chip.name == sensor.chip and sensor.device in chip.device]
    if not fitting:
        at = f" at {sensor.device}" if sensor.device else ""
        return _missing(f"There is no hwmon chip {sensor.chip}{at}.")
    if len(fitting) > 1:
        where = ", ".join(chip.device for chip in fitting)
        return _unknown(f"{len(fitting)} chips are called {sensor.chip} ({where}): the profile must give `device`.")
    [chip] = fitting
    index = sensor.index if sensor.index is not None else _index(chip.folder, kind, sensor.label)
    if index is None:
        return _missing(f"Chip {sensor.chip} has no {kind} input with the label {sensor.label!r}.")
    return _input(chip.folder, f"{kind}{index}", scale)


def _index(folder: Path, kind: str, label: str | None) -> int | None:
    for file in sorted(folder.glob(f"{kind}*_label")):
        try:
            text = file.read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            continue
        number = file.name.removeprefix(kind).removesuffix("_label")
        if text == label and number.isdecimal():
            return int(number)
    return None


def _input(folder: Path, name: str, scale: float) -> Reading:
    fault = folder / f"{name}_fault"
    try:
        if fault.exists() and fault.read_text(encoding="ascii", errors="replace").strip() == "1":
            return _unknown(f"The chip says that {name} has a fault.")
        text = (folder / f"{name}_input").read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        said = f"{name}_input cannot be read: {error.strerror}."
        return _missing(said) if error.errno in _ABSENT else _unknown(said)
    try:
        return Reading(int(text) / scale)  # int(), not float(): the kernel writes whole numbers, and "nan" is none
    except ValueError:
        return _unknown(f"{name}_input reads {text[:40]!r}, which is no number.")
