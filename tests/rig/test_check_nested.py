"""The check of a RAID60 as a person knows it: one check over both spans, stopped, gone on with after a power cut, wrong
stripes named with span, stripe and bay, repaired, and begun by itself."""

import os
from pathlib import Path

import pytest

from raid.model import CheckResult, CheckVerdict, DriveState, RaidSnapshot, Work
from rig.rack import Rack
from tests.rig.raid_rig import hurry, is_whole, snapshot, until, vd

pytestmark = [pytest.mark.rig]

STRIP = 64 * 1024


def result(told: RaidSnapshot) -> CheckResult:
    (one,) = told.checks  # one of the whole, none of a span
    assert one.vd == "vd0"
    return one


def flip(rack: Rack, bay: int, stripe: int) -> None:
    """Turns 64 bytes over on one drive, behind md's back; twice mends them."""
    device = rack.sh(f"basename $(readlink -f /dev/disk/by-bay/{bay})").strip()
    offset = int(rack.sh(f"cat /sys/block/md*/md/dev-{device}/offset")) * 512
    with Path(rack.drive_file(bay)).open("r+b") as file:
        file.seek(offset + stripe * STRIP + 4096)
        other = bytes(byte ^ 0x5A for byte in file.read(64))
        file.seek(-64, os.SEEK_CUR)
        file.write(other)


def percent_done(told: RaidSnapshot) -> float:
    """Of the check that runs, 0 when there is none."""
    progress = vd(told, "vd0").progress
    return progress.percent if progress is not None and progress.kind is Work.CHECK else 0.0


def check_runs(rack: Rack, *, beyond: float) -> float:
    return percent_done(until(rack, lambda s: percent_done(s) > beyond, f"a check beyond {beyond} %", 180))


def test_one_check_over_both_spans_stopped_cut_off_and_gone_on_with(rack: Rack) -> None:
    hurry(rack)
    until(rack, lambda s: sum(d.state is DriveState.BLANK for d in s.drives) == 8, "eight blank drives")
    rack.exec(["rackeye", "vd", "create", "--level", "60", "--bays", "0-7", "--spans", "2", "--strip", "64K", "--name",
               "vd0", "--yes", "--no-wait"], 60, check=True)
    until(rack, lambda s: bool(s.virtual_drives) and is_whole(s, "vd0"), "it is whole", 300)
    assert [one.vd for one in snapshot(rack).upkeep] == ["vd0"]
    rack.sh("rackeye rate set check 25")
    said = rack.exec(["rackeye", "check", "start", "vd0"], check=True).stdout
    assert "span after span (2)" in said
    check_runs(rack, beyond=1)
    refused = rack.exec(["rackeye", "check", "start", "vd0"])
    assert (refused.rc, "runs already" in refused.stderr) == (1, True)
    rack.sh("rackeye check stop vd0")
    stopped = until(rack, lambda s: vd(s, "vd0").progress is None and bool(s.checks), "it is stopped", 30)
    left = result(stopped)
    assert left.verdict is CheckVerdict.STOPPED
    assert left.percent > 0.9
    rack.sh("rackeye rate set check 60")
    rack.sh("rackeye check start vd0")
    rack.wait_until(lambda: check_runs(rack, beyond=50) > 50, 200, "it is in the second span")
    rack.power_cut()
    rack.boot()
    told = until(rack, lambda s: bool(s.virtual_drives) and is_whole(s, "vd0"), "it runs again", 120)
    assert result(told).percent > 48
    rack.sh("rackeye rate set check 100")
    on = rack.exec(["rackeye", "check", "start", "vd0", "--watch"], timeout=240)
    assert on.rc == 0, on.stdout + on.stderr
    ended = result(snapshot(rack))
    assert (ended.verdict, ended.percent, ended.wrong_count) == (CheckVerdict.CLEAN, 100.0, 0)


def test_wrong_stripes_are_named_with_span_and_bay_and_repaired(rack: Rack) -> None:
    flip(rack, 1, stripe=100)
    flip(rack, 6, stripe=100)
    found = rack.exec(["rackeye", "check", "start", "vd0", "--watch"], timeout=240)
    assert found.rc == 1
    assert "Wrong stripes: span 1 stripe 100 (bay 1), span 2 stripe 100 (bay 6)" in found.stdout
    rack.wait_until(lambda: "span 2 stripe 100 (bay 6)" in rack.sh("rackeye alarm --json"), 20, "the alarm")
    planned = rack.exec(["rackeye", "check", "repair", "vd0", "--dry-run"], check=True).stdout
    assert "span 2: 100" in planned
    done = rack.exec(["rackeye", "check", "repair", "vd0", "--yes", "--watch"], timeout=240)
    assert done.rc == 0, done.stdout + done.stderr
    assert "2 of 2 stripes were repaired and read again" in result(snapshot(rack)).detail
    again = rack.exec(["rackeye", "check", "start", "vd0", "--watch"], timeout=240)
    assert again.rc == 0, again.stdout + again.stderr


def test_it_comes_by_itself_as_one_check(rack: Rack) -> None:
    rack.sh("rackeye rate set check 30; rm /var/lib/rackeye/raid/check-vd0.json; systemctl restart rackeye-raidd")
    rack.sh("rackeye check schedule --days 7 --quiet 0-0")
    check_runs(rack, beyond=0.5)
    jobs = rack.sh("systemctl list-units --no-legend 'rackeye-job-*'")
    assert (jobs.count("rackeye-job-vd0-check"), jobs.count("rackeye-job-")) == (1, 1)
    rack.sh("rackeye check stop vd0")


def test_of_a_span_that_is_not_whole_nothing_is_said(rack: Rack) -> None:
    rack.sh("rackeye check schedule --days 0")
    rack.pull(7)
    until(rack, lambda s: vd(s, "vd0").tolerance == 1, "it is seen", 30)
    refused = rack.exec(["rackeye", "check", "start", "vd0"])
    assert (refused.rc, "vd0.2of2 is not whole" in refused.stderr) == (1, True)
