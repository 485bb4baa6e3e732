"""raid/drives.py: what lies on a drive, read by the real `wipefs` from files."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core.clock import ManualClock
from core.paths import Paths
from raid import drives
from raid.drives import KIB, Identity, Inventory
from raid.sysfs import Sysfs
from raid.world import Disk, Probe

SIZE = 16 * 1024**2


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """sda, all zeros."""
    block = tmp_path / "sys/block/sda"
    block.mkdir(parents=True)
    (block / "device").mkdir()
    for name, text in {"dev": "8:0", "diskseq": "7", "size": str(SIZE // 512)}.items():
        (block / name).write_text(text + "\n")
    made = tmp_path / "dev/sda"
    made.parent.mkdir()
    made.write_bytes(bytes(SIZE))
    return made


def write(drive: Path, at: int) -> None:
    with drive.open("r+b") as file:
        file.seek(at)
        file.write(b"?")


def test_a_drive_that_was_read_is_judged_without_a_program(
    tmp_path: Path, drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory = Inventory(Sysfs(tmp_path / "sys"), Paths(tmp_path))
    assert inventory.probe_at_once("sda", 7).blank, "never read: by the program"
    write(drive, 8192 * KIB)  # where no signature lies
    monkeypatch.setattr(drives, "read_signatures", None)  # would be an error
    assert inventory.probe_at_once("sda", 7).blank


@pytest.mark.parametrize(
    "at", [0, 570 * KIB, 1030 * KIB, 2048 * KIB, 4096 * KIB, SIZE - 3087 * 512, SIZE - 512 * KIB, SIZE - 1]
)
def test_a_byte_at_either_end_has_it_read_anew(
    tmp_path: Path, drive: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    inventory = Inventory(Sysfs(tmp_path / "sys"), Paths(tmp_path))
    inventory.probe("sda", 7)
    write(drive, at)
    asked: list[Path] = []

    def read(device: Path, _: Sysfs) -> Probe:
        asked.append(device)
        return Probe()

    monkeypatch.setattr(drives, "read_signatures", read)
    assert inventory.probe_at_once("sda", 7).blank
    assert inventory.probe_at_once("sda", 7).blank
    assert asked == [drive], "once"


def test_what_was_judged_so_is_not_read_once_more_at_the_next_look(
    tmp_path: Path, drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory = Inventory(Sysfs(tmp_path / "sys"), Paths(tmp_path))
    inventory.probe("sda", 7)
    inventory.forget("sda")
    monkeypatch.setattr(inventory, "_identity", lambda _: Identity(4, "S", "M", settled=True))

    def known() -> Probe | None:
        (one,) = inventory.disks((), frozenset(), frozenset())
        return one.probe

    assert known() is None
    inventory.probe_at_once("sda", 7)
    assert known() == Probe()


def test_what_was_made_on_it_since_is_seen(tmp_path: Path, drive: Path) -> None:
    inventory = Inventory(Sysfs(tmp_path / "sys"), Paths(tmp_path))
    assert inventory.probe("sda", 7).blank
    subprocess.run(["mke2fs", "-q", "-F", str(drive)], check=True, capture_output=True)
    assert inventory.probe_at_once("sda", 7).signatures == ("ext2",)
    assert inventory.probe_at_once("sda", 8).signatures == ("ext2",), "another arrival is not this one"


# -- reads that fail


@dataclass
class Bay:
    """The inventory with one drive in a bay, which can be made not to answer: its node is away."""

    inventory: Inventory
    node: Path
    clock: ManualClock = field(default_factory=ManualClock)

    def look(self, *members: str) -> Disk:
        (disk,) = self.inventory.disks((), frozenset(), frozenset(members))
        return disk

    def read(self) -> None:
        self.inventory.probe("sda", 7)

    def deaf(self) -> None:
        self.node.rename(self.node.with_suffix(".away"))

    def well(self) -> None:
        self.node.with_suffix(".away").rename(self.node)


@pytest.fixture
def bay(tmp_path: Path, drive: Path, monkeypatch: pytest.MonkeyPatch) -> Bay:
    clock = ManualClock()
    inventory = Inventory(Sysfs(tmp_path / "sys"), Paths(tmp_path), clock)
    monkeypatch.setattr(inventory, "_identity", lambda _: Identity(4, "S", "M", settled=True))
    return Bay(inventory, drive, clock)


def test_a_read_that_failed_once_is_none_and_is_tried_again(bay: Bay) -> None:
    assert (bay.look().probe, bay.look().retry) == (None, None)
    bay.deaf()
    bay.read()
    assert (bay.look().probe, bay.look().retry) == (None, 2.0)
    bay.clock.utc += 86400.0
    assert bay.look().retry == 2.0, "a clock that is set changes nothing"
    bay.clock.advance(2.0)
    assert (bay.look().probe, bay.look().retry) == (None, 0.0)
    bay.well()
    bay.read()
    assert (bay.look().probe, bay.look().retry) == (Probe(), None)


def tries(bay: Bay, count: int) -> list[tuple[float, bool]]:
    """When it is read, in seconds, and whether it counts as bad after that."""
    begin, found = bay.clock.monotonic(), []
    for _ in range(count):
        at = bay.clock.monotonic() - begin
        bay.read()
        disk = bay.look()
        found.append((at, disk.probe is not None and bool(disk.probe.error)))
        assert disk.retry is not None
        bay.clock.advance(disk.retry / 2)
        assert bay.look().probe == disk.probe, "what it is told as does not change between two reads"
        bay.clock.advance(disk.retry / 2)
    return found


def test_a_drive_that_does_not_read_is_told_so_within_seconds_and_read_again_ever_more_seldom(bay: Bay) -> None:
    bay.deaf()
    assert tries(bay, 6) == [(0, False), (2, False), (12, True), (72, True), (672, True), (1272, True)]
    assert (bay.look().retry, bay.look().probe) == (0.0, Probe(error="It cannot be read: No such file or directory."))
    bay.well()
    bay.read()
    assert (bay.look().retry, bay.look().probe) == (None, Probe()), "it reads again, without having been pulled"


def test_one_whose_reads_hang_is_read_a_second_time_and_then_takes_little_of_the_time(
    bay: Bay, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(_: Path, __: Sysfs) -> Probe:
        bay.clock.advance(60.0)
        return Probe(error="It cannot be read: No answer in 60 s.")

    monkeypatch.setattr(drives, "read_signatures", hang)
    assert tries(bay, 5) == [(0, False), (62, True), (132, True), (132 + 60 + 1200, True), (132 + 2 * 1260, True)]


def test_events_have_it_read_at_once_and_do_not_prolong_the_wait(bay: Bay) -> None:
    bay.deaf()
    waits = []
    for _ in range(30):
        bay.inventory.forget("sda")
        assert (bay.look().probe, bay.look().retry) == (None, None)
        bay.read()
        waits.append(bay.look().probe is None)
        bay.clock.advance(1.0)
    assert waits == [second < 12 for second in range(30)]


def test_a_member_is_not_read_again_and_has_its_seconds_anew_when_it_is_one_no_more(bay: Bay) -> None:
    bay.deaf()
    tries(bay, 4)
    assert (bay.look("sda").probe, bay.look("sda").retry) == (None, None)
    bay.read()
    assert (bay.look().probe, bay.look().retry) == (None, 2.0)


def test_a_program_that_failed_is_no_answer_to_go_by(bay: Bay, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(drives, "read_signatures", lambda *_: Probe(error="It cannot be read: No answer in 60 s."))
        bay.read()
    assert bay.inventory.probe_at_once("sda", 7).blank
    assert (bay.look().probe, bay.look().retry) == (Probe(), None)
