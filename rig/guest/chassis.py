"""The chassis as a sysfs-shaped tree, served by FUSE at /run/rack/chassis: class/leds, class/hwmon, class/input.

The real drivers (hw/drivers) run on it through their injected root. Files come and go as in sysfs (delay_on with the
timer trigger), so nothing is cached by the kernel, and a read is always the value of now.
"""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterable
from typing import Any, Protocol

import mfusepy

from core.urgency import before_all_others
from rig.guest.beeper import Beeper
from rig.guest.buttons import Buttons
from rig.guest.climate import Climate
from rig.guest.leds import Led

LEDS, HWMON, INPUT = "/class/leds", "/class/hwmon", "/class/input/event9/device"
CHIP = f"{HWMON}/hwmon0"
PAGE = 4096  # size that sysfs shows for every attribute


class Device(Protocol):
    """A folder of attributes."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the files that exist now."""

    def read(self, attribute: str) -> str:
        """Text of an attribute."""

    def write(self, attribute: str, text: str) -> None:
        """Stores an attribute."""


class ChassisTree(mfusepy.Operations):  # type: ignore[misc]  # mfusepy ships no types
    """The file system's operations. OSErrors of the devices reach the caller as in the kernel."""

    use_ns = True

    def __init__(self, leds: Iterable[Led | Beeper], climate: Climate, buttons: Buttons | None = None) -> None:
        self._devices: dict[str, Device] = {f"{LEDS}/{led.name}": led for led in leds}
        self._devices[CHIP] = climate
        if buttons is not None:
            self._devices[INPUT] = buttons
        self._folders: dict[str, list[str]] = {}
        for path in self._devices:
            names = path.split("/")
            for depth in range(1, len(names)):
                children = self._folders.setdefault("/".join(names[:depth]) or "/", [])
                if names[depth] not in children:
                    children.append(names[depth])

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:  # noqa: ARG002
        """Folders, and files of 4096 bytes as in sysfs."""
        if path in self._folders or path in self._devices:
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        device, attribute = self._find(path)
        writable = isinstance(device, Led | Beeper) or (isinstance(device, Climate) and attribute in device.writable)
        mode = 0o644 if writable and attribute != "max_brightness" else 0o444
        return {"st_mode": stat.S_IFREG | mode, "st_nlink": 1, "st_size": PAGE}

    def readdir(self, path: str, fh: int) -> list[str]:  # noqa: ARG002
        """Names in a folder."""
        device = self._devices.get(path)
        names = device.attributes if device is not None else self._folders.get(path, ())
        return [".", "..", *names]

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:  # noqa: ARG002
        """An attribute's text."""
        device, attribute = self._find(path)
        return device.read(attribute).encode()[offset : offset + size]

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:  # noqa: ARG002
        """One write is one store, as in sysfs."""
        device, attribute = self._find(path)
        device.write(attribute, data.decode("ascii", errors="replace"))
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:  # noqa: ARG002
        """`echo 1 > file` truncates first; sysfs does not mind."""
        self._find(path)
        return 0

    def create(self, path: str, mode: int, fi: Any = None) -> int:  # noqa: ARG002
        """Nobody makes files in sysfs."""
        raise OSError(errno.EACCES, path)

    def _find(self, path: str) -> tuple[Device, str]:
        folder, _, attribute = path.rpartition("/")
        device = self._devices.get(folder)
        if device is None or attribute not in device.attributes:
            raise OSError(errno.ENOENT, path)
        return device, attribute


def serve(tree: ChassisTree, mountpoint: str) -> None:
    """Mounts and serves until it is unmounted: run it in a thread of its own.

    It stands for hardware, which waits for no CPU. What the simulator runs for the host must not inherit that.
    """
    before_all_others(priority=20)
    mfusepy.FUSE(
        tree, mountpoint, foreground=True, allow_other=True, default_permissions=True, fsname="rack-chassis",
        nothreads=True, direct_io=True, attr_timeout=0, entry_timeout=0, negative_timeout=0,
    )  # fmt: skip
