"""Alarms of temperatures, fans and power supplies."""

from dataclasses import dataclass

from nvr.alarms.kinds.condition import Condition
from nvr.alarms.model import Category, Level


@dataclass(frozen=True, slots=True)
class Overheat(Condition):
    """A temperature is over its limit."""

    code = "ALARM-301"
    category = Category.CHASSIS
    level = Level.CRITICAL
    title = "Overheat"
    meaning = "A sensor is over its limit. It ends when it is below the limit less its hysteresis."
    cleared_text = "The temperature is below its limit."
    sounds = True

    sensor: str
    detail: str

    @property
    def same(self) -> str:
        return f"overheat/{self.sensor}"

    @property
    def text(self) -> str:
        return f"{self.sensor} is too hot. {self.detail}".strip()

    @property
    def hint(self) -> str:
        return "Look at the fans, the air filter and the room."


@dataclass(frozen=True, slots=True)
class FanFailed(Condition):
    """A fan is slower than its minimum."""

    code = "ALARM-302"
    category = Category.CHASSIS
    level = Level.WARNING
    title = "Fan failed"
    meaning = "A fan was below its minimum speed for three readings. Replace it."
    cleared_text = "The fan turns again."
    sounds = True

    sensor: str
    detail: str

    @property
    def same(self) -> str:
        return f"fan-failed/{self.sensor}"

    @property
    def text(self) -> str:
        return f"{self.sensor} is too slow. {self.detail}".strip()

    @property
    def hint(self) -> str:
        return f"Replace {self.sensor}."


@dataclass(frozen=True, slots=True)
class PowerSupplyFailed(Condition):
    """A power supply that the profile expects is not there, or says that it is not well."""

    code = "ALARM-304"
    category = Category.CHASSIS
    level = Level.CRITICAL
    title = "Power supply failed"
    meaning = (
        "A power supply that the chassis should have is missing or not good. The appliance runs on the other one, and "
        "stops when that one fails, too."
    )
    cleared_text = "The power supply is there and good."
    sounds = True

    sensor: str
    missing: bool
    detail: str

    @property
    def same(self) -> str:
        return f"power-supply-failed/{self.sensor}"

    @property
    def text(self) -> str:
        return f"{self.sensor} is {'missing' if self.missing else 'not good'}. {self.detail}".strip()

    @property
    def hint(self) -> str:
        return f"Look at the cord of {self.sensor}, then replace it. Leave the other one in."


@dataclass(frozen=True, slots=True)
class SensorLost(Condition):
    """A sensor that the profile names cannot be read, or says what cannot be meant."""

    code = "ALARM-303"
    category = Category.CHASSIS
    level = Level.WARNING
    title = "Sensor lost"
    meaning = "A sensor of the chassis profile is missing or says what cannot be: its value is not known."
    cleared_text = "The sensor can be read again."

    sensor: str
    detail: str

    @property
    def same(self) -> str:
        return f"sensor-lost/{self.sensor}"

    @property
    def text(self) -> str:
        return f"{self.sensor} cannot be trusted. {self.detail}".strip()

    @property
    def hint(self) -> str:
        return "Check the profile against the chassis (rackeye-paneld --check), then the cabling."
