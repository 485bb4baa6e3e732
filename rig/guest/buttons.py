"""The buttons of the virtual chassis: an input device whose node is a pipe, into which the kernel's bytes are written.

User Mode Linux has no uinput. Name and bytes are as gpio-keys gives them, with the clock that paneld asks for; only
EVIOCGKEY (what is held now) is missing.
"""

from __future__ import annotations

import errno
import os
import struct
import time
from pathlib import Path

NODE = Path("/dev/input/event9")
NAME = "Rack front buttons"
KEYS = {"power": 116, "reset": 408, "uid": 148, "silence": 113}
EVENT = struct.Struct("@llHHi")  # struct input_event


class Buttons:
    """One device. Raises OSError, KeyError (no such button)."""

    attributes = ("name",)

    def __init__(self) -> None:
        self._handle = -1

    def make(self) -> None:
        """The node; kept open for reading, too, so that what is written waits for who reads."""
        NODE.parent.mkdir(parents=True, exist_ok=True)
        NODE.unlink(missing_ok=True)
        os.mkfifo(NODE, 0o600)
        self._handle = os.open(NODE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def set(self, button: str, *, down: bool) -> None:
        """Pressed, or let go."""
        now = time.monotonic()
        when = (int(now), int(now % 1 * 1e6))
        os.write(self._handle, EVENT.pack(*when, 1, KEYS[button], int(down)) + EVENT.pack(*when, 0, 0, 0))

    def read(self, attribute: str) -> str:
        """Text of an attribute."""
        if attribute != "name":
            raise OSError(errno.ENOENT, attribute)
        return f"{NAME}\n"

    def write(self, attribute: str, text: str) -> None:  # noqa: ARG002
        """Nothing here can be written."""
        raise OSError(errno.EACCES, attribute)
