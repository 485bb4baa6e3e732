"""A check that is refused, stopped, or breaks off: what it found, and what was known before it, is not lost."""

import os
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec
import pytest

from core.clock import ManualClock
from core.errors import CannotCheck, CannotRepair
from core.paths import Paths
from raid import care, check, readers
from raid.layout import Level
from raid.memory import KnownVd
from raid.model import CheckResult, CheckVerdict
from raid.progress_file import ProgressFile, left_behind
from raid.repair_result import Outcome, RepairedStripe, RepairResult
from raid.scrub import check as scrub
from raid.scrub_result import ScrubProgress, ScrubResult
from raid.scrub_spans import check_spans
from tests.unit.raid import worlds as w
from tests.unit.raid.plain_array import PlainArray

WHY = CannotCheck("A member went away.", hint="Let it rebuild.")


def file_of(root: Path) -> Path:
    return check.file_of(Paths(root), "vd0")


def told(root: Path) -> CheckResult:
    result = check.read(Paths(root), "vd0", w.UUID, None).result
    assert result is not None
    return result


def repaired(root: Path, *stripes: tuple[int, int]) -> None:
    data = check.load(file_of(root))
    assert data is not None
    steps = tuple(RepairedStripe(number, Outcome.REPAIRED, 1, span=span) for span, number in stripes)
    mended = check.after_repair(data, RepairResult("md127", 6, steps, len(steps), 1.0))
    file_of(root).write_bytes(msgspec.json.encode(mended))


def wrong(root: Path, vd: KnownVd | None = None) -> list[tuple[int, int]]:
    plan = care.plan(vd or w.known(level=6), w.memory(), care.found_wrong(vd or w.known(), Paths(root)))
    return [(step.span or 0, step.stripe) for step in plan.stripes]


def goes_away(array: PlainArray, after: int) -> ScrubResult | None:
    """A check in which a member fails after so many pieces; what its file says."""
    left = after

    def pace(_: float) -> None:
        nonlocal left
        left -= 1
        if not left:
            (array.md / "dev-disk1/state").write_text("faulty\n")

    before = left_behind(file_of(array.root), w.UUID)
    progress = ProgressFile("md127", file_of(array.root), w.UUID, before, ManualClock(3000.0))
    with pytest.raises(CannotCheck) as broke:
        scrub("md127", sysfs=array.sysfs, opener=array.opener, on_progress=progress.write, pace=pace, before=before)
    progress.failed(broke.value)
    return left_behind(file_of(array.root), w.UUID)


def test_one_that_breaks_off_keeps_what_it_found_and_it_can_be_repaired(tmp_path: Path) -> None:
    array = PlainArray(tmp_path, Level.RAID6, disks=6, stripes=64)
    clean = scrub("md127", sysfs=array.sysfs, opener=array.opener)
    ProgressFile("md127", file_of(tmp_path), w.UUID, clock=ManualClock(1000.0)).done(clean)
    array.damage(3, stripe=2)
    assert goes_away(array, after=2) is None, "the array is another now: the next one begins anew"
    result = told(tmp_path)
    assert (result.verdict, result.wrong, result.tried, result.percent) == (CheckVerdict.WRONG, (2,), 3000.0, 0.0)
    assert "The check after it: It broke off at" in result.detail
    assert "the next one begins anew. md127 changed" in result.detail
    assert wrong(tmp_path) == [(0, 2)]

    again = ProgressFile("md127", file_of(tmp_path), w.UUID)
    assert told(tmp_path).verdict is CheckVerdict.WRONG, "the next one has begun"
    again.write(ScrubProgress(50.0, 1, 1.0), replace(clean, stripes=32, stopped=True))
    assert told(tmp_path).wrong == (2,)
    again.done(replace(clean, stripes=32, stopped=True))
    assert told(tmp_path).wrong == (2,), "it was stopped"
    repaired(tmp_path, (0, 2))
    assert told(tmp_path).verdict is CheckVerdict.CLEAN
    with pytest.raises(CannotRepair, match="no wrong stripe"):
        wrong(tmp_path)


