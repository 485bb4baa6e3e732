"""A camera's TCP connection: bytes in, RTSP messages and RTP packets out.

While the session is set up the event loop says when there is something to read. Once the camera plays, all cameras are
read in one sweep each 100 ms: the kernel's buffers collect meanwhile, and the system calls per frame fall by ten
(facts/recorder.md: 0.6 ms against 1.4 ms a stream-second).
"""

import asyncio
import socket
from collections.abc import Callable

from core.errors import BadStream, CameraClosed, InternalError, RackeyeError
from core.journal import get_logger
from nvr.cameras.depacketizer import Depacketizer
from nvr.cameras.rtsp import INTERLEAVED, Message, parse_message

SCRATCH = 1024 * 1024  # more than the largest RTSP message and than 100 ms of any camera
MAX_READS = 8  # in one turn of one camera, so that a flood does not starve the others
SWEEP = 0.1  # seconds
log = get_logger("rackeye-recorder")


class Sweeper:
    """Reads every playing camera, 10 times a second; one for the whole process. Stands still when none plays."""

    def __init__(self, interval: float = SWEEP) -> None:
        self._interval = interval
        self._readers: dict[Callable[[], None], None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, read: Callable[[], None]) -> None:
        """`read` is called in each sweep from now on."""
        self._readers[read] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._interval, self._sweep)

    def remove(self, read: Callable[[], None]) -> None:
        """`read` is not called any more; unknown ones are no error."""
        self._readers.pop(read, None)

    def _sweep(self) -> None:
        for read in tuple(self._readers):
            read()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._interval, self._sweep) if self._readers else None


class Wire:
    """One connection. `hear` gets the camera's messages; a set `stream` gets its RTP packets; `ended` the reason.

    scratch: shared by all connections of the process, which read one after the other.
    """

    def __init__(
        self,
        sock: socket.socket,
        scratch: memoryview,
        hear: Callable[[Message], None],
        ended: Callable[[RackeyeError], None],
    ) -> None:
        self.stream: Depacketizer | None = None
        self.channel = 0  # of the stream
        self._sock = sock
        self._scratch = scratch
        self._hear = hear
        self._ended = ended
        self._carry = b""  # the beginning of a packet whose rest has not come yet

    def read(self) -> None:
        """Takes what the kernel has; never waits. All failures go to `ended`."""
        try:
            self._read()
        except RackeyeError as error:
            self._ended(error)
        except OSError as error:
            self._ended(CameraClosed(f"The connection to the camera broke: {error.strerror}."))
        except Exception as error:  # a defect that one camera's bytes provoke must not end the others' recording
            log.exception("Reading a camera failed through a defect")
            self._ended(InternalError(f"Reading the camera failed through a defect: {error!r}."))

    def _read(self) -> None:
        scratch = self._scratch
        have = len(self._carry)
        scratch[:have] = self._carry
        for _ in range(MAX_READS):
            room = len(scratch) - have
            try:
                count = self._sock.recv_into(scratch[have:])
            except BlockingIOError:
                break
            if count == 0:
                raise CameraClosed("The camera closed the connection.")
            end = have + count
            at = self._take(scratch, end)
            have = end - at
            scratch[:have] = bytes(scratch[at:end])
            if count < room:
                break
        self._carry = bytes(scratch[:have])

    def _take(self, view: memoryview, end: int) -> int:
        """Parses what is whole in view[:end]; returns where the rest begins."""
        at = 0
        while at < end:
            if view[at] == INTERLEAVED:
                before = at
                if self.stream is not None:
                    at = self.stream.packets(view, at, end)
                if at == before:
                    at = self._other_packet(view, at, end)
                if at == before:
                    break
            elif view[at] in b"\r\n":  # some cameras put an empty line between messages
                at += 1
            else:
                parsed = parse_message(view[at:end])
                if parsed is None:
                    break
                at += parsed[1]
                self._hear(parsed[0])
        return at

    def _other_packet(self, view: memoryview, at: int, end: int) -> int:
        """A packet of another channel (RTCP), or one too short for the short way."""
        if self.stream is None:
            raise BadStream("The camera sends data before it was asked to.", hint=BadStream.meaning)
        if end - at < 4:
            return at
        stop = at + 4 + (view[at + 2] << 8 | view[at + 3])
        if stop > end:
            return at
        if view[at + 1] == self.channel:
            self.stream.packet(view[at + 4 : stop])
        return stop
