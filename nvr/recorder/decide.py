"""What the recorder does next: pure. Which camera is connected when, which volume is whose, what is recycled."""

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from core.daemon import Decision
from core.settings import Camera
from nvr.recorder.index import Segment
from nvr.recorder.model import VolumeState
from nvr.recorder.volumes import VolumeNow, reserve_bytes

STAGGER = 0.05  # seconds between two first connects: 128 at one time saturate two cores (facts/recorder.md)
BACK_OFF_MIN, BACK_OFF_MAX = 1.0, 30.0
RETRY_VOLUME = 20.0  # seconds until a volume that failed is tried again
SETTLE_FREE = 3.0  # seconds until the file system counts what was removed as free (XFS does it in the background)
SLACK_PERCENT, SLACK_MOST = 0.5, 1 << 30  # recycled at one time beyond the reserve


class SessionPhase(StrEnum):
    """Where a camera's session is."""

    RUNNING = "running"  # waiting for its turn, connecting, playing
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class SessionNow:
    """camera: the settings that it runs with. played: it has brought pictures."""

    camera: Camera
    phase: SessionPhase
    played: bool


@dataclass(frozen=True, slots=True)
class WriterNow:
    """A volume that is open. mount: of the mount that it was opened on; failure: why it does not write any more."""

    volume: str
    mount: int
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The world as the recorder sees it. assigned: camera -> volume it writes to; oldest: closed files of each volume,
    oldest first, of all cameras."""

    cameras: tuple[Camera, ...] = ()
    sessions: tuple[SessionNow, ...] = ()
    volumes: tuple[VolumeNow, ...] = ()
    writers: tuple[WriterNow, ...] = ()
    assigned: Mapping[str, str] = field(default_factory=dict)
    oldest: Mapping[str, tuple[Segment, ...]] = field(default_factory=dict)
    reserve_percent: float = 5.0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """homes: camera -> volume it belongs to (outlives a restart). failures: camera -> connects in a row that brought no
    picture. retry: volume -> (mount, when it may be opened again, UTC). freed: volume -> when files were removed."""

    homes: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    retry: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    freed: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenVolume:
    """Begin to write to a volume, after mending what an interruption left."""

    volume: VolumeNow


@dataclass(frozen=True, slots=True)
class CloseVolume:
    """Stop writing at once."""

    volume: str
    reason: str


@dataclass(frozen=True, slots=True)
class Assign:
    """A camera's pictures go to this volume from the next key frame on; None: nowhere."""

    camera: str
    volume: str | None


@dataclass(frozen=True, slots=True)
class Connect:
    """A session, in so many seconds."""

    camera: Camera
    delay: float


@dataclass(frozen=True, slots=True)
class Disconnect:
    """End a session: the camera was removed, switched off, or its settings changed."""

    camera: str


@dataclass(frozen=True, slots=True)
class Recycle:
    """Remove the oldest files of a volume."""

    volume: str
    segments: tuple[Segment, ...]


Action = OpenVolume | CloseVolume | Assign | Connect | Disconnect | Recycle


def decide(snapshot: Snapshot, memory: Memory, now: float) -> Decision[Memory, Action]:
    """Volumes first: what is closed must not be assigned."""
    volume_actions, memory = _volumes(snapshot, memory, now)
    assign_actions, memory = _assignments(snapshot, memory, volume_actions)
    session_actions, memory = _sessions(snapshot, memory)
    recycle_actions, memory = _recycling(snapshot, memory, now)
    waits = [at - now for _, at in memory.retry.values()] + [at + SETTLE_FREE - now for at in memory.freed.values()]
    again = max(0.1, min(waits)) if waits else None
    actions = (*volume_actions, *assign_actions, *session_actions, *recycle_actions)
    return Decision(actions, memory, again)


