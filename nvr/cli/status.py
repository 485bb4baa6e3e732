"""`rackeye status`: the whole appliance on one page; a part that does not answer is said, the others are shown."""

import socket
from collections import Counter
from collections.abc import Callable
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.text import Text

from boot.failover_model import FailoverSnapshot
from boot.model import BoxSnapshot, Mode
from core.errors import RackeyeError
from core.units import human_bytes
from hw.model import BayView, FanSnapshot, LampMode, PanelSnapshot, Sensor, SensorState
from nvr.alarms.model import PolicySnapshot
from nvr.cli.alarm import alarm_table, panel_alarms
from nvr.cli.camera import moving as recording
from nvr.cli.client import FAILOVER, FAN, PANEL, POLICY, RAID, RECORDER, Source, View
from nvr.cli.mode import BOX
from nvr.cli.output import UNKNOWN, clean, notes, origin, problems, show, styled
from nvr.cli.session import Session
from nvr.cli.shape import examples, json_option, pass_session, watch_option
from nvr.cli.vd import moving as working
from nvr.cli.vd import vd_table
from nvr.recorder.model import CameraState, RecorderSnapshot, VolumeState
from raid.model import DriveState, RaidSnapshot

Part = tuple[str, str, Source[Any]]
"""Its key as JSON, its title, who is asked."""
SOURCES: tuple[Part, ...] = (
    ("box", "Appliance", BOX),
    ("policy", "Alarms", POLICY),
    ("raid", "Storage", RAID),
    ("recorder", "Recording", RECORDER),
    ("failover", "Failover", FAILOVER),
    ("panel", "Front panel", PANEL),
    ("fan", "Cooling and power", FAN),
)
ALL = tuple(source for _, _, source in SOURCES)


def is_redundant(view: View) -> bool:
    """Failover Mode, by boxd's last word; while there is none, by whether the failover service is there."""
    box = view.of(BOX).envelope
    return view.of(FAILOVER).error is None if box is None else box.data.mode is Mode.FAILOVER


def parts(view: View) -> tuple[Part, ...]:
    """Those that should answer in this mode: a redundant server has no recorder, and only it the failover service."""
    absent = RECORDER if is_redundant(view) else FAILOVER
    return tuple(part for part in SOURCES if part[2] is not absent)


def is_moving(view: View, source: Source[Any]) -> bool:
    """True when the figures of this daemon must change at each look."""
    data = view.of(source).data
    match data:
        case RaidSnapshot():
            return working(data)
        case RecorderSnapshot():
            return recording(data)
        case _:
            return False


def _policy(data: PolicySnapshot, view: View) -> list[RenderableType]:
    word = UNKNOWN if data.health.value == "Unknown" else str(data.health)
    head = Text("Health ") + styled(word)
    return [head, alarm_table(data.alarms, view.at) if data.alarms else "No alarm is open."]


def _box(data: BoxSnapshot, _view: View) -> list[RenderableType]:
    return [clean(f"{data.mode}, version {data.version or UNKNOWN}")]


def _failover(data: FailoverSnapshot, _view: View) -> list[RenderableType]:
    return [clean(f"{data.state}. {data.sentence}")]


def _raid(data: RaidSnapshot, view: View) -> list[RenderableType]:
    make = "No virtual drive: nothing is recorded. Make one: rackeye vd create --simple --level 5"
    none = "No virtual drive." if is_redundant(view) else make
    states = Counter(UNKNOWN if drive.state is DriveState.UNKNOWN else str(drive.state) for drive in data.drives)
    counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return [vd_table(data.virtual_drives) if data.virtual_drives else none, clean(f"Drives: {counts or 'none seen'}")]


