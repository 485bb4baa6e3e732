"""nvr.policy: from the words of the daemons to alarms and trays, by tables."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boot.model import BoxSnapshot, Intent, Mode
from hw.model import Conditions, FanSnapshot, Sensor, SensorKind, SensorState, TrayCondition
from nvr.alarms.kinds import all_kinds
from nvr.alarms.kinds.condition import Condition
from nvr.alarms.kinds.recording import NoVolume
from nvr.alarms.kinds.storage import VdOffline
from nvr.alarms.model import Health
from nvr.policy.decide import SILENCE_GRACE, Memory, SetConditions, acknowledge, decide, health
from nvr.policy.world import Word
from nvr.recorder.model import CameraState, RecorderSnapshot, VolumeState
from raid.model import DriveState, VdState
from raid.smart_model import Smart
from tests.unit.nvr.policy.worlds import (
    CAMERA,
    NOW,
    VOLUME,
    codes,
    drive,
    panel,
    raid,
    trays,
    with_bay_2,
    world,
)


def test_all_is_well() -> None:
    decision = decide(world(), Memory(), NOW)
    assert decision.actions == ()
    assert decision.memory == Memory()
    assert health(world(), decision.memory) is Health.GOOD


def test_a_failed_drive_lights_amber_and_raises_an_alarm_that_stays_until_mended() -> None:
    pulled = raid(drive(2, DriveState.MISSING), state=VdState.DEGRADED)
    first = decide(world(pulled), Memory(), NOW)
    assert trays(first) == [with_bay_2(TrayCondition.FAILED)]
    assert codes(first) == ["ALARM-101", "ALARM-102"]
    alarm = next(alarm for alarm in first.memory.open if alarm.code == "ALARM-101")
    assert "bay 2 (RACK DISK SN2) is missing" in alarm.text
    assert "Put a blank drive of 536.9 MB or more into bay 2" in alarm.hint
    assert (alarm.bay, alarm.serial, alarm.vd, alarm.raised) == (2, "SN2", "vd0", NOW)

    rebuilding = raid(replace(drive(2, DriveState.REBUILD), serial="NEW"), state=VdState.DEGRADED)
    second = decide(world(rebuilding, panel(bay2=TrayCondition.FAILED)), first.memory, NOW + 60)
    assert trays(second) == [with_bay_2(TrayCondition.REBUILD)]
    assert codes(second) == ["ALARM-101", "ALARM-102"]
    assert {alarm.raised for alarm in second.memory.open} == {NOW}
    assert "Wait for the rebuild" in next(a.hint for a in second.memory.open if a.code == "ALARM-101")

    third = decide(world(raid(), panel(bay2=TrayCondition.REBUILD)), second.memory, NOW + 90)
    assert trays(third) == [with_bay_2(TrayCondition.MEMBER)]
    assert codes(third) == []
    assert {alarm.cleared for alarm in third.memory.cleared} == {NOW + 90}


@pytest.mark.parametrize(("state", "code"), [(VdState.FAILED, "ALARM-103"), (VdState.DEGRADED, "ALARM-102")])
@pytest.mark.parametrize("then", [VdState.UNKNOWN, VdState.OFFLINE])
def test_a_virtual_drive_is_not_well_by_being_read_stopped_or_started(
    state: VdState, code: str, then: VdState
) -> None:
    first = decide(world(raid(state=state)), Memory(), NOW)
    second = decide(world(raid(state=then)), first.memory, NOW + 5)
    assert (codes(first), codes(second), second.memory.cleared) == ([code], [code], ())
    third = decide(world(raid()), second.memory, NOW + 10)
    assert codes(third) == []


def test_the_trays_are_set_only_on_a_difference() -> None:
    pulled = raid(drive(2, DriveState.MISSING))
    assert trays(decide(world(pulled, panel(bay2=TrayCondition.FAILED)), Memory(), NOW)) == []


def test_what_the_panel_is_told_of_the_whole_chassis_and_only_once() -> None:
    pulled = raid(drive(2, DriveState.MISSING), state=VdState.DEGRADED)
    first = decide(world(pulled), Memory(), NOW)
    wanted = Conditions(alarms=("drive-failed/vd0/2", "vd-degraded/vd0"))
    assert SetConditions(wanted) in first.actions
    told = replace(panel(bay2=TrayCondition.FAILED), conditions=wanted)
    assert decide(world(pulled, told), first.memory, NOW).actions == ()
    [number] = [alarm.id for alarm in first.memory.open if alarm.code == "ALARM-101"]
    seen = decide(world(pulled, told), acknowledge(first.memory, number, NOW), NOW)
    assert seen.actions == (SetConditions(Conditions(alarms=("vd-degraded/vd0",))),), "what is acknowledged is quiet"


def test_heat_and_fans_reach_the_information_led() -> None:
    hot = Sensor("CPU", SensorKind.TEMPERATURE, 99.0, "°C", None, 90.0, SensorState.ALARM)
    slow = Sensor("Fan 1", SensorKind.FAN, 0.0, "rpm", 500.0, None, SensorState.ALARM)
    decision = decide(replace(world(), fan=Word("rackeye-fand", FanSnapshot("x", (hot, slow)), NOW)), Memory(), NOW)
    assert SetConditions(
        Conditions(overheat=True, fan=True, alarms=("fan-failed/Fan 1", "overheat/CPU"))
    ) in decision.actions


@pytest.mark.parametrize("kind", list(SensorKind))
def test_what_was_bad_is_not_good_by_being_unknown(kind: SensorKind) -> None:
    bad = Sensor("X", kind, None, "", None, None, SensorState.ALARM, "It says so.")
    first = decide(replace(world(), fan=Word("rackeye-fand", FanSnapshot("x", (bad,)), NOW)), Memory(), NOW)
    unknown = replace(bad, state=SensorState.UNKNOWN, detail="Reading 1 of 3.")
    later = replace(world(), fan=Word("rackeye-fand", FanSnapshot("x", (unknown,)), NOW))
    second = decide(later, first.memory, NOW + 2)
    assert codes(second) == codes(first)
    assert "That was its last word. Reading 1 of 3." in second.memory.open[0].text
    assert codes(decide(later, Memory(), NOW)) == ["ALARM-303"]


@pytest.mark.parametrize(
    ("state", "hint"),
    [
        (DriveState.MISSING, "Put a blank drive of"), (DriveState.FAILED, "Put a blank drive of"),
        (DriveState.REBUILD, "Wait for"), (DriveState.COPYBACK, "Wait for"),
        (DriveState.OFFLINE, "Leave the drive in bay 2"), (DriveState.STALE, "Leave the drive in bay 2"),
        (DriveState.UNKNOWN, "Leave the drive in bay 2"),
    ],
)
def test_nobody_is_led_to_pull_a_drive_that_may_be_needed(state: DriveState, hint: str) -> None:
    first = decide(world(raid(drive(2, DriveState.MISSING))), Memory(), NOW)
    second = decide(world(raid(drive(2, state))), first.memory, NOW + 5)
    (alarm,) = [alarm for alarm in second.memory.open if alarm.code == "ALARM-101"]
    assert alarm.hint.startswith(hint)


def test_the_fields_of_an_alarm_name_the_drive_that_its_text_names() -> None:
    first = decide(world(raid(drive(2, DriveState.MISSING))), Memory(), NOW)
    moved = replace(drive(2, DriveState.MISSING), bay=5, serial="SN0")
    (alarm,) = decide(world(raid(moved)), first.memory, NOW + 5).memory.open
    assert (alarm.bay, alarm.serial) == (5, "SN0")
    assert "bay 5" in alarm.text


@pytest.mark.parametrize(("state", "said"), [(SensorState.MISSING, "missing"), (SensorState.ALARM, "not good")])
def test_a_power_supply_reaches_the_information_led(state: SensorState, said: str) -> None:
    psu = Sensor("PSU 2", SensorKind.POWER, None, "W", None, None, state)
    decision = decide(replace(world(), fan=Word("rackeye-fand", FanSnapshot("x", (psu,)), NOW)), Memory(), NOW)
    assert SetConditions(Conditions(psu=True, alarms=("power-supply-failed/PSU 2",))) in decision.actions
    assert decision.memory.open[0].text == f"PSU 2 is {said}."


def test_every_kind_of_alarm_can_be_explained() -> None:
    assert {kind.code for kind in all_kinds()} == {kind.code for kind in Condition.__subclasses__()}


@pytest.mark.parametrize(
    ("kind", "state", "code"),
    [
        (SensorKind.TEMPERATURE, SensorState.ALARM, "ALARM-301"),
        (SensorKind.FAN, SensorState.ALARM, "ALARM-302"),
        (SensorKind.FAN, SensorState.MISSING, "ALARM-303"),
        (SensorKind.TEMPERATURE, SensorState.UNKNOWN, "ALARM-303"),
    ],
)
def test_chassis_conditions(kind: SensorKind, state: SensorState, code: str) -> None:
    fan = FanSnapshot(sensors=(Sensor("CPU", kind, None, "C", None, 80, state),))
    assert codes(decide(world(fan=fan), Memory(), NOW)) == [code]


@pytest.mark.parametrize("state", [s for s in CameraState if s.value not in ("disabled", "connecting", "recording")])
def test_a_camera_that_is_not_recorded(state: CameraState) -> None:
    recorder = RecorderSnapshot((replace(CAMERA, state=state),), (VOLUME,))
    assert codes(decide(world(recorder=recorder), Memory(), NOW)) == ["ALARM-202"]


def test_no_volume_is_one_loud_alarm() -> None:
    stopped = replace(CAMERA, state=CameraState.NO_VOLUME)
    gone = replace(VOLUME, state=VolumeState.UNMOUNTED)
    nothing = world(recorder=RecorderSnapshot((stopped, stopped), (gone,)))
    decision = decide(nothing, decide(nothing, Memory(), NOW - NoVolume.grace).memory, NOW)
    assert codes(decision) == ["ALARM-201"]
    assert "2 camera(s) are not recorded" in decision.memory.open[0].text
    assert health(world(), decision.memory) is Health.CRITICAL


def test_what_ends_by_itself_at_a_start_is_no_alarm() -> None:
    starting = world(raid(state=VdState.OFFLINE))
    first = decide(starting, Memory(), NOW)
    assert codes(first) == []
    assert first.again == pytest.approx(VdOffline.grace, abs=1)
    assert decide(world(), first.memory, NOW + 2).memory.pending == ()
    late = decide(starting, first.memory, NOW + VdOffline.grace)
    assert codes(late) == ["ALARM-106"]
    assert late.memory.pending == ()


LOST = "The record of the mode cannot be read (state.a and state.b)."


@pytest.mark.parametrize(
    ("box", "code", "hint"),
    [
        (BoxSnapshot(state_damaged=True, state_lost=LOST, problems=(LOST,)), "ALARM-411", "rackeye mode keep"),
        (BoxSnapshot(state_mended="One was.", problems=("One was.",)), "ALARM-412", "system drive"),
        (BoxSnapshot(intent=Intent.RESTORE, unfinished="Begun.", problems=("Begun.",)), "ALARM-413", "rackeye reboot"),
        (BoxSnapshot(Mode.FAILOVER, failover_runs=False), "ALARM-414", "failover.target"),
        (BoxSnapshot(Mode.FAILOVER, failover_runs=None), "ALARM-414", "failover.target"),
        (BoxSnapshot(problems=("The time is not known.",)), "ALARM-402", "journalctl"),
    ],
)
def test_one_alarm_for_each_thing_that_is_wrong_with_the_box(box: BoxSnapshot, code: str, hint: str) -> None:
    """Raised after its grace, with what to do; not twice by boxd's own words; cleared when it ends, and only then."""
    ripe = decide(world(box=box), decide(world(box=box), Memory(), NOW).memory, NOW + 61)
    assert codes(ripe) == [code]
    assert hint in ripe.memory.open[0].hint
    assert code in codes(decide(world(silent=("box",)), ripe.memory, NOW + 62)), "silence ends nothing"
    well = replace(box, state_damaged=False, state_lost="", state_mended="", intent=Intent.NONE, unfinished="",
                   problems=(), failover_runs=True)
    ended = decide(world(box=well), ripe.memory, NOW + 63)
    assert codes(ended) == []
    assert ended.memory.cleared[0].cleared_text