def _volumes(snapshot: Snapshot, memory: Memory, now: float) -> tuple[list[Action], Memory]:
    found = {volume.name: volume for volume in snapshot.volumes}
    open_now = {writer.volume for writer in snapshot.writers}
    actions: list[Action] = []
    retry = {name: (mount, at) for name, (mount, at) in memory.retry.items() if _same_mount(found, name, mount)}
    for writer in snapshot.writers:
        volume = found.get(writer.volume)
        if volume is None or volume.state is VolumeState.UNMOUNTED or volume.mount != writer.mount:
            actions.append(CloseVolume(writer.volume, f"Volume {writer.volume} was unmounted."))
        elif volume.state is not VolumeState.READY:
            actions.append(CloseVolume(writer.volume, volume.detail))
        elif writer.failure:
            actions.append(CloseVolume(writer.volume, writer.failure))
            retry[writer.volume] = (writer.mount, now + RETRY_VOLUME)
    for volume in snapshot.volumes:
        if volume.state is not VolumeState.READY or volume.name in open_now:
            continue
        _, at = retry.get(volume.name, (0, now))
        if at <= now:
            # until it is open it is tried again only after a while; once it is open nobody asks
            retry[volume.name] = (volume.mount or 0, now + RETRY_VOLUME)
            actions.append(OpenVolume(volume))
    for writer in snapshot.writers:
        if not writer.failure:
            retry.pop(writer.volume, None)
    return actions, replace(memory, retry=retry)


def _same_mount(found: Mapping[str, VolumeNow], name: str, mount: int) -> bool:
    """A volume that was mounted anew is not held back by what failed before."""
    return name in found and found[name].mount == mount


def _assignments(
    snapshot: Snapshot, memory: Memory, volume_actions: Sequence[Action]
) -> tuple[list[Action], Memory]:
    closing = {action.volume for action in volume_actions if isinstance(action, CloseVolume)}
    usable = {writer.volume for writer in snapshot.writers} - closing
    cameras = [camera for camera in snapshot.cameras if camera.enabled]
    known = [volume.name for volume in snapshot.volumes if _is_real(volume, memory)]
    homes = spread(cameras, known, memory.homes)
    wanted = assign(cameras, homes, usable, snapshot.assigned)
    actions: list[Action] = []
    for name in sorted({*snapshot.assigned, *wanted}):
        volume = wanted.get(name)
        if snapshot.assigned.get(name) != volume:
            actions.append(Assign(name, volume))
    return actions, replace(memory, homes=homes)


def _is_real(volume: VolumeNow, memory: Memory) -> bool:
    """A directory is no volume; one that had cameras and is not mounted now is."""
    match volume.state:
        case VolumeState.READY | VolumeState.READ_ONLY | VolumeState.FAILED:
            return True
        case VolumeState.UNMOUNTED:
            return volume.name in memory.homes.values()
        case VolumeState.NO_IDENTITY | VolumeState.SYSTEM_DRIVE:
            return False


def spread(cameras: Sequence[Camera], volumes: Sequence[str], homes: Mapping[str, str]) -> dict[str, str]:
    """The volume that each camera belongs to: by its setting, else evenly, with as few moves as possible.

    volumes: all that exist, whether they are mounted now or not: a volume that is away for an hour keeps its cameras.
    """
    if not volumes:
        return dict(homes)
    fixed = {camera.name: camera.volume for camera in cameras if camera.volume is not None}
    free = sorted(camera.name for camera in cameras if camera.volume is None)
    load = Counter(dict.fromkeys(volumes, 0))
    load.update(volume for volume in fixed.values() if volume in load)
    kept = {name: homes[name] for name in free if homes.get(name) in load}
    load.update(kept.values())
    for name in free:
        if name not in kept:
            kept[name] = min(volumes, key=lambda volume: (load[volume], volume))
            load[kept[name]] += 1
    for name in reversed(free):  # what came when there were fewer volumes moves
        least = min(volumes, key=lambda volume: (load[volume], volume))
        if load[kept[name]] > load[least] + 1:
            load[kept[name]] -= 1
            kept[name] = least
            load[least] += 1
    return {**fixed, **kept}


