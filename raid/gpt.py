"""The partition table of a drive group's array (GPT; UEFI specification 2.10, chapter 5): read, changed, written.

Pure but for `read` and `write`. Sizes and places in bytes. A table is ours when its GUID is the array's UUID; a
partition is a virtual drive when it is of our type, and then its GUID is the virtual drive's UUID.
"""

import os
import struct
import zlib
from dataclasses import dataclass, replace
from mmap import mmap
from uuid import UUID

OURS = "7b0f2f5c-5f5e-4a43-9d0c-1f7ac3e0a9d2"
"""Type of a partition that is a virtual drive."""
MIB = 1024**2
TAIL = MIB
"""At the end of the array, for the second copy."""
ENTRIES, ENTRY = 128, 128
ROOM = ENTRIES * ENTRY
LENGTH = 32 * 1024
"""Both copies lie within so many bytes of either end, with sectors of 512 or 4096 bytes."""
LONGEST = 36

# signature, revision, header size, crc, reserved, my lba, other lba, first usable, last usable, disk guid,
# entries' lba, entries, bytes of each, crc of the entries
_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQQ72s")
_SIGNATURE, _REVISION = b"EFI PART", 0x10000


@dataclass(frozen=True, slots=True)
class Entry:
    """A partition. number: from 1, the kernel's too. kind, guid: as text."""

    number: int
    kind: str
    guid: str
    start: int
    size: int
    name: str

    @property
    def ours(self) -> bool:
        return self.kind == OURS

    @property
    def uuid(self) -> str:
        """The GUID as md writes UUIDs."""
        digits = UUID(self.guid).hex
        return ":".join(digits[at : at + 8] for at in range(0, 32, 8))


@dataclass(frozen=True, slots=True)
class Table:
    """owner: the UUID of the array that it was made for, as md writes it."""

    owner: str
    entries: tuple[Entry, ...] = ()

    def entry(self, uuid: str) -> Entry | None:
        """The virtual drive of that UUID."""
        return next((one for one in self.entries if one.ours and one.uuid == uuid), None)

    def with_entry(self, uuid: str, name: str, start: int, size: int) -> "Table":
        """With one more virtual drive. Raises ValueError when its place or every number is taken."""
        if any(start < one.start + one.size and one.start < start + size for one in self.entries):
            raise ValueError("its place is taken")
        taken = {one.number for one in self.entries}
        number = next((number for number in range(1, ENTRIES + 1) if number not in taken), None)
        if number is None:
            raise ValueError(f"the table holds {ENTRIES} and is full")
        made = Entry(number, OURS, guid(uuid), start, size, name[:LONGEST])
        return replace(self, entries=tuple(sorted((*self.entries, made), key=lambda one: one.number)))

    def without(self, uuid: str) -> "Table":
        """Without the virtual drive of that UUID."""
        return replace(self, entries=tuple(one for one in self.entries if not (one.ours and one.uuid == uuid)))


def guid(uuid: str) -> str:
    """md's UUID as a GUID."""
    return str(UUID(uuid.replace(":", "")))


def parse(head: bytes, tail: bytes, size: int, sector: int) -> Table | None:
    """The table of a device of `size` bytes, whose first and last LENGTH bytes these are; the second copy where the
    first is damaged. None when there is none."""
    last = size // sector - 1
    first = _copy(head, 0, 1, size, sector)
    return first if first is not None else _copy(tail, size - len(tail), last, size, sector)


def _copy(data: bytes, at: int, lba: int, size: int, sector: int) -> Table | None:
    """One copy; `data` lies `at` bytes into the device."""
    begin = lba * sector - at
    if not 0 <= begin <= len(data) - sector:
        return None
    fields = _HEADER.unpack_from(data, begin)
    signature, length, crc, mine, owner, place, count, each, crc_entries = (
        fields[0], fields[2], fields[3], fields[5], fields[9], fields[10], fields[11], fields[12], fields[13],
    )
    if signature != _SIGNATURE or not _HEADER.size <= length <= sector or mine != lba:
        return None
    header = bytearray(data[begin : begin + length])
    header[16:20] = bytes(4)
    offset = place * sector - at
    if zlib.crc32(header) != crc or each != ENTRY or not 0 < count <= ENTRIES or offset < 0:
        return None
    block = data[offset : offset + count * each]
    if len(block) != count * each or zlib.crc32(block) != crc_entries:
        return None
    found = (_entry(block, number, sector) for number in range(count))
    entries = tuple(one for one in found if one is not None and one.start + one.size <= size and one.size > 0)
    digits = UUID(bytes_le=owner).hex
    return Table(":".join(digits[at : at + 8] for at in range(0, 32, 8)), entries)


def _entry(block: bytes, number: int, sector: int) -> Entry | None:
    kind, own, first, last, _, name = _ENTRY.unpack_from(block, number * ENTRY)
    if kind == bytes(16):
        return None
    text = name.decode("utf-16-le", errors="replace").partition("\0")[0]
    start, size = first * sector, (last + 1 - first) * sector
    return Entry(number + 1, str(UUID(bytes_le=kind)), str(UUID(bytes_le=own)), start, size, text)


def build(table: Table, size: int, sector: int) -> tuple[bytes, bytes]:
    """The first and the last LENGTH bytes of the device; between table and partitions all is zero there."""
    last, room = size // sector - 1, ROOM // sector
    block = bytearray(ROOM)
    for one in table.entries:
        _ENTRY.pack_into(
            block, (one.number - 1) * ENTRY, UUID(one.kind).bytes_le, UUID(one.guid).bytes_le, one.start // sector,
            (one.start + one.size) // sector - 1, 0, one.name.encode("utf-16-le"),
        )
    crc, owner = zlib.crc32(block), UUID(table.owner.replace(":", "")).bytes_le

    def header(mine: int, other: int, entries: int) -> bytes:
        def packed(own: int) -> bytes:
            return _HEADER.pack(
                _SIGNATURE, _REVISION, _HEADER.size, own, 0, mine, other, 2 + room, last - 1 - room, owner, entries,
                ENTRIES, ENTRY, crc,
            )

        return packed(zlib.crc32(packed(0)))

    head, tail = bytearray(LENGTH), bytearray(LENGTH)
    head[446:462] = struct.pack("<B3sB3sII", 0, b"\x00\x02\x00", 0xEE, b"\xff\xff\xff", 1, min(last, 0xFFFFFFFF))
    head[510:512] = b"\x55\xaa"
    head[sector : sector + _HEADER.size] = header(1, last, 2)
    head[2 * sector : 2 * sector + ROOM] = block
    tail[LENGTH - sector : LENGTH - sector + _HEADER.size] = header(last, 1, last - room)
    tail[LENGTH - sector - ROOM : LENGTH - sector] = block
    return bytes(head), bytes(tail)


def read(handle: int, size: int, sector: int) -> Table | None:
    """Of an open device, O_DIRECT or not. Raises OSError."""
    return parse(_read(handle, 0), _read(handle, size - LENGTH), size, sector)


def write(handle: int, table: Table, size: int, sector: int) -> None:
    """The second copy first, then the first, each on the drives before the other is touched. Raises OSError."""
    head, tail = build(table, size, sector)
    for data, at in ((tail, size - LENGTH), (head, 0)):
        with mmap(-1, LENGTH) as block:
            block[:] = data
            if os.pwritev(handle, [block], at) != LENGTH:
                raise OSError(5, "The table was written in part.")
        os.fsync(handle)


def _read(handle: int, at: int) -> bytes:
    with mmap(-1, LENGTH) as block:
        return block[: os.preadv(handle, [block], at)]
