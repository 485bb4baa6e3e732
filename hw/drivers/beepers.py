"""Beepers, two ways that the kernel has them.

led_pattern: a buzzer on a GPIO line or a PWM, described to the kernel as an LED (leds-gpio, leds-pwm), played by the
    `pattern` trigger (Linux, drivers/leds/trigger/ledtrig-pattern.c): the kernel counts the tones, however busy or dead
    we are. A tuple that is to begin at once is followed by one of the same brightness with no time.
evdev: an input device with EV_SND (pcspkr, gpio-beeper, pwm-beeper): tone on and off are written as input events, by a
    thread of ours that keeps the time.
"""

import os
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from core.errors import BeeperGone
from hw.beeps import ALARM, Tune
from hw.drivers.sysfs_led import LedFiles
from hw.model import Sound

HINT = "Is its driver loaded (leds-gpio or leds-pwm and ledtrig-pattern; pcspkr, gpio-beeper or pwm-beeper for evdev)?"


class Beeper(Protocol):
    """Something that beeps; all methods raise BeeperGone."""

    def play(self, tune: Tune) -> None:
        """Begins with it, whatever sounds now; returns at once."""

    def hush(self) -> None:
        """Ends any sound."""

    def sound(self) -> Sound:
        """What it does now; CODE also some time after the last tone."""


@dataclass(frozen=True, slots=True)
class PatternBeeper:
    """A buzzer in the LED class, by its name there."""

    files: LedFiles
    name: str

    def play(self, tune: Tune) -> None:
        self._put("trigger", "none")
        self._put("trigger", "pattern")
        self._put("repeat", "-1" if tune.endless else "1")  # before the pattern, which starts it
        self._put("pattern", pattern_text(tune))

    def hush(self) -> None:
        self._put("trigger", "none")
        self._put("brightness", "0")

    def sound(self) -> Sound:
        trigger = self._get("trigger")
        if "[pattern]" in trigger:
            endless = self._get("repeat") == "-1"
            if not endless:
                return Sound.CODE
            return Sound.ALARM if self._get("pattern") == pattern_text(ALARM) else Sound.OTHER
        if "[none]" in trigger:
            return Sound.SILENT if self._get("brightness") == "0" else Sound.OTHER
        return Sound.OTHER

    def _get(self, attribute: str) -> str:
        try:
            return self.files.get(self.name, attribute)
        except Exception as error:
            raise BeeperGone(f"The beeper {self.name} cannot be read: {attribute}.", hint=HINT) from error

    def _put(self, attribute: str, value: str) -> None:
        try:
            self.files.put(self.name, attribute, value)
        except Exception as error:
            raise BeeperGone(f"The beeper {self.name} cannot be set: {attribute} to {value}.", hint=HINT) from error


def pattern_text(tune: Tune) -> str:
    """The kernel's words for a tune: each step without a ramp."""
    return " ".join(f"{int(on)} {length} {int(on)} 0" for on, length in tune.steps)


EVENT = struct.Struct("@llHHi")
"""struct input_event of a 64-bit kernel: seconds, microseconds, type, code, value."""
EV_SYN, EV_SND, SND_TONE, HERTZ = 0x00, 0x12, 0x02, 2400


@dataclass(slots=True)
class EvdevBeeper:
    """An input device by the name it has in /sys/class/input; tones end also when a write of ours fails in between."""

    name: str
    sys: Path = Path("/sys")
    dev: Path = Path("/dev")
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _sound: Sound = Sound.OTHER

    def play(self, tune: Tune) -> None:
        with self._lock:
            handle = self._open()
            self._end()
            self._stop = threading.Event()
            self._sound = Sound.ALARM if tune.endless else Sound.CODE
            self._thread = threading.Thread(target=_perform, args=(handle, tune, self._stop), daemon=True)
            self._thread.start()

    def hush(self) -> None:
        with self._lock:
            handle = self._open()
            self._end()
            try:
                _tone(handle, 0)  # also what a dead predecessor of this process left on
            except OSError as error:
                raise BeeperGone(f"The beeper {self.name!r} cannot be set: {error.strerror}.", hint=HINT) from error
            finally:
                os.close(handle)
            self._sound = Sound.SILENT

    def sound(self) -> Sound:
        with self._lock:
            if self._sound is Sound.ALARM and (self._thread is None or not self._thread.is_alive()):
                return Sound.OTHER
            return self._sound

    def _end(self) -> None:
        if self._thread is not None:
            self._stop.set()
            self._thread.join()
            self._thread = None

    def _open(self) -> int:
        for folder in sorted((self.sys / "class/input").glob("event*")):
            with suppress(OSError):
                if (folder / "device/name").read_text(encoding="utf-8", errors="replace").strip() == self.name:
                    return os.open(self.dev / "input" / folder.name, os.O_WRONLY | os.O_CLOEXEC)
        raise BeeperGone(f"There is no input device {self.name!r} that can be opened.", hint=HINT)


def _perform(handle: int, tune: Tune, stop: threading.Event) -> None:
    try:
        while not stop.is_set():
            for on, length in tune.steps:
                _tone(handle, HERTZ if on else 0)
                if stop.wait(length / 1000):
                    break
            if not tune.endless:
                break
    except OSError:
        pass  # the device went; `sound` then says OTHER for an alarm, and it is tried again
    finally:
        with suppress(OSError):
            _tone(handle, 0)
        os.close(handle)


def _tone(handle: int, hertz: int) -> None:
    os.write(handle, EVENT.pack(0, 0, EV_SND, SND_TONE, hertz) + EVENT.pack(0, 0, EV_SYN, 0, 0))
