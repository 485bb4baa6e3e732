from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.chassis import Fan, PowerDriver, PowerSupply, Profile, SensorDriver, Temperature
from hw.drivers.hwmon import Reading
from hw.drivers.pmbus import Pmbus, linear11
from hw.model import Sensor, SensorKind, SensorState
from hw.sensors import Past, SensorLook, SensorMemory, decide, judge_fan, judge_supply, judge_temperature, show

OK, ALARM, MISSING, UNKNOWN = SensorState.OK, SensorState.ALARM, SensorState.MISSING, SensorState.UNKNOWN
CPU = Temperature("CPU", SensorDriver.HWMON, "c", limit=60, hysteresis=5, index=1)
PSU = PowerSupply("PSU 1", PowerDriver.PMBUS, "SMBus", 0x58)
FAN = Fan("Fan 1", SensorDriver.HWMON, "c", minimum=600, index=1)
GONE = Reading(None, MISSING, "Gone.")
GARBAGE = Reading(None, UNKNOWN, "Garbage.")

Values = list[float | Reading]


def states(sensor: Temperature | Fan, values: Values) -> list[SensorState]:
    return [view.state for view in views(sensor, values)]


def views(sensor: Temperature | Fan, values: Values) -> list[Sensor]:
    past, seen = Past(), []
    for value in values:
        reading = value if isinstance(value, Reading) else Reading(value)
        if isinstance(sensor, Fan):
            past, view = judge_fan(sensor, reading, past)
        else:
            past, view = judge_temperature(sensor, reading, past)
        seen.append(view)
    return seen


def test_temperature_has_hysteresis() -> None:
    assert states(CPU, [59.9, 60, 55, 54.9, 59.9]) == [OK, ALARM, ALARM, OK, OK]


def test_an_overheat_is_not_forgotten_while_the_sensor_is_gone() -> None:
    assert states(CPU, [61, GONE, GONE, GONE, 57, 54]) == [ALARM, ALARM, ALARM, MISSING, ALARM, OK]


def test_three_bad_readings() -> None:
    seen = views(CPU, [40, GARBAGE, GARBAGE, 41, GARBAGE, GARBAGE, GARBAGE, GONE, 42])
    assert [view.state for view in seen] == [OK, OK, OK, OK, OK, OK, UNKNOWN, MISSING, OK]
    assert (seen[1].value, seen[1].detail) == (40, "The value is stale: bad reading 1 of 3. Garbage.")
    assert (seen[6].value, seen[6].detail) == (None, "Garbage.")


def test_a_sensor_that_was_never_read_is_unknown_then_missing() -> None:
    seen = views(CPU, [GONE, GONE, GONE])
    assert [view.state for view in seen] == [UNKNOWN, UNKNOWN, MISSING]
    assert seen[0].detail == "No value yet: bad reading 1 of 3. Gone."


def test_a_fan_fails_after_three_slow_readings_until_it_turns() -> None:
    assert states(FAN, [900, 599, 0, 600, 500, 400, 0, 0, 600]) == [OK, OK, OK, OK, OK, OK, ALARM, ALARM, OK]


def test_a_fan_that_never_turned_is_not_called_good() -> None:
    assert states(FAN, [0, 0, 0]) == [UNKNOWN, UNKNOWN, ALARM]


def test_a_failed_fan_whose_sensor_goes_and_comes_back_slow_is_failed_at_once() -> None:
    assert states(FAN, [0, 0, 0, GONE, GONE, GONE, 0, 700]) == [
        UNKNOWN, UNKNOWN, ALARM, ALARM, ALARM, MISSING, ALARM, OK,
    ]  # fmt: skip


@given(st.lists(st.one_of(st.floats(-40, 150), st.just(GONE), st.just(GARBAGE)), min_size=1))
def test_a_value_at_or_above_the_limit_is_always_an_alarm_and_unknown_never_has_a_value(values: Values) -> None:
    for value, view in zip(values, views(CPU, values), strict=True):
        if isinstance(value, float) and value >= CPU.limit:
            assert view.state is ALARM
        if isinstance(value, float) and value < CPU.limit - CPU.hysteresis:
            assert view.state is OK
        if view.state in (MISSING, UNKNOWN):
            assert view.value is None


def look(celsius: float, rpm: float) -> SensorLook:
    box = Profile("box", "A box", temperatures=(CPU,), fans=(FAN,))
    readings = {(SensorKind.TEMPERATURE, "CPU"): Reading(celsius), (SensorKind.FAN, "Fan 1"): Reading(rpm)}
    return SensorLook(box, readings, ("The profile is bad.",))


def test_values_are_shown_every_ten_seconds_and_states_at_once() -> None:
    memory, shown = SensorMemory(), []
    for at, celsius in ((0.0, 40.0), (2, 41), (8, 44), (10, 45), (12, 60), (14, 61)):
        memory = decide(look(celsius, 900), memory, 1000 + at).memory
        shown.append(memory.shown[0].value)
    assert shown == [40, 40, 40, 45, 60, 60]
    seen = show(look(61, 900), memory, ("And more.",))
    assert (seen.profile, seen.problems) == ("box", ("The profile is bad.", "And more."))


def test_a_clock_that_steps_back_does_not_freeze_the_values() -> None:
    memory = decide(look(40, 900), SensorMemory(), 5000).memory
    assert decide(look(45, 900), memory, 1000).memory.shown[0].value == 45


@pytest.mark.parametrize(
    ("word", "number"),
    [(0x0000, 0), (0x0001, 1), (0xD3E8, 15.625), (0xF8FA, 125), (0x1064, 400), (0x07FF, -1), (0xFFFF, -0.5)],
)
def test_numbers_of_pmbus(word: int, number: float) -> None:
    """Five bits of exponent, eleven of mantissa, both signed: 0xD3E8 is 1000 x 2^-6."""
    assert linear11(word) == number


def test_a_power_supply_fails_after_three_readings_with_a_fault_and_one_without_ends_it() -> None:
    good, off = Reading(80.0), Reading(0.0, fault="It is off (STATUS_WORD 0x0840)")
    past, seen = Past(), []
    for reading in (good, off, off, good, off, off, off, GONE, GONE, GONE, off, Reading(None)):
        past, view = judge_supply(PSU, reading, past)
        seen.append(view)
    assert [view.state for view in seen] == [OK, OK, OK, OK, OK, OK, ALARM, ALARM, ALARM, MISSING, ALARM, OK]
    assert seen[1].detail == "Reading 1 of 3: It is off (STATUS_WORD 0x0840)."
    assert (seen[6].detail, seen[6].value, seen[6].unit) == ("It is off (STATUS_WORD 0x0840).", 0.0, "W")
    assert seen[-1].value is None, "it is good, and does not tell what it gives"


def test_a_bus_that_is_not_there_or_not_one_is_no_missing_power_supply(tmp_path: Path) -> None:
    pmbus = Pmbus(tmp_path, tmp_path)
    for number, name in enumerate(("i915 gmbus dpb", "SMBus I801 adapter at efa0", "SMBus stub driver")):
        reading = pmbus.supply(PSU)
        assert reading.bad is UNKNOWN
        folder = tmp_path / f"class/i2c-dev/i2c-{number}"
        folder.mkdir(parents=True)
        (folder / "name").write_text(name + "\n")
    assert "2 I2C buses begin with 'SMBus'" in pmbus.supply(PSU).detail
