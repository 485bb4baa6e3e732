"""Reads hot spares in threads of their own: a drive that hangs holds up nothing but its own verdict."""

import os
import random
import threading
from dataclasses import replace
from pathlib import Path

from core.clock import Clock
from raid.superblock import read_block
from raid.world import SpareRead

BLOCK = 256 * 1024
PLACES = 3
"""So many blocks besides the first and the last one, each time elsewhere."""


class SparePoll:
    """The last read of each spare, by diskseq."""

    def __init__(self, dev: Path, clock: Clock) -> None:
        self._dev = dev
        self._clock = clock
        self._lock = threading.Lock()
        self._reads: dict[int, SpareRead] = {}

    def start(self, device: str, diskseq: int, size: int) -> None:
        """Begins a read; one that is still under way goes on."""
        with self._lock:
            known = self._reads.get(diskseq)
            if known is not None and known.pending:
                return
            begun = self._reads[diskseq] = SpareRead(diskseq, self._clock.now(), pending=True)
        args = (begun, self._dev / device, size)
        threading.Thread(target=self._read, args=args, name=f"spare-{device}", daemon=True).start()

    def reads(self, there: frozenset[int]) -> tuple[SpareRead, ...]:
        """Those of drives that are there; what is known of others is dropped."""
        with self._lock:
            self._reads = {key: read for key, read in self._reads.items() if key in there}
            return tuple(self._reads[key] for key in sorted(self._reads))

    def clock_set(self, seconds: float) -> None:
        """UTC was set by so many seconds: what was read is as long ago as before."""
        with self._lock:
            self._reads = {key: replace(read, at=read.at + seconds) for key, read in self._reads.items()}

    def last(self, diskseq: int) -> SpareRead | None:
        """The last read of this drive, or the one that is under way."""
        with self._lock:
            return self._reads.get(diskseq)

    def _read(self, begun: SpareRead, device: Path, size: int) -> None:
        error = ""
        try:
            for offset in places(size):
                if len(read_block(device, offset, min(BLOCK, size))) != min(BLOCK, size):
                    error = f"It ends before its capacity, at {offset} bytes."
        except OSError as problem:
            error = f"It does not read: {os.strerror(problem.errno or 0)}."
        with self._lock:
            now = self._reads.get(begun.diskseq)
            if now is not None:
                self._reads[begun.diskseq] = replace(now, error=error, pending=False)


def places(size: int) -> list[int]:
    """Offsets to read: the first block, the last one, and some between, all on 4 KiB."""
    last = max(0, size - BLOCK) // 4096 * 4096
    return [0, last, *(random.randint(0, last // 4096) * 4096 for _ in range(PLACES))]  # noqa: S311 -- no secret
