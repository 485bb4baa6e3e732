"""One RTSP session with one camera: connect, authenticate, set up, play, stay alive, notice that it is dead.

Raises, never returns: a session ends by a CameraError, or because the recorder cancels it.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from core.errors import (
    BadStream,
    CameraClosed,
    CameraFrozen,
    CameraRefused,
    CameraUnreachable,
    RackeyeError,
    WrongPassword,
)
from nvr.cameras.address import Address
from nvr.cameras.auth import Authenticator
from nvr.cameras.depacketizer import AccessUnit, Depacketizer
from nvr.cameras.rtsp import Message, Session, format_request, parse_session, parse_transport
from nvr.cameras.sdp import Media, parse_sdp
from nvr.cameras.wire import SCRATCH, Sweeper, Wire

UNAUTHORIZED, NOT_ALLOWED, SESSION_NOT_FOUND, NOT_IMPLEMENTED = 401, 405, 454, 501


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds. answer: for TCP and each RTSP answer. dead: without a packet, the camera is frozen.
    useless: packets come and make no picture (no key frame, no parameter sets)."""

    answer: float = 5.0
    dead: float = 8.0
    useless: float = 30.0


class Shared:
    """What all sessions of the process share: the sweep, and one buffer to read into."""

    def __init__(self, sweeper: Sweeper | None = None) -> None:
        self.sweeper = sweeper or Sweeper()
        self.scratch = memoryview(bytearray(SCRATCH))


