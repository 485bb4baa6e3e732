"""Which conditions of the chassis hold, by fand's snapshot. Pure."""

from typing import assert_never

from hw.model import FanSnapshot, Sensor, SensorKind, SensorState
from nvr.alarms.kinds.chassis import FanFailed, Overheat, PowerSupplyFailed, SensorLost
from nvr.alarms.kinds.condition import Condition

JUDGES = {"overheat", "fan-failed", "power-supply-failed", "sensor-lost"}


def conditions(fan: FanSnapshot) -> list[Condition]:
    """A sensor that cannot be trusted is a condition too: never good."""
    return [condition for sensor in fan.sensors for condition in _sensor(sensor)]


def _sensor(sensor: Sensor) -> list[Condition]:
    match sensor.state:
        case SensorState.OK:
            return []
        case SensorState.MISSING | SensorState.ALARM if sensor.kind is SensorKind.POWER:
            return [PowerSupplyFailed(sensor.name, sensor.state is SensorState.MISSING, sensor.detail)]
        case SensorState.MISSING | SensorState.UNKNOWN:
            return [SensorLost(sensor.name, sensor.detail)]
        case SensorState.ALARM:
            hot = sensor.kind is SensorKind.TEMPERATURE
            return [Overheat(sensor.name, sensor.detail) if hot else FanFailed(sensor.name, sensor.detail)]
        case _:
            assert_never(sensor.state)
