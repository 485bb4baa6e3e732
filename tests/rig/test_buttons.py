"""The buttons of the front: UID, reset and power, and the restore by reset held at power-on."""

import time

import pytest

from boot.model import BoxSnapshot
from hw.model import PanelSnapshot, Uid
from rig.daemons import snapshot
from rig.rack import Rack
from tests.rig.boot_rig import TRACES, boot_id, hold, state_of, traces, up, use_at_menu

pytestmark = [pytest.mark.rig, pytest.mark.rack(drives=0, consoles=1, menu_seconds=8)]


def panel(rack: Rack) -> PanelSnapshot:
    return rack.wait_until(lambda: snapshot(rack, "Panel1", PanelSnapshot), 60, "paneld")


def tap(rack: Rack, button: str) -> None:
    rack.press(button, down=True)
    rack.press(button, down=False)


def test_uid_lights_the_blue_led_and_puts_it_out(rack: Rack) -> None:
    panel(rack)
    tap(rack, "uid")
    rack.wait_until(lambda: rack.led("panel:blue:information") == "on", 10, "the blue LED")
    assert panel(rack).uid is Uid.PRESSED
    tap(rack, "uid")
    rack.wait_until(lambda: rack.led("panel:blue:information") == "off", 10, "it is out")


def test_reset_held_at_power_on_beeps_and_another_press_ends_it(rack: Rack) -> None:
    """Within a minute of power-on."""
    boot = boot_id(rack)
    at = rack.press("reset", down=True)
    assert at < 60
    rack.wait_until(lambda: panel(rack).restoring, 20, "the minute begins")
    rack.wait_until(lambda: rack.tones(at), 10, "it beeps")
    rack.press("reset", down=False)
    tap(rack, "power")
    rack.wait_until(lambda: not panel(rack).restoring, 10, "it is ended")
    rack.wait_until(lambda: rack.tones(at)[-1][1] is not None, 10, "silence")
    assert panel(rack).pressed == ()
    assert boot_id(rack) == boot


@pytest.mark.long
def test_reset_held_at_power_on_restores_after_a_minute_of_beeping(rack: Rack) -> None:
    """With damaged accounts, too: then it is the only way (ACC-010)."""
    use_at_menu(rack)
    assert traces(rack) == TRACES
    rack.sh("head -c 20000 /dev/urandom > /var/lib/rackeye/accounts/accounts.sqlite; sync")
    rack.power_cut()
    rack.boot(whole=False)
    panel(rack)
    boot, at = boot_id(rack), rack.press("reset", down=True)
    rack.wait_until(lambda: panel(rack).restoring, 20, "the minute begins")
    rack.press("reset", down=False)
    rack.wait_until(lambda: boot_id(rack) != boot, 150, "the reboot")
    assert float(rack.state()["monotonic"]) < at + 150
    up(rack)
    assert "it is finished now" in rack.journal(50, "-u", "rackeye-boot-menu")
    assert traces(rack) == []


def test_reset_reboots(rack: Rack) -> None:
    rack.wait_until(lambda: state_of(rack, "rackeye-boxd") == "active", 60, "boxd")
    snapshot(rack, "Box1", BoxSnapshot)
    boot = boot_id(rack)
    tap(rack, "reset")
    rack.wait_until(lambda: boot_id(rack) != boot, 120, "the reboot")


def until_off(rack: Rack) -> None:
    deadline = time.monotonic() + 90
    while rack.powered() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not rack.powered()


def test_power_shuts_down_in_good_order(rack: Rack) -> None:
    up(rack)
    tap(rack, "power")
    until_off(rack)


def test_at_the_boot_menu_reset_reboots_and_power_shuts_down(rack: Rack) -> None:
    """boxd does not run then, and would come too late: the menu itself hears paneld."""
    if rack.powered():
        rack.power_cut()
    rack.boot(whole=False)
    hold(rack)
    panel(rack)
    boot = boot_id(rack)
    tap(rack, "reset")
    rack.wait_until(lambda: boot_id(rack) != boot, 120, "the reboot")
    hold(rack)
    panel(rack)
    assert state_of(rack, "rackeye-boxd") == "inactive"
    tap(rack, "power")
    rack.console().wait_for("The power button was pressed", 20)
    until_off(rack)
    rack.boot()


def test_a_press_that_nobody_could_hear_is_told_and_not_done(rack: Rack) -> None:
    up(rack)
    boot = boot_id(rack)
    rack.sh("systemctl stop rackeye-boxd")
    tap(rack, "reset")
    rack.sh("sleep 31", 60)
    rack.sh("systemctl start rackeye-boxd")
    rack.wait_until(lambda: [said for said in up(rack).problems if "asked for reboot" in said], 60, "it is told")
    assert "before anything could hear it" in rack.sh("rackeye account log --json")
    assert boot_id(rack) == boot


def test_silence_ends_the_sound(rack: Rack) -> None:
    up(rack)
    at = float(rack.state()["monotonic"])
    rack.sh("systemctl stop rackeye-policyd")
    rack.wait_until(lambda: rack.tones(at), 30, "paneld sounds the alarm")
    tap(rack, "silence")
    rack.wait_until(lambda: rack.tones(at)[-1][1] is not None, 10, "silence")
    assert panel(rack).beeper.silenced
    rack.sh("systemctl start rackeye-policyd")
