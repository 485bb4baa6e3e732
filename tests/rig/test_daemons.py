"""The daemons under systemd: what dies comes back, who may not is refused, a torn settings file costs nothing."""

import json

import pytest

from core.bus import object_path
from nvr.alarms.model import Health
from raid.model import DriveState, VdState
from rig.daemons import fan, open_alarms, panel, policy, raid, recorder, virtual_drive
from rig.rack import Rack
from rig.story import Story

pytestmark = pytest.mark.rig

DAEMONS = {
    "rackeye-raidd": "Raid1", "rackeye-paneld": "Panel1", "rackeye-fand": "Fan1", "rackeye-recorder": "Recorder1",
    "rackeye-policyd": "Policy1",
}  # fmt: skip
SETTINGS = "/var/lib/rackeye/settings.toml"


@pytest.fixture(scope="module")
def story(rack: Rack) -> Story:
    """Two virtual drives, four cameras."""
    made = Story(rack, lambda _: None)
    made.set_up()
    made.wait_initialized()
    return made


def call(rack: Rack, user: str, name: str, interface: str, member: str, *request: str) -> tuple[int, str]:
    """busctl as another user."""
    bus = f"org.rackeye.{name}"
    argv = ["setpriv", f"--reuid={user}", "--regid=nogroup", "--clear-groups", "busctl", "call", bus, object_path(bus)]
    done = rack.exec([*argv, f"{bus}{interface}", member, *(["s", *request] if request else [])])
    return done.rc, done.stdout + done.stderr


@pytest.mark.parametrize("name", DAEMONS.values())
def test_everybody_may_read(story: Story, rack: Rack, name: str) -> None:
    rc, said = call(rack, "nobody", name, "", "Snapshot")
    assert (rc, said[:4]) == (0, 's "{')


@pytest.mark.parametrize(
    ("user", "command"),
    [
        ("nobody", ("Raid1", "ClearDrive", '{"bay":0,"serial":"RK000001"}')),
        ("nobody", ("Panel1", "Locate", '{"bay":0,"on":true}')),
        ("nobody", ("Recorder1", "RemoveCamera", '{"name":"cam1"}')),
        ("nobody", ("Policy1", "Acknowledge", '{"id":1}')),
        ("rackeye", ("Raid1", "ClearDrive", '{"bay":0,"serial":"RK000001"}')),
        ("rackeye", ("Panel1", "Locate", '{"bay":0,"on":true}')),
    ],
)
def test_only_who_may_changes_something(story: Story, rack: Rack, user: str, command: tuple[str, str, str]) -> None:
    name, member, request = command
    rc, said = call(rack, user, name, ".Admin", member, request)
    assert rc != 0
    assert "denied" in said
    assert not any(bay.locate for bay in panel(rack).bays)
    assert len(recorder(rack).cameras) == 4


def test_the_command_line_says_that_root_is_needed(story: Story, rack: Rack) -> None:
    argv = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "rackeye", "bay", "0", "locate", "on"]
    done = rack.exec(argv)
    assert done.rc == 1
    assert "BUS-002" in done.stderr
    assert "sudo" in done.stderr


def test_a_command_with_a_wrong_argument_is_refused_at_the_door(story: Story, rack: Rack) -> None:
    rc, said = call(rack, "root", "Panel1", ".Admin", "Locate", '{"bay":"three"}')
    assert rc != 0
    assert "BUS-003" in said
    assert "Expected `int`" in said


def pid(rack: Rack, unit: str) -> int:
    return int(rack.exec(["systemctl", "show", "--value", "-p", "MainPID", unit]).stdout)


@pytest.mark.parametrize("unit", DAEMONS)
def test_a_daemon_that_is_killed_comes_back_with_all_it_knew(story: Story, rack: Rack, unit: str) -> None:
    rack.wait_until(lambda: story.recording() == 4, 60, "all cameras are recorded")
    old = pid(rack, unit)
    before = {vd.name: vd.state for vd in raid(rack).virtual_drives}
    rack.exec(["kill", "-KILL", str(old)], check=True)
    rack.wait_until(lambda: pid(rack, unit) not in (0, old), 30, f"{unit} is started again")
    rack.wait_until(lambda: all(policy(rack).daemons.values()), 30, "policyd hears all daemons")
    rack.wait_until(lambda: {vd.name: vd.state for vd in raid(rack).virtual_drives} == before, 30, "the same states")
    rack.wait_until(lambda: story.recording() == 4, 60, "recording goes on")
    rack.wait_until(lambda: policy(rack).health is Health.GOOD, 30, "all is well")
    assert fan(rack).sensors


