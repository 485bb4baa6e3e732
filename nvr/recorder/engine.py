"""The recorder's cycle: observe and act around the pure `decide`, and what runs between the looks.

Sessions live in the event loop, writers in a thread each; looks and actions run in the daemon's worker thread and reach
sessions only through the loop.
"""

import asyncio
import os
import threading
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, assert_never

import msgspec

from core.clock import Clock
from core.config import Loaded, layers, load_settings, write_atomic
from core.daemon import Decision, Wake
from core.errors import IndexBroken, RackeyeError, VolumeFailed
from core.journal import get_logger
from core.paths import Paths
from core.settings import Camera, Settings
from nvr.cameras.session import Limits, Shared
from nvr.recorder import decide as deciding
from nvr.recorder import files
from nvr.recorder.decide import (
    Action,
    Assign,
    CloseVolume,
    Connect,
    Disconnect,
    Memory,
    OpenVolume,
    Recycle,
    Snapshot,
    WriterNow,
)
from nvr.recorder.index import Segment, Totals, open_index
from nvr.recorder.live import Live
from nvr.recorder.model import RecorderSnapshot
from nvr.recorder.playback import Edge, Library
from nvr.recorder.recording import Recording
from nvr.recorder.station import Station
from nvr.recorder.viewing import Viewing
from nvr.recorder.views import camera_state, show
from nvr.recorder.volumes import MountEvents, VolumeNow, find_volumes, open_volume, reserve_bytes
from nvr.recorder.writer import VolumeWriter

OLDEST = 64  # files of a volume that one look considers for recycling
LOOP_LIMIT = 15.0  # seconds that an action waits for the loop
T = TypeVar("T")
log = get_logger("rackeye-recorder")


