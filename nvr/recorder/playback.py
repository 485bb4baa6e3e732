"""What is on the volumes, for those who want to see it: files, timeline, video from any moment.

Reads only. A file is opened for one group of pictures at a time, so that somebody who pauses keeps no volume from being
unmounted and no file from being recycled.
"""

import os
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache

from core.errors import BadVideoFile, IndexBroken, NothingRecorded
from core.paths import Paths
from nvr.recorder.fmp4 import TIMESCALE
from nvr.recorder.fmp4_reader import MovieFragment, movie_fragment
from nvr.recorder.index import Index, ReasonedGap, Segment, SegmentState
from nvr.recorder.model import Gap
from nvr.recorder.timeline import SMALLEST_GAP
from nvr.recorder.viewing_model import Hole, PlayRequest, Recorded, RecordedFile, Segments, Span, Timeline
from nvr.recorder.volumes import RECORDINGS

PIECE = 256 * 1024  # bytes read at one time
HEAD = 4096  # holds the moof of a usual group of pictures
LARGEST_HEAD = 1 << 20
UNKNOWN = "No pictures; why is not known."
LATE = 15.0  # seconds: a group of pictures lasts 10 s at most, and is on its way for a moment


@dataclass(frozen=True, slots=True)
class Edge:
    """How a camera is recorded now. until: UTC up to which the volume has been given pictures; None: none yet.
    flowing: it is recorded now; reason: why not."""

    until: float | None
    flowing: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Group:
    """A fragment in a file. at, head: where its moof stands and how long that is; size: of moof and mdat."""

    at: int
    head: int
    size: int
    moof: MovieFragment


class Library:
    """Usable from several threads. edge: what the recorder knows of a camera now; None: it is no camera any more."""

    def __init__(
        self, paths: Paths, index: Index, edge: Callable[[str], Edge | None], now: Callable[[], float]
    ) -> None:
        self._paths = paths
        self._index = index
        self._edge = edge
        self._now = now

    def segments(self, span: Span) -> Segments:
        """The files of a span of time. Raises IndexBroken."""
        rows = self._rows(span.camera, span.start, span.end)
        files = (
            RecordedFile(
                row.start / 1000, row.end / 1000, row.bytes, row.frames, row.volume, row.state is SegmentState.OPEN
            )
            for row in rows
        )
        return Segments(span.camera, tuple(files))

    def timeline(self, span: Span) -> Timeline:
        """What there is in a span of time, and why there is nothing in between. Raises IndexBroken."""
        now = self._now()
        start, end = round(span.start * 1000), round(span.end * 1000)
        told = list(self._index.gaps(span.camera, start, end))
        rows = []
        for row in self._rows(span.camera, span.start, span.end):
            if self._is_there(row.volume):
                rows.append(row)
            else:
                reason = f"The video is on volume {row.volume}, which is not there."
                told.append(ReasonedGap(row.start, row.end, reason))
        recorded = merge(rows)
        before = self._index.last_before(span.camera, start)
        marks = [stretch.start for stretch in recorded]
        ends = [stretch.end for stretch in recorded]
        if before is not None:  # what was before the first recording of all is no hole
            ends.insert(0, max(span.start, min(before / 1000, marks[0] if marks else span.start)))
        else:
            marks = marks[1:]
        holes = [Hole(one, other, _reason(told, one, other)) for one, other in zip(ends, marks, strict=False)]
        holes = [hole for hole in holes if hole.end - hole.start > SMALLEST_GAP]
        if ends:
            holes += self._tail(span, ends[-1], now, told)
        return Timeline(span.camera, span.start, span.end, now, recorded, tuple(holes))

    def _tail(self, span: Span, last: float, now: float, told: Sequence[ReasonedGap]) -> list[Hole]:
        """The hole at the end: of a day that is over, or one that lasts still."""
        edge = self._edge(span.camera)
        if edge is None and not told:
            return []
        if span.end < now - LATE:  # who asks for all up to now says a now that is a little earlier
            return [Hole(last, span.end, _reason(told, last, span.end))] if span.end - last > SMALLEST_GAP else []
        if edge is None or now <= last or (edge.flowing and now - last <= LATE):
            return []
        return [Hole(last, now, edge.reason or UNKNOWN, now=True)]

    def _is_there(self, volume: str) -> bool:
        return (self._paths.volumes / volume / RECORDINGS).is_dir()

    def explain(self, camera: str, gap: Gap, reason: str) -> None:
        """Keeps why there are no pictures. An index that fails is told elsewhere."""
        with suppress(IndexBroken):
            self._index.explain_gap(camera, ReasonedGap(round(gap.start * 1000), round(gap.end * 1000), reason))

    def play(self, request: PlayRequest) -> "Player":
        """Video from a moment on. Raises NothingRecorded, IndexBroken."""
        return Player(self, request)

    def _rows(self, camera: str, start: float, end: float) -> tuple[Segment, ...]:
        """A file that is being written ends where the volume has been given pictures up to."""
        edge = self._edge(camera)
        until = round(edge.until * 1000) if edge is not None and edge.until is not None else 0
        rows = self._index.of_camera(camera, round(start * 1000), round(end * 1000))
        following = [*(row.start for row in rows[1:]), until]
        mended = (
            _until(row, min(until, then)) if row.state is SegmentState.OPEN else row
            for row, then in zip(rows, following, strict=False)
        )
        return tuple(row for row in mended if row.end > start * 1000)

    def rows_from(self, camera: str, start: float, end: float | None) -> tuple[Segment, ...]:
        """The next files from a moment on."""
        return self._rows(camera, start, self._now() + 60 if end is None else end)

    def open(self, row: Segment) -> int | None:
        """A descriptor for reading; None when the file is not there: recycled, or its volume is away."""
        path = self._paths.volumes / row.volume / RECORDINGS / row.path
        try:
            return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None


