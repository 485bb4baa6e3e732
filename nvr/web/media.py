"""Live view and playback: from the recorder's socket (nvr/recorder/viewing.py) to browsers and other clients.

    /api/v1/live                             WebSocket: every camera of a page over one connection
    /api/v1/recordings/{camera}              the files of a span of time
    /api/v1/recordings/{camera}/timeline     what there is of a day, and why not
    /api/v1/recordings/{camera}/stream       fragmented MP4 from a moment on

The web process has no right to read video: it passes on what the recorder gives. Nothing waits in it: a slow client
stops the reading of the recorder's socket, and the recorder then drops live pictures up to the next key frame.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from core import errors
from core.errors import BadRequest, CameraUnknown, InternalError, NothingRecorded, RackeyeError, ViewingAbsent
from core.paths import Paths
from nvr.recorder import viewing_model as said
from nvr.recorder.viewing_model import FRAME, JSON, SOCKET, Message, PlayRequest, Span
from nvr.web.answers import as_json, error_table
from nvr.web.state import web_of

DAY = 86_400.0
LONGEST = 31 * DAY
LATEST = 1e10  # UTC seconds; the year 2286
CHECK_EVERY = 30.0  # seconds: whether the session of an open live view still holds
UNAUTHORIZED, TRY_LATER = 4401, 1013  # codes of a WebSocket's end
STATUS = {NothingRecorded: 404, CameraUnknown: 404, ViewingAbsent: 503}
MACHINE = Paths()
Handler = Callable[[Request], Awaitable[Response]]


class Door:
    """One connection to the recorder's socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, paths: Paths) -> "Door":
        """Raises ViewingAbsent."""
        try:
            return cls(*await asyncio.open_unix_connection(paths.run / SOCKET))
        except OSError as error:
            raise ViewingAbsent(
                f"The recorder does not answer at {paths.run / SOCKET}: {error.strerror}.",
                hint="systemctl status rackeye-recorder says why.",
            ) from error

    async def ask(self, request: said.Request) -> None:
        """Sends one request. Raises OSError."""
        self._writer.write(msgspec.json.encode(request) + b"\n")
        await self._writer.drain()

    async def frame(self) -> bytes | None:
        """Channel (one byte) and contents; None when the recorder has ended it."""
        try:
            length, channel = FRAME.unpack(await self._reader.readexactly(FRAME.size))
            return bytes((channel,)) + await self._reader.readexactly(length - 1)
        except (OSError, asyncio.IncompleteReadError):
            return None

    async def answer(self) -> Message:
        """The next message. Raises the error that the recorder tells, ViewingAbsent."""
        found = await self.frame()
        if found is None or found[0] != JSON:
            raise ViewingAbsent("The recorder ended just now.", hint="Ask again.")
        message = msgspec.json.decode(found[1:], type=Message)
        if message.error is not None:
            kind = errors.error_class(message.error.code) or InternalError
            raise kind(message.error.sentence, hint=message.error.hint)
        return message

    def close(self) -> None:
        """The recorder stops what it does for this connection."""
        self._writer.close()


class Video(StreamingResponse):
    """Closes the door when the client has enough, whenever that is."""

    def __init__(self, door: Door, headers: dict[str, str]) -> None:
        super().__init__(_contents(door), media_type="video/mp4", headers=headers)
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._door.close()


