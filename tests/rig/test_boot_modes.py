"""Restore to default and the switch to Failover Mode for real: with an array and video, cut off, and back.

The tests follow one another on one machine, each from the boot that the one before left: a boot takes longest of all.
More cuts, at random moments: tests/rig/test_boot_long.py.
"""

import pytest

from boot.erase import PHRASE
from boot.model import Intent, Mode
from core.errors import RackeyeError
from nvr.alarms.model import PolicySnapshot
from rig.daemons import snapshot
from rig.rack import Rack
from tests.rig.boot_rig import (
    TRACES,
    VIDEO,
    at_menu,
    back_to_standard,
    boot_id,
    box,
    choose,
    hold,
    machine_id,
    make_video,
    open_menu,
    record,
    restore_at_menu,
    restore_with_a_cut,
    state_of,
    switch_with_a_cut,
    traces,
    up,
    use,
    use_at_menu,
)

pytestmark = [pytest.mark.rig, pytest.mark.rack(drives=3, consoles=1, menu_seconds=2, bay_mib=384)]
RESTORE = ["busctl", "--timeout=60", "call", "org.rackeye.Box1", "/org/rackeye/Box1", "org.rackeye.Box1.Admin",
           "Restore", "s"]


@pytest.fixture(scope="module")
def video() -> dict[str, str]:
    """The sum of the video and the array's UUID, as they were made."""
    return {}


def sums(rack: Rack) -> str:
    return rack.sh(f"sha256sum {VIDEO}; mdadm --detail --export /dev/md/vd0 | grep UUID")


def test_each_precondition_refuses_the_switch_with_its_own_message(rack: Rack, video: dict[str, str]) -> None:
    up(rack)
    rack.wait_until(lambda: state_of(rack, "rackeye-recorder") == "active", 60, "the recorder")
    make_video(rack)
    video["was"] = sums(rack)
    use(rack)
    said = rack.exec(["nr-switch-to-redundant"], 60, stdin="y\n")
    assert said.rc == 1
    for code in ("BOOT-011", "BOOT-012", "BOOT-013", "BOOT-015"):
        assert code in said.stderr
    assert "vd0" in said.stderr
    rack.sh("systemctl stop rackeye-recorder")
    assert "BOOT-011" not in rack.exec(["nr-switch-to-redundant"], 60, stdin="y\n").stderr
    assert box(rack).mode is Mode.STANDARD


def test_entry_4_refuses_while_drives_are_not_clear(rack: Rack) -> None:
    """The record of the mode is damaged meanwhile, for the test that follows."""
    rack.sh("for f in a b; do echo garbage > /var/lib/rackeye/boot/state.$f; done; sync")
    shown = open_menu(rack)
    assert "The record of the mode cannot be read" in shown
    rack.console().send("4\r")
    shown = rack.console().wait_for("Any key goes back", 90)
    assert "BOOT-012" in shown
    assert "vd0" in shown
    rack.console().send("x")
    choose(rack, ("Arrows", "0\r"))


def test_a_damaged_record_is_standard_mode_and_said_and_wipes_nothing(rack: Rack) -> None:
    now = up(rack)
    assert (now.mode, now.state_damaged) == (Mode.STANDARD, True)
    assert "cannot be read" in now.problems[0]
    assert traces(rack) == TRACES


def alarms(rack: Rack) -> list[str]:
    return [alarm.code for alarm in snapshot(rack, "Policy1", PolicySnapshot).alarms]


def test_the_damage_is_an_alarm_until_somebody_says_what_the_mode_is(rack: Rack) -> None:
    rack.wait_until(lambda: "ALARM-411" in alarms(rack), 60, "the alarm")
    rack.sh("rackeye mode keep")
    rack.wait_until(lambda: "ALARM-411" not in alarms(rack), 30, "it is cleared")
    assert not box(rack).state_damaged
    assert traces(rack) == TRACES


def test_boxd_that_does_not_answer_is_an_alarm_until_it_does(rack: Rack) -> None:
    rack.sh("systemctl stop rackeye-boxd")
    rack.wait_until(lambda: "ALARM-401" in alarms(rack), 40, "the alarm")
    rack.sh("systemctl start rackeye-boxd")
    rack.wait_until(lambda: "ALARM-401" not in alarms(rack), 30, "it is cleared")


def test_an_intent_on_record_is_carried_out_at_the_next_start(rack: Rack) -> None:
    """The same as a cut just after the intent, made certain."""
    rack.sh(
        "cd / && /usr/lib/rackeye/bin/python -c \"from boot import restore; from boot.state import StateStore; "
        "from core.paths import Paths; restore.intend(StateStore(Paths()))\"; sync"
    )
    assert "Restore to default is done." in open_menu(rack)
    now = record(rack)
    assert now is not None
    assert (now.mode, now.intent) == (Mode.STANDARD, Intent.NONE)
    assert "it is finished now" in rack.journal(50, "-u", "rackeye-boot-menu")
    assert traces(rack) == []


def test_a_restore_that_is_cut_off_is_finished_at_the_next_start(rack: Rack) -> None:
    restore_with_a_cut(rack, 0.5)


def test_restore_at_the_menu_wipes_the_settings_and_leaves_video_and_arrays(
    rack: Rack, video: dict[str, str]
) -> None:
    at_menu(rack)
    use_at_menu(rack)
    boot, identity = boot_id(rack), machine_id(rack)
    assert "Stays: video" in restore_at_menu(rack, "three quiet words")
    rack.wait_until(lambda: boot_id(rack) != boot, 120, "the reboot")
    now = up(rack)
    assert (now.mode, now.intent, now.problems) == (Mode.STANDARD, Intent.NONE, ())
    assert traces(rack) == []
    assert machine_id(rack) != identity
    rack.wait_until(lambda: rack.sh(f"test -e {VIDEO}; echo yes"), 120, "the volume")
    assert sums(rack) == video["was"]
    assert "asked for a restore to default" in rack.sh("rackeye account log --json")


