"""Test cameras: GStreamer's RTSP server looping clips for ever, plus cameras that lie (rig/liars.py).

Runs under /usr/bin/python3 (Debian's python3-gi), standalone or in the rack's network namespace:

    /usr/bin/python3 rig/cameras.py --bind 127.0.0.1 --port 8554 --cameras 4 --liars 2 --control /tmp/cameras.sock

    rtsp://127.0.0.1:8554/cam1 .. camN           anyone; H.264, odd ones 640x360p25 GOP 50, even ones 1280x720p15 GOP 15
    rtsp://admin:rackeye@127.0.0.1:8555/secure   Digest, cam1's picture
    rtsp://127.0.0.1:8601/cam1 (8602 ..)         liar1, liar2 ..: honest until told otherwise

Prints "READY" when all doors are open. Control is JSON lines on a unix socket:

    {"liar": "liar1", "mood": "freeze"}  ->  {"ok": true, ...}
        moods: honest refuse hang garbage unauthorized freeze hangup
    {"state": true}                      ->  {"ok": true, "liars": {"liar1": "honest"}, "urls": {...}}
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any

if not __package__:  # started by path: python3 rig/cameras.py
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

from rig.clips import CACHE, CLIPS, Clip, load_clip, make_clips  # noqa: E402
from rig.liars import Liar, Mood  # noqa: E402

USER, PASSWORD = "admin", "rackeye"
AUTH_DIGEST = 2  # GST_RTSP_AUTH_DIGEST; the GstRtsp typelib is not loaded for one number
PAYLOADER = (
    "( appsrc name=clip format=time is-live=false block=false max-bytes=60000"
    " caps=video/x-h264,stream-format=byte-stream,alignment=au,framerate={fps}/1"
    " ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
)


class Feeder:
    """Pushes a clip round after round into one appsrc; time stamps go on from round to round without a step."""

    def __init__(self, clip: Clip, source: Any) -> None:
        self.clip, self.frame, self.duration = clip, 0, Gst.SECOND // clip.spec.fps
        source.connect("need-data", self._feed)

    def _feed(self, source: Any, _wanted: int) -> None:
        unit = self.clip.units[self.frame % len(self.clip.units)]
        buffer = Gst.Buffer.new_wrapped(unit)
        buffer.pts = buffer.dts = self.frame * Gst.SECOND // self.clip.spec.fps
        buffer.duration = self.duration
        self.frame += 1
        source.emit("push-buffer", buffer)


class LoopFactory(GstRtspServer.RTSPMediaFactory):  # type: ignore[misc]  # gi is made at run time
    """One camera: a shared stream, as a real camera has one encoder for all its viewers."""

    def __init__(self, clip: Clip) -> None:
        super().__init__()
        self.clip = clip
        self.set_launch(PAYLOADER.format(fps=clip.spec.fps))
        self.set_shared(True)
        self.connect("media-configure", self._configure)

    def _configure(self, _factory: Any, media: Any) -> None:
        source = media.get_element().get_by_name("clip")
        source.feeder = Feeder(self.clip, source)  # lives as long as the stream does


def start_server(bind: str, port: int, factories: dict[str, LoopFactory], auth: Any = None) -> Any:
    """Opens an RTSP server in the default GLib context. Raises OSError when the port is taken."""
    server = GstRtspServer.RTSPServer()
    server.set_address(bind)
    server.set_service(str(port))
    if auth is not None:
        server.set_auth(auth)
    for path, factory in factories.items():
        server.get_mount_points().add_factory(path, factory)
    if not server.attach(None):
        raise OSError(f"cannot listen on {bind}:{port}")
    GLib.timeout_add_seconds(5, lambda: server.get_session_pool().cleanup() is not None)
    return server


def digest(factory: LoopFactory) -> Any:
    """Digest authentication for USER, who may see `factory`'s camera. Without a default token a stranger gets 401."""
    allow = Gst.Structure.new_empty("known")
    for right in ("media.factory.access", "media.factory.construct"):
        allow.set_value(right, True)
    factory.add_role_from_structure(allow)
    known = GstRtspServer.RTSPToken()
    known.set_string("media.factory.role", "known")
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(AUTH_DIGEST)
    auth.add_digest(USER, PASSWORD, known)
    return auth


class Control:
    """Answers JSON lines on the control socket."""

    def __init__(self, liars: dict[str, Liar], urls: dict[str, str]) -> None:
        self.liars, self.urls = liars, urls

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, until it closes."""
        while line := await reader.readline():
            try:
                reply = await self.answer(json.loads(line))
            except (ValueError, KeyError, TypeError, OSError) as error:
                reply = {"ok": False, "error": f"{type(error).__name__}: {error}"}
            writer.write(json.dumps(reply).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """One request. Raises KeyError for an unknown liar, ValueError for an unknown mood."""
        if "liar" in request:
            await self.liars[request["liar"]].set_mood(Mood(request["mood"]))
        return {"ok": True, "urls": self.urls, "liars": {name: liar.mood.value for name, liar in self.liars.items()}}


async def run(args: argparse.Namespace) -> None:
    """Liars and control, until SIGTERM or SIGINT."""
    urls = {f"cam{n}": f"rtsp://{args.bind}:{args.port}/cam{n}" for n in range(1, args.cameras + 1)}
    urls["secure"] = f"rtsp://{USER}:{PASSWORD}@{args.bind}:{args.port + 1}/secure"
    liars = {}
    for number in range(1, args.liars + 1):
        name, port = f"liar{number}", args.liar_port + number - 1
        liars[name] = Liar(name, args.bind, port, (args.bind, args.port))
        await liars[name].set_mood(Mood.HONEST)
        urls[name] = f"rtsp://{args.bind}:{port}/cam{(number - 1) % args.cameras + 1}"
    if args.control:
        args.control.unlink(missing_ok=True)
        await asyncio.start_unix_server(Control(liars, urls).serve, args.control)
    done = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, done.set)
    print("READY", flush=True)  # noqa: T201
    await done.wait()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bind", default="127.0.0.1", help="address to listen on [%(default)s]")
    parser.add_argument(
        "--port",
        type=int,
        default=8554,
        help="port of the honest server; the next asks a password [%(default)s]",
    )
    parser.add_argument("--cameras", type=int, default=4, help="how many honest cameras [%(default)s]")
    parser.add_argument("--liars", type=int, default=2, help="how many lying cameras [%(default)s]")
    parser.add_argument("--liar-port", type=int, default=8601, help="port of liar1 [%(default)s]")
    parser.add_argument("--control", type=Path, help="unix socket for control")
    parser.add_argument("--clips", type=Path, default=CACHE, help="where encoded clips are kept [%(default)s]")
    args = parser.parse_args()
    make_clips(args.clips)
    Gst.init(None)
    clips = [load_clip(spec, args.clips) for spec in CLIPS]
    cameras = {f"/cam{number + 1}": LoopFactory(clips[number % len(clips)]) for number in range(args.cameras)}
    secure = LoopFactory(clips[0])
    servers = (
        start_server(args.bind, args.port, cameras),
        start_server(args.bind, args.port + 1, {"/secure": secure}, digest(secure)),
    )
    threading.Thread(target=GLib.MainLoop().run, daemon=True).start()
    asyncio.run(run(args))
    del servers


if __name__ == "__main__":
    main()
