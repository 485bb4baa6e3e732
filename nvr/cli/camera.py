"""`rackeye camera`: cameras and the volumes they are recorded on."""

import sys

import click
from rich.console import Group, RenderableType

from core.bus import Sentence
from core.units import human_bytes, human_rate, human_seconds, utc_text
from nvr.cli import confirm
from nvr.cli.client import RECORDER, View
from nvr.cli.output import UNKNOWN, ago, known, notes, origin, problems, say, show, size, styled, table
from nvr.cli.session import Session
from nvr.cli.shape import NounGroup, examples, json_option, pass_session, watch_option, yes_option
from nvr.recorder.model import AddCamera, CameraState, CameraView, RecorderSnapshot, RemoveCamera, VolumeView


def moving(data: RecorderSnapshot) -> bool:
    """True when figures must change at each look."""
    return any(camera.state is CameraState.RECORDING for camera in data.cameras)


def camera_table(cameras: tuple[CameraView, ...], now: float) -> RenderableType:
    """One row a camera."""

    def cells(camera: CameraView) -> list[RenderableType]:
        live = camera.state is CameraState.RECORDING
        return [
            camera.name, styled(camera.state), camera.volume or "-",
            f"{camera.width}x{camera.height}" if camera.width else UNKNOWN,
            human_rate(camera.bitrate) if live and camera.bitrate else UNKNOWN if live else "-",
            "never" if camera.last_frame is None else ago(camera.last_frame, now), _gaps(camera), camera.url,
            camera.detail,
        ]

    columns = ("Name", "State", "Volume", "Picture", "Bitrate", "Last frame", "Gaps", "URL", "")
    return table(columns, map(cells, cameras), right=("Bitrate",))


def _gaps(camera: CameraView) -> str:
    return f"{camera.gap_count}, {human_seconds(camera.gap_seconds)} in all" if camera.gap_count else "none"


def volume_table(volumes: tuple[VolumeView, ...]) -> RenderableType:
    """One row a recording volume."""

    def cells(volume: VolumeView) -> list[RenderableType]:
        oldest = "-" if volume.oldest is None else utc_text(volume.oldest)
        free = human_bytes(volume.free) if volume.total else UNKNOWN
        return [
            volume.name, styled(volume.state), free, size(volume.total), str(len(volume.cameras)), oldest,
            volume.detail,
        ]

    columns = ("Volume", "State", "Free", "Size", "Cameras", "Oldest picture", "")
    return table(columns, map(cells, volumes), right=("Free", "Size", "Cameras"))


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
