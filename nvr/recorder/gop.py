"""Access units to groups of pictures, each of which becomes one fragment of a file."""

from dataclasses import dataclass

from nvr.cameras.depacketizer import AccessUnit
from nvr.cameras.h264 import ParameterSets

TICKS = 90_000  # a second
# Cameras with "smart" coding send a key frame each 10 s or more; what a power cut may take stays bounded.
MAX_TICKS = 10 * TICKS
MAX_BYTES = 16 * 1024 * 1024
MAX_UNITS = 900  # fewer than IOV_MAX (1024): one writev a group
# A camera whose clock jumps starts a new run. Pictures shown in another order go back by less than a second.
JUMP_BACK, JUMP_AHEAD = 2 * TICKS, 60 * TICKS
USUAL_TICKS = TICKS // 25  # until the first interval is known


@dataclass(frozen=True, slots=True, eq=False)
class Gop:
    """units in decoding order. end: ticks, when the last picture ends. key: begins with a key frame (a very long group
    comes in parts). fresh: a new run; what came before it is missing, or on another time line."""

    units: tuple[AccessUnit, ...]
    end: int
    key: bool
    fresh: bool

    @property
    def start(self) -> int:
        return self.units[0].time

    @property
    def parameters(self) -> ParameterSets:
        return self.units[0].parameters

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(len(unit.data) for unit in self.units)


class GopAssembler:
    """Collects access units; a key frame, or the end, completes a group."""

    def __init__(self) -> None:
        self._units: list[AccessUnit] = []
        self._size = 0
        self._usual = USUAL_TICKS
        self._fresh = True
        self._waiting = True  # for a key frame

    def add(self, unit: AccessUnit) -> Gop | None:
        """Takes one unit; returns the group that it completes."""
        done = None
        if self._units:
            step = unit.time - self._units[-1].time
            if unit.after_loss or not -JUMP_BACK < step < JUMP_AHEAD:
                done = self.flush()
            elif unit.key or self._is_full(unit):
                done = self._complete(max(unit.time, *(one.time for one in self._units)))
                self._usual = max(1, (done.end - done.start) // len(done.units))
        if self._waiting and not unit.key:
            return done
        self._waiting = False
        self._units.append(unit)
        self._size += len(unit.data)
        return done

    @property
    def pending(self) -> tuple[AccessUnit, ...]:
        """The group in the making, for who wants to see it now; empty unless it begins with a key frame."""
        return tuple(self._units) if self._units and self._units[0].key else ()

    def flush(self) -> Gop | None:
        """The run ends here; the last picture lasts as long as is usual."""
        done = self._complete(max(unit.time for unit in self._units) + self._usual) if self._units else None
        self._fresh = self._waiting = True
        return done

    def _is_full(self, unit: AccessUnit) -> bool:
        first = self._units[0].time
        return unit.time - first > MAX_TICKS or self._size > MAX_BYTES or len(self._units) >= MAX_UNITS

    def _complete(self, end: int) -> Gop:
        done = Gop(tuple(self._units), end, self._units[0].key, self._fresh)
        self._units, self._size, self._fresh = [], 0, False
        return done
