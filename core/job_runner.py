"""Runs the steps of one job: `python -m core.job_runner RECORD`. Started by core.jobs in a unit of its own.

`--wait FOLDER`: loaded beforehand, it sleeps until it is given a job (core/ready_runner.py).

A stop (SIGTERM to all of the unit) is the step's to answer: the runner holds its lock until the step has ended, so that
nobody takes the job for cut off while the step still notes where it was. No step follows, and the record says no end.
"""

import fcntl
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from core import journal
from core.clock import SystemClock
from core.errors import RackeyeError
from core.jobs import JobState, lock_file, read_record, write_record
from core.ready_runner import wait
from core.run import run


def main(argv: list[str]) -> int:
    """Returns 0 when all steps succeeded (or there was nothing to do); the record tells the rest."""
    journal.set_up()
    if argv[1] == "--wait":
        given = wait(Path(argv[2]))
        return 0 if given is None else perform(given)
    return perform(Path(argv[1]))


def perform(record: Path) -> int:
    """Does the job of this record."""
    log, clock = journal.get_logger("rackeye-job"), SystemClock()
    lock = os.open(lock_file(record), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    fcntl.flock(lock, fcntl.LOCK_EX)
    job = read_record(record)
    if job.state is not JobState.STARTING:  # it came so late that it was given up: another may do the same by now
        log.warning(f"{job.kind} began too late and is not done.", array=job.array)
        return 0
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    for number, step in enumerate(job.steps):
        job = replace(job, state=JobState.RUNNING, step=number)
        write_record(record, job)
        try:
            run(step, timeout=None)
        except RackeyeError as error:
            if stopped:
                return 1
            write_record(record, replace(job, state=JobState.FAILED, ended=clock.now(), error=error.sentence))
            log.error(f"{job.kind} failed: {error.sentence}", array=job.array)
            return 1
        if stopped:
            return 1
    write_record(record, replace(job, state=JobState.DONE, ended=clock.now()))
    log.info(f"{job.kind} is done.", array=job.array)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
