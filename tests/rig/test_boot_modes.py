"""Restore to default and the switch to Failover Mode for real: with an array and video, cut off, and back.

More cuts, at random moments: tests/rig/test_boot_long.py.
"""

import pytest

from boot.model import Intent, Mode
from core.errors import RackeyeError
from rig.rack import Rack
from tests.rig.boot_rig import (
    VIDEO,
    back_to_standard,
    boot_id,
    box,
    choose,
    machine_id,
    make_video,
    open_menu,
    restore_with_a_cut,
    state_of,
    switch_with_a_cut,
    traces,
    up,
    use,
)

pytestmark = [pytest.mark.rig, pytest.mark.rack(drives=3, consoles=1, menu_seconds=2, bay_mib=384)]


def test_each_precondition_refuses_the_switch_with_its_own_message(rack: Rack) -> None:
    up(rack)
    rack.wait_until(lambda: state_of(rack, "rackeye-recorder") == "active", 60, "the recorder")
    make_video(rack)
    use(rack)
    said = rack.exec(["nr-switch-to-redundant"], 60, stdin="y\n")
    assert said.rc == 1
    for code in ("BOOT-011", "BOOT-012", "BOOT-013", "BOOT-015"):
        assert code in said.stderr
    assert "vd0" in said.stderr
    rack.sh("systemctl stop rackeye-recorder")
    assert "BOOT-011" not in rack.exec(["nr-switch-to-redundant"], 60, stdin="y\n").stderr
    assert box(rack).mode is Mode.STANDARD


def test_restore_at_the_menu_wipes_the_settings_and_leaves_video_and_arrays(rack: Rack) -> None:
    before, identity = rack.sh(f"sha256sum {VIDEO}; mdadm --detail --export /dev/md/vd0 | grep UUID"), machine_id(rack)
    open_menu(rack)
    boot = boot_id(rack)
    choose(rack, ("Arrows", "1\r"), ("User name:", "admin\r"), ("Password of admin:", "three quiet words\r"))
    shown = rack.console().wait_for("Restore now?", 60)
    assert "Stays: video" in shown
    rack.console().send("y\r")
    rack.wait_until(lambda: boot_id(rack) != boot, 120, "the reboot")
    now = up(rack)
    assert (now.mode, now.intent, now.problems) == (Mode.STANDARD, Intent.NONE, ())
    assert traces(rack) == []
    assert machine_id(rack) != identity
    rack.wait_until(lambda: rack.sh(f"test -e {VIDEO}; echo yes"), 120, "the volume")
    assert rack.sh(f"sha256sum {VIDEO}; mdadm --detail --export /dev/md/vd0 | grep UUID") == before


@pytest.mark.parametrize("seconds", [0.3, 0.9])
def test_a_restore_that_is_cut_off_is_finished_at_the_next_start(rack: Rack, seconds: float) -> None:
    restore_with_a_cut(rack, seconds)


def test_an_intent_on_record_is_carried_out_at_the_next_start(rack: Rack) -> None:
    """The same as a cut just after the intent, made certain."""
    up(rack)
    use(rack)
    rack.sh(
        "cd / && /usr/lib/rackeye/bin/python -c \"from boot import restore; from boot.state import StateStore; "
        "from core.paths import Paths; restore.intend(StateStore(Paths()))\"; sync"
    )
    rack.power_cut()
    rack.boot()
    assert up(rack).intent is Intent.NONE
    assert "it is finished now" in rack.journal(50, "-u", "rackeye-boot-menu")
    assert traces(rack) == []


def test_a_damaged_record_is_standard_mode_and_said_and_wipes_nothing(rack: Rack) -> None:
    use(rack)
    rack.sh("for f in a b; do echo garbage > /var/lib/rackeye/boot/state.$f; done; sync")
    rack.power_cut()
    rack.boot()
    now = up(rack)
    assert (now.mode, now.state_damaged) == (Mode.STANDARD, True)
    assert "cannot be read" in now.problems[0]
    assert traces(rack) == ["/var/lib/rackeye/settings.toml", "/etc/ssh/ssh_host_test_key", "accounts"]


