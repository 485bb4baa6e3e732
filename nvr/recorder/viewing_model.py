"""What is said over the recorder's socket for viewers: requests as JSON lines, answers as frames.

A frame: 4 bytes length of what follows, 1 byte channel, contents. Channel 0 holds JSON, others video (fragmented MP4).
"""

import struct
from dataclasses import dataclass

SOCKET = "media/live.sock"
"""Under /run/rackeye; tmpfiles makes the folder: 2750, user rackeye, group rackeye-web."""
FRAME = struct.Struct(">IB")
JSON = 0
"""The channel of messages."""


def frame(channel: int, contents: bytes) -> bytes:
    """As it goes over the socket."""
    return FRAME.pack(1 + len(contents), channel) + contents


@dataclass(frozen=True, slots=True)
class Span:
    """A camera's time. start, end: UTC seconds."""

    camera: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class PlayRequest:
    """Video from the group of pictures that holds `start` (or the next one after it) up to `end`, at the pace of the
    reader. epoch: the UTC at which the stream's time is 0; None: its first picture."""

    camera: str
    start: float
    end: float | None = None
    epoch: float | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One line; exactly one field is set. open, close: live view of a camera."""

    open: str | None = None
    close: str | None = None
    segments: Span | None = None
    timeline: Span | None = None
    play: PlayRequest | None = None


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """One file. start, end: UTC seconds; size: bytes; open: it is being written."""

    start: float
    end: float
    size: int
    frames: int
    volume: str
    open: bool


@dataclass(frozen=True, slots=True)
class Segments:
    """The files of a span of time, by time."""

    camera: str
    files: tuple[RecordedFile, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """Time (UTC) that is on a volume without a hole."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Hole:
    """Time (UTC) without pictures, and why; `now`: it lasts still."""

    start: float
    end: float
    reason: str
    now: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """A span of a camera's time. at: UTC of the answer; what was before the first recording is no hole."""

    camera: str
    start: float
    end: float
    at: float
    recorded: tuple[Recorded, ...] = ()
    holes: tuple[Hole, ...] = ()


@dataclass(frozen=True, slots=True)
class Playing:
    """Before the first byte of video. start: UTC of the first picture; codec: as in RFC 6381."""

    start: float
    epoch: float
    codec: str


@dataclass(frozen=True, slots=True)
class Ended:
    """After the last byte of video. end: UTC up to which there was some."""

    end: float


@dataclass(frozen=True, slots=True)
class Said:
    """An error of a request. code, sentence, hint: as everywhere."""

    code: str
    sentence: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What comes on channel 0: in a live view the camera of a channel (with the codec when its video begins, with an
    error when there is none any more); else the answer to the request."""

    camera: str | None = None
    channel: int | None = None
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    segments: Segments | None = None
    timeline: Timeline | None = None
    playing: Playing | None = None
    ended: Ended | None = None
    error: Said | None = None
