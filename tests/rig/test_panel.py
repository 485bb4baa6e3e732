"""Bays, tray LEDs and sensors on a real kernel, udev and D-Bus; the LEDs and hwmon files are the simulator's.

policyd is stopped here: the tests say themselves what the trays have to show.
"""

import contextlib
import json
from collections.abc import Iterator

import pytest

from hw.model import BayView, Sensor, SensorState, TrayLight
from rig.daemons import fan, panel
from rig.drives import DriveKind
from rig.rack import RackClient

pytestmark = pytest.mark.rig

PANEL = "org.rackeye.Panel1"
LEDS = "/run/rack/chassis/class/leds"

LATENCY = 2.0
"""Seconds from the pull to the light; 0.05 while the guest's one CPU is idle."""


def bay(rack: RackClient, number: int) -> BayView:
    return panel(rack).bays[number]


def sensor(rack: RackClient, name: str) -> Sensor:
    return next(sensor for sensor in fan(rack).sensors if sensor.name == name)


def command(rack: RackClient, name: str, request: str, user: str = "root") -> tuple[int, str]:
    call = ["busctl", "call", PANEL, "/org/rackeye/Panel1", f"{PANEL}.Admin", name, "s", request]
    done = rack.exec(call if user == "root" else ["setpriv", f"--reuid={user}", "--clear-groups", *call])
    return done.rc, done.stdout + done.stderr


def trays(rack: RackClient, **conditions: str) -> None:
    said = {number.removeprefix("bay"): condition for number, condition in conditions.items()}
    assert command(rack, "SetTrays", json.dumps({"conditions": said}))[0] == 0


def locate(rack: RackClient, number: int, on: bool = True) -> None:
    assert command(rack, "Locate", json.dumps({"bay": number, "on": on}))[0] == 0


def lights(rack: RackClient, number: int) -> tuple[str, str]:
    leds = rack.state()["leds"]
    return leds[f"bay{number}:green:activity"]["state"], leds[f"bay{number}:amber:status"]["state"]


def shows(rack: RackClient, number: int, green: str, amber: str, within: float = 5.0) -> None:
    """green "lit": on, or blinking because raidd has just read the drive."""
    greens = {"on", "blink 4.00 Hz"} if green == "lit" else {green}

    def holds() -> bool:
        now = lights(rack, number)
        return now[0] in greens and now[1] == amber

    rack.wait_until(holds, within, f"bay {number} green {green}, amber {amber}")


def says(rack: RackClient, number: int, light: TrayLight) -> None:
    """The snapshot follows the LED by a look: what it says is read back."""
    rack.wait_until(lambda: bay(rack, number).light is light, 5, f"bay {number} to be {light}")


@pytest.fixture(scope="module")
def quiet(rack: RackClient) -> RackClient:
    """The rack of this module without policyd."""
    rack.sh("systemctl stop rackeye-policyd")
    return rack


@pytest.fixture
def front(quiet: RackClient) -> Iterator[RackClient]:
    """All bays filled and nothing to show."""
    trays(quiet)
    yield quiet
    for number, state in quiet.state()["bays"].items():
        if state["serial"] is None:
            quiet.insert(int(number), DriveKind.SAME)
    for view in panel(quiet).bays:
        if view.locate:
            locate(quiet, view.bay, on=False)


def test_every_drive_is_found_by_its_bay(front: RackClient) -> None:
    seen = panel(front)
    assert seen.problems == ()
    drives = front.state()["bays"]
    for view in seen.bays:
        drive = drives[str(view.bay)]
        assert (view.present, view.serial, view.device) == (True, drive["serial"], drive["device"])
        link = front.sh(f"readlink -f /dev/disk/by-bay/{view.bay}").strip()
        assert link == drive["device"]
        shows(front, view.bay, "lit", "off")


