"""RTSP 1.0 messages (RFC 2326), without I/O: bytes to messages and back."""

import re
from dataclasses import dataclass

from core.errors import BadStream

MAX_HEAD = 16 * 1024  # a status line and headers
MAX_BODY = 256 * 1024  # an SDP of a camera is about 1 kB
INTERLEAVED = 0x24  # '$': RTP or RTCP between the messages (RFC 2326, 10.12)
STATUS_LINE = re.compile(r"RTSP/1\.\d (\d{3})(?: (.*))?")
REQUEST_LINE = re.compile(r"([A-Z_]{1,20}) \S+ RTSP/1\.\d")


@dataclass(frozen=True, slots=True)
class Message:
    """An answer of the camera (method empty), or a request of its own (status 0)."""

    status: int
    reason: str
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case."""
        return next(iter(self.all(name)), None)

    def all(self, name: str) -> tuple[str, ...]:
        """Every header of that name, in any case."""
        return tuple(value for key, value in self.headers if key == name.lower())

    @property
    def cseq(self) -> int | None:
        """The number of the request that this answers."""
        text = self.header("cseq") or ""
        return int(text) if text.isdigit() else None


def parse_message(data: memoryview) -> tuple[Message, int] | None:
    """The message at the beginning of `data` and its length; None when it is not whole yet. Raises BadStream."""
    head = bytes(data[:MAX_HEAD])
    end = head.find(b"\r\n\r\n")
    first = head.split(b"\r\n", 1)[0][:200]
    if not b"RTSP/1.".startswith(first[:7]) and not re.match(rb"[A-Z_]{1,20}(?: |$)", first):
        raise BadStream(f"The camera answers something that is no RTSP: {first[:24]!r}.", hint=BadStream.meaning)
    if end < 0:
        if len(head) == MAX_HEAD:
            raise BadStream("The camera answers with headers that do not end.", hint=BadStream.meaning)
        return None
    status, reason, method = _first_line(first.decode(errors="replace"))
    headers = _headers(head[:end].decode(errors="replace").split("\r\n")[1:])
    message = Message(status, reason, method, headers)
    length_text = message.header("content-length") or "0"
    if not length_text.isdigit() or int(length_text) > MAX_BODY:
        raise BadStream(f"The camera announces a body of {length_text[:20]} bytes.", hint=BadStream.meaning)
    total = end + 4 + int(length_text)
    if len(data) < total:
        return None
    return Message(status, reason, method, headers, bytes(data[end + 4 : total])), total


def _first_line(line: str) -> tuple[int, str, str]:
    if match := STATUS_LINE.fullmatch(line):
        return int(match[1]), match[2] or "", ""
    if match := REQUEST_LINE.fullmatch(line):
        return 0, "", match[1]
    raise BadStream(f"The camera answers something that is no RTSP: {line[:40]!r}.", hint=BadStream.meaning)


def _headers(lines: list[str]) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in (" ", "\t") and pairs:  # a folded header goes on
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]} {line.strip()}")
        else:
            name, _, value = line.partition(":")
            pairs.append((name.strip().lower(), value.strip()))
    return tuple(pairs)


def format_request(method: str, url: str, cseq: int, headers: dict[str, str]) -> bytes:
    """A request without a body."""
    lines = [f"{method} {url} RTSP/1.0", f"CSeq: {cseq}", "User-Agent: Rackeye"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@dataclass(frozen=True, slots=True)
class Session:
    """timeout: seconds after which the camera forgets a silent client (60 when it does not say)."""

    id: str
    timeout: float = 60.0


def parse_session(header: str) -> Session:
    """A Session header: `12345678;timeout=60`."""
    parts = [part.strip() for part in header.split(";")]
    for part in parts[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "timeout" and value.strip().isdigit():
            return Session(parts[0], max(2.0, float(value)))
    return Session(parts[0])


@dataclass(frozen=True, slots=True)
class Transport:
    """What SETUP agreed on. channel: of RTP on the connection; ssrc: of the sender where it said one."""

    channel: int
    ssrc: int | None


def parse_transport(header: str) -> Transport:
    """A Transport header of an answer. Raises BadStream when it is not interleaved TCP."""
    values = dict(part.strip().partition("=")[::2] for part in header.split(",", maxsplit=1)[0].split(";"))
    channels = re.match(r"(\d{1,3})", values.get("interleaved", ""))
    if "TCP" not in header.upper() or channels is None or int(channels[1]) > 255:
        raise BadStream(f"The camera does not send over the RTSP connection: Transport {header[:80]!r}.")
    try:
        ssrc = int(values["ssrc"].strip(), 16) if "ssrc" in values else None
    except ValueError:
        ssrc = None
    return Transport(int(channels[1]), ssrc)
