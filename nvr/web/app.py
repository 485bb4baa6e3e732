"""The application: routes, errors, and the shell of headers and rate limit around them."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from core.bus import BusClient
from core.clock import Clock
from core.errors import RackeyeError
from nvr.web import api, media, pages, people
from nvr.web.answers import Shell, show_defect, show_error, show_http_error
from nvr.web.guard import Guard
from nvr.web.hub import Hub
from nvr.web.state import Web


def make_app(client: BusClient, hub: Hub, clock: Clock) -> Shell:
    """For uvicorn, or a test."""
    app = Starlette(
        routes=[*pages.ROUTES, *media.routes(), *people.ROUTES, *api.ROUTES],  # media's names go before the rooms'
        exception_handlers={RackeyeError: show_error, HTTPException: show_http_error, Exception: show_defect},
    )
    guard = Guard(client, clock)
    app.state.web = Web(client, hub, guard, clock)
    return Shell(app, guard.requests)
