"""S.M.A.R.T. on the rack: a drive that foretells its failure is in Shield, told by alarm, page and command line, until
it is replaced; smartctl that hangs, is missing or talks nonsense is said once and stops nothing."""

import json
from typing import Any

import pytest

from nvr.alarms.model import Alarm
from raid.model import Drive, DriveState, VdState
from raid.smart_model import SmartHealth
from rig.daemons import policy
from rig.rack import DriveKind, Rack, SmartMood
from rig.smart_documents import nvme
from tests.rig.raid_rig import create, in_bay, is_whole, snapshot, until, vd

pytestmark = [pytest.mark.rig, pytest.mark.rack(drives=5)]


def cli(rack: Rack, *words: str) -> Any:
    return json.loads(rack.exec(["rackeye", *words, "--json"], check=True).stdout)


def drive(rack: Rack, bay: int) -> Drive:
    return next(row for row in in_bay(snapshot(rack), bay) if row.device is not None)


def ask(rack: Rack, bay: int) -> None:
    """As a person does who does not want to wait for half an hour."""
    rack.exec(["rackeye", "drive", "smart", "--bay", str(bay), "--read"], check=True)


def until_health(rack: Rack, bay: int, health: SmartHealth, timeout: float = 30.0) -> Drive:
    rack.wait_until(lambda: drive(rack, bay).smart.health is health, timeout, f"bay {bay} to be {health}")
    return drive(rack, bay)


def alarm(rack: Rack, code: str) -> list[Alarm]:
    return [one for one in policy(rack).alarms if one.code == code]


def test_drives_are_read_when_they_come(rack: Rack) -> None:
    """The rack's drives (LIO) say that they are well, and nothing else."""
    until(rack, lambda told: {d.state for d in told.drives if d.bay is not None} == {DriveState.BLANK}, "five blank")
    for bay in range(5):
        said = until_health(rack, bay, SmartHealth.GOOD).smart
        assert (said.figures.protocol, said.figures.passed) == ("SCSI", True)
        assert (said.figures.temperature, said.figures.hours, said.figures.pending) == (None, None, None)
        assert said.read is not None
    create(rack, bays=(0, 1, 2))
    until(rack, lambda told: is_whole(told, "vd0"), "vd0 to be whole")


def test_a_foretold_failure_is_shield_and_an_alarm_while_the_drive_works(rack: Rack) -> None:
    rack.smart(1, SmartMood.FAILING)
    ask(rack, 1)
    found = until_health(rack, 1, SmartHealth.FAILING)
    assert (found.state, found.vd) == (DriveState.SHIELD, "vd0")
    assert "The drive itself says that it is failing" in found.detail
    assert (found.smart.figures.temperature, found.smart.figures.reallocated) == (34, 1975)
    whole = vd(snapshot(rack), "vd0")
    assert (whole.state, whole.tolerance) == (VdState.OPTIMAL, 1)  # it is not taken out
    (said,) = rack.wait_until(lambda: alarm(rack, "ALARM-121"), 10, "the alarm")
    assert "in bay 1" in said.text
    assert "while vd0 is Optimal" in said.hint
    rack.wait_until(lambda: rack.led("bay1:amber:status") == "on", 10, "amber")
    shown = rack.exec(["rackeye", "drive", "show", "1"], check=True).stdout
    assert "Shield" in shown
    assert "Failing" in shown
    assert "FAILED" in shown
    assert "1975" in rack.exec(["rackeye", "drive", "smart"], check=True).stdout
    kept = cli(rack, "drive", "smart", "--bay", "1", "--history")["history"]["records"]
    assert [one["health"] for one in kept] == ["Failing", "Good"]


def test_it_is_so_from_the_first_look_after_a_restart(rack: Rack) -> None:
    number = alarm(rack, "ALARM-121")[0].id
    rack.smart(1, SmartMood.GARBAGE)  # it cannot be read again
    rack.exec(["systemctl", "restart", "rackeye-raidd"], check=True)
    assert drive(rack, 1).state is DriveState.SHIELD
    assert [one.id for one in alarm(rack, "ALARM-121")] == [number]
    ask(rack, 1)
    rack.wait_until(lambda: any("bay 1" in said for said in snapshot(rack).problems), 30, "the problem to be said")
    assert drive(rack, 1).state is DriveState.SHIELD
    assert [one.id for one in alarm(rack, "ALARM-121")] == [number]


