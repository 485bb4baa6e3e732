"""The kernel's LED class in memory, for the order of writes (Linux, drivers/leds).

What it copies: delay files are there only while the trigger is "timer"; choosing a trigger ends the one before and puts
the LED out; 0 to brightness removes the trigger; unknown triggers are refused. The real files are in tests/rig.
"""

from dataclasses import dataclass, field

from core.errors import LedGone


@dataclass
class KernelLed:
    trigger: str = "none"
    brightness: int = 0
    max_brightness: int = 255
    delay_on: int = 0
    delay_off: int = 0


@dataclass
class KernelLeds:
    """Implements `LedFiles`. writes: all of them, as "name/attribute=value"."""

    leds: dict[str, KernelLed]
    triggers: tuple[str, ...] = ("none", "timer", "heartbeat")
    writes: list[str] = field(default_factory=list)
    lost_writes: int = 0

    def get(self, name: str, attribute: str) -> str:
        led = self._led(name)
        if attribute == "trigger":
            return " ".join(f"[{word}]" if word == led.trigger else word for word in self.triggers)
        self._there(led, name, attribute)
        return str(getattr(led, attribute))

    def put(self, name: str, attribute: str, value: str) -> None:
        led = self._led(name)
        self._there(led, name, attribute)
        self.writes.append(f"{name}/{attribute}={value}")
        if self.lost_writes:
            self.lost_writes -= 1
        elif attribute == "trigger":
            if value not in self.triggers:
                raise LedGone(f"LED {name}: {value}: Invalid argument.")
            led.trigger, led.brightness = value, 0
            led.delay_on = led.delay_off = 500 if value == "timer" else 0
        elif attribute == "brightness":
            led.brightness = int(value)
            if led.brightness == 0:
                led.trigger = "none"
        else:
            setattr(led, attribute, int(value))

    def _led(self, name: str) -> KernelLed:
        if name not in self.leds:
            raise LedGone(f"LED {name}: No such file or directory.")
        return self.leds[name]

    def _there(self, led: KernelLed, name: str, attribute: str) -> None:
        if attribute.startswith("delay_") and led.trigger != "timer":
            raise LedGone(f"LED {name}: {attribute}: No such file or directory.")
