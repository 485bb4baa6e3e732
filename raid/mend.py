"""Makes the file system of a recovered virtual drive whole: `python -m raid.mend /dev/md127`, a step of a job.

A start from a member that missed writes leaves old and new metadata side by side (seen on the rack: "Metadata has LSN
ahead of current LSN", mount failed). So the log is replayed by mounting once; where that fails it is given up, and in
both cases xfs_repair reads all metadata (xfs_repair(8)): what it cannot place again lies in lost+found.
"""

import sys
import tempfile
from pathlib import Path

from core.errors import CommandFailed
from core.job_step import exit_code
from core.run import run


def mend(device: str) -> str:
    """May be done over after a power cut. Returns what was done; raises RunError, OSError."""
    run(["udevadm", "settle", "--timeout=30"], timeout=60)
    node = Path(device).resolve(strict=True)
    replayed = _replay_log(str(node))
    _repair(str(node), give_up_log=not replayed)
    return "Its file system was checked." if replayed else "Its file system was repaired without its last changes."


def _replay_log(device: str) -> bool:
    """False when it cannot be mounted as it is."""
    with tempfile.TemporaryDirectory(prefix="rackeye-mend-") as folder:
        try:
            run(["mount", "-t", "xfs", "-o", "noatime,nosuid,nodev,noexec", device, folder], timeout=None)
        except CommandFailed:
            return False
        run(["umount", folder], timeout=None)
    return True


def _repair(device: str, *, give_up_log: bool) -> None:
    run(["xfs_repair", *(["-L"] if give_up_log else []), device], timeout=None)


def argv(device: str) -> tuple[str, ...]:
    """The step of a job. device: the array's node, which is there once the step before has started it."""
    return (sys.executable, "-m", "raid.mend", device)


def main() -> int:
    """The step of a job; what was done is kept with it."""
    return exit_code(lambda: sys.stdout.write(f"{mend(sys.argv[1])}\n"))


if __name__ == "__main__":
    sys.exit(main())
