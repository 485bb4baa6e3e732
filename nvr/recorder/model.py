"""What the recorder shows: cameras, volumes, gaps; and its commands. Crosses the bus as JSON."""

from dataclasses import dataclass, field
from enum import StrEnum


class CameraState(StrEnum):
    """What a person must know about a camera; while it is tried again, the last failure stays."""

    DISABLED = "disabled"
    CONNECTING = "connecting"
    RECORDING = "recording"
    NO_VOLUME = "no volume"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    WRONG_PASSWORD = "wrong password"  # noqa: S105 -- the name of a state
    BAD_STREAM = "bad stream"
    FROZEN = "frozen"


class VolumeState(StrEnum):
    """Only a volume that is ready is ever written to."""

    READY = "ready"
    UNMOUNTED = "unmounted"
    NO_IDENTITY = "no identity"
    SYSTEM_DRIVE = "system drive"
    READ_ONLY = "read-only"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Gap:
    """Time (UTC) for which there is no picture on any volume although the camera should have been recorded."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class CameraView:
    """url: without credentials. volume: where it is recorded now. bitrate: bit/s over the last ten seconds or so.
    frames: since the recorder started. last_frame: UTC. recorded_until: the end of what was handed to the volume;
    gaps: the last ones; gap_seconds, gap_count: all since the recorder started, the time it was down included."""

    name: str
    url: str
    state: CameraState
    detail: str = ""
    volume: str | None = None
    width: int = 0
    height: int = 0
    bitrate: float = 0.0
    frames: int = 0
    last_frame: float | None = None
    recorded_until: float | None = None
    gaps: tuple[Gap, ...] = ()
    gap_seconds: float = 0.0
    gap_count: int = 0
    packets_lost: int = 0
    reconnects: int = 0


@dataclass(frozen=True, slots=True)
class VolumeView:
    """free, total, reserve: bytes. cameras: recorded here now. segments, recorded: files and their bytes by the index;
    oldest: UTC of the first picture."""

    name: str
    path: str
    state: VolumeState
    detail: str = ""
    free: int = 0
    total: int = 0
    reserve: int = 0
    cameras: tuple[str, ...] = ()
    segments: int = 0
    recorded: int = 0
    oldest: float | None = None


@dataclass(frozen=True, slots=True)
class RecorderSnapshot:
    """problems: sentences for people, the worst first."""

    cameras: tuple[CameraView, ...] = ()
    volumes: tuple[VolumeView, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AddCamera:
    """volume: a fixed one; None: spread evenly. The URL may hold the credentials in place of user and password."""

    name: str
    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    volume: str | None = None


@dataclass(frozen=True, slots=True)
class RemoveCamera:
    """Its recordings stay until they are recycled."""

    name: str
