"""`rackeye camera`: cameras and the volumes they are recorded on."""

import sys

import click
from rich.console import Group, RenderableType

from core.bus import Sentence
from core.errors import CameraUnknown
from core.units import human_bytes, human_rate, human_seconds, utc_text
from nvr.cli import confirm
from nvr.cli.client import RECORDER, View
from nvr.cli.output import (
    UNKNOWN,
    ago,
    known,
    notes,
    origin,
    pairs,
    problems,
    remarks,
    say,
    show,
    size,
    styled,
    table,
)
from nvr.cli.session import Session
from nvr.cli.shape import NounGroup, examples, json_option, pass_session, watch_option, yes_option
from nvr.recorder.model import AddCamera, CameraState, CameraView, RecorderSnapshot, RemoveCamera, VolumeView


def moving(data: RecorderSnapshot) -> bool:
    """True when figures must change at each look."""
    return any(camera.state is CameraState.RECORDING for camera in data.cameras)


def camera_table(cameras: tuple[CameraView, ...], now: float) -> RenderableType:
    """One row a camera; below it what is to be said of them."""

    def cells(camera: CameraView) -> list[RenderableType]:
        live = camera.state is CameraState.RECORDING
        return [
            camera.name, styled(camera.state), camera.volume or "-",
            f"{camera.width}x{camera.height}" if camera.width else UNKNOWN,
            human_rate(camera.bitrate) if live and camera.bitrate else UNKNOWN if live else "-",
            "never" if camera.last_frame is None else ago(camera.last_frame, now), _gaps(camera),
        ]

    columns = ("Name", "State", "Volume", "Picture", "Bitrate", "Last frame", "Gaps")
    said = remarks((camera.name, camera.detail) for camera in cameras)
    return Group(table(columns, map(cells, cameras), right=("Bitrate",)), *said)


def camera_facts(camera: CameraView, now: float) -> RenderableType:
    """All that is known of one camera."""
    live = camera.state is CameraState.RECORDING
    last = [f"{utc_text(gap.start)} for {human_seconds(gap.seconds)}" for gap in camera.gaps]
    return pairs([
        ("Name", camera.name),
        ("URL", camera.url),
        ("State", styled(camera.state)),
        ("Detail", camera.detail or "-"),
        ("Volume", camera.volume or "none: it is not recorded"),
        ("Picture", f"{camera.width}x{camera.height}" if camera.width else UNKNOWN),
        ("Bitrate", human_rate(camera.bitrate) if live and camera.bitrate else UNKNOWN),
        ("Frames", f"{camera.frames} since the recorder started"),
        ("Last frame", "never" if camera.last_frame is None else ago(camera.last_frame, now)),
        ("Recorded until", "-" if camera.recorded_until is None else utc_text(camera.recorded_until)),
        ("Gaps", _gaps(camera)),
        ("Last gaps", "\n".join(last) or "-"),
        ("Packets lost", str(camera.packets_lost)),
        ("Connected again", f"{camera.reconnects} times"),
    ])


def _gaps(camera: CameraView) -> str:
    return f"{camera.gap_count}, {human_seconds(camera.gap_seconds)} in all" if camera.gap_count else "none"


def volume_table(volumes: tuple[VolumeView, ...]) -> RenderableType:
    """One row a recording volume."""

    def cells(volume: VolumeView) -> list[RenderableType]:
        oldest = "-" if volume.oldest is None else utc_text(volume.oldest)
        free = human_bytes(volume.free) if volume.total else UNKNOWN
        return [
            volume.name, styled(volume.state), free, size(volume.total), str(len(volume.cameras)), oldest,
        ]

    columns = ("Volume", "State", "Free", "Size", "Cameras", "Oldest picture")
    said = remarks((f"Volume {volume.name}", volume.detail) for volume in volumes)
    return Group(table(columns, map(cells, volumes), right=("Free", "Size", "Cameras")), *said)


def _render(view: View) -> RenderableType:
    answer = view.of(RECORDER)
    data = answer.data
    return Group(
        *notes(RECORDER, answer, view.at, moving=moving(data)),
        camera_table(data.cameras, view.at) if data.cameras else "No camera is set. Add one: rackeye camera add --help",
        "",
        volume_table(data.volumes) if data.volumes else "No recording volume: nothing is recorded. See: rackeye vd",
        *problems(data.problems),
    )


