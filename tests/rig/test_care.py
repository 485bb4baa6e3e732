"""raidd cares for the parity: a check that comes by itself and goes on after a power cut; repair, as a person does."""

import json
import os
from pathlib import Path

import pytest

from raid.model import CheckResult, CheckVerdict, DriveState, JobState, RaidSnapshot, Work
from raid.model_plan import CreateSimpleReply, CreateSimpleRequest, Plan, PlanSimpleRequest
from rig.rack import Rack
from tests.rig.raid_rig import alarms, clock, command, hurry, is_whole, snapshot, until, vd

pytestmark = [pytest.mark.rig]

STRIP = 256 * 1024
STRIPE = 100
HOLD = "cd /sys/block/md127/md; echo 0 > suspend_lo; echo 64 > suspend_hi"


def result(told: RaidSnapshot) -> CheckResult:
    return next(check for check in told.checks if check.vd == "vd0")


def percent(rack: Rack, value: int) -> None:
    """How much of the drives' time a check takes; read again by the one that runs."""
    rack.sh(f"rackeye rate set check {value}")


def flip(rack: Rack, bay: int, stripe: int = STRIPE) -> bytes:
    """Turns 64 bytes over in one stripe, behind md's back; returns what is there then."""
    device = rack.sh(f"basename $(readlink -f /dev/disk/by-bay/{bay})").strip()
    offset = int(rack.sh(f"cat /sys/block/md127/md/dev-{device}/offset")) * 512
    with Path(rack.drive_file(bay)).open("r+b") as file:
        file.seek(offset + stripe * STRIP + 8192)
        other = bytes(byte ^ 0x5A for byte in file.read(64))
        file.seek(-64, os.SEEK_CUR)
        file.write(other)
        return other


def test_a_scheduled_check_goes_on_after_a_power_cut(rack: Rack) -> None:
    hurry(rack)
    until(rack, lambda s: sum(d.state is DriveState.BLANK for d in s.drives) == 8, "eight blank drives")
    request = PlanSimpleRequest(level=6, count=1, bays=(0, 1, 2, 3), strip=STRIP)
    plan = command(rack, "PlanSimple", request, Plan)
    command(rack, "CreateSimple", CreateSimpleRequest(request, plan.fingerprint), CreateSimpleReply)
    until(rack, lambda s: is_whole(s, "vd0"), "it is whole", 150)
    assert snapshot(rack).upkeep[0].next_check is None
    percent(rack, 4)
    said = rack.exec(["rackeye", "check", "schedule", "--days", "7", "--quiet", "0-0"], check=True).stdout
    assert "The schedule is set" in said
    assert rack.sh("stat -c %U /var/lib/rackeye/settings.toml").strip() == "rackeye"
    told = until(
        rack, lambda s: (p := vd(s, "vd0").progress) is not None and p.kind is Work.CHECK and p.percent > 1,
        "a check has begun by itself", 120,
    )
    progress = vd(told, "vd0").progress
    assert progress is not None
    rack.power_cut()
    rack.boot()
    told = until(
        rack, lambda s: (p := vd(s, "vd0").progress) is not None and p.kind is Work.CHECK, "it goes on by itself", 60
    )
    again = vd(told, "vd0").progress
    assert again is not None
    assert again.percent >= progress.percent - 0.5
    rack.sh("rackeye check stop vd0")
    stopped = until(rack, lambda s: vd(s, "vd0").progress is None, "it is stopped", 30)
    assert (result(stopped).verdict, result(stopped).percent >= again.percent - 1) == (CheckVerdict.STOPPED, True)
    percent(rack, 100)
    on = rack.exec(["rackeye", "check", "start", "vd0", "--watch"], timeout=240)
    assert on.rc == 0, on.stdout + on.stderr
    ended = result(snapshot(rack))
    assert (ended.verdict, ended.percent) == (CheckVerdict.CLEAN, 100.0)
    due = snapshot(rack).upkeep[0].next_check
    assert due is not None
    assert abs(due - ended.finished - 7 * 86400) < 7200


def test_a_wrong_stripe_is_named_alarmed_repaired_and_clean(rack: Rack) -> None:
    wrong = flip(rack, 1)
    found = rack.exec(["rackeye", "check", "start", "vd0", "--watch"], timeout=240)
    assert (found.rc, f"Wrong stripes: stripe {STRIPE}" in found.stdout) == (1, True)
    rack.wait_until(lambda: "ALARM-105" in alarms(rack), 20, "the alarm")
    plan = json.loads(rack.exec(["rackeye", "check", "vd0", "--repair", "--dry-run", "--json"], check=True).stdout)
    assert [(step["stripe"], step["members"]) for step in plan["would_repair"]["stripes"]] == [(STRIPE, [1])]
    done = rack.exec(["rackeye", "check", "vd0", "--repair", "--yes", "--watch"], timeout=240)
    assert done.rc == 0, done.stdout + done.stderr
    assert "1 of 1 stripes were repaired and read again" in result(snapshot(rack)).detail
    now = flip(rack, 1)  # turned over once more: the mended bytes come out as the wrong ones were
    assert now == wrong
    flip(rack, 1)
    assert rack.exec(["rackeye", "check", "start", "vd0", "--watch"], timeout=240).rc == 0
    rack.wait_until(lambda: "ALARM-105" not in alarms(rack), 20, "the alarm is cleared")


