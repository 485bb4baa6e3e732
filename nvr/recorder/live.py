"""Pictures to those who watch: one fan-out a camera, which exists only while somebody watches.

The pictures of one sweep (0.1 s) become one fragment, made once for all viewers. One picture is held back: only
the next one tells how long it lasts, and browsers drop pictures after a length that was guessed too short. A viewer
that does not keep up loses pictures up to the next key frame; nobody waits for it.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from core.clock import Clock
from core.errors import RackeyeError
from core.journal import get_logger
from nvr.cameras.depacketizer import AccessUnit
from nvr.cameras.h264 import ParameterSets, PictureSize, picture_size
from nvr.recorder.fmp4 import KEY_FLAGS, OTHER_FLAGS, beginning, codec, movie_fragment
from nvr.recorder.gop import JUMP_AHEAD, JUMP_BACK, TICKS, USUAL_TICKS
from nvr.recorder.recording import Recording

# What a newcomer gets at once: the pictures since the last key frame. More than this is not kept for him: he waits.
KEPT_BYTES = 4 << 20
log = get_logger("rackeye-recorder")


class Viewer(Protocol):
    """Somebody who watches one camera; never waits."""

    def begin(self, name: str, size: PictureSize, head: bytes) -> None:
        """Another stream: its codec's name, its size, and ftyp with moov. The next fragment begins with a key frame."""

    def show(self, fragment: bytes) -> bool:
        """moof and mdat; False: not taken, the viewer is too slow."""


