"""What every native check of a live array shares: reading on, the second look, what could not be read, the result.

A subclass knows what the members hold: parity (raid/scrub_parity.py) or copies (raid/scrub_mirror.py).
"""

import abc
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from core.clock import Clock
from core.errors import CannotCheck
from raid.geometry import Member, bad_blocks, suspended
from raid.parity import PAGE, Engine
from raid.readers import Piece, Readers, Unread
from raid.scrub_result import LISTED, NAMED, BadExtent, BadStripe, ScrubProgress, ScrubResult, Unreadable

Told = Callable[[ScrubProgress, ScrubResult], None]
"""Is told how far it is, and what it has found."""

_PIECE = 512 * 1024  # of one member: fits the cache with eight members (facts/raid.md, numbers)
_ALL_MEMBERS = 4 * 1024 * 1024  # of all members together: bounds memory with 32 of them
_REPORT = 1.0  # seconds between two reports of progress, and between two looks at the array's state


class Shape(Protocol):
    """What is checked. length: bytes to go through; chunk of them are a stripe.

    component: bytes of each member that the array uses. held: the bytes of the array that a stretch of `length` holds.
    """

    @property
    def array(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def chunk(self) -> int: ...
    @property
    def component(self) -> int: ...
    @property
    def length(self) -> int: ...
    @property
    def stripes(self) -> int: ...
    @property
    def members(self) -> tuple[Member | None, ...]: ...
    @property
    def missing(self) -> int | None: ...
    def held(self, start: int, length: int) -> tuple[int, int]: ...


class Scrub(abc.ABC):
    """One run."""

    def __init__(self, shape: Shape, readers: Readers, by: Engine, sysfs: Path) -> None:
        self._array, self._sysfs, self._by, self._shape = shape.array, sysfs, by, shape
        self._readers = readers
        self._bad: dict[int, BadStripe] = {}
        self._bad_stripes, self._last_bad = 0, -1
        self._unread: dict[tuple[int, int], Unread] = {}

    @abc.abstractmethod
    def _judge(self, piece: Piece) -> None:
        """The optimistic look; what looks bad, or could not be read, gets the second one."""

    @abc.abstractmethod
    def _examine(self, piece: Piece) -> None:
        """Names what is bad in a piece that was read while nobody wrote to it; leaves out what could not be read."""

    @abc.abstractmethod
    def _look_again(self) -> Shape:
        """The array's shape as it is now. Raises CannotCheck."""

    def take_up(self, before: ScrubResult) -> int:
        """Goes on behind an earlier check; returns where. From the start when the array is another now.

        What that one could not read is tried again at its end, by md's word alone: the places stay named.
        """
        shape = self._shape
        if (before.of, before.level, before.missing_slot) != (shape.stripes, shape.number, shape.missing):
            return 0
        offsets = {member.slot: member.offset for member in shape.members if member is not None}
        for place in before.unreadable:
            if place.slot in offsets:
                self._note_unread(Unread(place.slot, place.offset - offsets[place.slot], place.length, place.why))
        self._bad = {bad.number: bad for bad in before.bad if bad.number < before.stripes}
        again = len(before.bad) - len(self._bad)  # read in part: it is read, and counted, anew
        self._bad_stripes, self._last_bad = before.bad_stripes - again, max(self._bad, default=-1)
        return min(shape.length, before.stripes * shape.chunk)

    def run(
        self, begin: int, on_progress: Told, stop: threading.Event, clock: Clock, pace: Callable[[float], None] | None
    ) -> ScrubResult:
        """From `begin` to the end, or until `stop` is set. When it breaks off, what it has found is told first: each
        finding was proved by a look of its own."""
        began = clock.monotonic()
        proved, length = begin, self._shape.length

        def tell(done: int, now: float) -> None:
            nonlocal proved
            proved = done
            on_progress(_progress(begin, done, length, now - began), self._result(done, now - began))

        try:
            with self._readers:
                done = self._read_on(begin, began, tell, stop=stop, clock=clock, pace=pace)
        except (CannotCheck, OSError) as error:
            tell(proved, clock.monotonic())
            if isinstance(error, CannotCheck):
                raise
            raise CannotCheck(
                f"{self._array} could not be read on: {error}.", hint="Look at its drives, then check again."
            ) from error
        return self._result(done, clock.monotonic() - began)

    def _read_on(
        self, begin: int, began: float, tell: Callable[[int, float], None], *, stop: threading.Event, clock: Clock,
        pace: Callable[[float], None] | None,
    ) -> int:
        """How far it came."""
        reported, last, done = began, began, begin
        self._note_bad_blocks()
        for piece in self._readers.stream(self._shape.length, begin):
            self._judge(piece)
            done = piece.start + piece.length
            if stop.is_set():
                break
            now = clock.monotonic()
            if pace is not None:
                pace(now - last)
                last = now = clock.monotonic()
            if now - reported >= _REPORT:
                self._still_the_same()
                tell(done, now)
                reported = now
        self._still_the_same()
        self._note_bad_blocks()
        return done

    def _second_look(self, start: int, length: int) -> None:
        """Reads [start, start+length) of all members while nobody writes there, and notes what is bad."""
        shape = self._shape
        first, last = shape.held(start, length)
        self._readers.settle()
        with suspended(self._array, first, last, self._sysfs):
            self._still_the_same()
            self._note_bad_blocks()
            piece = self._readers.again(start, length)
        self._still_the_same()
        for unread in piece.unread:  # not before: a drive that goes away fails its last reads
            self._note_unread(unread)
        self._examine(piece)

    def _still_the_same(self) -> None:
        """A verdict holds only for the array that was opened: a member that failed meanwhile is no longer written."""
        if self._look_again() != self._shape:
            raise CannotCheck(
                f"{self._array} changed during the check: a member went away or came.",
                hint="Look at its drives, let it rebuild, then check again.",
            )

    def _note_bad_blocks(self) -> None:
        for member in filter(None, self._shape.members):
            for bad in bad_blocks(self._array, member, self._sysfs):
                inside = range(max(0, bad.start), min(bad.stop, self._shape.component))
                if inside:
                    self._note_unread(Unread(member.slot, inside.start, len(inside), LISTED))

    def _note_unread(self, unread: Unread) -> None:
        self._unread.setdefault((unread.slot, unread.offset), unread)
        if len(self._unread) > NAMED:
            raise CannotCheck(
                f"{self._device(unread.slot)} (slot {unread.slot}) has more than {NAMED} places that cannot be read.",
                hint="Replace this drive, let the array rebuild, then check again.",
            )

    def _note_bad(self, number: int, found: Sequence[BadExtent]) -> None:
        """More of stripe `number`; they come in order."""
        if number != self._last_bad:
            self._bad_stripes, self._last_bad = self._bad_stripes + 1, number
        if number not in self._bad and len(self._bad) >= NAMED:
            return
        extents = (self._bad[number].extents if number in self._bad else ()) + tuple(found)
        first = extents[0].wrong
        self._bad[number] = BadStripe(
            number=number,
            array_offset=self._shape.held(number * self._shape.chunk, self._shape.chunk)[0],
            member_offset=number * self._shape.chunk,
            pages=sum(extent.pages for extent in extents),
            wrong=first if all(extent.wrong == first for extent in extents) else None,
            extents=extents,
        )

    def _device(self, slot: int) -> str:
        member = self._shape.members[slot]
        assert member is not None  # only members that are there are read
        return f"/dev/{member.name}"

    def _result(self, done: int, seconds: float) -> ScrubResult:
        shape = self._shape
        offsets = {member.slot: member.offset for member in shape.members if member is not None}
        return ScrubResult(
            array=self._array,
            level=shape.number,
            stripes=shape.stripes if done >= shape.length else done // shape.chunk,
            of=shape.stripes,
            bytes=done * len(offsets),
            seconds=round(seconds, 3),
            bad=tuple(self._bad[number] for number in sorted(self._bad)),
            bad_stripes=self._bad_stripes,
            unreadable=tuple(
                Unreadable(bad.slot, self._device(bad.slot), offsets[bad.slot] + bad.offset, bad.length, bad.why)
                for _, bad in sorted(self._unread.items())
            ),
            missing_slot=shape.missing,
            stopped=done < shape.length,
            engine=self._by.name,
        )


def piece_size(members: int) -> int:
    """Bytes of each member that are read at once: a power of two, as md's chunks are."""
    size = _PIECE
    while size * members > _ALL_MEMBERS and size > PAGE:
        size //= 2
    return size


def _progress(begin: int, done: int, of: int, seconds: float) -> ScrubProgress:
    speed = (done - begin) / seconds if seconds > 0 else 0.0
    return ScrubProgress(
        percent=100.0 * done / of,
        speed=int(speed) if speed else None,
        seconds_left=(of - done) / speed if speed else None,
    )
