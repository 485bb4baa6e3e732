"""A reconstruction as the program of a job: `python -m raid.reshape_job VERB ...`. It lives as long as the work.

    begin NODE TOKEN DEVICE,DEVICE [ARGUMENT...]   mdadm --grow with these arguments; DEVICE: just added
    follow NODE                    md goes on by itself, from its superblocks; until it has ended
    finish NODE TOKEN BITMAP FOLDER                the bitmap comes back, the file system grows

TOKEN is for the record: which order it was. DEVICE "-" is none.

mdadm is never given a backup file: without one it moves the data into the room in front of them, or refuses. So nothing
is ever overwritten before it lies elsewhere, and md needs nobody but its superblocks (docs/design/reconstruction.md).
"""

import sys
import time
from contextlib import suppress
from pathlib import Path

from core.errors import RackeyeError, ReconstructionStopped, RunError
from core.job_step import exit_code, misused
from core.run import run

NO_ROOM = "failed to create internal bitmap"
"""What mdadm 4.2 says where its list of bad blocks lies in the bitmap's place: of an array that was made a RAID0."""
PAUSE = 1.0
PATIENCE = 5
"""So many looks in a row must see md wait for somebody."""
HEALTHY = ("clean", "active", "active-idle", "write-pending", "read-auto")


class Shape:
    """What md says of an array that is reshaped."""

    def __init__(self, node: str, root: Path = Path("/sys")) -> None:
        self._node, self._root = Path(node), root

    @property
    def md(self) -> Path:
        return self._root / "block" / self._node.resolve().name / "md"

    def read(self, name: str) -> str:
        """Empty when it is gone."""
        with suppress(OSError):
            return (self.md / name).read_text().strip()
        return ""

    def runs(self) -> bool:
        return self.read("array_state") in HEALTHY

    def reshaping(self) -> bool:
        return self.read("reshape_position") not in ("none", "")

    def held(self) -> str:
        """Why it waits for somebody: md may go only so far, or writes are held back; empty when it does not."""
        most, low, high = self.read("sync_max"), self.read("suspend_lo"), self.read("suspend_hi")
        waits = most not in ("max", "") or (low != high and bool(low) and bool(high))
        return f"sync_max {most}, suspended {low} to {high}" if waits else ""


def begin(node: str, added: tuple[str, ...], arguments: tuple[str, ...]) -> None:
    """Raises ReconstructionStopped, RunError; the drives that were added are blank again then."""
    shape = Shape(node)
    try:
        if not shape.runs() or shape.reshaping() or shape.read("degraded") not in ("0", ""):
            raise ReconstructionStopped(f"{node} is not whole, or is being reshaped: nothing is begun.")
        _mdadm("--grow", node, *arguments)
    except RackeyeError:
        if not shape.reshaping():
            for device in added:
                _let_go(shape, node, device)
        raise
    follow(shape)


def _let_go(shape: Shape, node: str, device: str) -> None:
    """A drive that md has as a spare only; one that has a slot by now stays."""
    if shape.read(f"dev-{Path(device).name}/slot") == "none":
        _mdadm(node, "--remove", device)
        _mdadm("--zero-superblock", device)


def finish(node: str, bitmap: str, folder: str) -> None:
    """May be run again."""
    shape = Shape(node)
    if bitmap == "internal" and shape.read("bitmap/location") in ("none", ""):
        try:
            _mdadm("--grow", node, "--bitmap=internal")
        except RunError as error:
            if NO_ROOM not in str(error):
                raise
            sys.stderr.write(f"{node} goes on without a write-intent bitmap: there is no room for one.\n")
    if folder != "-":
        run(["xfs_growfs", folder], timeout=None)


def follow(shape: Shape) -> None:
    """Until md has ended. Raises ReconstructionStopped."""
    held = 0
    while True:
        if not shape.runs():  # asked first: one that is gone does not reshape either
            raise ReconstructionStopped("The array has stopped in the middle of its reconstruction.")
        if not shape.reshaping():
            return
        why = shape.held()
        held = held + 1 if why else 0
        if held > PATIENCE:
            raise ReconstructionStopped(f"md waits for somebody in the middle of the reconstruction ({why}).")
        time.sleep(PAUSE)


def _mdadm(*arguments: str) -> None:
    run(["mdadm", *arguments], timeout=None)


def main(argv: list[str]) -> int:
    """The step of a job."""
    match argv[1:]:
        case ["begin", node, _, devices, *arguments]:
            added = tuple(word for word in devices.split(",") if word != "-")
            return exit_code(lambda: begin(node, added, tuple(arguments)))
        case ["follow", node, *_]:
            return exit_code(lambda: follow(Shape(node)))
        case ["finish", node, _, bitmap, folder]:
            return exit_code(lambda: finish(node, bitmap, folder))
        case _:
            return misused(__doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
