"""Repair, on demand, of stripes that a check has found wrong: through md alone, and read again natively afterwards.

    python -m raid.repair /dev/md127 --stripes 17,300 [--json] [--progress-file PATH]   0 all right, 1 some left alone
    python -m raid.repair /dev/md126 /dev/md125 --stripes 4 --stripes 17,300            the spans of RAID50 or 60

Each stripe by itself, while writes to it (and to it alone) wait:
1. It is read natively. What agrees now is left. RAID6: the wrong member of each 4 KiB page decides; one page whose
   wrong member is unknown (two are wrong) or that cannot be read leaves the whole stripe as it is. RAID5 cannot tell
   data from parity: its parity is computed anew from the data as they are.
2. A wrong data page: md's stripe cache is flushed (a windowed `check` of other stripes: it would write back the bad
   data it holds), and the page is put into md's list of bad blocks, so that md must compute it from the others.
3. A windowed `repair` of this stripe, and the second native look, which alone decides what is said.

Cut off at any point nothing is lost: a page in the list of bad blocks is computed from the other members until it is
written; where the list had not reached the superblocks, the next check finds the page again. docs/design/parity.md.
"""

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from core import journal
from core.clock import Clock, SystemClock
from core.config import write_atomic
from core.errors import CannotCheck, CannotRepair, RackeyeError
from raid import check
from raid.geometry import SECTOR, array_name, bad_blocks, checking, read_geometry, suspended
from raid.layout import Level
from raid.parity import PAGE, BadPage, Engine, aligned, bad_pages, engine
from raid.progress_file import ProgressFile, say, stay_in_memory
from raid.readers import Opener, Readers, open_direct
from raid.repair_result import Outcome, RepairedStripe, RepairResult, sentences
from raid.scrub_result import ScrubProgress, WrongMember
from raid.scrub_run import piece_size
from raid.scrub_spans import UPPER
from raid.window import Pass, run_window

log = journal.get_logger("raid.repair")
_TRIES = 3
_MARK_PAGES = 8  # sectors of a page in md's list of bad blocks


def repair(
    array: str,
    stripes: Sequence[int],
    *,
    sysfs: Path = Path("/sys"),
    opener: Opener = open_direct,
    by: Engine | None = None,
    on_progress: Callable[[ScrubProgress], None] | None = None,
    stop: threading.Event | None = None,
    clock: Clock | None = None,
) -> RepairResult:
    """Repairs these stripes (numbers of a check). Raises CannotCheck, CannotRepair, CheckRunning."""
    name = array_name(array)
    with checking(name, sysfs):
        run = _Repair(name, sysfs, opener, by or engine())
        return run.run(sorted(set(stripes)), on_progress or (lambda _: None), stop or threading.Event(),
                       clock or SystemClock())