def test_pulled_and_put_back_in_reverse_the_bays_keep_their_drives(front: RackClient) -> None:
    before = {number: front.state()["bays"][str(number)] for number in (1, 3)}
    for number in (1, 3):
        at = front.pull(number)
        shows(front, number, "off", "off")
        green = [change for change in front.led_history(at) if change["led"] == f"bay{number}:green:activity"]
        dark = next(change["at"] for change in green if change["state"] == "off")
        assert dark - at < LATENCY, "raidd and policyd may have the one CPU too"
        assert front.exec(["test", "-e", f"/dev/disk/by-bay/{number}"]).rc == 1
    view = bay(front, 3)
    assert (view.present, view.serial, view.device) == (False, None, None)
    for number in (3, 1):
        front.insert(number, DriveKind.SAME)
        shows(front, number, "lit", "off", within=10)
    after = {number: front.state()["bays"][str(number)] for number in (1, 3)}
    for number in (1, 3):
        assert front.sh(f"readlink -f /dev/disk/by-bay/{number}").strip() == after[number]["device"]
        assert bay(front, number).serial == before[number]["serial"]
    assert after[1]["device"] == before[3]["device"], "the kernel gave the names anew, else this proves nothing"


def test_partitions_have_links_of_their_own(front: RackClient) -> None:
    own = front.state()["bays"]["6"]["serial"]
    front.pull(6)
    front.insert(6, DriveKind.FOREIGN)
    try:
        front.wait_until(lambda: bay(front, 6).present, 10, "a drive in bay 6")
        device = front.state()["bays"]["6"]["device"]
        assert front.sh("udevadm settle; readlink -f /dev/disk/by-bay/6-part1").strip() == f"{device}1"
        assert front.sh("readlink -f /dev/disk/by-bay/6").strip() == device
    finally:
        front.pull(6)
        front.insert(6, serial=own)


def test_lights_by_condition_and_priority(front: RackClient) -> None:
    trays(front, bay4="FAILED", bay5="REBUILD")
    shows(front, 4, "off", "on")
    shows(front, 5, "off", "blink 1.00 Hz")
    locate(front, 4)
    shows(front, 4, "off", "blink 4.00 Hz")
    locate(front, 5)
    shows(front, 5, "off", "blink 4.00 Hz")
    says(front, 4, TrayLight.LOCATE)
    locate(front, 4, on=False)
    locate(front, 5, on=False)
    shows(front, 4, "off", "on")
    shows(front, 5, "off", "blink 1.00 Hz")
    trays(front)
    shows(front, 4, "lit", "off")
    shows(front, 5, "lit", "off")


def test_a_failed_bay_stays_amber_with_its_drive_out_and_can_be_located_empty(front: RackClient) -> None:
    front.pull(7)
    shows(front, 7, "off", "off")
    locate(front, 7)
    shows(front, 7, "off", "blink 4.00 Hz")
    trays(front, bay7="FAILED")
    locate(front, 7, on=False)
    shows(front, 7, "off", "on")
    says(front, 7, TrayLight.FAILED)
    assert bay(front, 7).present is False


def test_a_pulled_member_is_amber_though_nobody_else_runs(front: RackClient) -> None:
    trays(front, bay3="MEMBER")
    shows(front, 3, "lit", "off")
    front.sh("systemctl stop rackeye-raidd")
    serial = front.state()["inserted"]["3"]
    try:
        front.pull(3)
        shows(front, 3, "off", "on")
        front.insert(3, serial=serial)
        shows(front, 3, "lit", "off", within=15)
    finally:
        front.sh("systemctl start rackeye-raidd", 60)


def test_the_kernel_blinks_on_without_the_daemon_which_then_knows_all_again(front: RackClient) -> None:
    trays(front, bay2="REBUILD")
    locate(front, 5)
    shows(front, 2, "off", "blink 1.00 Hz")
    shows(front, 5, "off", "blink 4.00 Hz")
    since = front.state()["monotonic"]
    front.sh("systemctl kill -s KILL --kill-whom=main rackeye-paneld")
    assert lights(front, 2) == ("off", "blink 1.00 Hz")
    front.pull(6)  # while nobody looks
    shows(front, 6, "off", "off", within=20)  # started again by systemd
    says(front, 2, TrayLight.REBUILD)
    assert (bay(front, 2).condition.value, bay(front, 5).locate) == ("REBUILD", True)
    amber = [change for change in front.led_history(since) if change["led"].endswith("amber:status")]
    assert amber == [], "what was right already is not set again"


