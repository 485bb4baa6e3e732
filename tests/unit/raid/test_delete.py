"""Deleting and stopping: each step in its order, from any point at which the power may have been cut."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import DriveChanged
from raid import superblock
from raid.actions import StartJob, Unmount
from raid.decide import decide
from raid.derive import derive
from raid.memory import Fleeting, Memory, Stage
from raid.model import DriveState, VdState, Work
from raid.teardown import main, stop_argv, wipe, wipe_argv
from raid.users import others_on
from raid.world import Volume, World
from tests.unit.raid import worlds as w
from tests.unit.raid.test_reading import MEMBER

DELETING = w.memory(w.known(stage=Stage.DELETING))
STOPPED = w.memory(w.known(stopped=True))
DISKS = tuple(w.disk(bay) for bay in range(4))
ALL_IN = w.array(*(w.member(bay) for bay in range(4)))


def steps(of: World, memory: Memory) -> list[object]:
    found: list[object] = []
    for action in decide(of, memory, w.SETTINGS, w.NOW).actions:
        found += action.steps if isinstance(action, StartJob) else [action]
    return found


def test_first_it_is_unmounted_then_stopped_then_wiped_then_forgotten() -> None:
    (unmount,) = steps(w.world(DISKS, w.running(ALL_IN)), DELETING)
    assert isinstance(unmount, Unmount)
    assert unmount.discard
    unmounted = w.world(DISKS, w.running(ALL_IN, volume=Volume(read=True)))
    assert steps(unmounted, DELETING) == [stop_argv("/dev/md127", w.UUID)]
    stopped = w.asleep(*(w.probe(bay) for bay in range(4)))
    assert steps(stopped, DELETING) == [wipe_argv(w.UUID, ("/dev/sda", "/dev/sdb", "/dev/sdc", "/dev/sdd"))]
    assert decide(stopped, DELETING, w.SETTINGS, w.NOW).memory.vds != ()
    assert decide(w.asleep(*[w.BLANK] * 4), DELETING, w.SETTINGS, w.NOW).memory.vds == ()


def test_after_a_cut_in_the_middle_the_rest_is_wiped_and_nothing_is_started() -> None:
    half = w.asleep(w.BLANK, w.BLANK, w.probe(2), w.probe(3))
    assert steps(half, DELETING) == [wipe_argv(w.UUID, ("/dev/sdc", "/dev/sdd"))]
    told = derive(w.scene(half, DELETING))
    (vd,) = told.virtual_drives
    assert (vd.state, vd.progress and vd.progress.kind) == (VdState.OFFLINE, Work.DELETING)
    assert [d.state for d in told.drives if d.bay == 2] == [DriveState.OFFLINE]


def test_another_array_on_a_drive_of_its_is_not_wiped() -> None:
    other = w.probe(2, array_uuid="99999999:99999999:99999999:99999999")
    assert steps(w.asleep(w.probe(0), w.EXT4, other, w.BLANK), DELETING) == [wipe_argv(w.UUID, ("/dev/sda",))]


def test_it_is_not_forgotten_while_a_drive_is_unread_or_on_its_way() -> None:
    assert decide(w.asleep(w.BLANK, w.BLANK, w.BLANK, None), DELETING, w.SETTINGS, w.NOW).memory.vds != ()
    three = w.asleep(*[w.BLANK] * 3)
    young = replace(DELETING, fleeting=Fleeting(w.NOW - 1))
    assert decide(three, young, w.SETTINGS, w.NOW).memory.vds != ()
    assert decide(three, DELETING, w.SETTINGS, w.NOW).memory.vds == ()


def test_a_stopped_one_rests_until_it_is_started_and_keeps_its_mount_point() -> None:
    (unmount,) = steps(w.world(DISKS, w.running(ALL_IN)), STOPPED)
    assert isinstance(unmount, Unmount)
    assert not unmount.discard
    here = w.asleep(*(w.probe(bay) for bay in range(4)))
    assert steps(here, STOPPED) == []
    told = derive(w.scene(here, STOPPED))
    assert (told.virtual_drives[0].state, {d.state for d in told.drives}) == (VdState.OFFLINE, {DriveState.OFFLINE})
    assert "rackeye vd start vd0" in told.virtual_drives[0].detail
    (assemble,) = steps(here, w.memory())
    assert "--assemble" in str(assemble)


def test_only_the_superblock_of_that_array_is_wiped(tmp_path: Path) -> None:
    drive = tmp_path / "drive"
    drive.write_bytes(b"\x11" * superblock.OFFSET + MEMBER + b"\x22" * 8192)
    with pytest.raises(DriveChanged, match="belongs to the array rackeye:vd0"):
        wipe("99999999:99999999:99999999:99999999", drive)
    assert main(["", "wipe", w.UUID, str(drive)]) == 0
    assert drive.read_bytes() == b"\x11" * superblock.OFFSET + bytes(superblock.LENGTH) + b"\x22" * 8192
    assert not wipe(w.UUID, drive)
    assert main(["", "wipe", w.UUID, str(tmp_path / "gone")]) == 1


def test_an_array_that_is_gone_is_stopped() -> None:
    assert main(["", "stop", "/dev/md/no-such-array", w.UUID]) == 0


def test_who_uses_a_volume_is_named(tmp_path: Path) -> None:
    device = tmp_path.stat().st_dev
    name = f"{os.major(device)}:{os.minor(device)}"
    proc = tmp_path / "proc" / "4242"
    (proc / "fd").mkdir(parents=True)
    (proc / "comm").write_text("less\n")
    (proc / "cgroup").write_text("0::/user.slice/session-1.scope\n")
    (proc / "fd" / "3").symlink_to(tmp_path)
    assert others_on(name, tmp_path / "proc") == ("less (4242)",)
    (proc / "cgroup").write_text("0::/system.slice/rackeye-recorder.service\n")
    assert others_on(name, tmp_path / "proc") == ()
    with (tmp_path / "open").open("w"):  # and on the real one, where this very process is found
        assert any(said.endswith(f"({os.getpid()})") for said in others_on(name))
