"""What every handler shares; hung on the application's state."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from core.bus import BusClient
from core.clock import Clock
from nvr.web.guard import Guard
from nvr.web.hub import Hub


@dataclass(slots=True)
class Web:
    """client: the connection to the system bus. streams: event streams that are open."""

    client: BusClient
    hub: Hub
    guard: Guard
    clock: Clock
    streams: int = 0


def web_of(asked: HTTPConnection) -> Web:
    """The Web of the application that serves this request."""
    web = asked.app.state.web
    assert isinstance(web, Web)
    return web
