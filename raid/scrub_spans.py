"""One check over the spans of a RAID50 or 60: span after span, one progress, one result; stopped and gone on with."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from core.errors import CannotCheck
from raid.geometry import read_geometry
from raid.scrub_result import ScrubProgress, ScrubResult, SpanSeen
from raid.scrub_run import Told

UPPER = {5: 50, 6: 60}
"""Level of the whole, by that of its spans."""


class CheckOne(Protocol):
    """`raid.scrub.check`, with its doors to the world bound."""

    def __call__(
        self, array: str, *, on_progress: Told, stop: threading.Event, before: ScrubResult | None,
        pace: Callable[[float], None] | None,
    ) -> ScrubResult: ...


def check_spans(
    arrays: Sequence[str],
    check: CheckOne,
    *,
    on_progress: Told,
    stop: threading.Event,
    before: ScrubResult | None = None,
    pace: Callable[[float], None] | None = None,
    sysfs: Path = Path("/sys"),
) -> ScrubResult:
    """Checks them in this order. before: where an earlier one was left; spans that it had seen are not read again.

    Raises CannotCheck (before anything is read, when one of them cannot be checked) and CheckRunning.
    """
    blank = [_unseen(number, array, sysfs) for number, array in enumerate(arrays, start=1)]
    seen = [_earlier(before, number, one) for number, one in enumerate(blank, start=1)]
    for at, array in enumerate(arrays):
        if stop.is_set():
            break

        def told(progress: ScrubProgress, so_far: ScrubResult, at: int = at) -> None:
            seen[at] = so_far
            whole = roll_up(seen)
            left = progress.seconds_left
            if left is not None and progress.speed and so_far.stripes < so_far.of:
                each = left / (so_far.of - so_far.stripes)
                left = each * (whole.of - whole.stripes)
            on_progress(ScrubProgress(100.0 * whole.stripes / whole.of, progress.speed, left), whole)

        go_on = seen[at] if seen[at].stripes else None
        try:
            seen[at] = check(array, on_progress=told, stop=stop, before=go_on, pace=pace)
        except CannotCheck as error:
            if at:  # it may have been refused before a word: what the spans before it have is told
                whole = roll_up(seen)
                on_progress(ScrubProgress(100.0 * whole.stripes / whole.of, None, None), whole)
            raise CannotCheck(f"Span {at + 1}: {error.sentence}", hint=error.hint) from error
    return roll_up(seen)


def roll_up(spans: Sequence[ScrubResult]) -> ScrubResult:
    """One result of what is known of each span, in order."""
    return ScrubResult(
        array=" ".join(span.array for span in spans),
        level=UPPER.get(spans[0].level, spans[0].level),
        stripes=sum(span.stripes for span in spans),
        of=sum(span.of for span in spans),
        bytes=sum(span.bytes for span in spans),
        seconds=round(sum(span.seconds for span in spans), 3),
        bad=tuple(replace(bad, span=number) for number, span in enumerate(spans, start=1) for bad in span.bad),
        bad_stripes=sum(span.bad_stripes for span in spans),
        unreadable=tuple(
            replace(place, span=number) for number, span in enumerate(spans, start=1) for place in span.unreadable
        ),
        missing_slot=None,
        stopped=any(span.stopped for span in spans),
        engine=spans[-1].engine or spans[0].engine,
        spans=tuple(
            SpanSeen(span.array, span.level, span.stripes, span.of, span.bad_stripes, span.missing_slot)
            for span in spans
        ),
    )


def part(whole: ScrubResult, number: int) -> ScrubResult:
    """What the whole says of one span, from 1; the other way of `roll_up`, but for bytes and seconds."""
    seen = whole.spans[number - 1]
    return ScrubResult(
        array=seen.array, level=seen.level, stripes=seen.stripes, of=seen.of, bytes=0, seconds=0.0,
        bad=tuple(replace(bad, span=0) for bad in whole.bad if bad.span == number),
        bad_stripes=seen.bad_stripes,
        unreadable=tuple(replace(place, span=0) for place in whole.unreadable if place.span == number),
        missing_slot=seen.missing_slot, stopped=seen.stripes < seen.of, engine=whole.engine,
    )


def _unseen(number: int, array: str, sysfs: Path) -> ScrubResult:
    """A span of which nothing is known yet."""
    try:
        shape = read_geometry(array, sysfs)
    except CannotCheck as error:
        raise CannotCheck(f"Span {number}: {error.sentence}", hint=error.hint) from error
    return ScrubResult(
        array, shape.number, 0, shape.stripes, 0, 0.0, (), 0, (), shape.missing, stopped=True, engine="",
    )


def _earlier(before: ScrubResult | None, number: int, now: ScrubResult) -> ScrubResult:
    """Of this span; nothing when it has another shape now."""
    if before is None or len(before.spans) < number:
        return now
    seen = part(before, number)
    same = (seen.level, seen.of, seen.missing_slot) == (now.level, now.of, now.missing_slot)
    return replace(seen, array=now.array) if same else now
