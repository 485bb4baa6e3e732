"""An md array in plain files: members, and the part of sysfs that a check reads."""

import os
import random
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from raid.geometry import Member
from raid.layout import Level, Row, rows
from raid.parity import NumpyEngine, aligned

OFFSET = 2048  # sectors from the member's start to its data


@dataclass
class PlainArray:
    """Consistent when made. Slot i is the file `disk{i}`; its data begin i sectors further than slot 0's."""

    root: Path
    level: Level = Level.RAID5
    layout: int = 2
    disks: int = 4
    chunk: int = 64 * 1024
    stripes: int = 20
    opened: list[str] = field(default_factory=list)
    name: str = "md127"
    first: str = "disk"

    def __post_init__(self) -> None:
        self.md = self.root / "sys/block" / self.name / "md"
        self.md.mkdir(parents=True)
        self.set(
            level=f"raid{self.level}",
            layout=self.layout,
            raid_disks=self.disks,
            chunk_size=self.chunk,
            component_size=self.chunk * self.stripes // 1024,
            sync_action="idle",
            reshape_position="none",
            resync_start="none",
            suspend_lo=0,
            suspend_hi=0,
            sync_min=0,
            sync_max="max",
            stripe_cache_size=256,
        )
        for slot in range(self.disks):
            folder = self.md / f"dev-{self.first}{slot}"
            (folder / "block").mkdir(parents=True)
            for name, value in {
                "slot": slot,
                "state": "in_sync",
                "offset": OFFSET + slot,
                "block/dev": f"8:{slot}",
            }.items():
                (folder / name).write_text(f"{value}\n")
            for name in ("bad_blocks", "unacknowledged_bad_blocks"):
                (folder / name).write_text("")
        self._fill()

    @property
    def sysfs(self) -> Path:
        return self.root / "sys"

    @property
    def held(self) -> tuple[int, int]:
        """The array sectors whose writes wait."""
        low, high = (int((self.md / name).read_text()) for name in ("suspend_lo", "suspend_hi"))
        return low, high

    def set(self, **files: object) -> None:
        """Writes files of md/."""
        for name, value in files.items():
            (self.md / name).write_text(f"{value}\n")

    def row(self, stripe: int) -> Row:
        pattern = rows(self.level, self.layout, self.disks)
        return pattern[stripe % len(pattern)]

    def disk(self, slot: int) -> Path:
        return self.root / f"{self.first}{slot}"

    def place(self, slot: int, stripe: int, at: int = 0) -> int:
        """Byte in the member's file."""
        return (OFFSET + slot) * 512 + stripe * self.chunk + at

    def damage(self, slot: int, stripe: int, at: int = 0, length: int = 1) -> None:
        """Behind md's back: other bytes on one member."""
        with self.disk(slot).open("r+b") as file:
            file.seek(self.place(slot, stripe, at))
            old = file.read(length)
            file.seek(self.place(slot, stripe, at))
            file.write(bytes(byte ^ 0xA5 for byte in old))

    def opener(self, member: Member) -> int:
        """Plain files on a tmpfs refuse O_DIRECT."""
        self.opened.append(member.name)
        return os.open(self.root / member.name, os.O_RDONLY)

    def _fill(self) -> None:
        for slot, blocks in enumerate(_members(self.level, self.layout, self.disks, self.chunk, self.stripes)):
            with self.disk(slot).open("wb") as file:
                file.seek(self.place(slot, 0))
                file.write(blocks)


@cache
def _members(level: Level, layout: int, disks: int, chunk: int, stripes: int) -> tuple[bytes, ...]:
    """What stands on each member of a consistent array."""
    by, source = NumpyEngine(), random.Random(7)
    blocks, zeros = aligned(disks, chunk), aligned(1, chunk)[0]
    members = [bytearray() for _ in range(disks)]
    pattern = rows(level, layout, disks)
    for stripe in range(stripes):
        row = pattern[stripe % len(pattern)]
        for slot in row.data:
            blocks[slot][:] = source.randbytes(chunk)
        if row.q is None:
            by.xor_gen([*(blocks[slot] for slot in row.data), blocks[row.p]])
        else:
            order = [zeros if slot is None else blocks[slot] for slot in row.syndrome]
            by.pq_gen([*order, blocks[row.p], blocks[row.q]])
        for member, block in zip(members, blocks, strict=True):
            member.extend(block)
    return tuple(map(bytes, members))
