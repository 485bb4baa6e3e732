"""Where a camera's time stamps lie in UTC, and what of the time was recorded.

Within a file the time line is the camera's (RTP deltas); each file has one place in UTC. From file to file it is slewed
towards the arrival times by at most 500 ppm; a larger difference is a step, which starts a new run.
"""

from collections import deque
from dataclasses import dataclass, field

from nvr.recorder.gop import TICKS
from nvr.recorder.model import Gap

SLEW = 500e-6
LATEST = 10.0  # seconds; what is later than this was not delayed: the camera's clock went back
STEP = 1.0  # seconds: no drift of a file's length, so one of the clocks was set
# A hole shorter than this lies within the uncertainty of placing a new run in UTC (arrival jitter, the 100 ms sweep).
SMALLEST_GAP = 0.5
GAPS_KEPT = 50


@dataclass(slots=True)
class Placement:
    """Maps ticks to UTC. Arrival is late by the network and by buffers, never early: the earliest arrival counts."""

    _offset: float = 0.0  # UTC of tick 0 in this file
    _since: int | None = None  # first tick of this file; None before the first
    _earliest: float | None = None  # least (arrival - ticks) seen since then

    def arrived(self, ticks: int, utc: float) -> None:
        """A picture with this time stamp arrived at this moment."""
        offset = utc - ticks / TICKS
        if self._earliest is None or offset < self._earliest or offset > self._earliest + LATEST:
            self._earliest = offset

    def begin_file(self, ticks: int) -> None:
        """A file begins at `ticks`."""
        measured = self._earliest if self._earliest is not None else self._offset
        difference = measured - self._offset
        if self._since is None or abs(difference) > STEP:
            self._offset = measured
        else:
            limit = SLEW * max(0, ticks - self._since) / TICKS
            self._offset += min(limit, max(-limit, difference))
        self._since = ticks
        self._earliest = None

    def forget(self) -> None:
        """Another session: its ticks have nothing to do with those before."""
        self._since = self._earliest = None

    def utc(self, ticks: int) -> float:
        """UTC of a time stamp of the file that was begun last."""
        return self._offset + ticks / TICKS


@dataclass(slots=True)
class Coverage:
    """What was recorded of one camera's time. until: end of the last picture recorded, None before the first."""

    until: float | None = None
    total: float = 0.0
    count: int = 0
    gaps: deque[Gap] = field(default_factory=lambda: deque(maxlen=GAPS_KEPT))

    def recorded(self, start: float, end: float) -> Gap | None:
        """A group of pictures went to the volume. Returns the gap before it, if there is one."""
        gap = None
        if self.until is not None and start - self.until > SMALLEST_GAP:
            gap = Gap(self.until, start)
            self.missing(gap)
        self.until = max(end, self.until) if self.until is not None and start > self.until - STEP else end
        return gap

    def missing(self, gap: Gap) -> None:
        """Time without pictures; gaps that touch are one."""
        self.total += gap.seconds
        if self.gaps and abs(gap.start - self.gaps[-1].end) < SMALLEST_GAP:
            self.gaps[-1] = Gap(self.gaps[-1].start, gap.end)
            return
        self.gaps.append(gap)
        self.count += 1
