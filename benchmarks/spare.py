"""`spare`: from the moment a member is pulled to md's rebuild onto a hot spare, in the virtual rack, by its own clock.

One RAID5 of four, four hot spares, otherwise idle. Each is pulled, rebuilt, and pulled again; when the spares are used
up, the drives that were pulled go back, are cleared, and are the next spares.
"""

import statistics
import time
from dataclasses import dataclass, replace

from benchmarks.latency import _nearest
from benchmarks.procs import BenchFailed, wait_for
from benchmarks.rows import Section, Tell, alone
from raid.model import ClearDriveRequest, Done, Drive, DriveState, JobState, VdState
from raid.spare_model import AddSpareRequest, SpareState
from rig.daemons import raid
from rig.rack import Rack
from tests.rig.raid_rig import command, create

RUNS, QUICK_RUNS = 100, 8
LIMIT = 1800.0  # seconds: then the runs that were done have to do
QUIET = 1.0  # seconds of rest before each pull
BAYS, BAY_MIB = 8, 224
SETTINGS = "[raid]\nsettle_seconds = 0.1\nsync_speed_min = 500000\ncopyback = false\n"

# Sleeps in poll() until md says so itself (sysfs_notify of sync_action): nothing is taken from the guest's one CPU.
WATCH = """
import select, sys, time
file = open(sys.argv[1])
poll = select.poll()
poll.register(file, select.POLLPRI)
while True:
    file.seek(0)
    if file.read().strip() == "recover":
        break
    poll.poll(20000)
print(time.monotonic(), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Way:
    """Seconds from the pull: raidd has put the member out; the job began; mdadm was done; md rebuilds."""

    out: float
    began: float
    done: float
    rebuild: float


def bench(tell: Tell, *, quick: bool = False) -> Section:
    """The rows. Raises RigError, BenchFailed."""
    with Rack("bench-spare", drives=BAYS, bay_mib=BAY_MIB, without=("rackeye-web.service",)) as rack:
        _set_up(rack)
        tell("the RAID5 is whole; pulls begin")
        wanted, end, seen = QUICK_RUNS if quick else RUNS, time.monotonic() + LIMIT, list[Way]()
        while len(seen) < wanted and time.monotonic() < end:
            try:
                seen.append(_pull(rack))
            except BenchFailed:
                told = raid(rack)
                tell(f"{told.spares} {[(one.bay, one.serial, one.state.value, one.detail) for one in told.drives]}")
                tell(rack.journal(60))
                raise
            tell(f"{len(seen)}: " + ", ".join(f"{1000 * at:.0f}" for at in (
                seen[-1].out, seen[-1].began, seen[-1].done, seen[-1].rebuild)))
    took = [way.rebuild for way in seen]
    named = (("member out", "out"), ("job begun", "began"), ("mdadm done", "done"), ("rebuild", "rebuild"))
    middle = {name: statistics.median(getattr(way, field) for way in seen) for name, field in named}
    parts = ", ".join(f"{name} {1000 * at:.0f}" for name, at in middle.items())
    return Section(
        (
            alone("spare pull to rebuild, median", "s", statistics.median(took), "<= 0.5"),
            alone("spare pull to rebuild, worst", "s", max(took), "<= 0.5"),
        ),
        (
            f"{len(seen)} pulls of members of an idle RAID5 of four; best {min(took):.2f}, 90 % "
            f"{_nearest(took, 0.9):.2f} s. Medians of the way, ms from the pull: {parts}.",
        ),
    )


def _set_up(rack: Rack) -> None:
    rack.exec(["tee", "/var/lib/rackeye/settings.toml"], stdin=SETTINGS, check=True)
    rack.sh("modprobe md_mod; echo 500000 > /proc/sys/dev/raid/speed_limit_max; systemctl reload rackeye-raidd", 60)
    rack.exec(["tee", "/run/watch.py"], stdin=WATCH, check=True)
    rack.wait_until(lambda: sum(d.state is DriveState.BLANK for d in raid(rack).drives) == BAYS, 60, "all drives")
    create(rack, bays=(0, 1, 2, 3))
    rack.wait_until(lambda: _whole(rack), 240, "the virtual drive is whole")
    _name_spares(rack)


def _whole(rack: Rack) -> bool:
    told = raid(rack)
    return bool(told.virtual_drives) and all(
        vd.state is VdState.OPTIMAL and vd.progress is None and vd.mountpoint is not None for vd in told.virtual_drives
    ) and not any(job.state is JobState.RUNNING for job in told.jobs)


def _ready(rack: Rack) -> int:
    return sum(spare.state is SpareState.READY for spare in raid(rack).spares)


def _name_spares(rack: Rack) -> None:
    """Every drive that is no member, and every bay that is empty, becomes one."""
    for serial in _outside(rack):
        bay = min(set(range(BAYS)) - {int(bay) for bay in rack.state()["inserted"]})
        rack.insert(bay, serial=serial)
    wait_for(lambda: _are(rack, *DriveState) == BAYS, 60, "all drives are there", every=0.4)
    wait_for(lambda: _are(rack, DriveState.UNKNOWN) == 0, 60, "all drives are read", every=0.4)
    for drive in _drives(rack):
        if drive.state is DriveState.STALE:
            command(rack, "ClearDrive", ClearDriveRequest(drive.bay or 0, drive.serial), Done)
    wait_for(lambda: _are(rack, DriveState.BLANK, DriveState.HOT_SPARE) == BAYS - 4, 60, "they are blank", every=0.4)
    for drive in _drives(rack):
        if drive.state is DriveState.BLANK:
            command(rack, "AddSpare", AddSpareRequest(drive.bay or 0, drive.serial), Done)
    wait_for(lambda: _ready(rack) == BAYS - 4, 60, "the spares are ready", every=0.4)


def _drives(rack: Rack) -> list[Drive]:
    return [drive for drive in raid(rack).drives if drive.bay is not None and drive.device is not None]


def _are(rack: Rack, *states: DriveState) -> int:
    return sum(drive.state in states for drive in _drives(rack))


def _outside(rack: Rack) -> list[str]:
    state = rack.state()
    return [serial for serial in state["drives"] if serial not in state["inserted"].values()]


def _pull(rack: Rack) -> Way:
    """All is whole again when this returns."""
    told = raid(rack)
    if not any(spare.state is SpareState.READY for spare in told.spares):
        _name_spares(rack)
        told = raid(rack)
    (vd,) = told.virtual_drives
    bay = vd.bays[0]
    if bay is None or vd.device is None:
        raise BenchFailed(f"{vd.name} is not as it should be: {vd}")
    name = vd.device.rpartition("/")[2]
    rack.sh(f"(python3 -I /run/watch.py /sys/block/{name}/md/sync_action > /run/began) >/dev/null 2>&1 &")
    locked = ["flock", "-n", "/var/lib/rackeye/jobs/raid/runner.lock", "true"]
    wait_for(lambda: rack.exec(locked).rc != 0, 60, "a runner is loaded and waits", every=1.0)
    time.sleep(QUIET)
    at = rack.pull(bay)
    time.sleep(QUIET)
    began = float(rack.wait_until(lambda: rack.sh("cat /run/began").strip(), 30, "the rebuild"))
    way = replace(_from_the_journal(rack, at), rebuild=began - at)
    wait_for(lambda: _whole(rack), 120, "the virtual drive is whole again", every=0.4)
    return way


def _from_the_journal(rack: Rack, at: float) -> Way:
    """When the daemon and the job said what they did."""
    said: dict[str, float] = {}
    for line in rack.journal(200).splitlines():
        when, _, text = line.strip("[").partition("]")
        for word in ("is gone", "is rebuilt on the hot spare", "spare is done"):
            if word in text and when.strip().replace(".", "").isdigit() and float(when) > at:
                said.setdefault(word, float(when) - at)
    out, began, done = (said.get(word, 0.0) for word in ("is gone", "is rebuilt on the hot spare", "spare is done"))
    return Way(out, began, done, 0.0)
