"""The recorder's socket for viewers: /run/rackeye/media/live.sock, for members of the group rackeye-web.

The web process has neither the right to read the volumes nor the index: it asks here. Live video is written to the
sockets in the loop, and what does not go is dropped (nvr/recorder/live.py); files are read in threads of their own, at
the pace of the reader, so that a drive that hangs holds up playback only.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TypeVar

import msgspec

from core.errors import BadViewingRequest, CameraUnknown, InternalError, RackeyeError
from core.journal import get_logger
from core.paths import Paths
from nvr.cameras.h264 import PictureSize
from nvr.recorder.live import Live
from nvr.recorder.model import Gap
from nvr.recorder.playback import Library, Player
from nvr.recorder.viewing_model import JSON, SOCKET, Ended, Message, Playing, PlayRequest, Request, Said, Span, frame

# What may wait for a viewer: eight seconds of one camera, two of four. Times the number of viewers: 64 MiB at most.
WAITING_BYTES = 2 << 20
MOST_VIEWERS = 32
MOST_CHANNELS = 255
READERS = 4  # threads
T = TypeVar("T")
log = get_logger("rackeye-recorder")


class Viewing:
    """Serves the socket. cameras: the names that can be watched."""

    def __init__(self, paths: Paths, live: Live, library: Library, cameras: Callable[[], frozenset[str]]) -> None:
        self.live = live
        self.library = library
        self.cameras = cameras
        self._socket = paths.run / SOCKET
        self._server: asyncio.Server | None = None
        self._guests: set[asyncio.Task[None]] = set()
        self._readers: ThreadPoolExecutor | None = None

    async def start(self) -> str:
        """Opens the door. Returns a sentence when it cannot: recording does not depend on it."""
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="playback")
        if not self._socket.parent.is_dir():
            return f"Live view and playback are off: there is no folder {self._socket.parent}."
        try:
            self._server = await asyncio.start_unix_server(self._meet, self._socket)
            os.chmod(self._socket, 0o660)  # noqa: PTH101 -- one system call on /run, which waits for nothing
        except OSError as error:
            return f"Live view and playback are off: {self._socket} cannot be opened: {error}."
        return ""

    async def stop(self) -> None:
        """Ends all guests, without waiting for drives."""
        if self._server is not None:
            self._server.close()
        for guest in tuple(self._guests):
            guest.cancel()
        await asyncio.gather(*self._guests, return_exceptions=True)
        readers, self._readers = self._readers, None
        if readers is not None:
            readers.shutdown(wait=False, cancel_futures=True)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """In the readers' threads."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, work)

    def explain(self, camera: str, gap: Gap, reason: str) -> None:
        """Keeps why there are no pictures; in a thread, because the index waits for the disk."""
        if self._readers is not None:
            self._readers.submit(self.library.explain, camera, gap, reason)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # a coroutine that the server runs is one
        self._guests.add(task)
        guest = Guest(self, writer)
        try:
            if len(self._guests) > MOST_VIEWERS:
                raise BadViewingRequest(f"{MOST_VIEWERS} viewers are served already.", hint="Close another page.")
            while line := await reader.readline():
                await guest.serve(line)
        except RackeyeError as error:
            guest.say(Message(error=said(error)))
        except (OSError, ValueError, asyncio.CancelledError):  # gone; a line without end; the recorder ends
            pass
        except Exception as error:  # a defect here must not end the recorder
            log.exception("A viewer's request failed through a defect")
            guest.say(Message(error=said(InternalError(f"The request failed through a defect: {error!r}."))))
        finally:
            guest.leave()
            self._guests.discard(task)
            writer.close()


class Guest:
    """One connection: a page's live views, or somebody's playback."""

    def __init__(self, viewing: Viewing, writer: asyncio.StreamWriter) -> None:
        self._viewing = viewing
        self._writer = writer
        self._channels: dict[str, Channel] = {}

    async def serve(self, line: bytes) -> None:
        """Answers one request. Raises BadViewingRequest, OSError."""
        try:
            request = msgspec.json.decode(line, type=Request)
        except msgspec.MsgspecError as error:
            raise BadViewingRequest(f"The request is not understood: {error}.") from error
        try:
            await self._serve(request)
        except RackeyeError as error:
            camera = request.open or request.close
            self.say(Message(camera=camera, error=said(error)))
        await self._writer.drain()

    async def _serve(self, request: Request) -> None:
        library, in_thread = self._viewing.library, self._viewing.in_thread
        match request:
            case Request(open=str(camera)):
                self._open(camera)
            case Request(close=str(camera)):
                self._close(camera)
            case Request(segments=Span() as span):
                found = await in_thread(partial(library.segments, span))
                self.say(Message(camera=span.camera, segments=found))
            case Request(timeline=Span() as span):
                timeline = await in_thread(partial(library.timeline, span))
                self.say(Message(camera=span.camera, timeline=timeline))
            case Request(play=PlayRequest() as play):
                await self._play(play)
            case _:
                raise BadViewingRequest("The request asks for nothing.")

    def _open(self, camera: str) -> None:
        if camera not in self._viewing.cameras():
            raise CameraUnknown(f"There is no camera {camera[:40]!r}.", hint=CameraUnknown.meaning)
        if camera in self._channels:
            return
        taken = {channel.number for channel in self._channels.values()}
        number = next((n for n in range(1, MOST_CHANNELS + 1) if n not in taken), None)
        if number is None:
            raise BadViewingRequest(f"{MOST_CHANNELS} cameras are open already.", hint="Close another one.")
        channel = self._channels[camera] = Channel(camera, number, self)
        self.say(Message(camera=camera, channel=number))
        self._viewing.live.join(camera, channel)

    def _close(self, camera: str) -> None:
        channel = self._channels.pop(camera, None)
        if channel is not None:
            self._viewing.live.leave(camera, channel)

    async def _play(self, request: PlayRequest) -> None:
        in_thread = self._viewing.in_thread
        player: Player = await in_thread(lambda: self._viewing.library.play(request))
        self.say(Message(camera=request.camera, playing=Playing(player.start, player.epoch, player.codec)))
        pieces = iter(player)
        while (piece := await in_thread(lambda: _next(pieces))) is not None:
            self._writer.write(frame(1, piece))
            await self._writer.drain()
        self.say(Message(camera=request.camera, ended=Ended(player.at)))

    def leave(self) -> None:
        """The connection is gone."""
        for camera in tuple(self._channels):
            self._close(camera)

    def say(self, message: Message) -> None:
        """A message; it always goes."""
        self.write(frame(JSON, msgspec.json.encode(message)))

    def write(self, data: bytes) -> None:
        """Without waiting."""
        if not self._writer.is_closing():
            self._writer.write(data)

    @property
    def waiting(self) -> int:
        """Bytes that the guest has not taken yet."""
        with suppress(AttributeError):  # the transport lost its socket just now
            return self._writer.transport.get_write_buffer_size()
        return 0


class Channel:
    """One camera in a guest's live view."""

    def __init__(self, camera: str, number: int, guest: Guest) -> None:
        self.camera = camera
        self.number = number
        self._guest = guest

    def begin(self, name: str, size: PictureSize, head: bytes) -> None:
        message = Message(self.camera, self.number, name, size.width, size.height)
        self._guest.say(message)
        self._guest.write(frame(self.number, head))

    def show(self, fragment: bytes) -> bool:
        if self._guest.waiting > WAITING_BYTES:
            return False
        self._guest.write(frame(self.number, fragment))
        return True


def said(error: RackeyeError) -> Said:
    """An error as a message."""
    return Said(error.code, error.sentence, error.hint)


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)
