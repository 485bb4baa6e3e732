"""All daemons on the host, as they are, on a bus of their own, with their files below one folder.

Real: the programs, the bus, /sys of the host (its drive, no array), timers, a recording volume without cameras. Instead
of hardware: a tree of plain files for LEDs and sensors, shaped like /sys, by the profile virtual-8.
"""

import contextlib
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from benchmarks.procs import BenchFailed, private_bus, started, wait_for
from core.paths import Paths
from hw import bays, profile
from tests.peers.recorder_host import FakeMounts

DAEMONS = ("raidd", "fand", "paneld", "boxd", "recorder", "policyd", "web")
BUS_NAMES = ("Raid1", "Fan1", "Panel1", "Box1", "Recorder1", "Policy1")
PROFILE = "virtual-8"
LIGHTS = ("panel:red:information", "panel:blue:information", "panel:amber:warning", "panel::beeper")


@dataclass(frozen=True, slots=True)
class Box:
    """paths: its files. env: leads to its bus. pids by daemon. port: of the console, HTTPS on loopback."""

    paths: Paths
    env: dict[str, str]
    pids: dict[str, int]
    port: int


@contextlib.contextmanager
def box() -> Iterator[Box]:
    """Starts them, and ends them. Raises BenchFailed when one does not stay."""
    with tempfile.TemporaryDirectory(prefix="box") as folder:
        place = Path(folder)
        paths = Paths(place / "root")
        _furnish(paths)
        port = _free_port()
        commands = [
            [sys.executable, "-m", "benchmarks.one_daemon", name, str(paths.root), str(port)] for name in DAEMONS
        ]
        log = place / "daemons.log"
        with private_bus(place) as env, started(commands, log, env) as processes:
            wait_for(lambda: _listens(port), 60, "the console listens")
            yield Box(paths, env, {n: process.pid for n, process in zip(DAEMONS, processes, strict=True)}, port)
            gone = [name for name, process in zip(DAEMONS, processes, strict=True) if process.poll() is not None]
            if gone:
                raise BenchFailed(f"{', '.join(gone)} ended: {log.read_text()[-1500:]}")


def _furnish(paths: Paths) -> None:
    FakeMounts(paths).mount("vd0")
    (paths.root / "sys").symlink_to("/sys")
    (paths.proc / "1").symlink_to("self")  # raidd reads the mounts of the first process
    for name in ("swaps", "mdstat"):
        if Path("/proc", name).exists():
            (paths.proc / name).symlink_to(Path("/proc", name))
    for folder in (paths.state, paths.run / "media", paths.dev, paths.etc, paths.root / "chassis"):
        folder.mkdir(parents=True, exist_ok=True)
    for name in ("raid", "policy", "recorder", "accounts", "web", "box"):
        (paths.state / name).mkdir()
    chassis = {"profile": PROFILE, "sysfs": str(paths.root / "chassis")}
    (paths.etc / "rackeye.toml").write_text(tomli_w.dumps({"chassis": chassis}))
    rules = paths.root / bays.RULES_FOLDERS[-1] / bays.RULES_FILE
    rules.parent.mkdir(parents=True)
    rules.write_text(bays.udev_rules(profile.load(PROFILE, paths)))
    trays = [f"bay{bay}:{light}" for bay in range(8) for light in ("green:activity", "amber:status")]
    led = {"brightness": "0", "max_brightness": "255", "trigger": "[none] timer pattern", "pattern": "", "repeat": "-1"}
    for name in (*trays, *LIGHTS):
        _attributes(paths.root / "chassis/class/leds" / name, led)
    sensors = {"name": "rack_chassis", "temp1_input": "35000", "temp1_label": "Chassis", "fan1_input": "2400"}
    _attributes(paths.root / "chassis/class/hwmon/hwmon0", sensors)


def _attributes(folder: Path, values: dict[str, str]) -> None:
    folder.mkdir(parents=True)
    for name, value in values.items():
        (folder / name).write_text(value + "\n")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def environment(env: dict[str, str]) -> Iterator[None]:
    """Leads this process to the box's bus."""
    before = {key: os.environ.get(key) for key in env}
    os.environ.update(env)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value
