"""The md superblock, version 1.2, as it lies 4 KiB into each member.

Read by ourselves, because `mdadm --examine --export` lacks the role (facts/raid.md). Layout: the kernel's
include/uapi/linux/raid/md_p.h, struct mdp_superblock_1; all fields little-endian.
"""

import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path

OFFSET = 4096
LENGTH = 4096
MAGIC = 0xA92B4EFC
SECTOR = 512
NEVER = 2**64 - 1

# magic, major, feature_map, pad, set_uuid, set_name, ctime, level, layout, size, chunksize, raid_disks, bitmap_offset
_ARRAY = struct.Struct("<4I16s32sQiIQIIi")
# data_offset, data_size, super_offset, recovery_offset, dev_number, corrected reads, device_uuid
_DEVICE = struct.Struct("<QQQQII16s")
# utime, events, resync_offset, checksum, max_dev
_STATE = struct.Struct("<QQQII")
_DEVICE_AT, _STATE_AT, _CHECKSUM_AT, _ROLES_AT = 128, 192, 216, 256

_HAS_BITMAP = 1
_IS_RECOVERING = 2
_IS_RESHAPING = 4
_IS_REPLACEMENT = 16
_HAS_PPL = 1024 | 2048

ROLE_SPARE = 0xFFFF
ROLE_FAULTY = 0xFFFE
ROLE_LAST = 0xFF00  # roles from here on are no slots (MD_DISK_ROLE_MAX)


@dataclass(frozen=True, slots=True)
class Superblock:
    """What a member says about its array and itself, as of its last update.

    Sizes and offsets in bytes; utime in UTC seconds; `role` is the slot, or None for a spare.
    `roles`: the role of each device number as this member last saw it.
    """

    array_uuid: str
    name: str
    level: int
    layout: int
    chunk: int
    raid_disks: int
    component_size: int
    data_offset: int
    device_uuid: str
    device_number: int
    role: int | None
    events: int
    utime: int
    clean: bool
    """All parity was right: no initialization or resync was due."""
    recovering: bool
    """Its own contents were not complete yet: it was being rebuilt."""
    reshaping: bool
    bitmap: bool
    roles: tuple[int, ...]
    replacement: bool = False
    """A copyback went onto it: it shares its role with the member that it went from."""

    ppl: bool = False
    """It keeps a partial parity log (Documentation/driver-api/md/raid5-ppl.rst)."""

    @property
    def homehost(self) -> str:
        """The part of the name before the colon, empty when there is none."""
        return self.name.partition(":")[0] if ":" in self.name else ""

    @property
    def label(self) -> str:
        """The array's name without its home host."""
        return self.name.partition(":")[2] if ":" in self.name else self.name

    def active_slots(self) -> frozenset[int]:
        """Slots that had a working member when this superblock was written."""
        return frozenset(role for role in self.roles if role < self.raid_disks)

    def active_numbers(self) -> frozenset[int]:
        """Device numbers of those members; a slot whose data is copied back has two."""
        return frozenset(number for number, role in enumerate(self.roles) if role < self.raid_disks)


def format_uuid(raw: bytes) -> str:
    """As mdadm writes it: four groups of eight hexadecimal digits."""
    digits = raw.hex()
    return ":".join(digits[at : at + 8] for at in range(0, 32, 8))


def parse(data: bytes) -> Superblock | None:
    """The superblock in the 4 KiB block `data`; None when there is none or its checksum is wrong."""
    if len(data) < LENGTH:
        return None
    magic, major, features, _, set_uuid, set_name, _, level, layout, size, chunk, disks, _ = _ARRAY.unpack_from(data)
    if magic != MAGIC or major != 1:
        return None
    data_offset, _, _, _, number, _, device_uuid = _DEVICE.unpack_from(data, _DEVICE_AT)
    utime, events, resync_offset, checksum, max_dev = _STATE.unpack_from(data, _STATE_AT)
    if _ROLES_AT + 2 * max_dev > LENGTH or checksum != _checksum(data[: _ROLES_AT + 2 * max_dev]):
        return None
    roles = struct.unpack_from(f"<{max_dev}H", data, _ROLES_AT)
    own = roles[number] if number < max_dev else ROLE_SPARE
    return Superblock(
        array_uuid=format_uuid(set_uuid),
        name=set_name.rstrip(b"\0").decode(errors="replace"),
        level=level,
        layout=layout,
        chunk=chunk * SECTOR,
        raid_disks=disks,
        component_size=size * SECTOR,
        data_offset=data_offset * SECTOR,
        device_uuid=format_uuid(device_uuid),
        device_number=number,
        role=own if own < ROLE_LAST else None,
        events=events,
        utime=utime & (2**40 - 1),
        clean=resync_offset == NEVER,
        recovering=bool(features & _IS_RECOVERING),
        reshaping=bool(features & _IS_RESHAPING),
        bitmap=bool(features & _HAS_BITMAP),
        roles=roles,
        replacement=bool(features & _IS_REPLACEMENT),
        ppl=bool(features & _HAS_PPL),
    )


def _checksum(data: bytes) -> int:
    """md's calc_sb_1_csum: the sum of all 32-bit words, the checksum's own taken as 0, carry folded in once."""
    words: tuple[int, ...] = struct.unpack_from(f"<{len(data) // 4}I", data)
    total = sum(words) - words[_CHECKSUM_AT // 4]
    if len(data) % 4:
        total += int.from_bytes(data[-2:], "little")
    return ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF


def read_block(device: Path, offset: int, length: int) -> bytes:
    """Reads past the page cache: a buffered read of a member gives old data after md has written (facts/raid.md).

    offset, length: bytes, multiples of 4096. Raises OSError.
    """
    handle = os.open(device, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC)
    try:
        with mmap.mmap(-1, length) as buffer:
            got = os.preadv(handle, [buffer], offset)
            return buffer[:got]
    finally:
        os.close(handle)


def read(device: Path) -> Superblock | None:
    """The superblock of a whole drive. Raises OSError when it cannot be read."""
    return parse(read_block(device, OFFSET, LENGTH))