def test_a_failing_drive_is_not_used_for_a_rebuild_and_a_good_one_ends_it(rack: Rack) -> None:
    rack.pull(1)
    until(rack, lambda told: vd(told, "vd0").state is VdState.DEGRADED, "vd0 to be Degraded")
    # raidd was started anew a moment ago: for up to a minute a drive that is not there may still come.
    rack.wait_until(lambda: not alarm(rack, "ALARM-121"), 90, "the alarm to end with the drive")
    rack.smart(4, SmartMood.FAILING)
    ask(rack, 4)
    doomed = until_health(rack, 4, SmartHealth.FAILING)
    assert doomed.state is DriveState.SHIELD  # blank, and nothing is made of it
    rack.pull(4)
    rack.insert(1, serial=doomed.serial)
    rack.wait_until(lambda: alarm(rack, "ALARM-104"), 20, "the drive to be refused")
    (here,) = [row for row in in_bay(snapshot(rack), 1) if row.device is not None]
    assert (here.state, here.refused) == (DriveState.SHIELD, True)
    assert "vd0 is not rebuilt on it" in here.detail
    rack.pull(1)
    new = rack.insert(1, DriveKind.BLANK)
    until(rack, lambda told: is_whole(told, "vd0"), "vd0 to be whole", 120)
    found = until_health(rack, 1, SmartHealth.GOOD)
    assert (found.serial, found.state) == (new, DriveState.ONLINE)
    rack.wait_until(lambda: rack.led("bay1:amber:status") == "off", 10, "amber off")
    assert not alarm(rack, "ALARM-121")


def test_a_drive_to_watch(rack: Rack) -> None:
    rack.smart(2, nvme("X", spare=55, used=93, temperature=48))
    ask(rack, 2)
    found = until_health(rack, 2, SmartHealth.WATCH)
    assert found.state is DriveState.ONLINE
    assert found.smart.figures.wear == 93
    (said,) = rack.wait_until(lambda: alarm(rack, "ALARM-122"), 10, "the notice")
    assert "93 % of its rated endurance is used" in said.text


@pytest.mark.long
def test_asleep_garbage_hanging_and_missing_are_said_once_and_stop_nothing(rack: Rack) -> None:
    rack.smart(2, SmartMood.ASLEEP)
    ask(rack, 2)
    rack.wait_until(lambda: drive(rack, 2).smart.asleep, 15, "bay 2 to sleep")
    assert drive(rack, 2).smart.figures.wear == 93  # its last word stays, with its age
    rack.smart(0, SmartMood.GARBAGE)
    ask(rack, 0)
    assert "no JSON" in until_health(rack, 0, SmartHealth.UNKNOWN).smart.detail
    rack.smart(3, SmartMood.HANG)
    ask(rack, 3)
    rack.wait_until(lambda: "sleep 3600" in rack.sh("ps -eo args"), 15, "smartctl to hang")
    looks = rack.sh("busctl get-property org.rackeye.Raid1 /org/rackeye/Raid1 org.rackeye.Raid1 Generation")
    rack.pull(2)  # looks go on while one drive hangs
    until(rack, lambda told: vd(told, "vd0").state is VdState.DEGRADED, "vd0 to be Degraded", 10)
    assert looks != rack.sh("busctl get-property org.rackeye.Raid1 /org/rackeye/Raid1 org.rackeye.Raid1 Generation")
    assert "sleep 3600" in rack.sh("ps -eo args")
    found = until_health(rack, 3, SmartHealth.UNKNOWN, 40)
    assert "No answer in 20 s" in found.smart.detail
    problems = snapshot(rack).problems
    assert [("bay 0" in said, "bay 3" in said) for said in problems] == [(True, False), (False, True)]
    for bay in (0, 3):
        rack.smart(bay, SmartMood.REAL)
        ask(rack, bay)
        until_health(rack, bay, SmartHealth.GOOD)
    assert snapshot(rack).problems == ()
    rack.sh("rm /usr/local/sbin/smartctl /usr/sbin/smartctl")
    ask(rack, 0)
    ask(rack, 3)
    rack.wait_until(lambda: len(snapshot(rack).problems) == 1, 15, "the one problem")
    (said,) = snapshot(rack).problems
    assert said.startswith("S.M.A.R.T. of the drives cannot be read: smartctl cannot be started")
    assert "apt-get install smartmontools" in said
    assert drive(rack, 0).smart.health is SmartHealth.UNKNOWN
    journal = rack.journal(400, "-u", "rackeye-raidd")
    assert journal.count("S.M.A.R.T. of the drives cannot be read") == 1
    assert journal.count("serial RK000004) cannot be read") == 1
    rack.insert(2)
    until(rack, lambda told: is_whole(told, "vd0"), "vd0 to be whole again", 120)
