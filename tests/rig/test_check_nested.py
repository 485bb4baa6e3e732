"""The check of a RAID60: one check over both spans, stopped, cut off and gone on with, wrong stripes named with span,
stripe and bay. First on small bare arrays, then as a person has it, with repair and schedule."""

import json
import os
import time
from typing import Any

import pytest

from raid.model import CheckResult, CheckVerdict, DriveState, RaidSnapshot, Work
from rig.rack import Rack
from tests.rig.parity_rig import PYTHON
from tests.rig.raid_rig import alarms, hurry, is_whole, snapshot, until, vd

pytestmark = [pytest.mark.rig, pytest.mark.rack(bay_mib=192)]

STRIP = 64 * 1024
SPANS = ("md91", "md92")
FILE = "/var/lib/bare.json"


def flip(rack: Rack, bay: int, stripe: int) -> None:
    """Turns 64 bytes over on one drive, behind md's back; twice mends them."""
    device = rack.sh(f"basename $(readlink -f /dev/disk/by-bay/{bay})").strip()
    offset = int(rack.sh(f"cat /sys/block/md*/md/dev-{device}/offset")) * 512
    with rack.drive_file(bay).open("r+b") as file:
        file.seek(offset + stripe * STRIP + 4096)
        other = bytes(byte ^ 0x5A for byte in file.read(64))
        file.seek(-64, os.SEEK_CUR)
        file.write(other)


@pytest.fixture(scope="module")
def bare(rack: Rack) -> Rack:
    """Two RAID6 of 24 MiB a member."""
    rack.exec(["systemctl", "stop", "rackeye-raidd.service"])
    for name, bays in zip(SPANS, ("0 1 2 3", "4 5 6 7"), strict=True):
        rack.sh(
            f"d=; for bay in {bays}; do d=\"$d $(readlink -f /dev/disk/by-bay/$bay)\"; done; "
            f"mdadm --create /dev/{name} --run --force --metadata=1.2 --level=6 -n 4 --chunk=64 --size=24576 $d 2>&1; "
            f"echo 1000000 > /sys/block/{name}/md/sync_speed_min"
        )
    for name in SPANS:
        md = f"/sys/block/{name}/md"
        settled = f"[ \"$(cat {md}/sync_action {md}/resync_start | xargs)\" = 'idle none' ]"
        rack.sh(f"until {settled}; do sleep 0.2; done", 120)
        rack.sh(f"dd if=/dev/urandom of=/dev/{name} bs=1M oflag=direct status=none || true")
    return rack


def scrub(rack: Rack, *more: str) -> tuple[int, dict[str, Any]]:
    argv = [PYTHON, "-m", "raid.scrub", *(f"/dev/{name}" for name in SPANS), "--json", "--identity", "u",
            "--progress-file", FILE, *more]
    ran = rack.exec(argv, timeout=200)
    return ran.rc, json.loads(ran.stdout or "{}")


SLOW = """
import sys, time, raid.scrub as s
class Slow:
    def __init__(self, stop, *more): pass
    def after(self, busy): time.sleep(0.3)
s.Pace = Slow
sys.exit(s.main(sys.argv[1:]))
"""


def seen(rack: Rack) -> list[int]:
    """Stripes that are done of each span."""
    found = json.loads(rack.sh(f"cat {FILE} || echo null"))
    return [span["stripes"] for span in found["result"]["spans"]] if found and found["result"] else [0, 0]


def slow_check(rack: Rack) -> str:
    """A check that leaves time to be cut off; its process."""
    rack.exec(["tee", "/run/slow.py"], stdin=SLOW)
    devices = " ".join(f"/dev/{name}" for name in SPANS)
    return rack.sh(f"cd /usr/lib/rackeye; setsid {PYTHON} /run/slow.py {devices} --identity u --resume --throttle "
                   f"--progress-file {FILE} > /run/slow.log 2>&1 < /dev/null & echo $!").strip()


def wait_for(rack: Rack, first: int, second: int) -> None:
    """Until so many stripes of each span are done."""
    deadline = time.monotonic() + 200
    while not all(now >= least for now, least in zip(seen(rack), (first, second), strict=True)):
        assert time.monotonic() < deadline, rack.sh(f"cat /run/slow.log {FILE}")
        time.sleep(0.2)


@pytest.mark.long
def test_it_is_one_check_that_is_killed_stopped_and_gone_on_with_over_spans(bare: Rack) -> None:
    code, result = scrub(bare)
    assert (code, result["level"], result["stripes"], result["of"]) == (0, 60, 768, 768)
    flip(bare, 1, stripe=5)
    flip(bare, 6, stripe=380)
    bare.sh(f"rm {FILE}")
    pid = slow_check(bare)
    wait_for(bare, 100, 0)
    bare.sh(f"kill -9 {pid}")
    first = seen(bare)
    pid = slow_check(bare)
    wait_for(bare, 384, 60)
    bare.sh(f"kill {pid}; while kill -0 {pid} 2>&-; do sleep 0.1; done")
    left = seen(bare)
    assert (first[0] >= 100, left[0], 60 <= left[1] < 384) == (True, 384, True)
    flip(bare, 1, stripe=5)  # mended, but that span is not read again
    code, result = scrub(bare, "--resume")
    assert code == 1
    assert [(bad["span"], bad["number"], bad["wrong"]["slot"]) for bad in result["bad"]] == [(1, 5, 1), (2, 380, 2)]
    flip(bare, 6, stripe=380)
    assert scrub(bare)[0] == 0
    assert bare.sh("cat /sys/block/md9[12]/md/suspend_hi").split() == ["0", "0"]