def test_an_led_that_another_hand_has_set_is_set_right(front: RackClient) -> None:
    shows(front, 1, "lit", "off")
    front.sh(f"echo 1 > {LEDS}/bay1:amber:status/brightness")
    shows(front, 1, "lit", "off", within=15)


def test_a_gone_led_is_a_problem_and_no_crash(front: RackClient) -> None:
    shows(front, 0, "lit", "off")
    led = f"{LEDS}/bay0:amber:status"
    front.sh(f"mount -t tmpfs none {led}")
    try:
        front.wait_until(lambda: panel(front).problems, 15, "a problem in the snapshot")
        [problem] = panel(front).problems
        assert problem == "Bay 0: LED bay0:amber:status cannot be read: trigger: No such file or directory."
        assert bay(front, 0).light is None
        trays(front, bay0="FAILED", bay1="FAILED")
        shows(front, 1, "off", "on")
    finally:
        front.sh(f"umount {led}")
    shows(front, 0, "off", "on", within=15)
    front.wait_until(lambda: panel(front).problems == (), 5, "no problem in the snapshot")


def test_who_may_do_what(front: RackClient) -> None:
    rc, said = command(front, "Locate", '{"bay": 0}', user="nobody")
    assert rc == 1
    assert "Access denied" in said or "AccessDenied" in said
    rc, said = command(front, "Locate", '{"bay": 0}', user="rackeye")
    assert rc == 1, "policyd's user may set trays only"
    assert command(front, "SetTrays", '{"conditions": {}}', user="rackeye")[0] == 0
    assert bay(front, 0).locate is False
    rc, said = command(front, "Locate", '{"bay": 8}')
    assert (rc, "There is no bay 8" in said) == (1, True)
    rc, said = command(front, "SetTrays", '{"conditions": {"0": "BROKEN"}}')
    assert (rc, "BROKEN" in said) == (1, True)


def test_overheat_with_hysteresis(front: RackClient) -> None:
    chassis = front.wait_until(lambda: sensor(front, "Chassis"), 5, "a temperature")
    assert (chassis.state, chassis.unit, chassis.high) == (SensorState.OK, "°C", 60.0)
    front.set_temperature(70)
    with contextlib.ExitStack() as undo:
        undo.callback(front.set_temperature, 35)
        front.wait_until(lambda: sensor(front, "Chassis").state is SensorState.ALARM, 20, "an overheat")
        front.set_temperature(57)
        front.wait_until(lambda: (sensor(front, "Chassis").value or 99) < 58, 30, "57 °C to be shown")
        assert sensor(front, "Chassis").state is SensorState.ALARM
    front.wait_until(lambda: sensor(front, "Chassis").state is SensorState.OK, 20, "the end of the overheat")


def test_a_fan_that_stops(front: RackClient) -> None:
    front.wait_until(lambda: sensor(front, "Fan 1").state is SensorState.OK, 15, "a fan that turns")
    with contextlib.ExitStack() as undo:
        undo.callback(front.stop_fan, False)
        front.stop_fan()
        front.wait_until(lambda: sensor(front, "Fan 1").state is SensorState.ALARM, 20, "a failed fan")
        assert sensor(front, "Fan 1").detail == "The minimum is 600 rpm."
    front.wait_until(lambda: sensor(front, "Fan 1").state is SensorState.OK, 15, "a fan that turns again")


def test_sensors_that_go_are_missing_not_good(front: RackClient) -> None:
    chip = "/run/rack/chassis/class/hwmon/hwmon0"
    front.sh(f"mount -t tmpfs none {chip}")
    try:
        front.wait_until(lambda: sensor(front, "Chassis").state is SensorState.MISSING, 20, "a missing sensor")
        gone = sensor(front, "Fan 1")
        assert (gone.state, gone.value) == (SensorState.MISSING, None)
        assert gone.detail == "There is no hwmon chip rack_chassis."
    finally:
        front.sh(f"umount {chip}")
    front.wait_until(lambda: sensor(front, "Fan 1").state is SensorState.OK, 15, "the sensor back")
