"""Patrol read: every drive is read from end to end, spares too, so that a bad sector is known before it is needed.

    python -m raid.patrol --progress-file PATH [--resume] [--throttle] sda=SERIAL sdb=SERIAL ...    0 all well, 1 not

It reads past all caches, a drive after the other, gives way while somebody else waits for the drive, and notes where it
is. Nothing is written but by md, and only this: an unreadable place in the data of a whole array with redundancy is
covered by a windowed `check`, in which md reads the stripe, has the place from the other members, writes it and reads
it again (the drive puts it elsewhere). Whether that helped is read natively. Everything else is only named; a place of
a RAID10, too, for there the rack's kernel panicked in md's pass (docs/design/raid.md).
"""

import argparse
import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from core import journal
from core.clock import Clock, SystemClock
from core.config import write_atomic
from core.errors import RackeyeError
from raid.geometry import Geometry, checking, read_geometry
from raid.mirror import LEVELS, Mirror, read_mirror
from raid.parity import PAGE, aligned
from raid.patrol_result import SECTOR, Fate, MediaError, PatrolFile, Patrolled, load
from raid.progress_file import Pace, say
from raid.window import Pass, run_window

log = journal.get_logger("raid.patrol")
_PIECE = 1024 * 1024
_REPORT = 2.0  # seconds between two notes of where it is
_MOST_ERRORS = 100  # places of one drive: with more it is dead, and each try may cost seconds
_GONE = (errno.ENXIO, errno.ENODEV, errno.ENOMEDIUM)
_GIVE_WAY, _MOST_WAIT = 0.02, 1.0  # seconds: others first, but not for ever

Reader = Callable[[int, memoryview, int], int]


def _pread(fd: int, block: memoryview, offset: int) -> int:
    return os.preadv(fd, [block], offset)


