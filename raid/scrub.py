"""The native check of a live array with redundancy: reads all members, names what disagrees, changes nothing.

    python -m raid.scrub /dev/md127 [--json] [--progress-file PATH]    0 clean, 1 mismatches, 2 not (wholly) checked
    python -m raid.scrub /dev/md126 /dev/md125 ...                     spans of RAID50 or 60: one check over all of them
    python -m raid.scrub --release /dev/md127                          lets writes go on that a killed check holds

Every stripe is read while the array is in use. One that looks bad may just have been written: writes to it, and to it
alone, are suspended for a moment and it is read again. Only what is bad then is reported (facts/raid.md, "Checking a
live array"; docs/design/parity.md).
"""

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from core import journal
from core.clock import Clock, SystemClock
from core.errors import RackeyeError
from raid.geometry import array_name, checking, clear_suspended
from raid.mirror import LEVELS
from raid.parity import Engine, engine
from raid.progress_file import Pace, ProgressFile, left_behind, say, stay_in_memory
from raid.readers import Opener, open_direct
from raid.scrub_mirror import MirrorScrub
from raid.scrub_parity import ParityScrub
from raid.scrub_result import ScrubResult, sentences
from raid.scrub_run import Told
from raid.scrub_spans import check_spans

log = journal.get_logger("raid.scrub")


def check(
    array: str,
    *,
    sysfs: Path = Path("/sys"),
    opener: Opener = open_direct,
    by: Engine | None = None,
    on_progress: Told | None = None,
    stop: threading.Event | None = None,
    clock: Clock | None = None,
    before: ScrubResult | None = None,
    pace: Callable[[float], None] | None = None,
) -> ScrubResult:
    """Checks the whole array (`md127`, `/dev/md127` or a link to it). Setting `stop` ends it soon, with a result.

    before: what an earlier check of the same array found that was cut off; this one goes on behind it. pace: is told
    after each piece how many seconds it took, and may wait.

    Raises CannotCheck (with the reason: resync, missing member, no redundancy, a member went away) and CheckRunning.
    """
    name = array_name(array)
    with checking(name, sysfs):
        kind = MirrorScrub if _level(name, sysfs) in LEVELS else ParityScrub
        scrub = kind(name, sysfs, opener, by or engine())
        begin = 0 if before is None else scrub.take_up(before)
        told = on_progress or (lambda _progress, _so_far: None)
        return scrub.run(begin, told, stop or threading.Event(), clock or SystemClock(), pace)


def _level(name: str, sysfs: Path) -> str:
    with suppress(OSError):
        return (sysfs / "block" / name / "md/level").read_text().strip()
    return ""


# -- the program -----------------------------------------------------------------------------------------------------


def main(argv: Sequence[str] | None = None) -> int:
    """0 clean, 1 mismatches, 2 misuse, refused, stopped, or something could not be read."""
    options = _parser().parse_args(argv)
    journal.set_up()
    names = [array_name(array) for array in options.arrays]
    if options.release:
        return max(_release(name) for name in names)
    before = left_behind(options.progress_file, options.identity) if options.resume else None
    progress = ProgressFile(names[0], options.progress_file, options.identity, before)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        stay_in_memory()
        pace = Pace(stop).after if options.throttle else None
        if len(names) == 1:
            result = check(names[0], on_progress=progress.write, stop=stop, before=before, pace=pace)
        else:
            result = check_spans(names, check, on_progress=progress.write, stop=stop, before=before, pace=pace)
    except RackeyeError as error:
        say(f"{error.code}: {error.sentence} {error.hint}".strip(), sys.stderr)
        progress.failed(error)
        return 2
    progress.done(result)
    say(msgspec.json.encode(result).decode() if options.json else "\n".join(sentences(result)))
    if result.bad_stripes:
        return 1
    return 0 if result.clean else 2


def _release(name: str) -> int:
    try:
        released = clear_suspended(name)
    except RackeyeError as error:
        say(f"{error.code}: {error.sentence} {error.hint}".strip(), sys.stderr)
        return 2
    say(f"{name}: {'waiting writes go on' if released else 'no writes were held'}.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m raid.scrub", description="Checks the redundancy of an md array.")
    parser.add_argument("arrays", nargs="+", help="such as /dev/md127; several: the spans of one virtual drive")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--progress-file", type=Path, help="JSON, renewed once a second")
    parser.add_argument("--identity", default="", help="of the virtual drive; a check of another is not taken up")
    parser.add_argument("--resume", action="store_true", help="go on from where the check in the progress file ended")
    parser.add_argument("--throttle", action="store_true", help="leave the drives to others, as the settings say")
    parser.add_argument("--release", action="store_true", help="only let writes go on that a killed check holds")
    return parser


if __name__ == "__main__":
    sys.exit(main())
