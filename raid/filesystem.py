"""The file system of a virtual drive: XFS, aligned to its stripes, mounted as a recording volume.

LIO drives give md a bogus optimal width (facts/raid.md), so stripe unit and width are always given, and what mkfs
made is read back from XFS's superblock (xfs_format.h, struct xfs_dsb; big-endian).
"""

import os
import shutil
import struct
from contextlib import suppress
from pathlib import Path

import msgspec

from core.config import write_atomic
from core.errors import FilesystemWrong
from core.paths import Paths
from core.run import run
from raid.superblock import read_block
from raid.world import Filesystem

IDENTITY = "rackeye-volume.json"
RECORDINGS = "recordings"
MINIMUM, MINIMUM_STRIPED = 300 * 1024**2, 640 * 1024**2
"""mkfs.xfs refuses smaller ones, the second with su and sw (facts/raid.md)."""
_MAGIC = b"XFSB"


def parse_xfs(data: bytes) -> Filesystem | None:
    """XFS's superblock in the first 4 KiB of a device; None when it is none."""
    if data[:4] != _MAGIC:
        return None
    (block_size,) = struct.unpack_from(">I", data, 4)
    unit, width = struct.unpack_from(">II", data, 184)
    digits = data[32:48].hex()
    uuid = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    # sb_inprogress: mkfs clears it last of all.
    return Filesystem(uuid, complete=data[126] == 0, unit=unit * block_size, width=width * block_size)


def read_xfs(device: Path) -> tuple[Filesystem | None, bool]:
    """The XFS on a device, and whether its beginning is blank (all zero). Raises OSError."""
    data = read_block(device, 0, 4096)
    return parse_xfs(data), not any(data)


def mkfs_argv(device: str, label: str, uuid: str, strip: int, data_drives: int) -> tuple[str, ...]:
    """Without -f: it refuses what holds any signature. One data drive: nothing is striped, so nothing is aligned (and a
    small mirror is too small for mkfs with su)."""
    stripes = f"su={strip},sw={data_drives}" if data_drives > 1 else "noalign"
    # -K: no discard, which a parity array would have to write out.
    return (
        "mkfs.xfs", "-q", "-K", "-L", label[:12], "-m", f"uuid={uuid}",
        "-d", stripes, device,
    )


def mount(device: str, folder: Path, shape: tuple[int, int] | None = None) -> None:
    """Mounts a volume; the folder is made when it is missing. shape: new stripe unit and width in bytes, which XFS
    keeps (xfs(5): in blocks of 512). Raises RunError, FilesystemWrong."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FilesystemWrong(
            f"{folder} is not empty, so nothing is mounted over it.", hint="Look at what lies there, and move it away."
        )
    options = "noatime" + (f",sunit={shape[0] // 512},swidth={shape[1] // 512}" if shape is not None else "")
    run(["mount", "-t", "xfs", "-o", options, device, str(folder)], timeout=None)


def unmount(folder: str, *, discard: bool = False) -> None:
    """Takes a volume away: nothing new is opened there, and who has files open (the recorder) sees the mount go, ends
    them and closes them. discard: the mount point is removed, when it is empty."""
    run(["umount", "--lazy", folder], timeout=None)
    if discard:
        discard_folder(Path(folder))


def discard_folder(folder: Path) -> None:
    """Removes a mount point that is no longer needed; what somebody put there stays."""
    if not os.path.ismount(folder):
        with suppress(OSError):
            folder.rmdir()


def prepare(folder: Path, vd: str, vd_uuid: str, created: float) -> None:
    """Writes the volume's identity and makes the recorder's folder. Raises OSError, FilesystemWrong."""
    if not os.path.ismount(folder):
        raise FilesystemWrong(f"{folder} is not mounted.", hint="Look at the virtual drive's state: rackeye vd.")
    identity = {"volume": vd, "vd_uuid": vd_uuid, "created": created}
    recordings = folder / RECORDINGS
    recordings.mkdir(mode=0o750, exist_ok=True)
    try:
        shutil.chown(recordings, "rackeye", "rackeye")
    except LookupError as error:
        why = f"{recordings} cannot be given to the recorder: {error}."
        raise FilesystemWrong(why, hint="systemd-sysusers makes its user.") from error
    write_atomic(folder / IDENTITY, msgspec.json.encode(identity), mode=0o644)


def prepared(folder: str) -> bool:
    """The identity file and the recorder's folder are there."""
    return (Path(folder) / IDENTITY).exists() and (Path(folder) / RECORDINGS).is_dir()


def mountpoint(paths: Paths, vd: str) -> Path:
    """Where a virtual drive is mounted."""
    return paths.volumes / vd