class RtspSession:
    """Use: `await RtspSession(address, deliver, limits, shared).run()`; `deliver` gets every access unit."""

    def __init__(
        self, address: Address, deliver: Callable[[AccessUnit], None], limits: Limits, shared: Shared
    ) -> None:
        self.address = address
        self.playing = False
        self._deliver = deliver
        self._limits = limits
        self._shared = shared
        self._auth = Authenticator(address.user, address.password)
        self._cseq = 0
        self._answers: dict[int, asyncio.Future[Message]] = {}
        self._loop = asyncio.get_running_loop()  # asking for it costs a system call (getpid), at each frame
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self.packets_lost = 0
        self._session = Session("")
        self._control = address.url
        self._last_frame = 0.0

    async def run(self) -> None:
        """The session's life. Raises CameraError."""
        loop = self._loop
        sock = await _connect(self.address, self._limits.answer)
        wire = Wire(sock, self._shared.scratch, self._hear, self._end)
        try:
            loop.add_reader(sock, wire.read)
            try:
                await self._set_up(sock, wire)
            finally:
                loop.remove_reader(sock)
            self._shared.sweeper.add(wire.read)
            await self._watch(sock, wire)
        finally:
            self._shared.sweeper.remove(wire.read)
            self._tear_down(sock)
            sock.close()
            if wire.stream is not None:
                with suppress(RackeyeError):  # the reason why the session ended is the one to tell
                    wire.stream.flush()
                self.packets_lost = wire.stream.counters.lost
            if self._ended.done() and not self._ended.cancelled():
                self._ended.exception()  # it has been raised, or the session was cancelled: not forgotten

    async def _set_up(self, sock: socket.socket, wire: Wire) -> None:
        # Some cameras want OPTIONS first; none is worse off. Its answer is not needed.
        await self._request(sock, "OPTIONS", self.address.url, {})
        described = await self._ask(sock, "DESCRIBE", self.address.url, {"Accept": "application/sdp"})
        base = described.header("content-base") or described.header("content-location") or self.address.url
        description = parse_sdp(described.body.decode(errors="replace"), base)
        self._control = description.control
        video = description.video()
        answer = await self._ask(
            sock, "SETUP", video.control, {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"}
        )
        self._session = parse_session(answer.header("session") or "")
        if not self._session.id:
            raise BadStream("The camera answers SETUP without a session.", hint=BadStream.meaning)
        self._attach(wire, video, answer.header("transport") or "")
        await self._ask(sock, "PLAY", self._control, {"Range": "npt=0.000-"})

    def _attach(self, wire: Wire, video: Media, transport: str) -> None:
        agreed = parse_transport(transport)
        wire.channel = agreed.channel
        wire.stream = Depacketizer(
            agreed.channel, video.payload_type, video.parameter_sets, self._frame, agreed.ssrc
        )

    def _frame(self, unit: AccessUnit) -> None:
        self._last_frame = self._loop.time()
        self.playing = True
        self._deliver(unit)

    async def _watch(self, sock: socket.socket, wire: Wire) -> None:
        """Until the camera is dead: keep-alives, and the watchdog on frames (not on errors: facts/recorder.md)."""
        loop = self._loop
        stream = wire.stream
        assert stream is not None  # set by _set_up
        method = "GET_PARAMETER"
        self._last_frame = last_packet = loop.time()
        position = stream.position
        # half the camera's time-out, and at least each 30 s: some forget sooner than they say
        every = min(self._session.timeout / 2, 30.0)
        keep_alive_at = loop.time() + every
        while True:
            wake_at = min(keep_alive_at, max(self._last_frame, last_packet) + self._limits.dead)
            done, _ = await asyncio.wait((self._ended,), timeout=max(0.0, wake_at - loop.time()))
            for ended in done:
                ended.result()  # raises
            now = loop.time()
            if stream.position != position:
                position, last_packet = stream.position, now
            if now - max(self._last_frame, last_packet) >= self._limits.dead:
                raise CameraFrozen(f"No picture for {self._limits.dead:g} s, with the connection open.")
            if now - self._last_frame >= self._limits.useless:
                raise BadStream(f"Data comes, and no picture: {stream.starved}.", hint=BadStream.meaning)
            if now >= keep_alive_at:
                keep_alive_at = now + every
                method = await self._keep_alive(sock, method)

    async def _keep_alive(self, sock: socket.socket, method: str) -> str:
        """Returns the method for the next time: cameras that do not know GET_PARAMETER are asked for OPTIONS."""
        answer = await self._request(sock, method, self._control, {})
        if answer.status == SESSION_NOT_FOUND:
            raise CameraClosed("The camera has forgotten the session.")
        if answer.status in (NOT_ALLOWED, NOT_IMPLEMENTED):
            return "OPTIONS"
        return method

    async def _ask(self, sock: socket.socket, method: str, url: str, headers: dict[str, str]) -> Message:
        """A request that must succeed. Raises CameraRefused for any answer but 200."""
        answer = await self._request(sock, method, url, headers)
        if answer.status != 200:
            raise CameraRefused(
                f"The camera answers {method} with {answer.status} {answer.reason}.", hint=CameraRefused.meaning
            )
        return answer

    async def _request(self, sock: socket.socket, method: str, url: str, headers: dict[str, str]) -> Message:
        """A request and its answer; authenticates where asked. Raises CameraUnreachable, WrongPassword."""
        while True:
            answer = await self._exchange(sock, method, url, headers)
            if answer.status != UNAUTHORIZED:
                self._auth.accepted()
                return answer
            if not self._auth.challenged(answer.all("www-authenticate")):
                raise WrongPassword(
                    f"The camera refuses user {self.address.user!r} or the password."
                    if self.address.user
                    else "The camera asks for user and password, and none are set.",
                    hint="Set the right ones: remove the camera and add it again.",
                )

    async def _exchange(self, sock: socket.socket, method: str, url: str, headers: dict[str, str]) -> Message:
        self._cseq += 1
        extra = dict(headers)
        if self._session.id:
            extra["Session"] = self._session.id
        if (authorization := self._auth.header(method, url)) is not None:
            extra["Authorization"] = authorization
        loop = self._loop
        answer: asyncio.Future[Message] = loop.create_future()
        self._answers[self._cseq] = answer
        try:
            async with asyncio.timeout(self._limits.answer):
                await loop.sock_sendall(sock, format_request(method, url, self._cseq, extra))
                await asyncio.wait((answer, self._ended), return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError as error:
            raise CameraUnreachable(
                f"The camera did not answer {method} in {self._limits.answer:g} s.", hint=CameraUnreachable.meaning
            ) from error
        except OSError as error:
            raise CameraClosed(f"The connection to the camera broke: {error.strerror}.") from error
        finally:
            self._answers.pop(self._cseq, None)
        if not answer.done():
            self._ended.result()  # raises
        return answer.result()

    def _hear(self, message: Message) -> None:
        """Messages without a known number are requests of the camera, or late: they are left."""
        answer = self._answers.get(message.cseq or 0) if message.status else None
        if answer is None and message.status and message.cseq is None and len(self._answers) == 1:
            answer = next(iter(self._answers.values()))  # a camera that does not send CSeq back
        if answer is not None and not answer.done():
            answer.set_result(message)

    def _end(self, error: RackeyeError) -> None:
        if not self._ended.done():
            self._ended.set_exception(error)

    def _tear_down(self, sock: socket.socket) -> None:
        """Says good-bye without waiting: a camera that is not told goes on sending, and has few sessions."""
        if not self._session.id:
            return
        self._cseq += 1
        extra = {"Session": self._session.id}
        if (authorization := self._auth.header("TEARDOWN", self._control)) is not None:
            extra["Authorization"] = authorization
        with suppress(OSError):
            sock.send(format_request("TEARDOWN", self._control, self._cseq, extra))


async def _connect(address: Address, limit: float) -> socket.socket:
    """A connected, non-blocking socket. Raises CameraRefused, CameraUnreachable."""
    loop = asyncio.get_running_loop()
    where = f"{address.host}:{address.port}"
    try:
        async with asyncio.timeout(limit):
            family, kind, protocol, _, target = (await _resolve(loop, address))[0]
            sock = socket.socket(family, kind, protocol)
            try:
                sock.setblocking(False)
                await loop.sock_connect(sock, target)
            except BaseException:
                sock.close()
                raise
    except ConnectionRefusedError as error:
        raise CameraRefused(f"Nothing listens at {where}.", hint=CameraRefused.meaning) from error
    except socket.gaierror as error:
        raise CameraUnreachable(f"The name {address.host} is not known: {error.strerror}.") from error
    except TimeoutError as error:
        raise CameraUnreachable(f"{where} did not answer in {limit:g} s.", hint=CameraUnreachable.meaning) from error
    except OSError as error:
        raise CameraUnreachable(f"{where} cannot be reached: {error.strerror}.") from error
    return sock


Resolved = list[tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]]


async def _resolve(loop: asyncio.AbstractEventLoop, address: Address) -> Resolved:
    """Numbers are taken as they are, without a thread; names go to the resolver."""
    try:
        return list(
            socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        )
    except socket.gaierror:
        return list(await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM))
