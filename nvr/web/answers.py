"""Answers of the API: JSON by msgspec, errors with code, sentence and hint, headers on everything."""

import json
from typing import Any

import msgspec
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import (
    AccountLocked,
    AccountsBroken,
    BadReply,
    BadRequest,
    BusMissing,
    DaemonGone,
    Forged,
    InternalError,
    MustChangePassword,
    NotAllowed,
    NotPermitted,
    NotThere,
    RackeyeError,
    SessionOver,
    TooManyRequests,
    WrongLogin,
)
from core.journal import get_logger
from nvr.web.guard import Rate, address

log = get_logger("rackeye-web")
STATUS: tuple[tuple[tuple[type[RackeyeError], ...], int], ...] = (
    ((BadRequest,), 400),
    ((SessionOver, WrongLogin), 401),
    ((Forged, MustChangePassword, NotPermitted, NotAllowed), 403),
    ((NotThere,), 404),
    ((AccountLocked, TooManyRequests), 429),
    ((InternalError,), 500),
    ((BadReply,), 502),
    ((DaemonGone, BusMissing, AccountsBroken), 503),
)
BODY_LIMIT = 64 * 1024
HEADERS = {
    # No 'unsafe-inline' anywhere; blob: is the live picture (Media Source Extensions).
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # no-referrer would make a form say `Origin: null`
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


def status_of(error: RackeyeError) -> int:
    """The HTTP status of an error; 409 when the appliance refuses as things stand."""
    return next((status for kinds, status in STATUS if isinstance(error, kinds)), 409)


def as_json(data: object, status: int = 200) -> Response:
    """Any of our dataclasses."""
    return Response(msgspec.json.encode(data), status, media_type="application/json")


def error_table(error: RackeyeError) -> dict[str, str]:
    """How an error looks in the API."""
    return {"code": error.code, "sentence": error.sentence, "hint": error.hint}


async def show_error(request: Request, error: Exception) -> Response:
    """For starlette: a RackeyeError as JSON; for a person without a session, the login page."""
    assert isinstance(error, RackeyeError)
    wants_page = "text/html" in request.headers.get("accept", "") and request.method == "GET"
    if wants_page and isinstance(error, SessionOver):
        return RedirectResponse("/login", 303)
    if wants_page and isinstance(error, MustChangePassword):
        return RedirectResponse("/password", 303)
    answer = JSONResponse({"error": error_table(error)}, status_of(error))
    if answer.status_code == 401:
        answer.headers["www-authenticate"] = "Bearer"
    return answer


async def show_http_error(request: Request, error: Exception) -> Response:
    """For starlette's own 404 and 405."""
    status = int(getattr(error, "status_code", 500))
    said = NotThere(f"{request.method} {request.url.path} is not there.", hint="See /api/v1/openapi.json.")
    return JSONResponse({"error": error_table(said)}, status, headers=getattr(error, "headers", None))


async def show_defect(_: Request, error: Exception) -> Response:
    """A defect of ours: the journal has it, the answer does not."""
    log.error(f"A request failed through a defect: {error!r}.", exc_info=error)
    return JSONResponse({"error": error_table(InternalError("The console failed.", hint="See its journal."))}, 500)


async def body_of(request: Request) -> bytes:
    """The body, of at most 64 KiB. Raises BadRequest."""
    whole = bytearray()
    async for part in request.stream():
        whole += part
        if len(whole) > BODY_LIMIT:
            raise BadRequest(f"The request is longer than {BODY_LIMIT} bytes.")
    return bytes(whole)


class Shell:
    """Around the whole application: the headers, and the rate limit by address. SSE and WebSockets pass unbuffered."""

    def __init__(self, app: ASGIApp, rate: Rate) -> None:
        self._app = app
        self._rate = rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        try:
            self._rate.take(address(HTTPConnection(scope)))
        except TooManyRequests as error:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1013, "reason": error.sentence})
                return
            answer = JSONResponse({"error": error_table(error)}, 429, headers={"retry-after": "5"})
            await answer(scope, receive, with_headers)
            return
        await self._app(scope, receive, with_headers)


def decode(kind: type[Any], body: bytes) -> Any:
    """A request's JSON as its type; an empty body is `{}`. Raises BadRequest."""
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRequest(f"The request cannot be read: {error}.", hint="See /api/v1/openapi.json.") from error


def plain(value: object) -> Any:
    """JSON-able."""
    return json.loads(msgspec.json.encode(value))
