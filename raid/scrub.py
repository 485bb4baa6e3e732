"""The native parity check of a live RAID4, 5 or 6: reads all members, names each wrong stripe, changes nothing.

    python -m raid.scrub /dev/md127 [--json] [--progress-file PATH]    0 clean, 1 mismatches, 2 not (wholly) checked
    python -m raid.scrub --release /dev/md127                          lets writes go on that a killed check holds

Every stripe is read while the array is in use. One that looks bad may just have been written: writes to it, and to it
alone, are suspended for a moment and it is read again. Only what is bad then is reported (facts/raid.md, "Checking a
live array"; docs/design/parity.md).
"""

import argparse
import itertools
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from core import journal
from core.clock import Clock, SystemClock
from core.errors import CannotCheck, RackeyeError
from raid.geometry import array_name, bad_blocks, checking, clear_suspended, read_geometry, suspended
from raid.layout import Row
from raid.parity import PAGE, BadPage, Engine, aligned, bad_pages, consistent, engine, reconstruct
from raid.progress_file import Pace, ProgressFile, left_behind, say, stay_in_memory
from raid.readers import Opener, Piece, Readers, Unread, open_direct
from raid.scrub_result import (
    NAMED,
    BadExtent,
    BadStripe,
    ScrubProgress,
    ScrubResult,
    Unreadable,
    WrongMember,
    sentences,
)

log = journal.get_logger("raid.scrub")

_PIECE = 512 * 1024  # of one member: fits the cache with eight members (facts/raid.md, numbers)
_ALL_MEMBERS = 4 * 1024 * 1024  # of all members together: bounds memory with 32 of them
_REPORT = 1.0  # seconds between two reports of progress, and between two looks at the array's state


def check(
    array: str,
    *,
    sysfs: Path = Path("/sys"),
    opener: Opener = open_direct,
    by: Engine | None = None,
    on_progress: Callable[[ScrubProgress, ScrubResult], None] | None = None,
    stop: threading.Event | None = None,
    clock: Clock | None = None,
    before: ScrubResult | None = None,
    pace: Callable[[float], None] | None = None,
) -> ScrubResult:
    """Checks the whole array (`md127`, `/dev/md127` or a link to it). Setting `stop` ends it soon, with a result.

    before: what an earlier check of the same array found that was cut off; this one goes on behind it. pace: is told
    after each piece how many seconds it took, and may wait.

    Raises CannotCheck (with the reason: resync, missing member, no parity, a member went away) and CheckRunning.
    """
    name = array_name(array)
    with checking(name, sysfs):
        scrub = _Scrub(name, sysfs, opener, by or engine())
        begin = 0 if before is None else scrub.take_up(before)
        told = on_progress or (lambda _progress, _so_far: None)
        return scrub.run(begin, told, stop or threading.Event(), clock or SystemClock(), pace)


