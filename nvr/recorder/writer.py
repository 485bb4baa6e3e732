"""One thread a volume: writes fragments to files, and sees to it that they reach the drives.

The network's thread only puts fragments into a bounded queue. Each open file is synced every 9 s, one after the
other: that costs a stall of 41 ms at worst, where syncing nothing ends in stalls of 1.5 s and syncing each fragment
cannot keep up (facts/recorder.md).
"""

import errno
import os
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from core.errors import IndexBroken
from core.journal import get_logger
from nvr.recorder.files import file_path, make_folders, remove_file
from nvr.recorder.index import Index
from nvr.recorder.model import Gap
from nvr.recorder.recording import Fragment

SYNC_SECONDS = 9.0
"""Ten may be lost at a power cut; the tenth is for the sync itself, on drives that are busy with a rebuild."""
QUEUE_BYTES = 128 << 20  # two seconds of 64 cameras at 4 Mbit/s are 64 MiB
TROUBLE_SECONDS = 300.0  # how long a trouble that did not come again is shown
_PAGE = 4096
SPACE_SECONDS = 2.0  # how often the free space is looked at while writing
# Of one file, not of the volume: the next file may do.
FILE_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOENT})
log = get_logger("rackeye-recorder")


@dataclass(slots=True)
class _Open:
    """A file being written. start: as its name says, UTC milliseconds; first, end: UTC; sync_at: monotonic."""

    fd: int
    path: str
    start: int
    first: float
    end: float
    sync_at: float
    size: int = 0
    synced: int = 0
    frames: int = 0
    dirty: bool = False


@dataclass(frozen=True, slots=True)
class _Finish:
    camera: str


