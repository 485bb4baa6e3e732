"""RTSP authentication: Basic and Digest with MD5 and SHA-256 (RFC 2617, RFC 7616; RTSP takes both from HTTP)."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
STALE_LIMIT = 3  # answers refused as stale in a row; then the camera is not believed
HASHES = {"md5": hashlib.md5, "sha-256": hashlib.sha256}


@dataclass(frozen=True, slots=True)
class Challenge:
    """One WWW-Authenticate header. algorithm: md5, md5-sess, sha-256 or sha-256-sess."""

    scheme: str
    realm: str = ""
    nonce: str = ""
    opaque: str = ""
    algorithm: str = "md5"
    qop: str = ""
    stale: bool = False

    @property
    def strength(self) -> int:
        """Which of several challenges is answered: the highest; 0 is not known to us."""
        if self.scheme == "basic":
            return 1
        if self.scheme != "digest" or self.algorithm.removesuffix("-sess") not in HASHES:
            return 0
        return 2 if self.algorithm.startswith("md5") else 3


def parse_challenge(header: str) -> Challenge:
    """A WWW-Authenticate header's value; what is missing stays empty."""
    scheme, _, rest = header.strip().partition(" ")
    values = {m[1].lower(): m[2] if m[2] is not None else m[3] for m in PARAMETER.finditer(rest)}
    offered = [word.strip() for word in values.get("qop", "").split(",")]
    return Challenge(
        scheme.lower(),
        values.get("realm", ""),
        values.get("nonce", ""),
        values.get("opaque", ""),
        values.get("algorithm", "md5").lower(),
        "auth" if "auth" in offered else "",
        values.get("stale", "").lower() == "true",
    )


@dataclass(slots=True)
class Authenticator:
    """Answers a camera's challenges for one user.

    `challenged` returns whether it is worth asking again: not when the same password was just refused.
    """

    user: str
    password: str = field(repr=False)
    client_nonce: Callable[[], str] = lambda: secrets.token_hex(8)
    _challenge: Challenge | None = None
    _count: int = 0  # requests with this nonce
    _unproven: int = 0  # answers since the camera last said yes

    def challenged(self, headers: Iterable[str]) -> bool:
        """Takes the strongest challenge of a 401. False: there is no answer, or the answer was refused."""
        if not self.user:
            return False
        strongest = max(map(parse_challenge, headers), key=lambda challenge: challenge.strength, default=None)
        if strongest is None or not strongest.strength:
            return False
        self._challenge, self._count = strongest, 0
        return self._unproven == 0 or (strongest.stale and self._unproven < STALE_LIMIT)

    def accepted(self) -> None:
        """The camera said yes: a later 401 means a new nonce, not a wrong password."""
        self._unproven = 0

    def header(self, method: str, url: str) -> str | None:
        """The Authorization header of a request; None before the first challenge."""
        challenge = self._challenge
        if challenge is None:
            return None
        self._count += 1
        self._unproven += 1
        if challenge.scheme == "basic":
            return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return self._digest(challenge, method, url)

    def _digest(self, challenge: Challenge, method: str, url: str) -> str:
        new_hash = HASHES[challenge.algorithm.removesuffix("-sess")]

        def digest(*parts: str) -> str:
            return new_hash(":".join(parts).encode()).hexdigest()

        cnonce, count = self.client_nonce(), f"{self._count:08x}"
        secret = digest(self.user, challenge.realm, self.password)
        if challenge.algorithm.endswith("-sess"):
            secret = digest(secret, challenge.nonce, cnonce)
        middle = (challenge.nonce, count, cnonce, "auth") if challenge.qop else (challenge.nonce,)
        fields = {
            "username": self.user,
            "realm": challenge.realm,
            "nonce": challenge.nonce,
            "uri": url,
            "response": digest(secret, *middle, digest(method, url)),
        }
        if challenge.opaque:
            fields["opaque"] = challenge.opaque
        if challenge.qop or challenge.algorithm.endswith("-sess"):
            fields["cnonce"] = cnonce
        text = ", ".join(f'{key}="{_quoted(value)}"' for key, value in fields.items())
        if challenge.algorithm != "md5":
            text += f", algorithm={challenge.algorithm.upper()}"
        return "Digest " + text + (f", qop=auth, nc={count}" if challenge.qop else "")


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
