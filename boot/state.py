"""The one record of the appliance: mode, generation, intent. Two copies with checksums.

Each copy is replaced as a whole (temp file, fsync, rename, fsync of the folder), one after the other, so that a cut
leaves the old or the new record. Damage of either copy is mended from the other. When none can be read: Standard Mode,
a problem for people to see, and never an intent: a damaged file wipes nothing (facts/boot.md).
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from boot.model import Intent, Mode
from core.config import write_atomic
from core.errors import StateUnwritable
from core.paths import Paths


@dataclass(frozen=True, slots=True)
class Record:
    """generation goes up by one at each change."""

    mode: Mode = Mode.STANDARD
    generation: int = 0
    intent: Intent = Intent.NONE


@dataclass(frozen=True, slots=True)
class Loaded:
    """record: what holds. lost: nothing could be read, though something was written once.

    uneven: the copies are not both the record; `mend` makes them so.
    """

    record: Record
    lost: bool = False
    uneven: bool = False
    problem: str = ""


def encode(record: Record) -> bytes:
    """The bytes of a copy: one line of JSON, its SHA-256 before it."""
    body = json.dumps({"mode": record.mode, "generation": record.generation, "intent": record.intent}).encode()
    return hashlib.sha256(body).hexdigest().encode() + b" " + body + b"\n"


def decode(data: bytes) -> Record | None:
    """None for anything that `encode` did not write."""
    digest, _, rest = data.partition(b" ")
    body = rest.removesuffix(b"\n")
    if rest == body or digest != hashlib.sha256(body).hexdigest().encode():
        return None
    try:
        table = json.loads(body)
        return Record(Mode(table["mode"]), int(table["generation"]), Intent(table["intent"]))
    except (ValueError, KeyError, TypeError):  # whole, but of a version that this one does not know
        return None


class StateStore:
    """The record on the system drive."""

    def __init__(self, paths: Paths) -> None:
        self.folder = paths.state / "boot"
        self.copies = (self.folder / "state.a", self.folder / "state.b")

    def load(self) -> Loaded:
        """What holds now; never raises."""
        texts = [_read(copy) for copy in self.copies]
        records = [None if text is None else decode(text) for text in texts]
        good = [record for record in records if record is not None]
        if not good:
            if texts == [b"", b""]:
                return Loaded(Record())
            names = " and ".join(str(copy) for copy in self.copies)
            return Loaded(Record(), lost=True, problem=f"The record of the mode cannot be read ({names}). The "
                          "appliance starts in Standard Mode; nothing is restored or wiped because of it.")
        newest = max(good, key=lambda record: record.generation)
        if all(record == newest for record in records):
            return Loaded(newest)
        damaged = [str(c) for c, t, r in zip(self.copies, texts, records, strict=True) if r is None and t != b""]
        said = f"One copy of the record of the mode was damaged ({damaged[0]}); the other one holds." if damaged else ""
        return Loaded(newest, uneven=True, problem=said)

    def change(self, alter: Callable[[Record], Record]) -> Record:
        """Writes a new record, on both copies when this returns. Raises StateUnwritable; then the old one may hold."""
        with self._locked():
            old = self.load().record
            new = replace(alter(old), generation=old.generation + 1)
            self._write(new)
            return new

    def mend(self) -> bool:
        """Makes an uneven pair even again; True when it was. Raises StateUnwritable."""
        with self._locked():
            loaded = self.load()
            if loaded.uneven:
                self._write(loaded.record)
            return loaded.uneven

    def _write(self, record: Record) -> None:
        """The worse copy first: until it is whole, the better one stays."""
        known = [decode(_read(copy) or b"") for copy in self.copies]
        order = sorted(self.copies, key=lambda copy: _rank(known[self.copies.index(copy)]))
        try:
            for copy in order:
                write_atomic(copy, encode(record))
        except OSError as error:
            raise _unwritable(error) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unwritable(error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _rank(record: Record | None) -> int:
    return -1 if record is None else record.generation


def _read(copy: Path) -> bytes | None:
    """b"" for a copy that was never written, None for one that cannot be read."""
    try:
        return copy.read_bytes() or None
    except FileNotFoundError:
        return b""
    except OSError:
        return None


def _unwritable(error: OSError) -> StateUnwritable:
    return StateUnwritable(
        f"The record of the mode cannot be written: {error.strerror or error}.", hint="Look at the system drive."
    )
