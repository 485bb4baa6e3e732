"""The virtual rack itself: what others' tests take for granted."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.errors import RackAbsent, RackExists, RackRefused, RackTimeout
from rig import workdir
from rig.drives import DriveKind
from rig.liars import Mood
from rig.rack import Rack

pytestmark = [pytest.mark.rig, pytest.mark.rack(daemons=False)]

AMBER = "/run/rack/chassis/class/leds/bay1:amber:status"
HWMON = "/run/rack/chassis/class/hwmon/hwmon0"
BAYS = range(8)


def by_bay(rack: Rack, bay: int) -> str:
    """The kernel's name of the drive that udev puts into a bay, empty when none."""
    return rack.exec(["sh", "-c", f"udevadm settle; readlink -f /dev/disk/by-bay/{bay} | grep /dev/sd"]).stdout.strip()


def test_boots_with_a_drive_in_every_bay(rack: Rack) -> None:
    state = rack.state()
    assert state["ready"]
    serials = [state["bays"][str(bay)]["serial"] for bay in BAYS]
    assert len(set(serials)) == 8
    for bay in BAYS:
        device = state["bays"][str(bay)]["device"]
        assert by_bay(rack, bay) == device
        info = rack.sh(f"udevadm info -q property {device}")
        assert f"ID_SCSI_SERIAL={serials[bay]}" in info
    assert not rack.exec(["systemctl", "list-units", "--failed", "--no-legend"]).stdout.strip()


def test_system_drive_can_be_told(rack: Rack) -> None:
    assert rack.sh("findmnt -no SOURCE /run/system").strip() == "/dev/ubda"
    assert rack.sh("findmnt -no FSTYPE /").strip() == "overlay"


WIDE = """
import signal, sys, time
from raid.parity import aligned, engine
blocks = aligned(6, 1 << 20)
for i, block in enumerate(blocks[:4]):
    block[:] = bytes((i + 3) * at % 251 for at in range(1 << 10)) * (1 << 10)
by = engine()
by.pq_gen(blocks)
signals = []
signal.signal(signal.SIGALRM, lambda *_: signals.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
end, wrong, looks = time.monotonic() + 2, 0, 0
while time.monotonic() < end:
    wrong, looks = wrong + (not by.pq_check(blocks)), looks + 1
signal.setitimer(signal.ITIMER_REAL, 0)
print(by.name, wrong, looks > 20, len(signals) > 20)
"""


def test_processes_keep_their_wide_registers(rack: Rack) -> None:
    """Three at once that compute parity, and are interrupted by signals and by each other (rig/uml_host.c)."""
    checkout = Path(__file__).resolve().parents[2]
    rack.exec(["tee", "/tmp/wide.py"], stdin=WIDE, check=True)
    one = f"PYTHONPATH={checkout} {sys.executable} /tmp/wide.py"
    said = rack.sh(f"{one} > /tmp/1 & {one} > /tmp/2 & {one}; wait; cat /tmp/1 /tmp/2", 60)
    assert said.splitlines() == ["Rackeye 0 True True"] * 3


def test_guest_root_cannot_write_to_the_host(rack: Rack) -> None:
    name = f"rackeye-was-here-{os.getpid()}"
    checkout = Path(__file__).resolve().parents[2]
    rack.sh(f"touch /usr/{name}")  # lands on the rack's system drive
    rack.exec(["touch", f"{checkout}/{name}"])  # so does this, and is refused where the checkout lies in /tmp
    for place in ("/usr", "/etc", str(checkout), "/"):
        mount = f"mount -t hostfs -o {place} none /tmp/h || mount -t hostfs -o hostfs={place} none /tmp/h"
        second = f"mkdir -p /tmp/h; {mount}; mount -o remount,rw /tmp/h"
        done = rack.exec(["sh", "-c", f"{second}; touch /tmp/h/{name}; rc=$?; umount /tmp/h; exit $rc"])
        assert done.rc != 0, place
        assert "Read-only file system" in done.stderr, place
    assert not any((Path(place) / name).exists() for place in ("/", "/usr", "/etc", checkout))


def test_network_is_the_racks_own(rack: Rack) -> None:
    routes = rack.sh("ip -json route")
    assert [route["dst"] for route in json.loads(routes)] == ["10.0.2.0/24"]


def test_users_of_the_guest_reach_the_program(rack: Rack) -> None:
    rack.sh("su -s /bin/sh rackeye -c '/usr/lib/rackeye/bin/python -c \"import core.errors\"'")


