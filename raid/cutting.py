"""Cuts virtual drives out of a drive group's array, as a program of a job: `python -m raid.cutting add|remove`.

    add NODE GROUP UUID NAME START SIZE [--first]     writes the entry; --first: a table may be made
    remove NODE GROUP UUID                            waits until it is closed, then takes the entry out

Both hold the array's lock, read the table anew, and may be cut off at any point and be run again. `tell` makes the
kernel's partitions those of the table; it writes nothing.
"""

import errno
import fcntl
import os
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ctypes import addressof, create_string_buffer
from dataclasses import dataclass
from pathlib import Path

from core.errors import CannotCut, RaidBusy
from core.job_step import exit_code, misused
from core.run import run
from raid import gpt
from raid.gpt import Table
from raid.teardown import PATIENCE, PAUSE, refuse_another

_BLKPG, _ADD, _DEL = 0x1269, 1, 2  # linux/blkpg.h
_BLKSSZGET = 0x1268
_ARG = struct.Struct("iiiP")
_PARTITION = struct.Struct("qqi64s64s4x")


@dataclass(frozen=True, slots=True)
class Place:
    """A partition as the kernel has it. device: kernel name, "md127p1". Bytes."""

    number: int
    device: str
    devnum: str
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Part:
    """What is to be cut out: a virtual drive and its place, in bytes."""

    uuid: str
    name: str
    start: int
    size: int


def places(array: str, root: Path = Path("/sys")) -> tuple[Place, ...]:
    """The kernel's partitions of an array, by number. One that vanishes meanwhile is left out."""
    top = f"{root}/block/{array}"
    found = []
    try:
        names = [name for name in os.listdir(top) if name.startswith(f"{array}p")]  # noqa: PTH208 -- names only
    except OSError:
        return ()
    for name in names:
        try:
            number, devnum, start, size = (
                Path(f"{top}/{name}/{file}").read_text().strip() for file in ("partition", "dev", "start", "size")
            )
        except OSError:
            continue
        found.append(Place(int(number), name, devnum, int(start) * 512, int(size) * 512))
    return tuple(sorted(found, key=lambda place: place.number))


