"""Processes of the bench: started, measured by /proc, and ended again by their ids."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tests.private_bus import RULES

TICK = 1 / os.sysconf("SC_CLK_TCK")


class BenchFailed(Exception):
    """The bench could not measure what it says; the row would be a lie."""


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of processes, and of their children that have ended (proc(5), 10 ms steps)."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(map(int, fields[11:15]))
    return total * TICK


def pss_bytes(pids: Iterable[int]) -> int:
    """Memory of processes, shared pages by their share (smaps_rollup)."""
    total = 0
    for pid in pids:
        for text in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if text.startswith("Pss:"):
                total += int(text.split()[1]) * 1024
    return total


@contextlib.contextmanager
def started(
    commands: Sequence[Sequence[str]], log: Path, env: Mapping[str, str] | None = None
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes side by side; ended by SIGTERM, and after 10 s by SIGKILL."""
    processes: list[subprocess.Popen[bytes]] = []
    with log.open("ab") as said:
        try:
            for command in commands:
                processes.append(subprocess.Popen(
                    list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said,
                    env={**os.environ, **(env or {})},
                ))
            yield processes
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)
                if process.poll() is None:
                    process.kill()
                    process.wait()
                if process.stdout is not None:
                    process.stdout.close()


@contextlib.contextmanager
def private_bus(place: Path) -> Iterator[dict[str, str]]:
    """A dbus-daemon of our own; yields the environment that leads there."""
    socket, rules = place / "bus", place / "bus.conf"
    rules.write_text(RULES.format(socket=socket))
    command = ["/usr/bin/dbus-daemon", f"--config-file={rules}", "--nofork", "--print-address"]
    with started([command], place / "bus.log") as (process,):
        assert process.stdout is not None
        process.stdout.readline()  # it listens
        yield {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={socket}"}


def wait_for(holds: Callable[[], bool], seconds: float, what: str, every: float = 0.2) -> None:
    """Polls. Raises BenchFailed."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise BenchFailed(f"Not in {seconds:g} s: {what}.")
        time.sleep(every)