def test_what_an_earlier_one_found_stays_beside_it_and_can_be_repaired(tmp_path: Path) -> None:
    array = PlainArray(tmp_path, Level.RAID6, disks=6, stripes=64)
    array.damage(0, stripe=60)
    whole = scrub("md127", sysfs=array.sysfs, opener=array.opener)
    ProgressFile("md127", file_of(tmp_path), w.UUID, clock=ManualClock(1000.0)).done(whole)
    ProgressFile("md127", file_of(tmp_path), w.UUID, clock=ManualClock(2000.0)).failed(WHY)
    assert (told(tmp_path).verdict, wrong(tmp_path)) == (CheckVerdict.WRONG, [(0, 60)])
    array.damage(3, stripe=2)
    goes_away(array, after=2)
    assert told(tmp_path).wrong_count == 2
    assert wrong(tmp_path) == [(0, 2), (0, 60)]
    repaired(tmp_path, (0, 2))
    assert wrong(tmp_path) == [(0, 60)]
    ProgressFile("md127", file_of(tmp_path), w.UUID).done(replace(whole, bad=(), bad_stripes=0))
    assert told(tmp_path).verdict is CheckVerdict.CLEAN


def test_the_first_one_ever_that_breaks_off_is_never_clean(tmp_path: Path) -> None:
    array = PlainArray(tmp_path, Level.RAID6, disks=6, stripes=64)
    array.damage(3, stripe=2)
    goes_away(array, after=2)
    assert (told(tmp_path).verdict, "That check is not whole" in told(tmp_path).detail) == (CheckVerdict.WRONG, True)
    repaired(tmp_path, (0, 2))
    assert (told(tmp_path).verdict, told(tmp_path).wrong) == (CheckVerdict.FAILED, ())
    assert "1 of 1 stripes were repaired" in told(tmp_path).detail
    ProgressFile("md127", file_of(tmp_path), w.UUID)
    assert told(tmp_path).verdict is CheckVerdict.STOPPED


def test_one_that_is_refused_leaves_the_place_to_go_on_from(tmp_path: Path) -> None:
    array = PlainArray(tmp_path, stripes=64)
    array.damage(3, stripe=2)
    stop = threading.Event()
    part = scrub("md127", sysfs=array.sysfs, opener=array.opener, stop=stop, pace=lambda _: stop.set())
    part = part if part.stopped else replace(part, stripes=32, stopped=True)
    ProgressFile("md127", file_of(tmp_path), w.UUID).done(part)
    ProgressFile("md127", file_of(tmp_path), w.UUID, left_behind(file_of(tmp_path), w.UUID)).failed(WHY)
    assert left_behind(file_of(tmp_path), w.UUID) == part
    result = told(tmp_path)
    assert (result.verdict, result.wrong) == (CheckVerdict.WRONG, (2,))
    assert "A member went away. Let it rebuild. It goes on from" in result.detail


def test_one_that_is_refused_after_a_clean_one_is_failed(tmp_path: Path) -> None:
    array = PlainArray(tmp_path)
    whole = scrub("md127", sysfs=array.sysfs, opener=array.opener)
    ProgressFile("md127", file_of(tmp_path), w.UUID, clock=ManualClock(1000.0)).done(whole)
    ProgressFile("md127", file_of(tmp_path), w.UUID, clock=ManualClock(2000.0)).failed(WHY)
    result = told(tmp_path)
    assert (result.verdict, result.finished, result.tried) == (CheckVerdict.FAILED, 1000.0, 2000.0)
    assert result.detail == (
        f"All 20 stripes agree ({whole.engine}). The check after it: A member went away. Let it rebuild."
    )


def test_what_one_span_showed_is_known_when_the_next_is_refused(tmp_path: Path) -> None:
    first = PlainArray(tmp_path, Level.RAID6, name="md125", first="a")
    second = PlainArray(tmp_path, Level.RAID6, name="md126", first="b")
    first.damage(1, stripe=3)

    def one(array: str, **more: object) -> ScrubResult:
        if array == "md126":
            second.set(sync_action="resync")
        return partial(scrub, sysfs=first.sysfs, opener=first.opener)(array, **more)  # type: ignore[arg-type]

    progress = ProgressFile("md125", file_of(tmp_path), w.UUID)
    with pytest.raises(CannotCheck, match=r"^Span 2") as broke:
        check_spans(
            ("md125", "md126"), one, on_progress=progress.write, stop=threading.Event(), sysfs=first.sysfs
        )
    progress.failed(broke.value)
    result = told(tmp_path)
    assert (result.verdict, [place.text for place in result.places]) == (CheckVerdict.WRONG, ["span 1 stripe 3"])
    assert "It broke off at 50 %" in result.detail
    assert wrong(tmp_path) == [(1, 3)]


