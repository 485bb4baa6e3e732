"""One check over the spans of a RAID50 or 60: raid/scrub_spans.py on whole arrays in plain files."""

import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from core.errors import CannotCheck
from raid import check as jobs
from raid.check import CheckFile
from raid.layout import Level
from raid.memory import Slot, Stage
from raid.model import CheckVerdict
from raid.repair_result import Outcome, RepairedStripe, RepairResult
from raid.scrub import check
from raid.scrub_result import ScrubProgress, ScrubResult, sentences
from raid.scrub_spans import CheckOne, check_spans, part, roll_up
from raid.spans import split
from tests.unit.raid import worlds as w
from tests.unit.raid.plain_array import PlainArray

NAMES = ("md125", "md126")


def spans(root: Path, level: Level = Level.RAID6, stripes: int = 20) -> tuple[PlainArray, PlainArray]:
    first = PlainArray(root, level, disks=4, stripes=stripes, name=NAMES[0], first="a")
    return first, PlainArray(root, level, disks=4, stripes=stripes, name=NAMES[1], first="b")


def door(array: PlainArray) -> CheckOne:
    return partial(check, sysfs=array.sysfs, opener=array.opener)


def run(
    array: PlainArray, before: ScrubResult | None = None, stop: threading.Event | None = None,
    seen: list[ScrubProgress] | None = None,
) -> ScrubResult:
    told = [] if seen is None else seen
    return check_spans(
        NAMES, door(array), on_progress=lambda now, _: told.append(now), stop=stop or threading.Event(), before=before,
        sysfs=array.sysfs,
    )


def test_span_stripe_and_member_are_named_in_one_result(tmp_path: Path) -> None:
    first, second = spans(tmp_path)
    first.damage(1, stripe=3)
    second.damage(2, stripe=17)
    second.damage(0, stripe=17, at=4096)
    result = run(first)
    assert [(bad.span, bad.number, jobs.slots_of(bad)) for bad in result.bad] == [(1, 3, (1,)), (2, 17, (0, 2))]
    assert (result.level, result.stripes, result.of, result.bad_stripes, result.stopped) == (60, 40, 40, 2, False)
    assert any("span 2, stripe 17" in line for line in sentences(result))
    assert not result.clean


def test_it_is_stopped_in_a_span_and_goes_on_there(tmp_path: Path) -> None:
    first, second = spans(tmp_path, stripes=64)
    first.damage(1, stripe=3)
    second.damage(1, stripe=60)
    stop, seen = threading.Event(), list[ScrubProgress]()

    def stops(array: str, **more: object) -> ScrubResult:
        if array == NAMES[1]:
            stop.set()  # after one piece of the second
        return door(first)(array, **more)  # type: ignore[arg-type]

    cut = check_spans(NAMES, stops, on_progress=lambda *_: None, stop=stop, sysfs=first.sysfs)
    assert (cut.stopped, cut.spans[0].stripes, 0 < cut.spans[1].stripes < 64) == (True, 64, True)
    assert [(bad.span, bad.number) for bad in cut.bad] == [(1, 3)]
    first.damage(1, stripe=3)  # mended, but nobody has looked again
    whole = run(first, before=cut, seen=seen)
    assert (whole.stripes, whole.stopped) == (128, False)
    assert [(bad.span, bad.number) for bad in whole.bad] == [(1, 3), (2, 60)]
    assert run(first).bad_stripes == 1


@pytest.mark.parametrize("cuts", [(1, 1, 1), (3, 2), (8, 9), (16, 1)])
def test_however_often_it_is_cut_off_the_end_is_the_same(tmp_path: Path, cuts: tuple[int, ...]) -> None:
    """cuts: pieces of each try; what the progress file had last is where the next one goes on."""
    first, second = spans(tmp_path, stripes=64)
    first.damage(2, stripe=8)
    first.damage(1, stripe=63)
    second.damage(3, stripe=0)
    before: ScrubResult | None = None
    for pieces in cuts:
        left, stop = pieces, threading.Event()

        def pace(_: float, stop: threading.Event = stop) -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                stop.set()

        before = check_spans(
            NAMES, door(first), on_progress=lambda *_: None, stop=stop, before=before, pace=pace, sysfs=first.sysfs
        )
    ended = run(first, before=before)
    assert (ended.stripes, ended.stopped, ended.bad_stripes) == (128, False, 3)
    assert [(bad.span, bad.number) for bad in ended.bad] == [(1, 8), (1, 63), (2, 0)]


