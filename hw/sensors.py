"""What a reading means (pure): hysteresis of temperatures, slow fans, power supplies, bad readings. spec/panel.md,
"Heat, fans, power".

- A temperature is an alarm at or above its limit, until it is below limit - hysteresis.
- A fan has failed after `readings` readings below its minimum, until it turns again.
- A power supply has failed after `readings` readings with a fault, until one is without.
- A bad reading is believed after `readings` of them; until then the last state stands, and its value is called stale.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from core.daemon import Decision
from hw.chassis import Fan, PowerSupply, Profile, Temperature
from hw.drivers.hwmon import Reading
from hw.model import FanSnapshot, Sensor, SensorKind, SensorState

VALUES_EVERY = 10.0
"""Seconds between values that are shown; a change of state is shown at once."""

Key = tuple[SensorKind, str]


@dataclass(frozen=True, slots=True)
class SensorLook:
    """All readings of one look, by kind and name."""

    profile: Profile
    readings: Mapping[Key, Reading]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Past:
    """What a single reading cannot tell about a sensor. bad, slow: readings in a row so far (slow: also
    those with a fault of a power supply)."""

    state: SensorState = SensorState.UNKNOWN
    alarm: bool = False
    value: float | None = None
    bad: int = 0
    slow: int = 0


@dataclass(frozen=True, slots=True)
class SensorMemory:
    """The past of each sensor, and what is shown since when (UTC)."""

    past: Mapping[Key, Past] = field(default_factory=dict)
    shown: tuple[Sensor, ...] = ()
    shown_at: float = 0.0


def decide(look: SensorLook, memory: SensorMemory, now: float) -> Decision[SensorMemory, None]:
    """The state of each sensor; there is nothing to do yet, since fans are not controlled yet."""
    past: dict[Key, Past] = {}
    sensors: list[Sensor] = []
    for temperature in look.profile.temperatures:
        key = (SensorKind.TEMPERATURE, temperature.name)
        past[key], sensor = judge_temperature(temperature, look.readings[key], memory.past.get(key, Past()))
        sensors.append(sensor)
    for fan in look.profile.fans:
        key = (SensorKind.FAN, fan.name)
        past[key], sensor = judge_fan(fan, look.readings[key], memory.past.get(key, Past()))
        sensors.append(sensor)
    for supply in look.profile.power_supplies:
        key = (SensorKind.POWER, supply.name)
        past[key], sensor = judge_supply(supply, look.readings[key], memory.past.get(key, Past()))
        sensors.append(sensor)
    if _states(sensors) == _states(memory.shown) and 0 <= now - memory.shown_at < VALUES_EVERY:
        return Decision((), replace(memory, past=past))
    return Decision((), SensorMemory(past, tuple(sensors), now))


def show(look: SensorLook, memory: SensorMemory, problems: tuple[str, ...]) -> FanSnapshot:
    """What other programs see."""
    return FanSnapshot(look.profile.name, memory.shown, (*look.problems, *problems))


def judge_temperature(sensor: Temperature, reading: Reading, past: Past) -> tuple[Past, Sensor]:
    """One reading of a temperature."""
    view = Sensor(
        sensor.name, SensorKind.TEMPERATURE, None, "°C", low=None, high=sensor.limit, state=SensorState.UNKNOWN
    )
    if reading.value is None:
        return _bad(sensor.readings, reading, past, view)
    ends = sensor.limit - sensor.hysteresis
    alarm = reading.value >= sensor.limit or (past.alarm and reading.value >= ends)
    detail = f"The limit is {sensor.limit:g} °C; it is over below {ends:g} °C." if alarm else ""
    state = SensorState.ALARM if alarm else SensorState.OK
    now = Past(state, alarm, reading.value)
    return now, replace(view, value=reading.value, state=state, detail=detail)


def judge_fan(sensor: Fan, reading: Reading, past: Past) -> tuple[Past, Sensor]:
    """One reading of a fan."""
    view = Sensor(sensor.name, SensorKind.FAN, None, "rpm", low=sensor.minimum, high=None, state=SensorState.UNKNOWN)
    if reading.value is None:
        return _bad(sensor.readings, reading, past, view)
    slow = min(past.slow + 1, sensor.readings) if reading.value < sensor.minimum else 0
    detail = ""
    if slow == 0:
        state = SensorState.OK
    elif past.alarm or slow >= sensor.readings:
        state, detail = SensorState.ALARM, f"The minimum is {sensor.minimum:g} rpm."
    else:
        # Not yet failed, but after bad readings or at the start not known to be good either.
        state = SensorState.OK if past.state is SensorState.OK else SensorState.UNKNOWN
        detail = f"Below {sensor.minimum:g} rpm: reading {slow} of {sensor.readings}."
    now = Past(state, state is SensorState.ALARM, reading.value, slow=slow)
    return now, replace(view, value=reading.value, state=state, detail=detail)


def judge_supply(supply: PowerSupply, reading: Reading, past: Past) -> tuple[Past, Sensor]:
    """One reading of a power supply."""
    view = Sensor(supply.name, SensorKind.POWER, None, "W", low=None, high=None, state=SensorState.UNKNOWN)
    if reading.bad is not None:
        return _bad(supply.readings, reading, past, view)
    faulty = min(past.slow + 1, supply.readings) if reading.fault else 0
    detail = f"{reading.fault}." if reading.fault else ""
    if faulty == 0:
        state = SensorState.OK
    elif past.alarm or faulty >= supply.readings:
        state = SensorState.ALARM
    else:
        state = SensorState.OK if past.state is SensorState.OK else SensorState.UNKNOWN
        detail = f"Reading {faulty} of {supply.readings}: {detail}"
    now = Past(state, state is SensorState.ALARM, reading.value, slow=faulty)
    return now, replace(view, value=reading.value, state=state, detail=detail)


def _bad(limit: int, reading: Reading, past: Past, view: Sensor) -> tuple[Past, Sensor]:
    bad = min(past.bad + 1, limit)
    if bad < limit:
        now = replace(past, bad=bad)
        stale = "The value is stale" if past.value is not None else "No value yet"
        detail = f"{stale}: bad reading {bad} of {limit}. {reading.detail}"
        return now, replace(view, value=past.value, state=past.state, detail=detail)
    state = reading.bad or SensorState.UNKNOWN
    return replace(past, state=state, value=None, bad=bad), replace(view, state=state, detail=reading.detail)


def _states(sensors: "list[Sensor] | tuple[Sensor, ...]") -> list[tuple[str, SensorKind, SensorState, bool]]:
    return [(sensor.name, sensor.kind, sensor.state, sensor.value is None) for sensor in sensors]
