"""md's own `check` and `repair` over a stretch of the members, and nothing beyond it (facts/raid.md, "Doing things").

`sync_min` and `sync_max` bound it; at `sync_max` md's thread waits, so it is ended by `idle`. The order at the end is
what keeps data safe: `idle` first and the bounds after it. With the bounds gone, a `repair` that still runs would make
wrong data consistent all over the array.
"""

import contextlib
import time
from collections.abc import Callable
from enum import StrEnum, unique
from pathlib import Path

from core.errors import CannotRepair

SECTOR = 512
_POLL = 0.01
_NO_PROGRESS = 60.0  # seconds without a step: md waits for something that does not come


@unique
class Pass(StrEnum):
    """What md does over the window. CHECK reads (and rewrites what a drive could not read); REPAIR writes parity."""

    CHECK = "check"
    REPAIR = "repair"


def run_window(md: Path, action: Pass, start: int, end: int, sleep: Callable[[float], None] = time.sleep) -> None:
    """Runs `action` over bytes [start, end) of each member. start: whole pages; end: whole chunks.

    Raises CannotRepair when md is busy, does something else in the middle, or stands still.
    """
    if _text(md / "sync_action") != "idle":
        raise CannotRepair(f"md is busy ({_text(md / 'sync_action')}).", hint="Try again when that has ended.")
    try:
        (md / "sync_max").write_text("max")
        (md / "sync_min").write_text(str(start // SECTOR))
        (md / "sync_max").write_text(str(end // SECTOR))
        (md / "sync_action").write_text(action)
        _until(md, action, end // SECTOR, sleep)
    except OSError as error:
        raise CannotRepair(f"md refused a {action} of a part of the array: {error.strerror}.") from error
    finally:
        end_window(md, sleep)


def end_window(md: Path, sleep: Callable[[float], None] = time.sleep) -> bool:
    """Ends a windowed check or repair and lifts its bounds; True when there was one.

    Leaves alone what it did not begin: a rebuild, a resync, a reshape. For what a killed repair left, too.
    """
    if _text(md / "reshape_position") != "none":
        return False
    bounded = _text(md / "sync_min") != "0" or _text(md / "sync_max") != "max"
    if not bounded:
        return False
    deadline = time.monotonic() + _NO_PROGRESS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):  # busy while its thread ends
            if _text(md / "sync_action") in tuple(Pass):
                (md / "sync_action").write_text("idle")
            else:
                (md / "sync_max").write_text("max")
                (md / "sync_min").write_text("0")
                return True
        sleep(_POLL)
    raise CannotRepair("md does not end its windowed pass.", hint="The bounds stay, so nothing more is changed.")


def _until(md: Path, action: Pass, end: int, sleep: Callable[[float], None]) -> None:
    """Waits until all up to `end` (sectors) is done."""
    done, since = -1, time.monotonic()
    while True:
        now = _text(md / "sync_action")
        if now == "idle":  # it ran to the end of the array and has ended by itself
            return
        if now != action:
            raise CannotRepair(f"md turned to {now} in the middle.", hint="Look at the drives: rackeye vd")
        word = _text(md / "sync_completed").split(" ")[0]
        reached = int(word) if word.isdecimal() else 0
        if reached >= end:
            return
        if reached != done:
            done, since = reached, time.monotonic()
        if time.monotonic() - since > _NO_PROGRESS:
            raise CannotRepair(f"md's {action} stands still at {reached}.", hint="Look at the drives: rackeye vd")
        sleep(_POLL)


def _text(path: Path) -> str:
    return path.read_text().strip()
