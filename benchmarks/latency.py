"""`latency`: from the moment a drive is pulled to its amber LED, in the virtual rack, by the guest's own clock.

One RAID5 of four, nothing else runs. The same drive goes back, is brought up to date by the write-intent bitmap, and
once all is whole and quiet the next bay's drive is pulled.
"""

import math
import statistics
import time
from collections.abc import Sequence

from benchmarks.procs import BenchFailed, wait_for
from benchmarks.rows import Section, Tell, alone
from raid.model import JobState, VdState
from rig.daemons import raid
from rig.rack import Rack

PULLS, QUICK_PULLS = 100, 10
LIMIT = 1500.0  # seconds: then the pulls that were done have to do
QUIET = 0.7  # seconds of rest before each pull
ALONE = 0.5  # seconds after a pull in which the guest's one CPU is not asked for anything
BAYS = 4
# A drive is taken back at once: what is measured is the way from the pull to the light.
SETTINGS = "[raid]\nsettle_seconds = 0.1\nsync_speed_min = 500000\n"


def bench(tell: Tell, *, quick: bool = False) -> Section:
    """The rows. Raises RigError, BenchFailed."""
    with Rack("bench", drives=BAYS) as rack:
        _set_up(rack)
        tell("the RAID5 is whole; pulls begin")
        wanted, end, seen = QUICK_PULLS if quick else PULLS, time.monotonic() + LIMIT, list[float]()
        while len(seen) < wanted and time.monotonic() < end:
            seen.append(_pull(rack, len(seen) % BAYS))
            if len(seen) % 10 == 0:
                tell(f"{len(seen)} pulls, median {statistics.median(seen):.1f} ms, worst {max(seen):.1f} ms")
    tens = ", ".join(f"{statistics.median(seen[at : at + 10]):.0f}" for at in range(0, len(seen), 10))
    return Section(
        (
            alone("latency pull to LED, median", "ms", statistics.median(seen), "<= 30"),
            alone("latency pull to LED, 99 %", "ms", _nearest(seen, 0.99), "<= 250"),
        ),
        (
            f"{len(seen)} pulls of members of a RAID5 of {BAYS}, otherwise idle; best {min(seen):.1f}, 90 % "
            f"{_nearest(seen, 0.9):.1f}, worst {max(seen):.1f} ms. The way: kernel uevent, paneld, LED driver, "
            "while raidd and policyd hear of it, too; in User Mode Linux, where system calls and switches are dear.",
            f"Median of each ten, in their order: {tens} ms.",
        ),
    )


def _nearest(values: Sequence[float], share: float) -> float:
    """Nearest rank: the smallest value that at least `share` of all do not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def _set_up(rack: Rack) -> None:
    rack.exec(["tee", "/var/lib/rackeye/settings.toml"], stdin=SETTINGS, check=True)
    rack.sh("modprobe md_mod; echo 500000 > /proc/sys/dev/raid/speed_limit_max; systemctl reload rackeye-raidd", 60)
    rack.wait_until(lambda: sum(drive.bay is not None for drive in raid(rack).drives) == BAYS, 60, "all drives")
    done = rack.exec(["rackeye", "vd", "create", "--simple", "--level", "5", "--yes", "--no-wait"], 120)
    if done.rc:
        raise BenchFailed(f"No virtual drive: {done.stdout}{done.stderr}")
    rack.wait_until(lambda: _whole(rack), 240, "the virtual drive is whole")


def _whole(rack: Rack) -> bool:
    told = raid(rack)
    return bool(told.virtual_drives) and all(
        vd.state is VdState.OPTIMAL and vd.progress is None and vd.mountpoint is not None for vd in told.virtual_drives
    ) and not any(job.state is JobState.RUNNING for job in told.jobs)


def _pull(rack: Rack, bay: int) -> float:
    """Milliseconds; all is whole again when this returns."""
    led = f"bay{bay}:amber:status"
    serial = str(rack.state()["inserted"][str(bay)])
    time.sleep(QUIET)
    at = rack.pull(bay)

    time.sleep(ALONE)

    def lit() -> list[float]:
        return [float(c["at"]) for c in rack.led_history(at) if c["led"] == led and c["state"] == "on"]

    first = rack.wait_until(lit, 20, f"the LED of bay {bay}")[0]
    rack.insert(bay, serial=serial)
    rack.wait_until(lambda: rack.led(led) == "off", 60, f"the LED of bay {bay} is off again")
    wait_for(lambda: _whole(rack), 120, "the virtual drive is whole again", every=0.4)
    return 1000 * (first - at)
