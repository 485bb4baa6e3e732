"""A mutation as a process of its own, outside the daemon's control group.

A job is recorded before it starts; `job_runner` runs its steps in a transient systemd unit and holds a lock while it
lives. A daemon that was killed finds it again: by the record, and by the lock. A record that says it runs, without
the lock, was interrupted (power cut, kill): who started it looks at the world and decides anew.
"""

import enum
import fcntl
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from core.clock import Clock, SystemClock
from core.config import write_atomic
from core.errors import JobRecordBroken, JobRunning
from core.journal import get_logger
from core.paths import Paths
from core.ready_runner import ReadyRunner
from core.run import run

# The runner takes its lock once Python has started (40 s on a rack beside others): until then it is still starting.
START_GRACE = 90.0
KEPT = 50
IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
PLAIN_WORD = re.compile(r"[A-Za-z0-9_./:=-]+")
log = get_logger("rackeye-jobs")


class JobState(enum.StrEnum):
    """Where a job stands."""

    STARTING = "Starting"
    RUNNING = "Running"
    DONE = "Done"
    FAILED = "Failed"
    INTERRUPTED = "Interrupted"


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What is to be done: `steps` are commands, run one after the other until one fails.

    array: what the job works on; one job at a time for each.
    after: a command that systemd runs when the job has ended in any way, SIGKILL too.
    """

    id: str
    kind: str
    array: str
    steps: tuple[tuple[str, ...], ...]
    after: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not IDENTIFIER.fullmatch(self.id):
            raise ValueError(f"{self.id!r} cannot be a job's id")
        if not all(PLAIN_WORD.fullmatch(word) for word in self.after):
            raise ValueError(f"{self.after!r}: systemd would read more than words in this")


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is now. step: index of the running step. started, ended: UTC seconds. error: why it failed."""

    id: str
    kind: str
    array: str
    steps: tuple[tuple[str, ...], ...]
    state: JobState
    boot: str
    started: float
    step: int = 0
    ended: float | None = None
    error: str = ""

    @property
    def alive(self) -> bool:
        """Starting or running."""
        return self.state in (JobState.STARTING, JobState.RUNNING)


def boot_id() -> str:
    """Tells this boot from others (random(4), /proc/sys/kernel/random/boot_id)."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def read_record(file: Path) -> Job:
    """Raises JobRecordBroken."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Job)
    except (OSError, msgspec.MsgspecError) as error:
        raise JobRecordBroken(f"The record {file} cannot be read: {error}.", hint="Remove it.") from error


def write_record(file: Path, job: Job) -> None:
    """Atomic."""
    write_atomic(file, msgspec.json.encode(job))


@dataclass(frozen=True, slots=True)
class Jobs:
    """The jobs of one owner (a daemon). folder: where its records lie."""

    folder: Path
    clock: Clock

    @classmethod
    def of(cls, owner: str, paths: Paths | None = None, clock: Clock | None = None) -> "Jobs":
        """The jobs of a daemon, such as `raid`."""
        return cls((paths or Paths()).state / "jobs" / owner, clock or SystemClock())

    def start(self, spec: JobSpec, runner: ReadyRunner | None = None) -> Job:
        """Records the job, then starts it. Raises JobRunning when one runs for the same array, RunError.

        runner: one that is loaded already takes it, should it be there; the job then begins at once, in that unit.
        """
        for other in self.list():
            if other.alive and other.array == spec.array:
                raise JobRunning(
                    f"{other.kind} of {other.array} is running (job {other.id}).", hint="Wait until it has ended."
                )
        job = Job(spec.id, spec.kind, spec.array, spec.steps, JobState.STARTING, boot_id(), self.clock.now())
        record = self.folder / f"{spec.id}.json"
        write_record(record, job)
        if runner is not None and not spec.after and runner.give(spec.id):
            return job
        try:
            run(
                [
                    "systemd-run", "--quiet", "--collect", f"--unit=rackeye-job-{spec.id}",
                    f"--description=Rackeye: {spec.kind} of {spec.array}",
                    *([f"--property=ExecStopPost={' '.join(spec.after)}"] if spec.after else []),
                    sys.executable, "-m", "core.job_runner", str(record),
                ],
                timeout=None,
            )
        except Exception as error:
            write_record(record, replace(job, state=JobState.FAILED, ended=self.clock.now(), error=str(error)))
            raise
        return job

    def list(self) -> tuple[Job, ...]:
        """All jobs that are on record, oldest first; the oldest ended ones are forgotten."""
        jobs: list[Job] = []
        for record in sorted(self.folder.glob("*.json")):
            try:
                jobs.append(self._judged(read_record(record), record))
            except JobRecordBroken as error:
                log.error(error.sentence)
                record.rename(record.with_suffix(".broken"))
        jobs.sort(key=lambda job: job.started)
        for old in [job for job in jobs if not job.alive][:-KEPT]:
            (self.folder / f"{old.id}.json").unlink(missing_ok=True)
            (self.folder / f"{old.id}.lock").unlink(missing_ok=True)
        return tuple(jobs)

    def forget(self, job: Job) -> None:
        """Removes the record of an ended job."""
        (self.folder / f"{job.id}.json").unlink(missing_ok=True)
        (self.folder / f"{job.id}.lock").unlink(missing_ok=True)

    def _judged(self, job: Job, record: Path) -> Job:
        if not job.alive:
            return job
        with _lock(lock_file(record)) as mine:  # a runner that begins just now waits, and sees what is written here
            if not mine:
                return replace(job, state=JobState.RUNNING)
            job = read_record(record)  # it may have ended between the two looks
            young = job.boot == boot_id() and self.clock.now() - job.started < START_GRACE
            if not job.alive or (job.state is JobState.STARTING and young):
                return job
            why = "It was cut off in the middle."
            ended = replace(job, state=JobState.INTERRUPTED, ended=self.clock.now(), error=why)
            write_record(record, ended)
            return ended


def lock_file(record: Path) -> Path:
    """The file on which the runner holds an flock while it lives."""
    return record.with_suffix(".lock")


@contextmanager
def _lock(file: Path) -> Iterator[bool]:
    """Holds the lock meanwhile; False when another process does."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)
