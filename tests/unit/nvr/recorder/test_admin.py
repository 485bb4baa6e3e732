"""Cameras added and removed in settings.toml; credentials are never shown."""

import asyncio
import tomllib
from pathlib import Path

import pytest

from core.clock import ManualClock
from core.config import load_settings
from core.errors import BadCamera, BadToml, CameraExists, CameraUnknown, WrongPassword
from core.paths import Paths
from core.settings import Camera, Settings
from nvr.cameras.session import Shared
from nvr.recorder.admin import Admin, checked
from nvr.recorder.model import AddCamera, CameraState, RemoveCamera
from nvr.recorder.recording import Recording
from nvr.recorder.station import Station
from nvr.recorder.views import camera_state, camera_view
from tests.unit.nvr.recorder.pictures import Shelf, stream


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths(tmp_path)
    paths.state.mkdir(parents=True)
    return paths


def test_add_and_remove_keep_what_others_wrote(paths: Paths) -> None:
    file = paths.state / "settings.toml"
    file.write_text('[chassis]\nprofile = "virtual-8"\n')
    paths.etc.mkdir(parents=True)
    (paths.etc / "rackeye.toml").write_text('[[cameras]]\nname = "old"\nurl = "rtsp://h/old"\nvolume = "vd1"\n')
    woken: list[int] = []

    async def work() -> None:
        admin = Admin(paths, lambda: woken.append(1))
        await admin.add(AddCamera("new", "rtsp://admin:pw@10.0.0.1:8554/live"))
        with pytest.raises(CameraExists):
            await admin.add(AddCamera("old", "rtsp://h/"))
        await admin.remove(RemoveCamera("old"))
        with pytest.raises(CameraUnknown):
            await admin.remove(RemoveCamera("old"))

    asyncio.run(work())
    loaded = load_settings(Settings, paths)
    assert loaded.settings.cameras == (Camera("new", "rtsp://10.0.0.1:8554/live", "admin", "pw"),)
    assert loaded.settings.chassis.profile == "virtual-8"
    assert len(woken) == 2
    assert file.stat().st_mode & 0o007 == 0  # passwords are in it


def test_a_torn_settings_file_is_not_overwritten(paths: Paths) -> None:
    file = paths.state / "settings.toml"
    asyncio.run(Admin(paths, lambda: None).add(AddCamera("one", "rtsp://h/1")))
    good = load_settings(Settings, paths)
    torn = file.read_bytes()[:-9]
    file.write_bytes(torn)
    with pytest.raises(BadToml):
        asyncio.run(Admin(paths, lambda: None).add(AddCamera("two", "rtsp://h/2")))
    assert file.read_bytes() == torn
    loaded = load_settings(Settings, paths)
    assert loaded.settings == good.settings
    assert "settings.toml" in loaded.problems[0]
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads(torn.decode())


@pytest.mark.parametrize("name", ["", "Cam", "a/b", "..", "a" * 33, "a\n", "ä"])
def test_names_are_checked_at_the_door(name: str) -> None:
    with pytest.raises(BadCamera):
        checked(AddCamera(name, "rtsp://h/"))
    with pytest.raises(BadCamera):
        checked(AddCamera("cam", "rtsp://h/", volume=name))


def station(flows: bool, volume: str | None, failure: Exception | None) -> Station:
    camera = Camera("cam", "rtsp://h/a", "u", "secret")
    clock = ManualClock()
    recording = Recording("cam", clock, 300.0)
    found = Station(camera, recording, Shared(), lambda: None)
    found.volume = volume
    if volume:
        recording.use(Shelf())
    if flows:
        for one in stream(0, 30):
            recording.add(one)
    found.failure = failure  # type: ignore[assignment]
    return found


@pytest.mark.parametrize(
    ("flows", "volume", "failure", "state"),
    [
        (True, "vd0", None, CameraState.RECORDING),
        (False, "vd0", None, CameraState.CONNECTING),
        (False, "vd0", WrongPassword("No."), CameraState.WRONG_PASSWORD),
        (False, None, WrongPassword("No."), CameraState.NO_VOLUME),
        (True, None, None, CameraState.NO_VOLUME),
    ],
)
def test_states(flows: bool, volume: str | None, failure: Exception | None, state: CameraState) -> None:
    found = station(flows, volume, failure)
    said, detail = camera_state(found.camera, found)
    assert said is state
    assert ("No." in detail) == (failure is not None)
    shown = repr(camera_view(found.camera, found, ManualClock()))
    assert "secret" not in shown
    assert "secret" not in repr(found.camera)
