"""`raidd`: its CPU when nothing happens, on the host, with 16 drives and a RAID6 over them all.

The host's kernel has no md. So /sys and udev's database are plain files, shaped as the kernel's, put over the real ones
in a namespace (bubblewrap): libudev and raidd read them by the code that reads the real ones. No drive of the host can
be reached from there.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.box import environment
from benchmarks.procs import BenchFailed, private_bus, pss_bytes, started
from benchmarks.rows import Section, Tell, alone
from core.bus import BusClient
from core.errors import RackeyeError
from raid.model import BUS_NAME, RaidSnapshot

DRIVES, MD = 16, "md127"
SETTLE, WINDOW, QUICK_WINDOW = 20.0, 120.0, 30.0  # seconds; a full look comes each 30 s
SIZE = 18_000_000_000_000
CHECKOUT = Path(__file__).parent.parent


def bench(tell: Tell, *, quick: bool = False) -> Section:
    """The row. Raises BenchFailed when raidd does not see the drives."""
    with tempfile.TemporaryDirectory(prefix="raidd") as folder:
        place = Path(folder)
        _furnish(place)
        with private_bus(place) as env, started([_command(place)], place / "raidd.log", env) as (process,):
            with environment(env):
                seen = asyncio.run(_drives())
            if seen != DRIVES:
                raise BenchFailed(f"raidd sees {seen} of {DRIVES} drives: {(place / 'raidd.log').read_text()[-800:]}")
            tell(f"raidd sees {seen} drives; idle begins")
            time.sleep(SETTLE)
            pid = _python_below(process.pid)
            before, began = _run_time(pid), time.monotonic()
            time.sleep(QUICK_WINDOW if quick else WINDOW)
            seconds, spent, memory = time.monotonic() - began, _run_time(pid) - before, pss_bytes([pid]) / 2**20
            said = (place / "raidd.log").read_text()
    return Section(
        (alone("raidd idle cpu, 16 drives", "% of a core", 100 * spent / seconds, "<= 0.1"),),
        (
            f"Over {seconds:.0f} s on the host: {1000 * spent:.1f} ms of CPU, {30000 * spent / seconds:.1f} ms each "
            f"30 s (one full look, timers, watchdog); {memory:.0f} MiB PSS; {len(said.splitlines())} lines said.",
            "16 drives and a RAID6 of them as plain files over /sys and udev's database in a namespace, since the "
            "host's kernel has no md. The members have no superblocks, so each look tries to read all 16, which it "
            "does not on a box; files of a real sysfs cost more to read (facts/raid.md: 200 files 4.3 ms, 0.01 %).",
        ),
    )


def _command(place: Path) -> list[str]:
    bound = [word for at in ("sys", "run/udev") for word in ("--bind", str(place / "root" / at), f"/{at}")]
    return [
        "bwrap", "--unshare-pid", "--unshare-net", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev",
        "--proc", "/proc", "--tmpfs", "/run", "--bind", str(place), str(place), *bound,
        "--setenv", "SYSTEMD_DEVICE_VERIFY_SYSFS", "0",
        "--chdir", str(CHECKOUT), sys.executable, "-m", "benchmarks.one_daemon", "raidd", str(place / "root"),
    ]  # fmt: skip


def _furnish(place: Path) -> None:
    root = place / "root"
    for number in range(DRIVES):
        _drive(root, number)
    _array(root)
    for folder in ("dev", "proc/1", "etc/rackeye", "var/lib/rackeye/raid", "var/lib/rackeye/jobs", "run/rackeye"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for name in map(_name, range(DRIVES)):
        (root / "dev" / name).write_bytes(bytes(1 << 16))
    (root / "proc/1/mountinfo").write_text(Path("/proc/self/mountinfo").read_text())
    (root / "proc/swaps").write_text("Filename Type Size Used Priority\n")
    (root / "proc/mdstat").write_text("Personalities : [raid6]\n")


def _name(number: int) -> str:
    return f"sd{chr(97 + number)}"


def _drive(root: Path, number: int) -> None:
    name, devnum = _name(number), f"8:{16 * number}"
    top = root / f"sys/devices/pci0/host{number}/target/{number}:0:0:0/block/{name}"
    event = f"MAJOR=8\nMINOR={16 * number}\nDEVNAME={name}\nDEVTYPE=disk\nDISKSEQ={number + 1}\n"
    _files(top, {"dev": devnum, "size": str(SIZE // 512), "diskseq": str(number + 1), "uevent": event})
    (top / "holders").mkdir()
    (top / "holders" / MD).symlink_to("/sys/block/md127")
    _files(top.parent.parent, {"uevent": "DRIVER=sd\n"})
    _links(root, top, devnum)
    (top / "device").symlink_to(f"../../../{number}:0:0:0")
    said = {
        "ID_SERIAL_SHORT": f"SERIAL{number:04}", "ID_MODEL": "RACK-18T", "ID_SCSI_SERIAL": f"SERIAL{number:04}",
        "RACKEYE_BAY": str(number), "ID_PATH": f"pci-0000:00:1f.2-ata-{number + 1}", "ID_BUS": "scsi",
    }
    data = root / "run/udev/data"
    data.mkdir(parents=True, exist_ok=True)
    (data / f"b{devnum}").write_text("I:1000000\n" + "".join(f"E:{key}={value}\n" for key, value in said.items()))


def _array(root: Path) -> None:
    top = root / f"sys/devices/virtual/block/{MD}"
    event = f"MAJOR=9\nMINOR=127\nDEVNAME={MD}\nDEVTYPE=disk\n"
    _files(top, {"dev": "9:127", "size": str(14 * SIZE // 512), "diskseq": "99", "uevent": event})
    _links(root, top, "9:127")
    _files(top / "md", {
        "raid_disks": str(DRIVES), "array_state": "clean", "level": "raid6", "layout": "2", "chunk_size": "524288",
        "component_size": str(SIZE // 1024), "degraded": "0", "resync_start": "none", "sync_action": "idle",
        "sync_completed": "none", "sync_speed": "none", "sync_speed_min": "1000 (system)",
    })  # fmt: skip
    _files(top / "md/bitmap", {"location": "+8"})
    for number in range(DRIVES):
        entry = top / "md" / f"dev-{_name(number)}"
        _files(entry, {"slot": str(number), "state": "in_sync", "offset": "264192"})
        (entry / "block").symlink_to(f"/sys/block/{_name(number)}")


def _links(root: Path, top: Path, devnum: str) -> None:
    real = "/" + str(top.relative_to(root))
    (top / "subsystem").symlink_to("/sys/class/block")
    for at in (f"block/{top.name}", f"class/block/{top.name}", f"dev/block/{devnum}"):
        link = root / "sys" / at
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(real)


def _files(folder: Path, values: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in values.items():
        (folder / name).write_text(value if value.endswith("\n") else value + "\n")


async def _drives() -> int:
    """How many raidd shows in bays, once it answers."""
    async with BusClient() as client:
        for left in range(60, -1, -1):
            try:
                told = (await client.snapshot(BUS_NAME, RaidSnapshot)).data
                return sum(drive.bay is not None for drive in told.drives)
            except RackeyeError as error:
                if not left:
                    raise BenchFailed(f"raidd does not answer: {error.sentence}") from error
                await asyncio.sleep(0.5)
    raise AssertionError


def _python_below(pid: int) -> int:
    """The daemon, which bubblewrap started."""
    while below := Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        pid = int(below[0])
    return pid


def _run_time(pid: int) -> float:
    """Seconds of CPU of all threads, to the nanosecond (schedstat; /proc/PID/stat has steps of 10 ms)."""
    return sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9
