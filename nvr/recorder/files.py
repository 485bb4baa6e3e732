"""Names of video files, and what is done to them: a file tells its camera and its beginning by its path."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from core.errors import BadVideoFile
from nvr.recorder.fmp4_reader import Contents, read_contents
from nvr.recorder.index import Index, Segment, SegmentState

NAME = re.compile(r"(\d{8}T\d{6}\.\d{3}Z)\.mp4")
# A file without one whole group of pictures, as a crash leaves it, is smaller; a larger one is left for a person.
NOTHING = 32 << 20
FORMAT = "%Y%m%dT%H%M%S"


def file_path(camera: str, start: int) -> str:
    """Under recordings/: cam1/2026/11/21/20261121T101530.250Z.mp4. start: UTC, milliseconds."""
    seconds, milliseconds = divmod(start, 1000)
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{camera}/{at:%Y/%m/%d}/{at:{FORMAT}}.{milliseconds:03d}Z.mp4"


def start_of(path: str) -> int | None:
    """The beginning by a file's name, UTC milliseconds; None for a name that is not ours."""
    match = NAME.fullmatch(path.rpartition("/")[2])
    if match is None:
        return None
    with suppress(ValueError):  # 20261399T...
        at = datetime.strptime(match[1][:15], FORMAT).replace(tzinfo=UTC)
        return int(at.timestamp()) * 1000 + int(match[1][16:19])
    return None


def make_folders(recordings: int, path: str) -> None:
    """The folders above a file, relative to recordings/. Raises OSError."""
    parts = path.split("/")[:-1]
    for depth in range(1, len(parts) + 1):
        with suppress(FileExistsError):
            os.mkdir("/".join(parts[:depth]), 0o750, dir_fd=recordings)


def remove_file(recordings: int, path: str) -> None:
    """Removes a file and the folders that it leaves empty; one that is gone already is no error. Raises OSError."""
    with suppress(FileNotFoundError):
        os.unlink(path, dir_fd=recordings)
    parts = path.split("/")[:-1]
    with suppress(OSError):  # not empty, most often
        for depth in range(len(parts), 1, -1):
            os.rmdir("/".join(parts[:depth]), dir_fd=recordings)


def video_files(recordings: int) -> Iterator[str]:
    """Every file under recordings/ with a name of ours, by path. Others are never touched."""
    for folder, _, names, _ in os.fwalk(".", dir_fd=recordings):
        for name in sorted(names):
            path = os.path.normpath(f"{folder}/{name}")
            if start_of(name) is not None and path.count("/") == 4:
                yield path


def read_segment(recordings: int, volume: str, path: str, *, mend: bool) -> Segment:
    """What a file holds. mend: a torn tail is cut off. Raises BadVideoFile, OSError."""
    start = start_of(path)
    if start is None:
        raise BadVideoFile(f"{path} has no name of Rackeye's.")
    fd = os.open(path, os.O_RDWR if mend else os.O_RDONLY, dir_fd=recordings)
    try:
        contents = read_contents(fd)
        if mend and contents.torn:
            os.ftruncate(fd, contents.whole)
            os.fsync(fd)
    finally:
        os.close(fd)
    return _segment(volume, path, start, contents)


def _segment(volume: str, path: str, start: int, contents: Contents) -> Segment:
    end = start + round(contents.duration * 1000)
    camera = path.partition("/")[0]
    return Segment(camera, volume, path, start, end, contents.whole, contents.frames, SegmentState.CLOSED)


def mend_open(index: Index, recordings: int, volume: str) -> list[str]:
    """After a crash, a power cut or a volume's return: closes what was open. Returns sentences.

    Only the files that the index says are open are looked at. Raises OSError, IndexBroken.
    """
    said = []
    for row in index.open_segments(volume):
        try:
            found = read_segment(recordings, volume, row.path, mend=True)
        except FileNotFoundError:
            index.forget(volume, row.path)
            continue
        except BadVideoFile as error:
            found = None
            said.append(f"{row.path} holds no picture: it had just been begun. {error.sentence}")
        if found is not None and found.frames:
            index.finish(volume, row.path, found.end, found.bytes, found.frames)
            said.append(f"{row.path} was being written; its {found.frames} whole pictures are kept.")
            continue
        if os.stat(row.path, dir_fd=recordings).st_size < NOTHING:
            remove_file(recordings, row.path)
        index.forget(volume, row.path)
    return said


def adopt_all(index: Index, recordings: int, volume: str) -> tuple[int, int]:
    """Builds the index of a volume from its files alone. Returns (files put in, files that cannot be read).

    Files that the index knows are left, so that it can run while the volume records. Raises OSError, IndexBroken.
    """
    known = {segment.path for segment in index.of_volume(volume)}
    added = bad = 0
    for path in video_files(recordings):
        if path in known:
            continue
        try:
            added += index.adopt(read_segment(recordings, volume, path, mend=False))
        except (BadVideoFile, FileNotFoundError):
            bad += 1
    return added, bad
