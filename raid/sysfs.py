# ruff: noqa: PTH110 -- os.path on plain strings: pathlib made a look ten times slower
"""The one door to md's and the block layer's sysfs; the root is injectable.

Names and meanings: the kernel's Documentation/admin-guide/md.rst. A file that vanishes while it is read (a drive was
pulled) raises Vanished; `arrays` looks again.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from core.errors import RaidBusy, SysfsRefused

T = TypeVar("T")
SECTOR = 512
LOOKS = 20
PAUSE = 0.001
"""Seconds between them: on one CPU the kernel's worker, which takes an array's folder away, must get its turn."""

# Attributes that poll() wakes for (sysfs_notify in drivers/md/md.c).
POLLED = ("array_state", "degraded", "sync_action", "sync_completed")


class Vanished(OSError):
    """What was being read has just gone from sysfs."""


@dataclass(frozen=True, slots=True)
class Member:
    """One `md/dev-X`: slot None is a spare (or one that was failed and put out of its slot)."""

    device: str
    slot: int | None
    states: frozenset[str]
    present: bool
    """False: md still has it, but its drive is gone."""
    data_offset: int
    """Bytes."""
    bad: tuple[range, ...] = ()
    """What md has in its list of bad blocks: bytes, counted from the member's data area."""
    errors: int = 0
    """Reads that it could not do and that md made good, since it became a member; md keeps the count in its superblock.
    """

    @property
    def in_sync(self) -> bool:
        """A working member whose drive is there, whatever md thinks of one that is gone."""
        return self.present and "in_sync" in self.states and "faulty" not in self.states

    @property
    def faulty(self) -> bool:
        return "faulty" in self.states

    @property
    def replacement(self) -> bool:
        """A copyback goes onto it: it has the slot of a member that still works."""
        return "replacement" in self.states


@dataclass(frozen=True, slots=True)
class Array:
    """One md array as the kernel shows it. Sizes in bytes, speeds in bytes per second of each member."""

    device: str
    devnum: str
    diskseq: int
    level: int | None
    layout: int
    chunk: int
    raid_disks: int
    component_size: int
    size: int
    state: str
    """md's array_state: clear, inactive, readonly, read-auto, clean, active, write-pending, active-idle, broken."""
    degraded: int
    parity_complete: bool
    """No initialization or resync is due (md's resync_start is "none")."""
    sync_action: str
    sync_done: int
    """Bytes of each member that are done, of `sync_total`; both 0 when nothing runs."""
    sync_total: int
    sync_speed: int | None
    sync_speed_min: int | None
    """KiB/s."""
    bitmap: bool
    members: tuple[Member, ...]
    ppl: bool = False
    """md keeps a partial parity log."""
    reshaping: bool = False
    """Its drives hold two shapes, the new one up to a place and the old one behind it (reshape_position)."""

    @property
    def each(self) -> int:
        """Bytes of data and parity on each member. Of a RAID0 md tells no component size."""
        return self.component_size or self.size // max(1, self.raid_disks)

    @property
    def started(self) -> bool:
        """It can be read: md has started it and it has not broken."""
        return self.state not in ("clear", "inactive", "broken", "")

    def member_in(self, slot: int) -> Member | None:
        """The working or rebuilding member of a slot whose drive is there; during a copyback, the one it goes from."""
        here = (m for m in self.members if m.slot == slot and m.present and not m.faulty)
        return min(here, key=lambda m: (not m.in_sync, m.replacement), default=None)


@dataclass(frozen=True, slots=True)
class Block:
    """A whole disk as the block layer shows it. `diskseq` is never given twice while the kernel runs."""

    name: str
    devnum: str
    diskseq: int
    size: int
    partitions: tuple[str, ...]
    holders: tuple[str, ...]
    """Kernel names of what is built on it or its partitions (md, dm)."""
    rotational: bool = False