def _json(view: View) -> dict[str, object]:
    answer = view.of(RECORDER)
    data = answer.data
    return {
        "cameras": data.cameras,
        "volumes": data.volumes,
        "problems": data.problems,
        "recorder": origin(answer, view.at, moving=moving(data)),
    }


def complete_camera(ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    """Names for the shell; nothing when the recorder cannot be asked."""
    answer = ctx.ensure_object(Session).client.look(RECORDER).of(RECORDER)
    names = [camera.name for camera in answer.envelope.data.cameras] if answer.envelope else []
    return [name for name in names if name.startswith(begun)]


def find(data: RecorderSnapshot, name: str) -> CameraView:
    """Raises CameraUnknown."""
    for camera in data.cameras:
        if camera.name == name:
            return camera
    there = ", ".join(camera.name for camera in data.cameras) or "none"
    raise CameraUnknown(f"There is no camera {name}; there is: {there}.", hint="rackeye camera")


@click.group(cls=NounGroup)
def command() -> None:
    """Cameras, and the volumes they are recorded on."""


@command.command("list", epilog=examples("rackeye camera", "rackeye camera --watch", "rackeye camera --json"))
@json_option
@watch_option
@pass_session
def list_(session: Session, *, watch: bool) -> None:
    """All cameras and volumes (this is what `rackeye camera` alone does)."""
    show(session, (RECORDER,), _render, _json, watch=watch)


@command.command("show", epilog=examples("rackeye camera show gate", "rackeye camera show gate --watch"))
@click.argument("name", shell_complete=complete_camera)
@json_option
@watch_option
@pass_session
def show_(session: Session, *, name: str, watch: bool) -> None:
    """All that is known of the camera NAME: URL, bitrate, last frame, gaps."""

    def render(view: View) -> RenderableType:
        answer = view.of(RECORDER)
        stale = notes(RECORDER, answer, view.at, moving=moving(answer.data))
        return Group(*stale, camera_facts(find(answer.data, name), view.at))

    def to_json(view: View) -> dict[str, object]:
        answer = view.of(RECORDER)
        camera = find(answer.data, name)
        return {"camera": camera, "recorder": origin(answer, view.at, moving=moving(answer.data))}

    show(session, (RECORDER,), render, to_json, watch=watch)


@command.command(epilog=examples(
    "rackeye camera add gate rtsp://192.0.2.7/stream1 --user viewer",
    "rackeye camera add gate rtsp://192.0.2.7/stream1 --user viewer < password-file",
    "rackeye camera add yard rtsp://192.0.2.8:8554/main --volume vd1",
))
@click.argument("name")
@click.argument("url")
@click.option("--user", default="", help="The camera's user, when it wants one.")
@click.option(
    "--password", help="Its password. Better leave it out: other users see it in `ps`; it is asked for, or read as one "
    "line from standard input.",
)
@click.option("--volume", help="Record on this volume only.  [default: volumes are shared out]")
@json_option
@pass_session
def add(session: Session, *, name: str, url: str, user: str, password: str | None, volume: str | None) -> None:
    """Record the camera at URL (rtsp://HOST[:PORT]/PATH, H.264) under NAME (a-z, 0-9 and -)."""
    if password is not None and not user:
        raise click.UsageError("--password goes with --user.")
    secret = _password(user) if password is None and user else password or ""
    request = AddCamera(name, url, user, secret, volume)
    say(session, session.client.call(RECORDER, "AddCamera", request, Sentence).text)


def _password(user: str) -> str:
    if sys.stdin.isatty():
        question = f"Password of {known(user)}"
        return str(click.prompt(question, hide_input=True, default="", show_default=False, err=True))
    return sys.stdin.readline().rstrip("\r\n")


@command.command(epilog=examples("rackeye camera remove gate"))
@click.argument("name", shell_complete=complete_camera)
@yes_option
@json_option
@pass_session
def remove(session: Session, *, name: str, yes: bool) -> None:
    """Record the camera NAME no more. Its recordings stay until they are recycled."""
    confirm.agreed(session, f"Stop recording {known(name)} and forget it?", yes=yes)
    say(session, session.client.call(RECORDER, "RemoveCamera", RemoveCamera(name), Sentence).text)
