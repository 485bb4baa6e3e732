"""`check`: the native parity check of a whole array in the virtual rack, against reading its members, and md's check.

A RAID6 of six drives, filled. All of them read the same bytes, in turns, by the guest's clock.
"""

import json
import os
import statistics
import sys
from pathlib import Path

from benchmarks.procs import BenchFailed
from benchmarks.rows import Section, Tell, against, alone
from raid.model import JobState, VdState
from rig.daemons import raid
from rig.rack import Rack

BAYS, BAY_MIB, TURNS = 6, 1024, 12
CHECKOUT = Path(__file__).parent.parent
FILL = "head -c 16M /dev/urandom > /tmp/16m; n=0; while cat /tmp/16m >> /srv/rackeye/vd0/fill; do n=$((n+1)); " \
       "[ $n -lt 235 ] || break; done 2>/dev/null; sync; rm /tmp/16m"


def bench(tell: Tell, *, quick: bool = False) -> Section:
    """The rows. Raises RigError, BenchFailed."""
    with Rack("benchcheck", drives=BAYS, bay_mib=BAY_MIB) as rack:
        rack.sh("modprobe md_mod; echo 5000000 > /proc/sys/dev/raid/speed_limit_max; "
                "echo 500000 > /proc/sys/dev/raid/speed_limit_min", 60)
        rack.wait_until(lambda: sum(drive.bay is not None for drive in raid(rack).drives) == BAYS, 60, "all drives")
        done = rack.exec(["rackeye", "vd", "create", "--simple", "--level", "6", "--yes", "--no-wait"], 120)
        if done.rc:
            raise BenchFailed(f"No virtual drive: {done.stdout}{done.stderr}")
        rack.wait_until(lambda: _whole(rack), 240, "the virtual drive is whole")
        rack.sh(FILL, 300)
        os.sync()  # else the host writes the drives' files out meanwhile
        tell("the RAID6 is whole and filled")
        array = f"$(basename $(readlink -f {raid(rack).virtual_drives[0].device}))"
        command = f"cd {CHECKOUT} && {sys.executable} -m benchmarks.check_inside {array} {2 if quick else TURNS}"
        told = json.loads(rack.sh(command, 600).splitlines()[-1])
    middle = {name: statistics.median(told[name]) for name in ("ours", "dd", "readers", "kernel")}
    added = {
        peer: statistics.median(ours / alone for ours, alone in zip(told["ours"], told[peer], strict=True))
        for peer in ("dd", "readers")
    }
    spread = "; ".join(f"{name} {', '.join(f'{one:.2f}' for one in told[name])}" for name in middle)
    return Section(
        (
            against("check, whole array", "s", (middle["ours"], middle["dd"]), "dd of its members side by side",
                    "<= 1.15", ratio=added["dd"]),
            against("check, whole array, and the kernel's", "s", (middle["ours"], middle["kernel"]),
                    "md's own check", "<= 1"),
            alone("check, memory at most", "MiB resident", told["peak"] / 2**20, "<= 64"),
        ),
        (
            f"RAID6 of {BAYS}, {told['bytes'] / 1e9:.1f} GB of members, in blocks of 512 KiB; {len(told['ours'])} "
            "times in turns; the ratio is the median of the turns' (the host's own speed drifts by more than it); "
            f"seconds: {spread}. Of its own readers with nobody who looks at the bytes the check takes "
            f"{added['readers']:.2f}: they are faster than dd. In User Mode Linux with one CPU, where nothing is read "
            "while it computes, and the drives are files in the host's memory: on a box it is done while the drives "
            "are waited for. The issue names no figure against the kernel: not slower is this bench's.",
        ),
    )


def _whole(rack: Rack) -> bool:
    told = raid(rack)
    return bool(told.virtual_drives) and all(
        vd.state is VdState.OPTIMAL and vd.progress is None and vd.mountpoint is not None for vd in told.virtual_drives
    ) and not any(job.state is JobState.RUNNING for job in told.jobs)
