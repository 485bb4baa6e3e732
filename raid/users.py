"""Who uses a mounted volume beside Rackeye's own daemons: asked before a volume is taken away (spec/raid.md, Safety).

Told by /proc alone: open files, working folders, roots and mapped files whose file system is the volume's.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

OURS = "rackeye-"
"""Units of Rackeye close their files when they see the volume go."""


def others_on(device: str, proc: Path = Path("/proc")) -> tuple[str, ...]:
    """Programs, with their number, that have something of the block device open; "bash (1234)".

    device: `major:minor`. A process that ends while it is looked at is left out.
    """
    major, _, minor = device.partition(":")
    number = os.makedev(int(major), int(minor))
    found = []
    for folder in sorted((entry for entry in proc.iterdir() if entry.name.isdecimal()), key=lambda e: int(e.name)):
        with suppress(OSError):
            if not _is_ours(folder) and number in _devices(folder):
                found.append(f"{(folder / 'comm').read_text().strip()} ({folder.name})")
    return tuple(found)


def _is_ours(folder: Path) -> bool:
    """By its control group: systemd names the unit there."""
    group = (folder / "cgroup").read_text().strip().rpartition("/")[2]
    return group.startswith(OURS) and group.endswith(".service")


def _devices(folder: Path) -> set[int]:
    """File systems that a process uses."""
    found = set()
    for link in _links(folder):
        with suppress(OSError):
            found.add(os.stat(link).st_dev)  # noqa: PTH116 -- of the file behind the link, without a Path for each
    return found


def _links(folder: Path) -> Iterator[str]:
    yield f"{folder}/cwd"
    yield f"{folder}/root"
    for kind in ("fd", "map_files"):
        with suppress(OSError):
            yield from (f"{folder}/{kind}/{entry.name}" for entry in os.scandir(folder / kind))
