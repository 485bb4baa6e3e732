"""The sandbox: bubblewrap. What is not named here is not there for the guest; what is here but /rack is read-only.

Own users, processes, network, IPC and mounts; all of it ends with the owner of the rack, however that one ends
(--die-with-parent), because the kernel ends everything in a process namespace whose first process died.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rig.layer import CHECKOUT

HOST, GUEST, NETWORK = "10.0.2.2", "10.0.2.15", "10.0.2.2/24"
SHARED = ("usr", "etc", "bin", "sbin", "lib", "lib32", "lib64", "libx32")


def sandbox_command(work: Path, program: list[str]) -> list[str]:
    """The command that runs `program` in a sandbox around the work folder."""
    argv = [
        "bwrap",
        "--unshare-all",
        "--die-with-parent",
        "--new-session",
        "--cap-add",
        "ALL",
        "--hostname",
        "rack-host",
    ]
    for name in SHARED:
        path = Path("/") / name
        if path.is_symlink():
            argv += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            argv += ["--ro-bind", str(path), str(path)]
    argv += ["--proc", "/proc", "--dev", "/dev", "--dev-bind", "/dev/net/tun", "/dev/net/tun"]
    argv += ["--tmpfs", "/dev/shm", "--tmpfs", "/tmp", "--dir", "/newroot", "--dir", "/run", "--dir", "/sys"]  # noqa: S108
    argv += ["--dir", "/var", "--dir", "/srv", "--dir", "/mnt", "--dir", "/root", "--bind", str(work), "/rack"]
    for parent in reversed(CHECKOUT.parents[:-1]):  # bubblewrap itself makes them 0700: closed to the guest's users
        argv += ["--perms", "0755", "--dir", str(parent)]
    argv += ["--ro-bind", str(CHECKOUT), str(CHECKOUT)]
    interpreter = Path(sys.base_prefix).resolve()
    if not interpreter.is_relative_to("/usr") and not interpreter.is_relative_to(CHECKOUT):
        argv += ["--ro-bind", str(interpreter), str(interpreter)]
    argv += ["--remount-ro", "/", "--clearenv"]
    for name, value in _environment().items():
        argv += ["--setenv", name, value]
    return [*argv, "--chdir", "/", *program]


def _environment() -> dict[str, str]:
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/tmp",  # noqa: S108 -- the sandbox's own
        "TMPDIR": "/dev/shm",  # noqa: S108 -- the kernel keeps the guest's memory there
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(CHECKOUT),
        "RACKEYE_RACK_OWNER": str(os.getpid()),
    }