class _Scrub:
    """One run."""

    def __init__(self, array: str, sysfs: Path, opener: Opener, by: Engine) -> None:
        self._array, self._sysfs, self._by = array, sysfs, by
        self._geometry = read_geometry(array, sysfs)
        self._rows = self._geometry.rows
        piece = piece_size(len(self._geometry.members))
        self._step = min(piece, self._geometry.chunk)
        self._zeros = aligned(1, piece)[0]
        self._bad: dict[int, BadStripe] = {}
        self._bad_stripes, self._last_bad = 0, -1
        self._unread: dict[tuple[int, int], Unread] = {}
        self._blind: set[int] = set()
        self._readers = Readers(self._geometry, piece, opener)

    def take_up(self, before: ScrubResult) -> int:
        """Goes on behind an earlier check; returns where. From the start when the array is another now.

        What that one could not read is tried again at its end, by md's word alone: the places stay named.
        """
        geometry = self._geometry
        if (before.of, before.level, before.missing_slot) != (geometry.stripes, geometry.level, geometry.missing):
            return 0
        offsets = {member.slot: member.offset for member in geometry.members if member is not None}
        for place in before.unreadable:
            if place.slot in offsets:
                self._note_unread(Unread(place.slot, place.offset - offsets[place.slot], place.length, place.why))
        self._bad = {bad.number: bad for bad in before.bad if bad.number < before.stripes}
        self._bad_stripes, self._last_bad = before.bad_stripes, max(self._bad, default=-1)
        return before.stripes * geometry.chunk

    def run(
        self,
        begin: int,
        on_progress: Callable[[ScrubProgress, ScrubResult], None],
        stop: threading.Event,
        clock: Clock,
        pace: Callable[[float], None] | None,
    ) -> ScrubResult:
        began = reported = last = clock.monotonic()
        done, component = begin, self._geometry.component
        with self._readers:
            self._note_bad_blocks()
            for piece in self._readers.stream(component, begin):
                self._judge(piece)
                done = piece.start + len(piece.blocks[0])
                if stop.is_set():
                    break
                now = clock.monotonic()
                if pace is not None:
                    pace(now - last)
                    last = now = clock.monotonic()
                if now - reported >= _REPORT:
                    self._still_the_same()
                    on_progress(_progress(begin, done, component, now - began), self._result(done, now - began))
                    reported = now
            self._still_the_same()
            self._note_bad_blocks()
        return self._result(done, clock.monotonic() - began)

    def _judge(self, piece: Piece) -> None:
        """The optimistic look; what looks bad, or could not be read, gets the second one."""
        blind = {page for unread in piece.unread for page in unread.pages}
        suspects: list[range] = []
        for at in range(0, len(piece.blocks[0]), self._step):
            start = piece.start + at
            if not blind.isdisjoint(range(start // PAGE, (start + self._step) // PAGE)) or not self._agrees(piece, at):
                suspects.append(range(at, at + self._step))
        for run in _joined(suspects):
            self._second_look(piece.start + run.start, len(run))

    def _agrees(self, piece: Piece, at: int) -> bool:
        row, blocks = self._stripe(piece, at)
        return consistent(self._by, row, blocks, self._zeros)

    def _second_look(self, start: int, length: int) -> None:
        """Reads [start, start+length) of all members while nobody writes there, and notes what is bad."""
        geometry = self._geometry
        first = start // geometry.chunk * geometry.stripe_data
        last = -(-(start + length) // geometry.chunk) * geometry.stripe_data
        self._readers.settle()
        with suspended(self._array, first, last, self._sysfs):
            self._still_the_same()
            self._note_bad_blocks()
            piece = self._readers.again(start, length)
        for unread in piece.unread:
            self._note_unread(unread)
        self._still_the_same()
        for at in range(0, length, self._step):
            self._examine(piece, at)

    def _examine(self, piece: Piece, at: int) -> None:
        """Page by page, leaving out what could not be read."""
        row, blocks = self._stripe(piece, at)
        first = (piece.start + at) // PAGE
        found = [BadPage(first + bad.page, bad.wrong) for bad in bad_pages(row, blocks, self._zeros)]
        found = [bad for bad in found if bad.page not in self._blind]
        if self._geometry.missing is not None:
            found = [BadPage(bad.page, None) for bad in found]  # what is left detects, and cannot locate
        if found:
            self._note_bad((piece.start + at) // self._geometry.chunk, row, found)

    def _stripe(self, piece: Piece, at: int) -> tuple[Row, list[memoryview]]:
        """The blocks to compare at one place. A RAID6 without one member is checked by the redundancy it has left."""
        row = self._rows[(piece.start + at) // self._geometry.chunk % len(self._rows)]
        blocks = [block[at : at + self._step] for block in piece.blocks]
        missing = self._geometry.missing
        if missing is None:
            return row, blocks
        if missing == row.q:
            return Row(row.p, None, row.data, ()), [block for slot, block in enumerate(blocks) if slot != missing]
        reconstruct(self._by, row, blocks, missing)
        return row, blocks

    def _still_the_same(self) -> None:
        """A verdict holds only for the array that was opened: a member that failed meanwhile is no longer written."""
        if read_geometry(self._array, self._sysfs) != self._geometry:
            raise CannotCheck(
                f"{self._array} changed during the check: a member went away or came.",
                hint="Look at its drives, let it rebuild, then check again.",
            )

    def _note_bad_blocks(self) -> None:
        for member in filter(None, self._geometry.members):
            for bad in bad_blocks(self._array, member, self._sysfs):
                inside = range(max(0, bad.start), min(bad.stop, self._geometry.component))
                if inside:
                    self._note_unread(Unread(member.slot, inside.start, len(inside), "in md's list of bad blocks"))

    def _note_unread(self, unread: Unread) -> None:
        self._unread.setdefault((unread.slot, unread.offset), unread)
        self._blind.update(unread.pages)
        if len(self._unread) > NAMED:
            raise CannotCheck(
                f"{self._device(unread.slot)} (slot {unread.slot}) has more than {NAMED} places that cannot be read.",
                hint="Replace this drive, let the array rebuild, then check again.",
            )

    def _note_bad(self, number: int, row: Row, pages: Sequence[BadPage]) -> None:
        if number != self._last_bad:
            self._bad_stripes, self._last_bad = self._bad_stripes + 1, number
        if number not in self._bad and len(self._bad) >= NAMED:
            return
        before = self._bad[number].extents if number in self._bad else ()
        extents = before + tuple(self._extents(row, pages))
        first = extents[0].wrong
        self._bad[number] = BadStripe(
            number=number,
            array_offset=number * self._geometry.stripe_data,
            member_offset=number * self._geometry.chunk,
            pages=sum(extent.pages for extent in extents),
            wrong=first if all(extent.wrong == first for extent in extents) else None,
            extents=extents,
        )

    def _extents(self, row: Row, pages: Sequence[BadPage]) -> Iterator[BadExtent]:
        runs = itertools.groupby(enumerate(pages), key=lambda item: (item[1].page - item[0], item[1].wrong))
        for (_, slot), run in runs:
            members = [page for _, page in run]
            wrong = None
            if slot is not None:
                role = {row.p: "P", row.q: "Q"}.get(slot, "data")
                wrong = WrongMember(slot, self._device(slot), role)
            yield BadExtent(members[0].page * PAGE, len(members), wrong)

    def _device(self, slot: int) -> str:
        member = self._geometry.members[slot]
        assert member is not None  # only members that are there are read
        return f"/dev/{member.name}"

    def _result(self, done: int, seconds: float) -> ScrubResult:
        geometry = self._geometry
        offsets = {member.slot: member.offset for member in geometry.members if member is not None}
        return ScrubResult(
            array=self._array,
            level=int(geometry.level),
            stripes=done // geometry.chunk,
            of=geometry.stripes,
            bytes=done * len(offsets),
            seconds=round(seconds, 3),
            bad=tuple(self._bad[number] for number in sorted(self._bad)),
            bad_stripes=self._bad_stripes,
            unreadable=tuple(
                Unreadable(bad.slot, self._device(bad.slot), offsets[bad.slot] + bad.offset, bad.length, bad.why)
                for _, bad in sorted(self._unread.items())
            ),
            missing_slot=geometry.missing,
            stopped=done < geometry.component,
            engine=self._by.name,
        )


def piece_size(members: int) -> int:
    """Bytes of each member that are read at once: a power of two, as md's chunks are."""
    size = _PIECE
    while size * members > _ALL_MEMBERS and size > PAGE:
        size //= 2
    return size


def _joined(spans: Sequence[range]) -> Iterator[range]:
    """Neighbouring spans as one."""
    whole: range | None = None
    for span in spans:
        if whole is not None and whole.stop == span.start:
            whole = range(whole.start, span.stop)
            continue
        if whole is not None:
            yield whole
        whole = span
    if whole is not None:
        yield whole


def _progress(begin: int, done: int, of: int, seconds: float) -> ScrubProgress:
    speed = (done - begin) / seconds if seconds > 0 else 0.0
    return ScrubProgress(
        percent=100.0 * done / of,
        speed=int(speed) if speed else None,
        seconds_left=(of - done) / speed if speed else None,
    )


# -- the program -----------------------------------------------------------------------------------------------------


def main(argv: Sequence[str] | None = None) -> int:
    """0 clean, 1 mismatches, 2 misuse, refused, stopped, or something could not be read."""
    options = _parser().parse_args(argv)
    journal.set_up()
    name = array_name(options.array)
    if options.release:
        return _release(name)
    before = left_behind(options.progress_file, options.identity) if options.resume else None
    progress = ProgressFile(name, options.progress_file, options.identity, before)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        stay_in_memory()
        pace = Pace(stop).after if options.throttle else None
        result = check(name, on_progress=progress.write, stop=stop, before=before, pace=pace)
    except RackeyeError as error:
        say(f"{error.code}: {error.sentence} {error.hint}".strip(), sys.stderr)
        progress.failed(error)
        return 2
    progress.done(result)
    say(msgspec.json.encode(result).decode() if options.json else "\n".join(sentences(result)))
    if result.bad_stripes:
        return 1
    return 0 if result.clean else 2


def _release(name: str) -> int:
    try:
        released = clear_suspended(name)
    except RackeyeError as error:
        say(f"{error.code}: {error.sentence} {error.hint}".strip(), sys.stderr)
        return 2
    say(f"{name}: {'waiting writes go on' if released else 'no writes were held'}.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m raid.scrub", description="Checks the parity of an md array.")
    parser.add_argument("array", help="such as /dev/md127")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--progress-file", type=Path, help="JSON, renewed once a second")
    parser.add_argument("--identity", default="", help="of the virtual drive; a check of another is not taken up")
    parser.add_argument("--resume", action="store_true", help="go on from where the check in the progress file ended")
    parser.add_argument("--throttle", action="store_true", help="leave the drives to others, as the settings say")
    parser.add_argument("--release", action="store_true", help="only let writes go on that a killed check holds")
    return parser


if __name__ == "__main__":
    sys.exit(main())
