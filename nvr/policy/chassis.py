"""Which conditions of the chassis hold, by fand's snapshot. Pure."""

from typing import assert_never

from hw.model import FanSnapshot, Sensor, SensorKind, SensorState
from nvr.alarms.kinds.chassis import FanFailed, Overheat, PowerSupplyFailed, SensorLost
from nvr.alarms.kinds.condition import Condition

JUDGES = {"overheat", "fan-failed", "power-supply-failed", "sensor-lost"}


def conditions(fan: FanSnapshot, was_open: set[str]) -> list[Condition]:
    """A sensor that cannot be trusted is a condition too: never good. was_open: `same` of the open alarms; what was bad
    is not good by being unknown."""
    return [condition for sensor in fan.sensors for condition in _sensor(sensor, was_open)]


def _sensor(sensor: Sensor, was_open: set[str]) -> list[Condition]:
    match sensor.state:
        case SensorState.OK:
            return []
        case SensorState.MISSING if sensor.kind is SensorKind.POWER:
            return [_bad(sensor, sensor.detail)]
        case SensorState.MISSING | SensorState.UNKNOWN:
            bad = _bad(sensor, f"That was its last word. {sensor.detail}")
            return [bad] if bad.same in was_open else [SensorLost(sensor.name, sensor.detail)]
        case SensorState.ALARM:
            return [_bad(sensor, sensor.detail)]
        case _:
            assert_never(sensor.state)


def _bad(sensor: Sensor, detail: str) -> Condition:
    match sensor.kind:
        case SensorKind.TEMPERATURE:
            return Overheat(sensor.name, detail)
        case SensorKind.FAN:
            return FanFailed(sensor.name, detail)
        case SensorKind.POWER:
            return PowerSupplyFailed(sensor.name, sensor.state is SensorState.MISSING, detail)
        case _:
            assert_never(sensor.kind)
