"""The JSON API: what each daemon tells, its changes as server-sent events, its commands (docs/ref/api.md)."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from core.accounts_model import AuditListReply, AuditListRequest, told
from core.errors import AccountError, BadRequest, NotThere, RackeyeError, TooManyRequests
from nvr.alarms.model import Health, PolicySnapshot
from nvr.web import metrics
from nvr.web.answers import as_json, body_of, decode, error_table, status_of
from nvr.web.guard import Who
from nvr.web.openapi import document
from nvr.web.rooms import BOX, BY_KEY, POLICY, ROOMS, Order, Room
from nvr.web.state import Web, web_of

TICK = 10.0
"""Seconds after which a quiet stream says the time, so that a page notices a dead line."""
CHECK_EVERY = 30.0
STREAMS = 64


async def snapshot(request: Request) -> Response:
    """GET /api/v1/{room}: the envelope. Gone: 503 with the last known one; 404 when this mode has no such daemon."""
    web = web_of(request)
    await web.guard.who(request)
    room = _room(request)
    word = web.hub.words[room.key]
    if word.answers:
        return Response(word.text(), media_type="application/json")
    error = web.hub.gone(room)
    return as_json({"error": error_table(error), "last": word.envelope}, status_of(error))


async def command(request: Request) -> Response:
    """POST /api/v1/{room}/{command}: the command's reply. Written down before it is done."""
    web = web_of(request)
    room = _room(request)
    order = room.order(request.path_params["command"])
    if order is None:
        known = ", ".join(order.name for order in room.orders) or "none"
        raise NotThere(f"{room.key} has no command {request.path_params['command'][:64]!r}; it has: {known}.")
    if order.looks:
        who = await web.guard.who(request)
        web.guard.check_csrf(request, who)
    else:
        who = await web.guard.may_change(request)
        if order.sure:
            await web.guard.sure(request, who)
    asked = signed(decode(order.request, await body_of(request)), who)
    return as_json(await _do(web, who, room, order, asked))


async def _do(web: Web, who: Who, room: Room, order: Order, asked: Any) -> Any:
    what = f"{room.key} {order.name} {told(asked)}"
    if not order.looks:
        await web.guard.audit(who, what)
    try:
        return await web.client.call(room.bus, order.name, asked, order.reply, order.timeout)
    except RackeyeError as error:
        if not order.looks:
            await web.guard.audit(who, f"{what}: refused, {error.code} {error.sentence}")
        raise


def signed(asked: Any, who: Who) -> Any:
    """A request that says who asks, from where, or by a button, says what is so, not what was sent."""
    names = {one.name for one in dataclasses.fields(asked)}
    truth: dict[str, Any] = {"who": who.account.name, "where": who.where, "button": False}
    return dataclasses.replace(asked, **{name: value for name, value in truth.items() if name in names})


async def events(request: Request) -> Response:
    """GET /api/v1/events: first all that is known, then each change; `null` when a daemon is gone."""
    web = web_of(request)
    await web.guard.who(request)
    if web.streams >= STREAMS:
        raise TooManyRequests(f"{STREAMS} pages are open already.", hint="Close some.")
    return StreamingResponse(
        _stream(web, request), media_type="text/event-stream", headers={"x-accel-buffering": "no"})


async def _stream(web: Web, request: Request) -> AsyncIterator[bytes]:
    web.streams += 1
    try:
        yield _tick(web)
        for room in ROOMS:
            yield _told(web, room.key, first=True)
        checked = web.clock.monotonic()
        async for keys in web.hub.changes(TICK):
            if web.clock.monotonic() - checked > CHECK_EVERY:  # also keeps the session of an open page alive
                if await _over(web, request):
                    yield b"event: over\ndata: {}\n\n"
                    return
                checked = web.clock.monotonic()
            yield b"".join(_told(web, key) for key in sorted(keys)) + _tick(web)
    finally:
        web.streams -= 1


async def _over(web: Web, request: Request) -> bool:
    try:
        await web.guard.who(request, fresh=True)
    except AccountError:
        return True
    except RackeyeError:  # boxd does not answer: who was let in may go on looking
        return False
    return False


def _tick(web: Web) -> bytes:
    return b"event: tick\ndata: " + msgspec.json.encode({"now": web.clock.now()}) + b"\n\n"


def _told(web: Web, key: str, first: bool = False) -> bytes:
    word = web.hub.words[key]
    head = b"event: " + key.encode() + b"\ndata: "
    gone = b"" if word.answers else head + b"null\n\n"
    known = head + word.text() + b"\n\n" if word.envelope and (word.answers or first) else b""
    return known + gone


async def audit_list(request: Request) -> Response:
    """GET /api/v1/audit?limit=&before=: who did what, newest first."""
    web = web_of(request)
    await web.guard.who(request)
    try:
        limit = int(request.query_params.get("limit", "100"))
        before = int(text) if (text := request.query_params.get("before")) else None
    except ValueError as error:
        raise BadRequest("limit and before are whole numbers.") from error
    if not 1 <= limit <= 1000 or not (before is None or 0 <= before < 1 << 62):
        raise BadRequest("limit is from 1 to 1000, before is an entry's id.")
    return as_json(await web.client.call(BOX, "AuditList", AuditListRequest(limit, before), AuditListReply))


async def history(request: Request) -> Response:
    """GET /api/v1/history: the sensors' last ten minutes."""
    web = web_of(request)
    await web.guard.who(request)
    return as_json({"sensors": {name: list(points) for name, points in web.hub.history.sensors.items()}})


async def session(request: Request) -> Response:
    """GET /api/v1/session: who is logged in."""
    who = await web_of(request).guard.who(request)
    return as_json(who.account)


async def openapi(request: Request) -> Response:
    """GET /api/v1/openapi.json; it holds no secrets, but only who may use the API needs it."""
    await web_of(request).guard.who(request)
    return as_json(document())


async def health(request: Request) -> Response:
    """GET /health, for a monitor, without login: one word and the number of alarms, nothing else."""
    web = web_of(request)
    policy = web.hub.data(POLICY, PolicySnapshot)
    if policy is None or policy.health is Health.UNKNOWN:
        return as_json({"health": Health.UNKNOWN, "alarms": None if policy is None else len(policy.alarms)}, 503)
    return as_json({"health": policy.health, "alarms": len(policy.alarms)})


async def show_metrics(request: Request) -> Response:
    """GET /metrics, with an API token."""
    web = web_of(request)
    await web.guard.who(request)
    text = await asyncio.to_thread(metrics.text, web.hub)
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _room(request: Request) -> Room:
    room = BY_KEY.get(request.path_params["room"])
    if room is None:
        raise NotThere(f"There is no {request.path_params['room'][:64]!r}.", hint=f"There is: {', '.join(BY_KEY)}.")
    return room


ROUTES = [
    Route("/health", health),
    Route("/metrics", show_metrics),
    Route("/api/v1/openapi.json", openapi),
    Route("/api/v1/session", session),
    Route("/api/v1/audit", audit_list),
    Route("/api/v1/history", history),
    Route("/api/v1/events", events),
    Route("/api/v1/{room}", snapshot),
    Route("/api/v1/{room}/{command}", command, methods=["POST"]),
]
