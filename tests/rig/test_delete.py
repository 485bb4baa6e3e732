"""A virtual drive is stopped, started and deleted on a real kernel, while the recorder records on it."""

import pytest

from nvr.recorder.model import CameraState
from raid.model import DriveState, VdState
from rig.daemons import recorder
from rig.rack import Rack
from tests.rig.raid_rig import checksum, create, hurry, in_bay, is_whole, jobs_of, snapshot, until, vd, write_file

pytestmark = [pytest.mark.rig]


def blank(rack: Rack, bays: range, timeout: float = 60) -> None:
    until(
        rack, lambda s: all([d.state for d in in_bay(s, b)] == [DriveState.BLANK] for b in bays), f"{bays} are blank",
        timeout,
    )


def camera(rack: Rack) -> CameraState | None:
    return next((one.state for one in recorder(rack).cameras if one.name == "door"), None)


def test_what_another_program_uses_is_neither_stopped_nor_deleted(rack: Rack, cameras: dict[str, str]) -> None:
    hurry(rack)
    blank(rack, range(8))
    assert create(rack) == ("vd0", "vd1")
    until(rack, lambda s: is_whole(s, "vd0", "vd1"), "both are whole", 240)
    rack.exec(["rackeye", "camera", "add", "door", cameras["cam1"], "--volume", "vd1"], check=True)
    rack.wait_until(lambda: camera(rack) is CameraState.RECORDING, 60, "recording")
    rack.sh("cd /srv/rackeye/vd1; setsid sleep 600 >/dev/null 2>&1 < /dev/null & echo $! > /run/user.pid")
    for verb in ("delete", "stop"):
        refused = rack.exec(["rackeye", "vd", verb, "vd1", "--yes"])
        assert refused.rc == 1
        assert "vd1 is in use: sleep" in refused.stdout + refused.stderr
    plan = rack.exec(["rackeye", "vd", "delete", "vd1", "--dry-run"], check=True).stdout
    assert "WOULD BE LOST" in plan
    assert "Not now: vd1 is in use: sleep" in plan
    rack.sh("kill $(cat /run/user.pid)")


def test_a_stopped_one_rests_and_comes_back_whole(rack: Rack) -> None:
    kept = write_file(rack, "/srv/rackeye/vd1/kept")
    rack.exec(["rackeye", "vd", "stop", "vd1", "--yes"], check=True)
    resting = [DriveState.OFFLINE] * 4
    told = until(rack, lambda s: [d.state for b in range(4, 8) for d in in_bay(s, b)] == resting, "its drives rest", 60)
    assert (vd(told, "vd1").state, vd(told, "vd1").device) == (VdState.OFFLINE, None)
    rack.wait_until(lambda: "Volume vd1 was unmounted" in rack.journal(300, "-u", "rackeye-recorder"), 20, "it says so")
    rack.wait_until(lambda: camera(rack) is CameraState.RECORDING, 30, "recorded on vd0 meanwhile")
    rack.sh("systemctl restart rackeye-raidd")
    rack.sh("sleep 3")
    assert vd(until(rack, lambda s: bool(s.virtual_drives), "raidd is back"), "vd1").state is VdState.OFFLINE
    rack.exec(["rackeye", "vd", "start", "vd1"], check=True)
    until(rack, lambda s: is_whole(s, "vd1"), "it is back", 60)
    assert checksum(rack, "/srv/rackeye/vd1/kept") == kept
    assert not [job for job in jobs_of(rack, "stop") if job["state"] == "Failed"]


def test_deleting_closes_the_recording_and_leaves_blank_drives(rack: Rack) -> None:
    rack.wait_until(
        lambda: any(c.volume == "vd1" for c in recorder(rack).cameras), 60, "the camera is back on its volume"
    )
    unconfirmed = rack.exec(["rackeye", "vd", "delete", "vd1"], stdin="vd0\n")
    assert "not confirmed" in unconfirmed.stdout + unconfirmed.stderr
    done = rack.exec(["rackeye", "vd", "delete", "vd1"], 120, stdin="vd1\n", check=True)
    assert "vd1: deleted" in done.stdout
    blank(rack, range(4, 8), 20)
    told = snapshot(rack)
    assert [v.name for v in told.virtual_drives] == ["vd0"]
    assert told.problems == ()
    assert rack.sh("ls /srv/rackeye").split() == ["vd0"]
    for bay in range(4, 8):
        device = in_bay(told, bay)[0].device
        assert rack.sh(f"wipefs --no-act {device}") == ""
    rack.wait_until(lambda: camera(rack) is CameraState.RECORDING, 30, "recorded on vd0")
    errors = rack.journal(400, "-u", "rackeye-recorder", "-p", "err")
    assert "Traceback" not in errors


def test_the_drives_make_a_new_one_though_the_old_files_still_lie_there(rack: Rack) -> None:
    assert create(rack, bays=(4, 5, 6, 7)) == ("vd1",)
    until(rack, lambda s: is_whole(s, "vd1"), "it is made", 240)
    assert "kept" not in rack.sh("ls /srv/rackeye/vd1")


@pytest.mark.parametrize("delay", [0.2, pytest.param(1.5, marks=pytest.mark.long)])
def test_a_cut_in_the_middle_of_deleting_is_finished_at_the_next_start(rack: Rack, delay: float) -> None:
    if vd(snapshot(rack), "vd0").mountpoint and not any(v.name == "vd1" for v in snapshot(rack).virtual_drives):
        create(rack, bays=(4, 5, 6, 7))
        until(rack, lambda s: vd(s, "vd1").mountpoint is not None, "it is made", 240)
    rack.exec(["rackeye", "vd", "delete", "vd1", "--yes", "--no-wait"], 60, check=True)
    rack.sh(f"sleep {delay}")
    rack.power_cut()
    rack.boot()
    blank(rack, range(4, 8))
    told = until(rack, lambda s: [v.name for v in s.virtual_drives] == ["vd0"], "vd1 is forgotten")
    assert told.problems == ()
    until(rack, lambda s: vd(s, "vd0").mountpoint is not None, "vd0 runs", 60)
