"""The shape of a parity array as md's sysfs tells it, and the range of it whose writes wait.

Sources: facts/raid.md, "Reading state" and "Checking a live array". Every path hangs from an injectable root.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import CannotCheck, CheckRunning
from raid.layout import Level, Row, rows
from raid.window import end_window

SECTOR = 512
_LEVELS = {"raid4": Level.RAID4, "raid5": Level.RAID5, "raid6": Level.RAID6}
# md/sync_action while nothing but md's own reading goes on: the members do not change by themselves.
_QUIET = frozenset({"idle", "frozen", "check"})
_BUSY = {
    "resync": "initializing or resynchronizing",
    "recover": "rebuilding",
    "reshape": "reshaping",
    "repair": "repairing",
}


@dataclass(frozen=True, slots=True)
class Member:
    """A member that holds current data. `number` is the kernel's "major:minor"; `offset` bytes to its data area."""

    slot: int
    name: str
    number: str
    offset: int


@dataclass(frozen=True, slots=True)
class Geometry:
    """A parity array at rest. `component`: bytes of each member that the array uses; None in `members` = missing."""

    array: str
    level: Level
    layout: int
    chunk: int
    component: int
    members: tuple[Member | None, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        return rows(self.level, self.layout, len(self.members))

    @property
    def number(self) -> int:
        """The level as people write it."""
        return int(self.level)

    @property
    def length(self) -> int:
        """Bytes that a check goes through."""
        return self.component

    @property
    def stripes(self) -> int:
        return self.component // self.chunk

    @property
    def stripe_data(self) -> int:
        """Bytes of the array in one stripe."""
        return self.chunk * (len(self.members) - self.level.parities)

    def held(self, start: int, length: int) -> tuple[int, int]:
        """Bytes of the array in the stripes that a stretch of the members touches."""
        return start // self.chunk * self.stripe_data, -(-(start + length) // self.chunk) * self.stripe_data

    @property
    def missing(self) -> int | None:
        """The slot without a member; only a RAID6 is looked at with one."""
        return next((slot for slot, member in enumerate(self.members) if member is None), None)


def array_name(array: str) -> str:
    """ "md127" of "md127", "/dev/md127" or "/dev/md/vd0" (a link)."""
    return Path(array).resolve().name if "/" in array else array


def read_geometry(array: str, sysfs: Path = Path("/sys")) -> Geometry:
    """The array's shape. Raises CannotCheck, with the reason, when its parity cannot be judged now."""
    try:
        return _read_geometry(array, sysfs / "block" / array / "md")
    except (OSError, ValueError) as error:
        hint = "Look at it with `rackeye vd`: it may be stopped, or a drive was pulled at this moment."
        raise CannotCheck(f"{array} is no running md array that can be read ({error}).", hint=hint) from error


def _read_geometry(array: str, md: Path) -> Geometry:
    name = _text(md / "level")
    if name not in _LEVELS:
        raise CannotCheck(f"{array} is {name or 'not running'} and has no redundancy to check.")
    level = _LEVELS[name]
    refuse_unsettled(array, md)
    members = found_members(md, int(_text(md / "raid_disks").split()[0]))
    absent = [slot for slot, member in enumerate(members) if member is None]
    if len(absent) >= level.parities:
        slots = ", ".join(map(str, absent))
        raise CannotCheck(
            f"{array} (RAID{level}) lacks the member in slot {slots}: nothing is left to check.",
            hint="Replace the failed drive, let it rebuild, then check.",
        )
    geometry = Geometry(
        array=array,
        level=level,
        layout=int(_text(md / "layout").split()[0]),
        chunk=int(_text(md / "chunk_size").split()[0]),
        component=int(_text(md / "component_size")) * 1024,
        members=members,
    )
    if geometry.chunk < os.sysconf("SC_PAGE_SIZE") or geometry.chunk & (geometry.chunk - 1) or not geometry.stripes:
        raise CannotCheck(f"{array} has chunks of {geometry.chunk} bytes, which no parity array of md has.")
    assert geometry.rows  # an unknown layout is refused here and not in the middle of the check
    return geometry


def refuse_unsettled(array: str, md: Path) -> None:
    """Raises CannotCheck while the members are made to agree."""
    action = _text(md / "sync_action")
    if action not in _QUIET or _text(md / "reshape_position") != "none":
        what = _BUSY.get(action, "reshaping")
        raise CannotCheck(f"{array} is {what}: its redundancy is not settled.", hint="Check again when that has ended.")
    if _text(md / "resync_start") != "none":
        raise CannotCheck(
            f"{array} still has to initialize or resynchronize: its redundancy is not settled.",
            hint="It goes on when the array is writable and not frozen; check again when it has ended.",
        )


def found_members(md: Path, disks: int) -> tuple[Member | None, ...]:
    """By slot; those that hold current data and are there."""
    found: dict[int, Member] = {}
    for folder in sorted(md.glob("dev-*")):
        flags = _text(folder / "state").split(",")
        slot = _text(folder / "slot")
        if not slot.isdecimal() or "in_sync" not in flags or "faulty" in flags or "replacement" in flags:
            continue
        if not (folder / "block").exists():
            continue  # the drive is gone, whatever md says (facts/raid.md, "Traps")
        found[int(slot)] = Member(
            slot=int(slot),
            name=folder.name.removeprefix("dev-").replace("!", "/"),
            number=_text(folder / "block" / "dev"),
            offset=int(_text(folder / "offset")) * SECTOR,
        )
    return tuple(found.get(slot) for slot in range(disks))


def bad_blocks(array: str, member: Member, sysfs: Path = Path("/sys")) -> tuple[range, ...]:
    """What md knows to be bad on a member: ranges of bytes, counted from its data area."""
    folder = sysfs / "block" / array / "md" / ("dev-" + member.name.replace("/", "!"))
    found = []
    for name in ("bad_blocks", "unacknowledged_bad_blocks"):
        for line in (folder / name).read_text().splitlines():
            first, count = (int(word) * SECTOR for word in line.split())
            found.append(range(first - member.offset, first - member.offset + count))
    return tuple(found)


@contextlib.contextmanager
def checking(array: str, sysfs: Path = Path("/sys")) -> Iterator[None]:
    """Marks the array as being checked, and clears what a killed checker left suspended, at both ends.

    The mark is a lock on md/suspend_hi, which the kernel drops when the process ends, however it ends.
    Raises CheckRunning.
    """
    with _lock(array, sysfs) as held:
        if not held:
            raise CheckRunning(f"A parity check of {array} runs already.", hint="Wait for it, or stop it.")
        try:
            _clear(array, sysfs)
            yield
        finally:
            _clear(array, sysfs)


def clear_suspended(array: str, sysfs: Path = Path("/sys")) -> bool:
    """Lets waiting writes go on that a killed checker left suspended; True when there was such a range.

    Leaves alone what a running check, or a reshape, holds. For raidd: at its start, and when a check's unit has ended.
    """
    with _lock(array, sysfs) as held:
        return held and _clear(array, sysfs)


@contextlib.contextmanager
def suspended(array: str, first: int, last: int, sysfs: Path = Path("/sys")) -> Iterator[None]:
    """Writes to bytes [first, last) of the array wait inside; those under way have reached the members.

    Reads do not wait. Call it inside `checking` only.
    """
    md = sysfs / "block" / array / "md"
    try:
        # lo first: with hi still 0 nothing waits until the range is whole. md drains its writes at each of the two.
        (md / "suspend_lo").write_text(str(first // SECTOR))
        (md / "suspend_hi").write_text(str(last // SECTOR))
        yield
    finally:
        _release(md)


def _clear(array: str, sysfs: Path) -> bool:
    """First what a killed repair left running, then the range that it held."""
    md = sysfs / "block" / array / "md"
    with contextlib.suppress(FileNotFoundError):  # the array was stopped: nothing can wait any more
        bounded = end_window(md)
        left = int(_text(md / "suspend_hi")) > int(_text(md / "suspend_lo"))
        if left and _text(md / "reshape_position") == "none":
            _release(md)
            return True
        return bounded
    return False


def _release(md: Path) -> None:
    (md / "suspend_hi").write_text("0")
    (md / "suspend_lo").write_text("0")


@contextlib.contextmanager
def _lock(array: str, sysfs: Path) -> Iterator[bool]:
    try:
        fd = os.open(sysfs / "block" / array / "md" / "suspend_hi", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise CannotCheck(f"{array} is no running md array with parity ({error.strerror}).") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(fd)


def _text(path: Path) -> str:
    return path.read_text().strip()