class Sysfs:
    """Reads and writes below `root` (normally /sys)."""

    def __init__(self, root: Path = Path("/sys")) -> None:
        self.root = root
        self._block = str(root / "block")
        self._dev = str(root / "dev" / "block")
        self._class = str(root / "class" / "block")

    # -- reading (plain strings and one read a file: a look at eight drives has to be done in a few milliseconds)

    def arrays(self) -> tuple[Array, ...]:
        """All md arrays."""
        return _steady(lambda: tuple(filter(None, (self._array(name) for name in self._md_names()))))

    def disk_names(self) -> tuple[str, ...]:
        """Kernel names of all whole disks that are hardware: not md, dm, loop, ram, nor CD drives."""
        return tuple(name for name in _names(self._block) if self._is_disk(name))

    def disk(self, name: str) -> Block:
        """One disk. Raises Vanished."""
        top = f"{self._block}/{name}"
        partitions = tuple(child for child in _names(top) if os.path.exists(f"{top}/{child}/partition"))
        holders = _names(f"{top}/holders") + tuple(h for p in partitions for h in _names(f"{top}/{p}/holders"))
        return Block(
            name=name,
            devnum=_must(f"{top}/dev"),
            diskseq=_int(_read(f"{top}/diskseq", "0")),
            size=_int(_must(f"{top}/size")) * SECTOR,
            partitions=partitions,
            holders=holders,
            rotational=_read(f"{top}/queue/rotational", "0") == "1",
        )

    def has(self, name: str) -> bool:
        """Whether there is a block device of this name, whole or a partition."""
        return os.path.exists(f"{self._class}/{name}")

    def diskseq(self, name: str) -> int | None:
        """The number of this drive's arrival: another drive under the same name has another. None when it is gone."""
        try:
            return self.disk(name).diskseq
        except Vanished:
            return None

    def md_attributes(self) -> tuple[str, ...]:
        """The files whose change poll() tells (POLLPRI)."""
        return tuple(f"{self._block}/{name}/md/{attribute}" for name in self._md_names() for attribute in POLLED)

    def slaves(self, name: str) -> tuple[str, ...]:
        """What a stacked device (md, dm) lies on, by kernel name."""
        return _names(f"{self._block}/{name}/slaves")

    def holders(self, name: str) -> tuple[str, ...]:
        """What is built on a device or partition (md, dm), by kernel name."""
        return _names(f"{self._class}/{name}/holders")

    def whole(self, devnum: str) -> str | None:
        """Kernel name of the whole disk (or md, dm) that a device number `major:minor` is or is a partition of."""
        return _disk_at(f"{self._dev}/{devnum}")

    def disk_of(self, name: str) -> str:
        """The disk of a partition; the name itself when it is none."""
        return _disk_at(f"{self._class}/{name}") or name

    def _md_names(self) -> list[str]:
        return [name for name in _names(self._block) if name.startswith("md") and self._is_md(name)]

    def _is_md(self, name: str) -> bool:
        return os.path.exists(f"{self._block}/{name}/md/array_state")

    def _is_disk(self, name: str) -> bool:
        if name.startswith(("md", "dm-", "sr", "fd", "loop", "ram", "zram")):
            return False
        return os.path.exists(f"{self._block}/{name}/device")

    def _array(self, name: str) -> Array | None:
        """None for one that has been stopped: its empty shell stays until the last close."""
        top = f"{self._block}/{name}"
        md = f"{top}/md"
        raid_disks = _must(f"{md}/raid_disks").split()  # empty, too, while members wait that nobody has started
        members = self._members(md)
        if _must(f"{md}/array_state") == "clear" or not (raid_disks or members):
            return None
        done, total = _pair(_read(f"{md}/sync_completed", "none"))
        array = Array(
            device=name,
            devnum=_must(f"{top}/dev"),
            diskseq=_int(_read(f"{top}/diskseq", "0")),
            level=_level(_must(f"{md}/level")),
            layout=_int(_read(f"{md}/layout", "0")),
            chunk=_int(_read(f"{md}/chunk_size", "0")),
            raid_disks=_int(raid_disks[0]) if raid_disks else 0,
            component_size=_int(_read(f"{md}/component_size", "0")) * 1024,
            size=_int(_must(f"{top}/size")) * SECTOR,
            state=_must(f"{md}/array_state"),
            degraded=_int(_read(f"{md}/degraded", "0")),
            parity_complete=_read(f"{md}/resync_start", "none") == "none",
            sync_action=_read(f"{md}/sync_action", "idle"),
            sync_done=done * SECTOR,
            sync_total=total * SECTOR,
            sync_speed=_speed(_read(f"{md}/sync_speed", "none")),
            sync_speed_min=_int(_read(f"{md}/sync_speed_min", "").split(" ")[0]) or None,
            bitmap=_read(f"{md}/bitmap/location", "none") not in ("none", ""),
            ppl=_read(f"{md}/consistency_policy", "") == "ppl",
            members=members,
            reshaping=_read(f"{md}/reshape_position", "none") != "none",
        )
        _must(f"{md}/array_state")  # it stood to the end: no default above hides an array that was going
        return array

    def _members(self, md: str) -> tuple[Member, ...]:
        """At the end of a copyback md swaps two members at once: read between the two, it would look like a failure."""
        entries = [f"{md}/{entry}" for entry in _names(md) if entry.startswith("dev-")]
        members = tuple(map(self._member, entries))
        if any(member.replacement for member in members) and members != tuple(map(self._member, entries)):
            raise Vanished(md)
        return members

    def _member(self, entry: str) -> Member:
        slot = _must(f"{entry}/slot")
        offset = _int(_must(f"{entry}/offset")) * SECTOR
        return Member(
            device=entry.rpartition("/dev-")[2],
            slot=int(slot) if slot.isdigit() else None,
            states=_states(_must(f"{entry}/state"), entry),
            # not `block` alone: at the kernel's event of a removal that still leads somewhere, without its attributes
            present=os.path.exists(f"{entry}/block/dev"),
            data_offset=offset,
            bad=_bad_blocks(_read(f"{entry}/bad_blocks", ""), offset),
            errors=_int(_read(f"{entry}/errors", "0")),
        )

    # -- writing

    def fail_member(self, array: str, device: str) -> None:
        """Tells md that a member is gone; at once, also on an idle array. Raises SysfsRefused."""
        self._write(f"{self._block}/{array}/md/dev-{device}/state", "faulty")

    def remove_member(self, array: str, device: str) -> None:
        """Takes a failed member off its array. Raises RaidBusy while md still has requests on it."""
        self._write(f"{self._block}/{array}/md/dev-{device}/state", "remove")

    def set_active(self, array: str) -> None:
        """Ends auto-read-only, so that a waiting resync or rebuild begins."""
        self._write(f"{self._block}/{array}/md/array_state", "active")

    def set_speed_min(self, array: str, kib_per_second: int) -> None:
        """md's lower limit of the speed of resync and rebuild, of each member."""
        self._write(f"{self._block}/{array}/md/sync_speed_min", str(kib_per_second))

    def _write(self, file: str, text: str) -> None:
        try:
            Path(file).write_text(text)
        except FileNotFoundError:
            return  # gone already: that is what was wanted of fail and remove, and nothing to speed up or activate
        except OSError as error:
            if error.errno == 16:  # EBUSY
                raise RaidBusy(f"md is not ready to take {text!r} in {file}.", hint="It is tried again.") from error
            why = f"{file} does not take {text!r}: {error.strerror}."
            raise SysfsRefused(why, hint="journalctl -k has the kernel's words.") from error