@pytest.mark.parametrize("box", [BoxSnapshot(unfinished="Begun."), BoxSnapshot(Mode.FAILOVER, failover_runs=False)])
def test_what_the_reboot_under_way_will_finish_is_no_alarm(box: BoxSnapshot) -> None:
    going = world(box=replace(box, going_down=True))
    assert codes(decide(going, decide(going, Memory(), NOW).memory, NOW + 300)) == []


def test_boxd_gone_is_an_alarm_and_unknown() -> None:
    gone = world(silent=("box",))
    assert codes(decide(gone, Memory(), NOW + SILENCE_GRACE)) == ["ALARM-401"]
    assert health(gone, Memory()) is Health.UNKNOWN
    assert codes(decide(world(), decide(gone, Memory(), NOW + SILENCE_GRACE).memory, NOW + 20)) == []


def test_a_redundant_server_has_no_recorder_and_that_is_no_alarm() -> None:
    redundant = world(box=BoxSnapshot(Mode.FAILOVER, failover_runs=True), silent=("recorder",))
    assert codes(decide(redundant, Memory(), NOW + 100)) == []
    assert health(redundant, Memory()) is Health.GOOD
    before = decide(world(silent=("recorder",)), Memory(), NOW + SILENCE_GRACE)
    assert codes(before) == ["ALARM-401"]
    assert codes(decide(redundant, before.memory, NOW + 100)) == []


