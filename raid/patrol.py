"""Patrol read: every drive is read from end to end, spares too, so that a bad sector is known before it is needed.

    python -m raid.patrol --progress-file PATH [--resume] [--throttle] sda:17=SERIAL sdb=SERIAL ...    0 all well, 1 not

It reads past all caches, a drive after the other, gives way while somebody else waits for the drive, and notes where it
is. Nothing is written but by md, and only this: an unreadable place in the data of a whole array with redundancy is
covered by a windowed `check`, in which md reads the stripe, has the place from the other members, writes it and reads
it again (the drive puts it elsewhere). Whether that helped is read natively. Everything else is only named; a place of
a RAID10, too, for there the rack's kernel panicked in md's pass (docs/design/raid.md).

After a reset of its controller a drive may have another one's name: the number after the name, the kernel's diskseq,
says which one is meant.
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
from raid.patrol_result import MOST_ERRORS, SECTOR, Fate, MediaError, PatrolFile, Patrolled, ToRead, load
from raid.progress_file import Pace, say
from raid.window import Pass, run_window

log = journal.get_logger("raid.patrol")
_PIECE = 1024 * 1024
_REPORT = 2.0  # seconds between two notes of where it is
_GONE = frozenset({errno.ENXIO, errno.ENODEV, errno.ENOMEDIUM})
_WENT_AWAY, _ABSENT = "It went away.", "It was not here when it was to be read."
_ALIVE = ("", "running", "live")  # what the kernel says of a drive: not all say anything, SCSI and NVMe do
_ITS_LAST = 1.0  # seconds: a drive that goes away fails its last reads before the kernel says that it is gone
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
    full: float | None = None
    its_last: float = _ITS_LAST
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
            self.drives[at] = replace(drive, gone=self._why_gone(drive))
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
        if why is None:
            drive = replace(drive, position=drive.position + length)
        else:
            drive = self._by_pages(drive, fd, block, length)
        if drive.given_up:
            drive = replace(drive, gone=f"It has {len(drive.errors)} places that cannot be read: replace it.")
        self.drives[at], before = drive, self.drives[at]
        self._seen += length
        now = self.clock.monotonic()
        if self.pace is not None:
            self.pace.after(now - began)
        if now - self._reported >= _REPORT or drive.errors != before.errors:
            self._reported = now
            self._note(done=False)

    def _give_way(self, device: str) -> None:
        """Waits while requests of others are on their way to the drive."""
        waited = 0.0
        while waited < _MOST_WAIT and _in_flight(self.sysfs, device):
            self.stop.wait(_GIVE_WAY)
            waited += _GIVE_WAY

    def _by_pages(self, drive: Patrolled, fd: int, block: memoryview, length: int) -> Patrolled:
        """After an error: exactly which pages, each rewritten by md where that is possible.

        Each is read a second time, a moment later, so that the last reads of a drive that goes away are no bad places.
        """
        end = drive.position + length
        first = self._failing(drive, fd, block, range(drive.position, end, PAGE))
        if len(drive.errors) + len(first) >= MOST_ERRORS:
            end = min(end, max(first) + PAGE)  # what is behind was not tried
        self.stop.wait(self.its_last)
        failing = self._failing(drive, fd, block, tuple(first))
        if self.stop.is_set():
            return drive
        gone = self._why_gone(drive)
        if gone or not _GONE.isdisjoint((*first.values(), *failing.values())):
            return replace(drive, gone=gone or _WENT_AWAY)
        for offset in sorted(first.keys() - failing.keys()):
            log.warning(f"{drive.device} (serial {drive.serial}): LBA {offset // SECTOR}: read only the second time.",
                        serial=drive.serial)
        for offset, why in failing.items():
            if self.stop.is_set():
                return replace(drive, position=offset)
            found = self._judge(drive, fd, block[: min(PAGE, drive.size - offset)], offset, os.strerror(why))
            if gone := self._why_gone(drive):
                return replace(drive, gone=gone)
            log.error(f"{drive.device} (serial {drive.serial}): LBA {found.lba}: {found.fate}. {found.why}",
                      serial=drive.serial)
            drive = replace(drive, errors=(*drive.errors, found))
        return replace(drive, position=end)

    def _failing(self, drive: Patrolled, fd: int, block: memoryview, offsets: Sequence[int]) -> dict[int, int]:
        """Which of these pages cannot be read, and why; no more than the drive is given up for."""
        failing: dict[int, int] = {}
        for offset in offsets:
            if self.stop.is_set() or len(drive.errors) + len(failing) >= MOST_ERRORS:
                break
            why = self._fill(fd, block[: min(PAGE, drive.size - offset)], offset)
            if why is not None:
                failing[offset] = why
            if why in _GONE:
                break
        return failing

    def _why_gone(self, drive: Patrolled) -> str:
        """Empty while this very drive is here and works."""
        now = _diskseq(self.sysfs, drive.device)
        if now != drive.diskseq:
            return f"{drive.device} is another drive now, or was put in anew: not read on." if now else _WENT_AWAY
        state = _word(self.sysfs / "class/block" / drive.device / "device/state")
        return "" if state in _ALIVE else f"It does not answer: the kernel calls it {state}."

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
                return errno.ENODEV  # the capacity of a drive that was pulled is 0
            done += got
        return None

    def _note(self, *, done: bool, stopped: bool = False) -> PatrolFile:
        seconds = self.clock.monotonic() - self._began
        speed = self._seen / seconds if seconds > 0 else 0.0
        left = sum(drive.size - drive.position for drive in self.drives if not drive.ended)
        found = PatrolFile(
            tuple(self.drives), done, stopped, int(speed) or None, left / speed if speed else None,
            self.clock.now() if done else None, self.last, self.full,
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


def _word(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""


def _diskseq(sysfs: Path, device: str) -> int | None:
    """Which arrival of a drive this is, 0 from a kernel that does not count them; None: there is none."""
    folder = sysfs / "class/block" / device
    try:
        return int(_word(folder / "diskseq") or 0) if folder.exists() else None
    except ValueError:
        return None


def _size(sysfs: Path, device: str) -> int | None:
    try:
        return int((sysfs / "class/block" / device / "size").read_text()) * SECTOR
    except (OSError, ValueError):
        return None


def prepare(
    wanted: Sequence[ToRead], file: Path, *, resume: bool, again: bool = False, sysfs: Path = Path("/sys")
) -> Patrol:
    """The run after the one in the file. resume: it goes on where that was left; again: it reads what that could not,
    and keeps the rest."""
    before = load(file)
    left = before if before is not None and (again or (resume and not before.whole)) else None
    full = None if left is None else left.over_all if left.whole else left.full
    last = None if before is None else before.standing()
    return Patrol(begin(wanted, left, sysfs), file, last, sysfs=sysfs, full=full)


def begin(wanted: Sequence[ToRead], left: PatrolFile | None, sysfs: Path) -> list[Patrolled]:
    """The drives to read, each from where the patrol that is gone on with left the same serial and size. Those of it
    that are not wanted, because they are not here, stay in it."""
    before = {drive.serial: drive for drive in left.drives if drive.serial} if left is not None else {}
    drives = []
    for want in wanted:
        old = before.pop(want.serial, None)
        size, diskseq = _size(sysfs, want.device), want.diskseq or _diskseq(sysfs, want.device) or 0
        if size is None:
            new = Patrolled(want.device, want.serial, 0, gone=_ABSENT)
            drives.append(new if old is None else _absent(old))
        elif old is not None and old.size == size and (not old.gone or old.given_up):
            drives.append(replace(old, device=want.device, diskseq=diskseq))
        else:
            drives.append(Patrolled(want.device, want.serial, size, diskseq=diskseq))
    return drives + [_absent(drive) for drive in before.values()]


def _absent(drive: Patrolled) -> Patrolled:
    return drive if drive.ended else replace(drive, gone=_ABSENT)


def main(argv: Sequence[str] | None = None) -> int:
    """0 everything could be read, 1 not, 2 stopped."""
    parser = argparse.ArgumentParser(prog="python -m raid.patrol", description="Reads drives from end to end.")
    parser.add_argument("drives", nargs="+", type=ToRead.parse, metavar="NAME:DISKSEQ=SERIAL",
                        help="such as sda:17=WD-123; without the number it is whichever is sda at the start")
    parser.add_argument("--progress-file", type=Path, required=True)
    parser.add_argument("--resume", action="store_true", help="go on from where the one in the file ended")
    parser.add_argument("--again", action="store_true", help="read what the one in the file could not, keep the rest")
    parser.add_argument("--throttle", action="store_true", help="leave the drives to others, as the settings say")
    options = parser.parse_args(argv)
    journal.set_up()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    patrol = prepare(options.drives, options.progress_file, resume=options.resume, again=options.again)
    patrol.stop, patrol.pace = stop, Pace(stop, "patrol") if options.throttle else None
    result = patrol.run()
    for drive in result.drives:
        say(f"{drive.device} {drive.serial}: {drive.gone or f'{drive.position} of {drive.size} bytes read'}")
        for error in drive.errors:
            say(f"  LBA {error.lba}, {error.sectors} sectors: {error.fate}; {error.why}")
    if result.stopped:
        return 2
    return 1 if any(drive.errors or drive.gone for drive in result.drives) else 0


if __name__ == "__main__":
    sys.exit(main())
