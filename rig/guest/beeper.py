"""A buzzer that the kernel has as an LED with the `pattern` trigger, as a model; it keeps exact times of every tone.

From Linux 6.1, drivers/leds/trigger/ledtrig-pattern.c: files `pattern` and `repeat` exist while the trigger is
"pattern"; `repeat` -1 is without end, and begins the pattern anew as writing `pattern` does; a tuple "brightness time"
followed by the same brightness with no time is a step without a ramp; at the end the last brightness stays. Ramps are
not modelled: a pattern with one is refused here.
"""

from __future__ import annotations

import errno
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

TRIGGERS = ("none", "pattern")


@dataclass(frozen=True, slots=True)
class Tone:
    """One tone: from, until (seconds of the guest's monotonic clock; until is None while it sounds)."""

    start: float
    end: float | None


class Beeper:
    """One LED with the trigger `pattern`. Methods raise OSError with the kernel's number."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self._clock, self._lock = clock, threading.Lock()
        self._brightness, self._trigger, self._repeat = 0, "none", -1
        self._steps: tuple[tuple[int, int], ...] = ()
        self._step, self._passes, self._next = 0, 0, 0.0
        self._running, self._level = False, 0
        self._tones: deque[Tone] = deque(maxlen=4096)

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the files that exist now."""
        more = ("pattern", "repeat") if self._trigger == "pattern" else ()
        return ("brightness", "max_brightness", "trigger", *more)

    def tones(self, since: float = 0.0) -> list[Tone]:
        """All tones that began at or after `since`, up to now."""
        with self._lock:
            self._settle()
            return [tone for tone in self._tones if tone.start >= since]

    def read(self, attribute: str) -> str:
        """Text of an attribute, as the kernel writes it. Raises OSError(ENOENT)."""
        with self._lock:
            self._settle()
            match attribute:
                case "brightness":
                    return f"{self._level}\n"
                case "max_brightness":
                    return "1\n"
                case "trigger":
                    return " ".join(f"[{name}]" if name == self._trigger else name for name in TRIGGERS) + "\n"
                case "repeat" if self._trigger == "pattern":
                    return f"{self._repeat}\n"
                case "pattern" if self._trigger == "pattern":
                    return " ".join(f"{on} {length} {on} 0" for on, length in self._steps) + "\n"
        raise OSError(errno.ENOENT, attribute)

    def write(self, attribute: str, text: str) -> None:
        """Stores an attribute. Raises OSError: EINVAL, EACCES (read-only), ENOENT."""
        with self._lock:
            self._settle()
            match attribute:
                case "brightness":
                    if _number(text) == 0:
                        self._end("none")
                    self._sound(min(_number(text), 1), self._clock())
                case "trigger":
                    if text.strip() not in TRIGGERS:
                        raise OSError(errno.EINVAL, text)
                    if text.strip() != self._trigger:
                        self._end(text.strip())
                case "repeat" if self._trigger == "pattern":
                    value = _number(text)
                    if value < -1 or value == 0:
                        raise OSError(errno.EINVAL, text)
                    self._repeat = value
                    self._begin()
                case "pattern" if self._trigger == "pattern":
                    self._steps = _steps(text)
                    self._begin()
                case "max_brightness":
                    raise OSError(errno.EACCES, attribute)
                case _:
                    raise OSError(errno.ENOENT, attribute)

    def _end(self, trigger: str) -> None:
        self._running, self._steps, self._repeat = False, (), -1
        self._trigger = trigger
        self._sound(0, self._clock())

    def _begin(self) -> None:
        self._step, self._passes, self._next = 0, 0, self._clock()
        self._running = bool(self._steps)
        self._settle()

    def _settle(self) -> None:
        """Plays all that was due until now."""
        now = self._clock()
        while self._running and self._next <= now:
            if self._repeat != -1 and self._passes >= self._repeat:
                self._running = False
                return
            level, length = self._steps[self._step]
            self._sound(level, self._next)
            self._next += length / 1000
            self._step = (self._step + 1) % len(self._steps)
            self._passes += self._step == 0

    def _sound(self, level: int, at: float) -> None:
        if level and not self._level:
            self._tones.append(Tone(at, None))
        elif self._level and not level:
            self._tones[-1] = Tone(self._tones[-1].start, at)
        self._level = level


def _steps(text: str) -> tuple[tuple[int, int], ...]:
    """Pairs of tuples "b t b 0" as (b, t)."""
    words = [_number(word) for word in text.split()]
    if not words or len(words) % 4:
        raise OSError(errno.EINVAL, text)
    steps = []
    for at in range(0, len(words), 4):
        level, length, again, zero = words[at : at + 4]
        if level != again or zero != 0 or level > 1 or length <= 0:
            raise OSError(errno.EINVAL, text)
        steps.append((level, length))
    return tuple(steps)


def _number(text: str) -> int:
    try:
        return int(text.strip())
    except ValueError:
        raise OSError(errno.EINVAL, text) from None
