"""Drive files of a rack: sparse, with a serial; a drive that was pulled keeps its file and can come back."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from core.errors import RackRefused
from core.run import run

MIB = 1 << 20
SYSTEM_MIB = 2048


class DriveKind(StrEnum):
    """What `insert` puts into a bay."""

    SAME = "same"  # the drive that was pulled from this bay last
    BLANK = "blank"  # new, all zero, of the rack's size
    SMALL = "small"  # new, all zero, three quarters of it
    FOREIGN = "foreign"  # GPT with an ext4 partition with somebody's file in it


@dataclass(frozen=True, slots=True)
class Drive:
    """One drive. path: its file, as the supervisor sees it."""

    serial: str
    model: str
    size: int
    path: Path


@dataclass
class DriveStore:
    """All drives of a rack, and which bay holds which. Raises RackRefused."""

    folder: Path
    size: int
    drives: dict[str, Drive] = field(default_factory=dict)
    bays: dict[int, str] = field(default_factory=dict)
    last: dict[int, str] = field(default_factory=dict)

    def fresh(self, kind: DriveKind) -> Drive:
        """Makes a new drive."""
        size = self.size * 3 // 4 if kind is DriveKind.SMALL else self.size
        serial = f"RK{len(self.drives) + 1:06d}"
        path = self.folder / f"{serial}.img"
        path.parent.mkdir(exist_ok=True)
        with path.open("xb") as file:
            file.truncate(size)
        if kind is DriveKind.FOREIGN:
            make_foreign(path, size)
        self.drives[serial] = Drive(serial, f"RACK-{size // MIB}M", size, path)
        return self.drives[serial]

    def choose(self, bay: int, kind: DriveKind, serial: str | None = None) -> Drive:
        """The drive to put into a bay: the one named by its serial, else one of the kind."""
        if bay in self.bays:
            raise RackRefused(f"Bay {bay} has a drive already: {self.bays[bay]}.", hint=f"rackeye-rack pull {bay}")
        if serial is None and kind is DriveKind.SAME:
            serial = self.last.get(bay)
            if serial is None:
                raise RackRefused(f"No drive was pulled from bay {bay}.", hint=f"rackeye-rack insert {bay} --blank")
        if serial is None:
            return self.fresh(kind)
        if serial not in self.drives:
            raise RackRefused(f"There is no drive {serial}.", hint=f"Drives: {', '.join(self.drives)}.")
        if serial in self.bays.values():
            where = next(number for number, name in self.bays.items() if name == serial)
            raise RackRefused(f"Drive {serial} is in bay {where}.", hint=f"rackeye-rack pull {where}")
        return self.drives[serial]

    def put(self, bay: int, drive: Drive) -> None:
        """Notes that the drive is in the bay."""
        self.bays[bay] = drive.serial

    def take(self, bay: int) -> Drive:
        """Notes that the bay is empty; returns what was in it."""
        self.last[bay] = self.bays.pop(bay)
        return self.drives[self.last[bay]]


def make_system_drive(path: Path) -> None:
    """The system drive: ext4 on the bare disk, made once; what the guest writes lands there."""
    with path.open("xb") as file:
        file.truncate(SYSTEM_MIB * MIB)
    run(["mkfs.ext4", "-q", "-F", "-L", "rack-system", "-m", "0", str(path)])


def make_foreign(path: Path, size: int) -> None:
    """Somebody's drive: a partition table and an ext4 file system with a file."""
    run(["sgdisk", "--new=1:2048:0", "--typecode=1:8300", str(path)])
    content = path.with_suffix(".content")
    content.mkdir()
    (content / "customer.txt").write_text("Do not lose me.\n")
    run(["mkfs.ext4", "-q", "-F", "-L", "CUSTOMER", "-E", f"offset={MIB}", "-d", str(content), str(path),
         f"{(size - 2 * MIB) // 1024}k"])  # fmt: skip
    shutil.rmtree(content)
