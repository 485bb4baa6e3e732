"""LEDs of the kernel's LED class: off, on, and blinking by the `timer` trigger, which goes on when we are dead.

Order of writes (Linux, drivers/leds/led-class.c, ledtrig-timer.c):
- off, on: `trigger` to none first, which ends a blink and puts the LED out; then `brightness`.
- blink: `trigger` to timer first, which makes `delay_on` and `delay_off` (500 ms each); then those. An LED that blinks
  already only gets new delays, so that it never goes dark between.
State is read back, never remembered.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from core.errors import LedGone, LedStuck
from hw.leds import OFF, ON, Lamp, LampMode, blink

TIMER_HINT = "Is its driver loaded, and the kernel's timer trigger (modprobe ledtrig-timer)?"


class LedFiles(Protocol):
    """The attributes of LEDs by LED and attribute name; both methods raise LedGone."""

    def get(self, name: str, attribute: str) -> str:
        """The attribute's text."""

    def put(self, name: str, attribute: str, value: str) -> None:
        """Writes the attribute."""


@dataclass(frozen=True, slots=True)
class SysfsFiles:
    """LEDs under `root`/class/leds. root: /sys, or the tree of the virtual rack's simulator."""

    root: Path = Path("/sys")

    def _file(self, name: str, attribute: str) -> Path:
        return self.root / "class/leds" / name / attribute

    def get(self, name: str, attribute: str) -> str:
        """The attribute's text. Raises LedGone."""
        try:
            # Not Path.read_text, which asks five things more: 16 LEDs stand between an event and its light.
            handle = os.open(self._file(name, attribute), os.O_RDONLY | os.O_CLOEXEC)
            try:
                return os.read(handle, 4096).decode("ascii", errors="replace").strip()
            finally:
                os.close(handle)
        except OSError as error:
            raise LedGone(f"LED {name} cannot be read: {attribute}: {error.strerror}.", hint=TIMER_HINT) from error

    def put(self, name: str, attribute: str, value: str) -> None:
        """Writes the attribute. Raises LedGone."""
        try:
            # One write, as `echo` does; without O_CREAT: a file that is gone is an error, not a new file.
            handle = os.open(self._file(name, attribute), os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.write(handle, value.encode())
            finally:
                os.close(handle)
        except OSError as error:
            raise LedGone(
                f"LED {name} cannot be set: {attribute} to {value}: {error.strerror}.", hint=TIMER_HINT
            ) from error


@dataclass(frozen=True, slots=True)
class SysfsLeds:
    """LEDs as they are and as they shall be."""

    files: LedFiles = field(default_factory=SysfsFiles)

    def read(self, name: str) -> Lamp:
        """What the LED does now. Raises LedGone."""
        match self._trigger(name):
            case "none":
                return ON if self._number(name, "brightness") > 0 else OFF
            case "timer":
                return _lamp(self._number(name, "delay_on"), self._number(name, "delay_off"))
            case _:
                return Lamp(LampMode.OTHER)

    def write(self, name: str, lamp: Lamp) -> None:
        """Sets the LED and reads it back. Raises LedGone; LedStuck when it reads as something else."""
        self._set(name, lamp)
        now = self.read(name)
        if not now.agrees(lamp):
            # The kernel does "off" later, in a work of its own: after a quick off and on, off may come last.
            self._set(name, lamp)
            now = self.read(name)
        if not now.agrees(lamp):
            raise LedStuck(f"LED {name} was set to {lamp} and reads {now}.", hint="Does another program drive it?")

    def _set(self, name: str, lamp: Lamp) -> None:
        trigger = self._trigger(name)
        if lamp.mode is LampMode.BLINK:
            if trigger != "timer":
                self.files.put(name, "trigger", "timer")
            half = str(round(500 / lamp.hz))
            self.files.put(name, "delay_on", half)
            self.files.put(name, "delay_off", half)
            return
        if trigger != "none":
            self.files.put(name, "trigger", "none")
        level = self._number(name, "max_brightness") if lamp.mode is LampMode.ON else 0
        self.files.put(name, "brightness", str(level))

    def _trigger(self, name: str) -> str:
        """The chosen one in "none [timer] heartbeat"."""
        text = self.files.get(name, "trigger")
        return next((word[1:-1] for word in text.split() if word[0] == "[" and word[-1] == "]"), "none")

    def _number(self, name: str, attribute: str) -> int:
        text = self.files.get(name, attribute)
        try:
            return int(text)
        except ValueError as error:
            raise LedGone(f"LED {name}: {attribute} reads {text!r}, which is no number.", hint=TIMER_HINT) from error


def _lamp(on_ms: int, off_ms: int) -> Lamp:
    """The kernel never blinks with a zero: no time on is off, no time off is on."""
    if on_ms <= 0:
        return OFF
    if off_ms <= 0:
        return ON
    if abs(on_ms - off_ms) > max(1, 0.1 * max(on_ms, off_ms)):
        return Lamp(LampMode.OTHER)
    return blink(1000 / (on_ms + off_ms))
