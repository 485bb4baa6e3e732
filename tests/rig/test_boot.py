"""The boot menu on a real kernel: two consoles at one time, noise, a dead console, a menu that crashes or hangs."""

import random
import time

import pytest

from rig.rack import Rack
from tests.rig.boot_rig import boot_id, state_of, up

pytestmark = [pytest.mark.rig, pytest.mark.rack(drives=2, consoles=2, menu_seconds=8)]
MENU = "rackeye-boot-menu.service"


def recording(rack: Rack) -> bool:
    return state_of(rack, "rackeye-recorder.service") == "active"


def again(rack: Rack) -> None:
    """Power off and on, until the menu is there."""
    rack.power_cut()
    rack.boot(whole=False)
    rack.console(1).wait_for("Any key stops the countdown", 60)


def test_the_menu_is_on_all_consoles_before_the_recorder_starts(rack: Rack) -> None:
    first, second = rack.console(1), rack.console(2)
    first.wait_for("Enter NVR in", 60)
    assert second.wait_for("Enter NVR in") == first.wait_for("Enter NVR in")
    first.send("x")
    second.wait_for("Arrows or a digit")
    for line in ("0  Enter NVR", "1  Restore to default", "2  Reboot", "3  Shutdown", "4  Failover Mode", "Standard"):
        assert line in second.screen()
    assert state_of(rack, "rackeye-recorder.service") == "inactive"
    assert state_of(rack, "rackeye-raidd.service") == "inactive"


def test_front_panel_and_fans_do_not_wait_for_a_person(rack: Rack) -> None:
    for daemon in ("rackeye-paneld", "rackeye-fand"):
        rack.wait_until(lambda daemon=daemon: state_of(rack, daemon) == "active", 60, daemon)  # type: ignore[misc]


def test_one_console_chooses_the_other_confirms(rack: Rack) -> None:
    first, second = rack.console(1), rack.console(2)
    first.send("\x1b[B\x1b[B")
    second.wait_for("> 2  Reboot")
    second.send("\r")
    first.wait_for("Reboot? y and Enter for yes")
    second.send("n\r")
    first.wait_for("Arrows or a digit")


def test_a_wrong_password_takes_longer_each_time(rack: Rack) -> None:
    console = rack.console(1)
    console.send("1\r")
    for seconds in (2, 4):
        quiet = float(rack.state()["monotonic"])
        console.wait_for("User name:")
        console.send("admin\r")
        console.wait_for("Password of admin:")
        console.send("guess\r")
        assert f"Please wait {seconds} s." in console.wait_for("The user name or the password is wrong.", 30)
        began = time.monotonic()
        rack.wait_until(lambda quiet=quiet: rack.tones(quiet), 15, "one beep")  # type: ignore[misc]
        assert len(rack.tones(quiet)) == 1
        console.send("\x1b\r0\r")  # no way past it
        console.wait_for("User name:", 30)
        assert time.monotonic() - began > seconds - 1.5
    console.send("\x1b")
    console.wait_for("Arrows or a digit")


def test_noise_chooses_nothing_and_its_console_is_dropped(rack: Rack) -> None:
    first, second, noise = rack.console(1), rack.console(2), random.Random(7)
    before = boot_id(rack)

    def dropped() -> bool:
        second.send(noise.randbytes(30).decode("latin-1"))
        return "The console tty2 is dropped: it makes noise." in rack.journal(50, "-u", MENU)

    rack.wait_until(dropped, 60, "the noisy console is dropped")
    assert boot_id(rack) == before
    assert state_of(rack, MENU) == "activating"
    first.send("3")
    first.wait_for("> 3  Shutdown")


def test_reboot_is_orderly_and_comes_back_to_the_menu(rack: Rack) -> None:
    console, before = rack.console(1), boot_id(rack)
    console.send("2\r")
    console.wait_for("Reboot?")
    console.send("y\r")
    rack.wait_until(lambda: boot_id(rack) != before, 90, "another boot")
    rack.wait_until(lambda: "Any key stops the countdown" in console.screen()[-60:], 60, "the menu again")


def test_without_a_key_the_countdown_starts_the_recorder(rack: Rack) -> None:
    rack.wait_until(lambda: recording(rack), 90, "the recorder")
    assert rack.console(2).screen().endswith("Enter NVR.")
    box = up(rack)
    assert (box.mode, box.version[-1].isdigit(), box.problems) == ("Standard Mode", True, ())


def test_a_menu_that_crashes_does_not_keep_the_recorder_from_starting(rack: Rack) -> None:
    again(rack)
    rack.sh(f"systemctl kill -s KILL {MENU}")
    rack.wait_until(lambda: recording(rack), 90, "the recorder")
    assert state_of(rack, MENU) == "failed"


def test_a_menu_that_hangs_does_not_keep_the_recorder_from_starting(rack: Rack) -> None:
    again(rack)
    rack.console(1).send("x")  # no countdown any more
    rack.console(1).wait_for("Arrows or a digit")
    rack.sh(f"systemctl kill -s STOP {MENU}")
    rack.wait_until(lambda: recording(rack), 120, "the recorder")
    assert state_of(rack, MENU) == "failed"


def test_shutdown_switches_the_power_off(rack: Rack) -> None:
    again(rack)
    console = rack.console(1)
    console.send("3\r")
    console.wait_for("Shutdown?")
    console.send("y\r")
    deadline = time.monotonic() + 90
    while rack.powered() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not rack.powered()


def test_a_console_that_dies_leaves_the_others(rack: Rack) -> None:
    rack.boot(whole=False)
    rack.console(1).wait_for("Any key stops the countdown", 60)
    rack.console(1).send("x")
    rack.console(2).wait_for("Arrows or a digit")
    rack.console(2).hang_up()
    rack.wait_until(lambda: "The console tty2 is dropped" in rack.journal(50, "-u", MENU), 60, "it is dropped")
    rack.console(1).send("0\r")
    rack.wait_until(lambda: recording(rack), 90, "the recorder")


def test_without_any_console_there_is_no_menu_and_no_waiting(rack: Rack) -> None:
    """The kernel's console is a screen (tty0), and this machine has no keyboard."""
    rack.sh("sed -i '/^consoles/d' /etc/rackeye/rackeye.toml; sync")
    rack.power_cut()
    rack.boot()
    rack.wait_until(lambda: recording(rack), 60, "the recorder")
    assert "The boot menu is shown" not in rack.journal(100, "-u", MENU)
    assert len([tone for tone in rack.tones() if tone[1] is not None and tone[1] - tone[0] < 0.5]) == 5, "5 beeps"
    moments = ("InactiveExitTimestampMonotonic", "ActiveEnterTimestampMonotonic")
    began, ended = (int(rack.sh(f"systemctl show -P {moment} {MENU}")) / 1e6 for moment in moments)
    assert ended - began < 4.0  # 0.5 s on a machine that does nothing else
