"""Cameras that lie: each is a TCP door of its own in front of an honest RTSP server, with a mood that can be changed
at any moment, in the middle of a stream too. Interleaved RTSP keeps everything on one connection, so a door that
passes, stops or spoils bytes is all that it takes; the video behind it stays a real RTSP server's.

Standard library only: the camera server runs under /usr/bin/python3, outside the virtual environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from enum import StrEnum

FREEZE_AFTER = 4.0  # seconds of honest video before a freezing camera falls silent: two GOPs


class Mood(StrEnum):
    """How a lying camera behaves."""

    HONEST = "honest"  # passes everything
    REFUSE = "refuse"  # nobody listens: connection refused
    HANG = "hang"  # accepts, never answers
    GARBAGE = "garbage"  # answers with bytes that are no RTSP
    UNAUTHORIZED = "unauthorized"  # answers 401 to every request, whatever the password
    FREEZE = "freeze"  # plays a few seconds, then nothing, with TCP open
    HANGUP = "hangup"  # plays a few seconds, then closes the connection


class Liar:
    """One door: listens on bind:port and leads to the honest server at `behind`."""

    def __init__(self, name: str, bind: str, port: int, behind: tuple[str, int], mood: Mood = Mood.HONEST) -> None:
        self.name, self.bind, self.port, self.behind, self.mood = name, bind, port, behind, mood
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def set_mood(self, mood: Mood) -> None:
        """Changes the mood at once. Open streams feel it too: refuse and hang-up cut them, freeze silences them."""
        self.mood = mood
        if mood in (Mood.REFUSE, Mood.HANGUP, Mood.GARBAGE, Mood.UNAUTHORIZED):
            await self._cut()
        if mood is Mood.REFUSE:
            await self._close()
        elif self._server is None:
            self._server = await asyncio.start_server(self._visit, self.bind, self.port)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _cut(self) -> None:
        tasks = list(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
                await self._behave(reader, writer)
        finally:
            self._open.discard(task)
            writer.close()

    async def _behave(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match self.mood:
            case Mood.HANG:
                while await reader.read(65536):
                    pass
            case Mood.GARBAGE:
                await reader.read(4096)
                # starts like interleaved data of a huge frame, then noise with no line end in sight
                writer.write(b"$\x07\xff\xff" + random.Random(7).randbytes(200_000).replace(b"\n", b"x"))  # noqa: S311
                await writer.drain()
                await reader.read()
            case Mood.UNAUTHORIZED:
                await self._deny(reader, writer)
            case Mood.HONEST | Mood.FREEZE | Mood.HANGUP | Mood.REFUSE:
                await self._lead(reader, writer)

    async def _deny(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = (await reader.readuntil(b"\r\n\r\n")).decode(errors="replace")
            headers = dict(line.partition(":")[::2] for line in request.lower().splitlines()[1:])
            writer.write(
                f"RTSP/1.0 401 Unauthorized\r\nCSeq: {headers.get('cseq', '0').strip()}\r\n"
                f'WWW-Authenticate: Digest realm="{self.name}", nonce="{random.getrandbits(64):016x}"\r\n\r\n'.encode()
            )
            await writer.drain()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self.behind)
        upstream = asyncio.ensure_future(_pump(reader, far_writer))
        try:
            await self._pass_video(far_reader, writer)
        finally:
            upstream.cancel()
            far_writer.close()

    async def _pass_video(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        silent_from = None if self.mood is Mood.HONEST else loop.time() + FREEZE_AFTER
        while data := await source.read(65536):
            if self.mood is Mood.FREEZE and silent_from is None:
                silent_from = loop.time()  # told to freeze in the middle of an honest stream: at once
            if silent_from is not None and loop.time() >= silent_from:
                if self.mood is Mood.HANGUP:
                    return
                if self.mood is Mood.FREEZE:
                    continue
            sink.write(data)
            await sink.drain()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        sink.close()
