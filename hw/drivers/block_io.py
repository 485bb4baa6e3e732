"""How busy drives are, from /sys/block/*/stat (Linux, Documentation/block/stat.rst), for the green LEDs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from core.clock import Clock, SystemClock

SECTOR = 512  # of `stat`, whatever the drive's own sector is
WINDOW = 5.0
"""Seconds over which a rate is measured at least: looks may follow each other within milliseconds."""


@dataclass(slots=True)
class _Count:
    at: float
    sectors: int
    rate: float = 0.0


@dataclass(slots=True)
class BlockIo:
    """Bytes read and written a second, a drive. Keeps the counts of an earlier look: the kernel gives only sums."""

    sys: Path = Path("/sys")
    clock: Clock = field(default_factory=SystemClock)
    _counts: dict[str, _Count] = field(default_factory=dict)

    def rates(self, devices: Iterable[str]) -> dict[str, float]:
        """Bytes/s of each of `devices` (/dev/sda ...); 0 for one seen for the first time; a gone one is left out."""
        counts: dict[str, _Count] = {}
        now = self.clock.monotonic()
        for device in devices:
            sectors = self._sectors(device)
            if sectors is None:
                continue
            last = self._counts.get(device)
            if last is None or sectors < last.sectors:  # another drive under the same name counts from zero
                counts[device] = _Count(now, sectors)
            elif now - last.at < WINDOW:
                counts[device] = last
            else:
                counts[device] = _Count(now, sectors, (sectors - last.sectors) * SECTOR / (now - last.at))
        self._counts = counts
        return {device: count.rate for device, count in counts.items()}

    def _sectors(self, device: str) -> int | None:
        try:
            words = (self.sys / "block" / Path(device).name / "stat").read_text(encoding="ascii").split()
            return int(words[2]) + int(words[6])
        except (OSError, ValueError, IndexError):
            return None