def _steady(look: Callable[[], T]) -> T:
    """Looks again when something vanished under the look."""
    for _ in range(LOOKS):
        try:
            return look()
        except (Vanished, FileNotFoundError):
            time.sleep(PAUSE)
    return look()


def _slurp(file: str) -> str:
    handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(handle, 4096).decode().strip()
    finally:
        os.close(handle)


def _must(file: str) -> str:
    try:
        return _slurp(file)
    except OSError as error:  # ENOENT before the open, ENODEV or EIO after it
        raise Vanished(file) from error


def _read(file: str, default: str) -> str:
    try:
        return _slurp(file)
    except OSError:
        return default


def _int(text: str) -> int:
    return int(text) if text.lstrip("-").isdigit() else 0


def _level(text: str) -> int | None:
    return int(text[4:]) if text.startswith("raid") and text[4:].isdigit() else None


def _states(text: str, entry: str) -> frozenset[str]:
    """As md tells them, but for "faulty" of a member with bad blocks that it has not written down yet: md says so for
    the sake of metadata handlers outside of the kernel (state_show in drivers/md/md.c); the member has not failed."""
    states = frozenset(filter(None, text.split(",")))
    if {"faulty", "blocked"} <= states and _read(f"{entry}/unacknowledged_bad_blocks", ""):
        return states - {"faulty"}
    return states


def _bad_blocks(text: str, data_offset: int) -> tuple[range, ...]:
    """Lines of "sector count", from the begin of the drive; the kernel cuts a long list off after a page of text."""
    pairs = (line.split() for line in text.splitlines())
    found = ((_int(pair[0]) * SECTOR - data_offset, _int(pair[1]) * SECTOR) for pair in pairs if len(pair) == 2)
    return tuple(range(first, first + length) for first, length in found)


def _pair(text: str) -> tuple[int, int]:
    done, slash, total = text.partition(" / ")
    return (_int(done), _int(total)) if slash else (0, 0)


def _speed(text: str) -> int | None:
    return int(text) * 1024 if text.isdigit() else None


def _names(folder: str) -> tuple[str, ...]:
    try:
        return tuple(sorted(os.listdir(folder)))  # noqa: PTH208 -- names only
    except OSError:
        return ()


def _disk_at(link: str) -> str | None:
    """The disk that a link in /sys leads to, or to a partition of."""
    if not os.path.exists(link):
        return None
    target = os.path.realpath(link)
    parent, _, name = target.rpartition("/")
    return parent.rpartition("/")[2] if os.path.exists(f"{target}/partition") else name
