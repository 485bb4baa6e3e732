"""Live view and playback: real cameras, the real recorder, and Debian's Chromium as the judge."""

import asyncio
import itertools
import json
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import websockets

from core.paths import Paths
from nvr.recorder.model import CameraState
from tests.peers.media_host import Console, Host, browser, console, shown
from tests.peers.test_recorder_loopback import Cameras, cameras, settings

__all__ = ["cameras"]  # the fixture: GStreamer's RTSP server
pytestmark = pytest.mark.timeout(150)  # a browser that hangs is told where

START_LIVE = """async (names) => {
  const { LiveLine, LiveView } = await import('/static/media-live.js');
  const line = window.line = new LiveLine();
  window.views = {};
  for (const name of names) {
    const video = document.createElement('video');
    document.body.append(video);
    const said = [];
    const view = new LiveView(line, name, video, (text) => said.push(text));
    window.views[name] = { view, video, said };
    view.start();
  }
}"""
LOOK_LIVE = """() => Object.fromEntries(Object.entries(window.views).map(([name, { view, video, said }]) => [name, {
  at: video.currentTime, width: video.videoWidth, height: video.videoHeight, jumps: view.jumps, said,
  frames: video.getVideoPlaybackQuality().totalVideoFrames, dropped: video.getVideoPlaybackQuality().droppedVideoFrames,
  behind: video.buffered.length ? video.buffered.end(video.buffered.length - 1) - video.currentTime : null,
  ranges: video.buffered.length, error: video.error && video.error.message }]))"""


def recorded(paths: Paths, doors: Cameras, segment_seconds: float = 3600.0) -> None:
    table = {"street": {"url": doors.honest(1)}, "yard": {"url": doors.honest(2)}}
    settings(paths, table, segment_seconds)


async def until_recording(host: Host) -> None:
    await host.until(lambda view: {c.state for c in view.cameras} == {CameraState.RECORDING})


async def get(one: Console, path: str) -> Any:
    def ask() -> Any:
        with urllib.request.urlopen(one.address + path) as answer:
            return json.loads(answer.read())

    return await asyncio.to_thread(ask)


def test_two_cameras_play_live_in_a_browser_over_one_socket(cameras: Cameras) -> None:
    async def scenario() -> None:
        async with console() as one:
            one.mounts.mount("vd0")
            recorded(one.paths, cameras)
            async with Host(one.paths) as host, browser(one.address) as (page, complaints):
                await until_recording(host)
                assert host.recorder.stations["street"].recording.watcher is None  # no viewer, no cost
                await page.evaluate(START_LIVE, ["street", "yard"])
                playing = "() => Object.values(views).every(({video}) => video.currentTime > 0 && video.videoWidth)"
                began = time.monotonic()
                await shown(page, playing, LOOK_LIVE, 15)
                waited = time.monotonic() - began
                first = await page.evaluate(LOOK_LIVE)
                await asyncio.sleep(5)
                then = await page.evaluate(LOOK_LIVE)
                assert [(then[n]["width"], then[n]["height"]) for n in ("street", "yard")] == [(640, 360), (1280, 720)]
                for name, rate in (("street", 25), ("yard", 15)):
                    gone = then[name]["at"] - first[name]["at"]
                    assert 4 < gone < 7, (first, then)  # it plays on at the pace of the world
                    assert then[name]["frames"] - first[name]["frames"] > 3.5 * rate, (first, then)
                    assert then[name]["behind"] < 1.2, then
                    assert (then[name]["ranges"], then[name]["error"]) == (1, None)
                assert waited < 6, f"{waited:.1f} s to the first picture"
                await page.evaluate("() => Object.values(window.views).forEach(({view}) => view.stop())")
                await host.until(lambda _: host.recorder.stations["street"].recording.watcher is None)
                assert complaints == []
                assert all(camera.gap_count == 0 for camera in host.view.cameras)

    asyncio.run(scenario())