def result(told: RaidSnapshot) -> CheckResult:
    (one,) = told.checks  # one of the whole, none of a span
    assert one.vd == "vd0"
    return one


def check_runs(rack: Rack) -> None:
    def running(told: RaidSnapshot) -> bool:
        progress = vd(told, "vd0").progress
        return progress is not None and progress.kind is Work.CHECK and progress.percent > 0

    until(rack, running, "a check runs", 180)


@pytest.fixture(scope="module")
def sixty(rack: Rack, bare: Rack) -> Rack:
    for name in SPANS:
        rack.sh(f"mdadm --stop /dev/{name} 2>&1; udevadm settle")
    for bay in range(8):
        rack.sh(f"mdadm --zero-superblock /dev/disk/by-bay/{bay} || true")
    rack.sh("systemctl start rackeye-raidd")
    hurry(rack)
    until(rack, lambda s: sum(d.state is DriveState.BLANK for d in s.drives) == 8, "eight blank drives")
    rack.exec(["rackeye", "vd", "create", "--level", "60", "--bays", "0-7", "--spans", "2", "--strip", "64K", "--name",
               "vd0", "--yes", "--no-wait"], 60, check=True)
    until(rack, lambda s: bool(s.virtual_drives) and is_whole(s, "vd0"), "it is whole", 300)
    return rack


def test_a_person_is_told_span_stripe_and_bay_and_repairs_them(sixty: Rack) -> None:
    rack = sixty
    assert [one.vd for one in snapshot(rack).upkeep] == ["vd0"]
    flip(rack, 1, stripe=100)
    flip(rack, 6, stripe=100)
    rack.sh("rackeye rate set check 10")
    said = rack.exec(["rackeye", "check", "start", "vd0"], 60, check=True).stdout
    assert "span after span (2)" in said
    check_runs(rack)
    refused = rack.exec(["rackeye", "check", "start", "vd0"], 60)
    assert (refused.rc, "runs already" in refused.stderr) == (1, True)
    rack.sh("rackeye check stop vd0", 60)
    stopped = until(rack, lambda s: vd(s, "vd0").progress is None and bool(s.checks), "it is stopped", 30)
    assert result(stopped).verdict in (CheckVerdict.STOPPED, CheckVerdict.WRONG)
    assert result(stopped).percent < 100
    rack.sh("rackeye rate set check 100")
    found = rack.exec(["rackeye", "check", "start", "vd0", "--watch"], timeout=400)
    assert found.rc == 1
    assert "Wrong stripes: span 1 stripe 100 (bay 1), span 2 stripe 100 (bay 6)" in found.stdout
    rack.wait_until(lambda: "span 2 stripe 100 (bay 6)" in alarms(rack), 30, "the alarm")
    plan = json.loads(rack.exec(["rackeye", "check", "repair", "vd0", "--dry-run", "--json"], 60, check=True).stdout)
    steps = plan["would_repair"]["stripes"]
    assert [(step["span"], step["stripe"], step["members"]) for step in steps] == [(1, 100, [1]), (2, 100, [6])]
    done = rack.exec(["rackeye", "check", "repair", "vd0", "--yes", "--watch"], timeout=240)
    assert done.rc == 0, done.stdout + done.stderr
    assert "2 of 2 stripes were repaired and read again" in result(snapshot(rack)).detail
    assert result(snapshot(rack)).verdict is CheckVerdict.CLEAN


def test_it_comes_by_itself_as_one_check_and_not_while_a_span_is_not_whole(sixty: Rack) -> None:
    rack = sixty
    rack.sh("rackeye rate set check 10; rm /var/lib/rackeye/raid/check-vd0.json; systemctl restart rackeye-raidd")
    rack.sh("rackeye check schedule --days 7 --quiet 0-0")
    check_runs(rack)
    jobs = rack.sh("systemctl list-units --no-legend 'rackeye-job-*'")
    assert (jobs.count("rackeye-job-vd0-check"), jobs.count("rackeye-job-")) == (1, 1)
    rack.sh("rackeye check schedule --days 0; rackeye check stop vd0", 60)
    rack.pull(7)
    until(rack, lambda s: vd(s, "vd0").tolerance == 1, "it is seen", 30)
    refused = rack.exec(["rackeye", "check", "start", "vd0"], 60)
    assert (refused.rc, "vd0.2of2 is not whole" in refused.stderr) == (1, True)