class _Repair:
    """One run."""

    def __init__(self, array: str, sysfs: Path, opener: Opener, by: Engine) -> None:
        self._array, self._sysfs, self._by = array, sysfs, by
        self._md = sysfs / "block" / array / "md"
        self._geometry = read_geometry(array, sysfs)
        if self._geometry.missing is not None:
            raise CannotRepair(
                f"{array} lacks the member in slot {self._geometry.missing}, so a wrong member cannot be named.",
                hint="Let it be rebuilt first. Until then nothing is written.",
            )
        self._piece = piece_size(len(self._geometry.members))
        self._zeros = aligned(1, self._piece)[0]
        self._readers = Readers(self._geometry.members, self._piece, opener)

    def run(
        self, stripes: list[int], on_progress: Callable[[ScrubProgress], None], stop: threading.Event, clock: Clock
    ) -> RepairResult:
        began = clock.monotonic()
        ended: list[RepairedStripe] = []
        with self._readers:
            for number in stripes:
                if stop.is_set():
                    break
                if not 0 <= number < self._geometry.stripes:
                    raise CannotRepair(f"{self._array} has no stripe {number}.", hint="Check it again.")
                ended.append(self._stripe(number))
                log.warning(f"Stripe {number} of {self._array}: {ended[-1].outcome}. {ended[-1].why}".strip())
                seconds = clock.monotonic() - began
                left = seconds / len(ended) * (len(stripes) - len(ended))
                on_progress(ScrubProgress(100.0 * len(ended) / len(stripes), None, left))
        return RepairResult(
            self._array, int(self._geometry.level), tuple(ended), len(stripes), round(clock.monotonic() - began, 3)
        )

    def _stripe(self, number: int) -> RepairedStripe:
        geometry = self._geometry
        with suspended(
            self._array, number * geometry.stripe_data, (number + 1) * geometry.stripe_data, self._sysfs
        ):
            pages, blind = self._look(number)
            marked = self._marked(number)
            if not pages and not marked and not blind:
                return RepairedStripe(number, Outcome.RIGHT, 0)
            first, why = pages, self._why_not(pages, blind, marked)
            for _ in range(_TRIES):
                if why:
                    break
                self._write(number, pages)
                pages, blind = self._look(number)
                marked = self._marked(number)
                if not pages and not blind and not marked:
                    return RepairedStripe(number, Outcome.REPAIRED, len(first), self._members(number, first))
                why = self._why_not(pages, blind, marked)
            return RepairedStripe(
                number, Outcome.LEFT, len(first), self._members(number, first),
                why or "md's repair did not make it right",
            )

    def _look(self, number: int) -> tuple[tuple[BadPage, ...], frozenset[int]]:
        """The pages of the stripe that disagree, counted in the member's chunk, and those that cannot be read."""
        self._still_the_same()
        geometry = self._geometry
        row = geometry.rows[number % len(geometry.rows)]
        step = min(self._piece, geometry.chunk)
        found: list[BadPage] = []
        blind: set[int] = set()
        for at in range(0, geometry.chunk, step):
            piece = self._readers.again(number * geometry.chunk + at, step)
            first = (number * geometry.chunk) // PAGE
            blind.update(page - first for unread in piece.unread for page in unread.pages)
            found += [BadPage(at // PAGE + bad.page, bad.wrong) for bad in bad_pages(row, piece.blocks, self._zeros)]
        return tuple(bad for bad in found if bad.page not in blind), frozenset(blind)

    def _why_not(self, pages: Sequence[BadPage], blind: frozenset[int], marked: frozenset[tuple[int, int]]) -> str:
        """Why nothing may be written to this stripe; empty when it may.

        A page that md itself holds for bad is computed from the others, in a RAID5 too.
        """
        if blind:
            return "a page of it cannot be read: replace that drive (or let a patrol read rewrite it), then check again"
        raid6 = self._geometry.level is Level.RAID6
        if raid6 and any(bad.wrong is None for bad in pages):
            return "more than one member is wrong in one place, so which one is not known: nothing is written"
        slots_at: dict[int, set[int]] = {}
        for slot, page in marked:
            slots_at.setdefault(page, set()).add(slot)
        for bad in pages:
            if bad.wrong is not None:
                slots_at.setdefault(bad.page, set()).add(bad.wrong)
        if any(len(slots) > 1 for slots in slots_at.values()):
            return "one member is wrong where md holds another for bad: nothing is written"
        return ""

    def _write(self, number: int, pages: Sequence[BadPage]) -> None:
        geometry = self._geometry
        row = geometry.rows[number % len(geometry.rows)]
        data = [(bad.wrong, bad.page) for bad in pages if bad.wrong is not None and bad.wrong not in (row.p, row.q)]
        if geometry.level is Level.RAID6 and data:
            self._flush(number)
            for slot, page in data:
                self._mark(slot, number * geometry.chunk + page * PAGE)
        start = number * geometry.chunk
        run_window(self._md, Pass.REPAIR, start, start + geometry.chunk)

    def _flush(self, number: int) -> None:
        """Makes md's stripe cache forget this stripe: a check of more other stripes than it holds."""
        geometry = self._geometry
        cached = int((self._md / "stripe_cache_size").read_text())
        chunks = -(-2 * cached * PAGE // geometry.chunk)
        after = range(number + 1, min(number + 1 + chunks, geometry.stripes))
        before = range(max(0, number - chunks), number)
        window = after if len(after) >= len(before) else before
        if not window:
            raise CannotRepair(f"{self._array} is too small to be repaired in part.")
        run_window(self._md, Pass.CHECK, window.start * geometry.chunk, window.stop * geometry.chunk)

    def _mark(self, slot: int, offset: int) -> None:
        """Tells md that a page of a member is bad: it then computes it from the others."""
        member = self._geometry.members[slot]
        assert member is not None  # refused at the begin
        file = self._md / ("dev-" + member.name.replace("/", "!")) / "bad_blocks"
        try:
            file.write_text(f"{(member.offset + offset) // SECTOR} {_MARK_PAGES}")
        except OSError as error:
            sentence = f"md keeps no list of bad blocks for /dev/{member.name}, so its page cannot be repaired"
            raise CannotRepair(f"{sentence} ({error.strerror}).") from error

    def _marked(self, number: int) -> frozenset[tuple[int, int]]:
        """Slot and page (in the chunk) of what md holds for bad in this stripe."""
        chunk = self._geometry.chunk
        inside = range(number * chunk, (number + 1) * chunk)
        found: set[tuple[int, int]] = set()
        for member in filter(None, self._geometry.members):
            for bad in bad_blocks(self._array, member, self._sysfs):
                first, last = max(bad.start, inside.start), min(bad.stop, inside.stop)
                found.update((member.slot, at // PAGE - inside.start // PAGE) for at in range(first, last, PAGE))
        return frozenset(found)

    def _still_the_same(self) -> None:
        if read_geometry(self._array, self._sysfs) != self._geometry:
            raise CannotCheck(
                f"{self._array} changed during the repair: a member went away or came.",
                hint="Look at its drives, let it rebuild, then check again.",
            )

    def _members(self, number: int, pages: Sequence[BadPage]) -> tuple[WrongMember, ...]:
        row = self._geometry.rows[number % len(self._geometry.rows)]
        found = []
        for slot in sorted({bad.wrong for bad in pages if bad.wrong is not None}):
            member = self._geometry.members[slot]
            assert member is not None
            found.append(WrongMember(slot, f"/dev/{member.name}", {row.p: "P", row.q: "Q"}.get(slot, "data")))
        return tuple(found)


# -- the program -----------------------------------------------------------------------------------------------------


def main(argv: Sequence[str] | None = None) -> int:
    """0 all right, 1 some stripes were left alone, 2 misuse, refused or stopped."""
    parser = argparse.ArgumentParser(prog="python -m raid.repair", description="Repairs wrong stripes through md.")
    parser.add_argument("arrays", nargs="+", help="such as /dev/md127; several: the spans of one virtual drive")
    parser.add_argument(
        "--stripes", required=True, type=_numbers, action="append", help="numbers that a check gave: 17,300; each array"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--progress-file", type=Path, help="JSON, renewed after each stripe")
    parser.add_argument("--identity", default="", help="of the check that found them")
    parser.add_argument("--check-file", type=Path, help="file of the check that found them; what is right now goes out")
    options = parser.parse_args(argv)
    journal.set_up()
    if len(options.stripes) != len(options.arrays):
        parser.error("as many --stripes as arrays are needed")
    names = [array_name(array) for array in options.arrays]
    progress = ProgressFile(names[0], options.progress_file, options.identity)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        stay_in_memory()
        result = _all(names, options.stripes, progress, stop)
    except RackeyeError as error:
        say(f"{error.code}: {error.sentence} {error.hint}".strip(), sys.stderr)
        progress.failed(error)
        return 2
    if options.check_file is not None:
        _note_in(options.check_file, result)
    progress.repaired(result)
    say(msgspec.json.encode(result).decode() if options.json else "\n".join(sentences(result)))
    if len(result.stripes) < result.of:
        return 2
    return 0 if result.whole else 1


def _note_in(file: Path, result: RepairResult) -> None:
    found = check.load(file)
    if found is not None:
        write_atomic(file, msgspec.json.encode(check.after_repair(found, result)))


def _all(
    names: Sequence[str], stripes: Sequence[Sequence[int]], progress: ProgressFile, stop: threading.Event
) -> RepairResult:
    """One array, or the spans of one virtual drive one after the other, told as one repair."""
    of, ended, seconds, level = sum(map(len, stripes)), list[RepairedStripe](), 0.0, 0
    for number, (name, wanted) in enumerate(zip(names, stripes, strict=True), start=1):
        if not wanted or stop.is_set():
            continue

        def told(now: ScrubProgress, before: int = len(ended), some: int = len(wanted)) -> None:
            done = before + now.percent / 100.0 * some
            each = (now.seconds_left or 0.0) / max(1, round(some * (1 - now.percent / 100.0)))
            progress.write(ScrubProgress(100.0 * done / of, None, each * (of - done)))

        result = repair(name, wanted, on_progress=told, stop=stop)
        ended += [replace(one, span=number if len(names) > 1 else 0) for one in result.stripes]
        seconds += result.seconds
        level = UPPER.get(result.level, result.level) if len(names) > 1 else result.level
    return RepairResult(" ".join(names), level, tuple(ended), of, round(seconds, 3))


def _numbers(text: str) -> tuple[int, ...]:
    return () if text == "none" else tuple(int(word) for word in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