def test_restore_by_boxd(rack: Rack) -> None:
    boot = boot_id(rack)
    asked = ["busctl", "--timeout=60", "call", "org.rackeye.Box1", "/org/rackeye/Box1", "org.rackeye.Box1.Admin",
             "Restore", "s"]
    wrong = rack.exec([*asked, '{"user":"admin","password":"guess","where":"rig"}'])
    assert wrong.rc != 0
    assert box(rack).intent is Intent.NONE
    rack.exec([*asked, '{"user":"admin","password":"three quiet words","where":"rig"}'], check=True)
    rack.wait_until(lambda: boot_id(rack) != boot, 120, "the reboot")
    assert up(rack).intent is Intent.NONE
    assert not box(rack).state_damaged
    assert traces(rack) == []


def test_entry_4_refuses_while_drives_are_not_clear(rack: Rack) -> None:
    open_menu(rack)
    rack.console().send("4\r")
    shown = rack.console().wait_for("Any key goes back", 90)
    assert "BOOT-012" in shown
    assert "vd0" in shown
    rack.console().send("x")
    rack.console().wait_for("Arrows")
    for bay in range(3):  # clear the RAID configuration, as with new drives
        rack.pull(bay)
        rack.insert(bay)
    rack.console().send("4\r")
    rack.console().wait_for("This is one-way", 90)
    rack.console().send("\x1b")


@pytest.mark.parametrize("seconds", [0.1, 0.8])
def test_a_switch_that_is_cut_off_ends_in_one_mode_or_the_other(rack: Rack, seconds: float) -> None:
    switch_with_a_cut(rack, seconds)


def test_the_switch_makes_a_redundant_server(rack: Rack) -> None:
    open_menu(rack)
    boot = boot_id(rack)
    choose(rack, ("Arrows", "4\r"), ("This is one-way", "y\r"))
    rack.wait_until(lambda: boot_id(rack) != boot, 120, "the reboot")
    now = up(rack)
    assert now.mode is Mode.FAILOVER
    assert now.version.endswith("R")
    rack.wait_until(lambda: state_of(rack, "rackeye-failover") == "active", 90, "the failover service")
    rack.wait_until(lambda: state_of(rack, "failover.target") == "active", 90, "all of failover.target")
    assert state_of(rack, "nvr.target") == "inactive"
    assert state_of(rack, "rackeye-recorder") == "inactive"
    assert state_of(rack, "rackeye-raidd") == "active"
    told = rack.sh("busctl call org.rackeye.Failover1 /org/rackeye/Failover1 org.rackeye.Failover1 Snapshot")
    assert "waits for a CMS" in told
    refused = rack.exec(["nr-switch-to-redundant"], 60, stdin="y\n")
    assert "BOOT-010" in refused.stderr


def test_in_failover_mode_the_menu_says_so_and_boxd_keeps_to_it(rack: Rack) -> None:
    open_menu(rack)
    shown = rack.console().screen()
    assert "0  Enter NVR (failover)" in shown
    assert "Failover Mode" in shown.splitlines()[0]
    assert "4  " not in shown
    rack.sh("systemctl kill -s KILL rackeye-boot-menu.service")
    rack.wait_until(lambda: state_of(rack, "rackeye-failover") == "active", 90, "the failover service")
    assert state_of(rack, "rackeye-recorder") == "inactive"
    up(rack)
    rack.sh("systemctl stop failover.target")
    rack.wait_until(lambda: state_of(rack, "failover.target") == "active", 90, "boxd starts it again")


def test_restore_goes_back_to_standard_mode(rack: Rack) -> None:
    back_to_standard(rack)
    rack.wait_until(lambda: state_of(rack, "rackeye-recorder") == "active", 90, "the recorder")
    assert state_of(rack, "failover.target") == "inactive"
    with pytest.raises(RackeyeError):
        rack.sh("systemctl is-active rackeye-failover")
