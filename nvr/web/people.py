"""Accounts and API tokens over the API. boxd decides once more: each request carries the session of who asks."""

import dataclasses
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.accounts_model import (
    AccountsReply,
    ActorRequest,
    AddAccountRequest,
    AddTokenRequest,
    NamedAccountRequest,
)
from core.bus import Sentence
from core.errors import BadRequest, NotThere
from nvr.web.answers import as_json, body_of
from nvr.web.rooms import BOX
from nvr.web.state import web_of

ORDERS: dict[str, tuple[type[Any], str]] = {
    "AddAccount": (AddAccountRequest, "A new account; its password must be changed at the first login"),
    "RemoveAccount": (NamedAccountRequest, "Remove an account, its sessions and API tokens"),
    "AddToken": (AddTokenRequest, "A new API token; the answer is its text, shown this once"),
    "RemoveToken": (NamedAccountRequest, "Remove an API token"),
}


async def people(request: Request) -> Response:
    """GET /api/v1/accounts: accounts and API tokens, for administrators."""
    web = web_of(request)
    who = await web.guard.who(request)
    return as_json(await web.client.call(BOX, "ListAccounts", ActorRequest(who.token), AccountsReply))


async def change(request: Request) -> Response:
    """POST /api/v1/accounts/{command}; boxd writes it down."""
    web = web_of(request)
    name = request.path_params["command"]
    if name not in ORDERS:
        raise NotThere(f"accounts has no command {name[:64]!r}; it has: {', '.join(ORDERS)}.")
    who = await web.guard.may_change(request)
    kind = ORDERS[name][0]
    try:
        fields = msgspec.json.decode(await body_of(request) or b"{}", type=dict[str, Any])
        asked = msgspec.convert({**fields, "actor": who.token}, kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRequest(f"{name}: {error}.", hint="See /api/v1/openapi.json.") from error
    reply = await web.client.call(BOX, name, asked, Sentence)
    web.guard.forget()
    return as_json(reply)


def fields_of(kind: type[Any]) -> tuple[str, ...]:
    """What a client sends; the actor is filled in here."""
    return tuple(field.name for field in dataclasses.fields(kind) if field.name != "actor")


ROUTES = [
    Route("/api/v1/accounts", people),
    Route("/api/v1/accounts/{command}", change, methods=["POST"]),
]
