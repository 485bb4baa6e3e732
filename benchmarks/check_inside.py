"""In the virtual rack: one whole check of an array, one reading of all its members, one `check` of the kernel.

    python -m benchmarks.check_inside ARRAY TURNS    one JSON line: seconds of each, in turns; peak memory
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from raid.geometry import read_geometry
from raid.readers import Readers
from raid.scrub import check
from raid.scrub_run import piece_size

FEWER = 4
"""The kernel's check takes several times as long, and differs by far more: it has every fourth turn."""


def main(array: str, turns: int) -> int:
    """Prints the figures. Raises what the check raises, and ValueError when the array is not clean."""
    md = Path(f"/sys/block/{array}/md")
    (md / "sync_speed_max").write_text("50000000")
    (md / "sync_speed_min").write_text("50000000")  # nothing else wants the drives
    done: dict[str, list[float]] = {"ours": [], "read": [], "kernel": []}
    ways = [("ours", lambda: _ours(array)), ("read", lambda: _read(array))]
    for turn in range(turns):
        for name, way in ways[:: -1 if turn % 2 else 1]:
            done[name].append(_timed(way))
        if turn % FEWER == 0:
            done["kernel"].append(_timed(lambda: _kernel(md)))
    subprocess.run([sys.executable, "-m", "raid.scrub", array], check=True, stdout=subprocess.DEVNULL)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    size = read_geometry(array, Path("/sys")).component * len(read_geometry(array, Path("/sys")).members)
    sys.stdout.write(json.dumps({**done, "peak": peak, "bytes": size}) + "\n")
    return 0


def _ours(array: str) -> None:
    if not check(array).clean:
        raise ValueError("the array is not clean")


def _read(array: str) -> None:
    """The same readers, and nobody who looks at what they read."""
    geometry = read_geometry(array, Path("/sys"))
    with Readers(geometry.members, piece_size(len(geometry.members))) as readers:
        for _ in readers.stream(geometry.component):
            pass


def _kernel(md: Path) -> None:
    (md / "sync_action").write_text("check")
    while (md / "sync_action").read_text().strip() != "idle":
        time.sleep(0.02)


def _timed(work: object) -> float:
    assert callable(work)
    began = time.monotonic()
    work()
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
