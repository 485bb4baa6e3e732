"""The pages: the console, login, the change of the password."""

import socket
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from boot.restore import GOES, STAYS
from core.accounts_model import ChangePasswordRequest
from core.bus import Sentence
from core.errors import BadPassword, BadRequest, Forged, RackeyeError, SessionOver
from nvr.web.answers import body_of, status_of
from nvr.web.guard import COOKIE, address, check_origin
from nvr.web.rooms import BOX
from nvr.web.state import web_of

HERE = Path(__file__).parent
STATIC = HERE / "static"
templates = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined)


def render(name: str, status: int = 200, **values: object) -> HTMLResponse:
    """A template; every page shows the machine's name."""
    html = templates.get_template(name).render(hostname=socket.gethostname(), **values)
    return HTMLResponse(html, status)


async def console(request: Request) -> Response:
    """GET /"""
    who = await web_of(request).guard.who(request)
    media = (STATIC / "media.js").exists()
    return render("console.html", csrf=who.csrf, user=who.account.name, role=who.account.role.value, media=media,
                  goes=GOES, stays=STAYS)


async def login(request: Request) -> Response:
    """GET and POST /login; works without scripts."""
    if request.method == "GET":
        return render("login.html", error=None, user="")
    web = web_of(request)
    form = await _form(request)
    try:
        check_origin(request)
        reply = await web.guard.open(form.get("user", "").strip(), form.get("password", ""), address(request))
    except RackeyeError as error:
        return render("login.html", status_of(error), error=error, user=form.get("user", ""))
    answer = RedirectResponse("/password" if reply.account.must_change else "/", 303)
    answer.set_cookie(COOKIE, reply.token, path="/", secure=True, httponly=True, samesite="strict")
    return answer


async def password(request: Request) -> Response:
    """GET and POST /password: one's own new password."""
    web = web_of(request)
    who = await web.guard.who_at_all(request)
    if not who.by_cookie:
        raise Forged("An API token does not change passwords.", hint="Log in on the page.")
    values: dict[str, Any] = {"csrf": who.csrf, "user": who.account.name, "must": who.account.must_change}
    if request.method == "GET":
        return render("password.html", error=None, **values)
    form = await _form(request)
    try:
        web.guard.check_csrf(request, who, form.get("csrf", ""))
        web.guard.logins.take(who.where)
        if form.get("new") != form.get("again"):
            raise BadPassword("The two new passwords differ.", hint="Type them once more.")
        change = ChangePasswordRequest(
            who.account.name, form.get("old", ""), form.get("new", ""), who.where, keep=who.token)
        await web.client.call(BOX, "ChangePassword", change, Sentence)
    except RackeyeError as error:
        return render("password.html", status_of(error), error=error, **values)
    web.guard.forget()
    return RedirectResponse("/", 303)


async def logout(request: Request) -> Response:
    """POST /logout"""
    web = web_of(request)
    answer = RedirectResponse("/login", 303)
    try:
        who = await web.guard.who_at_all(request)
        web.guard.check_csrf(request, who, (await _form(request)).get("csrf", ""))
        await web.guard.close(who)
    except SessionOver:
        pass
    answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
    return answer


async def _form(request: Request) -> dict[str, str]:
    body = await body_of(request)
    try:
        return {key: values[0] for key, values in parse_qs(body.decode(), max_num_fields=20).items()}
    except ValueError as error:
        raise BadRequest("The form cannot be read.") from error


class Fresh(StaticFiles):
    """Static files that a browser asks for again after an update (by ETag: 304 when unchanged)."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        answer = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        answer.headers["cache-control"] = "no-cache"
        return answer


ROUTES = [
    Route("/", console),
    Route("/login", login, methods=["GET", "POST"]),
    Route("/password", password, methods=["GET", "POST"]),
    Route("/logout", logout, methods=["POST"]),
    Mount("/static", Fresh(directory=STATIC)),
]
