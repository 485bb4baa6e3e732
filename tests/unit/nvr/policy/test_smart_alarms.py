"""nvr.policy: drives that are expected to fail, and those that are refused."""

from dataclasses import replace

import pytest

from hw.model import TrayCondition
from nvr.alarms.model import Level
from nvr.policy.decide import Memory, SetTrays, decide
from raid.model import Drive, DriveState, VdState
from raid.smart_model import Smart, SmartHealth
from tests.unit.nvr.policy.worlds import (
    MEMBERS,
    NOW,
    codes,
    drive,
    raid,
    trays,
    with_bay_2,
    world,
)

DOOMED = Smart(SmartHealth.FAILING, "The drive itself says that it is failing.", read=NOW)
TIRED = Smart(SmartHealth.WATCH, "8 sectors were reallocated.", read=NOW)


def test_a_drive_that_is_expected_to_fail_is_an_alarm_before_it_fails() -> None:
    decision = decide(world(raid(drive(2, DriveState.SHIELD, smart=DOOMED))), Memory(), NOW)
    (alarm,) = decision.memory.open
    assert (alarm.code, alarm.level, alarm.sounds) == ("ALARM-121", Level.WARNING, False)
    assert alarm.text == (
        "The drive of vd0 in bay 2 (RACK DISK SN2) is expected to fail. The drive itself says that it is failing."
    )
    assert "bay 2" in alarm.hint
    assert "while vd0 is Optimal" in alarm.hint
    assert trays(decision) == [with_bay_2(TrayCondition.FAILED)]


def test_nobody_is_led_to_pull_it_while_all_would_be_lost() -> None:
    """Its amber LED means "replace it"; another drive is out, so that comes after the rebuild."""
    told = raid(drive(2, DriveState.SHIELD, smart=DOOMED), drive(1, DriveState.MISSING))
    (vd,) = told.virtual_drives
    degraded = replace(told, virtual_drives=(replace(vd, state=VdState.DEGRADED, tolerance=0),))
    shown = MEMBERS | {1: TrayCondition.FAILED, 2: TrayCondition.MEMBER}
    assert trays(decide(world(degraded), Memory(), NOW)) == [SetTrays(tuple(shown.items()))]


@pytest.mark.parametrize(("smart", "code"), [(DOOMED, "ALARM-121"), (TIRED, "ALARM-122")])
def test_a_drive_that_cannot_be_read_for_a_while_is_not_well_by_that(smart: Smart, code: str) -> None:
    state = DriveState.SHIELD if smart is DOOMED else DriveState.ONLINE
    memory = decide(world(raid(drive(2, state, smart=smart))), Memory(), NOW).memory
    assert [alarm.code for alarm in memory.open] == [code]
    memory = decide(world(raid(drive(2))), memory, NOW + 1).memory
    assert [alarm.code for alarm in memory.open] == [code]
    memory = decide(world(raid(drive(2, smart=Smart(SmartHealth.GOOD)))), memory, NOW + 2).memory
    assert memory.open == ()

def test_the_alarm_of_a_failing_drive_ends_with_the_drive() -> None:
    memory = decide(world(raid(drive(2, DriveState.SHIELD, smart=DOOMED))), Memory(), NOW).memory
    missing = raid(drive(2, DriveState.MISSING), state=VdState.DEGRADED)
    decision = decide(world(missing), memory, NOW + 1)
    assert codes(decision) == ["ALARM-101", "ALARM-102"]
    new = replace(drive(2, smart=Smart(SmartHealth.GOOD)), serial="NEW2")
    assert decide(world(raid(new)), decision.memory, NOW + 2).memory.open == ()


def test_a_failing_replacement_is_refused_aloud() -> None:
    missing = drive(2, DriveState.MISSING)
    new = Drive(
        2, "NEW2", "RACK DISK", 512 << 20, "/dev/sdk", DriveState.SHIELD, "vd0 is not rebuilt on it.", refused=True,
        smart=DOOMED,
    )  # fmt: skip
    assert codes(decide(world(raid(missing, new, state=VdState.DEGRADED)), Memory(), NOW)) == [
        "ALARM-101", "ALARM-102", "ALARM-104", "ALARM-121",
    ]  # fmt: skip
