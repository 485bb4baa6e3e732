"""What people see of the recorder, made of what is known; pure."""

from collections.abc import Mapping

from core.clock import Clock
from core.errors import (
    BadCamera,
    BadStream,
    CameraClosed,
    CameraFrozen,
    CameraRefused,
    CameraUnreachable,
    RackeyeError,
    WrongPassword,
)
from core.settings import Camera
from core.units import human_bytes
from nvr.recorder.decide import Memory, Snapshot
from nvr.recorder.index import Totals
from nvr.recorder.model import CameraState, CameraView, RecorderSnapshot, VolumeState, VolumeView
from nvr.recorder.station import Station
from nvr.recorder.volumes import VolumeNow, reserve_bytes
from nvr.recorder.writer import VolumeWriter

STATES: dict[type[RackeyeError], CameraState] = {
    CameraRefused: CameraState.REFUSED,
    CameraUnreachable: CameraState.UNREACHABLE,
    CameraClosed: CameraState.UNREACHABLE,
    WrongPassword: CameraState.WRONG_PASSWORD,
    BadStream: CameraState.BAD_STREAM,
    CameraFrozen: CameraState.FROZEN,
    BadCamera: CameraState.REFUSED,
}
NO_VOLUME = "No recording volume is there: nothing is recorded."


def show(  # noqa: PLR0917 -- each is another part of what is known
    snapshot: Snapshot,
    memory: Memory,
    stations: Mapping[str, Station],
    writers: Mapping[str, VolumeWriter],
    totals: Mapping[str, Totals],
    clock: Clock,
    problems: tuple[str, ...],
) -> RecorderSnapshot:
    """The snapshot for the bus. problems: of looks, actions and the index."""
    cameras = tuple(camera_view(camera, stations.get(camera.name), clock) for camera in snapshot.cameras)
    volumes = tuple(volume_view(volume, snapshot, cameras, writers, totals) for volume in snapshot.volumes)
    said = (*_no_volume(cameras), *_away(snapshot, memory), *_full(snapshot), *_troubles(writers))
    return RecorderSnapshot(cameras, volumes, (*said, *snapshot.problems, *problems))


def camera_state(camera: Camera, station: Station | None) -> tuple[CameraState, str]:
    """A camera's state and a sentence about it. Without a volume nothing else matters as much."""
    if not camera.enabled:
        return CameraState.DISABLED, ""
    if station is None:
        return CameraState.CONNECTING, ""
    failure = station.failure
    if station.volume is None:
        return CameraState.NO_VOLUME, f"{NO_VOLUME} {failure.sentence}" if failure else NO_VOLUME
    if station.recording.flowing:
        return CameraState.RECORDING, ""
    if failure is not None:
        return STATES.get(type(failure), CameraState.BAD_STREAM), failure.sentence
    return CameraState.CONNECTING, ""


def camera_view(camera: Camera, station: Station | None, clock: Clock) -> CameraView:
    """What is told of a camera; never its credentials."""
    state, detail = camera_state(camera, station)
    url = "rtsp://" + camera.url.removeprefix("rtsp://").rpartition("@")[2]
    if station is None:
        return CameraView(camera.name, url, state, detail)
    figures, coverage = station.recording.figures, station.recording.coverage
    return CameraView(
        camera.name,
        url,
        state,
        detail,
        station.volume,
        figures.size.width,
        figures.size.height,
        round(figures.bitrate(clock.monotonic())),
        figures.frames,
        _moment(figures.last_frame),
        _moment(coverage.until),
        tuple(coverage.gaps),
        round(coverage.total, 3),
        coverage.count,
        station.packets_lost,
        station.reconnects,
    )


def _moment(utc: float | None) -> float | None:
    return None if utc is None else round(utc, 3)


def volume_view(
    volume: VolumeNow,
    snapshot: Snapshot,
    cameras: tuple[CameraView, ...],
    writers: Mapping[str, VolumeWriter],
    totals: Mapping[str, Totals],
) -> VolumeView:
    """What is told of a volume. One that is mounted well and cannot be opened for writing has failed."""
    state, detail = volume.state, volume.detail
    writer = writers.get(volume.name)
    if writer is not None and writer.failure:
        state, detail = VolumeState.FAILED, writer.failure
    elif writer is None and state is VolumeState.READY:
        state, detail = VolumeState.FAILED, f"{volume.path} is not open for recording; it is tried again."
    total = totals.get(volume.name, Totals(0, 0, None))
    return VolumeView(
        volume.name,
        volume.path,
        state,
        detail,
        volume.free,
        volume.total,
        reserve_bytes(volume.total, snapshot.reserve_percent),
        tuple(camera.name for camera in cameras if camera.volume == volume.name),
        total.segments,
        total.bytes,
        None if total.oldest is None else total.oldest / 1000,
    )


def _no_volume(cameras: tuple[CameraView, ...]) -> tuple[str, ...]:
    without = [camera.name for camera in cameras if camera.state is CameraState.NO_VOLUME]
    if not without:
        return ()
    return (f"NOTHING IS RECORDED of {', '.join(without)}: no recording volume is there.",)


def _away(snapshot: Snapshot, memory: Memory) -> tuple[str, ...]:
    """Cameras that are not where they belong."""
    said = []
    open_now = {writer.volume for writer in snapshot.writers if not writer.failure}
    detail = {volume.name: volume.detail for volume in snapshot.volumes}
    for home in sorted({*memory.homes.values()} - open_now):
        guests = sorted(
            f"{camera.name} on {snapshot.assigned[camera.name]}"
            for camera in snapshot.cameras
            if memory.homes.get(camera.name) == home and snapshot.assigned.get(camera.name) not in (None, home)
        )
        if guests:
            why = detail.get(home) or f"There is no volume {home}."
            said.append(f"Volume {home} cannot be recorded to: {why} Meanwhile {', '.join(guests)}.")
    return tuple(said)


def _full(snapshot: Snapshot) -> tuple[str, ...]:
    return tuple(
        f"Volume {volume.name} has only {human_bytes(volume.free)} left and nothing on it can be recycled."
        for volume in snapshot.volumes
        if volume.name in snapshot.oldest
        and not snapshot.oldest[volume.name]
        and volume.free < reserve_bytes(volume.total, snapshot.reserve_percent)
    )


def _troubles(writers: Mapping[str, VolumeWriter]) -> tuple[str, ...]:
    return tuple(writer.trouble for writer in writers.values() if writer.trouble)
