"""Eight bays: LIO loopback targets over ubd disks. Each is a SCSI host of its own that a drive hangs on, or not.

The targets are made once, in the order of the bays, so the kernel's tcm_loop_adapter_N is bay N (the profile virtual-8
relies on it). Only the backing comes and goes: facts/rig.md.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

from rig.guest import dust

BAYS = 8
CONFIGFS = Path("/sys/kernel/config/target")
ADAPTERS = Path("/sys/devices/tcm_loop_0")


class BayError(Exception):
    """What was asked for cannot be done with this bay; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class Backing:
    """A drive as the host hands it over. ubd: e.g. `ubdb`. dust: single sectors of it may be spoiled."""

    ubd: str
    serial: str
    model: str
    dust: bool = False


class Bay:
    """One bay. Raises BayError, OSError from configfs."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.drive: Backing | None = None
        target = f"naa.50000000000000{number:02x}"
        self._portal = CONFIGFS / f"loopback/{target}/tpgt_1"
        self._lun = self._portal / "lun/lun_0"

    def make(self) -> None:
        """Makes the target, empty. Bays have to be made in their order."""
        (self._portal / "lun").mkdir(parents=True, exist_ok=True)
        (self._portal / "nexus").write_text(f"naa.50000000000001{self.number:02x}")

    def insert(self, drive: Backing) -> float:
        """Puts a drive in; returns the moment (monotonic seconds) before the kernel met it."""
        if self.drive is not None:
            raise BayError(f"Bay {self.number} has a drive already: {self.drive.serial}.")
        node = Path("/dev") / drive.ubd
        deadline = time.monotonic() + 3
        while not node.exists():
            if time.monotonic() > deadline:
                raise BayError(f"{node} did not come up in the guest.")
            time.sleep(0.01)
        if drive.dust:
            node = dust.lay(node, drive.serial)
        core = self._core(drive)
        core.mkdir(parents=True)
        (core / "control").write_text(f"udev_path={node}")
        for name, text in (("vendor_id", "RACKEYE"), ("product_id", drive.model), ("vpd_unit_serial", drive.serial)):
            (core / "wwn" / name).write_text(text)
        (core / "enable").write_text("1")
        self._lun.mkdir(exist_ok=True)
        at = time.monotonic()
        (self._lun / "port").symlink_to(core)
        self.drive = drive
        return at

    def pull(self) -> float:
        """Surprise removal: requests in flight fail; returns the moment it happened (monotonic seconds)."""
        drive = self.drive
        if drive is None:
            raise BayError(f"Bay {self.number} has no drive.")
        device = self._scsi_device()
        at = time.monotonic()
        if device is not None:
            # Offline first: else the kernel would still write the drive's cache, which a pulled drive cannot do.
            with contextlib.suppress(OSError):
                (device / "state").write_text("offline")
            (device / "delete").write_text("1")
        (self._lun / "port").unlink()
        self._lun.rmdir()
        self._core(drive).rmdir()
        if drive.dust:
            dust.take(drive.serial)
        self.drive = None
        return at

    def spoil(self, first: int, sectors: int, *, dead: bool) -> None:
        """Makes sectors of its drive unreadable (until they are written), or dead. Raises BayError, OSError."""
        if self.drive is None or not self.drive.dust:
            raise BayError(f"Bay {self.number} has no drive whose sectors can be spoiled: Rack(spoilable=True).")
        dust.spoil(Path("/dev") / self.drive.ubd, self.drive.serial, first, sectors, dead=dead)

    def state(self) -> dict[str, object]:
        """What hangs there. device: the kernel's name, e.g. `sdc`."""
        device = self._scsi_device()
        block = next((device / "block").glob("sd*"), None) if device is not None and self.drive else None
        return {
            "serial": self.drive.serial if self.drive else None,
            "model": self.drive.model if self.drive else None,
            "address": device.name if device is not None else None,
            "device": f"/dev/{block.name}" if block else None,
        }

    def _core(self, drive: Backing) -> Path:
        # One LIO host bus adapter a ubd disk: its number must not clash with another's.
        return CONFIGFS / f"core/iblock_{ord(drive.ubd[-1]) - ord('a')}/{drive.serial}"

    def _scsi_device(self) -> Path | None:
        adapter = ADAPTERS / f"tcm_loop_adapter_{self.number}"
        return next((path for path in adapter.glob("host*/target*/*:*:*:0") if (path / "delete").exists()), None)
