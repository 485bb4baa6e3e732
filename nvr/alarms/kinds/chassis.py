"""Alarms of temperatures and fans."""

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
