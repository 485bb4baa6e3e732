"""The recorder on the rack: cameras that lie, a volume that goes, and nothing on the system drive."""

import json
import re
import time

import pytest

from nvr.recorder.model import CameraState, VolumeState
from rig.daemons import open_alarms, raid, recorder
from rig.liars import Mood
from rig.rack import Rack
from rig.story import EXAMINE, LAST_END
from tests.rig.raid_rig import clock

pytestmark = pytest.mark.rig

@pytest.fixture(scope="module")
def urls(rack: Rack) -> dict[str, str]:
    return rack.start_cameras(4, 2)


def state(rack: Rack, name: str) -> CameraState | None:
    return {camera.name: camera.state for camera in recorder(rack).cameras}.get(name)


def test_without_a_volume_nothing_is_recorded_and_that_is_loud(rack: Rack, urls: dict[str, str]) -> None:
    rack.exec(["rackeye", "camera", "add", "door", urls["cam1"]], check=True)
    rack.wait_until(lambda: state(rack, "door") is CameraState.NO_VOLUME, 20, "no volume")
    rack.wait_until(lambda: "ALARM-201" in open_alarms(rack), 20, "the alarm")
    assert rack.sh("find /srv/rackeye -type f").strip() == ""
    said = rack.exec(["rackeye", "status"])
    assert "Health Critical" in said.stdout
    assert "ALARM-201" in said.stdout
    assert rack.exec(["rackeye", "health"]).rc == 2


def test_with_a_volume_it_records_by_itself(rack: Rack, urls: dict[str, str]) -> None:
    rack.exec(["rackeye", "vd", "create", "--simple", "--level", "5", "--yes", "--no-wait"], 60, check=True)
    rack.wait_until(lambda: state(rack, "door") is CameraState.RECORDING, 120, "recording")
    rack.wait_until(lambda: not open_alarms(rack), 30, "no alarm")


@pytest.mark.parametrize(
    ("mood", "wanted"),
    [
        (Mood.REFUSE, CameraState.REFUSED),
        (Mood.HANG, CameraState.UNREACHABLE),
        (Mood.GARBAGE, CameraState.BAD_STREAM),
        (Mood.UNAUTHORIZED, CameraState.WRONG_PASSWORD),
        (Mood.FREEZE, CameraState.FROZEN),
    ],
)
def test_a_lying_camera_is_named_for_what_it_does(
    rack: Rack, urls: dict[str, str], mood: Mood, wanted: CameraState
) -> None:
    rack.set_mood("liar1", mood)
    rack.exec(["rackeye", "camera", "add", "liar", urls["liar1"]], check=True)
    try:
        rack.wait_until(lambda: state(rack, "liar") is wanted, 60, wanted.value)
        rack.wait_until(lambda: "ALARM-202" in open_alarms(rack), 20, "the alarm")
        assert state(rack, "door") is CameraState.RECORDING
        rack.set_mood("liar1", Mood.HONEST)
        rack.wait_until(lambda: state(rack, "liar") is CameraState.RECORDING, 60, "it is recorded once it is honest")
    finally:
        rack.exec(["rackeye", "camera", "remove", "liar", "--yes"])
    rack.wait_until(lambda: not open_alarms(rack), 20, "the alarm is cleared")


def test_a_password_is_never_shown(rack: Rack, urls: dict[str, str]) -> None:
    url = re.sub(r"//.*@", "//", urls["secure"])
    credentials = ["--user", "guard", "--password", "s3cret-Word"]
    rack.exec(["rackeye", "camera", "add", "safe", url, *credentials], check=True)
    rack.wait_until(lambda: state(rack, "safe") is CameraState.WRONG_PASSWORD, 30, "wrong password")
    everything = rack.exec(["rackeye", "camera", "--json"]).stdout + rack.journal(2000)
    assert "s3cret-Word" not in everything
    assert rack.sh("stat -c '%U %a' /var/lib/rackeye/settings.toml").strip() == "rackeye 640"
    rack.exec(["rackeye", "camera", "remove", "safe", "--yes"], check=True)


