"""Work folders of racks: each belongs to a living process by a lock; those of the dead are swept.

<base>/cpu<N>.<M>            locked by the rack whose kernel is the Mth on that CPU
<base>/<name>-<pid>/owner    locked (flock) as long as the owner lives, however it ends
                    .../control.sock, console.log, drives/*.img, system.img, layer/
"""

from __future__ import annotations

import fcntl
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from core.errors import RackAbsent, RackExists

SOCKET = "control.sock"


def base() -> Path:
    """Where all racks of this user lie: $TMPDIR or /var/tmp, never a memory file system by accident."""
    return Path(os.environ.get("TMPDIR", "/var/tmp")) / f"rackeye-racks-{os.getuid()}"  # noqa: S108 -- by user, 0700


@dataclass(frozen=True, slots=True)
class WorkDir:
    """A work folder that this process owns. lock: file descriptor that holds it.

    cpu: of the host's the one with the fewest racks of this user. cpu_lock holds it.
    """

    name: str
    path: Path
    lock: int
    cpu: int
    cpu_lock: int

    def remove(self) -> None:
        """Deletes the folder and gives it up, and the CPU."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.lock)
        os.close(self.cpu_lock)


def claim(name: str) -> WorkDir:
    """Makes this process the owner of a new work folder, after sweeping those of dead owners.

    Raises RackExists when a rack of this name lives.
    """
    base().mkdir(mode=0o700, parents=True, exist_ok=True)
    gate = os.open(base() / "gate", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(gate, fcntl.LOCK_EX)  # else a sweeper could meet a folder that is not locked yet
        living = sweep()
        if any(_name(path) == name for path in living):
            raise RackExists(f"The rack {name!r} is up already.", hint=f"rackeye-rack --name {name} down")
        path = base() / f"{name}-{os.getpid()}"
        path.mkdir(mode=0o700)
        lock = os.open(path / "owner", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        return WorkDir(name, path, lock, *_free_cpu())
    finally:
        os.close(gate)


def sweep() -> list[Path]:
    """Removes work folders whose owner is dead; returns those of the living."""
    living = []
    for path in sorted(base().glob("*-*")):
        if _alive(path):
            living.append(path)
        else:
            shutil.rmtree(path, ignore_errors=True)
    return living


def find(name: str) -> Path:
    """The work folder of a living rack. Raises RackAbsent."""
    for path in base().glob(f"{name}-*"):
        if _name(path) == name and _alive(path):
            return path
    raise RackAbsent(f"No rack {name!r} is up.", hint=f"rackeye-rack --name {name} up")


def _free_cpu() -> tuple[int, int]:
    cpus, number = sorted(os.sched_getaffinity(0)), 0
    while True:
        cpu = cpus[number % len(cpus)]
        lock = os.open(base() / f"cpu{cpu}.{number // len(cpus)}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            number += 1
        else:
            return cpu, lock


def _name(path: Path) -> str:
    return path.name.rpartition("-")[0]


def _alive(path: Path) -> bool:
    try:
        lock = os.open(path / "owner", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