def assign(
    cameras: Sequence[Camera], homes: Mapping[str, str], usable: set[str], assigned: Mapping[str, str]
) -> dict[str, str]:
    """Where each camera writes now: at home, or for as long as that is away on the least loaded other volume."""
    at_home = {c.name: homes[c.name] for c in cameras if homes.get(c.name) in usable}
    load = Counter(dict.fromkeys(usable, 0))
    load.update(at_home.values())
    guests: dict[str, str] = {}
    for camera in sorted(cameras, key=lambda c: c.name):
        if camera.name in at_home or not usable:
            continue
        old = assigned.get(camera.name)  # a guest does not move twice
        guests[camera.name] = old if old in usable else min(usable, key=lambda volume: (load[volume], volume))
        load[guests[camera.name]] += 1
    return {**at_home, **guests}


def _sessions(snapshot: Snapshot, memory: Memory) -> tuple[list[Action], Memory]:
    wanted = {camera.name: camera for camera in snapshot.cameras if camera.enabled}
    running = {session.camera.name: session for session in snapshot.sessions}
    failures = {name: count for name, count in memory.failures.items() if name in wanted}
    actions: list[Action] = []
    for name, session in running.items():
        if name not in wanted or not _same_source(wanted[name], session.camera):
            actions.append(Disconnect(name))
    firsts = 0
    for name, camera in wanted.items():
        session_now = running.get(name)
        if session_now is None:
            failures[name] = 0
            actions.append(Connect(camera, firsts * STAGGER))
            firsts += 1
        elif session_now.phase is SessionPhase.ENDED and _same_source(camera, session_now.camera):
            failures[name] = 0 if session_now.played else failures.get(name, 0) + 1
            actions.append(Connect(camera, back_off(name, failures[name])))
    return actions, replace(memory, failures=failures)


def _same_source(one: Camera, other: Camera) -> bool:
    return (one.url, one.user, one.password) == (other.url, other.user, other.password)


def back_off(camera: str, failures: int) -> float:
    """Seconds until the next connect: doubles from 1 to 30, less up to half by chance that differs from camera to
    camera and from try to try, so that they do not come all at once after a power cut."""
    longest = min(BACK_OFF_MAX, BACK_OFF_MIN * 2.0 ** min(failures + 1, 6))
    chance = zlib.crc32(f"{camera} {failures}".encode()) / 2**32
    return max(BACK_OFF_MIN, longest * (1 - chance / 2))


def _recycling(snapshot: Snapshot, memory: Memory, now: float) -> tuple[list[Action], Memory]:
    open_now = {writer.volume for writer in snapshot.writers if not writer.failure}
    freed = {name: at for name, at in memory.freed.items() if now - SETTLE_FREE < at <= now}
    actions: list[Action] = []
    for volume in snapshot.volumes:
        if volume.state is not VolumeState.READY or volume.name not in open_now or volume.name in freed:
            continue
        missing = reserve_bytes(volume.total, snapshot.reserve_percent) - volume.free
        slack = min(SLACK_MOST, int(volume.total * SLACK_PERCENT / 100))
        chosen = recycle(snapshot.oldest.get(volume.name, ()), missing, slack)
        if chosen:
            actions.append(Recycle(volume.name, chosen))
            freed[volume.name] = now
    return actions, replace(memory, freed=freed)


def recycle(oldest: Sequence[Segment], missing: int, slack: int) -> tuple[Segment, ...]:
    """The oldest files that together make up for what is missing of the reserve, and a little more."""
    if missing <= 0:
        return ()
    chosen: list[Segment] = []
    for segment in oldest:
        if missing + slack <= 0:
            break
        chosen.append(segment)
        missing -= segment.bytes
    return tuple(chosen)
