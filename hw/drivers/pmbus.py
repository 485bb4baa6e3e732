"""Power supplies that speak PMBus, over the kernel's i2c-dev: STATUS_WORD and READ_POUT (PMBus 1.3 II, 17.2, 18.11).

Debian's kernels bring no PMBus driver, so it is read here (facts/hardware.md). A bus is found by the name of its
adapter, never by i2c-N, which goes by the order of loading. Most bits of STATUS_WORD stay until CLEAR_FAULTS (15.1).
They are cleared once a fault is believed, after each look: what still holds comes back, and what is over is over.
"""

import contextlib
import errno
from dataclasses import dataclass
from pathlib import Path

from smbus2 import SMBus

from hw.chassis import PowerSupply
from hw.drivers.hwmon import Reading
from hw.model import SensorState

CLEAR_FAULTS, STATUS_WORD, READ_POUT = 0x03, 0x79, 0x96

FAULTS = {
    0x0008: "its input is too low: is the cord plugged in?",
    0x0040: "it is off",
    0x0800: "its output is not good",
    0x0020: "its output voltage is too high",
    0x0010: "it gives too much current",
    0x2000: "its input is not good",
    0x0004: "it is too hot",
    0x0400: "its fan has failed",
    0x8000: "its output voltage is not good",
    0x4000: "its output current or power is not good",
    0x1000: "it reports a fault of its maker's own",
    0x0001: "it reports a fault that it does not name",
}
"""Bits of STATUS_WORD and what they say, the plainest first. BUSY and CML (a word it did not understand) are no fault
of a power supply, and OTHER and UNKNOWN come with another bit."""

# An empty slot answers ENXIO on a real bus, ENODEV on the kernel's stub; some adapters say EREMOTEIO or a timeout. One
# that is dead may give half an answer.
_NOBODY = {errno.ENXIO, errno.ENODEV, errno.EREMOTEIO, errno.ETIMEDOUT, errno.EIO, errno.EPROTO}
_NOT_TOLD = 0xFFFF
"""What the bus reads when nobody drives it."""


@dataclass(frozen=True, slots=True)
class Pmbus:
    """Buses under `sys`/class/i2c-dev, opened as `dev`/i2c-N."""

    sys: Path = Path("/sys")
    dev: Path = Path("/dev")

    def supply(self, supply: PowerSupply, *, clear: bool = False) -> Reading:
        """Watts that it gives, None when it does not tell; `fault` is what it says is wrong with it.

        clear: that is known already, so what is over by the next look shall not stay.
        """
        buses = [bus for bus, name in self._adapters() if name.startswith(supply.bus)]
        if not buses:
            return Reading(None, SensorState.UNKNOWN, f"There is no I2C bus {supply.bus!r} (is i2c-dev loaded?).")
        if len(buses) > 1:
            named = f"{len(buses)} I2C buses begin with {supply.bus!r}: the profile must give more of the name."
            return Reading(None, SensorState.UNKNOWN, named)
        try:
            # force: should a kernel's driver be bound to it, reading beside that one does no harm
            with SMBus(str(self.dev / buses[0]), force=True) as bus:
                return _read(bus, supply.address, clear=clear)
        except OSError as error:
            where = f"at 0x{supply.address:02x} of {supply.bus}"
            if error.errno in _NOBODY:
                return Reading(None, SensorState.MISSING, f"Nothing answers {where}: it is pulled, or dead.")
            return Reading(None, SensorState.UNKNOWN, f"It cannot be read {where}: {error.strerror}.")

    def _adapters(self) -> list[tuple[str, str]]:
        found = []
        for folder in sorted((self.sys / "class/i2c-dev").glob("i2c-*")):
            with contextlib.suppress(OSError):
                found.append((folder.name, (folder / "name").read_text(encoding="utf-8", errors="replace").strip()))
        return found


def _read(bus: SMBus, address: int, *, clear: bool) -> Reading:
    status = bus.read_word_data(address, STATUS_WORD)
    faults = [says for bit, says in FAULTS.items() if status & bit]
    if faults and clear:
        with contextlib.suppress(OSError):
            bus.write_byte(address, CLEAR_FAULTS)
    watts: float | None = None
    with contextlib.suppress(OSError):  # not every one measures it
        word = bus.read_word_data(address, READ_POUT)
        watts = None if word == _NOT_TOLD else linear11(word)
    said = f"{', '.join(faults[:2])} (STATUS_WORD 0x{status:04x})" if faults else ""
    return Reading(watts, fault=said[:1].upper() + said[1:])


def linear11(word: int) -> float:
    """A number of PMBus' LINEAR11 (part II, 7.3): five bits of exponent, eleven of mantissa, both signed."""
    exponent, mantissa = word >> 11, word & 0x7FF
    exponent -= 32 if exponent > 15 else 0
    mantissa -= 2048 if mantissa > 1023 else 0
    return round(mantissa * 2.0**exponent, 3)