class LiveTimeline:
    """Decoding times that only go on, whatever the camera's clock does. All in ticks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shift: int | None = None
        self._last_shown = 0  # of the last picture
        self._last_decoded = -1
        self._at = 0.0  # monotonic, of the last picture
        self._reordered = False  # pictures are shown in another order than they are decoded: there are B frames
        self._usual = USUAL_TICKS
        self._group_began, self._group_size = 0, 0

    def place(self, unit: AccessUnit) -> tuple[int, int]:
        """When a picture is decoded and when it is shown."""
        now = self._clock.monotonic()
        if self._shift is None:
            self._shift = -unit.time
        elif not -JUMP_BACK < unit.time + self._shift - self._last_shown < JUMP_AHEAD:
            self._shift = self._last_shown + max(1, round((now - self._at) * TICKS)) - unit.time
        shown = max(0, unit.time + self._shift)
        self._last_shown, self._at = shown, now
        self._last_decoded = self._decoded(shown, unit.key)
        return self._last_decoded, shown

    def broken(self) -> None:
        """The session is over: the next picture is placed by the clock."""
        if self._shift is not None:
            self._shift += JUMP_AHEAD * 1_000_000

    def _decoded(self, shown: int, key: bool) -> int:
        following = self._last_decoded + 1
        if key:
            if self._group_size and shown > self._group_began:
                self._usual = (shown - self._group_began) // self._group_size
            self._group_began, self._group_size = shown, 1
            return max(following, shown)
        self._group_size += 1
        if shown < following:
            self._reordered = True
        return self._last_decoded + self._usual if self._reordered else max(following, shown)


class LiveCamera:
    """The fan-out of one camera. `add` and `ended` are called by its recording while there are viewers."""

    def __init__(self, camera: str, clock: Clock) -> None:
        self.camera = camera
        self._clock = clock
        self._recording: Recording | None = None
        self._viewers: dict[Viewer, bool] = {}  # whether it waits for a key frame
        self._start_anew()

    def _start_anew(self) -> None:
        self._timeline = LiveTimeline(self._clock)
        self._arrived: list[AccessUnit] = []
        self._held: tuple[AccessUnit, int, int] | None = None  # the last picture: decoded, shown
        self._kept: list[bytes] = []  # since the last key frame
        self._parameters: ParameterSets | None = None
        self._head = b""
        self._size = PictureSize(0, 0)
        self._number = 0
        self._scheduled = False

    def attach(self, recording: Recording | None) -> None:
        """Where the pictures come from; None: from nowhere, the camera was removed."""
        if self._recording is not None:
            self._recording.watcher = None
        self._recording = recording
        self._timeline.broken()
        if recording is not None and self._viewers:
            recording.watcher = self

    def join(self, viewer: Viewer) -> None:
        """Shows what is there since the last key frame, and goes on from there."""
        first = not self._viewers
        self._viewers[viewer] = True
        if first and self._recording is not None:
            self._start_anew()
            self._arrived.extend(self._recording.pending)
            self._recording.watcher = self
            self._flush()
        elif self._head and self._kept:
            viewer.begin(codec(self._sets), self._size, self._head)
            self._viewers[viewer] = not all(viewer.show(fragment) for fragment in self._kept)

    def leave(self, viewer: Viewer) -> None:
        """The last one turns it off."""
        self._viewers.pop(viewer, None)
        if not self._viewers:
            if self._recording is not None:
                self._recording.watcher = None
            self._start_anew()

    def add(self, unit: AccessUnit) -> None:
        """A picture arrived; it is dealt with right after the sweep."""
        self._arrived.append(unit)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def ended(self) -> None:
        """The camera's session is over."""
        self._flush()
        self._emit_held()
        self._timeline.broken()

    @property
    def _sets(self) -> ParameterSets:
        assert self._parameters is not None  # whoever asks has seen a head
        return self._parameters

    def _flush(self) -> None:
        """Never raises: a defect here must not reach the recording."""
        self._scheduled = False
        units, self._arrived = self._arrived, []
        try:
            self._take(units)
        except RackeyeError as error:  # parameter sets that make no sense end the session by the recording itself
            log.warning(f"Live view of {self.camera}: {error.sentence}", camera=self.camera)
        except Exception:
            log.exception("Live view failed through a defect", camera=self.camera)

    def _take(self, units: Sequence[AccessUnit]) -> None:
        group: list[tuple[AccessUnit, int, int]] = []
        for unit in units:
            decoded, shown = self._timeline.place(unit)
            if self._held is not None:
                group.append(self._held)
            if group and (unit.key or unit.parameters != self._parameters):
                self._emit(group, decoded)
                group = []
            if unit.parameters != self._parameters:
                self._new_stream(unit.parameters)
            self._held = (unit, decoded, shown)
        if group and self._held is not None:
            self._emit(group, self._held[1])

    def _emit_held(self) -> None:
        """The last picture before a break: nobody knows how long it lasts."""
        if self._held is not None:
            self._emit([self._held], self._held[1] + USUAL_TICKS)
            self._held = None

    def _new_stream(self, parameters: ParameterSets) -> None:
        self._head, self._size = beginning(parameters), picture_size(parameters.sps[0])
        self._parameters = parameters
        self._kept = []
        for viewer in self._viewers:
            self._viewers[viewer] = True

    def _emit(self, group: Sequence[tuple[AccessUnit, int, int]], end: int) -> None:
        self._number += 1
        reordered = any(decoded != shown for _, decoded, shown in group)
        rows: list[int] = []
        following = [*(decoded for _, decoded, _ in group[1:]), end]
        for (unit, decoded, shown), then in zip(group, following, strict=True):
            rows += (max(1, then - decoded), len(unit.data), KEY_FLAGS if unit.key else OTHER_FLAGS)
            if reordered:
                rows.append((shown - decoded) & 0xFFFFFFFF)
        size = sum(len(unit.data) for unit, _, _ in group)
        head = movie_fragment(self._number, group[0][1], rows, size, reordered=reordered)
        self._deliver(b"".join((head, *(unit.data for unit, _, _ in group))), group[0][0].key)

    def _deliver(self, fragment: bytes, key: bool) -> None:
        if key:
            self._kept = [fragment]
        elif self._kept:
            self._kept.append(fragment)
            if sum(map(len, self._kept)) > KEPT_BYTES:
                self._kept = []
        for viewer, waiting in tuple(self._viewers.items()):
            if waiting and not key:
                continue
            if waiting:
                viewer.begin(codec(self._sets), self._size, self._head)
            self._viewers[viewer] = not viewer.show(fragment)


class Live:
    """All cameras' fan-outs; in the event loop's thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._cameras: dict[str, LiveCamera] = {}
        self._recordings: dict[str, Recording] = {}

    def attach(self, camera: str, recording: Recording | None) -> None:
        """A camera is recorded from now on; None: it was removed."""
        if recording is None:
            self._recordings.pop(camera, None)
        else:
            self._recordings[camera] = recording
        if camera in self._cameras:
            self._cameras[camera].attach(recording)

    def join(self, camera: str, viewer: Viewer) -> None:
        """Watches a camera; one that sends nothing shows nothing until it does."""
        fan_out = self._cameras.get(camera)
        if fan_out is None:
            fan_out = self._cameras[camera] = LiveCamera(camera, self._clock)
            fan_out.attach(self._recordings.get(camera))
        fan_out.join(viewer)

    def leave(self, camera: str, viewer: Viewer) -> None:
        """Watches no longer."""
        if camera in self._cameras:
            self._cameras[camera].leave(viewer)
