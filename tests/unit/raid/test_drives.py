"""raid/drives.py: what lies on a drive, read by the real `wipefs` from files."""

import subprocess
from pathlib import Path

import pytest

from core.paths import Paths
from raid import drives
from raid.drives import KIB, Identity, Inventory
from raid.sysfs import Sysfs
from raid.world import Probe

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
