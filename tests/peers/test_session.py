"""Sessions against cameras of a few lines, on loopback; limits of tenths of a second."""

import asyncio
from collections.abc import Callable

import pytest

from core.errors import (
    BadStream,
    CameraClosed,
    CameraError,
    CameraFrozen,
    CameraRefused,
    CameraUnreachable,
    WrongPassword,
)
from nvr.cameras.address import Address
from nvr.cameras.depacketizer import AccessUnit
from nvr.cameras.session import Limits, RtspSession, Shared
from nvr.cameras.wire import Sweeper
from tests.unit.nvr.cameras.packets import PPS, SPS, Picture, interleaved, packets, slice_nal

LIMITS = Limits(answer=0.3, dead=0.2, useless=0.4)
SDP = "v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:one\r\n"
KEY, OTHER = (SPS, PPS, slice_nal(9, key=True)), (slice_nal(9, key=False),)
PICTURES = [Picture(n * 3600, KEY if n % 5 == 0 else OTHER) for n in range(12)]
VIDEO = b"".join(map(interleaved, packets(PICTURES)))


class Camera:
    """An honest camera; `answers` are sent in place of its own, by method."""

    def __init__(self, answers: dict[str, bytes] | None = None, video: bytes = VIDEO, hangs_up: bool = False) -> None:
        self.answers = answers or {}
        self.video = video
        self.hangs_up = hangs_up
        self.asked: list[str] = []
        self.gone = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = (await reader.readuntil(b"\r\n\r\n")).decode()
                method, url = request.split(" ")[:2]
                self.asked.append(f"{method} {url}")
                cseq = request.split("CSeq: ")[1].split("\r\n")[0]
                writer.write(self.answers[method] if method in self.answers else self.answer(method, cseq))
                if method == "PLAY":
                    writer.write(self.video)
                    if self.hangs_up:
                        break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.gone.set()
            writer.close()

    def answer(self, method: str, cseq: str) -> bytes:
        head, body = f"RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n", ""
        if method == "DESCRIBE":
            body = SDP
            head += f"Content-Base: rtsp://cam/base/\r\nContent-Length: {len(body)}\r\n"
        if method == "SETUP":
            head += "Session: 77;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        return (head + "\r\n" + body).encode()


def visit(make: Callable[[], Camera], limits: Limits = LIMITS) -> tuple[CameraError, list[AccessUnit], Camera]:
    """One session, to its end."""

    async def life() -> tuple[CameraError, list[AccessUnit], Camera]:
        camera = make()
        server = await asyncio.start_server(camera.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        units: list[AccessUnit] = []
        address = Address("127.0.0.1", port, f"rtsp://127.0.0.1:{port}/live", "admin", "pw")
        session = RtspSession(address, units.append, limits, Shared(Sweeper(0.005)))
        with pytest.raises(CameraError) as caught:
            await session.run()
        await asyncio.wait_for(camera.gone.wait(), 5)
        server.close()
        return caught.value, units, camera

    return asyncio.run(life())


def test_plays_freezes_and_says_good_bye() -> None:
    error, units, camera = visit(Camera)
    assert isinstance(error, CameraFrozen)
    assert [bytes(unit.data) for unit in units] == [picture.stored for picture in PICTURES]
    assert [asked.split(" ")[0] for asked in camera.asked] == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]
    assert camera.asked[2:] == ["SETUP rtsp://cam/base/one", "PLAY rtsp://cam/base/", "TEARDOWN rtsp://cam/base/"]


def test_hanging_up_loses_no_whole_picture() -> None:
    error, units, _ = visit(lambda: Camera(hangs_up=True))
    assert isinstance(error, CameraClosed)
    assert len(units) == len(PICTURES)


@pytest.mark.parametrize(
    ("answers", "kind", "said"),
    [
        ({"OPTIONS": b""}, CameraUnreachable, "did not answer OPTIONS"),
        ({"DESCRIBE": b""}, CameraUnreachable, "did not answer DESCRIBE"),
        ({"OPTIONS": b"\x00\x01\x02garbage"}, BadStream, "no RTSP"),
        ({"OPTIONS": b"HTTP/1.0 400 Bad Request\r\n\r\n"}, BadStream, "no RTSP"),
        ({"OPTIONS": b"$\x07\xff\xff" + b"x" * 70_000}, BadStream, "before it was asked"),
        ({"DESCRIBE": b"RTSP/1.0 404 Not Found\r\nCSeq: 2\r\n\r\n"}, CameraRefused, "404 Not Found"),
        ({"DESCRIBE": b"RTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\n"}, BadStream, "no SDP"),
        ({"SETUP": b"RTSP/1.0 200 OK\r\nCSeq: 3\r\n\r\n"}, BadStream, "without a session"),
        ({"PLAY": b"RTSP/1.0 453 Not Enough Bandwidth\r\nCSeq: 4\r\n\r\n"}, CameraRefused, "453"),
        ({"OPTIONS": b"RTSP/1.0 401 No\r\nCSeq: 1\r\n\r\n"}, WrongPassword, "admin"),
    ],
)
def test_failures_are_told_apart(answers: dict[str, bytes], kind: type[CameraError], said: str) -> None:
    error, _, _ = visit(lambda: Camera(answers))
    assert isinstance(error, kind)
    assert said in error.sentence


def test_data_without_a_picture_is_no_frozen_camera() -> None:
    no_sets = [Picture(n, (slice_nal(9, key=True),)) for n in range(3)]

    class Trickle(Camera):
        async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.task = asyncio.create_task(self.trickle(writer))
            await super().serve(reader, writer)
            self.task.cancel()

        async def trickle(self, writer: asyncio.StreamWriter) -> None:
            for number in range(1000):
                await asyncio.sleep(0.01)
                if any(asked.startswith("PLAY") for asked in self.asked):
                    writer.write(interleaved(packets([Picture(number * 3600, no_sets[0].nals)], first=number)[0]))

    error, units, _ = visit(lambda: Trickle(video=b""))
    assert isinstance(error, BadStream)
    assert "no parameter sets" in error.sentence
    assert units == []


def test_nobody_listens() -> None:
    async def life() -> None:
        session = RtspSession(Address("127.0.0.1", 1, "rtsp://127.0.0.1:1/"), lambda _: None, LIMITS, Shared())
        await session.run()

    with pytest.raises(CameraRefused):
        asyncio.run(life())
