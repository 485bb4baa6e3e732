"""`recorder`: CPU and memory a stream, against one `ffmpeg -c copy -f segment` a camera.

Ours is the real daemon on a bus of its own, with its files and its volume below a folder in $TMPDIR (or /var/tmp);
ffmpeg writes to the same place. In turns: ours, ffmpeg, ours, ffmpeg.
"""

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from benchmarks.procs import BenchFailed, cpu_seconds, private_bus, pss_bytes, started, wait_for
from benchmarks.rows import Row, Section, Tell, against
from benchmarks.sender import SPEC, clip_bytes
from core.paths import Paths
from rig.clips import make_clips
from tests.peers.recorder_host import FakeMounts

STREAMS = (8, 32, 128)
TURNS = {8: 2, 32: 2, 128: 2}
WARM = 6.0  # seconds: then most of our files have been synced once, as they are each 10 s
WINDOW = 8.0  # seconds: four GOPs
GOAL_CPU, GOAL_MEMORY = "<= 0.333", "<= 0.125"
FLOWING = 256 << 10  # bytes of a camera's files from which it is recorded
MB = 1e6


@dataclass(frozen=True, slots=True)
class Measured:
    """cpu: ms a written stream-second. memory: MB a stream. kept: share of what the cameras sent that was written."""

    cpu: float
    memory: float
    kept: float


def bench(tell: Tell, *, quick: bool = False) -> Section:
    """The rows. Raises BenchFailed when one of both does not record."""
    make_clips(specs=(SPEC,))
    rows: list[Row] = []
    notes: list[str] = []
    for streams in STREAMS[:2] if quick else STREAMS:
        ours, peers = list[Measured](), list[Measured]()
        senders: list[dict[str, float]] = []
        for _ in range(1 if quick else TURNS[streams]):
            with _place() as place, _sender(streams, place, senders) as port:
                ours.append(_ours(streams, port, place))
            with _place() as place, _sender(streams, place, senders) as port:
                peers.append(_ffmpeg(streams, port, place))
            tell(f"{streams} streams: ours {ours[-1]}, ffmpeg {peers[-1]}, sender {senders[-2:]}")
        name = "ffmpeg -c copy, one a camera"
        rows.append(against(f"recorder cpu, {streams} streams", "ms a stream-second", _middle(ours, peers, "cpu"),
                            name, GOAL_CPU))
        rows.append(against(f"recorder memory, {streams} streams", "MB PSS a stream", _middle(ours, peers, "memory"),
                            name, GOAL_MEMORY))
        late = max(one["late"] for one in senders)
        dropped = sum(one["dropped"] for one in senders)
        notes.append(
            f"{streams} streams: {len(ours)} turns each; written of what was sent, at least: ours "
            f"{min(one.kept for one in ours):.0%}, ffmpeg {min(one.kept for one in peers):.0%}; cameras at worst "
            f"{late:.2f} s late, {dropped} frames dropped. cpu of the turns: ours {_list(ours)}, ffmpeg {_list(peers)}."
        )
    return Section(tuple(rows), (_how(), *notes))


def _how() -> str:
    return (
        f"1080p25, GOP {SPEC.gop}, {SPEC.kbit / 1000:.1f} Mbit/s, RTSP over TCP, from a sender that packetised "
        f"beforehand (benchmarks/sender.py; GStreamer would be the bottleneck). User + system time over {WINDOW:g} s "
        f"once all are recorded; PSS at its end. ffmpeg: {_ffmpeg_version()}, mp4 segments. Ours: the whole daemon in "
        "pure Python. With 8 streams its memory cannot hold: the goal leaves 18 MB for all, the interpreter with "
        "asyncio takes 20 before the first line of ours, with D-Bus, SQLite and our modules 31."
    )


def _middle(ours: Sequence[Measured], peers: Sequence[Measured], what: str) -> tuple[float, float]:
    one, other = (statistics.median(getattr(turn, what) for turn in turns) for turns in (ours, peers))
    return one, other


def _list(turns: Sequence[Measured]) -> str:
    return ", ".join(f"{turn.cpu:.2f}" for turn in turns)


