"""Reads the files that fmp4 writes: what is in them, and where the last whole fragment ends."""

import mmap
import os
import struct
from dataclasses import dataclass

from core.errors import BadVideoFile
from nvr.recorder.fmp4 import TIMESCALE


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds up to `whole` bytes; behind that the tail is torn."""

    whole: int
    size: int
    frames: int
    fragments: int
    duration: float  # seconds

    @property
    def torn(self) -> int:
        """Bytes of the torn tail."""
        return self.size - self.whole


@dataclass(frozen=True, slots=True)
class MovieFragment:
    """A moof. start, ticks: decoding time and how long it lasts; start_at: where the start stands, from the moof's
    beginning; data_at: of the first sample, from there too."""

    start: int
    ticks: int
    sizes: tuple[int, ...]
    data_at: int
    start_at: int


def read_contents(fd: int) -> Contents:
    """Walks a file. Raises BadVideoFile when it has no whole ftyp and moov of ours.

    The NAL units are followed too: a power cut can leave a file with its full length and zeros in it, and no NAL unit
    has no bytes or ends with a zero (ITU-T H.264, 7.4.1).
    """
    size = os.fstat(fd).st_size
    if size == 0:
        raise BadVideoFile("The file is empty.", hint=BadVideoFile.meaning)
    with mmap.mmap(fd, 0, prot=mmap.PROT_READ) as data:
        at = _beginning(data)
        frames = fragments = end = 0
        while (following := _fragment(data, at)) is not None:
            fragment, at = following
            frames += len(fragment.sizes)
            fragments += 1
            end = fragment.start + fragment.ticks
        return Contents(at, size, frames, fragments, end / TIMESCALE)


def _box(data: mmap.mmap | bytes, at: int) -> tuple[bytes, int] | None:
    """Type and end of the box at `at`; None when it is not whole."""
    if at + 8 > len(data):
        return None
    length, kind = struct.unpack_from(">I4s", data, at)
    return (kind, at + length) if 8 <= length <= len(data) - at else None


def _beginning(data: mmap.mmap) -> int:
    at = 0
    for wanted in (b"ftyp", b"moov"):
        found = _box(data, at)
        if found is None or found[0] != wanted:
            raise BadVideoFile("The file does not begin as a recording of Rackeye.", hint=BadVideoFile.meaning)
        at = found[1]
    return at


def _fragment(data: mmap.mmap, at: int) -> tuple[MovieFragment, int] | None:
    """The fragment at `at` and where it ends; None when it is torn."""
    head = _box(data, at)
    body = _box(data, head[1]) if head is not None else None
    if head is None or body is None or head[0] != b"moof" or body[0] != b"mdat":
        return None
    try:
        fragment = movie_fragment(data, at, head[1])
    except struct.error:
        return None
    if fragment is None or at + fragment.data_at + sum(fragment.sizes) != body[1]:
        return None
    return (fragment, body[1]) if _samples_are_whole(data, at + fragment.data_at, fragment.sizes) else None


def movie_fragment(data: mmap.mmap | bytes, at: int, end: int) -> MovieFragment | None:
    """The moof in data[at:end]; None when it is none of ours. Raises struct.error."""
    boxes: dict[bytes, int] = {}
    inside = at + 8
    while inside < end:
        found = _box(data, inside)
        if found is None:
            return None
        boxes[found[0]] = inside
        inside = inside + 8 if found[0] == b"traf" else found[1]
    if not {b"tfdt", b"trun"} <= boxes.keys():
        return None
    (start,) = struct.unpack_from(">Q", data, boxes[b"tfdt"] + 12)
    flags, count, data_at = struct.unpack_from(">III", data, boxes[b"trun"] + 8)
    width = 4 if flags & 0x800 else 3
    rows = struct.unpack_from(f">{count * width}I", data, boxes[b"trun"] + 20)
    return MovieFragment(start, sum(rows[0::width]), rows[1::width], data_at, boxes[b"tfdt"] + 12 - at)


def _samples_are_whole(data: mmap.mmap, at: int, sizes: tuple[int, ...]) -> bool:
    for size in sizes:
        end = at + size
        while at < end:
            (length,) = struct.unpack_from(">I", data, at)
            at += 4 + length
            if length == 0 or at > end or data[at - 1] == 0:
                return False
        if at != end:
            return False
    return True
