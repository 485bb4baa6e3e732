"""What raidd tells of drives and virtual drives, as trays and alarms."""

from dataclasses import replace

import pytest

from hw.model import TrayCondition
from nvr.alarms.model import Level
from nvr.policy.decide import Memory, decide
from nvr.policy.trays import conditions
from nvr.policy.world import World
from raid.model import CheckResult, CheckVerdict, DriveState, RaidSnapshot, VdState
from raid.model_care import BadBlocks, BadPlace, PatrolView
from tests.unit.nvr.policy.worlds import (
    NOW,
    codes,
    drive,
    raid,
    vd,
    world,
)


def test_a_rebuild_without_a_failure_before_it_is_no_drive_alarm() -> None:
    assert codes(decide(world(raid(drive(1, DriveState.REBUILD))), Memory(), NOW)) == []


@pytest.mark.parametrize(
    ("states", "shown"),
    [
        ((DriveState.MISSING, DriveState.BLANK), TrayCondition.FAILED),
        ((DriveState.MISSING, DriveState.FOREIGN), TrayCondition.FAILED),
        ((DriveState.REBUILD,), TrayCondition.REBUILD),
        ((DriveState.COPYBACK,), TrayCondition.REBUILD),
        ((DriveState.FAILED, DriveState.REBUILD), TrayCondition.FAILED),
        ((DriveState.ONLINE,), TrayCondition.MEMBER),
        ((DriveState.ONLINE, DriveState.MISSING), TrayCondition.FAILED),
        ((DriveState.UNKNOWN,), TrayCondition.NONE),
        ((DriveState.OFFLINE,), TrayCondition.NONE),
    ],
)
def test_trays(states: tuple[DriveState, ...], shown: TrayCondition) -> None:
    assert conditions(tuple(drive(3, state) for state in states)).get(3, TrayCondition.NONE) is shown


@pytest.mark.parametrize("state", [
    DriveState.FOREIGN, DriveState.BLANK, DriveState.UNCONFIGURED_BAD, DriveState.STALE, DriveState.SHIELD,
])
def test_a_replacement_that_is_refused_says_why(state: DriveState) -> None:
    unused = drive(2, state, vd=None, slot=None, detail="It holds ext4.", refused=True)
    decision = decide(world(raid(drive(2, DriveState.MISSING), unused)), Memory(), NOW)
    alarm = next(alarm for alarm in decision.memory.open if alarm.code == "ALARM-104")
    assert "It holds ext4." in alarm.text
    assert "rackeye drive clear --bay 2" in alarm.hint


@pytest.mark.parametrize(
    ("snapshot", "code"),
    [
        (raid(state=VdState.FAILED), "ALARM-103"),
        (raid(state=VdState.PARTIALLY_DEGRADED), "ALARM-102"),
        (raid(checks=(CheckResult("vd0", CheckVerdict.WRONG, NOW, 9, (4,), 1, "Stripe 4."),)), "ALARM-105"),
        (raid(problems=("mdadm is missing.",)), "ALARM-402"),
    ],
)
def test_storage_conditions(snapshot: RaidSnapshot, code: str) -> None:
    assert codes(decide(world(snapshot), Memory(), NOW)) == [code]


def bad_place(*, rewritten: bool, serial: str = "SN2") -> BadPlace:
    return BadPlace(2, serial, "/dev/sdc", 4096, 8, rewritten, "vd0", 17, "Stripe 17 of vd0.")


@pytest.mark.parametrize(
    ("places", "text", "hint"),
    [
        ((bad_place(rewritten=True),), "0 places cannot be read, 1 were written anew", "Watch it"),
        ((bad_place(rewritten=False), bad_place(rewritten=True)), "1 places cannot be read, 1 were", "replace --bay 2"),
    ],
)
def test_what_a_patrol_read_could_not_read_is_one_alarm_a_drive(
    places: tuple[BadPlace, ...], text: str, hint: str
) -> None:
    read = world(raid(patrol=PatrolView(bad=places)))
    decision = decide(read, Memory(), NOW)
    assert codes(decision) == ["ALARM-131"]
    (alarm,) = decision.memory.open
    assert text in alarm.text
    assert "Stripe 17 of vd0." in alarm.text
    assert hint in alarm.hint
    assert (alarm.bay, alarm.serial) == (2, "SN2")
    assert len(decide(read, decision.memory, NOW + 60).memory.open) == 1, "not once more at the next look"
    two = raid(patrol=PatrolView(bad=(*places, bad_place(rewritten=True, serial="SN3"))))
    assert codes(decide(world(two), decision.memory, NOW + 60)) == ["ALARM-131", "ALARM-131"]
    later = decide(world(), decision.memory, NOW + 90)
    assert codes(later) == []
    assert "met none" in later.memory.cleared[0].cleared_text


def test_bad_blocks_of_members_are_alarms_and_what_is_lost_sounds() -> None:
    def lacking(*bad: BadBlocks) -> World:
        return world(replace(raid(), virtual_drives=(replace(vd(), bad_blocks=bad),)))

    first = decide(lacking(BadBlocks(2, "SN2", 3, 12288, 0)), Memory(), NOW)
    assert codes(first) == ["ALARM-132"]
    (alarm,) = first.memory.open
    assert "bay 2 (serial SN2) lacks 12.3 kB of vd0 in 3 place(s)" in alarm.text
    assert "rackeye drive replace --bay 2" in alarm.hint
    lost = (BadBlocks(2, "SN2", 3, 12288, 4096), BadBlocks(3, "SN3", 1, 4096, 4096))
    second = decide(lacking(*lost), first.memory, NOW + 10)
    assert codes(second) == ["ALARM-132", "ALARM-132", "ALARM-133"]
    assert [alarm.text for alarm in second.memory.open if alarm.sounds] == [
        "4.1 kB of a drive of vd0 can be had from no other drive (bays 2, 3)."
    ]
    assert codes(decide(lacking(), second.memory, NOW + 20)) == []


def test_a_stripe_that_may_be_torn_is_an_alarm_until_raidd_has_nothing_to_tell_of_it() -> None:
    def torn(state: VdState, at: float = NOW - 60) -> World:
        return world(replace(raid(), virtual_drives=(replace(vd(), state=state, torn=at),)))

    first = decide(torn(VdState.DEGRADED), Memory(), NOW)
    assert codes(first) == ["ALARM-102", "ALARM-136"]
    (alarm,) = [alarm for alarm in first.memory.open if alarm.code == "ALARM-136"]
    assert (alarm.level, alarm.title) == (Level.WARNING, "A stripe may be torn")
    assert "rackeye check start vd0" in alarm.hint
    second = decide(torn(VdState.OPTIMAL), first.memory, NOW + 10)
    assert codes(second) == ["ALARM-136"], "it is whole again, and nobody has checked it"
    assert codes(decide(torn(VdState.OPTIMAL, 0.0), second.memory, NOW + 20)) == []
