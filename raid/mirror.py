"""Where the copies lie on RAID1 and RAID10, as md has them: near, far and offset. Pure but for reading sysfs.

Source: drivers/md/raid10.c of Linux 6.1, `setup_geo`, `calc_sectors` and `__raid10_find_phys`. The layout's number:
near copies in bits 0 to 7, far copies in 8 to 15, bit 16 "offset", bits 17 and 18 how far copies are shifted.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from core.errors import CannotCheck
from raid.geometry import Member, found_members, refuse_unsettled

UNIT = 64 * 1024
"""RAID1 has no chunks: its places are told in units of so many bytes."""
LEVELS = {"raid1": 1, "raid10": 10}


@dataclass(frozen=True)
class Mirror:
    """A mirror at rest. chunk: of RAID1 the unit. component: bytes of each member that the array uses.

    A check goes through `length` bytes: the first copies. A stripe is one row of chunks in it, over all members.
    """

    array: str
    number: int
    near: int
    far: int
    offset: bool
    far_set: int
    chunk: int
    component: int
    members: tuple[Member | None, ...]

    @property
    def disks(self) -> int:
        """Slots."""
        return len(self.members)

    @property
    def copies(self) -> int:
        """Of each chunk."""
        return self.near * self.far

    @property
    def missing(self) -> int | None:
        """The first slot without a member."""
        return next((slot for slot, member in enumerate(self.members) if member is None), None)

    @cached_property
    def chunks(self) -> int:
        """Of the array (`calc_sectors`); of RAID1 the last one may be short."""
        if self.number == 1:
            return -(-self.component // self.chunk)
        return self.component // self.chunk // self.far * self.disks // self.near

    @cached_property
    def stride(self) -> int:
        """Bytes on a member from a copy to its next far copy; of no meaning with one far copy."""
        if self.offset:
            return self.chunk
        return -(-self.chunks * self.copies // self.disks) // self.far * self.chunk

    @cached_property
    def stripes(self) -> int:
        """Rows of first copies."""
        return -(-self.chunks * self.near // self.disks)

    @property
    def length(self) -> int:
        """Bytes of each member that hold first copies."""
        return self.component if self.number == 1 else self.stripes * self.chunk

    def held(self, start: int, length: int) -> tuple[int, int]:
        """Bytes of the array that a stretch of the first copies can hold."""
        if self.number == 1:
            return start, start + length
        first, last = start // self.chunk, -(-(start + length) // self.chunk)
        return first * self.disks // self.near * self.chunk, -(-last * self.disks // self.near) * self.chunk

    @property
    def period(self) -> int:
        """Rows after which a chunk begins on the first member again: no chunk's near copies lie across its end."""
        return self.near // math.gcd(self.near, self.disks)

    @property
    def whole_rows(self) -> bool:
        """Pieces must be whole rows: the copies of a place do not lie side by side."""
        return self.period > 1 or self.offset

    def shifted(self, slot: int) -> int:
        """The slot of the next far copy of what lies on this one."""
        size = self.far_set
        last_set = (self.disks // size - 1) * size
        left_over = self.disks % size
        moved = slot + self.near
        if left_over and moved > last_set:
            return (moved - last_set) % (size + left_over) + last_set
        return moved % size + size * (slot // size)

    def places(self, chunk: int) -> tuple[tuple[int, int], ...]:
        """Slot and byte in the member's data of each copy of a chunk: near ones in turn, each with its far ones."""
        found = []
        for index in range(chunk * self.near, (chunk + 1) * self.near):
            row, place = divmod(index, self.disks)
            at = row * self.far * self.chunk if self.offset else row * self.chunk
            for step in range(self.far):
                found.append((place, at + step * self.stride))
                place = self.shifted(place)
        return tuple(found)

    def chunks_from(self, row: int) -> range:
        """The chunks of the array whose first copy begins in a row."""
        first, last = (-(-one * self.disks // self.near) for one in (row, row + 1))
        return range(first, min(last, self.chunks))

    def row_of(self, at: int) -> int:
        """The row of the first copies to which a byte of a member's data belongs."""
        if self.offset:
            return at // self.chunk // self.far
        return (at % self.stride if self.far > 1 else at) // self.chunk


def read_mirror(array: str, sysfs: Path = Path("/sys")) -> Mirror:
    """Its shape. Raises CannotCheck, with the reason, when its copies cannot be compared now."""
    try:
        return _read(array, sysfs / "block" / array / "md")
    except (OSError, ValueError) as error:
        hint = "Look at it with `rackeye vd`: it may be stopped, or a drive was pulled at this moment."
        raise CannotCheck(f"{array} is no running md array that can be read ({error}).", hint=hint) from error


def _read(array: str, md: Path) -> Mirror:
    name = _text(md / "level")
    refuse_unsettled(array, md)
    members = found_members(md, int(_text(md / "raid_disks").split()[0]))
    component = int(_text(md / "component_size")) * 1024
    if name == "raid1":
        shape = Mirror(array, 1, len(members), 1, offset=False, far_set=len(members), chunk=UNIT,
                       component=component, members=members)
    else:
        near, far, offset, far_set = parse(int(_text(md / "layout").split()[0]), len(members))
        chunk = int(_text(md / "chunk_size").split()[0])
        shape = Mirror(array, 10, near, far, offset, far_set, chunk, component, members)
    absent = [slot for slot, member in enumerate(members) if member is None]
    if shape.copies - len(absent) < 2:
        slots = ", ".join(map(str, absent)) or "none"
        raise CannotCheck(
            f"{array} ({name}, {shape.copies} copies) lacks the member in slot {slots}: nothing is left to compare.",
            hint="Replace the failed drive, let it rebuild, then check.",
        )
    return shape


def parse(layout: int, disks: int) -> tuple[int, int, bool, int]:
    """Near copies, far copies, whether they are "offset", and the members of a set of far copies. Raises CannotCheck.

    The middle one of the three ways to shift was wrong in the kernel, and no array should have it (raid10.c).
    """
    near, far, offset, sets = layout & 0xFF, layout >> 8 & 0xFF, bool(layout & 0x10000), layout >> 17
    size = {0: disks, 1: disks // max(1, far), 2: far * near}.get(sets, 0)
    if not (near >= 1 and far >= 1 and near * far <= disks and 1 <= size <= disks):
        raise CannotCheck(f"The layout {layout:#x} over {disks} members is not known.")
    if offset and disks % near:
        raise CannotCheck(f"The layout {layout:#x} over {disks} members has no whole rows.")
    return near, far, offset and far > 1, size


def _text(path: Path) -> str:
    return path.read_text().strip()
