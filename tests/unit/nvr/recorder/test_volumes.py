"""Volumes out of mountinfo and identity files."""

import json
import os
from pathlib import Path

import pytest

from core.errors import VolumeFailed
from core.paths import Paths
from nvr.recorder.model import VolumeState
from nvr.recorder.volumes import Mount, VolumeNow, find_volumes, open_volume, read_mounts


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths(tmp_path)
    (paths.proc / "self").mkdir(parents=True)
    (paths.volumes / "vd0").mkdir(parents=True)
    (paths.volumes / "vd0/rackeye-volume.json").write_text(json.dumps({"volume": "vd0", "vd_uuid": "u0", "created": 1}))
    return paths


def mounted(paths: Paths, *, device: str = "", options: str = "rw", system: str = "999:9", number: int = 40) -> None:
    found = paths.volumes.stat().st_dev
    device = device or f"{os.major(found)}:{os.minor(found)}"
    (paths.proc / "self/mountinfo").write_text(
        f"1 0 {system} / / rw shared:1 - ext4 /dev/vda rw\n"
        f"{number} 1 {device} / {paths.volumes}/vd0 {options},noatime shared:7 - xfs /dev/md127 rw,attr2\n"
    )


def vd0(paths: Paths) -> VolumeNow:
    return find_volumes(paths)[0]


def test_ready(paths: Paths) -> None:
    mounted(paths)
    found = vd0(paths)
    assert (found.state, found.uuid, found.mount) == (VolumeState.READY, "u0", 40)
    assert 0 < found.free <= found.total
    os.close(open_volume(found, paths))
    assert sorted(entry.name for entry in (paths.volumes / "vd0/recordings").iterdir()) == []


def test_an_empty_mount_point_is_never_written(paths: Paths) -> None:
    mounted(paths)
    good = vd0(paths)
    (paths.proc / "self/mountinfo").write_text("1 0 999:9 / / rw - ext4 /dev/vda rw\n")
    assert vd0(paths).state is VolumeState.UNMOUNTED
    with pytest.raises(VolumeFailed, match="unmounted just now"):
        open_volume(good, paths)
    mounted(paths, number=41)  # another mount than the one that was looked at
    with pytest.raises(VolumeFailed, match="unmounted just now"):
        open_volume(good, paths)
    mounted(paths, device="77:7")
    with pytest.raises(VolumeFailed, match="unmounted just now"):
        open_volume(good, paths)
    assert not (paths.volumes / "vd0/recordings").exists()


def test_the_system_drive_is_never_a_volume(paths: Paths) -> None:
    found = paths.volumes.stat().st_dev
    mounted(paths, system=f"{os.major(found)}:{os.minor(found)}")
    assert vd0(paths).state is VolumeState.SYSTEM_DRIVE


@pytest.mark.parametrize(
    "identity", [None, b"", b"{", b"[]", b'{"volume": "vd1", "vd_uuid": "u"}', b'{"volume": "vd0"}', b"\xff\xfe"]
)
def test_identity(paths: Paths, identity: bytes | None) -> None:
    mounted(paths)
    file = paths.volumes / "vd0/rackeye-volume.json"
    file.unlink()
    if identity is not None:
        file.write_bytes(identity)
    assert vd0(paths).state is VolumeState.NO_IDENTITY


def test_read_only_and_another_device_behind_the_path(paths: Paths) -> None:
    mounted(paths, options="ro")
    assert vd0(paths).state is VolumeState.READ_ONLY
    mounted(paths, device="77:7")
    assert vd0(paths).state is VolumeState.UNMOUNTED


def test_no_volumes_at_all(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text("")
    assert find_volumes(Paths(tmp_path)) == ()


def test_mountinfo_of_proc_5(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text(
        "36 35 98:0 /mnt1 /mnt/my\\040disk rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"
        "37 35 98:1 / /b rw shared:2 propagate_from:3 - xfs /dev/sdb ro\n"
    )
    assert read_mounts(Paths(tmp_path)) == (Mount(36, "98:0", "/mnt/my disk", False), Mount(37, "98:1", "/b", True))
