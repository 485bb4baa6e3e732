"""A TCP port of the guest on 127.0.0.1 of the host, for browsers: the rack itself gives a unix socket."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def forwarded(unix: Path, port: int = 0) -> Iterator[int]:
    """Serves while the block runs; yields the port (0: a free one). Raises OSError when the port is taken."""
    loop = asyncio.new_event_loop()
    try:
        server = loop.run_until_complete(asyncio.start_server(lambda r, w: _carry(unix, r, w), "127.0.0.1", port))
    except OSError:
        loop.close()
        raise
    thread = threading.Thread(target=loop.run_forever, name="forward", daemon=True)
    thread.start()
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
            loop.run_until_complete(asyncio.wait([task]))
        loop.close()


async def _carry(unix: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        there, back = await asyncio.open_unix_connection(str(unix))
    except OSError:  # the rack's power is cut
        writer.close()
        return
    await asyncio.gather(_pipe(reader, back), _pipe(there, writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, asyncio.CancelledError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