class VolumeWriter:
    """Owns `recordings`, a descriptor of the volume's recordings/, and closes it in the end.

    wake: called from the thread when the volume fails or runs full. reserve: bytes of free space to wake at.
    """

    def __init__(self, volume: str, recordings: int, index: Index, reserve: int, wake: Callable[[], None]) -> None:
        self.volume = volume
        self.recordings = recordings
        self.reserve = reserve
        self.failure = ""  # why nothing is written any more
        self._trouble = (0.0, "")  # monotonic, what
        self._index = index
        self._wake = wake
        self._queue: deque[Fragment | _Finish] = deque()
        self._queued = 0
        self._more = threading.Condition()
        self._stopping = False
        self._open: dict[str, _Open] = {}
        self._broken: set[str] = set()  # cameras whose file ended by an error; until their next beginning
        self._lost: dict[str, list[Gap]] = {}
        self._space_at = 0.0
        self._thread = threading.Thread(target=self._run, name=f"writer-{volume}", daemon=True)
        self._thread.start()

    def put(self, fragment: Fragment) -> bool:
        """Takes a fragment; False when the volume has failed or is too slow, or the camera's file had an error."""
        with self._more:
            if self.failure or self._stopping:
                return False
            if fragment.beginning:
                self._broken.discard(fragment.camera)
            elif fragment.camera in self._broken:
                return False
            if self._queued + fragment.size > QUEUE_BYTES:
                self._troubled(f"Volume {self.volume} is too slow: video of {fragment.camera} was dropped.")
                self._broken.add(fragment.camera)
                return False
            self._queue.append(fragment)
            self._queued += fragment.size
            self._more.notify()
        return True

    def finish(self, camera: str) -> None:
        """The camera's file is complete."""
        with self._more:
            self._queue.append(_Finish(camera))
            self._more.notify()

    def take_lost(self, camera: str) -> list[Gap]:
        """What was taken and did not reach a file, since this was asked last."""
        with self._more:
            return self._lost.pop(camera, [])

    @property
    def trouble(self) -> str:
        """What did not work lately, while writing goes on; empty after a while without trouble."""
        at, text = self._trouble
        return text if time.monotonic() < at + TROUBLE_SECONDS else ""

    def stop(self, reason: str = "", wait: float = 10.0) -> bool:
        """Ends: what is queued is written first, unless a reason says that the volume is gone. True when it has ended.

        A volume that hangs keeps its thread; that does not hold up anything else.
        """
        with self._more:
            self._stopping = True
            if reason:
                self._give_up(reason)
            self._more.notify()
        self._thread.join(wait)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while (item := self._next()) is not None:
                if isinstance(item, _Finish):
                    self._close(item.camera)
                else:
                    self._write(item)
                self._sync_due()
        except OSError as error:
            self._fail(f"Volume {self.volume} cannot be written: {error.strerror}.")
        finally:
            for camera in tuple(self._open):
                with suppress(OSError):
                    self._close(camera)
            os.close(self.recordings)

    def _next(self) -> Fragment | _Finish | None:
        """The next item; None at the end. Syncs what is due while nothing comes."""
        while True:
            with self._more:
                if self._queue:
                    item = self._queue.popleft()
                    self._queued -= item.size if isinstance(item, Fragment) else 0
                    return item
                if self._stopping:
                    return None
                self._more.wait(self._until_sync())
            self._sync_due()

    def _until_sync(self) -> float | None:
        due = [file.sync_at for file in self._open.values() if file.dirty]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _sync_due(self) -> None:
        """At most one file, the one that waits longest: the others are not held up by more than one sync."""
        now = time.monotonic()
        file = min((f for f in self._open.values() if f.dirty), key=lambda f: f.sync_at, default=None)
        if file is not None and file.sync_at <= now:
            _to_the_drives(file)
            file.sync_at, file.dirty = now + SYNC_SECONDS, False

    def _write(self, fragment: Fragment) -> None:
        camera = fragment.camera
        try:
            if fragment.beginning:
                self._close(camera)
                self._begin(fragment)
            file = self._open.get(camera)
            if file is None:  # its beginning failed
                self._drop(fragment)
                return
            parts = (fragment.beginning, *fragment.parts) if fragment.beginning else fragment.parts
            _write_all(file.fd, parts)
        except OSError as error:
            self._drop(fragment)
            if error.errno not in FILE_ERRORS:
                raise
            self._troubled(f"A file of {camera} on volume {self.volume} ended early: {error.strerror}.")
            self._wake()
            return
        file.size += sum(map(len, parts))
        file.frames += fragment.frames
        file.end = max(file.end, fragment.until)
        if not file.dirty:
            file.dirty = True
            file.sync_at = max(file.sync_at, time.monotonic())
        self._look_at_space()

    def _begin(self, fragment: Fragment) -> None:
        """Makes a new file, its row first, so that no file is ever without one. When the index fails, video goes on."""
        start = round(fragment.start * 1000)
        while True:
            path = file_path(fragment.camera, start)
            make_folders(self.recordings, path)
            try:
                os.stat(path, dir_fd=self.recordings, follow_symlinks=False)
            except FileNotFoundError:
                break
            start += 1  # the clock was set back to just this millisecond: the old file stays
        self._tell(lambda: self._index.begin(fragment.camera, self.volume, path, start))
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640, dir_fd=self.recordings)
        # the first sync comes after a part of the time that differs from camera to camera
        share = zlib.crc32(fragment.camera.encode()) % 100 / 100
        sync_at = time.monotonic() + SYNC_SECONDS * (0.1 + 0.9 * share)
        self._open[fragment.camera] = _Open(fd, path, start, fragment.start, fragment.start, sync_at)

    def _close(self, camera: str) -> None:
        """Ends a file. Where the last sync fails, its row stays open: it is looked at when the volume is back."""
        file = self._open.pop(camera, None)
        if file is None:
            return
        try:
            _to_the_drives(file)
        finally:
            os.close(file.fd)
        if not file.frames:
            with suppress(OSError):
                remove_file(self.recordings, file.path)
            self._tell(lambda: self._index.forget(self.volume, file.path))
            return
        end = file.start + round((file.end - file.first) * 1000)
        self._tell(lambda: self._index.finish(self.volume, file.path, end, file.size, file.frames))

    def _drop(self, fragment: Fragment) -> None:
        """A write failed in the middle: the file goes back to its last whole fragment and ends."""
        camera = fragment.camera
        with self._more:
            self._broken.add(camera)
            self._lose(fragment)
        file = self._open.get(camera)
        if file is not None:
            with suppress(OSError):
                os.ftruncate(file.fd, file.size)
            with suppress(OSError):
                self._close(camera)

    def _look_at_space(self) -> None:
        now = time.monotonic()
        if now < self._space_at:
            return
        self._space_at = now + SPACE_SECONDS
        space = os.fstatvfs(self.recordings)
        if space.f_bavail * space.f_frsize < self.reserve:
            self._wake()

    def _tell(self, change: Callable[[], None]) -> None:
        try:
            change()
        except IndexBroken as error:
            if self.trouble != error.sentence:
                log.error(error.sentence, volume=self.volume)
            self._troubled(error.sentence)

    def _troubled(self, sentence: str) -> None:
        self._trouble = (time.monotonic(), sentence)

    def _lose(self, fragment: Fragment) -> None:
        self._lost.setdefault(fragment.camera, []).append(Gap(fragment.start, fragment.until))

    def _give_up(self, reason: str) -> None:
        """With the lock held: nothing that is queued will be written."""
        self.failure = self.failure or reason
        for item in self._queue:
            if isinstance(item, Fragment):
                self._lose(item)
        self._queue.clear()
        self._queued = 0

    def _fail(self, sentence: str) -> None:
        with self._more:
            self._give_up(sentence)
        self._wake()


def _to_the_drives(file: _Open) -> None:
    """Syncs a file, and gives back the memory that its pages took. Raises OSError.

    Video is seldom read soon after it was written. Kept, it would drive all else out of the page cache, and each
    fragment would go into memory that was not touched lately: that copy was half of the recorder's CPU time
    (facts/recorder.md, benchmarks/results.md).
    """
    os.fdatasync(file.fd)
    os.posix_fadvise(file.fd, file.synced, file.size - file.synced, os.POSIX_FADV_DONTNEED)
    file.synced = file.size // _PAGE * _PAGE


def _write_all(fd: int, parts: tuple[bytes | bytearray, ...]) -> None:
    """One writev; more only when the kernel takes less than all. Raises OSError."""
    total = sum(map(len, parts))
    done = os.writev(fd, parts)
    if done == total:
        return
    rest = memoryview(b"".join(parts))
    while done < total:
        done += os.write(fd, rest[done:])