def _ffmpeg_version() -> str:
    said = subprocess.run(["/usr/bin/ffmpeg", "-version"], capture_output=True, text=True, check=True).stdout
    return " ".join(said.split()[:3])


@contextlib.contextmanager
def _place() -> Iterator[Path]:
    """A folder on a real file system, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bench", dir=os.environ.get("TMPDIR", "/var/tmp")))  # noqa: S108 -- as tempfile does
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def _sender(cameras: int, place: Path, counters: list[dict[str, float]]) -> Iterator[str]:
    with started([[sys.executable, "-m", "benchmarks.sender", str(cameras)]], place / "sender.log") as (process,):
        out = process.stdout
        assert out is not None
        first = out.readline().decode().split()
        if first[:1] != ["READY"]:
            raise BenchFailed(f"The cameras did not start: {(place / 'sender.log').read_text()[-500:]}")
        yield first[1]
        process.terminate()
        counters.append(json.loads(out.readline()))


def _ours(streams: int, port: str, place: Path) -> Measured:
    paths = Paths(place / "root")
    FakeMounts(paths).mount("vd0")
    paths.state.mkdir(parents=True)
    cameras = [{"name": f"cam{n}", "url": f"rtsp://127.0.0.1:{port}/cam{n}"} for n in range(streams)]
    (paths.state / "settings.toml").write_text(tomli_w.dumps({"recorder": {"reserve_percent": 1}, "cameras": cameras}))
    command = [sys.executable, "-m", "benchmarks.one_daemon", "recorder", str(paths.root)]
    with private_bus(place) as env, started([command], place / "recorder.log", env) as (process,):
        recordings = paths.volumes / "vd0/recordings"
        return _measure([process], recordings, streams, place / "recorder.log")


def _ffmpeg(streams: int, port: str, place: Path) -> Measured:
    recordings = place / "recordings"
    commands = []
    for n in range(streams):
        (recordings / f"cam{n}").mkdir(parents=True)
        commands.append([
            "/usr/bin/ffmpeg", "-nostdin", "-v", "error", "-rtsp_transport", "tcp",
            "-i", f"rtsp://127.0.0.1:{port}/cam{n}", "-c", "copy", "-f", "segment", "-segment_time", "300",
            "-segment_format", "mp4", "-reset_timestamps", "1", str(recordings / f"cam{n}/%05d.mp4"),
        ])  # fmt: skip
    with started(commands, place / "ffmpeg.log") as processes:
        return _measure(processes, recordings, streams, place / "ffmpeg.log")


def _measure(processes: Sequence[subprocess.Popen[bytes]], recordings: Path, streams: int, log: Path) -> Measured:
    pids = [process.pid for process in processes]
    try:
        wait_for(lambda: _recorded(recordings) >= streams, 90, "every camera is recorded")
    except BenchFailed as error:
        raise BenchFailed(f"{error} {_recorded(recordings)} are. {log.read_text()[-800:]}") from error
    time.sleep(WARM)
    size, cpu, began = _size(recordings), cpu_seconds(pids), time.monotonic()
    time.sleep(WINDOW)
    seconds, spent, grown = time.monotonic() - began, cpu_seconds(pids) - cpu, _size(recordings) - size
    if any(process.poll() is not None for process in processes):
        raise BenchFailed(f"A recorder ended: {log.read_text()[-800:]}")
    kept = grown / (streams * seconds * clip_bytes() / SPEC.seconds)
    # of what was written: a sender that was late catches up, and that is work of more than these seconds
    return Measured(1000 * spent / seconds / streams / kept, pss_bytes(pids) / MB / streams, kept)


def _files(recordings: Path) -> Iterator[tuple[str, int]]:
    """Camera and size of each file."""
    for file in recordings.rglob("*.mp4"):
        yield file.relative_to(recordings).parts[0], file.stat().st_size


def _recorded(recordings: Path) -> int:
    return len({camera for camera, size in _files(recordings) if size >= FLOWING})


def _size(recordings: Path) -> int:
    return sum(size for _, size in _files(recordings))
