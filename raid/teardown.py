"""The two writes that end an array, as programs of a job: `python -m raid.teardown stop|wipe`.

    stop NODE UUID             waits until nobody has it open, then mdadm --stop
    wipe UUID DEVICE...        takes the array's superblock off these drives, and nothing else

Both look again at what they are about to end, with the device held exclusively, so that neither udev nor anybody else
comes between the look and the write (facts/raid.md: udev assembles again between --stop and --zero-superblock). Both
may be cut off at any point and be run again.
"""

import errno
import mmap
import os
import sys
import time
from pathlib import Path

from core.errors import DriveChanged, RaidBusy
from core.job_step import exit_code, misused
from core.run import run
from raid import superblock

PATIENCE = 60.0
"""Seconds for the users of a volume that was taken away to close their files; then the job fails and is tried again."""
PAUSE = 0.1


def stop(node: Path, uuid: str, *, patience: float = PATIENCE) -> None:
    """Stops the array, once it is closed. One that is gone already is stopped. Raises RaidBusy, DriveChanged, RunError.
    """
    until = time.monotonic() + patience
    while node.exists():
        try:
            handle = os.open(node, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
                return
            if error.errno != errno.EBUSY or time.monotonic() > until:
                raise RaidBusy(f"{node} is still in use.", hint=f"Who uses it: fuser -vm {node}") from error
            time.sleep(PAUSE)
            continue
        os.close(handle)
        refuse_another(node, uuid)
        run(["mdadm", "--stop", str(node)], timeout=None)
        return


def refuse_another(node: Path, uuid: str) -> None:
    """The name may belong to another array by now. One without a readable member is told by nobody: it is stopped, as
    stopping destroys nothing."""
    for name in sorted(entry.name for entry in Path(f"/sys/block/{node.resolve().name}/slaves").glob("*")):
        try:
            found = superblock.read(Path("/dev") / name)
        except OSError:
            continue
        if found is not None and found.array_uuid != uuid:
            raise DriveChanged(f"{node} is another array ({found.name}) by now.", hint="It is looked at anew.")
        return


def wipe(uuid: str, device: Path) -> bool:
    """Zeroes the superblock of this array; False when the device carries none. Raises OSError, DriveChanged."""
    handle = os.open(device, os.O_RDWR | os.O_EXCL | os.O_DIRECT | os.O_CLOEXEC)
    try:
        with mmap.mmap(-1, superblock.LENGTH) as block:
            os.preadv(handle, [block], superblock.OFFSET)
            found = superblock.parse(block[:])
            if found is None:
                return False
            if found.array_uuid != uuid:
                raise DriveChanged(f"{device} belongs to the array {found.name} by now.", hint="It is left alone.")
            block[:] = bytes(superblock.LENGTH)
            os.pwritev(handle, [block], superblock.OFFSET)
            os.fsync(handle)
            return True
    finally:
        os.close(handle)


def stop_argv(node: str, uuid: str) -> tuple[str, ...]:
    """The step of a job."""
    return (sys.executable, "-m", "raid.teardown", "stop", node, uuid)


def wipe_argv(uuid: str, devices: tuple[str, ...]) -> tuple[str, ...]:
    """The step of a job."""
    return (sys.executable, "-m", "raid.teardown", "wipe", uuid, *devices)


def main(argv: list[str]) -> int:
    """The step of a job."""
    match argv[1:]:
        case ["stop", node, uuid]:
            return exit_code(lambda: stop(Path(node), uuid))
        case ["wipe", uuid, *devices]:
            return exit_code(lambda: [wipe(uuid, Path(device)) for device in devices])
        case _:
            return misused(__doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