def test_a_repaired_stripe_of_a_span_is_not_counted_when_the_check_goes_on(tmp_path: Path) -> None:
    first = PlainArray(tmp_path, Level.RAID6, name="md125", first="a", stripes=64)
    PlainArray(tmp_path, Level.RAID6, name="md126", first="b", stripes=64)
    first.damage(1, stripe=3)
    stop = threading.Event()
    run = partial(
        check_spans, ("md125", "md126"), partial(scrub, sysfs=first.sysfs, opener=first.opener),
        on_progress=lambda *_: None, sysfs=first.sysfs,
    )
    ProgressFile("md125", file_of(tmp_path), w.UUID).done(run(stop=stop, pace=lambda _: stop.set()))
    repaired(tmp_path, (1, 3))
    first.damage(1, stripe=3)  # as it was
    ended = run(stop=threading.Event(), before=left_behind(file_of(tmp_path), w.UUID))
    assert ended.clean, ended.bad_stripes


def test_a_stripe_that_was_read_in_part_is_not_counted_twice(tmp_path: Path) -> None:
    array = PlainArray(tmp_path, chunk=2 * 1024 * 1024, stripes=3)
    array.damage(0, stripe=1)
    stop, left = threading.Event(), 5

    def pace(_: float) -> None:
        nonlocal left
        left -= 1
        if not left:
            stop.set()

    part = scrub("md127", sysfs=array.sysfs, opener=array.opener, stop=stop, pace=pace)
    assert (part.stripes, part.bad_stripes) == (1, 1)
    assert scrub("md127", sysfs=array.sysfs, opener=array.opener, before=part).bad_stripes == 1


def test_the_last_reads_of_a_drive_that_goes_away_are_no_bad_sectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = PlainArray(tmp_path)
    os.truncate(array.disk(1), array.place(1, 9))
    really = readers._fill

    def dying(fd: int, offset: int, block: memoryview) -> int | None:
        failed = really(fd, offset, block)
        if failed:
            (array.md / "dev-disk1/state").write_text("faulty\n")
        return failed

    monkeypatch.setattr(readers, "_fill", dying)
    goes_away(array, after=99)
    result = told(tmp_path)
    assert (result.verdict, result.places) == (CheckVerdict.FAILED, ())
    assert "lacks the member in slot 1" in result.detail


def test_one_whose_array_vanishes_keeps_what_it_found(tmp_path: Path) -> None:
    array = PlainArray(tmp_path, stripes=64)
    array.damage(2, stripe=3)
    progress = ProgressFile("md127", file_of(tmp_path), w.UUID)
    with pytest.raises(CannotCheck, match="could not be read on") as broke:
        scrub(
            "md127", sysfs=array.sysfs, opener=array.opener, on_progress=progress.write,
            pace=lambda _: (array.md / "dev-disk1/bad_blocks").unlink(missing_ok=True),
        )
    progress.failed(broke.value)
    assert (told(tmp_path).verdict, told(tmp_path).wrong) == (CheckVerdict.WRONG, (3,))


def test_the_plan_of_what_a_cut_off_check_found_says_so(tmp_path: Path) -> None:
    array = PlainArray(tmp_path, stripes=64)
    array.damage(2, stripe=3)
    found = scrub("md127", sysfs=array.sysfs, opener=array.opener)
    ProgressFile("md127", file_of(tmp_path), w.UUID).write(
        ScrubProgress(40.0, None, None), replace(found, stripes=30, stopped=True)
    )
    plan = care.plan(w.known(), w.memory(), care.found_wrong(w.known(), Paths(tmp_path)))
    assert [step.stripe for step in plan.stripes] == [3]
    assert plan.means.startswith("The check that was cut off cannot know")
    assert "It did not see all: check vd0 again afterwards" in plan.means