@dataclass(slots=True)
class Patrol:
    """One run over some drives."""

    drives: list[Patrolled]
    file: Path | None
    last: PatrolFile | None = None
    pace: Pace | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    clock: Clock = field(default_factory=SystemClock)
    sysfs: Path = Path("/sys")
    dev: Path = Path("/dev")
    flags: int = os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC
    read: Reader = _pread
    _began: float = 0.0
    _reported: float = 0.0
    _seen: int = 0

    def run(self) -> PatrolFile:
        """All of them; ends early when `stop` is set."""
        self._began = self._reported = self.clock.monotonic()
        for at, drive in enumerate(self.drives):
            if not drive.ended and not self.stop.is_set():
                self._drive(at)
        ended = all(drive.ended for drive in self.drives)
        return self._note(done=True, stopped=not ended)

    def _drive(self, at: int) -> None:
        drive = self.drives[at]
        try:
            fd = os.open(self.dev / drive.device, self.flags)
        except OSError as error:
            self.drives[at] = replace(drive, gone=f"It cannot be opened: {error.strerror}.")
            return
        block = aligned(1, _PIECE)[0]
        try:
            while not self.drives[at].ended and not self.stop.is_set():
                self._piece(at, fd, block)
        finally:
            os.close(fd)

    def _piece(self, at: int, fd: int, block: memoryview) -> None:
        drive = self.drives[at]
        self._give_way(drive.device)
        began = self.clock.monotonic()
        length = min(_PIECE, drive.size - drive.position)
        why = self._fill(fd, block[:length], drive.position)
        if why is not None and why not in _GONE:
            drive = self._by_pages(drive, fd, block, length)
        elif why is not None:
            drive = replace(drive, gone="It went away.")
        if len(drive.errors) >= _MOST_ERRORS:
            drive = replace(drive, gone=f"It has {len(drive.errors)} places that cannot be read: replace it.")
        self.drives[at] = replace(drive, position=drive.position + length) if not drive.gone else drive
        self._seen += length
        now = self.clock.monotonic()
        if self.pace is not None:
            self.pace.after(now - began)
        if now - self._reported >= _REPORT or drive.errors != self.drives[at].errors:
            self._reported = now
            self._note(done=False)

    def _give_way(self, device: str) -> None:
        """Waits while requests of others are on their way to the drive."""
        waited = 0.0
        while waited < _MOST_WAIT and _in_flight(self.sysfs, device):
            self.stop.wait(_GIVE_WAY)
            waited += _GIVE_WAY

    def _by_pages(self, drive: Patrolled, fd: int, block: memoryview, length: int) -> Patrolled:
        """After an error: exactly which pages, each rewritten by md where that is possible."""
        for offset in range(drive.position, drive.position + length, PAGE):
            page = block[: min(PAGE, drive.size - offset)]
            why = self._fill(fd, page, offset)
            if why is None:
                continue
            if why in _GONE:
                return replace(drive, gone="It went away.")
            found = self._judge(drive, fd, page, offset, os.strerror(why))
            log.error(f"{drive.device} (serial {drive.serial}): LBA {found.lba}: {found.fate}. {found.why}",
                      serial=drive.serial)
            drive = replace(drive, errors=(*drive.errors, found))
            if len(drive.errors) >= _MOST_ERRORS:
                return drive
        return drive

    def _judge(self, drive: Patrolled, fd: int, page: memoryview, offset: int, why: str) -> MediaError:
        error = MediaError(offset // SECTOR, len(page) // SECTOR, Fate.UNREADABLE, why)
        array = array_of(drive.device, self.sysfs)
        if not array:
            return error
        try:
            with checking(array, self.sysfs):
                geometry = _shape(array, self.sysfs)
                member = next((m for m in geometry.members if m is not None and m.name == drive.device), None)
                inside = None if member is None else offset - member.offset
                if inside is None or not 0 <= inside < geometry.component:
                    return replace(error, array=array, why=f"{why}; outside the data of the array")
                stripe = geometry.row_of(inside) if isinstance(geometry, Mirror) else inside // geometry.chunk
                error = replace(error, array=array, stripe=stripe)
                if geometry.missing is not None:
                    return replace(error, why=f"{why}; {array} is not whole, so it is not rewritten")
                if geometry.number == 10:
                    return replace(error, why=f"{why}; of a RAID10 nothing is written anew")
                start = stripe * geometry.chunk
                run_window(self.sysfs / "block" / array / "md", Pass.CHECK, start, start + geometry.chunk)
        except RackeyeError as refused:
            return replace(error, array=array, why=f"{why}; not rewritten: {refused.sentence}")
        again = self._fill(fd, page, offset)
        if again is None:
            return replace(error, fate=Fate.REWRITTEN, why=f"{why}; md wrote it anew from the other drives")
        return replace(error, why=f"{why}; md could not write it anew")

    def _fill(self, fd: int, block: memoryview, offset: int) -> int | None:
        """None when all of it was read, else the errno."""
        done = 0
        while done < len(block):
            try:
                got = self.read(fd, block[done:], offset + done)
            except OSError as error:
                return error.errno or errno.EIO
            if got == 0:
                return errno.EIO
            done += got
        return None

    def _note(self, *, done: bool, stopped: bool = False) -> PatrolFile:
        seconds = self.clock.monotonic() - self._began
        speed = self._seen / seconds if seconds > 0 else 0.0
        left = sum(drive.size - drive.position for drive in self.drives if not drive.ended)
        found = PatrolFile(
            tuple(self.drives), done, stopped, int(speed) or None, left / speed if speed else None,
            self.clock.now() if done else None, self.last,
        )
        if self.file is not None:
            write_atomic(self.file, msgspec.json.encode(found))
        return found


def array_of(device: str, sysfs: Path) -> str:
    """The md array that holds this drive, empty for none."""
    holders = sysfs / "class/block" / device / "holders"
    try:
        return next((holder.name for holder in sorted(holders.iterdir()) if holder.name.startswith("md")), "")
    except OSError:
        return ""


def _shape(array: str, sysfs: Path) -> Geometry | Mirror:
    """Raises CannotCheck."""
    try:
        level = (sysfs / "block" / array / "md/level").read_text().strip()
    except OSError:
        level = ""  # it has just gone, which the other says
    return read_mirror(array, sysfs) if level in LEVELS else read_geometry(array, sysfs)


def _in_flight(sysfs: Path, device: str) -> bool:
    """Requests on their way now (Documentation/ABI/stable/sysfs-block, `inflight`: reads and writes)."""
    try:
        return any(int(word) for word in (sysfs / "class/block" / device / "inflight").read_text().split())
    except (OSError, ValueError):
        return False


def _size(sysfs: Path, device: str) -> int:
    return int((sysfs / "class/block" / device / "size").read_text()) * SECTOR


def begin(
    wanted: Sequence[tuple[str, str]], before: PatrolFile | None, sysfs: Path, *, resume: bool
) -> list[Patrolled]:
    """The drives to read; with `resume` each from where the patrol before it had left the same serial and size."""
    to_go_on = before is not None and resume and not before.whole
    left = {drive.serial: drive for drive in before.drives} if before is not None and to_go_on else {}
    drives = []
    for device, serial in wanted:
        try:
            size = _size(sysfs, device)
        except (OSError, ValueError):
            continue  # it has just gone
        old = left.get(serial) if serial else None
        on = old is not None and old.size == size and not old.gone
        drives.append(replace(old, device=device) if old is not None and on else Patrolled(device, serial, size))
    return drives


def main(argv: Sequence[str] | None = None) -> int:
    """0 everything could be read, 1 not, 2 stopped."""
    parser = argparse.ArgumentParser(prog="python -m raid.patrol", description="Reads drives from end to end.")
    parser.add_argument("drives", nargs="+", metavar="NAME=SERIAL", help="such as sda=WD-123")
    parser.add_argument("--progress-file", type=Path, required=True)
    parser.add_argument("--resume", action="store_true", help="go on from where the one in the file ended")
    parser.add_argument("--throttle", action="store_true", help="leave the drives to others, as the settings say")
    options = parser.parse_args(argv)
    journal.set_up()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sysfs = Path("/sys")
    before = load(options.progress_file)
    last = before if before is not None and before.whole else before.last if before is not None else None
    if last is not None:
        last.last = None
    wanted = [(name, serial) for name, _, serial in (word.partition("=") for word in options.drives)]
    drives = begin(wanted, before, sysfs, resume=options.resume)
    pace = Pace(stop, "patrol") if options.throttle else None
    result = Patrol(drives, options.progress_file, last, pace, stop, sysfs=sysfs).run()
    for drive in result.drives:
        say(f"{drive.device} {drive.serial}: {drive.gone or f'{drive.position} of {drive.size} bytes read'}")
        for error in drive.errors:
            say(f"  LBA {error.lba}, {error.sectors} sectors: {error.fate}; {error.why}")
    if result.stopped:
        return 2
    return 1 if any(drive.errors or drive.gone for drive in result.drives) else 0


if __name__ == "__main__":
    sys.exit(main())