def test_a_viewer_that_does_not_read_harms_neither_recording_nor_others(cameras: Cameras) -> None:
    async def scenario() -> None:
        async with console() as one:
            one.mounts.mount("vd0")
            recorded(one.paths, cameras)
            async with Host(one.paths) as host:
                await until_recording(host)
                address = one.address.replace("http", "ws") + "/api/v1/live"
                async with websockets.connect(address, max_queue=1, compression=None) as stuck:
                    await stuck.send('{"open": "yard"}')
                    async with websockets.connect(address, compression=None) as good:
                        await good.send('{"open": "yard"}')
                        await good.send('{"open": "nobody"}')
                        said, got = [], 0
                        end = time.monotonic() + 6
                        while time.monotonic() < end:
                            found = await asyncio.wait_for(good.recv(), 3)
                            if isinstance(found, str):
                                said.append(json.loads(found))
                            else:
                                assert found[0] == 1
                                got += len(found)
                assert {"camera": "yard", "channel": 1}.items() <= said[0].items()
                assert any(s["error"] and s["error"]["code"] == "REC-011" for s in said)
                assert any(s["codec"] == "avc1.4d401f" and s["width"] == 1280 for s in said), said
                assert got > 200_000  # 800 kbit/s
                assert all(camera.gap_count == 0 for camera in host.view.cameras)

    asyncio.run(scenario())


def test_nobody_unknown_watches(cameras: Cameras) -> None:
    async def scenario() -> None:
        async with console() as one:
            one.porter.opens = False
            with pytest.raises(websockets.InvalidStatus):
                async with websockets.connect(one.address.replace("http", "ws") + "/api/v1/live"):
                    pass
            for path in ("yard", "yard/timeline", "yard/stream?from=0"):
                with pytest.raises(urllib.error.HTTPError, match="401"):
                    await get(one, f"/api/v1/recordings/{path}")
            one.porter.opens = True
            with pytest.raises(urllib.error.HTTPError, match="503"):  # no recorder
                await get(one, "/api/v1/recordings/yard")

    asyncio.run(scenario())


def test_the_api_answers_as_documented_whatever_is_asked(cameras: Cameras, tmp_path: Path) -> None:
    program = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("needs schemathesis")

    async def scenario() -> None:
        async with console() as one:
            one.mounts.mount("vd0")
            recorded(one.paths, cameras)
            async with Host(one.paths) as host:
                await until_recording(host)
                process = await asyncio.create_subprocess_exec(
                    program, "run", f"{one.address}/api/v1/openapi.json", "--header", "Authorization: Bearer token",
                    "--include-path-regex", "^/api/v1/recordings/", "--max-examples", "8", "--phases",
                    "examples,coverage,fuzzing", "--rate-limit", "40/s", "--seed", "7", "--no-color", "--checks", "all",
                    "--exclude-checks", "positive_data_acceptance,ignored_auth",  # the Porter lets everybody in
                    cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
                )  # fmt: skip
                said, _ = await asyncio.wait_for(process.communicate(), 60)
                assert process.returncode == 0, said.decode(errors="replace")[-6000:]
                assert all(camera.gap_count == 0 for camera in host.view.cameras)

    asyncio.run(scenario())


PLAY = """async ([camera, utc]) => {
  const { Playback } = await import('/static/media-playback.js');
  const video = document.createElement('video');
  document.body.append(video);
  const said = [];
  const playback = new Playback(video, camera, { say: (text) => said.push(text) });
  window.play = { playback, video, said };
  playback.know(await (await fetch(`/api/v1/recordings/${camera}/timeline`)).json());
  playback.seek(utc);
}"""
LOOK_PLAY = """() => ({ utc: window.play.playback.utc, width: window.play.video.videoWidth, said: window.play.said,
  jumped: window.play.playback.jumped, at: window.play.video.currentTime, error: window.play.video.error?.message,
  ranges: [...Array(window.play.video.buffered.length).keys()].map((i) =>
    [window.play.video.buffered.start(i), window.play.video.buffered.end(i)]) })"""


