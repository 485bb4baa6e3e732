"""rackeye-web: console and API on HTTPS port 3443, as user `rackeye-web`. Owns nothing: it asks the daemons."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from core import journal
from core.bus import BusClient
from core.clock import SystemClock
from core.daemon import notify
from core.errors import RackeyeError
from core.journal import get_logger
from core.paths import Paths
from nvr.web.answers import Shell
from nvr.web.app import make_app
from nvr.web.certificate_files import fingerprint, ready
from nvr.web.hub import Hub

NAME = "rackeye-web"
PORT = 3443
log = get_logger(NAME)


def config(app: Shell, cert: Path, key: Path, host: str, port: int) -> uvicorn.Config:
    """How uvicorn serves it: HTTPS only, no header of a proxy is believed, bounded in all that a stranger can make."""
    return uvicorn.Config(
        app, host=host, port=port, ssl_certfile=str(cert), ssl_keyfile=str(key), proxy_headers=False,
        server_header=False, access_log=False, log_config=None, log_level="warning", lifespan="off",
        limit_concurrency=256, timeout_keep_alive=20, timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=32 * 1024,
        ws_per_message_deflate=False, ws_max_size=4096,  # video does not get smaller; a page says no more than a name
    )


class Server(uvicorn.Server):
    """uvicorn that tells systemd when it listens."""

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            notify("READY=1")


async def serve(paths: Paths, host: str = "", port: int = PORT) -> None:
    """Until SIGTERM. Raises BusMissing when the bus ends, OSError when the port or the folder cannot be had."""
    clock = SystemClock()
    hub = Hub(clock)
    cert, key = await asyncio.to_thread(ready, paths.state / "web", clock)
    log.info(f"The certificate's SHA-256 fingerprint is {fingerprint(cert)}.")
    async with BusClient() as client:
        server = Server(config(make_app(client, hub, clock), cert, key, host, port))
        tasks = [asyncio.create_task(server.serve()), asyncio.create_task(hub.follow(client))]
        tasks.append(asyncio.create_task(_feed_watchdog()))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _feed_watchdog() -> None:
    limit = int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6
    while True:
        notify("WATCHDOG=1")
        await asyncio.sleep(limit / 3 if limit else 60.0)


@contextlib.contextmanager
def _first(errors: type[BaseException]) -> Iterator[None]:
    """The first error of a task group, as itself."""
    try:
        yield
    except BaseExceptionGroup as group:
        inner = group.subgroup(errors)
        if inner is None:
            raise
        first: BaseException = inner
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from group


def main() -> int:
    """Entry point."""
    journal.set_up()
    try:
        with _first(RackeyeError):
            asyncio.run(serve(Paths()))
    except RackeyeError as error:
        log.error(f"[{error.code}] {error.sentence} {error.hint}")
        return 1
    except OSError as error:
        log.error(f"The console cannot be served: {error}.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
