"""Consistency check and repair of a virtual drive: `raid.scrub` and `raid.repair` as jobs beside the mutations.

A check changes nothing, so it does not count as the one change that an array may have; it is refused while md itself
works on the parity. Progress, the place to go on from, and at the end the result stand in one file a virtual drive.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import msgspec

from core.jobs import Job, JobSpec
from core.paths import Paths
from raid.memory import KnownVd, Memory
from raid.model import CheckResult, CheckVerdict, Work
from raid.model_care import WrongPlace
from raid.patrol_result import ToRead
from raid.progress_file import Left, Whole, known_of
from raid.repair_result import Outcome, RepairResult, summary
from raid.scrub_result import BadStripe, ScrubResult, Unreadable
from raid.spans import spans_of
from raid.world import CheckRun

KIND, SCHEDULED, REPAIR = "check", "scheduled-check", "repair"
PATROL, SCHEDULED_PATROL = "patrol", "scheduled-patrol"
PLAIN = re.compile(r"[A-Za-z0-9_. -]{0,64}")
"""Serials that may stand in a command."""
PAGE, SECTOR = 4096, 512
MIRRORS = (1, 10)
WRONG_KEPT = 100
"""Numbers of so many wrong stripes travel in a snapshot; the file has the rest."""


class CheckFile(Left):
    """The file. identity: the virtual drive's UUID. finished: UTC seconds, None while it runs or was cut off.

    result: what was found so far, or in all. repair: what a repair after the check did. last: what was known before it.
    """

    speed: int | None = None
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class Last:
    """What is known of the check of a virtual drive: it runs, or how the last one ended."""

    run: CheckRun | None = None
    result: CheckResult | None = None


def subject(vd: str) -> str:
    """What the job works on: not the virtual drive itself, so that it stands beside a mutation."""
    return f"{vd}.check"


def file_of(paths: Paths, vd: str) -> Path:
    """Progress and result."""
    return paths.state / "raid" / f"check-{vd}.json"


def repair_file_of(paths: Paths, vd: str) -> Path:
    """Progress of a repair; its result goes into the check's file."""
    return paths.state / "raid" / f"repair-{vd}.json"


def _release(devices: tuple[str, ...]) -> tuple[str, ...]:
    return (sys.executable, "-m", "raid.scrub", "--release", *devices)


def spec(
    paths: Paths, vd: str, uuid: str, devices: tuple[str, ...], *, number: int, kind: str = KIND, resume: bool
) -> JobSpec:
    """The job of a check. devices: its array, or its spans in order. number: tells it from earlier ones.

    resume: from where the last one was left.
    """
    argv = [sys.executable, "-m", "raid.scrub", *devices, "--json", "--progress-file", str(file_of(paths, vd))]
    argv += ["--identity", uuid, "--throttle"]
    argv += ["--resume"] if resume else []
    return JobSpec(f"{vd}-check-{number}", kind, subject(vd), (tuple(argv),), _release(devices))


def repair_spec(
    paths: Paths, vd: str, devices: tuple[str, ...], stripes: tuple[tuple[int, ...], ...], *, number: int, of: str
) -> JobSpec:
    """The job of a repair of these stripes, for each of the devices. of: fingerprint of the check that found them."""
    argv = [sys.executable, "-m", "raid.repair", *devices, "--json"]
    for numbers in stripes:
        argv += ["--stripes", ",".join(map(str, numbers)) or "none"]
    argv += ["--progress-file", str(repair_file_of(paths, vd)), "--check-file", str(file_of(paths, vd))]
    argv += ["--identity", of]
    return JobSpec(f"{vd}-check-{number}", REPAIR, subject(vd), (tuple(argv),), _release(devices))


def patrol_file(paths: Paths) -> Path:
    """Where a patrol read is, and what it found."""
    return paths.state / "raid" / "patrol.json"


def patrol_spec(
    paths: Paths, drives: tuple[ToRead, ...], number: int, kind: str, *, again: bool = False
) -> JobSpec:
    """The job of a patrol read. It goes on where the last one was left; again: what that could not read, the rest stays
    as it found it."""
    words = tuple(drive.word for drive in drives)
    argv = [sys.executable, "-m", "raid.patrol", "--resume", "--throttle", "--progress-file", str(patrol_file(paths))]
    argv += ["--again"] if again else []
    return JobSpec(f"patrol-{number}", kind, PATROL, ((*argv, *words),))


def patrol_running(jobs: tuple[Job, ...]) -> Job | None:
    """The patrol read that runs."""
    return next((job for job in jobs if job.array == PATROL and job.alive), None)


def next_patrol(jobs: tuple[Job, ...]) -> int:
    """Number of the next patrol read."""
    return max((int(tail) for job in jobs if (tail := job.id.removeprefix("patrol-")).isdigit()), default=0) + 1


