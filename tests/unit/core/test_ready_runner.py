"""core.ready_runner: a job that is handed to a runner which waits, and all the ways in which nobody waits."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import job_runner
from core.clock import ManualClock
from core.jobs import Job, Jobs, JobSpec, JobState, boot_id, write_record
from core.ready_runner import FIFO, LOADING, ReadyRunner, wait


@pytest.fixture
def runner(tmp_path: Path) -> ReadyRunner:
    return ReadyRunner(tmp_path, "raid", ManualClock())


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[list[Path | None]]:
    """One that waits, in a thread; what it was given."""
    given: list[Path | None] = []
    os.mkfifo(tmp_path / FIFO)
    thread = threading.Thread(target=lambda: given.append(wait(tmp_path)))
    thread.start()
    yield given
    while thread.is_alive():
        ReadyRunner(tmp_path, "raid", ManualClock()).dismiss()
        thread.join(0.001)


def until(runner: ReadyRunner, word: str) -> None:
    while not runner.give(word):
        pass


def test_nobody_waits(runner: ReadyRunner, tmp_path: Path) -> None:
    assert not runner.waits()
    assert not runner.give("vd0-spare-1")
    os.mkfifo(tmp_path / FIFO)
    assert not runner.give("vd0-spare-1"), "left by one that is gone"
    runner.dismiss()


def test_it_waits_and_is_given_a_job(runner: ReadyRunner, waiting: list[Path | None], tmp_path: Path) -> None:
    while not runner.waits():
        pass
    assert wait(tmp_path) is None, "one is enough"
    until(runner, "vd0-spare-1")
    while not waiting:
        pass
    assert waiting == [tmp_path / "vd0-spare-1.json"]
    assert not runner.waits(), "the next one may"


def test_an_older_one_is_sent_away(runner: ReadyRunner, waiting: list[Path | None]) -> None:
    while not waiting:
        runner.dismiss()
    assert waiting == [None]


def test_one_that_never_loads_is_not_waited_for(runner: ReadyRunner) -> None:
    clock = runner.clock
    assert isinstance(clock, ManualClock)
    runner._begun = clock.monotonic()
    assert runner.waits()
    clock.advance(LOADING + 1)
    assert not runner.waits()


def test_a_job_goes_to_the_one_that_waits(
    runner: ReadyRunner, waiting: list[Path | None], tmp_path: Path
) -> None:
    jobs = Jobs(tmp_path, ManualClock())
    while not runner.waits():
        pass
    # In the moment between its lock and its FIFO nobody takes the job; then it would get a unit of its own.
    until(runner, "vd0-spare-1")
    while not waiting:
        pass
    assert waiting[0] is not None
    write_record(waiting[0], Job("vd0-spare-1", "spare", "vd0", (("true",),), JobState.STARTING, boot_id(), 0.0))
    assert job_runner.perform(waiting[0]) == 0
    assert [job.state for job in jobs.list()] == [JobState.DONE]


class Taking(ReadyRunner):
    """Takes whatever it is given."""

    def give(self, job: str) -> bool:
        return (self.folder / f"{job}.json").exists()


def test_the_record_is_there_before_the_job_is_given_away(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, ManualClock())
    job = jobs.start(JobSpec("vd0-spare-1", "spare", "vd0", (("true",),)), Taking(tmp_path, "raid", ManualClock()))
    assert jobs.list() == (job,)
    assert job.state is JobState.STARTING
