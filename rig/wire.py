"""JSON lines between the parts of the rig: a request a line, an answer a line; errors keep code, sentence and hint."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from core.errors import InternalError, RackBroken, RackeyeError, RackRefused, error_class

MAX_LINE = 64 << 20
Message = dict[str, Any]


def failure(error: Exception) -> Message:
    """An error as an answer."""
    if isinstance(error, RackeyeError):
        return {"ok": False, "code": error.code, "error": error.sentence, "hint": error.hint}
    return {"ok": False, "code": InternalError.code, "error": f"{type(error).__name__}: {error}", "hint": ""}


def unwrap(answer: Message) -> Message:
    """The answer, or the error it carries, raised again."""
    if answer.get("ok"):
        return answer
    kind = error_class(answer.get("code", "")) or RackRefused
    raise kind(str(answer.get("error", "It refused.")), hint=str(answer.get("hint", "")))


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Message) -> Message:
    """One request over an open connection. Raises what the answer carries, RackBroken when the other end went away."""
    try:
        writer.write(json.dumps(request).encode() + b"\n")
        await writer.drain()
        line = await reader.readline()
    except OSError as error:
        raise RackBroken(f"The connection broke at {request.get('verb')!r}: {error}.") from error
    if not line:
        raise RackBroken(f"The connection broke at {request.get('verb')!r}: the other end is gone.")
    return unwrap(json.loads(line))


async def answer_lines(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Callable[[Message], Awaitable[Message]]
) -> None:
    """Serves one connection until it closes."""
    try:
        while line := await reader.readline():
            try:
                reply = {"ok": True, **await handler(json.loads(line))}
            except Exception as error:
                reply = failure(error)
            writer.write(json.dumps(reply).encode() + b"\n")
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Copies bytes until the source ends."""
    try:
        while data := await source.read(1 << 16):
            sink.write(data)
            await sink.drain()
        sink.write_eof()
    except (OSError, RuntimeError):
        sink.close()