class Player:
    """Iterates over pieces of fragmented MP4, in a thread: reads wait for drives.

    Times in the stream are UTC less `epoch`; ftyp and moov come again when the camera's parameters change.
    """

    def __init__(self, library: Library, request: PlayRequest) -> None:
        self._library = library
        self._camera = request.camera
        self._end = request.end
        self.at = request.start
        """UTC up to which video was given out."""
        self._head = b""
        self._head_of = ("", b"")
        self._groups = self._find()
        first = next(self._groups, None)
        if first is None:
            raise NothingRecorded(
                f"There is no video of {request.camera} from then on.", hint="Its timeline shows what there is."
            )
        self._first: tuple[Segment, Group] | None = first
        self.start = _utc(first[0], first[1])
        """UTC of the first picture."""
        self.epoch = self.start if request.epoch is None else request.epoch
        self.codec = codec_of(self._beginning(first[0]) or b"")

    def __iter__(self) -> Iterator[bytes]:
        if self._first is not None:
            found, self._first = self._first, None
            yield from self._pieces(*found)
        for row, group in self._groups:
            yield from self._pieces(row, group)

    def _find(self) -> Iterator[tuple[Segment, Group]]:
        """The groups of pictures from self.at on, file after file; asks again for files that came meanwhile."""
        seen: dict[tuple[str, str], int] = {}  # how far each file was read
        while True:
            rows = self._library.rows_from(self._camera, self.at, self._end)
            news = False
            for row in rows:
                key = (row.volume, row.path)
                for group in self._groups_of(row, seen.get(key, -1)):
                    seen[key] = group.at
                    end = _utc(row, group) + group.moof.ticks / TIMESCALE
                    if end <= self.at + 0.001:  # files are placed to the millisecond
                        continue
                    if self._end is not None and _utc(row, group) >= self._end:
                        return
                    news = True
                    yield row, group
                    self.at = max(self.at, end)
            if not news:
                return

    def _groups_of(self, row: Segment, behind: int) -> Iterator[Group]:
        fd = self._library.open(row)
        if fd is None:
            return
        try:
            found = list(groups(fd, behind))
        except BadVideoFile:
            return
        finally:
            os.close(fd)
        yield from found

    def _pieces(self, row: Segment, group: Group) -> Iterator[bytes]:
        head = self._beginning(row)
        if head is None:
            return
        if head != self._head:
            self._head = head
            yield head
        at, stop = group.at, group.at + group.size
        first = True
        while at < stop:
            fd = self._library.open(row)
            if fd is None:
                if first:
                    return
                raise BadVideoFile(f"{row.path} went away while it was read.", hint=BadVideoFile.meaning)
            try:
                piece = os.pread(fd, min(PIECE, stop - at), at)
            finally:
                os.close(fd)
            if not piece:
                raise BadVideoFile(f"{row.path} is shorter than it was.", hint=BadVideoFile.meaning)
            at += len(piece)
            yield self._placed(row, group, piece) if first else piece
            first = False

    def _placed(self, row: Segment, group: Group, piece: bytes) -> bytes:
        """The decoding time of the file made that of the stream."""
        ticks = group.moof.start + round((row.start / 1000 - self.epoch) * TIMESCALE)
        at = group.moof.start_at
        return piece[:at] + struct.pack(">Q", max(0, ticks)) + piece[at + 8 :]

    def _beginning(self, row: Segment) -> bytes | None:
        """ftyp and moov of a file; None when it is not there any more. Raises BadVideoFile."""
        if self._head_of[0] == row.path:
            return self._head_of[1]
        fd = self._library.open(row)
        if fd is None:
            return None
        try:
            self._head_of = (row.path, os.pread(fd, _beginning_size(fd), 0))
        finally:
            os.close(fd)
        return self._head_of[1]


