"""What the tests of raid/ on the rack share: raidd's snapshot, its commands, and waiting for a state."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from raid.model import BUS_NAME, CheckVerdict, Drive, DriveState, RaidSnapshot, VdState, VirtualDrive, Work
from raid.model_plan import CreateSimpleReply, CreateSimpleRequest, Plan, PlanSimpleRequest
from rig.daemons import policy, raid
from rig.rack import Rack

T = TypeVar("T")
OBJECT = "/org/rackeye/Raid1"


class Refused(Exception):
    """A command that raidd refused, with its sentence."""


def snapshot(rack: Rack) -> RaidSnapshot:
    """What raidd says now."""
    return raid(rack)


def alarms(rack: Rack) -> str:
    """Code, title and text of the open ones, a line each."""
    return "\n".join(f"{one.code} {one.title}: {one.text}" for one in policy(rack).alarms)


def command(rack: Rack, name: str, request: object, reply: type[T]) -> T:
    """A command of the administration interface. Raises Refused."""
    body = msgspec.json.encode(request).decode()
    argv = ["busctl", "--json=short", "call", BUS_NAME, OBJECT, f"{BUS_NAME}.Admin", name, "s", body]
    done = rack.exec(argv, timeout=60)
    if done.rc:
        raise Refused(done.stderr)
    return msgspec.json.decode(json.loads(done.stdout)["data"][0], type=reply)


def vd(told: RaidSnapshot, name: str) -> VirtualDrive:
    return next(vd for vd in told.virtual_drives if vd.name == name)


def in_bay(told: RaidSnapshot, bay: int) -> list[Drive]:
    return [drive for drive in told.drives if drive.bay == bay]


def states(told: RaidSnapshot, *bays: int) -> list[DriveState]:
    """Of the drives that are there."""
    return [drive.state for bay in bays for drive in in_bay(told, bay) if drive.device is not None]


def works(told: RaidSnapshot, name: str, work: Work, percent: float = 0.0) -> bool:
    """Whether a virtual drive is busy with it, and has come so far."""
    progress = vd(told, name).progress
    return progress is not None and progress.kind is work and progress.percent >= percent


def rackeye(rack: Rack, *words: str) -> str:
    """The command as a person types it; both what it says and why it refuses."""
    done = rack.exec(["rackeye", *words], timeout=60)
    return done.stdout + done.stderr


def until(rack: Rack, holds: Callable[[RaidSnapshot], bool], what: str, timeout: float = 60.0) -> RaidSnapshot:
    """Waits until the snapshot is so, and returns it."""

    def look() -> RaidSnapshot | None:
        told = snapshot(rack)
        try:
            return told if holds(told) else None
        except StopIteration:  # a virtual drive that is not shown yet
            return None

    found = rack.wait_until(look, timeout, what)
    assert found is not None
    return found


def is_whole(told: RaidSnapshot, *names: str) -> bool:
    """Optimal, mounted, and nothing runs. One that is not shown yet is not."""
    here = [one for one in told.virtual_drives if one.name in names]
    return len(here) == len(names) and all(
        one.state is VdState.OPTIMAL and one.mountpoint is not None and one.progress is None for one in here
    )


def all_blank(told: RaidSnapshot) -> bool:
    """Eight drives, blank, in eight bays."""
    return [drive.state for bay in range(8) for drive in in_bay(told, bay)] == [DriveState.BLANK] * 8


def place_of(rack: Rack, bay: int, at: int) -> int:
    """LBA of a byte of a member's data, on the drive in a bay."""
    device = rack.sh(f"basename $(readlink -f /dev/disk/by-bay/{bay})").strip()
    return int(rack.sh(f"cat /sys/block/md*/md/dev-{device}/offset")) + at // 512


def patrol(rack: Rack) -> None:
    """One patrol read over all drives; should one have begun by itself, another."""
    before = until(rack, lambda s: not s.patrol.running, "no patrol read runs", 600).patrol.finished
    rack.sh("rackeye patrol start")
    until(rack, lambda s: s.patrol.finished not in (None, before), "the patrol read has ended", 600)


def create(rack: Rack, *, bays: tuple[int, ...] = ()) -> tuple[str, ...]:
    """Simple configuration, as the command line does it."""
    request = PlanSimpleRequest(level=5, bays=bays)

    def made() -> tuple[str, ...]:
        plan = command(rack, "PlanSimple", request, Plan)
        return command(rack, "CreateSimple", CreateSimpleRequest(request, plan.fingerprint), CreateSimpleReply).names

    for _ in range(30):
        try:
            return made()
        except Refused as refused:
            if "still being read" not in str(refused):  # "Try again in a few seconds."
                raise
        rack.sh("sleep 1")
    return made()


def make_vd(rack: Rack, name: str, level: str, bays: str, *more: str) -> None:
    """The full form, as a person types it; begun, not finished."""
    words = ["--level", level, "--bays", bays, "--name", name, "--yes", "--no-wait", *more]
    rack.exec(["rackeye", "vd", "create", *words], 60, check=True)


