"""The real recorder against GStreamer's RTSP server on loopback; what it wrote is judged by ffprobe."""

import asyncio
import itertools
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from core.bus import BusClient, Nothing, Sentence
from core.errors import BadCamera, CameraExists
from core.paths import Paths
from nvr.recorder.index import Index, SegmentState
from nvr.recorder.model import AddCamera, CameraState, RecorderSnapshot, RemoveCamera, VolumeState
from nvr.recorder.recorderd import BUS_NAME, make_daemon, rebuild
from tests.peers.recorder_host import FakeMounts, Host
from tests.private_bus import Bus

REPO = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Cameras:
    """The camera server's doors."""

    port: int
    liar_port: int
    control: Path

    def honest(self, number: int) -> str:
        return f"rtsp://127.0.0.1:{self.port}/cam{number}"

    def secure(self) -> str:
        return f"rtsp://127.0.0.1:{self.port + 1}/secure"

    def liar(self, number: int, mood: str) -> str:
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self.control))
            control.sendall(json.dumps({"liar": f"liar{number}", "mood": mood}).encode() + b"\n")
            assert json.loads(control.makefile().readline())["ok"]
        return f"rtsp://127.0.0.1:{self.liar_port + number - 1}/cam{(number - 1) % 2 + 1}"


def free_ports(count: int) -> int:
    """The first of so many free ports in a row on loopback."""
    for first in range(20_000, 30_000, 16):
        sockets = [socket.socket() for _ in range(count)]
        try:
            for number, sock in enumerate(sockets):
                sock.bind(("127.0.0.1", first + number))
        except OSError:
            continue
        finally:
            for sock in sockets:
                sock.close()
        return first
    raise AssertionError("no free ports")


@pytest.fixture(scope="module")
def cameras(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cameras]:
    first = free_ports(8)
    doors = Cameras(first, first + 2, tmp_path_factory.mktemp("cameras") / "control")
    process = subprocess.Popen(
        ["/usr/bin/python3", REPO / "rig/cameras.py", "--port", str(doors.port), "--cameras", "2", "--liars", "4",
         "--liar-port", str(doors.liar_port), "--control", doors.control],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], 120)[0], "the camera server did not start"
        assert process.stdout.readline() == "READY\n", process.stderr.read() if process.stderr else ""
        yield doors
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path)


def settings(paths: Paths, cameras: dict[str, dict[str, str]], segment_seconds: float = 3600.0) -> None:
    paths.state.mkdir(parents=True, exist_ok=True)
    table = {
        "recorder": {"segment_seconds": segment_seconds, "dead_seconds": 2.0, "reserve_percent": 1.0},
        "cameras": [{"name": name, **rest} for name, rest in cameras.items()],
    }
    (paths.state / "settings.toml").write_text(tomli_w.dumps(table))


