"""What the programs of check, repair and patrol read share: their file, their pace, their memory."""

import ctypes
import os
import sys
import threading
from dataclasses import dataclass, replace
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

    result: of a check; until it has seen all, what it has found so far. repair: of a repair. identity: of the virtual
    drive. finished: UTC seconds. last: what was known before it, which counts until it has seen all.
    percent: of one that came to an end early, where the next one goes on; 0: it begins anew.
    """

    def __init__(
        self, array: str, file: Path | None, identity: str = "", before: ScrubResult | None = None,
        clock: Clock | None = None,
    ) -> None:
        """before: what the check that is taken up had found."""
        self._array, self._file, self._identity = array, file, identity
        self._clock = clock or SystemClock()
        left = _read(file, identity)
        self._last = None if left is None else known_of(left)
        self._found, self._read_some = before, False
        self._begun = ScrubProgress(100.0 * before.stripes / before.of if before else 0.0, None, None)
        self._replace(self._begun, done=False, result=before)

    def write(self, progress: ScrubProgress, so_far: ScrubResult | None = None) -> None:
        """How far it is."""
        self._found, self._read_some = so_far, True
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
        """It came to nothing, or broke off: what it found stays. A check that was refused leaves the place to go on
        from; after one that broke off, because the array is another now, the next begins anew."""
        about = {"code": error.code, "sentence": error.sentence, "hint": error.hint}
        place = ScrubProgress(0.0, None, None) if self._read_some else self._begun
        self._replace(place, done=True, result=self._found, error=about)

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
    """What is known of a whole array, by a check that saw all of it, and by those after it that did not.

    result: `stopped` while no check has seen all. repair: what was repaired after it.
    """

    result: ScrubResult
    finished: float
    repair: RepairResult | None = None


class Said(msgspec.Struct):
    """Why it came to nothing."""

    code: str
    sentence: str
    hint: str = ""


class Left(msgspec.Struct):
    """What stands in the file of a check."""

    percent: float
    done: bool
    identity: str = ""
    result: ScrubResult | None = None
    error: Said | None = None
    finished: float | None = None
    repair: RepairResult | None = None
    last: Whole | None = None

    @property
    def ended(self) -> bool:
        """It saw all."""
        return self.done and self.result is not None and not self.result.stopped


def known_of(left: Left) -> Whole | None:
    """All that is known to be wrong, or could not be read, until a check has seen all: what one that did not come to
    its end has found stands beside what was known before it."""
    found, last = left.result, left.last
    if found is None or not (left.ended or found.bad_stripes or found.unreadable):
        return last
    ended = Whole(found, left.finished or 0.0, left.repair)
    if left.ended or last is None:
        return ended
    old = last.result
    named = {(bad.span, bad.number) for bad in found.bad}
    more = tuple(bad for bad in old.bad if (bad.span, bad.number) not in named)
    both = replace(
        old, bad=(*found.bad, *more), bad_stripes=max(old.bad_stripes, found.bad_stripes, len(found.bad) + len(more)),
        unreadable=tuple(dict.fromkeys((*found.unreadable, *old.unreadable))),
    )
    return Whole(both, max(ended.finished, last.finished), left.repair or last.repair)


def _read(file: Path | None, identity: str) -> Left | None:
    """Of the same virtual drive."""
    if file is None or not identity:
        return None
    try:
        left = msgspec.json.decode(file.read_bytes(), type=Left)
    except (OSError, msgspec.MsgspecError):
        return None
    return left if left.identity == identity else None


def left_behind(file: Path | None, identity: str) -> ScrubResult | None:
    """What a check of the same virtual drive found that was stopped, cut off or refused; None: there is none to go on
    from, or it broke off."""
    left = _read(file, identity)
    if left is None or left.ended or (left.error is not None and not left.percent):
        return None
    return left.result


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
