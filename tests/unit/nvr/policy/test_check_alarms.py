"""What checks could not do, or could not read, is told: nvr.policy, by tables."""

from dataclasses import replace

from nvr.alarms.model import Health
from nvr.policy.decide import Memory, decide, health
from raid.model import CheckResult, CheckVerdict, DriveState, Progress, VdState, Work
from raid.model_care import BadBlocks, BadPlace, PatrolView, WrongPlace
from raid.scrub_result import LISTED
from tests.unit.nvr.policy.worlds import NOW, codes, drive, raid, vd, world

FAILED = CheckResult("vd0", CheckVerdict.FAILED, NOW, 9, (), 0, "A member went away.", 0.0, NOW)
BLIND = replace(FAILED, detail="1 places could not be read.", percent=100.0, places=(
    WrongPlace(-1, None, 1, (2,), (2,), lba=800, why="Input/output error"),
))
CLEAN = replace(FAILED, verdict=CheckVerdict.CLEAN, detail="All agree.", percent=100.0)


def test_a_check_that_was_not_done_is_told_softly_until_one_has_come_to_its_end() -> None:
    degraded = raid(drive(2, DriveState.MISSING), state=VdState.DEGRADED, checks=(FAILED,))
    assert codes(decide(world(degraded), Memory(), NOW)) == ["ALARM-101", "ALARM-102"], "they say what happened"
    first = decide(world(raid(checks=(FAILED,))), Memory(), NOW)
    assert codes(first) == ["ALARM-135"]
    assert "A member went away." in first.memory.open[0].text
    assert health(world(), first.memory) is Health.NOTICE
    checking = replace(vd(), progress=Progress(Work.CHECK, 5.0))
    for later in (
        replace(raid(), virtual_drives=(checking,)),
        raid(checks=(replace(CLEAN, percent=40.0),)),
        raid(checks=(replace(FAILED, verdict=CheckVerdict.STOPPED, percent=40.0),)),
        raid(state=VdState.PARTIALLY_DEGRADED, checks=(FAILED,)),
    ):
        assert "ALARM-135" in codes(decide(world(later), first.memory, NOW + 60))
    assert codes(decide(world(raid(checks=(CLEAN,))), first.memory, NOW + 90)) == []
    stopped = raid(checks=(replace(CLEAN, percent=40.0),))
    assert codes(decide(world(stopped), Memory(), NOW)) == [], "by a person, or the end of the night"


def test_what_a_check_could_not_read_is_an_alarm_unless_the_drive_has_one_of_its_own() -> None:
    first = decide(world(raid(checks=(BLIND,))), Memory(), NOW)
    assert codes(first) == ["ALARM-134"]
    assert "1 places could not be read." in first.memory.open[0].text
    broke_off = raid(checks=(replace(BLIND, percent=0.0),))
    assert codes(decide(world(broke_off), Memory(), NOW)) == ["ALARM-134"]
    assert codes(decide(world(raid(checks=(CLEAN,))), first.memory, NOW + 60)) == []
    listed = replace(BLIND, places=(replace(BLIND.places[0], why=LISTED),))
    lacking = replace(vd(), bad_blocks=(BadBlocks(2, "SN2", 1, 4096, 0),))
    told_by_md = replace(raid(checks=(listed,)), virtual_drives=(lacking,))
    assert codes(decide(world(told_by_md), Memory(), NOW)) == ["ALARM-132"]
    for lba, told in ((804, ["ALARM-131"]), (808, ["ALARM-131", "ALARM-134"])):
        place = BadPlace(2, "SN2", "/dev/sdc", lba, 8, rewritten=False, vd="vd0", stripe=1, detail="x")
        snapshot = raid(checks=(BLIND,), patrol=PatrolView(bad=(place,)))
        assert codes(decide(world(snapshot), Memory(), NOW)) == told
