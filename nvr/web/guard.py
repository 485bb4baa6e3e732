"""Who asks, and what they may: session cookies, bearer tokens, CSRF, rate limit. The web process itself knows nobody:
boxd (org.rackeye.Box1) checks passwords and sessions; its answer is believed for a few seconds.
"""

import hashlib
import hmac
from collections import OrderedDict
from dataclasses import dataclass, field
from urllib.parse import unquote

from starlette.requests import HTTPConnection

from core.accounts_model import (
    Account,
    AuditRequest,
    LoginRequest,
    Role,
    SessionReply,
    TokenRequest,
)
from core.bus import BusClient, Nothing
from core.clock import Clock
from core.errors import AccountError, Forged, MustChangePassword, NotPermitted, SessionOver, TooManyRequests
from nvr.web.rooms import BOX

COOKIE = "__Host-rackeye"
"""The prefix makes browsers refuse it without Secure, with a Domain, or from another path."""
AGAIN = "x-rackeye-password"
"""Percent-encoded UTF-8: a header is ASCII."""
BELIEVED = 5.0
"""Seconds for which boxd's word about a session is believed: a page asks for many things at once."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who is logged in. token: of the session, or of the API; by_cookie: a browser brought it by itself."""

    account: Account
    token: str = field(repr=False)
    by_cookie: bool
    where: str

    @property
    def csrf(self) -> str:
        """What a page must send along to change something; known only to who can read the page."""
        return csrf_of(self.token)


def csrf_of(token: str) -> str:
    """Bound to the session, and of no use for finding it."""
    return hmac.new(token.encode(), b"rackeye csrf", hashlib.sha256).hexdigest()


@dataclass(slots=True)
class Rate:
    """Tokens of a bucket for each address: `burst` at once, `per_second` later. Keeps the latest addresses only."""

    clock: Clock
    burst: float
    per_second: float
    limit: int = 4096
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, where: str) -> None:
        """Raises TooManyRequests."""
        now = self.clock.monotonic()
        left, at = self._left.pop(where, (self.burst, now))
        left = min(self.burst, left + (now - at) * self.per_second)
        self._left[where] = (max(0.0, left - 1), now)
        while len(self._left) > self.limit:
            self._left.popitem(last=False)
        if left < 1:
            raise TooManyRequests("Too many requests from this address.", hint="Wait a few seconds.")


class Guard:
    """Asks boxd who somebody is."""

    def __init__(self, client: BusClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._known: OrderedDict[str, tuple[Account, float]] = OrderedDict()
        self.requests = Rate(clock, burst=300, per_second=50)
        self.logins = Rate(clock, burst=10, per_second=0.2)

    async def who(self, asked: HTTPConnection, *, fresh: bool = False) -> Who:
        """Who sends this request or opens this WebSocket (a browser's must come from our own page).

        Raises SessionOver, MustChangePassword, Forged, DaemonGone. fresh: boxd is asked now.
        """
        who = await self.who_at_all(asked, fresh=fresh)
        if who.account.must_change:
            raise MustChangePassword("The password must be changed first.", hint="Log in on the page and change it.")
        return who

    async def who_at_all(self, asked: HTTPConnection, *, fresh: bool = False) -> Who:
        """As `who`, for the change of the password itself."""
        where = address(asked)
        bearer = asked.headers.get("authorization", "")
        if bearer[:7].lower() == "bearer ":
            token = bearer[7:].strip()
            return Who(await self._account("ApiToken", token, fresh), token, by_cookie=False, where=where)
        token = asked.cookies.get(COOKIE, "")
        if not token:
            raise SessionOver("Nobody is logged in.", hint="Log in, or send an API token as `Authorization: Bearer`.")
        if asked.scope["type"] == "websocket" or asked.scope.get("method") not in SAFE:
            check_origin(asked)
        return Who(await self._account("Session", token, fresh), token, by_cookie=True, where=where)

    async def may_change(self, asked: HTTPConnection) -> Who:
        """As `who`, for what changes something: an administrator, and from our page. Raises NotPermitted, Forged."""
        who = await self.who(asked)
        self.check_csrf(asked, who)
        if who.account.role is not Role.ADMINISTRATOR:
            raise NotPermitted(f"{who.account.name} is a viewer: may look, not change.", hint="Ask an administrator.")
        return who

    async def sure(self, asked: HTTPConnection, who: Who) -> None:
        """For what cannot be undone: whoever finds an open page does not know the password. Raises WrongLogin & co.

        A program with a token has no page that it could leave open.
        """
        if not who.by_cookie:
            return
        self.logins.take(who.where)
        typed = unquote(asked.headers.get(AGAIN, ""))
        login = LoginRequest(who.account.name, typed, who.where)
        opened = await self._client.call(BOX, "OpenSession", login, SessionReply)
        await self._client.call(BOX, "CloseSession", TokenRequest(opened.token), Nothing)

    def check_csrf(self, asked: HTTPConnection, who: Who, given: str | None = None) -> None:
        """A cookie comes by itself from anywhere; the header X-CSRF-Token comes only from our page. Raises Forged."""
        sent = given if given is not None else asked.headers.get("x-csrf-token", "")
        if who.by_cookie and not hmac.compare_digest(sent.encode(), who.csrf.encode()):
            raise Forged("The request did not come from this console's page.", hint="Load the page again.")

    async def open(self, user: str, password: str, where: str) -> SessionReply:
        """Raises WrongLogin, AccountLocked, TooManyRequests, DaemonGone."""
        self.logins.take(where)
        return await self._client.call(BOX, "OpenSession", LoginRequest(user, password, where), SessionReply)

    async def close(self, who: Who) -> None:
        """Logs out."""
        self.forget()
        await self._client.call(BOX, "CloseSession", TokenRequest(who.token), Nothing)

    async def audit(self, who: Who, what: str) -> None:
        """Writes down what somebody is about to do; what cannot be written down is not done. Raises DaemonGone."""
        await self._client.call(BOX, "Audit", AuditRequest(who.account.name, what, who.where), Nothing)

    def forget(self) -> None:
        """Believes nothing any more: somebody logged out, or an account changed."""
        self._known.clear()

    async def _account(self, command: str, token: str, fresh: bool) -> Account:
        key = command + hashlib.sha256(token.encode()).hexdigest()
        known = self._known.get(key)
        if known is not None and not fresh and self._clock.monotonic() - known[1] < BELIEVED:
            return known[0]
        try:
            account = await self._client.call(BOX, command, TokenRequest(token), Account, timeout=10.0)
        except AccountError:
            self._known.pop(key, None)
            raise
        self._known[key] = (account, self._clock.monotonic())
        while len(self._known) > 256:
            self._known.popitem(last=False)
        return account


def address(asked: HTTPConnection) -> str:
    """Where a request comes from; no proxy stands before us, so no header is believed."""
    return asked.client.host if asked.client else "unknown"


def check_origin(asked: HTTPConnection) -> None:
    """Browsers say which page sends; other programs do not, and bring no cookie by themselves. Raises Forged."""
    origin = asked.headers.get("origin")
    site = asked.headers.get("sec-fetch-site", "same-origin")
    host = asked.headers.get("host", "")
    if site not in ("same-origin", "none") or (origin is not None and origin != f"https://{host}"):
        raise Forged("The request comes from another site's page.", hint="Open the console's own page.")
