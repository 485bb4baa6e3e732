"""What the programs of check, repair and patrol read share: their file, their pace, their memory."""

import ctypes
import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import msgspec

from core import journal
from core.clock import Clock, SystemClock
from core.config import load_settings, write_atomic
from core.errors import RackeyeError
from core.paths import Paths
from core.settings import Settings
from raid.repair_result import RepairResult
from raid.scrub_result import ScrubProgress, ScrubResult

log = journal.get_logger("raid.scrub")
_REREAD = 10.0  # seconds between two looks at the settings
_LONGEST = 5.0  # seconds of one pause: a stop is heard in it, progress is told between two


class ProgressFile:
    """How far a check or a repair is, as JSON; replaced as a whole (docs/design/parity.md, "Progress file").

    result: of a check; until `done` what it has found so far, from which another can go on.
    repair: of a repair. identity: of the virtual drive. finished: UTC seconds. last: the check before it that saw all,
    which counts until this one has.
    """

    def __init__(
        self, array: str, file: Path | None, identity: str = "", before: ScrubResult | None = None,
        clock: Clock | None = None,
    ) -> None:
        """before: what the check that is taken up had found."""
        self._array, self._file, self._identity = array, file, identity
        self._clock = clock or SystemClock()
        self._last = _last(file, identity)
        percent = 100.0 * before.stripes / before.of if before else 0.0
        self._replace(ScrubProgress(percent, None, None), done=False, result=before)

    def write(self, progress: ScrubProgress, so_far: ScrubResult | None = None) -> None:
        """How far it is."""
        self._replace(progress, done=False, result=so_far)

    def done(self, result: ScrubResult) -> None:
        """The end of a check."""
        percent = 100.0 * result.stripes / result.of
        self._replace(ScrubProgress(percent, None, 0.0), done=True, result=result)

    def repaired(self, result: RepairResult) -> None:
        """The end of a repair."""
        percent = 100.0 * len(result.stripes) / max(1, result.of)
        self._replace(ScrubProgress(percent, None, 0.0), done=True, repair=result)

    def failed(self, error: RackeyeError) -> None:
        """It came to nothing."""
        about = {"code": error.code, "sentence": error.sentence, "hint": error.hint}
        self._replace(ScrubProgress(0.0, None, None), done=True, error=about)

    def _replace(
        self,
        progress: ScrubProgress,
        *,
        done: bool,
        result: ScrubResult | None = None,
        repair: RepairResult | None = None,
        error: object = None,
    ) -> None:
        if self._file is None:
            return
        content = {
            "array": self._array,
            "percent": round(progress.percent, 2),
            "speed": progress.speed,
            "seconds_left": progress.seconds_left,
            "done": done,
            "result": result,
            "repair": repair,
            "error": error,
            "identity": self._identity,
            "finished": self._clock.now() if done else None,
            "last": self._last,
        }
        write_atomic(self._file, msgspec.json.encode(content))


class Whole(msgspec.Struct):
    """A check that saw the whole array. repair: what was repaired after it."""

    result: ScrubResult
    finished: float
    repair: RepairResult | None = None


class _Left(msgspec.Struct):
    done: bool
    identity: str = ""
    result: ScrubResult | None = None
    finished: float | None = None
    repair: RepairResult | None = None
    last: Whole | None = None

    @property
    def ended(self) -> bool:
        return self.done and self.result is not None and not self.result.stopped


def _read(file: Path | None, identity: str) -> _Left | None:
    """Of the same virtual drive."""
    if file is None or not identity:
        return None
    try:
        left = msgspec.json.decode(file.read_bytes(), type=_Left)
    except (OSError, msgspec.MsgspecError):
        return None
    return left if left.identity == identity else None


def _last(file: Path | None, identity: str) -> Whole | None:
    left = _read(file, identity)
    if left is None or not left.ended or left.result is None:
        return None if left is None else left.last
    return Whole(left.result, left.finished or 0.0, left.repair)


def left_behind(file: Path | None, identity: str) -> ScrubResult | None:
    """What a check of the same virtual drive found that was stopped or cut off; None: there is none to go on from."""
    left = _read(file, identity)
    return None if left is None or left.ended else left.result


@dataclass(slots=True)
class Pace:
    """Leaves the drives to others: after each piece it waits, so that the rate of its kind (`rackeye rate`) is kept.

    kind: "check" or "patrol", a name in `[raid.rates]`, which is read again while it works, so it holds at once.
    Nothing waits longer than a few seconds.
    """

    stop: threading.Event
    kind: str = "check"
    paths: Paths = Paths()
    clock: Clock = SystemClock()
    _percent: float = 100.0
    _read: float | None = None

    def after(self, busy: float) -> None:
        """After a piece of work of so many seconds."""
        now = self.clock.monotonic()
        if self._read is None or now - self._read > _REREAD:
            self._read = now
            self._percent = float(getattr(load_settings(Settings, self.paths).settings.raid.rates, self.kind))
        pause = min(_LONGEST, busy * (100.0 - self._percent) / self._percent)
        if pause > 0:
            self.stop.wait(pause)


def stay_in_memory() -> None:
    """While writes to a range wait, a page fault that needs one of them would never end: nothing of us is paged out."""
    current, future, on_fault = 1, 2, 4
    if ctypes.CDLL(None, use_errno=True).mlockall(current | future | on_fault) != 0:
        log.warning(f"Memory cannot be locked ({os.strerror(ctypes.get_errno())}); the check goes on without.")


def say(text: str, to: TextIO | None = None) -> None:
    """A line, to stdout."""
    (to or sys.stdout).write(text + "\n")