def test_a_span_of_another_shape_is_read_from_its_beginning(tmp_path: Path) -> None:
    first, _ = spans(tmp_path)
    before = run(first)
    smaller = PlainArray(tmp_path / "b", Level.RAID6, disks=4, stripes=10, name=NAMES[0], first="a")
    PlainArray(tmp_path / "b", Level.RAID6, disks=4, name=NAMES[1], first="b")
    smaller.damage(0, stripe=2)
    result = run(smaller, before=before)
    assert [(bad.span, bad.number) for bad in result.bad] == [(1, 2)]


def test_nothing_is_read_while_one_span_is_not_whole(tmp_path: Path) -> None:
    first, second = spans(tmp_path, Level.RAID5)
    (second.md / "dev-b1/state").write_text("faulty\n")
    with pytest.raises(CannotCheck, match=r"^Span 2: md126 .* lacks the member in slot 1"):
        run(first)
    assert first.opened == []


def test_the_progress_is_of_all_spans(tmp_path: Path) -> None:
    first, second = spans(tmp_path, stripes=8)
    alone = [door(array)(array.name, on_progress=lambda *_: None, stop=threading.Event(), before=None, pace=None)
             for array in (first, second)]
    seen: list[ScrubProgress] = []

    def half(array: str, **more: object) -> ScrubResult:
        at = NAMES.index(array)
        so_far = part(roll_up(alone), at + 1)
        more["on_progress"](ScrubProgress(50.0, 100, 2.0), _half(so_far))  # type: ignore[operator]
        return alone[at]

    check_spans(NAMES, half, on_progress=lambda now, _: seen.append(now), stop=threading.Event(), sysfs=first.sysfs)
    assert [now.percent for now in seen] == [25.0, 75.0]
    assert [now.seconds_left for now in seen] == [6.0, 2.0]


def _half(result: ScrubResult) -> ScrubResult:
    return ScrubResult(
        result.array, result.level, 4, 8, 0, 0.0, (), 0, (), None, stopped=True, engine="numpy",
    )


def test_people_are_told_span_stripe_and_bay_and_a_repair_takes_out_what_it_mended(tmp_path: Path) -> None:
    first, second = spans(tmp_path)
    first.damage(1, stripe=17)
    second.damage(2, stripe=17)
    data = CheckFile(100.0, done=True, result=run(first), identity=w.UUID, finished=w.NOW)
    slots = tuple(Slot(10 + bay, w.serial(bay), "RACK DRIVE", w.SIZE) for bay in range(8))
    vd, *both = split(w.known(level=60, slots=slots, spans=2, stage=Stage.READY))
    memory = replace(w.memory(vd), vds=(vd, *both))
    told = jobs.located(jobs.judged("vd0", data), vd, memory)
    assert [place.text for place in told.places] == ["span 1 stripe 17 (bay 11)", "span 2 stripe 17 (bay 16)"]
    assert "Where: span 1 stripe 17 (bay 11), span 2 stripe 17 (bay 16)." in told.detail
    mended = RepairResult("", 60, (RepairedStripe(17, Outcome.REPAIRED, 1, span=2),), 1, 0.1)
    left = jobs.after_repair(data, mended)
    assert left.result is not None
    assert [(bad.span, bad.number) for bad in left.result.bad] == [(1, 17)]
    assert jobs.judged("vd0", left).verdict is CheckVerdict.WRONG
    assert jobs.fingerprint(w.UUID, left) != jobs.fingerprint(w.UUID, data)