def test_a_volume_that_is_unmounted_under_the_recorder(rack: Rack, urls: dict[str, str]) -> None:
    """The camera goes to the other volume and nothing lands in the empty mount point; then the volume comes back."""
    volume = str(next(camera.volume for camera in recorder(rack).cameras if camera.name == "door"))
    other = ({"vd0", "vd1"} - {volume}).pop()
    rack.sh("systemctl stop rackeye-raidd")  # it would mount it again within a fifth of a second
    rack.sh(f"umount --lazy /srv/rackeye/{volume}")
    rack.wait_until(
        lambda: (door := recorder(rack).cameras[0]).state is CameraState.RECORDING and door.volume == other,
        30, f"recorded on {other}",
    )  # fmt: skip
    assert rack.sh(f"find /srv/rackeye/{volume} -type f").strip() == ""
    rack.sh("systemctl start rackeye-raidd", 60)
    rack.wait_until(lambda: rack.exec(["mountpoint", "-q", f"/srv/rackeye/{volume}"]).rc == 0, 60, "raidd mounts it")
    rack.wait_until(
        lambda: {view.name: view.state for view in recorder(rack).volumes}.get(volume) is VolumeState.READY, 30
    )


def test_recycling_keeps_a_small_volume_from_filling(rack: Rack, urls: dict[str, str]) -> None:
    """All but a little of a volume is taken by a file of somebody's: the oldest recordings go, that file stays."""
    rack.wait_until(lambda: state(rack, "door") is CameraState.RECORDING, 30, "recording")
    view = {volume.name: volume for volume in recorder(rack).volumes}["vd0"]
    taken = view.free - view.reserve + (1 << 20)
    rack.sh(f"fallocate -l {taken} /srv/rackeye/vd0/recordings/somebody.bin", 60)
    rack.exec(["rackeye", "camera", "remove", "door", "--yes"], check=True)
    rack.exec(["rackeye", "camera", "add", "door", urls["cam2"], "--volume", "vd0"], check=True)
    rack.wait_until(lambda: state(rack, "door") is CameraState.RECORDING, 60, "recording on vd0")

    def free_again() -> bool:
        now = {volume.name: volume for volume in recorder(rack).volumes}["vd0"]
        return now.free >= now.reserve

    rack.wait_until(free_again, 90, "the reserve is free again")
    assert rack.exec(["test", "-s", "/srv/rackeye/vd0/recordings/somebody.bin"]).rc == 0
    rack.sh("rm /srv/rackeye/vd0/recordings/somebody.bin")


def test_the_index_is_made_again_from_the_files(rack: Rack, urls: dict[str, str]) -> None:
    rack.wait_until(lambda: len(recorder(rack).volumes) == 2, 30, "both volumes")
    time.sleep(3)  # something to lose
    rack.sh(
        "systemctl stop rackeye-recorder; rm -f /var/lib/rackeye/recorder/index.sqlite*;"
        "systemctl start rackeye-recorder", 60,
    )
    rack.wait_until(lambda: state(rack, "door") is CameraState.RECORDING, 60, "recording")
    rack.sh("systemctl stop rackeye-recorder", 30)
    found = json.loads(rack.exec(["/usr/lib/rackeye/bin/python", "-c", EXAMINE], 120, check=True).stdout)
    rack.sh("systemctl start rackeye-recorder", 60)
    assert found["files"] > 0
    assert (found["bad"], found["differ"]) == ([], [])


def test_after_a_power_cut_at_most_ten_seconds_and_a_gop_are_lost(rack: Rack, urls: dict[str, str]) -> None:
    rack.wait_until(lambda: state(rack, "door") is CameraState.RECORDING, 60, "recording")
    time.sleep(15)
    moment = clock(rack)
    rack.power_cut()
    rack.boot()
    rack.start_cameras(4, 2)
    rack.wait_until(lambda: len([vd for vd in raid(rack).virtual_drives if vd.mountpoint]) == 2, 60, "mounted again")
    rack.wait_until(lambda: state(rack, "door") is CameraState.RECORDING, 60, "recording again, without a hand")
    rack.sh("systemctl stop rackeye-recorder", 30)
    ends = rack.exec(["/usr/lib/rackeye/bin/python", "-c", LAST_END, str(int(moment * 1000))], check=True)
    assert moment - float(ends.stdout) / 1000 <= 10 + 2  # the GOP is 2 s
    found = json.loads(rack.exec(["/usr/lib/rackeye/bin/python", "-c", EXAMINE], 120, check=True).stdout)
    rack.sh("systemctl start rackeye-recorder", 60)
    assert (found["bad"], found["differ"]) == ([], [])