async def _contents(door: Door) -> AsyncIterator[bytes]:
    """A message is the end: of what is recorded, or by an error in the middle."""
    while (found := await door.frame()) is not None and found[0] != JSON:
        yield found[1:]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a page says over the WebSocket: the name of a camera."""

    open: str | None = None
    close: str | None = None


class Media:
    """The handlers; paths: where the recorder's socket is."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    async def files(self, request: Request) -> Response:
        """GET /api/v1/recordings/{camera}?from=&to="""
        message = await self._ask(said.Request(segments=span_of(request)))
        return as_json(message.segments)

    async def timeline(self, request: Request) -> Response:
        """GET /api/v1/recordings/{camera}/timeline?day= (or from and to; else the last 24 hours)."""
        message = await self._ask(said.Request(timeline=span_of(request)))
        return as_json(message.timeline)

    async def stream(self, request: Request) -> Response:
        """GET /api/v1/recordings/{camera}/stream?from=&to=&epoch=&download="""
        query = request.query_params
        if "from" not in query:
            raise BadRequest("The parameter `from` is missing.", hint="UTC seconds, or 2026-11-21T10:00:00Z.")
        camera = request.path_params["camera"]
        to, epoch = (moment(query[name]) if name in query else None for name in ("to", "epoch"))
        door = await Door.open(self._paths)
        try:
            await door.ask(said.Request(play=PlayRequest(camera, moment(query["from"]), to, epoch)))
            playing = (await door.answer()).playing
        except BaseException:
            door.close()
            raise
        if playing is None:
            raise InternalError("The recorder answered something else.", hint=InternalError.meaning)
        headers = {"X-Rackeye-Start": f"{playing.start:.3f}", "X-Rackeye-Codec": playing.codec}
        if query.get("download"):
            at = datetime.fromtimestamp(playing.start).astimezone()
            headers["Content-Disposition"] = f'attachment; filename="{camera}-{at:%Y%m%dT%H%M%S%z}.mp4"'
        return Video(door, headers)

    async def live(self, socket: WebSocket) -> None:
        """WebSocket /api/v1/live"""
        guard = web_of(socket).guard
        door = None
        try:
            await guard.who(socket)
            await socket.accept()
            door = await Door.open(self._paths)
            await self._pass_on(socket, door)
            await socket.close(TRY_LATER)
        except RackeyeError as error:
            if door is None and isinstance(error, ViewingAbsent):
                await socket.send_text(msgspec.json.encode({"error": error_table(error)}).decode())
                await socket.close(TRY_LATER, error.sentence[:100])
            else:
                await socket.close(UNAUTHORIZED, error.sentence[:100])
        except (WebSocketDisconnect, OSError):
            pass
        finally:
            if door is not None:
                door.close()

    async def _pass_on(self, socket: WebSocket, door: Door) -> None:
        """Until one side ends. Raises SessionOver and its like."""
        tasks = {asyncio.ensure_future(work) for work in (_up(socket, door), _down(socket, door), _still(socket))}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, request: said.Request) -> Message:
        door = await Door.open(self._paths)
        try:
            await door.ask(request)
            return await door.answer()
        finally:
            door.close()


async def _up(socket: WebSocket, door: Door) -> None:
    while True:
        try:
            wish = msgspec.json.decode(await socket.receive_text(), type=Wish)
        except (msgspec.MsgspecError, KeyError) as error:  # KeyError: a binary message
            raise BadRequest(f"The message is not understood: {error}.", hint='{"open": camera}') from error
        if wish.open is not None or wish.close is not None:
            await door.ask(said.Request(open=wish.open, close=None if wish.open else wish.close))


async def _down(socket: WebSocket, door: Door) -> None:
    while (found := await door.frame()) is not None:
        if found[0] == JSON:
            await socket.send_text(found[1:].decode())
        else:
            await socket.send_bytes(found)


async def _still(socket: WebSocket) -> None:
    while True:
        await asyncio.sleep(CHECK_EVERY)
        await web_of(socket).guard.who(socket, fresh=True)


def moment(text: str) -> float:
    """UTC seconds out of a number, or of ISO 8601 (without a zone: the machine's). Raises BadRequest."""
    with suppress(ValueError):
        value = float(text)
        if 0 <= value <= LATEST:  # refuses inf and nan as well
            return value
    with suppress(ValueError, OverflowError, OSError):
        return datetime.fromisoformat(text).timestamp()
    raise BadRequest(f"{text[:40]!r} is no time.", hint="UTC seconds, or 2026-11-21T10:00:00Z.")


def span_of(request: Request) -> Span:
    """The time that a request is about: `day` in the machine's own time, or from and to; else the last 24 hours."""
    query = request.query_params
    camera = str(request.path_params["camera"])
    if "day" in query:
        try:
            first = datetime.strptime(query["day"], "%Y-%m-%d").astimezone()
        except ValueError as error:
            raise BadRequest(f"{query['day'][:40]!r} is no day.", hint="2026-11-21, for example.") from error
        # tomorrow's midnight by the calendar: a day with a change of the clock has 23 or 25 hours
        following = (first.replace(tzinfo=None) + timedelta(days=1)).astimezone()
        return Span(camera, first.timestamp(), following.timestamp())
    now = web_of(request).clock.now()
    end = moment(query["to"]) if "to" in query else now
    start = moment(query["from"]) if "from" in query else end - DAY
    if not 0 < end - start <= LONGEST:
        raise BadRequest("`to` must be after `from`, and 31 days at most.", hint="Ask for less at one time.")
    return Span(camera, start, end)


def guarded(handler: Handler) -> Handler:
    """For who is logged in; errors of the recorder with their own status."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        await web_of(request).guard.who(request)
        try:
            return await handler(request)
        except (NothingRecorded, CameraUnknown, ViewingAbsent) as error:
            return JSONResponse({"error": error_table(error)}, STATUS[type(error)])

    return answer


def routes(paths: Paths = MACHINE) -> list[BaseRoute]:
    """For nvr/web/app.py; in front of the routes that take any name."""
    media = Media(paths)
    return [
        WebSocketRoute("/api/v1/live", media.live),
        Route("/api/v1/recordings/{camera}", guarded(media.files)),
        Route("/api/v1/recordings/{camera}/timeline", guarded(media.timeline)),
        Route("/api/v1/recordings/{camera}/stream", guarded(media.stream)),
    ]