# A line on which a group of pictures takes a while: the moment that was chosen is not there yet when its group begins.
SLOW = """() => {
  const real = window.fetch;
  window.fetch = async (...asked) => {
    const answer = await real(...asked);
    if (!String(asked[0]).includes('/stream')) return answer;
    const reader = answer.body.getReader();
    const body = new ReadableStream({ async pull(to) {
      const { value, done } = await reader.read();
      if (done) return to.close();
      for (let at = 0; at < value.length; at += 8000) {
        to.enqueue(value.slice(at, at + 8000));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    } });
    return new Response(body, { headers: answer.headers, status: answer.status });
  };
}"""
HASTY = """async (moments) => {
  for (const utc of moments) {
    window.play.playback.seek(utc);
    await new Promise((resolve) => setTimeout(resolve, 7 * Math.random()));
  }
}"""


def test_playback_seeks_and_jumps_over_a_gap_whose_reason_it_tells(cameras: Cameras) -> None:
    async def scenario() -> None:
        async with console() as one:
            one.mounts.mount("vd0")
            recorded(one.paths, cameras, segment_seconds=4.0)
            async with Host(one.paths) as host, browser(one.address) as (page, complaints):
                await until_recording(host)
                await asyncio.sleep(7)
                one.mounts.unmount("vd0")  # 3 s without a volume
                host.wake()
                await asyncio.sleep(3)
                one.mounts.mount("vd0")
                host.wake()
                await until_recording(host)
                await asyncio.sleep(8)
                timeline = await get(one, "/api/v1/recordings/street/timeline")
                (hole,) = timeline["holes"]
                assert hole["reason"] == "No recording volume was there."
                assert 1 < hole["end"] - hole["start"] < 15, hole  # at least the 3 s, less a group of pictures
                one_stretch, other = timeline["recorded"]
                assert (one_stretch["end"], other["start"]) == (hole["start"], hole["end"])
                assert abs(timeline["at"] - other["end"]) < 5
                files = (await get(one, "/api/v1/recordings/street"))["files"]
                assert len(files) >= 4
                assert [f["open"] for f in files] == [False] * (len(files) - 1) + [True]

                await page.evaluate(SLOW)
                wanted = one_stretch["start"] + 3.9  # almost two seconds into its group of pictures
                await page.evaluate(PLAY, ["street", wanted])
                look = await shown(page, "() => play.video.videoWidth && play.video.currentTime", LOOK_PLAY)
                assert wanted - 0.1 < look["utc"] < wanted + 3, look
                assert look["width"] == 640
                look = await shown(page, f"() => window.play.playback.utc > {hole['end'] + 1}", LOOK_PLAY, 25)
                (jump,) = look["jumped"]
                assert jump["reason"] == "No recording volume was there."
                assert abs(jump["from"] - hole["start"]) < 0.2
                assert abs(jump["to"] - hole["end"]) < 0.2
                back = one_stretch["start"] + 1.0  # within what was fetched, or not: both are a seek
                await page.evaluate("(utc) => { window.play.playback.seek(utc); }", back)  # not waited for
                look = await shown(
                    page, f"() => Math.abs(play.playback.utc - {back}) < 3 && !play.video.seeking", LOOK_PLAY
                )
                assert look["error"] is None
                far = other["end"] - 2  # a person who drags: the last moment holds, whatever was on its way before
                await page.evaluate(HASTY, [far if at % 2 else back for at in range(20)] + [far, back])
                look = await shown(page, f"() => play.playback.utc > {back} + 0.5 && !play.video.seeking", LOOK_PLAY)
                assert look["utc"] < back + 4, look
                assert complaints == []
                await asyncio.to_thread(ffprobe_agrees, one, one_stretch["start"], files)

    asyncio.run(scenario())


def ffprobe_agrees(one: Console, start: float, files: list[dict[str, Any]]) -> None:
    """A stream over the border of two files plays as one; nothing is missing in it."""
    url = f"{one.address}/api/v1/recordings/street/stream?from={start}&to={files[1]['end'] - 0.5}&download=1"
    command = ["ffprobe", "-v", "warning", "-of", "json", "-show_packets", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert done.stderr == ""
    times = [float(packet["pts_time"]) for packet in json.loads(done.stdout)["packets"]]
    assert times[0] == 0
    assert len(times) == files[0]["frames"] + files[1]["frames"]
    assert max(b - a for a, b in itertools.pairwise(times)) < 0.07