def repairing(told: RaidSnapshot) -> bool:
    progress = vd(told, "vd0").progress
    return progress is not None and progress.kind is Work.REPAIR and progress.percent > 2


@pytest.mark.long
def test_a_repair_that_the_power_ended_is_told_and_done_again(rack: Rack) -> None:
    stripes = range(200, 400, 4)
    for stripe in stripes:
        flip(rack, 2, stripe)
    found = rack.exec(["rackeye", "check", "start", "vd0", "--watch"], timeout=240)
    assert (found.rc, result(snapshot(rack)).wrong_count) == (1, len(stripes))
    bitmap = "mdadm -X $(readlink -f /dev/disk/by-bay/0) | tr -s ' '"
    rack.wait_until(lambda: ", 0 dirty" in rack.sh(bitmap), 120, "nothing is written")
    rack.sh("rackeye check repair vd0 --yes", 60)
    until(rack, repairing, "it runs")
    rack.power_cut()
    rack.boot()
    told = until(rack, lambda s: bool(s.virtual_drives) and is_whole(s, "vd0"), "it runs again", 120)
    assert "A repair of them was cut off" in result(told).detail
    assert [job.kind for job in told.jobs if job.state is JobState.INTERRUPTED] == ["repair"]
    done = rack.exec(["rackeye", "check", "repair", "vd0", "--yes", "--watch"], timeout=240)
    assert done.rc == 0, done.stdout + done.stderr
    told = snapshot(rack)
    assert (result(told).verdict, "cut off" in result(told).detail) == (CheckVerdict.CLEAN, False)
    assert not any(job.state is JobState.INTERRUPTED for job in told.jobs)


def test_a_killed_check_holds_no_write(rack: Rack) -> None:
    percent(rack, 5)
    rack.sh("rackeye check start vd0; sleep 4")
    rack.sh(HOLD)  # as one in a second look
    rack.sh("systemctl kill --signal=KILL 'rackeye-job-vd0-check-*'")
    rack.wait_until(
        lambda: rack.sh("cat /sys/block/md127/md/suspend_hi").strip() == "0", 30, "systemd has let the range go"
    )
    rack.sh(HOLD)
    rack.sh("systemctl restart rackeye-raidd")
    assert rack.sh("cat /sys/block/md127/md/suspend_hi").strip() == "0"


def jump(rack: Rack, ahead: str) -> None:
    rack.sh(f"date -s '{ahead}'")


def checking(told: RaidSnapshot) -> float:
    """Per cent of a check that runs; 0 when none does."""
    progress = vd(told, "vd0").progress
    return progress.percent if progress is not None and progress.kind is Work.CHECK else 0.0


@pytest.mark.long
def test_what_came_by_itself_ends_with_the_quiet_hours_and_goes_on_in_the_next(rack: Rack) -> None:
    percent(rack, 1)
    rack.sh("rackeye rate set patrol 1")
    hour = int(rack.sh("date +%H"))
    hours = f"{hour}-{(hour + 2) % 24}"
    rack.exec(["rackeye", "check", "schedule", "--days", "7", "--patrol-days", "0", "--quiet", hours], check=True)
    jump(rack, "8 days")
    until(rack, lambda s: checking(s) > 1, "a check has begun by itself", 120)
    jump(rack, "2 hours")
    told = until(rack, lambda s: vd(s, "vd0").progress is None, "its hours are over", 90)
    seen = result(told)
    assert (1 < seen.percent < 90, "The check after it: It was" in seen.detail) == (True, True), seen
    (upkeep,) = told.upkeep
    assert upkeep.next_check is not None
    assert 20 * 3600 < upkeep.next_check - clock(rack) < 23 * 3600
    jump(rack, "22 hours")
    told = until(rack, lambda s: checking(s) > 1, "it goes on by itself", 120)
    assert checking(told) >= seen.percent - 1
    percent(rack, 100)
    told = until(rack, lambda s: vd(s, "vd0").progress is None, "it has ended", 240)
    assert (result(told).verdict, result(told).percent) == (CheckVerdict.CLEAN, 100.0)

    rack.exec(["rackeye", "check", "schedule", "--patrol-days", "7"], check=True)
    until(rack, lambda s: s.patrol.running and (s.patrol.percent or 0) > 1, "a patrol read has begun by itself", 120)
    jump(rack, "2 hours")
    told = until(rack, lambda s: not s.patrol.running, "its hours are over, too", 90)
    far = told.patrol.percent
    assert far is not None
    assert far > 1
    jump(rack, "22 hours")
    told = until(rack, lambda s: s.patrol.running and (s.patrol.percent or 0) > 1, "it goes on by itself", 120)
    assert (told.patrol.percent or 0) >= far - 1
    rack.sh("rackeye rate set patrol 100")
    told = until(rack, lambda s: not s.patrol.running, "it has ended", 240)
    assert told.patrol.finished is not None
    assert {drive.bay for drive in told.drives if drive.bay is not None} == set(range(8)), "all of them are there"
