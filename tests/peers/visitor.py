"""A visitor of the console: a browser without scripts, that believes the console's own certificate and no other."""

import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.peers.house import PASSWORD, House


@asynccontextmanager
async def visit(house: House, user: str | None = None, token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """user: logs in by the page first. token: an API token."""
    trust = ssl.create_default_context(cafile=str(house.certificate))
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(base_url=house.url, verify=trust, headers=headers, timeout=10) as client:
        if user:
            done = await client.post("/login", data={"user": user, "password": PASSWORD})
            assert (done.status_code, done.headers["location"]) == (303, "/")
            client.headers["x-csrf-token"] = await csrf(client)
        yield client


async def csrf(client: httpx.AsyncClient, page: str = "/") -> str:
    """What the page holds for those who can read it."""
    return csrf_in((await client.get(page)).text)


def csrf_in(page: str) -> str:
    """The same, in the text of a page."""
    found = re.search(r'name="csrf(?:-token)?" (?:content|value)="([0-9a-f]{64})"', page)
    assert found
    return found[1]
