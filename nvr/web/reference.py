"""docs/ref/api.md from the table of rooms: `python -m nvr.web.reference > docs/ref/api.md`; a test compares."""

import dataclasses
import sys
from typing import Any

from nvr.web.answers import HEADERS, STATUS
from nvr.web.people import ORDERS, fields_of
from nvr.web.rooms import ROOMS, Order

HEAD = """# The API

HTTPS on port 3443, JSON. `/api/v1/openapi.json` is the whole of it with every type (OpenAPI 3.1); this page is the
table. Sizes are bytes, times UTC seconds, speeds bytes per second, bit rates bit/s.

    sudo rackeye account token monitor --account guard      # prints the token, once
    curl --cacert cert.pem -H "Authorization: Bearer rke_..." https://rackeye.local:3443/api/v1/raid

`cert.pem` is `/var/lib/rackeye/web/cert.pem` of the appliance. A viewer's token may look, an administrator's may do
all. A browser's session sends the header `X-CSRF-Token` with each command; its value is in the page.

## What is told

| | |
|---|---|
"""
REST = """
Each answer is `{{"generation": N, "at": UTC, "data": ...}}`. A daemon that is gone: 503, with its last word in `last`.
One that this mode does not have (`failover` in Standard Mode, `recorder` in Failover Mode): 404.

`GET /api/v1/events` is a stream (`text/event-stream`): first all that is known, then each change. The event's name is
the room's, its data the envelope, `null` when the daemon is gone; `tick` tells the machine's time at least every 10 s,
`over` that the session has ended.

| | |
|---|---|
| `GET /api/v1/session` | who is logged in |
| `GET /api/v1/accounts` | accounts and API tokens, for administrators |
| `GET /api/v1/audit?limit=&before=` | who did what, newest first |
| `GET /api/v1/history` | the sensors' last ten minutes |
| `GET /metrics` | Prometheus' text format, with a token |
| `GET /health` | one word and the number of alarms, without login; 503 while it is unknown |
| `/api/v1/live`, `/api/v1/recordings/...` | live view and playback ([the recorder](../design/recorder.md)) |

## Commands

`POST` with the fields as a JSON object. What changes something needs an administrator, and is written down before it
is done. *looks*: changes nothing, a viewer may ask. *sure*: a browser's session sends the person's password
once more, percent-encoded, in the header `X-Rackeye-Password`.

| | fields | |
|---|---|---|
{commands}
## Errors

`{{"error": {{"code": "RAID-001", "sentence": "...", "hint": "..."}}}}`; `rackeye explain RAID-001` says more.

| status | errors |
|---|---|
{errors}| 409 | every other: refused as things stand |

## Headers of every answer

{headers}
"""


def text() -> str:
    """The page."""
    told = "".join(f"| `GET /api/v1/{room.key}` | {room.says} (`{room.unit}`) |\n" for room in ROOMS)
    commands = "".join(
        f"| `{room.key}/{order.name}` | {_fields(order.request)} | {order.says}{_marks(order)} |\n"
        for room in ROOMS for order in room.orders)
    commands += "".join(
        f"| `accounts/{name}` | {', '.join(f'`{key}`' for key in fields_of(kind))} | {says} |\n"
        for name, (kind, says) in ORDERS.items())
    errors = "".join(f"| {status} | {', '.join(kind.__name__ for kind in kinds)} |\n" for kinds, status in STATUS)
    headers = "\n".join(f"    {name}: {value}" for name, value in HEADERS.items())
    return HEAD + told + REST.format(commands=commands, errors=errors, headers=headers)


def _marks(order: Order) -> str:
    return " (*looks*)" * order.looks + " (*sure*)" * order.sure


def _fields(kind: type[Any]) -> str:
    filled = {"who", "where", "button"}  # by the console itself (nvr/web/api.py, `signed`)
    return ", ".join(f"`{field.name}`" for field in dataclasses.fields(kind) if field.name not in filled) or "none"


if __name__ == "__main__":
    sys.stdout.write(text())
