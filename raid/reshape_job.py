"""A reconstruction as the program of a job: `python -m raid.reshape_job VERB ...`. It lives as long as the work.

    begin NODE BACKUP TOKEN DEVICE,DEVICE [ARGUMENT...]   mdadm --grow with these arguments; DEVICE: just added
    continue NODE BACKUP                   md was left at it without its helper
    assemble NODE BACKUP UUID DEVICE...    starts an array that is half reshaped; force: UUID,force
    finish NODE BACKUP TOKEN BITMAP FOLDER the bitmap comes back, the file system grows

TOKEN is for the record: which order it was. "-" is none.

mdadm keeps a helper in the background while the drives have no room to spare: it copies each piece to BACKUP before md
overwrites it. Killed, it leaves writes waiting for ever (facts/raid.md). So it is a child of this program, in the job's
own unit, and this program ends after it.
"""

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from core.config import fsync_folder
from core.errors import CommandFailed, RackeyeError, ReconstructionStopped
from core.run import run

PAUSE = 1.0
PATIENCE = 5
"""So many looks in a row must see md wait without a helper."""
PR_SET_CHILD_SUBREAPER = 36
# No unit of systemd's for the helper (mdadm 4.2 asks for it all the same; it is masked by systemd/install.sh): killed
# with nobody to see it, and told of no backup file after a power cut. The backup's time is compared with the
# superblocks', and clocks jump: the file is this reconstruction's own, so its age says nothing.
MDADM = ("env", "MDADM_NO_SYSTEMD=1", "MDADM_GROW_ALLOW_OLD=1", "mdadm")
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
        """Why it waits for a helper: md may go only so far, or writes are held back; empty when it does not."""
        most, low, high = self.read("sync_max"), self.read("suspend_lo"), self.read("suspend_hi")
        waits = most not in ("max", "") or (low != high and bool(low) and bool(high))
        return f"sync_max {most}, suspended {low} to {high}" if waits else ""


def begin(node: str, backup: Path, added: tuple[str, ...], arguments: tuple[str, ...]) -> None:
    """Raises ReconstructionStopped, RunError; the drives that were added are blank again then."""
    shape = Shape(node)
    try:
        if not shape.runs() or shape.reshaping() or shape.read("degraded") not in ("0", ""):
            raise ReconstructionStopped(f"{node} is not whole, or is being reshaped: nothing is begun.")
        backup.unlink(missing_ok=True)  # of an attempt that ended before md began: nothing has come of it
        _mdadm("--grow", node, *arguments, *_with(arguments, backup))
    except RackeyeError:
        if not shape.reshaping():
            for device in added:
                _let_go(shape, node, device)
        raise
    fsync_folder(backup.parent)
    follow(shape)


def _with(arguments: tuple[str, ...], backup: Path) -> tuple[str, ...]:
    """Where a layout is named it is the one that leaves the data in place, and mdadm wants no backup."""
    words = [word.partition("=")[0] for word in arguments]
    moves = "--raid-devices" in words and "--layout" not in words
    return (f"--backup-file={backup}",) if moves else ()


def _let_go(shape: Shape, node: str, device: str) -> None:
    """A drive that md has as a spare only; one that has a slot by now stays."""
    if shape.read(f"dev-{Path(device).name}/slot") == "none":
        _mdadm(node, "--remove", device)
        _mdadm("--zero-superblock", device)


def go_on(node: str, backup: Path) -> None:
    """md itself goes on from its superblocks; only one that waits for a helper needs it."""
    shape = Shape(node)
    if shape.runs() and shape.reshaping() and shape.held():
        with_backup = (f"--backup-file={backup}",) if backup.exists() else ()
        _mdadm("--grow", "--continue", node, *with_backup)
    follow(shape)


def assemble(node: str, backup: Path, uuid: str, devices: tuple[str, ...]) -> None:
    """With the backup, where there is one: mdadm writes back the piece that was being moved when the power went."""
    uuid, _, force = uuid.partition(",")
    flags = ("--force",) if force else ()
    with_backup = (f"--backup-file={backup}",) if backup.exists() else ()
    name = ("--homehost=rackeye", f"--uuid={uuid}")
    _mdadm("--assemble", node, "--run", *flags, *with_backup, *name, *devices)
    follow(Shape(node))


def finish(node: str, backup: Path, bitmap: str, folder: str) -> None:
    """May be run again."""
    shape = Shape(node)
    if bitmap == "internal" and shape.read("bitmap/location") in ("none", ""):
        _mdadm("--grow", node, "--bitmap=internal")
    if folder != "-":
        run(["xfs_growfs", folder], timeout=None)
    backup.unlink(missing_ok=True)


def follow(shape: Shape) -> None:
    """Until md has ended and the helper too. Raises ReconstructionStopped."""
    held = 0
    while True:
        alive = _helpers()
        if not shape.runs():
            _end_helpers()
            raise ReconstructionStopped("The array has stopped in the middle of its reconstruction.")
        if not alive:
            if not shape.reshaping():
                return
            why = shape.held()
            held = held + 1 if why else 0
            if held > PATIENCE:
                raise ReconstructionStopped(f"mdadm's helper has ended before the reconstruction ({why}).")
        time.sleep(PAUSE)


def _helpers() -> bool:
    """Whether a child is left; those that have ended are taken leave of."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _end_helpers() -> None:
    """A helper holds the array open, so that it could not be stopped."""
    for task in Path("/proc/self/task").glob("*/children"):
        for child in task.read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGTERM)


def _mdadm(*arguments: str) -> None:
    run([*MDADM, *arguments], timeout=None)


def main(argv: list[str]) -> int:
    """0 when all is done; else the sentence goes to the job's record."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # At a stop (shutdown) the helper ends by itself and lets writes go; this program ends after it.
    signal.signal(signal.SIGTERM, lambda *_: None)
    verb, node, backup, *rest = argv[1:]
    try:
        match verb:
            case "begin":
                added = tuple(word for word in rest[1].split(",") if word != "-")
                begin(node, Path(backup), added, tuple(rest[2:]))
            case "continue":
                go_on(node, Path(backup))
            case "assemble":
                assemble(node, Path(backup), rest[0], tuple(rest[1:]))
            case "finish":
                finish(node, Path(backup), rest[1], rest[2])
            case _:
                sys.stderr.write(__doc__ or "")
                return 2
    except CommandFailed as error:
        sys.stderr.write(error.sentence.partition("\n")[2] or error.sentence)  # mdadm's own words
        return 1
    except RackeyeError as error:
        sys.stderr.write(error.sentence)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
