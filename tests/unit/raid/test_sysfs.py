"""raid/sysfs.py on a tree of files shaped as the kernel's."""

import shutil
from pathlib import Path

import pytest

from core.paths import Paths
from raid.drives import Inventory
from raid.sysfs import Sysfs


def tree(root: Path) -> Path:
    """md127 of sda and sdb; returns where sda's own attributes are."""
    disks = [root / f"devices/host{number}/block/{name}" for number, name in enumerate(("sda", "sdb"))]
    md = root / "block/md127/md"
    md.mkdir(parents=True)
    for name, text in {"raid_disks": "2", "array_state": "clean", "level": "raid1"}.items():
        (md / name).write_text(text + "\n")
    for name, text in {"dev": "9:127", "size": "1000"}.items():
        (md.parent / name).write_text(text + "\n")
    for number, disk in enumerate(disks):
        disk.mkdir(parents=True)
        (disk / "dev").write_text(f"8:{16 * number}\n")
        entry = md / f"dev-{disk.name}"
        entry.mkdir()
        (entry / "block").symlink_to(disk)
        for name, text in {"slot": str(number), "state": "in_sync", "offset": "2048"}.items():
            (entry / name).write_text(text + "\n")
    return disks[0]


def test_a_member_is_gone_from_the_first_event_on(tmp_path: Path) -> None:
    pulled = tree(tmp_path)
    (array,) = Sysfs(tmp_path).arrays()
    assert {member.device: member.present for member in array.members} == {"sda": True, "sdb": True}
    # device_del() of the kernel: attributes and links go, then comes the event, and only then the folder
    (pulled / "dev").unlink()
    (array,) = Sysfs(tmp_path).arrays()
    assert {member.device: member.present for member in array.members} == {"sda": False, "sdb": True}
    assert not array.members[0].in_sync


def test_members_that_wait_for_a_start_are_an_array_and_an_empty_shell_is_none(tmp_path: Path) -> None:
    """Seen on the rack: raidd did not see what `mdadm -I` had begun, and tried in vain to start its members."""
    tree(tmp_path)
    md = tmp_path / "block/md127/md"
    for name, text in {"raid_disks": "", "array_state": "inactive\n", "level": "\n"}.items():
        (md / name).write_text(text)
    for disk in ("sda", "sdb"):
        (md / f"dev-{disk}/slot").write_text("none\n")
        (md / f"dev-{disk}/state").write_text("spare\n")
    (array,) = Sysfs(tmp_path).arrays()
    assert (array.level, array.raid_disks, array.started) == (None, 0, False)
    assert [(member.device, member.slot) for member in array.members] == [("sda", None), ("sdb", None)]
    for disk in ("sda", "sdb"):
        shutil.rmtree(md / f"dev-{disk}")
    assert Sysfs(tmp_path).arrays() == ()
    (md / "array_state").write_text("clear\n")
    assert Sysfs(tmp_path).arrays() == ()


def test_an_array_on_its_way_out_fails_no_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen on the rack: twenty looks at half a folder in a row, before the kernel came to the other half."""
    tree(tmp_path)
    md = tmp_path / "block/md127/md"
    (md / "raid_disks").unlink()
    monkeypatch.setattr("raid.sysfs.time.sleep", lambda _: shutil.rmtree(md))
    assert Sysfs(tmp_path).arrays() == ()


@pytest.mark.parametrize(
    ("state", "unwritten", "faulty"),
    [("faulty,blocked", "2048 8\n", False), ("faulty,blocked", "", True), ("faulty", "2048 8\n", True)],
)
def test_a_member_with_new_bad_blocks_has_not_failed(tmp_path: Path, state: str, unwritten: str, faulty: bool) -> None:
    """Seen on the rack: a hot spare, when a source failed during the rebuild onto it, was taken for failed for good."""
    tree(tmp_path)
    entry = tmp_path / "block/md127/md/dev-sdb"
    (entry / "state").write_text(f"{state}\n")
    (entry / "unacknowledged_bad_blocks").write_text(unwritten)
    (array,) = Sysfs(tmp_path).arrays()
    assert {member.device: member.faulty for member in array.members} == {"sda": False, "sdb": faulty}


def test_a_drive_that_an_array_let_go_is_free_at_the_next_look_though_no_event_told_of_it(tmp_path: Path) -> None:
    top = tmp_path / "sys/block/sda"
    for folder in ("device", "holders/md127", "queue"):
        (top / folder).mkdir(parents=True)
    for file, text in (("dev", "8:0"), ("size", "2048"), ("diskseq", "7"), ("queue/rotational", "1")):
        (top / file).write_text(text)
    inventory = Inventory(Sysfs(tmp_path / "sys"), Paths(tmp_path))
    assert inventory.blocks(frozenset({"sda"}))[0].holders == ("md127",)
    (top / "holders/md127").rmdir()
    assert inventory.blocks(frozenset({"sda"}))[0].holders == ("md127",), "of a member it is not read each time"
    assert inventory.blocks(frozenset())[0].holders == ()
