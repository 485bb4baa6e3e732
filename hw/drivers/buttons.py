"""Buttons of the chassis as input devices (evdev): gpio-keys, the ACPI power button. Reads only.

From Linux, include/uapi/linux/input.h: a device gives `struct input_event`s; a key is 1 when pressed, 0 when let go, 2
when it repeats; EVIOCGKEY tells which are down now, for a button that was held before we looked. EVIOCSCLOCKID has the
events stamped by CLOCK_MONOTONIC: how long a button was held is what the kernel saw, however late we read it.
"""

import fcntl
import os
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import ButtonsGone
from hw.drivers.beepers import EVENT

EV_KEY = 0x01
KEY_BYTES = 96  # KEY_MAX is 0x2ff
EVIOCGKEY = 2 << 30 | KEY_BYTES << 16 | ord("E") << 8 | 0x18
EVIOCSCLOCKID = 1 << 30 | 4 << 16 | ord("E") << 8 | 0xA0
HINT = "Is its driver loaded (gpio-keys, or ACPI's button)? See: cat /sys/class/input/event*/device/name"


@dataclass(slots=True)
class EvdevButtons:
    """An input device by the name it has in /sys/class/input. handle: to wait for."""

    handle: int
    rest: bytes = b""

    @classmethod
    def open(cls, name: str, sys: Path = Path("/sys"), dev: Path = Path("/dev")) -> "EvdevButtons":
        """Raises ButtonsGone."""
        for folder in sorted((sys / "class/input").glob("event*")):
            with suppress(OSError):
                if (folder / "device/name").read_text(encoding="utf-8", errors="replace").strip() == name:
                    handle = os.open(dev / "input" / folder.name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                    with suppress(OSError):  # the pipe of the virtual rack, which has this clock already
                        fcntl.ioctl(handle, EVIOCSCLOCKID, struct.pack("i", time.CLOCK_MONOTONIC))
                    return cls(handle)
        raise ButtonsGone(f"There is no input device {name!r} that can be opened.", hint=HINT)

    def down(self) -> frozenset[int]:
        """The codes of the keys that are held now; none when the device cannot tell."""
        held = bytearray(KEY_BYTES)
        try:
            fcntl.ioctl(self.handle, EVIOCGKEY, held)
        except OSError:
            return frozenset()
        return frozenset(code for code in range(KEY_BYTES * 8) if held[code // 8] >> code % 8 & 1)

    def read(self) -> list[tuple[int, bool, float]]:
        """Keys that were pressed (True) or let go since, in their order, each with its time. Raises ButtonsGone."""
        try:
            self.rest += os.read(self.handle, 64 * EVENT.size)
        except BlockingIOError:
            return []
        except OSError as error:
            raise ButtonsGone(f"The buttons are gone: {error.strerror}.", hint=HINT) from error
        whole = len(self.rest) // EVENT.size * EVENT.size
        events, self.rest = self.rest[:whole], self.rest[whole:]
        return [
            (code, value == 1, seconds + micros / 1e6)
            for seconds, micros, kind, code, value in EVENT.iter_unpack(events)
            if kind == EV_KEY and value != 2
        ]

    def close(self) -> None:
        """Gives it back."""
        with suppress(OSError):
            os.close(self.handle)
