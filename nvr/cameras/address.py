"""Where a camera is: its RTSP URL taken apart and checked, credentials apart from it."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from core.errors import BadCamera

DEFAULT_PORT = 554
HOST = re.compile(r"[A-Za-z0-9._:%-]+")


@dataclass(frozen=True, slots=True)
class Address:
    """host and port for TCP; url as it stands in RTSP requests (never with credentials)."""

    host: str
    port: int
    url: str
    user: str = ""
    password: str = field(default="", repr=False)


def parse_address(url: str, user: str = "", password: str = "") -> Address:
    """An RTSP URL; credentials may stand in it or be given apart, not both. Raises BadCamera, without the password."""
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORT
    except ValueError as error:
        raise BadCamera("The camera's URL has a bad host or port.", hint="rtsp://host[:port]/path") from error
    if parts.scheme.lower() != "rtsp" or not parts.hostname or not HOST.fullmatch(parts.hostname):
        raise BadCamera("The camera's URL must be rtsp://host[:port]/path.", hint="Example: rtsp://192.168.1.64/stream1")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise BadCamera("The camera's URL has characters that no URL may have.", hint="Write them as %20 and so on.")
    if parts.username is not None:
        if user or password:
            raise BadCamera("User and password are given twice: in the URL and apart from it.", hint="Give them once.")
        user, password = unquote(parts.username), unquote(parts.password or "")
    if not (user + password).isprintable():
        raise BadCamera("User or password has characters that cannot be sent.")
    shown = parts._replace(scheme="rtsp", netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()
    return Address(parts.hostname, port, shown, user, password)
