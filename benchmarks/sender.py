"""N cameras in one process: an RTSP server that sends one clip, packetised beforehand, over TCP for ever.

    python -m benchmarks.sender CAMERAS     prints "READY <port>"; rtsp://127.0.0.1:<port>/cam0 .. ; ends by SIGTERM,
                                            and says {"frames", "dropped", "late"} (late: seconds, at worst)

GStreamer would be the bottleneck at 128 cameras. Here a frame is bytes that 25 times a second go into one socket each;
cameras are out of step with each other, as real ones are, so key frames do not come all at one time.
"""

import asyncio
import base64
import json
import signal
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from rig.clips import ClipSpec, clip_path, load_clip

SPEC = ClipSpec("bench", "testsrc2=size=1920x1080:rate=25", fps=25, gop=50, kbit=4100)
PAYLOAD, CLOCK, SSRC, TYPE = 1400, 90_000, 0x52414B45, 96
FU_A, SPS, PPS, AUD = 28, 7, 8, 9
GROUPS = 4  # a frame's time is cut into so many turns
BACKLOG = 8 << 20  # a receiver that is so many bytes behind loses frames


@dataclass(slots=True)
class Frame:
    """An access unit as interleaved RTP. at: where each packet begins."""

    data: bytearray
    at: tuple[int, ...]


def nal_units(unit: bytes) -> list[bytes]:
    """The NAL units of an access unit in Annex B."""
    parts = unit.split(b"\x00\x00\x01")[1:]
    return [part.rstrip(b"\x00") for part in parts]


def payloads(nal: bytes) -> list[bytes]:
    """RTP payloads of a NAL unit (RFC 6184: single, or FU-A)."""
    if len(nal) <= PAYLOAD:
        return [nal]
    head, kind, rest = nal[0] & 0xE0 | FU_A, nal[0] & 0x1F, nal[1:]
    pieces = [rest[at : at + PAYLOAD] for at in range(0, len(rest), PAYLOAD)]
    last = len(pieces) - 1
    return [bytes((head, kind | (n == 0) << 7 | (n == last) << 6)) + piece for n, piece in enumerate(pieces)]


def packetise(unit: bytes) -> Frame:
    """One frame; numbers and times are filled in when it is sent."""
    bodies = [body for nal in nal_units(unit) if nal[0] & 0x1F != AUD for body in payloads(nal)]
    data, at = bytearray(), []
    for number, body in enumerate(bodies):
        at.append(len(data))
        marker = (number == len(bodies) - 1) << 7
        data += struct.pack(">BBHBBHII", 0x24, 0, 12 + len(body), 0x80, TYPE | marker, 0, 0, SSRC) + body
    return Frame(data, tuple(at))


class Cameras:
    """All cameras, and who looks at them."""

    def __init__(self, cameras: int) -> None:
        units = load_clip(SPEC).units
        self._frames = [packetise(unit) for unit in units]
        first = nal_units(units[0])
        self._sets = [next(nal for nal in first if nal[0] & 0x1F == kind) for kind in (SPS, PPS)]
        self._round = sum(len(frame.at) for frame in self._frames)
        self._before = [sum(len(frame.at) for frame in self._frames[:n]) for n in range(len(self._frames))]
        self._cameras = cameras
        self._playing: dict[int, dict[asyncio.WriteTransport, None]] = {n: {} for n in range(cameras)}
        self._cache: dict[int, bytes] = {}
        self.counters = {"frames": 0, "dropped": 0, "late": 0.0}

    def frame(self, number: int) -> bytes:
        """Frame `number` since the beginning of time, with its sequence numbers and its time."""
        if number not in self._cache:
            rounds, place = divmod(number, len(self._frames))
            frame = self._frames[place]
            sequence, moment = rounds * self._round + self._before[place], number * CLOCK // SPEC.fps
            for packet, at in enumerate(frame.at):
                struct.pack_into(">HI", frame.data, at + 6, (sequence + packet) & 0xFFFF, moment & 0xFFFFFFFF)
            self._cache[number] = bytes(frame.data)
        return self._cache[number]

    async def send(self) -> None:
        """For ever: each camera's next frame in its turn of each 40 ms."""
        loop = asyncio.get_running_loop()
        began, turn = loop.time(), 0
        while True:
            due = began + turn / (SPEC.fps * GROUPS)
            await asyncio.sleep(max(0.0, due - loop.time()))
            self.counters["late"] = max(self.counters["late"], round(loop.time() - due, 3))
            now, group = divmod(turn, GROUPS)
            for camera in range(group, self._cameras, GROUPS):
                if self._playing[camera]:
                    data = self.frame(now + camera * len(self._frames) // self._cameras)
                    for sink in tuple(self._playing[camera]):
                        self._give(sink, data)
            self._cache.pop(now - 1, None)
            turn += 1

    def _give(self, sink: asyncio.WriteTransport, data: bytes) -> None:
        if sink.get_write_buffer_size() > BACKLOG:
            self.counters["dropped"] += 1
        else:
            self.counters["frames"] += 1
            sink.write(data)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        camera = 0
        try:
            while first := await reader.read(1):
                if first == b"$":  # RTCP of the receiver
                    await reader.readexactly(struct.unpack(">xH", await reader.readexactly(3))[0])
                    continue
                text = (first + await reader.readuntil(b"\r\n\r\n")).decode()
                method, url, _ = text.split("\r\n", 1)[0].split()
                cseq = next(part.split(":")[1].strip() for part in text.split("\r\n") if part.startswith("CSeq"))
                if method == "DESCRIBE":
                    camera = int(url.rstrip("/").rpartition("cam")[2])
                writer.write(self._answer(method, url, cseq))
                if method == "PLAY":
                    self._playing[camera][writer.transport] = None
                if method == "TEARDOWN":
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._playing[camera].pop(writer.transport, None)
            writer.close()

    def _answer(self, method: str, url: str, cseq: str) -> bytes:
        lines, body = ["RTSP/1.0 200 OK", f"CSeq: {cseq}", "Session: 1;timeout=60"], b""
        match method:
            case "OPTIONS":
                lines.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN")
            case "DESCRIBE":
                sets = ",".join(base64.b64encode(one).decode() for one in self._sets)
                body = (
                    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=bench\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n"
                    f"m=video 0 RTP/AVP {TYPE}\r\na=rtpmap:{TYPE} H264/{CLOCK}\r\na=framerate:{SPEC.fps}\r\n"
                    f"a=fmtp:{TYPE} packetization-mode=1;profile-level-id={self._sets[0][1:4].hex()};"
                    f"sprop-parameter-sets={sets}\r\na=control:track1\r\n"
                ).encode()
                lines += [f"Content-Base: {url}/", "Content-Type: application/sdp", f"Content-Length: {len(body)}"]
            case "SETUP":
                lines.append(f"Transport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc={SSRC:08X}")
            case _:
                pass
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def clip_bytes() -> int:
    """Size of the encoded clip."""
    return Path(clip_path(Path(__file__).resolve().parent.parent / ".cache/clips", SPEC)).stat().st_size


async def run(cameras: int) -> None:
    """Until SIGTERM."""
    source = Cameras(cameras)
    server = await asyncio.start_server(source.serve, "127.0.0.1", 0, backlog=256)
    done = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, done.set)
    sending = asyncio.create_task(source.send())
    sys.stdout.write(f"READY {server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.wait([sending, asyncio.create_task(done.wait())], return_when=asyncio.FIRST_COMPLETED)
    sys.stdout.write(json.dumps(source.counters) + "\n")
    if sending.done():
        sending.result()


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1])))
