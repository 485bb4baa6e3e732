"""One temperature and one fan with a little inertia, shaped like a chip of the kernel's hwmon class.

Units are hwmon's own (Documentation/hwmon/sysfs-interface): millidegrees Celsius, revolutions a minute, PWM 0 to 255.
"""

from __future__ import annotations

import errno
import math
import threading
import time
from collections.abc import Callable

FULL_SPEED = 3000.0  # revolutions a minute at PWM 255
FAN_TAU, HEAT_TAU = 0.8, 1.5  # seconds to two thirds of the way


class Glide:
    """A value that follows its target: the rest of the way shrinks by e every tau seconds."""

    def __init__(self, value: float, tau: float, clock: Callable[[], float]) -> None:
        self._from, self._target, self._tau = value, value, tau
        self._clock, self._at = clock, clock()

    @property
    def target(self) -> float:
        """Where it goes."""
        return self._target

    @target.setter
    def target(self, value: float) -> None:
        self._from, self._target, self._at = self.now, value, self._clock()

    @property
    def now(self) -> float:
        """Where it is."""
        rest = math.exp(-(self._clock() - self._at) / self._tau)
        return self._target + (self._from - self._target) * rest


class Climate:
    """The chip `rack_chassis`. Methods raise OSError with the kernel's number."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._pwm, self._enable, self._stopped = 128, 1, False
        self._heat = Glide(35.0, HEAT_TAU, clock)
        self._fan = Glide(FULL_SPEED * self._pwm / 255, FAN_TAU, clock)
        self._limits = {"temp1_max": 60_000, "temp1_crit": 75_000, "fan1_min": 600}

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the files."""
        return ("name", "temp1_input", "temp1_label", "fan1_input", "fan1_label", "pwm1", "pwm1_enable", *self._limits)

    @property
    def writable(self) -> tuple[str, ...]:
        """Those that take a value."""
        return ("pwm1", "pwm1_enable", *self._limits)

    def set_temperature(self, celsius: float) -> None:
        """The air goes there by and by."""
        with self._lock:
            self._heat.target = celsius

    def stop_fan(self, stopped: bool) -> None:
        """Blocks the fan, or lets it go."""
        with self._lock:
            self._stopped = stopped
            self._aim()

    def state(self) -> dict[str, float | bool]:
        """For people and tests, in degrees Celsius and revolutions a minute."""
        with self._lock:
            return {
                "temperature": round(self._heat.now, 2),
                "temperature_target": self._heat.target,
                "fan": round(self._fan.now),
                "fan_stopped": self._stopped,
                "pwm": self._pwm,
            }

    def read(self, attribute: str) -> str:
        """Text of an attribute. Raises OSError(ENOENT)."""
        fixed = {"name": "rack_chassis", "temp1_label": "Chassis", "fan1_label": "Fan 1"}
        with self._lock:
            match attribute:
                case "temp1_input":
                    value: object = round(self._heat.now * 1000)
                case "fan1_input":
                    value = round(self._fan.now)
                case "pwm1":
                    value = self._pwm
                case "pwm1_enable":
                    value = self._enable
                case _ if attribute in fixed:
                    value = fixed[attribute]
                case _ if attribute in self._limits:
                    value = self._limits[attribute]
                case _:
                    raise OSError(errno.ENOENT, attribute)
        return f"{value}\n"

    def write(self, attribute: str, text: str) -> None:
        """Stores an attribute. Raises OSError: EINVAL, EACCES (read-only)."""
        if attribute not in self.writable:
            raise OSError(errno.EACCES, attribute)
        try:
            value = int(text.strip())
        except ValueError:
            raise OSError(errno.EINVAL, text) from None
        with self._lock:
            match attribute:
                case "pwm1" if 0 <= value <= 255:
                    self._pwm = value
                case "pwm1_enable" if value in (0, 1):
                    self._enable = value
                case "pwm1" | "pwm1_enable":
                    raise OSError(errno.EINVAL, text)
                case _:
                    self._limits[attribute] = value
            self._aim()

    def _aim(self) -> None:
        duty = 255 if self._enable == 0 else self._pwm  # hwmon: pwm1_enable 0 is full speed
        target = 0.0 if self._stopped else FULL_SPEED * duty / 255
        if target != self._fan.target:
            self._fan.target = target
