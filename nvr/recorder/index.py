"""The index of the recordings: SQLite, WAL. It says nothing that the files do not say; it can be lost.

One row a file. A row is written before its file is made and removed after its file is gone, so that a crash leaves rows
without files (dropped when met) and never files without rows.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from core.errors import IndexBroken

SCHEMA = """
CREATE TABLE IF NOT EXISTS volumes (name TEXT PRIMARY KEY, uuid TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS segments (
    id INTEGER PRIMARY KEY,
    camera TEXT NOT NULL,
    volume TEXT NOT NULL,
    path TEXT NOT NULL,          -- under the volume's recordings/
    start INTEGER NOT NULL,      -- UTC, milliseconds
    end INTEGER NOT NULL,        -- UTC, milliseconds; of an open file its start
    bytes INTEGER NOT NULL,
    frames INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    UNIQUE (volume, path)
);
CREATE INDEX IF NOT EXISTS by_camera ON segments (camera, start);
CREATE INDEX IF NOT EXISTS by_age ON segments (volume, state, start);
-- Why there are no pictures; the one thing here that the files do not say. Where it is lost, the reason is unknown.
CREATE TABLE IF NOT EXISTS gaps (
    camera TEXT NOT NULL,
    start INTEGER NOT NULL,      -- UTC, milliseconds
    end INTEGER NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS gaps_by_camera ON gaps (camera, start);
PRAGMA user_version = 1;
"""
FIELDS = ("camera", "volume", "path", "start", "end", "bytes", "frames", "state")
COLUMNS = ", ".join(FIELDS)


class SegmentState(StrEnum):
    """Whether a file is being written."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Segment:
    """One file. path: under the volume's recordings/; start, end: UTC in milliseconds."""

    camera: str
    volume: str
    path: str
    start: int
    end: int
    bytes: int
    frames: int
    state: SegmentState


@dataclass(frozen=True, slots=True)
class ReasonedGap:
    """Why there are no pictures. start, end: UTC in milliseconds."""

    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Totals:
    """Of one volume. oldest: UTC in milliseconds."""

    segments: int
    bytes: int
    oldest: int | None


class Index:
    """Usable from several threads. Every method raises IndexBroken when SQLite fails.

    Commits reach the disk (synchronous=FULL): there are two a file, and a lost row would mean a file that is never
    recycled.
    """

    def __init__(self, file: Path | str) -> None:
        self._lock = threading.Lock()
        with _told():
            self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def begin(self, camera: str, volume: str, path: str, start: int) -> None:
        """A file is going to be made."""
        self._write(
            f"INSERT INTO segments ({COLUMNS}) VALUES (?, ?, ?, ?, ?, 0, 0, 'open')",  # noqa: S608 -- a constant
            (camera, volume, path, start, start),
        )

    def finish(self, volume: str, path: str, end: int, size: int, frames: int) -> None:
        """A file is complete."""
        self._write(
            "UPDATE segments SET end = ?, bytes = ?, frames = ?, state = 'closed' WHERE volume = ? AND path = ?",
            (end, size, frames, volume, path),
        )

    def adopt(self, segment: Segment) -> bool:
        """Puts in a file that was found; False when the index knows it already."""
        values = (segment.camera, segment.volume, segment.path, segment.start, segment.end, segment.bytes)
        return self._write(
            f"INSERT OR IGNORE INTO segments ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 -- a constant
            (*values, segment.frames, segment.state.value),
        )

    def forget(self, volume: str, path: str) -> None:
        """A file is gone."""
        self._write("DELETE FROM segments WHERE volume = ? AND path = ?", (volume, path))

    def open_segments(self, volume: str) -> tuple[Segment, ...]:
        """Files that were being written when the recorder or the volume went away."""
        return self._segments("volume = ? AND state = 'open'", (volume,))

    def oldest(self, volume: str, limit: int) -> tuple[Segment, ...]:
        """The closed files of a volume, oldest first, of all cameras."""
        return self._segments("volume = ? AND state = 'closed' ORDER BY start LIMIT ?", (volume, limit))

    def of_volume(self, volume: str) -> tuple[Segment, ...]:
        """Every file of a volume, by time."""
        return self._segments("volume = ? ORDER BY start, path", (volume,))

    def between(self, camera: str, start: int, end: int) -> tuple[Segment, ...]:
        """A camera's files that hold something of a span of time."""
        return self._segments("camera = ? AND start < ? AND end > ? ORDER BY start", (camera, end, start))

    def of_camera(self, camera: str, start: int, end: int) -> tuple[Segment, ...]:
        """As `between`, and those that are being written, whose end is not known here."""
        where = "camera = ? AND start < ? AND (end > ? OR state = 'open') ORDER BY start, path"
        return self._segments(where, (camera, end, start))

    def explain_gap(self, camera: str, gap: ReasonedGap) -> None:
        """Keeps why there are no pictures, as long as there are older ones."""
        self._write("INSERT INTO gaps VALUES (?, ?, ?, ?)", (camera, gap.start, gap.end, gap.reason))
        oldest = "SELECT coalesce(min(start), 0) FROM segments WHERE camera = ?"
        self._write(f"DELETE FROM gaps WHERE camera = ? AND end < ({oldest})", (camera, camera))  # noqa: S608 -- constant

    def gaps(self, camera: str, start: int, end: int) -> tuple[ReasonedGap, ...]:
        """The reasons that are known in a span of time, by time."""
        query = "SELECT start, end, reason FROM gaps WHERE camera = ? AND start < ? AND end > ? ORDER BY start"
        return tuple(ReasonedGap(*row) for row in self._read(query, (camera, end, start)))

    def recorded_until(self, camera: str) -> int | None:
        """Where a camera's recordings end, UTC in milliseconds."""
        rows = self._read("SELECT max(end) FROM segments WHERE camera = ?", (camera,))
        return None if rows[0][0] is None else int(rows[0][0])

    def last_before(self, camera: str, moment: int) -> int | None:
        """Where the files end that began before a moment; UTC in milliseconds. None: there was nothing before."""
        rows = self._read("SELECT max(end) FROM segments WHERE camera = ? AND start < ?", (camera, moment))
        return None if rows[0][0] is None else int(rows[0][0])

    def totals(self, volume: str) -> Totals:
        """How much is recorded on a volume."""
        query = "SELECT count(*), coalesce(sum(bytes), 0), min(start) FROM segments WHERE volume = ?"
        count, size, oldest = self._read(query, (volume,))[0]
        return Totals(int(count), int(size), oldest)

    def volume_uuid(self, name: str) -> str | None:
        """Which volume of that name the rows are about; None: a volume that this index has never seen."""
        rows = self._read("SELECT uuid FROM volumes WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else None

    def know_volume(self, name: str, uuid: str) -> None:
        """The rows of `name` are about this volume, and all its files have one."""
        self._write("INSERT OR REPLACE INTO volumes (name, uuid) VALUES (?, ?)", (name, uuid))

    def forget_volume(self, name: str) -> None:
        """Drops all that is known about a volume: it is read anew from its files."""
        self._write("DELETE FROM segments WHERE volume = ?", (name,))
        self._write("DELETE FROM volumes WHERE name = ?", (name,))

    def _segments(self, where: str, values: Sequence[object]) -> tuple[Segment, ...]:
        rows = self._read(f"SELECT {COLUMNS} FROM segments WHERE {where}", values)  # noqa: S608 -- constants
        return tuple(Segment(**dict(zip(FIELDS, row, strict=True)) | {"state": SegmentState(row[-1])}) for row in rows)

    def _read(self, query: str, values: Sequence[object]) -> list[Any]:
        with self._lock, _told():
            return self._db.execute(query, tuple(values)).fetchall()

    def _write(self, query: str, values: Sequence[object]) -> bool:
        with self._lock, _told():
            return self._db.execute(query, tuple(values)).rowcount > 0


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise IndexBroken(f"The index of the recordings fails: {error}.", hint=IndexBroken.meaning) from error


def open_index(file: Path) -> tuple[Index, str]:
    """The index; one that is spoilt is put aside (never deleted) and a new one begun. Returns it and what was done.

    Raises IndexBroken when the system drive does not let it be opened.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        index = Index(file)
        index.totals("")  # reads a page: a file that is no database is noticed here
    except IndexBroken as error:
        if isinstance(error.__cause__, sqlite3.OperationalError):  # rights, a full disk: the file itself may be good
            raise
        aside = file.with_name(f"{file.name}.broken")
        for suffix in ("-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
        file.replace(aside)
        return Index(file), f"{error.sentence} It was put aside as {aside} and is built anew from the files."
    return index, ""
