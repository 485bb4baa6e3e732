"""Recording volumes, found from the mounts alone: the recorder also works when raidd is dead.

A volume is a mount point right under /srv/rackeye that holds `rackeye-volume.json` (raidd writes it). It is held by a
descriptor, and everything is opened relative to that: whatever is mounted or unmounted over the path, no byte can reach
another file system.
"""

import json
import os
import re
import select
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import VolumeFailed
from core.paths import Paths
from nvr.recorder.model import VolumeState

IDENTITY = "rackeye-volume.json"
RECORDINGS = "recordings"
PROBE = ".rackeye-probe"
OCTAL = re.compile(r"\\([0-7]{3})")
# A file system needs some room to delete files at all, and what is under way needs room as well.
LEAST_RESERVE, LEAST_PERCENT = 256 << 20, 2.0


@dataclass(frozen=True, slots=True)
class Mount:
    """A line of mountinfo (proc(5)). id: changes when something is mounted anew; device: major:minor."""

    id: int
    device: str
    point: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class VolumeNow:
    """A directory under /srv/rackeye as it is now. mount: the mount's id, None when nothing is mounted there."""

    name: str
    path: str
    state: VolumeState
    detail: str = ""
    mount: int | None = None
    uuid: str = ""
    free: int = 0
    total: int = 0


def read_mounts(paths: Paths) -> tuple[Mount, ...]:
    """All mounts of this process's namespace, in the kernel's order."""
    mounts = []
    for line in (paths.proc / "self/mountinfo").read_text(errors="surrogateescape").splitlines():
        left, _, right = line.partition(" - ")
        words = left.split()
        options = {*words[5].split(","), *right.split()[2].split(",")}
        point = OCTAL.sub(lambda match: chr(int(match[1], 8)), words[4])
        mounts.append(Mount(int(words[0]), words[2], point, "ro" in options))
    return tuple(mounts)


def find_volumes(paths: Paths) -> tuple[VolumeNow, ...]:
    """Every directory under /srv/rackeye, whether a volume is mounted there or not; by name."""
    with suppress(FileNotFoundError):
        mounts = read_mounts(paths)
        names = sorted(entry.name for entry in os.scandir(paths.volumes) if entry.is_dir(follow_symlinks=False))
        return tuple(_look(name, paths.volumes / name, mounts) for name in names)
    return ()


def _look(name: str, path: Path, mounts: tuple[Mount, ...]) -> VolumeNow:
    by_point = {mount.point: mount for mount in mounts}  # of several on one point the last is the one seen
    mount, system = by_point.get(str(path)), by_point.get("/")

    def seen(state: VolumeState, detail: str) -> VolumeNow:
        return VolumeNow(name, str(path), state, detail, mount.id if mount else None)

    if mount is None:
        return seen(VolumeState.UNMOUNTED, f"Nothing is mounted at {path}.")
    if system is not None and mount.device == system.device:
        return seen(VolumeState.SYSTEM_DRIVE, f"{path} lies on the system drive.")
    try:
        root = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        return seen(VolumeState.FAILED, f"{path} cannot be opened: {error.strerror}.")
    try:
        if device_of(root) != mount.device:
            return seen(VolumeState.UNMOUNTED, f"{path} is being mounted or unmounted.")
        uuid = _identity(root, name)
        if uuid is None:
            return seen(VolumeState.NO_IDENTITY, f"{path} holds no {IDENTITY} that names it.")
        if mount.read_only:
            return seen(VolumeState.READ_ONLY, f"{path} is mounted read-only.")
        space = os.fstatvfs(root)
        total, free = space.f_blocks * space.f_frsize, space.f_bavail * space.f_frsize
        return VolumeNow(name, str(path), VolumeState.READY, "", mount.id, uuid, free, total)
    except OSError as error:
        return seen(VolumeState.FAILED, f"{path} cannot be read: {error.strerror}.")
    finally:
        os.close(root)


class MountEvents:
    """A descriptor that is readable when a mount comes or goes (proc(5): mountinfo polls with POLLPRI).

    asyncio waits for readability only, and mountinfo is always readable; an epoll within the loop's epoll tells only
    the change. Where mountinfo is a plain file (a test's), nothing is told and the looks find mounts all the same.
    """

    def __init__(self, paths: Paths) -> None:
        self._file = (paths.proc / "self/mountinfo").open()
        self._epoll = select.epoll()
        with suppress(PermissionError):  # EPERM: a plain file
            self._epoll.register(self._file.fileno(), select.EPOLLPRI)

    def fileno(self) -> int:
        return self._epoll.fileno()

    def close(self) -> None:
        self._epoll.close()
        self._file.close()


def device_of(fd: int) -> str:
    """major:minor as mountinfo writes it."""
    device = os.fstat(fd).st_dev
    return f"{os.major(device)}:{os.minor(device)}"


def _identity(root: int, name: str) -> str | None:
    """The volume's UUID by its identity file; None when there is no such file or it names another volume."""
    try:
        fd = os.open(IDENTITY, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=root)
    except FileNotFoundError:
        return None
    with os.fdopen(fd, "rb") as file:
        try:
            said = json.loads(file.read(65536))
        except ValueError:
            return None
    if not isinstance(said, dict) or said.get("volume") != name or not isinstance(said.get("vd_uuid"), str):
        return None
    return str(said["vd_uuid"])


def open_volume(volume: VolumeNow, paths: Paths) -> int:
    """A descriptor of the volume's recordings/ after a write that reached the drives. Raises VolumeFailed.

    The mount is looked at again behind the descriptor: it is the one that was found, or this fails.
    """
    try:
        root = os.open(volume.path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise VolumeFailed(f"{volume.path} cannot be opened: {error.strerror}.") from error
    try:
        mount = next((m for m in reversed(read_mounts(paths)) if m.point == volume.path), None)
        if mount is None or mount.id != volume.mount or device_of(root) != mount.device:
            raise VolumeFailed(f"{volume.path} was unmounted just now.")
        with suppress(FileExistsError):
            os.mkdir(RECORDINGS, 0o750, dir_fd=root)
        recordings = os.open(RECORDINGS, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=root)
        try:
            _probe(recordings)
        except BaseException:
            os.close(recordings)
            raise
    except OSError as error:
        raise VolumeFailed(f"{volume.path} cannot be written: {error.strerror}.", hint=VolumeFailed.meaning) from error
    finally:
        os.close(root)
    return recordings


def _probe(recordings: int) -> None:
    """Writes, to the drives, and removes it again. A full volume passes: recycling makes room."""
    fd = os.open(PROBE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640, dir_fd=recordings)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
        os.unlink(PROBE, dir_fd=recordings)


def reserve_bytes(total: int, percent: float) -> int:
    """How much of a volume stays free."""
    return int(max(total * percent / 100, min(LEAST_RESERVE, total * LEAST_PERCENT / 100)))