def test_pull_and_put_back_during_writes(rack: Rack) -> None:
    rack.sh(
        "mdadm --create /dev/md9 --run --force --assume-clean --metadata=1.2 --level=5 -n 3 "
        "/dev/disk/by-bay/0 /dev/disk/by-bay/1 /dev/disk/by-bay/2; mkfs.ext4 -q /dev/md9; mount /dev/md9 /mnt",
        60,
    )
    serial = rack.state()["inserted"]["1"]
    rack.sh("(while :; do echo a >> /mnt/log; sync; sleep 0.05; done) >/dev/null 2>&1 & echo $! > /run/writer")
    before = int(rack.sh("sleep 0.5; wc -l < /mnt/log"))
    rack.pull(1)
    rack.wait_until(lambda: rack.sh("cat /sys/block/md9/md/degraded").strip() == "1", 10, "md fails the pulled member")
    assert by_bay(rack, 1) == ""
    rack.wait_until(lambda: int(rack.sh("wc -l < /mnt/log")) > before + 3, 10, "writing goes on")
    assert rack.insert(1, DriveKind.SAME) == serial
    rack.wait_until(lambda: by_bay(rack, 1), 10, "udev sees it in its bay")
    assert f"ID_SCSI_SERIAL={serial}" in rack.sh("udevadm info -q property /dev/disk/by-bay/1")
    rack.sh("kill $(cat /run/writer); sleep 0.2; umount /mnt; mdadm --stop /dev/md9")


def test_kinds_of_drives(rack: Rack) -> None:
    usual = int(rack.sh("blockdev --getsize64 /dev/disk/by-bay/3"))
    was = rack.state()["inserted"]["3"]
    rack.pull(3)
    with pytest.raises(RackRefused, match="Bay 3 has no drive"):
        rack.pull(3)
    rack.insert(3, DriveKind.SMALL)
    rack.wait_until(lambda: by_bay(rack, 3), 10)
    assert int(rack.sh("blockdev --getsize64 /dev/disk/by-bay/3")) < usual
    rack.pull(3)
    rack.insert(3, DriveKind.FOREIGN)
    rack.wait_until(lambda: by_bay(rack, 3), 10)
    text = rack.sh("mount -o ro /dev/disk/by-bay/3-part1 /mnt; cat /mnt/customer.txt; umount /mnt")
    assert text == "Do not lose me.\n"
    rack.pull(3)
    rack.insert(3, DriveKind.BLANK)
    rack.wait_until(lambda: by_bay(rack, 3), 10)
    assert rack.sh("wipefs /dev/disk/by-bay/3") == ""
    with pytest.raises(RackRefused, match="has a drive already"):
        rack.insert(3, DriveKind.BLANK)
    rack.pull(4)
    with pytest.raises(RackRefused, match="There is no drive"):
        rack.insert(4, serial="RK999999")
    rack.insert(4, serial=was)  # another bay's drive
    rack.wait_until(lambda: by_bay(rack, 4), 10)
    assert was in rack.sh("udevadm info -q property /dev/disk/by-bay/4")


def test_bytes_changed_behind_the_kernels_back(rack: Rack) -> None:
    rack.sh("head -c 4096 /dev/zero | tr '\\0' a | dd of=/dev/disk/by-bay/5 bs=4096 oflag=direct status=none")
    with rack.drive_file(5).open("r+b") as file:
        assert file.read(4) == b"aaaa"
        file.seek(0)
        file.write(b"evil")
    assert rack.sh("dd if=/dev/disk/by-bay/5 bs=4096 count=1 iflag=direct status=none | head -c 6") == "evilaa"


def test_leds_are_the_kernels(rack: Rack) -> None:
    assert rack.sh(f"cd {AMBER}; cat trigger max_brightness brightness") == "[none] timer\n1\n0\n"
    assert rack.sh(f"ls {AMBER}").split() == ["brightness", "max_brightness", "trigger"]
    rack.sh(f"echo 1 > {AMBER}/brightness")
    assert rack.led("bay1:amber:status") == "on"
    start = rack.state()["monotonic"]
    assert rack.sh(f"cd {AMBER}; echo timer > trigger; cat trigger delay_on delay_off") == "none [timer]\n500\n500\n"
    assert rack.led("bay1:amber:status") == "blink 1.00 Hz"
    rack.sh(f"cd {AMBER}; echo 125 > delay_on; echo 125 > delay_off")
    assert rack.led("bay1:amber:status") == "blink 4.00 Hz"
    assert rack.led_history(start)[-1]["state"] == "blink 4.00 Hz"
    assert rack.exec(["sh", "-c", f"echo heartbeat > {AMBER}/trigger"]).rc != 0
    assert rack.sh(f"cd {AMBER}; echo 0 > brightness; cat trigger") == "[none] timer\n"
    assert rack.led("bay1:amber:status") == "off"
    assert rack.exec(["cat", f"{AMBER}/delay_on"]).rc != 0
    assert rack.exec(["touch", f"{AMBER}/new"]).rc != 0


