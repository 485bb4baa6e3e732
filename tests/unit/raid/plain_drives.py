"""Drives in plain files, below a sysfs of plain files, for the patrol read."""

import errno
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from core.clock import ManualClock
from raid.patrol import prepare
from raid.patrol_result import PatrolFile, ToRead

MIB = 1024 * 1024
PAGE = 4096


@dataclass
class Drives:
    """bad: pages (numbers) of sda that cannot be read; of_sda: is asked before each of its reads, and may raise."""

    root: Path
    bad: set[int] = field(default_factory=set)
    gone_at: int | None = None
    of_sda: Callable[[int], None] = lambda _: None
    its_last: float = 0.0

    def make(self, name: str, mib: int, diskseq: int | None = None) -> None:
        (self.root / "dev").mkdir(exist_ok=True)
        (self.root / "dev" / name).write_bytes(bytes(mib * MIB))
        folder = self.root / "sys/class/block" / name
        folder.mkdir(parents=True)
        (folder / "size").write_text(str(mib * MIB // 512))
        (folder / "inflight").write_text("       0        0\n")
        if diskseq is not None:
            self.set_diskseq(name, diskseq)

    def folder(self, name: str) -> Path:
        return self.root / "sys/class/block" / name

    def set_diskseq(self, name: str, number: int) -> None:
        (self.folder(name) / "diskseq").write_text(f"{number}\n")

    def set_state(self, name: str, state: str) -> None:
        """What SCSI says of it."""
        (self.folder(name) / "device").mkdir(exist_ok=True)
        (self.folder(name) / "device/state").write_text(f"{state}\n")

    def read(self, fd: int, block: memoryview, offset: int) -> int:
        if self.gone_at is not None and offset >= self.gone_at:
            raise OSError(errno.ENXIO, "no such device")
        if Path(f"/proc/self/fd/{fd}").readlink().name == "sda":
            self.of_sda(offset)
            touched = range(offset // PAGE, -(-(offset + len(block)) // PAGE))
            if self.bad & set(touched):
                raise OSError(errno.EIO, "I/O error")
        return os.preadv(fd, [block], offset)

    @property
    def file(self) -> Path:
        return self.root / "patrol.json"

    def patrol(
        self, *names: str, stop: threading.Event | None = None, before: PatrolFile | None = None, again: bool = False,
        clock: ManualClock | None = None,
    ) -> PatrolFile:
        """names: such as "sda" or "sda:17", a serial is made of them. before: goes on with this one."""
        if before is not None:
            self.file.write_bytes(msgspec.json.encode(before))
        wanted = [ToRead.parse(f"{name}=SN-{name.partition(':')[0]}") for name in names]
        run = prepare(wanted, self.file, resume=before is not None, again=again, sysfs=self.root / "sys")
        run.stop, run.clock, run.dev = stop or threading.Event(), clock or ManualClock(), self.root / "dev"
        run.flags, run.read, run.its_last = os.O_RDONLY, self.read, self.its_last
        return run.run()