class Recorder:
    """The cycle of rackeye-recorder (core/daemon.py), with `live` as one of its sources."""

    def __init__(self, paths: Paths, clock: Clock) -> None:
        self.paths = paths
        self.clock = clock
        self.index, self.index_problem = open_index(index_file(paths))
        if self.index_problem:
            log.error(self.index_problem)
        self.stations: dict[str, Station] = {}
        self.writers: dict[str, tuple[VolumeWriter, int]] = {}  # by volume; the mount that it was opened on
        self.totals: dict[str, Totals] = {}
        self._shared = Shared()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: Wake = lambda: None
        self._loaded: Loaded[Settings] = Loaded(Settings())
        self._seen: tuple[object, ...] = ()
        self._saved: bytes = b""
        self._live = Live(clock)
        library = Library(paths, self.index, self._edge, clock.now)
        self._viewing = Viewing(paths, self._live, library, self._names)
        self._first_look = True  # gaps since the last run are counted for the cameras that are there from the start

    # -- what runs between the looks ------------------------------------------------------------------------------

    async def live(self, wake: Wake) -> None:
        """Source of the daemon: wakes at mounts; ends sessions and writers when it is cancelled."""
        loop = asyncio.get_running_loop()
        self._loop, self._wake = loop, wake
        mounts = MountEvents(self.paths)
        loop.add_reader(mounts.fileno(), wake)
        if said := await self._viewing.start():
            log.warning(said)
        try:
            await loop.create_future()
        finally:
            loop.remove_reader(mounts.fileno())
            mounts.close()
            await self._viewing.stop()
            await self.shut_down()

    def wake(self) -> None:
        """Asks for a look soon; from any thread."""
        self._wake()

    async def shut_down(self) -> None:
        """Everything that has come is written, then all is closed. At most one group of pictures a camera is lost."""
        await asyncio.gather(*(station.disconnect() for station in self.stations.values()))
        writers, self.writers = tuple(self.writers.values()), {}
        await asyncio.gather(*(asyncio.to_thread(writer.stop) for writer, _ in writers))

    # -- observe --------------------------------------------------------------------------------------------------

    def observe(self) -> Snapshot:
        """The world; what the index cannot tell becomes a problem, never a stop."""
        loaded = self._settings()
        volumes = find_volumes(self.paths)
        problems = [*loaded.problems]
        writers = dict(self.writers)
        oldest: dict[str, tuple[Segment, ...]] = {}
        try:
            for volume in volumes:
                self.totals[volume.name] = self.index.totals(volume.name)
                if volume.name in writers:
                    oldest[volume.name] = self.index.oldest(volume.name, OLDEST)
        except IndexBroken as error:
            problems.append(error.sentence)
        stations = dict(self.stations)
        return Snapshot(
            loaded.settings.cameras,
            tuple(station.session for station in stations.values() if station.session is not None),
            volumes,
            tuple(WriterNow(name, mount, writer.failure) for name, (writer, mount) in writers.items()),
            {name: station.volume for name, station in stations.items() if station.volume is not None},
            oldest,
            loaded.settings.recorder.reserve_percent,
            tuple(problems),
        )

    def reload(self) -> None:
        """SIGHUP: the files are read again whatever their times say."""
        self._seen = ()

    def _settings(self) -> Loaded[Settings]:
        seen = tuple(_stamp(file) for file in layers(self.paths))
        if seen != self._seen:
            self._loaded = load_settings(Settings, self.paths)
            self._seen = seen
            segment_seconds = self._loaded.settings.recorder.segment_seconds
            for station in self.stations.values():
                station.recording.segment_seconds = segment_seconds
        return self._loaded

    # -- decide, show, save ---------------------------------------------------------------------------------------

    def decide(self, snapshot: Snapshot, memory: Memory, now: float) -> Decision[Memory, Action]:
        return deciding.decide(snapshot, memory, now)

    def show(self, snapshot: Snapshot, memory: Memory, problems: tuple[str, ...]) -> RecorderSnapshot:
        self._first_look = False
        writers = {name: writer for name, (writer, _) in self.writers.items()}
        extra = (self.index_problem,) if self.index_problem else ()
        return show(snapshot, memory, self.stations, writers, self.totals, self.clock, (*problems, *extra))

    def save(self, memory: Memory) -> None:
        """Only where cameras belong outlives a restart."""
        data = msgspec.json.encode(dict(memory.homes))
        if data != self._saved:
            write_atomic(memory_file(self.paths), data)
            self._saved = data

    # -- act ------------------------------------------------------------------------------------------------------

    def act(self, action: Action) -> str:
        match action:
            case OpenVolume():
                return self._open(action.volume)
            case CloseVolume():
                return self._close(action.volume, action.reason)
            case Assign():
                return self._in_loop(self._assign(action.camera, action.volume))
            case Connect():
                return self._in_loop(self._connect(action.camera, action.delay))
            case Disconnect():
                return self._in_loop(self._disconnect(action.camera))
            case Recycle():
                return self._recycle(action.volume, action.segments)
            case _:
                assert_never(action)

    def _open(self, volume: VolumeNow) -> str:
        recordings = open_volume(volume, self.paths)
        try:
            news = self._know(volume, recordings)
            duplicate = os.dup(recordings)
        except OSError as error:
            os.close(recordings)
            raise VolumeFailed(f"Volume {volume.name} cannot be read: {error.strerror}.") from error
        except RackeyeError as error:  # the index fails; video goes on
            log.error(error.sentence, volume=volume.name)
            news, duplicate = False, -1
        reserve = reserve_bytes(volume.total, self._loaded.settings.recorder.reserve_percent)
        writer = VolumeWriter(volume.name, recordings, self.index, reserve, self.wake)
        self.writers[volume.name] = (writer, volume.mount or 0)
        if news:
            threading.Thread(target=self._adopt, args=(volume, duplicate), daemon=True).start()
        elif duplicate >= 0:
            os.close(duplicate)
        return f"Volume {volume.name} is ready to record."

    def _know(self, volume: VolumeNow, recordings: int) -> bool:
        """Closes what an interruption left open. True: the index has not seen this volume, and must read its files."""
        known = self.index.volume_uuid(volume.name)
        if known not in (None, volume.uuid):  # another volume of that name: its rows are about files that are not here
            self.index.forget_volume(volume.name)
        for sentence in files.mend_open(self.index, recordings, volume.name):
            log.info(sentence, volume=volume.name)
        return known != volume.uuid

    def _adopt(self, volume: VolumeNow, recordings: int) -> None:
        """In a thread of its own: a full volume takes minutes, and is recorded to meanwhile."""
        try:
            added, bad = files.adopt_all(self.index, recordings, volume.name)
            self.index.know_volume(volume.name, volume.uuid)
            if added or bad:
                log.info(f"Index of {volume.name}: {added} files put in, {bad} cannot be read.", volume=volume.name)
        except (OSError, RackeyeError) as error:
            log.error(f"The index of {volume.name} could not be built from its files: {error}", volume=volume.name)
        finally:
            os.close(recordings)

    def _close(self, volume: str, reason: str) -> str:
        found = self.writers.pop(volume, None)
        if found is None:
            return f"Volume {volume} is closed already."
        stopped = found[0].stop(reason, wait=3.0)
        self._in_loop(self._unassign(volume))
        return reason if stopped else f"{reason} Its drives do not answer; what was open is mended later."

    def _names(self) -> frozenset[str]:
        return frozenset(camera.name for camera in self._loaded.settings.cameras)

    def _edge(self, name: str) -> Edge | None:
        """How a camera is recorded now; asked by playback's threads."""
        camera = next((camera for camera in self._loaded.settings.cameras if camera.name == name), None)
        if camera is None:
            return None
        station = self.stations.get(name)
        state, detail = camera_state(camera, station)
        until = station.recording.coverage.until if station is not None else None
        return Edge(until, station is not None and station.recording.flowing, detail or f"The camera is {state.value}.")

    def _recycle(self, volume: str, segments: tuple[Segment, ...]) -> str:
        found = self.writers.get(volume)
        if found is None:
            raise VolumeFailed(f"Volume {volume} was closed just now: nothing was recycled.")
        recordings = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=found[0].recordings)
        try:
            for segment in segments:
                files.remove_file(recordings, segment.path)
                self.index.forget(volume, segment.path)
        finally:
            os.close(recordings)
        size = sum(segment.bytes for segment in segments) / 1e6
        return f"Volume {volume}: the {len(segments)} oldest files, {size:.0f} MB, made room."

    # -- in the loop ----------------------------------------------------------------------------------------------

    def _in_loop(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._loop is not None  # `live` is started before the first look
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(LOOP_LIMIT)

    def _station(self, name: str) -> Station | None:
        camera = next((camera for camera in self._loaded.settings.cameras if camera.name == name), None)
        if name not in self.stations and camera is not None:
            until = None
            if self._first_look:
                with suppress(IndexBroken):
                    until = self.index.recorded_until(name)
            seconds = self._loaded.settings.recorder.segment_seconds
            recording = Recording(name, self.clock, seconds, until / 1000 if until is not None else None)
            self.stations[name] = Station(camera, recording, self._shared, self.wake, self._viewing.explain)
            self._live.attach(name, recording)
        return self.stations.get(name)

    async def _assign(self, name: str, volume: str | None) -> str:
        station = self._station(name)
        writer = self.writers.get(volume or "")
        if station is None or (volume is not None and writer is None):
            return f"Camera {name} or volume {volume} is gone."
        station.volume = volume
        station.recording.use(writer[0] if writer is not None else None)
        return f"Camera {name} goes to volume {volume}." if volume else f"NOTHING IS RECORDED of {name}: no volume."

    async def _unassign(self, volume: str) -> None:
        for station in self.stations.values():
            if station.volume == volume:
                station.volume = None
                station.recording.use(None)

    async def _connect(self, camera: Camera, delay: float) -> str:
        station = self._station(camera.name)
        if station is None:
            return f"Camera {camera.name} was removed."
        station.connect(camera, Limits(dead=self._loaded.settings.recorder.dead_seconds), delay)
        return f"Camera {camera.name} is connected in {delay:.1f} s."

    async def _disconnect(self, name: str) -> str:
        station = self.stations.get(name)
        if station is not None:
            await station.disconnect()
            wanted = {camera.name for camera in self._loaded.settings.cameras if camera.enabled}
            if name not in wanted:
                station.recording.use(None)
                del self.stations[name]
                self._live.attach(name, None)
        return f"Camera {name} is disconnected."


def _stamp(file: Path) -> object:
    try:
        found = file.stat()
    except OSError as error:
        return error.errno
    return (found.st_ino, found.st_mtime_ns, found.st_size)


def index_file(paths: Paths) -> Path:
    """Where the index lies."""
    return paths.state / "recorder/index.sqlite"


def memory_file(paths: Paths) -> Path:
    """Where the memory lies."""
    return paths.state / "recorder/memory.json"


def load_memory(paths: Paths) -> Memory:
    """What was saved; a spoilt file is no more than a new start."""
    with suppress(OSError, msgspec.MsgspecError):
        return Memory(homes=msgspec.json.decode(memory_file(paths).read_bytes(), type=dict[str, str]))
    return Memory()