def test_a_daemon_that_stays_away_is_an_alarm_and_never_good(story: Story, rack: Rack) -> None:
    rack.sh("systemctl stop rackeye-fand.service")
    try:
        rack.wait_until(lambda: policy(rack).health is Health.UNKNOWN, 10, "health is unknown")
        rack.wait_until(lambda: "ALARM-401" in open_alarms(rack), 30, "the alarm of a silent daemon")
        done = rack.exec(["rackeye", "status"])
        assert done.rc == 1
        assert "rackeye-fand" in done.stdout + done.stderr
    finally:
        rack.sh("systemctl start rackeye-fand.service")
    rack.wait_until(lambda: not open_alarms(rack), 30, "the alarm is cleared")


def test_a_settings_file_torn_in_half_leaves_the_last_good_in_force(story: Story, rack: Rack) -> None:
    whole = rack.sh(f"cat {SETTINGS}")
    rack.sh(f"head -c {len(whole) // 2 - 3} {SETTINGS} > /tmp/half; cat /tmp/half > {SETTINGS}")
    try:
        rack.sh("systemctl restart rackeye-recorder.service", 60)
        rack.wait_until(lambda: story.recording() == 4, 60, "the four cameras are recorded all the same")
        said = "\n".join(recorder(rack).problems)
        assert "settings.toml" in said
        assert "last good settings stay in force" in said
        rack.wait_until(lambda: "ALARM-402" in open_alarms(rack), 20, "the alarm")
        refused = rack.exec(["rackeye", "camera", "add", "late", "rtsp://10.0.2.2:8554/cam1"])
        assert refused.rc == 1
        assert "CONF-001" in refused.stderr
    finally:
        rack.exec(["tee", SETTINGS], stdin=whole, check=True)
        rack.sh("systemctl restart rackeye-recorder.service", 60)
    rack.wait_until(lambda: not open_alarms(rack), 60, "the alarm is cleared")


def test_what_status_says_as_json(story: Story, rack: Rack) -> None:
    rack.wait_until(lambda: story.recording() == 4, 60, "all cameras are recorded")
    done = rack.exec(["rackeye", "status", "--json"])
    assert done.rc == 0, done.stdout + done.stderr
    assert isinstance(json.loads(done.stdout), dict)
    assert virtual_drive(rack, "vd0").state is VdState.OPTIMAL
    assert {drive.state for drive in raid(rack).drives} == {DriveState.ONLINE, DriveState.SYSTEM}


def test_the_journal_is_found_by_bay_and_array(story: Story, rack: Rack) -> None:
    assert "shows" in rack.journal(50, "BAY=2", "-u", "rackeye-paneld")


def test_an_injected_wrong_stripe_is_found_and_named(story: Story, rack: Rack) -> None:
    """Bytes of a member are changed behind md's back: the check names the stripe, and that is an alarm."""
    rack.wait_until(lambda: story.recording() == 4, 60, "all cameras are recorded")
    rack.sh("systemctl stop rackeye-recorder")  # or a write there could make the stripe whole again
    offset = int(rack.sh("cat /sys/block/md*/md/dev-sdf/offset | head -1")) * 512
    strip = virtual_drive(rack, "vd1").strip
    number = (300 << 20) // strip  # far behind what was written
    with rack.drive_file(5).open("r+b") as drive:
        drive.seek(offset + number * strip + 4096)
        drive.write(b"not what the parity says" * 8)
    done = rack.exec(["rackeye", "check", "start", "vd1", "--watch"], 120)
    assert done.rc == 1
    assert f"Wrong stripes: stripe {number}" in done.stdout
    rack.wait_until(lambda: "ALARM-105" in open_alarms(rack), 20, "the alarm")
    assert str(number) in rack.exec(["rackeye", "check", "show", "vd1"]).stdout
    rack.sh("systemctl start rackeye-recorder", 60)
