"""The OpenAPI document, made from the types that travel: nothing in it is written twice."""

import dataclasses
from functools import cache
from typing import Any

import msgspec

from core.accounts_model import Account, AccountsReply, AuditListReply, Role
from core.bus import Sentence
from nvr.alarms.model import Health
from nvr.recorder.viewing_model import Segments, Timeline
from nvr.web.people import ORDERS, fields_of
from nvr.web.rooms import ROOMS, Order, Room

REF = "#/components/schemas/{name}"
ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "sentence", "hint"],
            "properties": {key: {"type": "string"} for key in ("code", "sentence", "hint")},
        },
        "last": {"description": "The daemon's last word, when it is gone."},
    },
}
FAILURES = {
    "400": "The request cannot be read", "401": "Nobody is logged in",
    "403": "Not for this account, or not from our page",
    "404": "Not there", "409": "Refused as things stand; the sentence says why", "429": "Too many requests",
    "500": "A defect", "502": "A daemon of another version", "503": "The daemon does not answer",
}


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    kinds = [kind for room in ROOMS for kind in (room.snapshot, *_order_kinds(room))]
    kinds += [Account, AccountsReply, AuditListReply, Health, Segments, Timeline, Role, Sentence]
    schemas, parts = msgspec.json.schema_components(dict.fromkeys(kinds), ref_template=REF)
    schema = dict(zip(dict.fromkeys(kinds), schemas, strict=True))
    paths: dict[str, Any] = {}
    for room in ROOMS:
        told = _get(f"get_{room.key}", room.says, _envelope(schema[room.snapshot]))
        told["responses"] |= _failures(("404",))  # this mode has no such daemon
        paths[f"/api/v1/{room.key}"] = {"get": told}
        for order in room.orders:
            paths[f"/api/v1/{room.key}/{order.name}"] = {"post": _post(room, order, schema)}
    paths["/api/v1/session"] = {"get": _get("get_session", "Who is logged in", schema[Account])}
    paths["/api/v1/accounts"] = {"get": _get("get_accounts", "Accounts and API tokens", schema[AccountsReply])}
    for name, (kind, says) in ORDERS.items():
        texts = {key: schema[Role] if key == "role" else {"type": "string"} for key in fields_of(kind)}
        body = {"type": "object", "required": list(texts), "properties": texts}
        paths[f"/api/v1/accounts/{name}"] = {"post": _change(f"accounts_{name}", says, body, schema[Sentence])}
    audit = _get("get_audit", "Who did what, newest first", schema[AuditListReply])
    audit["parameters"] = [
        _query("limit", "How many", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}),
        _query("before", "Only ids below this one", {"type": "integer", "minimum": 0, "maximum": (1 << 62) - 1}),
    ]
    paths["/api/v1/audit"] = {"get": audit}
    point = {"type": "array", "items": {"type": ["number", "null"]}, "minItems": 2, "maxItems": 2}
    past = {"type": "object", "additionalProperties": {"type": "array", "items": point}}
    paths["/api/v1/history"] = {"get": _get(
        "get_history", "Sensors: [UTC seconds, value] of the last ten minutes",
        {"type": "object", "required": ["sensors"], "properties": {"sensors": past}})}
    events = _get("get_events", "Each change: event = room, data = its envelope, `null` when gone; `tick` = time", {})
    events["responses"]["200"]["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
    paths["/api/v1/events"] = {"get": events}
    paths |= _recordings(schema)
    metrics = _get("get_metrics", "For Prometheus", {})
    metrics["responses"]["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    paths["/metrics"] = {"get": metrics}
    paths["/health"] = {"get": _health(schema[Health])}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Rackeye", "version": "1", "license": {"name": "Apache-2.0"},
            "description": "Sizes in bytes, times in UTC seconds, speeds in bytes per second, bit rates in bit/s.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": [], "csrf": []}],
        "paths": paths,
        "components": {
            "schemas": {**parts, "Error": ERROR},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "`sudo rackeye account token NAME`"},
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-rackeye"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
            },
        },
    }


