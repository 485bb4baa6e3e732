"""One camera's way from access units to fragments for a volume, and what is told about it."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from core.clock import Clock
from nvr.cameras.depacketizer import AccessUnit
from nvr.cameras.h264 import ParameterSets, PictureSize, picture_size
from nvr.recorder.fmp4 import Sample, beginning, fragment_head
from nvr.recorder.gop import TICKS, Gop, GopAssembler
from nvr.recorder.model import Gap
from nvr.recorder.timeline import Coverage, Placement

RATE_WINDOW = 10.0  # seconds


@dataclass(frozen=True, slots=True, eq=False)
class Fragment:
    """One group of pictures for a file. beginning: ftyp and moov when a new file begins, else empty.
    start, until: UTC."""

    camera: str
    beginning: bytes
    parts: tuple[bytes | bytearray, ...]
    frames: int
    start: float
    until: float
    size: int


class Sink(Protocol):
    """A volume's writer, as seen from the network's side: never waits."""

    def put(self, fragment: Fragment) -> bool:
        """False: not taken (the volume is too slow or has failed); the camera's file ends where it was."""

    def finish(self, camera: str) -> None:
        """The camera's file is complete."""

    def take_lost(self, camera: str) -> list[Gap]:
        """What was taken and did not reach a file, since this was asked last."""


class Watcher(Protocol):
    """Who wants to see the pictures now. Costs next to nothing at each call, and never fails."""

    def add(self, unit: AccessUnit) -> None:
        """A picture arrived."""

    def ended(self) -> None:
        """The session is over: what comes next is on another time line."""


@dataclass(slots=True)
class _File:
    first: int  # ticks
    parameters: ParameterSets
    fragments: int = 0


@dataclass(slots=True)
class Figures:
    """What the view of a camera is made of."""

    frames: int = 0
    last_frame: float | None = None
    size: PictureSize = PictureSize(0, 0)
    recent: deque[tuple[float, float, int]] = field(default_factory=deque)  # monotonic, seconds, bytes of each group

    def add(self, now: float, seconds: float, size: int) -> None:
        """A group of pictures came."""
        self.recent.append((now, seconds, size))
        while len(self.recent) > 1 and self.recent[0][0] < now - RATE_WINDOW:
            self.recent.popleft()

    def bitrate(self, now: float) -> float:
        """bit/s; 0 when nothing has come lately."""
        if not self.recent or self.recent[-1][0] < now - 2 * RATE_WINDOW:
            return 0.0
        seconds = sum(row[1] for row in self.recent)
        return 8 * sum(row[2] for row in self.recent) / seconds if seconds else 0.0


class Recording:
    """A camera's recording; outlives its sessions and its volumes.

    recorded_until: where the recordings of earlier runs end (UTC), so that the time in between is told as a gap.
    on_flow: called when the volume has taken the first group after none were taken; on_gap: for each gap.
    """

    def __init__(self, camera: str, clock: Clock, segment_seconds: float, recorded_until: float | None = None) -> None:
        self.camera = camera
        self.segment_seconds = segment_seconds
        self.coverage = Coverage(until=recorded_until)
        self.figures = Figures()
        self.flowing = False  # the last group was taken by a volume
        self.on_flow: Callable[[], None] = lambda: None
        self.on_gap: Callable[[Gap], None] = lambda _: None
        self.watcher: Watcher | None = None  # set only while somebody watches
        self._clock = clock
        self._gops = GopAssembler()
        self._placement = Placement()
        self._sink: Sink | None = None
        self._file: _File | None = None

    def add(self, unit: AccessUnit) -> None:
        """A picture arrived. Raises BadStream when its parameter sets make no sense."""
        now = self._clock.now()
        self.figures.frames += 1
        self.figures.last_frame = now
        if self.watcher is not None:
            self.watcher.add(unit)
        done = self._gops.add(unit)
        if done is not None:
            self._record(done)
        self._placement.arrived(unit.time, now)

    @property
    def pending(self) -> tuple[AccessUnit, ...]:
        """The group of pictures in the making."""
        return self._gops.pending

    def use(self, sink: Sink | None) -> None:
        """Another volume from the next key frame on; None: nowhere."""
        if sink is not self._sink:
            self._end_file()
            self._count_lost()
            self._sink = sink
            self.flowing = False

    def session_ended(self) -> None:
        """The connection is gone: what is there is recorded, the file ends."""
        done = self._gops.flush()
        if done is not None:
            self._record(done)
        self._end_file()
        self._placement.forget()
        self.flowing = False
        if self.watcher is not None:
            self.watcher.ended()

    def _count_lost(self) -> None:
        for gap in self._sink.take_lost(self.camera) if self._sink is not None else ():
            self.coverage.missing(gap)
            self.on_gap(gap)

    def _end_file(self) -> None:
        if self._file is not None and self._sink is not None:
            self._sink.finish(self.camera)
        self._file = None

    def _record(self, gop: Gop) -> None:
        seconds = (gop.end - gop.start) / TICKS
        self.figures.add(self._clock.monotonic(), seconds, gop.size)
        if self._sink is None:
            return
        self._count_lost()
        head = b""
        if self._needs_new_file(gop):
            if not gop.key:
                return
            head = self._begin_file(gop)
        file = self._file
        assert file is not None  # _needs_new_file is true without one
        taken = self._sink.put(self._fragment(file, gop, head))
        if not taken:
            self._file = None
            self.flowing = False
            return
        gap = self.coverage.recorded(self._placement.utc(gop.start), self._placement.utc(gop.end))
        if gap is not None:
            self.on_gap(gap)
        if not self.flowing:
            self.flowing = True
            self.on_flow()

    def _needs_new_file(self, gop: Gop) -> bool:
        file = self._file
        if file is None or gop.fresh or gop.parameters != file.parameters:
            return True
        return gop.key and gop.start - file.first >= self.segment_seconds * TICKS

    def _begin_file(self, gop: Gop) -> bytes:
        head = beginning(gop.parameters)
        self.figures.size = picture_size(gop.parameters.sps[0])
        self._placement.begin_file(gop.start)
        self._file = _File(gop.start, gop.parameters)
        return head

    def _fragment(self, file: _File, gop: Gop, head: bytes) -> Fragment:
        file.fragments += 1
        samples = [Sample(unit.time - file.first, len(unit.data), unit.key) for unit in gop.units]
        moof = fragment_head(file.fragments, samples, gop.end - file.first)
        return Fragment(
            self.camera,
            head,
            (moof, *(unit.data for unit in gop.units)),
            len(samples),
            self._placement.utc(gop.start),
            self._placement.utc(gop.end),
            len(moof) + gop.size,
        )
