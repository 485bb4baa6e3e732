"""The real recorder, the real routes and scripts of the console, and a real browser; used by test_media."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from playwright.async_api import Page, async_playwright
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from core.accounts_model import Account, Role
from core.bus import BusClient
from core.clock import SystemClock
from core.errors import RackeyeError, SessionOver
from core.paths import Paths
from nvr.web import media
from nvr.web.answers import Shell, as_json, show_error
from nvr.web.guard import Guard, Who
from nvr.web.hub import Hub
from nvr.web.openapi import document
from nvr.web.state import Web
from tests.peers.recorder_host import FakeMounts, Host

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
STATIC = Path(media.__file__).parent / "static"
PAGE = """<!doctype html><meta charset="utf-8"><title>t</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/style.css">
<main><section><div id="media"></div></section></main>"""


class Porter(Guard):
    """Lets in whom the test lets in: who somebody is, boxd knows, and other tests ask it."""

    def __init__(self, clock: SystemClock) -> None:
        super().__init__(BusClient(), clock)
        self.opens = True

    async def who(self, asked: HTTPConnection, *, fresh: bool = False) -> Who:  # noqa: ARG002
        if not self.opens:
            raise SessionOver("Nobody is logged in.")
        return Who(Account("guard", Role.VIEWER), "token", by_cookie=True, where="127.0.0.1")


class Console:
    """host: the recorder. address: of the console."""

    def __init__(self, paths: Paths, mounts: FakeMounts) -> None:
        self.paths, self.mounts = paths, mounts
        self.clock = SystemClock()
        self.porter = Porter(self.clock)
        app = Starlette(
            routes=[
                *media.routes(paths),
                Mount("/static", StaticFiles(directory=STATIC)),
                Route("/", _page),
                Route("/api/v1/openapi.json", _document),
            ],
            exception_handlers={RackeyeError: show_error},
        )
        app.state.web = Web(BusClient(), Hub(self.clock), self.porter, self.clock)
        self.server = uvicorn.Server(uvicorn.Config(
            Shell(app, self.porter.requests), host="127.0.0.1", port=0, log_config=None, log_level="warning",
            access_log=False, ws_per_message_deflate=False, timeout_graceful_shutdown=1,
        ))  # fmt: skip

    @property
    def address(self) -> str:
        (server,) = self.server.servers
        host, port = server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"


async def _page(_: Request) -> HTMLResponse:
    return HTMLResponse(PAGE)


async def _document(_: Request) -> Response:
    return as_json(document())


@asynccontextmanager
async def console() -> AsyncIterator[Console]:
    """The console's media part on a port of its own; the recorder is started by the test (its settings come first)."""
    root = Path(tempfile.mkdtemp(prefix="rk"))  # tmp_path can be longer than a socket's address may be
    paths = Paths(root)
    (paths.run / "media").mkdir(parents=True)
    one = Console(paths, FakeMounts(paths))
    task = asyncio.create_task(one.server.serve())
    try:
        while not one.server.started:  # noqa: ASYNC110 -- uvicorn tells it no other way
            await asyncio.sleep(0.02)
        yield one
    finally:
        one.server.should_exit = True
        await task
        shutil.rmtree(root)


@asynccontextmanager
async def browser(address: str) -> AsyncIterator[tuple[Page, list[str]]]:
    """A page of the console, and what the browser complained about."""
    complaints: list[str] = []
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            page = await chromium.new_page(viewport={"width": 1280, "height": 900})
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            await page.goto(address)
            yield page, complaints
        finally:
            await chromium.close()


async def shown(page: Page, script: str, what: str, seconds: float = 20.0) -> Any:
    """Waits until a script's answer is true. Raises AssertionError with `what`'s answer."""
    end = asyncio.get_running_loop().time() + seconds
    while not await page.evaluate(script):
        assert asyncio.get_running_loop().time() < end, await page.evaluate(what)
        await asyncio.sleep(0.2)
    return await page.evaluate(what)


__all__ = ["Console", "Host", "browser", "console", "shown"]