def probe(file: Path) -> dict[str, Any]:
    """ffprobe's packets of a file; fails on anything that ffprobe complains about."""
    command = ["ffprobe", "-v", "warning", "-of", "json", "-count_frames", "-show_streams", "-show_packets", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def check_index(paths: Paths, volumes: list[str]) -> int:
    """The index says exactly what ffprobe finds in the files. Returns the number of pictures."""
    index = Index(paths.state / "recorder/index.sqlite")
    frames = 0
    for volume in volumes:
        root = paths.volumes / volume / "recordings"
        rows = index.of_volume(volume)
        assert sorted(row.path for row in rows) == sorted(str(f.relative_to(root)) for f in root.rglob("*.mp4"))
        for row in rows:
            file = root / row.path
            found = probe(file)
            packets = found["packets"]
            assert row.state is SegmentState.CLOSED
            assert row.bytes == file.stat().st_size
            assert row.frames == len(packets) == int(found["streams"][0]["nb_read_frames"])
            last = packets[-1]
            assert row.end - row.start == pytest.approx(
                1000 * (float(last["pts_time"]) + float(last["duration_time"])), abs=1.5
            )
            assert packets[0]["flags"].startswith("K")
            frames += row.frames
    index.close()
    return frames


def states(view: RecorderSnapshot) -> dict[str, CameraState]:
    return {camera.name: camera.state for camera in view.cameras}


def test_states_are_told_apart_and_every_file_plays(cameras: Cameras, paths: Paths) -> None:
    mounts = FakeMounts(paths)
    mounts.mount("vd0")
    mounts.mount("vd1")
    settings(paths, {
        "street": {"url": cameras.honest(1)},
        "yard": {"url": cameras.honest(2)},
        "secure": {"url": cameras.secure(), "user": "admin", "password": "rackeye"},
        "password": {"url": cameras.secure(), "user": "admin", "password": "wrong-one"},
        "locked": {"url": cameras.liar(1, "unauthorized"), "user": "admin", "password": "rackeye"},
        "refuse": {"url": "rtsp://127.0.0.1:1/cam"},
        "nothere": {"url": cameras.honest(99)},
        "hang": {"url": cameras.liar(2, "hang")},
        "garbage": {"url": cameras.liar(3, "garbage")},
        "freeze": {"url": cameras.liar(4, "freeze")},
    }, segment_seconds=2.0)  # fmt: skip

    async def scenario() -> Host:
        async with Host(paths) as host:
            wanted = {
                "street": CameraState.RECORDING, "yard": CameraState.RECORDING, "secure": CameraState.RECORDING,
                "password": CameraState.WRONG_PASSWORD, "locked": CameraState.WRONG_PASSWORD,
                "refuse": CameraState.REFUSED, "nothere": CameraState.REFUSED, "hang": CameraState.UNREACHABLE,
                "garbage": CameraState.BAD_STREAM, "freeze": CameraState.FROZEN,
            }  # fmt: skip
            await host.until(lambda view: states(view) == wanted, 20)
            return host

    host = asyncio.run(scenario())
    for name in ("street", "yard", "secure"):
        view = host.camera(name)
        assert (view.gap_count, view.packets_lost) == (0, 0), view
        assert view.bitrate > 50_000
        assert view.width in (640, 1280)
    loads = [len(host.volume(name).cameras) for name in ("vd0", "vd1")]
    assert loads == [5, 5]
    shown = repr(host.view) + "\n".join(host.said)
    assert "wrong-one" not in shown
    assert "rackeye" not in re.sub(r"/srv/rackeye|rackeye-volume", "", shown)
    frames = check_index(paths, ["vd0", "vd1"])
    assert frames > 100
    continuous(paths, "street", 1 / 25)
    continuous(paths, "yard", 1 / 15)
    rebuilt_is_the_same(paths)


def continuous(paths: Paths, camera: str, interval: float) -> None:
    """Within each file and from file to file no picture is missing."""
    index = Index(paths.state / "recorder/index.sqlite")
    rows = index.between(camera, 0, 2**60)
    index.close()
    assert len(rows) >= 2
    for row in rows:
        found = probe(paths.volumes / row.volume / "recordings" / row.path)
        times = [float(packet["pts_time"]) for packet in found["packets"]]
        assert times[0] == 0
        assert max(b - a for a, b in itertools.pairwise(times)) < 1.5 * interval
    for before, after in itertools.pairwise(rows):
        assert abs(after.start - before.end) <= 5


def rebuilt_is_the_same(paths: Paths) -> None:
    file = paths.state / "recorder/index.sqlite"
    index = Index(file)
    before = [index.of_volume(volume) for volume in ("vd0", "vd1")]
    index.close()
    for part in file.parent.glob("index.sqlite*"):
        part.unlink()
    assert len(rebuild(paths)) == 2
    index = Index(file)
    after = [index.of_volume(volume) for volume in ("vd0", "vd1")]
    index.close()
    assert after == before
    assert before[0]
    assert before[1]


def test_volumes_go_and_come_back(cameras: Cameras, paths: Paths) -> None:
    mounts = FakeMounts(paths)  # the recorder starts before there is any volume
    settings(paths, {"one": {"url": cameras.honest(1)}, "two": {"url": cameras.honest(2)}})

    def files(volume: str) -> dict[Path, int]:
        return {file: file.stat().st_size for file in (paths.volumes / volume).rglob("*.mp4")}

    async def scenario() -> None:
        async with Host(paths) as host:
            await host.until(lambda view: {*states(view).values()} == {CameraState.NO_VOLUME})
            assert any("NOTHING IS RECORDED of one, two" in problem for problem in host.view.problems)
            mounts.mount("vd0")
            mounts.mount("vd1")
            host.wake()
            await host.until(lambda view: {*states(view).values()} == {CameraState.RECORDING})
            assert {host.camera("one").volume, host.camera("two").volume} == {"vd0", "vd1"}
            await asyncio.sleep(2.5)  # real video, real seconds

            mounts.unmount("vd0")
            host.wake()
            await host.until(lambda view: {camera.volume for camera in view.cameras} == {"vd1"})
            left = files("vd0")
            await host.until(lambda view: {*states(view).values()} == {CameraState.RECORDING})
            await asyncio.sleep(1)
            assert files("vd0") == left
            assert left
            assert host.volume("vd0").state is VolumeState.UNMOUNTED
            assert any("Volume vd0 cannot be recorded to" in problem for problem in host.view.problems)

            mounts.unmount("vd1")
            host.wake()
            await host.until(lambda view: {*states(view).values()} == {CameraState.NO_VOLUME})
            everything = files("vd0") | files("vd1")
            await asyncio.sleep(1)
            assert files("vd0") | files("vd1") == everything
            assert sorted(paths.volumes.parent.rglob("*.mp4")) == sorted(everything)

            mounts.mount("vd0")
            mounts.mount("vd1")
            host.wake()
            await host.until(lambda view: {*states(view).values()} == {CameraState.RECORDING})
            assert {host.camera("one").volume, host.camera("two").volume} == {"vd0", "vd1"}
            await host.until(lambda view: all(camera.gap_count for camera in view.cameras))
            assert all(0.5 < camera.gap_seconds < 8 for camera in host.view.cameras), host.view.cameras

    asyncio.run(scenario())
    assert check_index(paths, ["vd0", "vd1"]) > 100


def test_the_daemon_on_a_bus(cameras: Cameras, paths: Paths, bus: Bus) -> None:
    """Cameras added and removed while it runs; a settings file torn in half changes nothing and is told."""
    FakeMounts(paths).mount("vd0")
    file = paths.state / "settings.toml"
    file.parent.mkdir(parents=True)

    async def scenario() -> None:
        daemon = make_daemon(paths)
        life = asyncio.create_task(daemon.run())
        async with BusClient() as client, asyncio.timeout(30):
            snapshots = client.watch(BUS_NAME, RecorderSnapshot)

            async def until(what: Callable[[RecorderSnapshot], bool]) -> RecorderSnapshot:
                async for envelope in snapshots:
                    if envelope is not None and what(envelope.data):
                        return envelope.data
                raise AssertionError("the bus ended")

            await until(lambda view: bool(view.volumes) and view.volumes[0].state is VolumeState.READY)
            url = cameras.secure().replace("rtsp://", "rtsp://admin:rackeye@")
            await client.call(BUS_NAME, "AddCamera", AddCamera("door", url), Sentence)
            view = await until(lambda view: states(view) == {"door": CameraState.RECORDING})
            assert view.cameras[0].url == cameras.secure()
            assert view.cameras[0].gap_count == 0
            with pytest.raises(CameraExists, match="door"):
                await client.call(BUS_NAME, "AddCamera", AddCamera("door", url), Sentence)
            with pytest.raises(BadCamera):
                await client.call(BUS_NAME, "AddCamera", AddCamera("../etc", url), Sentence)

            good = file.read_bytes()
            file.write_bytes(good[: len(good) // 2])
            await client.call(BUS_NAME, "Recheck", Nothing(), Sentence)
            view = await until(lambda view: any("settings.toml" in problem for problem in view.problems))
            assert states(view) == {"door": CameraState.RECORDING}
            file.write_bytes(good)
            await client.call(BUS_NAME, "Recheck", Nothing(), Sentence)
            await until(lambda view: not view.problems)

            await client.call(BUS_NAME, "RemoveCamera", RemoveCamera("door"), Sentence)
            await until(lambda view: view.cameras == ())
            os.kill(os.getpid(), signal.SIGTERM)
            await life
        daemon.cycle.index.close()  # type: ignore[attr-defined]

    asyncio.run(scenario())
    assert check_index(paths, ["vd0"]) > 25


def test_killed_in_the_middle(cameras: Cameras, paths: Paths) -> None:
    """SIGKILL: every file plays, at most one group of pictures and the time away are missing, and the gap is told."""
    mounts = FakeMounts(paths)
    mounts.mount("vd0")
    settings(paths, {"one": {"url": cameras.honest(1)}, "two": {"url": cameras.honest(2)}})
    process = subprocess.Popen([sys.executable, "-m", "tests.peers.recorder_host", str(paths.root)], cwd=REPO)
    try:
        wait_for_video(paths, 3)
        time.sleep(0.9)  # into the next group of pictures, which is lost
    finally:
        process.kill()
        process.wait()
    killed_at = time.time()
    for file in paths.volumes.rglob("*.mp4"):
        with file.open("ab") as tail:  # as if the kernel had been stopped too, in the middle of a write
            tail.write(b"\0\0\1\0moof" + bytes(3000))

    async def scenario() -> Host:
        async with Host(paths) as host:
            await host.until(lambda view: {*states(view).values()} == {CameraState.RECORDING})
            return host

    host = asyncio.run(scenario())
    assert check_index(paths, ["vd0"]) > 50
    gaps = [gap for camera in host.view.cameras for gap in camera.gaps]
    assert 1 <= len(gaps) <= 2  # one was perhaps killed at the end of a group of pictures, and lacks nothing
    for gap in gaps:
        assert killed_at - 4.5 < gap.start < killed_at, gap  # two groups of 2 s: one in the making, one on its way
        assert gap.end < killed_at + 3, gap


def wait_for_video(paths: Paths, groups: int) -> None:
    """Until every camera has so many groups of pictures in a file. Raises AssertionError after 20 s."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found = [file.read_bytes().count(b"moof") for file in paths.volumes.rglob("*.mp4")]
        if len(found) >= 2 and min(found) >= groups:
            return
        time.sleep(0.1)
    raise AssertionError("no video came")
