"""In the virtual rack: a whole check of an array, its members read by dd and by our readers, the kernel's `check`.

    python -m benchmarks.check_inside ARRAY TURNS    one JSON line: seconds of each, in turns; peak memory
"""

import json
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

ALONE = """
import sys
from raid.scrub import main
if main(sys.argv[1:]): sys.exit("not clean")
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
"""The check's own program. (What getrusage() tells of a child is at least its parent's.)"""


def main(array: str, turns: int) -> int:
    """Prints the figures. Raises what the check raises, and ValueError when the array is not clean."""
    md = Path(f"/sys/block/{array}/md")
    (md / "sync_speed_max").write_text("50000000")
    (md / "sync_speed_min").write_text("50000000")  # nothing else wants the drives
    done: dict[str, list[float]] = {"ours": [], "dd": [], "readers": [], "kernel": []}
    ways = [("ours", lambda: _ours(array)), ("dd", lambda: _dd(array)), ("readers", lambda: _readers(array))]
    for turn in range(turns):
        first = turn % len(ways)
        for name, way in ways[first:] + ways[:first]:
            done[name].append(_timed(way))
        if turn % FEWER == 0:
            done["kernel"].append(_timed(lambda: _kernel(md)))
    alone = subprocess.run([sys.executable, "-c", ALONE, array], check=True, capture_output=True, text=True)
    peak = int(alone.stdout.split()[-2]) * 1024
    size = read_geometry(array, Path("/sys")).component * len(read_geometry(array, Path("/sys")).members)
    sys.stdout.write(json.dumps({**done, "peak": peak, "bytes": size}) + "\n")
    return 0


def _ours(array: str) -> None:
    if not check(array).clean:
        raise ValueError("the array is not clean")


def _dd(array: str) -> None:
    """The same bytes of each member, side by side, in blocks as large as the check's."""
    geometry = read_geometry(array, Path("/sys"))
    size = piece_size(len(geometry.members))
    running = [
        subprocess.Popen([
            "/usr/bin/dd", f"if=/dev/{member.name}", "of=/dev/null", f"bs={size}",
            "iflag=direct,skip_bytes,count_bytes", f"skip={member.offset}", f"count={geometry.component}",
            "status=none",
        ])
        for member in geometry.members if member is not None
    ]  # fmt: skip
    ended = [one.wait() for one in running]
    if any(ended):
        raise ValueError("dd could not read a member")


def _readers(array: str) -> None:
    """The check's own readers, and nobody who looks at what they read."""
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