def test_restore_by_boxd(rack: Rack) -> None:
    use(rack)
    boot = boot_id(rack)
    wrong = rack.exec([*RESTORE, '{"user":"admin","password":"guess","where":"rig"}'])
    assert wrong.rc != 0
    assert box(rack).intent is Intent.NONE
    rack.exec([*RESTORE, '{"user":"admin","password":"three quiet words","where":"rig"}'], check=True)
    rack.wait_until(lambda: boot_id(rack) != boot, 120, "the reboot")
    hold(rack)
    now = record(rack)
    assert now is not None  # not damaged
    assert now.intent is Intent.NONE
    assert traces(rack) == []


def test_restore_that_also_erases_recordings_needs_the_phrase_and_leaves_the_array(rack: Rack) -> None:
    """From here on there is no video."""
    array = rack.sh("mdadm --examine --export /dev/sd? | grep MD_UUID | sort -u")
    choose(rack, ("Arrows", "1\r"), ("User name:", "admin\r"), ("Password of admin:", "admin\r"),
           ("type in full", f"{PHRASE}\r"), ("Erase all recordings?", "y\r"))
    rack.wait_until(lambda: (now := record(rack)) and now.intent is Intent.ERASE, 60, "the settings are wiped")
    rack.power_cut()
    rack.boot(whole=False)
    assert up(rack).mode is Mode.STANDARD
    rack.wait_until(lambda: box(rack).intent is Intent.NONE, 120, "the recordings are erased")
    rack.wait_until(lambda: rack.sh("mountpoint -q /srv/rackeye/vd0; echo yes"), 60, "the volume")
    assert rack.sh("find /srv/rackeye/vd0 -name '*.mp4'") == ""
    assert rack.sh("stat -c '%U %a' /srv/rackeye/vd0/recordings").split() == ["rackeye", "750"]
    assert rack.sh("mdadm --examine --export /dev/sd? | grep MD_UUID | sort -u") == array
    rack.wait_until(lambda: state_of(rack, "rackeye-recorder") == "active", 60, "the recorder")


def test_entry_4_asks_once_the_drives_are_clear(rack: Rack) -> None:
    at_menu(rack)
    for bay in range(3):  # clear the RAID configuration, as with new drives
        rack.pull(bay)
        rack.insert(bay)
    choose(rack, ("Arrows", "4\r"), ("This is one-way", "\x1b"))


def test_a_switch_that_is_cut_off_ends_in_one_mode_or_the_other(rack: Rack) -> None:
    if switch_with_a_cut(rack, 0.5) is Mode.FAILOVER:
        back_to_standard(rack)


def test_the_switch_makes_a_redundant_server(rack: Rack) -> None:
    at_menu(rack)
    boot = boot_id(rack)
    choose(rack, ("Arrows", "4\r"), ("This is one-way", "y\r"))
    rack.wait_until(lambda: boot_id(rack) != boot, 120, "the reboot")
    hold(rack)
    shown = rack.console().screen()
    assert "0  Enter NVR (failover)" in shown
    assert "Failover Mode" in shown.splitlines()[0]
    assert "4  " not in shown
    rack.console().send("0\r")
    now = up(rack)
    assert now.mode is Mode.FAILOVER
    assert now.version.endswith("R")
    assert rack.sh("rackeye --version").strip() == f"rackeye {now.version}"
    assert "switched to Failover Mode" in rack.sh("rackeye account log --json")
    rack.wait_until(lambda: state_of(rack, "rackeye-failover") == "active", 90, "the failover service")
    rack.wait_until(lambda: state_of(rack, "failover.target") == "active", 90, "all of failover.target")
    assert state_of(rack, "nvr.target") == "inactive"
    rack.wait_until(lambda: rack.exec(["rackeye", "status"]).rc == 0, 60, "the recorder is not missed")
    assert "Failover" in rack.sh("rackeye status")
    assert state_of(rack, "rackeye-recorder") == "inactive"
    assert state_of(rack, "rackeye-raidd") == "active"
    told = rack.sh("busctl call org.rackeye.Failover1 /org/rackeye/Failover1 org.rackeye.Failover1 Snapshot")
    assert "waits for a CMS" in told
    refused = rack.exec(["nr-switch-to-redundant"], 60, stdin="y\n")
    assert "BOOT-010" in refused.stderr


@pytest.mark.long
def test_in_failover_mode_a_crash_of_the_menu_changes_nothing_and_boxd_keeps_to_it(rack: Rack) -> None:
    open_menu(rack)
    rack.sh("systemctl kill -s KILL rackeye-boot-menu.service")
    rack.wait_until(lambda: state_of(rack, "rackeye-failover") == "active", 90, "the failover service")
    assert state_of(rack, "rackeye-recorder") == "inactive"
    up(rack)
    rack.sh("systemctl stop failover.target")
    rack.wait_until(lambda: state_of(rack, "failover.target") == "active", 90, "boxd starts it again")


@pytest.mark.long
def test_restore_goes_back_to_standard_mode(rack: Rack) -> None:
    boot = boot_id(rack)
    rack.exec([*RESTORE, '{"user":"admin","password":"admin","where":"rig"}'], check=True)
    rack.wait_until(lambda: boot_id(rack) != boot, 120, "the reboot")
    assert up(rack).mode is Mode.STANDARD
    rack.wait_until(lambda: state_of(rack, "rackeye-recorder") == "active", 90, "the recorder")
    assert state_of(rack, "failover.target") == "inactive"
    with pytest.raises(RackeyeError):
        rack.sh("systemctl is-active rackeye-failover")