def test_no_cameras_and_no_volume_is_no_alarm() -> None:
    assert codes(decide(world(recorder=RecorderSnapshot()), Memory(), NOW)) == []


def test_what_a_silent_daemon_watches_stays_as_it_was() -> None:
    failed = decide(world(raid(drive(2, DriveState.MISSING))), Memory(), NOW)
    silent = decide(world(silent=("raid",)), failed.memory, NOW + 1)
    assert codes(silent) == ["ALARM-101"]
    assert silent.again is not None
    assert 0 < silent.again <= SILENCE_GRACE
    assert trays(silent) == []
    loud = decide(world(silent=("raid",)), silent.memory, NOW + SILENCE_GRACE)
    assert codes(loud) == ["ALARM-101", "ALARM-401"]
    assert codes(decide(world(), loud.memory, NOW + 20)) == []


def test_a_silent_daemon_is_never_good() -> None:
    assert health(world(silent=("fan",)), Memory()) is Health.UNKNOWN


def test_acknowledged_alarms_stay_open() -> None:
    memory = decide(world(raid(drive(2, DriveState.MISSING))), Memory(), NOW).memory
    seen = acknowledge(memory, memory.open[0].id, NOW + 5)
    again = decide(world(raid(drive(2, DriveState.MISSING))), seen, NOW + 6)
    assert [alarm.acknowledged for alarm in again.memory.open] == [NOW + 5]