def groups(fd: int, behind: int = -1) -> Iterator[Group]:
    """The whole fragments of a file behind a place; one that is being written now is left. Raises BadVideoFile."""
    size = os.fstat(fd).st_size
    at = _beginning_size(fd)
    while at + 8 <= size:
        data = os.pread(fd, HEAD, at)
        length, kind = struct.unpack_from(">I4s", data)
        if kind != b"moof" or not 8 <= length <= LARGEST_HEAD or at + length + 8 > size:
            return
        if length + 8 > len(data):
            data = os.pread(fd, length + 8, at)
        try:
            body, kind = struct.unpack_from(">I4s", data, length)
            moof = movie_fragment(data, 0, length)
        except struct.error:
            return
        if moof is None or kind != b"mdat" or body < 8 or at + length + body > size:
            return
        if at > behind:
            yield Group(at, length, length + body, moof)
        at += length + body


def _beginning_size(fd: int) -> int:
    """Bytes of ftyp and moov. Raises BadVideoFile."""
    at = 0
    for wanted in (b"ftyp", b"moov"):
        data = os.pread(fd, 8, at)
        if len(data) < 8 or data[4:] != wanted:
            raise BadVideoFile("The file does not begin as a recording of Rackeye.", hint=BadVideoFile.meaning)
        at += int.from_bytes(data[:4], "big")
    return at


@lru_cache(maxsize=64)
def codec_of(head: bytes) -> str:
    """The codec as browsers are asked about it, out of a file's moov (avcC: 14496-15, 5.3.3.1)."""
    at = head.find(b"avcC")
    return f"avc1.{head[at + 5 : at + 8].hex()}" if at >= 0 else ""


def merge(rows: Sequence[Segment]) -> tuple[Recorded, ...]:
    """Files that follow one another as one stretch."""
    stretches: list[Recorded] = []
    for row in rows:
        start, end = row.start / 1000, row.end / 1000
        if stretches and start - stretches[-1].end <= SMALLEST_GAP:
            stretches[-1] = Recorded(stretches[-1].start, max(end, stretches[-1].end))
        else:
            stretches.append(Recorded(start, end))
    return tuple(stretches)


def _reason(told: Sequence[ReasonedGap], start: float, end: float) -> str:
    """What was told of most of this time."""
    best, reason = 0.0, UNKNOWN
    for gap in told:
        shared = min(end, gap.end / 1000) - max(start, gap.start / 1000)
        if shared > best:
            best, reason = shared, gap.reason
    return reason


def _until(row: Segment, until: int) -> Segment:
    return replace(row, end=max(row.start, until))


def _utc(row: Segment, group: Group) -> float:
    return row.start / 1000 + group.moof.start / TIMESCALE
