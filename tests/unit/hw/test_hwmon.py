from pathlib import Path

import pytest

from hw.chassis import Fan, SensorDriver, Temperature
from hw.drivers.hwmon import Hwmon, Reading
from hw.model import SensorState

CPU = Temperature("CPU", SensorDriver.HWMON, "rack_chassis", limit=60, index=1)
FAN = Fan("Fan 1", SensorDriver.HWMON, "rack_chassis", minimum=600, label="Front")


def tree(root: Path, number: int = 0, name: str = "rack_chassis", **files: str) -> Path:
    folder = root / f"class/hwmon/hwmon{number}"
    folder.mkdir(parents=True)
    for file, text in {"name": name, **files}.items():
        (folder / file).write_text(text + "\n")
    return folder


def temperature(root: Path, sensor: Temperature = CPU) -> Reading:
    hwmon = Hwmon(root)
    return hwmon.temperature(sensor, hwmon.chips())


def fan(root: Path) -> Reading:
    hwmon = Hwmon(root)
    return hwmon.fan(FAN, hwmon.chips())


def test_units_and_the_chip_by_its_name(tmp_path: Path) -> None:
    tree(tmp_path, 0, "acpitz", temp1_input="99000")
    tree(tmp_path, 7, temp1_input="-5250", fan1_label="Rear", fan1_input="900", fan3_label="Front", fan3_input="1200")
    assert temperature(tmp_path) == Reading(-5.25)
    assert fan(tmp_path) == Reading(1200.0)


@pytest.mark.parametrize("text", ["nan", "", "abc", "12.5", "0x10", "inf"])
def test_garbage_is_unknown(tmp_path: Path, text: str) -> None:
    tree(tmp_path, temp1_input=text)
    reading = temperature(tmp_path)
    assert (reading.value, reading.bad) == (None, SensorState.UNKNOWN)
    assert "which is no number" in reading.detail


@pytest.mark.parametrize("text", ["150001", "-40001", "4294967295"])
def test_a_temperature_that_cannot_be_meant(tmp_path: Path, text: str) -> None:
    tree(tmp_path, temp1_input=text)
    reading = temperature(tmp_path)
    assert (reading.value, reading.bad) == (None, SensorState.UNKNOWN)
    assert "cannot be meant (-40 to 150)" in reading.detail


@pytest.mark.parametrize("text", ["-1", "30001"])
def test_a_speed_that_cannot_be_meant(tmp_path: Path, text: str) -> None:
    tree(tmp_path, fan1_label="Front", fan1_input=text)
    assert fan(tmp_path).bad is SensorState.UNKNOWN


def test_missing_chip_input_and_label(tmp_path: Path) -> None:
    assert temperature(tmp_path).detail == "There is no hwmon chip rack_chassis."
    tree(tmp_path)
    assert temperature(tmp_path).detail == "temp1_input cannot be read: No such file or directory."
    assert fan(tmp_path).detail == "Chip rack_chassis has no fan input with the label 'Front'."
    assert {temperature(tmp_path).bad, fan(tmp_path).bad} == {SensorState.MISSING}


def test_a_fault_that_the_chip_reports(tmp_path: Path) -> None:
    tree(tmp_path, temp1_input="20000", temp1_fault="1")
    assert temperature(tmp_path) == Reading(None, SensorState.UNKNOWN, "The chip says that temp1 has a fault.")


def test_two_chips_of_a_name_need_the_device_path(tmp_path: Path) -> None:
    for number, place in enumerate(("isa-0290", "i2c-1-4c")):
        folder = tree(tmp_path, number, temp1_input=f"{number + 1}0000")
        device = tmp_path / "devices" / place
        device.mkdir(parents=True)
        (folder / "device").symlink_to(device)
    assert temperature(tmp_path).bad is SensorState.UNKNOWN
    assert "the profile must give `device`" in temperature(tmp_path).detail
    second = Temperature("CPU", SensorDriver.HWMON, "rack_chassis", limit=60, index=1, device="i2c-1-4c")
    assert temperature(tmp_path, second) == Reading(20.0)