def test_air_and_fan_have_inertia(rack: Rack) -> None:
    def read(name: str) -> int:
        return int(rack.sh(f"cat {HWMON}/{name}"))

    rack.set_temperature(70)
    assert read("temp1_input") < 65_000
    rack.wait_until(lambda: read("temp1_input") > 69_000, 20)
    rack.set_temperature(35)
    rack.sh(f"echo 255 > {HWMON}/pwm1")
    rack.wait_until(lambda: read("fan1_input") > 2900, 15)
    rack.stop_fan()
    rack.wait_until(lambda: read("fan1_input") < 100, 15)
    rack.stop_fan(False)
    assert rack.exec(["sh", "-c", f"echo 256 > {HWMON}/pwm1"]).rc != 0


def test_commands(rack: Rack) -> None:
    done = rack.exec(["sh", "-c", "cat; echo no >&2; exit 3"], stdin="yes")
    assert (done.rc, done.stdout, done.stderr) == (3, "yes", "no\n")
    started = time.monotonic()
    with pytest.raises(RackTimeout):
        rack.exec(["sleep", "60"], timeout=1)
    assert time.monotonic() - started < 10
    assert rack.exec(["pgrep", "-x", "sleep"]).stdout == ""
    with pytest.raises(RackExists):
        Rack(rack.name).up()


def test_cameras(rack: Rack) -> None:
    urls = rack.start_cameras(2, 1)
    probe = "timeout -s KILL 20 ffprobe -v error -rtsp_transport tcp -show_entries stream=codec_name -of csv=p=0"
    for name in ("cam1", "secure", "liar1"):
        assert rack.sh(f"{probe} '{urls[name]}'").split()[0] == "h264"
    rack.set_mood("liar1", Mood.REFUSE)
    assert "refused" in rack.exec(["sh", "-c", f"{probe} '{urls['liar1']}'"]).stderr
    rack.set_mood("liar1", Mood.UNAUTHORIZED)
    assert "401" in rack.exec(["sh", "-c", f"{probe} '{urls['liar1']}'"]).stderr


def test_power_cut(rack: Rack) -> None:
    serials = rack.state()["inserted"]
    rack.sh("mkfs.ext4 -q -F /dev/disk/by-bay/6; mount /dev/disk/by-bay/6 /mnt; echo kept > /mnt/x; sync", 60)
    rack.sh("echo kept > /var/lib/rackeye/x; sync /var/lib/rackeye/x; echo gone > /run/x; echo lost > /mnt/y")
    rack.power_cut()
    assert not rack.state()["powered"]
    with pytest.raises(RackAbsent, match="power is cut"):
        rack.exec(["true"])
    rack.pull(7)
    rack.boot()
    assert rack.sh("mount /dev/disk/by-bay/6 /mnt; cat /mnt/x /var/lib/rackeye/x") == "kept\nkept\n"
    assert rack.exec(["cat", "/run/x"]).rc != 0
    now = rack.state()
    assert now["bays"]["7"]["device"] is None
    assert all(now["bays"][str(bay)]["serial"] == serials[str(bay)] for bay in range(7))
    rack.insert(7, DriveKind.SAME)
    assert rack.wait_until(lambda: by_bay(rack, 7), 10)


def test_nothing_is_left_when_the_owner_is_killed() -> None:
    script = "from rig.rack import Rack\nRack('killed', daemons=False, drives=1).up()\nprint('UP', flush=True)\ninput()"
    owner = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"UP\n"
    folder = workdir.find("killed")
    mark = f"RACKEYE_RACK_OWNER={owner.pid}".encode()
    assert _processes(mark)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    deadline = time.monotonic() + 5
    while _processes(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _processes(mark)
    assert str(folder) not in Path("/proc/mounts").read_text()
    workdir.sweep()
    assert not folder.exists()


def test_command_line() -> None:
    def rackeye_rack(*argv: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / "rackeye-rack"), "--name", "byhand", *argv]
        nothing = subprocess.DEVNULL
        return subprocess.run(command, capture_output=True, text=True, stdin=nothing, timeout=120, check=False)

    assert rackeye_rack("state").returncode == 1
    assert rackeye_rack("pull", "8").returncode == 2
    try:
        assert rackeye_rack("up", "--no-daemons", "--drives", "2").returncode == 0
        assert "RIG-002" in rackeye_rack("up").stderr
        assert rackeye_rack("pull", "1").returncode == 0
        assert rackeye_rack("insert", "1").returncode == 0
        assert rackeye_rack("exec", "--", "sh", "-c", "exit 7").returncode == 7
        assert json.loads(rackeye_rack("state", "--json").stdout)["powered"]
        assert rackeye_rack("power-cut").returncode == 0
        assert rackeye_rack("boot").returncode == 0
    finally:
        folder = workdir.find("byhand")
        assert rackeye_rack("down").returncode == 0
    assert not folder.exists()


def _processes(mark: bytes) -> list[str]:
    """Processes with this in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found
