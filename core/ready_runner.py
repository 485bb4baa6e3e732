"""A runner of jobs that is loaded and waits, for the one job that must begin at once.

systemd has to start a unit for each job, and Python in it has to load: half a second and more on a small box, in which
an array stays without redundancy. So one unit is started beforehand and sleeps in a FIFO; who wants a job writes the
record as always, and then its id into the FIFO. Should nobody listen, the job gets a unit of its own, as others do.

The unit is none of the daemon's control group, and lives on when the daemon dies. A new daemon sends it away, so that
no runner of an older version is left.
"""

import fcntl
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from core.clock import Clock
from core.run import run

FIFO, LOCK = "runner.fifo", "runner.lock"
GO_AWAY = "-"
WHILE_LOADING, AT_WORK = 10, -20
"""Nice values: loading takes the CPU from nothing; the job is what all wait for, but for the lights (docs/design)."""
TRIES, PAUSE = 3, 0.02
"""The daemon, too, holds the lock for a moment, when it looks whether somebody waits."""
LOADING = 30.0
"""Seconds that a runner may take until it waits; then another is started."""


@dataclass(slots=True)
class ReadyRunner:
    """One owner's (a daemon's). folder: where its records lie, root's alone: what stands there is done by root."""

    folder: Path
    owner: str
    clock: Clock
    _begun: float = field(default=float("-inf"))
    _count: int = 0

    def waits(self) -> bool:
        """It waits, or will in a moment."""
        if self.clock.monotonic() - self._begun < LOADING:
            return True
        try:
            handle = os.open(self.folder / LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            os.close(handle)

    def start(self) -> None:
        """Starts one; should another wait already, it ends at once. Raises RunError."""
        self._begun, self._count = self.clock.monotonic(), self._count + 1
        unit = f"rackeye-runner-{self.owner}-{os.getpid()}-{self._count}"
        run(
            [
                "systemd-run", "--quiet", "--collect", "--no-block", f"--unit={unit}", f"--nice={WHILE_LOADING}",
                "--description=Rackeye: waits for a job that must begin at once",
                sys.executable, "-m", "core.job_runner", "--wait", str(self.folder),
            ],
        )

    def give(self, job: str) -> bool:
        """Hands over a job whose record is written; False when nobody takes it."""
        self._begun = float("-inf")
        try:
            pipe = os.open(self.folder / FIFO, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:  # ENXIO: nobody reads there; ENOENT: nobody ever did
            return False
        try:
            return os.write(pipe, f"{job}\n".encode()) > 0
        except OSError:
            return False
        finally:
            os.close(pipe)

    def dismiss(self) -> None:
        """Sends away the one that an earlier daemon left."""
        self.give(GO_AWAY)


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait(folder: Path) -> Path | None:
    """In the runner: sleeps until there is a job, and returns its record; None when it is not needed."""
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    with suppress(FileExistsError):
        os.mkfifo(folder / FIFO, 0o600)
    for left in reversed(range(TRIES)):
        if _taken(lock):
            break
        if not left:
            os.close(lock)
            return None
        time.sleep(PAUSE)
    words: list[str] = []
    while not words:
        words = (folder / FIFO).read_text().split()
    os.close(lock)  # the next one may wait
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, AT_WORK)
    return None if words[0] == GO_AWAY else folder / f"{words[0]}.json"