def _recorder(data: RecorderSnapshot, _view: View) -> list[RenderableType]:
    states = Counter(str(camera.state) for camera in data.cameras)
    counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    lines: list[RenderableType] = [f"Cameras: {counts or 'none set'}"]
    lines += [
        Text(clean(f"  {camera.name}: {camera.state}. {camera.detail}".rstrip()), "red")
        for camera in data.cameras
        if camera.state not in (CameraState.RECORDING, CameraState.CONNECTING, CameraState.DISABLED)
    ]
    for volume in data.volumes:
        room = f"{human_bytes(volume.free)} of {human_bytes(volume.total)} free" if volume.total else "free space ???"
        style = "" if volume.state is VolumeState.READY else "red"
        lines.append(Text(clean(f"Volume {volume.name}: {volume.state}, {room}. {volume.detail}".rstrip()), style))
    if not data.volumes:
        lines.append(Text("No recording volume: nothing is recorded.", "bold red"))
    return lines


def _panel(data: PanelSnapshot, _view: View) -> list[RenderableType]:
    lights = Counter(_light(data, bay) for bay in data.bays)
    counts = ", ".join(f"{count} {light}" for light, count in sorted(lights.items()))
    located = [str(bay.bay) for bay in data.bays if bay.locate]
    tail = f"; locating bay {', '.join(located)}" if located else ""
    tail += "; a lamp test is on" * data.lamp_test
    line = clean(f"{data.title or data.profile}: bays {counts or 'none in the profile'}{tail}")
    return [line, *problems(panel_alarms(data))]


def _light(data: PanelSnapshot, bay: BayView) -> str:
    """In a lamp test both LEDs are on, which is no light of a bay."""
    lamps = {led.lamp for led in data.leds if led.bay == bay.bay}
    return bay.light.lower() if bay.light else "all on" if lamps == {LampMode.ON} else UNKNOWN


def _fan(data: FanSnapshot, _view: View) -> list[RenderableType]:
    return [_sensor(sensor) for sensor in data.sensors] or ["No sensor in the chassis profile."]


def _sensor(sensor: Sensor) -> Text:
    no_value = "-" if sensor.state is SensorState.OK else UNKNOWN  # not every power supply tells what it gives
    value = no_value if sensor.value is None else f"{sensor.value:g} {sensor.unit}"
    return Text(clean(f"{sensor.name}: {value} ")) + styled(sensor.state) + Text(clean(f" {sensor.detail}".rstrip()))


BODIES: dict[str, Callable[..., list[RenderableType]]] = {
    "box": _box, "policy": _policy, "raid": _raid, "recorder": _recorder, "failover": _failover, "panel": _panel,
    "fan": _fan,
}


def _render(view: View) -> RenderableType:
    made: list[RenderableType] = [Text(f"Rackeye on {socket.gethostname()}", "bold")]
    for key, title, source in parts(view):
        made += [Text(""), Text(title, "bold underline"), *_part(view, key, source)]
    return Group(*made)


def _part(view: View, key: str, source: Source[Any]) -> list[RenderableType]:
    answer = view.of(source)
    try:
        data = answer.data
    except RackeyeError as error:
        said = f"{UNKNOWN} {error.sentence} {error.hint} [{error.code}]"
        return [Text(clean(said), "bold magenta")]
    stale = notes(source, answer, view.at, moving=is_moving(view, source))
    sentences: tuple[str, ...] = getattr(data, "problems", ())
    return [*stale, *BODIES[key](data, view), *problems(sentences)]


def _json(view: View) -> dict[str, object]:
    made: dict[str, object] = {"host": socket.gethostname(), **dict.fromkeys(key for key, _, _ in SOURCES)}
    for key, _, source in parts(view):
        answer = view.of(source)
        there = answer.envelope is not None
        made[key] = {
            **origin(answer, view.at, moving=there and is_moving(view, source)),
            "data": answer.data if there else None,
        }
    return made


@click.command(epilog=examples("rackeye status", "rackeye status --watch", "rackeye status --json | jq .raid.data"))
@json_option
@watch_option
@pass_session
@click.pass_context
def command(ctx: click.Context, session: Session, *, watch: bool) -> None:
    """Alarms, storage, recording, front panel and cooling. Exit 1 when a part does not answer."""
    view = show(session, ALL, _render, _json, watch=watch)
    if not watch and any(view.of(source).error is not None for _, _, source in parts(view)):
        ctx.exit(1)
