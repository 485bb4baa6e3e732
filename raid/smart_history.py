"""The readings of each drive, by serial: /var/lib/rackeye/raid/smart.sqlite.

Bounded: a drive has at most KEPT rows and the file at most DRIVES drives; the oldest go first. A row is written when
something else than temperature and hours has changed, and each SPACING seconds in any case, so that KEPT rows are more
than a year. It can be lost: the drives are read again.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec

from core.errors import SmartHistoryBroken
from raid.smart_model import Figures, Smart, SmartHealth, SmartHistory, SmartRecord

KEPT = 2000
DRIVES = 200
SPACING = 6 * 3600.0
SCHEMA = """
CREATE TABLE IF NOT EXISTS readings (
    serial TEXT NOT NULL,
    model TEXT NOT NULL,
    at REAL NOT NULL,            -- UTC, seconds
    health TEXT NOT NULL,
    detail TEXT NOT NULL,
    figures TEXT NOT NULL,       -- JSON of raid.smart_model.Figures
    PRIMARY KEY (serial, at)
) WITHOUT ROWID;
PRAGMA user_version = 1;
"""


class History:
    """Usable from several threads. Every method raises SmartHistoryBroken when SQLite fails."""

    def __init__(self, file: Path) -> None:
        """A file that SQLite cannot read is put aside as .broken, and a new one is begun."""
        self._file = file
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None

    def failing(self) -> dict[str, Smart]:
        """The drives whose newest row says that they are failing, by serial."""
        with self._open() as db:
            rows = db.execute("SELECT serial FROM readings GROUP BY serial").fetchall()
        newest = {serial: last for (serial,) in rows if (last := self.last(serial)) is not None}
        return {
            serial: Smart(last.health, last.detail, last.figures, last.at)
            for serial, last in newest.items() if last.health is SmartHealth.FAILING
        }

    def last(self, serial: str) -> SmartRecord | None:
        """The newest row of a drive."""
        records = self.of(serial, 1).records
        return records[0] if records else None

    def of(self, serial: str, limit: int) -> SmartHistory:
        """The rows of a drive, the newest first."""
        with self._open() as db:
            rows = db.execute(
                "SELECT model, at, health, detail, figures FROM readings WHERE serial = ? ORDER BY at DESC LIMIT ?",
                (serial, limit),
            ).fetchall()
        try:
            records = tuple(
                SmartRecord(at, SmartHealth(health), detail, msgspec.json.decode(figures, type=Figures))
                for _, at, health, detail, figures in rows
            )
        except (ValueError, TypeError) as error:  # of a newer version, or damaged; msgspec's are ValueErrors
            raise SmartHistoryBroken(f"A row of {self._file} is not understood: {error}.") from error
        return SmartHistory(serial, rows[0][0] if rows else "", records)

    def add(self, serial: str, model: str, smart: Smart) -> bool:
        """Keeps a reading, when it says something new; True when it did."""
        if not serial or smart.read is None:
            return False
        last = self.last(serial)
        if last is not None and 0 <= smart.read - last.at < SPACING and _same(last, smart):
            return False
        with self._open() as db:
            db.execute(
                "INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?, ?, ?)",
                (
                    serial, model, smart.read, smart.health.value, smart.detail,
                    msgspec.json.encode(smart.figures).decode(),
                ),
            )
            db.execute(
                "DELETE FROM readings WHERE serial = ? AND at NOT IN"
                " (SELECT at FROM readings WHERE serial = ? ORDER BY at DESC LIMIT ?)",
                (serial, serial, KEPT),
            )
            db.execute(
                "DELETE FROM readings WHERE serial NOT IN"
                " (SELECT serial FROM readings GROUP BY serial ORDER BY max(at) DESC LIMIT ?)",
                (DRIVES,),
            )
        return True

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A transaction, on the disk when it ends."""
        with self._lock:
            try:
                if self._db is None:
                    self._db = self._connect()
                with self._db:
                    yield self._db
            except (sqlite3.Error, OSError, ValueError) as error:
                raise SmartHistoryBroken(f"{self._file} cannot be used: {error}.") from error

    def _connect(self) -> sqlite3.Connection:
        try:
            return _make(self._file)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):  # such as a full disk: the file is good
                raise
            self._file.replace(self._file.with_suffix(".broken"))
            return _make(self._file)


def _make(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(file, timeout=5.0, check_same_thread=False)
    db.executescript(SCHEMA)
    return db


def _same(last: SmartRecord, smart: Smart) -> bool:
    """Nothing but temperature, hours and the words for them has changed."""
    return last.health is smart.health and _lasting(last.figures) == _lasting(smart.figures)


def _lasting(figures: Figures) -> Figures:
    return replace(figures, temperature=None, hours=None)
