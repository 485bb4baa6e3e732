"""The consistency check of a virtual drive: `python -m raid.scrub` as a job of its own beside the mutations.

It changes nothing, so it does not count as the one change that an array may have; it is refused while md itself works
on the parity. The scrub writes its progress, and at the end its result, into one file.
"""

import sys
from pathlib import Path

import msgspec

from core.jobs import Job, JobSpec
from core.paths import Paths
from raid.model import CheckResult, CheckVerdict
from raid.scrub_result import ScrubResult
from raid.world import CheckRun

KIND = "check"
WRONG_KEPT = 100
"""Numbers of so many wrong stripes travel in a snapshot; the file has the rest."""


class _Error(msgspec.Struct):
    code: str
    sentence: str
    hint: str = ""


class _File(msgspec.Struct):
    percent: float
    done: bool
    speed: int | None = None
    seconds_left: float | None = None
    result: ScrubResult | None = None
    error: _Error | None = None


def subject(vd: str) -> str:
    """What the job works on: not the virtual drive itself, so that it stands beside a mutation."""
    return f"{vd}.check"


def file_of(paths: Paths, vd: str) -> Path:
    """Progress and result."""
    return paths.state / "raid" / f"check-{vd}.json"


def spec(paths: Paths, vd: str, device: str, number: int) -> JobSpec:
    """The job. number: tells it from earlier ones."""
    argv = (sys.executable, "-m", "raid.scrub", device, "--json", "--progress-file", str(file_of(paths, vd)))
    return JobSpec(f"{vd}-check-{number}", KIND, subject(vd), (argv,))


def running(jobs: tuple[Job, ...], vd: str) -> Job | None:
    """The check that runs."""
    return next((job for job in jobs if job.array == subject(vd) and job.alive), None)


def read(paths: Paths, vd: str, *, alive: bool) -> CheckRun | CheckResult | None:
    """How far the check is, or how the last one ended; None when there was none."""
    file = file_of(paths, vd)
    try:
        finished = file.stat().st_mtime
        data = msgspec.json.decode(file.read_bytes(), type=_File)
    except FileNotFoundError:
        return CheckRun(0.0) if alive else None
    except (OSError, msgspec.MsgspecError) as error:
        return None if alive else _failed(vd, 0.0, f"Its result cannot be read: {error}.")
    if alive:  # until the job has ended; the file may still be the last one's
        return CheckRun(0.0) if data.done else CheckRun(data.percent, data.speed, data.seconds_left)
    if data.error is not None:
        return _failed(vd, finished, data.error.sentence)
    if data.result is None:
        return CheckResult(vd, CheckVerdict.STOPPED, finished, 0, (), 0, f"It was cut off at {data.percent:.0f} %.")
    return _ended(vd, finished, data.result)


def _failed(vd: str, finished: float, why: str) -> CheckResult:
    return CheckResult(vd, CheckVerdict.FAILED, finished, 0, (), 0, why)


def _ended(vd: str, finished: float, result: ScrubResult) -> CheckResult:
    numbers = tuple(bad.number for bad in result.bad[:WRONG_KEPT])
    if result.bad_stripes:
        first = ", ".join(map(str, numbers[:10]))
        verdict, detail = CheckVerdict.WRONG, f"The parity of {result.bad_stripes} stripes disagrees: {first}."
    elif result.stopped:
        verdict, detail = CheckVerdict.STOPPED, f"It was stopped after {result.stripes} of {result.of} stripes."
    elif result.unreadable:
        verdict, detail = CheckVerdict.FAILED, f"{len(result.unreadable)} places could not be read; the rest is right."
    else:
        verdict, detail = CheckVerdict.CLEAN, f"All {result.stripes} stripes agree ({result.engine})."
    return CheckResult(vd, verdict, finished, result.stripes, numbers, result.bad_stripes, detail)