LOOKS = st.tuples(st.sampled_from(list(DriveState)), st.sampled_from(list(VdState)), st.booleans())


@given(st.lists(LOOKS, max_size=12))
def test_no_alarm_is_lost_or_doubled(looks: list[tuple[DriveState, VdState, bool]]) -> None:
    """Whatever comes: one alarm a fault, ids never used twice, and what is broken now is open now."""
    memory, ids = Memory(), set[int]()
    for number, (state, vd_state, silent) in enumerate(looks):
        seen = world(raid(drive(2, state), state=vd_state), silent=("raid",) if silent else ())
        before = {alarm.id for alarm in memory.open}
        memory = decide(seen, memory, NOW + number).memory
        fresh = {alarm.id for alarm in memory.open} - before
        assert not fresh & ids
        ids |= fresh
        sames = [alarm.same for alarm in memory.open]
        assert len(sames) == len(set(sames))
        if not silent and state in (DriveState.MISSING, DriveState.FAILED):
            assert "drive-failed/vd0/2" in sames
        if not silent and state is DriveState.ONLINE:
            assert "drive-failed/vd0/2" not in sames

def test_unknown_is_no_alarm_by_itself() -> None:
    assert decide(world(raid(drive(2, smart=Smart()))), Memory(), NOW).memory.open == ()