def _order_kinds(room: Room) -> list[type[Any]]:
    return [kind for order in room.orders for kind in (order.request, order.reply)]


def _envelope(data: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["generation", "at", "data"],
        "properties": {
            "generation": {"type": "integer", "description": "Goes up by one at each change"},
            "at": {"type": "number", "description": "When it changed, UTC seconds"},
            "data": data,
        },
    }


def _failures(codes: tuple[str, ...]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {code: {"description": FAILURES[code], "content": content} for code in codes}


def _get(name: str, says: str, schema: Any) -> dict[str, Any]:
    good = {"description": "So it is now", "content": {"application/json": {"schema": schema}}}
    bad = _failures(("400", "401", "403", "429", "500", "502", "503"))
    return {"operationId": name, "summary": says, "responses": {"200": good, **bad}}


def _post(room: Room, order: Order, schema: dict[type[Any], Any]) -> dict[str, Any]:
    made = _change(f"{room.key}_{order.name}", order.says, schema[order.request], schema[order.reply])
    made["requestBody"]["required"] = _must_say(order.request)
    if order.looks:
        made["description"] = "A viewer may ask this."
    if order.sure:
        says = "The password of who asks, percent-encoded; not with a token"
        made["parameters"] = [{**_query("X-Rackeye-Password", says, {"type": "string"}), "in": "header"}]
    return made


def _change(name: str, says: str, request: Any, reply: Any) -> dict[str, Any]:
    good = {"description": "Done", "content": {"application/json": {"schema": reply}}}
    return {
        "operationId": name, "summary": says, "description": "For administrators; written down in the log.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": request}}},
        "responses": {"200": good, **_failures(tuple(FAILURES))},
    }


def _must_say(kind: type[Any]) -> bool:
    """False when an empty body does: every field has a default."""
    return any(field.default is field.default_factory is dataclasses.MISSING for field in dataclasses.fields(kind))


def _recordings(schema: dict[type[Any], Any]) -> dict[str, Any]:
    """nvr/web/media.py. A time is UTC seconds or ISO 8601."""
    moment = {"type": "number", "minimum": 0, "maximum": 1e10}
    first, last = _query("from", "UTC seconds (or ISO 8601)", moment), _query("to", "The same", moment)
    day = _query("day", "In the machine's own time, in place of from and to", {"type": "string", "format": "date"})
    epoch = _query("epoch", "Where the stream's time is 0; else at its first picture", moment)
    video = _get("get_recordings_stream", "Fragmented MP4 from the group of pictures that holds `from`", {})
    video["responses"]["200"]["content"] = {"video/mp4": {"schema": {"type": "string", "format": "binary"}}}
    found = {
        "": (_get("get_recordings", "The files of a camera; of the last 24 hours", schema[Segments]), [first, last]),
        "/timeline": (_get("get_timeline", "What is recorded, and why not", schema[Timeline]), [day, first, last]),
        "/stream": (video, [first | {"required": True}, last, epoch]),
    }
    camera = {"name": "camera", "in": "path", "required": True, "schema": {"type": "string"}}
    for item, parameters in found.values():
        item["parameters"] = [camera, *parameters]
        item["responses"] |= _failures(("404",))
    return {f"/api/v1/recordings/{{camera}}{end}": {"get": item} for end, (item, _) in found.items()}


def _query(name: str, says: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": says, "schema": schema}


def _health(schema: Any) -> dict[str, Any]:
    body = {"type": "object", "required": ["health", "alarms"],
            "properties": {"health": schema, "alarms": {"type": ["integer", "null"]}}}
    content = {"application/json": {"schema": body}}
    return {
        "operationId": "get_health", "summary": "One word, for a monitor; needs no login", "security": [],
        "responses": {
            "200": {"description": "Known", "content": content},
            "503": {"description": "Unknown: a daemon that should tell is silent", "content": content},
            **_failures(("429",)),
        },
    }