def hurry(rack: Rack, *, resync: bool = True) -> None:
    """A new drive is used after a second. resync: as fast as it can, else so slowly that a test can catch it."""
    least, most = (500_000, 500_000) if resync else (1000, 4000)
    settings = f"[raid]\nsettle_seconds = 1\nsync_speed_min = {least}\n"
    rack.exec(["tee", "/var/lib/rackeye/settings.toml"], stdin=settings, check=True)
    rack.sh("chown rackeye:rackeye /var/lib/rackeye/settings.toml")
    rack.sh(f"modprobe md_mod; echo {most} > /proc/sys/dev/raid/speed_limit_max")
    rack.sh("systemctl reload-or-restart rackeye-raidd")


def speed(rack: Rack, least: int, most: int) -> None:
    """KiB/s of each drive, after `hurry`. The cameras in the settings stay."""
    file = "/var/lib/rackeye/settings.toml"
    rack.sh(f"sed -i 's/^sync_speed_min = .*/sync_speed_min = {least}/' {file}; chown rackeye:rackeye {file}")
    rack.sh(f"echo {most} > /proc/sys/dev/raid/speed_limit_max; systemctl reload-or-restart rackeye-raidd")
    said = "cat /sys/block/md*/md/sync_speed_min 2> /dev/null || true"  # a RAID0 has none
    rack.wait_until(lambda: rack.sh(said).split()[:1] in ([], [str(least)]), 60, "the speed is set")


def clock(rack: Rack) -> float:
    """The guest's wall clock, UTC seconds."""
    return float(rack.sh("date +%s.%N"))


def write_file(rack: Rack, path: str, mib: int = 8) -> str:
    """Random bytes, on the drives when this returns; returns their checksum."""
    rack.sh(f"dd if=/dev/urandom of={path} bs=1M count={mib} conv=fsync status=none")
    return checksum(rack, path)


def checksum(rack: Rack, path: str) -> str:
    """Read from the drives, not from memory."""
    return rack.sh(f"echo 3 > /proc/sys/vm/drop_caches; sha256sum {path}", timeout=60).split()[0]


def all_sums(rack: Rack, folder: str) -> set[str]:
    """Checksums of all files that can be read, wherever a repair has put them; read from the drives."""
    rack.sh("echo 3 > /proc/sys/vm/drop_caches")
    # The recorder makes and deletes files meanwhile, so that some that `find` names may be gone: not checked.
    text = rack.exec(["find", folder, "-xdev", "-type", "f", "-exec", "sha256sum", "{}", "+"], 120).stdout
    return {line.split()[0] for line in text.splitlines()}


def job_units(rack: Rack) -> int:
    """How many jobs run now, as systemd sees it."""
    return rack.sh("systemctl list-units --no-legend 'rackeye-job-*'").count("rackeye-job-")


DEAD, NO_WRITES, WELL = "flakey $below 0 0 3600", "flakey $below 0 0 3600 1 error_writes", "linear $below 0"
"""Targets of the device mapper for `becomes`: refuses all, refuses writes, is as it was."""


def becomes(rack: Rack, bay: int, target: str) -> None:
    """What the layer under a spoilable drive does from now on; a power cut ends it."""
    name = f"dust-{rack.state()['inserted'][str(bay)]}"
    rack.sh(
        f"modprobe dm_flakey; set -- $(dmsetup table {name}); below=$(dmsetup deps -o devname {name}); "
        f"below=${{below##*(}}; below=/dev/${{below%)}}; table=\"0 $2 {target}\"; "
        f"dmsetup suspend --noudevsync {name}; echo \"$table\" | dmsetup reload {name}; "
        f"dmsetup resume --noudevrules --noudevsync {name}"
    )


def kill_raidd(rack: Rack) -> None:
    """SIGKILL, and nothing else of it."""
    rack.sh("kill -9 $(systemctl show -P MainPID rackeye-raidd)")


def jobs_of(rack: Rack, kind: str) -> list[dict[str, Any]]:
    """Records of all jobs of a kind since the rack was new."""
    text = rack.sh("cat /var/lib/rackeye/jobs/raid/*.json")
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(text):
        record, at = decoder.raw_decode(text, at)
        found.append(record)
        at += len(text[at:]) - len(text[at:].lstrip())
    return [record for record in found if record["kind"] == kind]


def file_digest(file: Path) -> str:
    """Of a drive's file on the host."""
    import hashlib  # noqa: PLC0415 -- only here

    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def parity_is_clean(rack: Rack, name: str = "vd0") -> None:
    """By our own check of all of it, begun and ended now."""
    before = time.time()
    rack.exec(["rackeye", "check", "start", name], 240, check=True)

    def result() -> bool:
        told = snapshot(rack)
        last = next((check for check in told.checks if check.vd == name), None)
        return vd(told, name).progress is None and last is not None and last.finished >= before - 5

    rack.wait_until(result, 180, "the check has ended")
    (last,) = [check for check in snapshot(rack).checks if check.vd == name]
    assert last.verdict is CheckVerdict.CLEAN, last
