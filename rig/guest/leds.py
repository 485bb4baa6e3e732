"""The kernel's LED class and its `timer` trigger, as a model: what each attribute reads and what each write does.

From Linux 6.1, drivers/leds/{led-class,led-core,led-triggers}.c and trigger/ledtrig-timer.c:
- brightness 0 removes the trigger; another value does not, a blinking LED goes on blinking;
- trigger "timer" on an LED without delays blinks at 500/500 ms, the first phase is on; any other trigger ends it, dark;
- delay_on and delay_off exist only while the trigger is "timer"; one of them 0 is steady: no time on is off,
  no time off is on.
"""

from __future__ import annotations

import errno
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

MAX_BRIGHTNESS = 1
TRIGGERS = ("none", "timer")


@dataclass(frozen=True, slots=True)
class Change:
    """One LED was changed. at: seconds of the guest's monotonic clock."""

    at: float
    led: str
    state: str


class LedBook:
    """What all LEDs did, the newest last: the latency from a pull to a light is read from it."""

    def __init__(self, size: int = 4096) -> None:
        self.changes: deque[Change] = deque(maxlen=size)

    def note(self, change: Change) -> None:
        """Adds one change."""
        self.changes.append(change)


class Led:
    """One kernel LED. Methods raise OSError with the kernel's number."""

    def __init__(self, name: str, book: LedBook, clock: Callable[[], float] = time.monotonic) -> None:
        self.name, self.since = name, clock()
        self._book, self._clock, self._lock = book, clock, threading.Lock()
        self._brightness, self._trigger = 0, "none"
        self._delay_on, self._delay_off, self._started = 0, 0, 0.0

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the files that exist now."""
        delays = ("delay_on", "delay_off") if self._trigger == "timer" else ()
        return ("brightness", "max_brightness", "trigger", *delays)

    @property
    def state(self) -> str:
        """`off`, `on` or `blink 4.00 Hz`."""
        if self._blinks:
            return f"blink {1000 / (self._delay_on + self._delay_off):.2f} Hz"
        return "on" if self._lit else "off"

    def read(self, attribute: str) -> str:
        """Text of an attribute, as the kernel writes it. Raises OSError(ENOENT)."""
        with self._lock:
            match attribute:
                case "brightness":
                    return f"{MAX_BRIGHTNESS if self._lit else 0}\n"
                case "max_brightness":
                    return f"{MAX_BRIGHTNESS}\n"
                case "trigger":
                    return " ".join(f"[{name}]" if name == self._trigger else name for name in TRIGGERS) + "\n"
                case "delay_on" if self._trigger == "timer":
                    return f"{self._delay_on}\n"
                case "delay_off" if self._trigger == "timer":
                    return f"{self._delay_off}\n"
        raise OSError(errno.ENOENT, attribute)

    def write(self, attribute: str, text: str) -> None:
        """Stores an attribute. Raises OSError: EINVAL, EACCES (read-only), ENOENT."""
        with self._lock:
            before = self.state
            match attribute:
                case "brightness":
                    self._store_brightness(_number(text))
                case "trigger":
                    self._store_trigger(text.strip())
                case "delay_on" if self._trigger == "timer":
                    self._blink(_number(text), self._delay_off)
                case "delay_off" if self._trigger == "timer":
                    self._blink(self._delay_on, _number(text))
                case "max_brightness":
                    raise OSError(errno.EACCES, attribute)
                case _:
                    raise OSError(errno.ENOENT, attribute)
            if self.state != before:
                self.since = self._clock()
                self._book.note(Change(self.since, self.name, self.state))

    @property
    def _blinks(self) -> bool:
        return self._trigger == "timer" and self._delay_on > 0 and self._delay_off > 0

    @property
    def _lit(self) -> bool:
        if self._blinks:
            phase = (self._clock() - self._started) * 1000 % (self._delay_on + self._delay_off)
            return phase < self._delay_on
        if self._trigger == "timer":
            return self._delay_on > 0
        return self._brightness > 0

    def _store_brightness(self, value: int) -> None:
        if value == 0:
            self._trigger, self._delay_on, self._delay_off = "none", 0, 0
        self._brightness = min(value, MAX_BRIGHTNESS)

    def _store_trigger(self, name: str) -> None:
        if name not in TRIGGERS:
            raise OSError(errno.EINVAL, name)
        if name == self._trigger:
            return
        self._trigger = name
        if name == "timer":
            self._blink(500, 500)
        else:
            self._brightness, self._delay_on, self._delay_off = 0, 0, 0

    def _blink(self, on: int, off: int) -> None:
        if on == 0 and off == 0:
            on = off = 500
        self._delay_on, self._delay_off, self._started = on, off, self._clock()


def _number(text: str) -> int:
    try:
        value = int(text.strip())
    except ValueError:
        raise OSError(errno.EINVAL, text) from None
    if value < 0:
        raise OSError(errno.EINVAL, text)
    return value