def next_number(jobs: tuple[Job, ...], vd: str) -> int:
    """Of the next job on this virtual drive's parity."""
    numbers = [int(tail) for job in jobs if (tail := job.id.removeprefix(f"{vd}-check-")).isdigit()]
    return max(numbers, default=0) + 1


def running(jobs: tuple[Job, ...], vd: str) -> Job | None:
    """The check or repair that runs."""
    return next((job for job in jobs if job.array == subject(vd) and job.alive), None)


def load(file: Path) -> CheckFile | None:
    """None when there is none. Raises OSError, msgspec.MsgspecError."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=CheckFile)
    except FileNotFoundError:
        return None


def read(paths: Paths, vd: str, uuid: str, job: Job | None) -> Last:
    """How far the check or repair `job` is, and how the last check of this very virtual drive ended."""
    try:
        data = load(file_of(paths, vd))
    except (OSError, msgspec.MsgspecError) as error:
        why = f"Its result cannot be read: {error}."
        return Last(None if job is None else CheckRun(0.0), CheckResult(vd, CheckVerdict.FAILED, 0.0, 0, (), 0, why))
    if data is not None and data.identity not in ("", uuid):
        data = None  # of another virtual drive, which had this name
    if job is not None and job.kind == REPAIR:
        return Last(_repairing(paths, vd), None if data is None else judged(vd, data))
    own = job is not None and data is not None and not data.done  # before it begins to write, it is the last one's
    before = None if data is None else judged(vd, data, runs=own)
    if job is not None:
        run = CheckRun(data.percent, data.speed, data.seconds_left) if data is not None and own else CheckRun(0.0)
        whole = before if before is not None and before.verdict is not CheckVerdict.STOPPED else None
        return Last(run, whole)
    if before is not None and data is not None and (said := _cut_off(paths, vd, uuid, data)):
        before = replace(before, detail=f"{before.detail} {said}")
    return Last(result=before)


def _cut_off(paths: Paths, vd: str, uuid: str, found: CheckFile) -> str:
    """Of a repair of what this very check found, which nobody ended; empty when there is none."""
    try:
        repair = load(repair_file_of(paths, vd))
    except (OSError, msgspec.MsgspecError):
        return ""
    if repair is None or repair.done or repair.identity != fingerprint(uuid, found):
        return ""
    return (
        f"A repair of them was cut off at {repair.percent:.0f} %: what it had written is right, the rest is as it was. "
        f"Start it again: rackeye check repair {vd}"
    )


def _repairing(paths: Paths, vd: str) -> CheckRun:
    try:
        data = load(repair_file_of(paths, vd))
    except (OSError, msgspec.MsgspecError):
        data = None
    if data is None or data.done:  # the last one's still
        return CheckRun(0.0, work=Work.REPAIR)
    return CheckRun(data.percent, None, data.seconds_left, Work.REPAIR)


def judged(vd: str, data: CheckFile, *, runs: bool = False) -> CheckResult:
    """What holds. A check that was stopped, cut off, refused or broken off does not end what is known from before it,
    and what it has found itself is known, too."""
    known = known_of(data)
    if data.ended and known is not None:
        return _ended(vd, known, known.finished, 100.0, "")
    tried, percent = data.finished or 0.0, min(99.9, data.percent)
    more = _unfinished(data, runs=runs)
    if known is not None and (known.result.bad_stripes or known.result.unreadable or not known.result.stopped):
        alone = data.last is None
        found = _ended(vd, known, tried, percent, f"That check is not whole: {more}" if alone else f"{LATER}: {more}")
        refused = data.error is not None and found.verdict is CheckVerdict.CLEAN
        return replace(found, verdict=CheckVerdict.FAILED) if refused else found
    verdict = CheckVerdict.FAILED if data.error is not None else CheckVerdict.STOPPED
    said = more if data.repair is None else f"Repair: {summary(data.repair)} {more}"
    return CheckResult(vd, verdict, tried, data.result.stripes if data.result else 0, (), 0, said, percent, tried)


LATER = "The check after it"


def _unfinished(data: CheckFile, *, runs: bool) -> str:
    """How a check stands that has not seen all."""
    if data.error is None:
        how = "runs, and is at" if runs else f"was {'stopped' if data.done else 'cut off'} at"
        return f"It {how} {data.percent:.0f} %{'.' if runs else ', and goes on from there.'}"
    said = " ".join(filter(None, (data.error.sentence, data.error.hint)))
    if data.percent and data.result is not None:
        return f"{said} It goes on from {data.percent:.0f} %."
    if data.result is None:
        return said
    return f"It broke off at {100.0 * data.result.stripes / data.result.of:.0f} %; the next one begins anew. {said}"


def _ended(vd: str, whole: Whole, tried: float, percent: float, more: str) -> CheckResult:
    result = whole.result
    numbers = tuple(bad.number for bad in result.bad[:WRONG_KEPT])
    unread = f"{len(result.unreadable)} places could not be read" if result.unreadable else ""
    if result.bad_stripes:
        verdict, detail = CheckVerdict.WRONG, _disagrees(result)
        detail += f" {unread}." if unread else ""
    elif unread:
        verdict = CheckVerdict.FAILED
        rest = "nothing wrong was found so far" if result.stopped else "the rest is right"
        detail = (
            f"{unread}; {rest}. A patrol read has them written anew where that can be done: rackeye patrol start."
        )
    elif whole.repair is not None:
        verdict, detail = CheckVerdict.CLEAN, f"All {result.stripes} stripes agree now ({result.engine})."
    else:
        verdict, detail = CheckVerdict.CLEAN, f"All {result.stripes} stripes agree ({result.engine})."
    repaired = "" if whole.repair is None else f"Repair: {summary(whole.repair)}"
    said = " ".join(filter(None, (detail, repaired, more)))
    return CheckResult(
        vd, verdict, whole.finished, result.stripes, numbers, result.bad_stripes, said, percent, tried,
        (*(place for bad in result.bad[:WRONG_KEPT] for place in _places(bad)), *map(_unread, result.unreadable))
        [:WRONG_KEPT],
    )


def _unread(place: Unreadable) -> WrongPlace:
    return WrongPlace(
        -1, place.span or None, -(-place.length // PAGE), (place.slot,), lba=place.offset // SECTOR, why=place.why
    )


def _disagrees(result: ScrubResult) -> str:
    if result.level not in MIRRORS:
        return f"The parity of {result.bad_stripes} stripes disagrees."
    known = all(extent.wrong is not None for bad in result.bad for extent in bad.extents)
    which = "One copy is wrong, the others agree" if known else "Which copy is right is not known"
    return f"In {result.bad_stripes} stripes the copies differ. {which}."


def _places(bad: BadStripe) -> Iterator[WrongPlace]:
    """One of a stripe with parity; of a mirror one a range."""
    if not any(extent.copies for extent in bad.extents):
        yield WrongPlace(bad.number, bad.span or None, bad.pages, slots_of(bad))
        return
    for extent in bad.extents:
        slots = tuple(copy.slot for copy in extent.copies) if extent.wrong is None else (extent.wrong.slot,)
        yield WrongPlace(
            bad.number, bad.span or None, extent.pages, slots, offset=extent.array_offset, differ=extent.wrong is None
        )


def slots_of(bad: BadStripe) -> tuple[int, ...]:
    """Of the members that are known to be wrong in it."""
    return tuple(sorted({extent.wrong.slot for extent in bad.extents if extent.wrong is not None}))


def located(result: CheckResult, vd: KnownVd, memory: Memory) -> CheckResult:
    """The result with the bays of what is wrong, and a sentence that names the first places."""
    arrays = spans_of(vd, memory) or (vd,)
    places = []
    for place in result.places:
        number = (place.span or 1) - 1
        slots = arrays[number].slots if number < len(arrays) else ()
        bays = tuple(slots[slot].bay if slot < len(slots) else None for slot in place.slots)
        places.append(replace(place, bays=bays))
    if not places:
        return result
    more = ", and more" if max(len(places), result.wrong_count) > 10 else ""
    where = f"Where: {', '.join(place.text for place in places[:10])}{more}."
    return replace(result, places=tuple(places), detail=f"{result.detail} {where}")


def after_repair(data: CheckFile, repair: RepairResult) -> CheckFile:
    """The check's file once a repair has ended: without the stripes that were read again and are right."""
    right = {(stripe.span, stripe.number) for stripe in repair.stripes if stripe.outcome is not Outcome.LEFT}
    result, last = data.result, data.last
    if result is not None:
        result = _without(right, result)
    if last is not None:
        last = Whole(_without(right, last.result), last.finished, repair)
    return msgspec.structs.replace(data, repair=repair, result=result, last=last)


def _without(right: set[tuple[int, int]], result: ScrubResult) -> ScrubResult:
    gone = [bad for bad in result.bad if (bad.span, bad.number) in right]
    spans = tuple(
        replace(span, bad_stripes=span.bad_stripes - sum(bad.span == number for bad in gone))
        for number, span in enumerate(result.spans, start=1)
    )
    left = tuple(bad for bad in result.bad if bad not in gone)
    return replace(result, bad=left, bad_stripes=result.bad_stripes - len(gone), spans=spans)


def fingerprint(uuid: str, data: CheckFile) -> str:
    """Of what a repair would do: changes with every check."""
    known = known_of(data)
    numbers = [] if known is None else [(bad.span, bad.number) for bad in known.result.bad]
    return sha256(f"{uuid} {data.finished} {numbers}".encode()).hexdigest()[:16]
