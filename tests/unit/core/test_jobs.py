"""core.jobs without systemd: the records, and how a job that was cut off is found."""

import fcntl
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from core import job_runner
from core.clock import ManualClock
from core.errors import JobRunning
from core.jobs import START_GRACE, Job, Jobs, JobSpec, JobState, boot_id, lock_file, read_record, write_record


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(tmp_path, ManualClock())


def record(jobs: Jobs, state: JobState, *steps: tuple[str, ...], boot: str | None = None) -> Path:
    file = jobs.folder / "create-vd0.json"
    write_record(file, Job("create-vd0", "Create", "vd0", steps, state, boot or boot_id(), jobs.clock.now()))
    return file


def test_the_runner_does_all_steps(jobs: Jobs, tmp_path: Path) -> None:
    out = tmp_path / "out"
    file = record(jobs, JobState.STARTING, ("sh", "-c", f"echo 1 >> {out}"), ("sh", "-c", f"echo 2 >> {out}"))
    assert job_runner.main([sys.executable, str(file)]) == 0
    assert out.read_text() == "1\n2\n"
    assert jobs.list()[0].state is JobState.DONE


def test_the_runner_stops_at_the_first_failure(jobs: Jobs, tmp_path: Path) -> None:
    out = tmp_path / "out"
    file = record(jobs, JobState.STARTING, ("sh", "-c", "echo full >&2; exit 1"), ("touch", str(out)))
    assert job_runner.main([sys.executable, str(file)]) == 1
    job = jobs.list()[0]
    assert job.state is JobState.FAILED
    assert "full" in job.error
    assert not out.exists()


def test_a_runner_that_is_stopped_waits_for_its_step_and_tells_no_end(jobs: Jobs, tmp_path: Path) -> None:
    out = tmp_path / "out"
    step = ("sh", "-c", f"trap 'echo noted > {out}; exit 0' TERM; kill -TERM $PPID; kill -TERM $$; exit 1")
    file = record(jobs, JobState.STARTING, step, ("touch", str(tmp_path / "second")))
    runner = subprocess.run([sys.executable, "-m", "core.job_runner", str(file)], check=False)
    assert runner.returncode == 1
    assert out.read_text() == "noted\n"
    assert not (tmp_path / "second").exists()
    assert jobs.list()[0].state is JobState.INTERRUPTED


def test_a_running_job_is_found_by_its_lock(jobs: Jobs) -> None:
    file = record(jobs, JobState.RUNNING, ("true",))
    handle = os.open(lock_file(file), os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        assert jobs.list()[0].state is JobState.RUNNING
        with pytest.raises(JobRunning, match="Create of vd0 is running"):
            jobs.start(JobSpec("grow-vd0", "Grow", "vd0", (("true",),)))
    finally:
        os.close(handle)
    assert jobs.list()[0].state is JobState.INTERRUPTED
    assert read_record(file).state is JobState.INTERRUPTED


def test_a_runner_that_comes_after_its_job_was_given_up_does_nothing(jobs: Jobs, tmp_path: Path) -> None:
    """On a machine so busy that it took longer than the grace: the same may have been started anew meanwhile."""
    file = record(jobs, JobState.STARTING, ("touch", str(tmp_path / "out")))
    assert isinstance(jobs.clock, ManualClock)
    jobs.clock.advance(START_GRACE + 1)
    assert jobs.list()[0].state is JobState.INTERRUPTED
    runner = subprocess.run([sys.executable, "-m", "core.job_runner", str(file)], check=False)
    assert runner.returncode == 0
    assert not (tmp_path / "out").exists()
    assert read_record(file).state is JobState.INTERRUPTED


def test_a_job_of_another_boot_was_cut_off(jobs: Jobs) -> None:
    record(jobs, JobState.STARTING, ("true",), boot="another")
    assert jobs.list()[0].state is JobState.INTERRUPTED


def test_a_job_that_is_just_starting_is_given_time(jobs: Jobs) -> None:
    record(jobs, JobState.STARTING, ("true",))
    assert jobs.list()[0].state is JobState.STARTING
    assert isinstance(jobs.clock, ManualClock)
    jobs.clock.advance(START_GRACE + 1)
    assert jobs.list()[0].state is JobState.INTERRUPTED


def test_a_broken_record_is_put_aside(jobs: Jobs) -> None:
    (jobs.folder / "x.json").write_text('{"id":')
    assert jobs.list() == ()
    assert (jobs.folder / "x.broken").exists()


def test_old_ended_jobs_are_forgotten(jobs: Jobs) -> None:
    file = record(jobs, JobState.DONE, ("true",))
    job = read_record(file)
    for number in range(60):
        write_record(jobs.folder / f"j{number}.json", replace(job, id=f"j{number}", started=job.started + number))
    jobs.list()
    kept = jobs.list()
    assert len(kept) == 50
    assert kept[-1].id == "j59"