class Tables:
    """How drive groups are divided, by kernel name and diskseq of their arrays, as last read.

    One that cannot be read any more is known still: of an array that has failed, too, volumes must be unmounted.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], Table | None] = {}
        self._fresh: set[tuple[str, int]] = set()

    def read_anew(self) -> None:
        """What is known may no longer hold."""
        self._fresh.clear()

    def keep(self, standing: set[tuple[str, int]]) -> None:
        """Forgets all other arrays."""
        self._known = {key: table for key, table in self._known.items() if key in standing}
        self._fresh &= standing

    def of(self, key: tuple[str, int], device: Path, *, started: bool) -> Table | None:
        """None: it is not divided. Raises KeyError when that is not known."""
        if started and key not in self._fresh:
            with suppress(OSError):
                self._known[key] = read(device)
                self._fresh.add(key)
        return self._known[key]


def read(device: Path) -> Table | None:
    """Past all caches. Raises OSError."""
    handle = os.open(device, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC)
    try:
        return gpt.read(handle, os.lseek(handle, 0, os.SEEK_END), _sector(handle))
    finally:
        os.close(handle)


def _sector(handle: int) -> int:
    """Bytes of a logical block; of a plain file 512."""
    try:
        return int(struct.unpack("i", fcntl.ioctl(handle, _BLKSSZGET, bytes(4)))[0])
    except OSError:
        return 512


@contextmanager
def _locked(node: Path, group: str, mode: int = os.O_RDWR) -> Iterator[tuple[int, int, int]]:
    """The array, open and locked (systemd's rule for block devices): handle, size, sector."""
    handle = os.open(node, mode | os.O_DIRECT | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        refuse_another(node, group)
        yield handle, os.lseek(handle, 0, os.SEEK_END), _sector(handle)
    finally:
        os.close(handle)


def add(node: Path, group: str, part: Part, *, first: bool) -> None:
    """Raises CannotCut, DriveChanged, OSError."""
    uuid, name, start, size = part.uuid, part.name, part.start, part.size
    with _locked(node, group) as (handle, length, sector):
        table = gpt.read(handle, length, sector)
        if table is None or table.owner != group:
            if not first:
                raise CannotCut(f"The table of {node} is gone.", hint="Nothing is written. docs/design/groups.md")
            table = Table(group)
        if table.entry(uuid) is None:
            if start < gpt.MIB or start + size > length - gpt.TAIL or start % sector or size % sector or size <= 0:
                raise CannotCut(f"{name} does not fit into {node}.", hint="Give it up, and ask for less.")
            try:
                table = table.with_entry(uuid, name, start, size)
            except ValueError as error:
                raise CannotCut(f"{name} is not made in {node}: {error}.", hint="rackeye group") from error
            gpt.write(handle, table, length, sector)
    # A close after writing makes udev read the partitions anew, and a kernel without a parser then has none.
    run(["udevadm", "settle", "--timeout=20"], ok=(0, 1), timeout=30)
    tell_of(node, group)


def remove(node: Path, group: str, uuid: str, *, patience: float = PATIENCE) -> None:
    """Raises RaidBusy when it stays in use, DriveChanged, OSError."""
    with _locked(node, group) as (handle, length, sector):
        table = gpt.read(handle, length, sector)
        if table is None or table.owner != group or (entry := table.entry(uuid)) is None:
            return
        array = node.resolve().name
        until = time.monotonic() + patience
        while (place := next((one for one in places(array) if one.start == entry.start), None)) is not None:
            try:
                _forget(handle, place)
            except OSError as error:
                if error.errno != errno.EBUSY or time.monotonic() > until:
                    raise RaidBusy(f"/dev/{place.device} is still in use.", hint="fuser -vm tells by whom.") from error
                time.sleep(PAUSE)
        gpt.write(handle, table.without(uuid), length, sector)


def tell(handle: int, array: str, table: Table) -> None:
    """The kernel's partitions become those of the table; one that is in use and not in the table stays. Raises OSError.
    """
    wanted = {(one.number, one.start, one.size) for one in table.entries}
    here = places(array)
    for place in here:
        if (place.number, place.start, place.size) not in wanted:
            _forget(handle, place)
    known = {(place.number, place.start, place.size) for place in here}
    for number, start, size in sorted(wanted - known):
        _blkpg(handle, _ADD, number, start, size)


def tell_of(device: Path, group: str) -> None:
    """As `tell`, by name; the array is not opened to write, so that udev sees no change. Raises OSError."""
    with _locked(device, group, os.O_RDONLY) as (handle, length, sector):
        table = gpt.read(handle, length, sector)
        if table is not None and table.owner == group:
            tell(handle, device.resolve().name, table)


def _forget(handle: int, place: Place) -> None:
    _blkpg(handle, _DEL, place.number, 0, 0)


def _blkpg(handle: int, does: int, number: int, start: int, size: int) -> None:
    partition = create_string_buffer(_PARTITION.pack(start, size, number, b"", b""), _PARTITION.size)
    fcntl.ioctl(handle, _BLKPG, _ARG.pack(does, 0, _PARTITION.size, addressof(partition)))


def add_argv(node: str, group: str, part: Part, *, first: bool) -> tuple[str, ...]:
    """The step of a job."""
    more = ("--first",) if first else ()
    place = (part.uuid, part.name, str(part.start), str(part.size))
    return (sys.executable, "-m", "raid.cutting", "add", node, group, *place, *more)


def remove_argv(node: str, group: str, uuid: str) -> tuple[str, ...]:
    """The step of a job."""
    return (sys.executable, "-m", "raid.cutting", "remove", node, group, uuid)


def main(argv: list[str]) -> int:
    """The step of a job."""
    match argv[1:]:
        case ["add", node, group, uuid, name, start, size, *more] if more in ([], ["--first"]):
            part = Part(uuid, name, int(start), int(size))
            return exit_code(lambda: add(Path(node), group, part, first=bool(more)))
        case ["remove", node, group, uuid]:
            return exit_code(lambda: remove(Path(node), group, uuid))
        case _:
            return misused(__doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
