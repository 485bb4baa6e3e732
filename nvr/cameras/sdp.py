"""What a camera offers: SDP (RFC 4566) as DESCRIBE answers it, only what a recorder needs."""

import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import urljoin

from core.errors import BadStream

H264 = "H264"


@dataclass(frozen=True, slots=True)
class Media:
    """One m= part. control: absolute URL for SETUP; parameter_sets: NAL units of sprop-parameter-sets."""

    kind: str
    payload_type: int
    codec: str
    clock_rate: int
    control: str
    packetization_mode: int = 0
    parameter_sets: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Description:
    """control: absolute URL for PLAY and TEARDOWN of all media at once."""

    control: str
    media: tuple[Media, ...]

    def video(self) -> Media:
        """The first H.264 video. Raises BadStream that names what is offered instead."""
        videos = [media for media in self.media if media.kind == "video"]
        for media in videos:
            if media.codec == H264:
                if media.packetization_mode > 1:
                    raise BadStream("The camera sends H.264 interleaved out of order (packetization-mode 2).")
                if media.clock_rate != 90_000:
                    raise BadStream(f"The camera's H.264 clock is {media.clock_rate} Hz; RFC 6184 wants 90000.")
                return media
        offered = ", ".join(media.codec or "an unnamed codec" for media in videos)
        raise BadStream(
            f"The camera offers {offered} and no H.264." if offered else "The camera offers no video.",
            hint="Set the camera's stream to H.264.",
        )


def parse_sdp(text: str, base: str) -> Description:
    """The body of a DESCRIBE answer. base: Content-Base, Content-Location or the URL asked (RFC 2326, C.1.1).

    Raises BadStream for what is no SDP.
    """
    session: list[str] = []
    sections: list[list[str]] = []
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("m="):
            sections.append([line])
        else:
            (sections[-1] if sections else session).append(line)
    if not any(line.startswith("v=") for line in session):
        raise BadStream("The camera describes its stream in something that is no SDP.")
    whole = join_control(base, _attribute(session, "control") or "*")
    return Description(whole, tuple(_media(section, base, whole) for section in sections))


def join_control(base: str, control: str) -> str:
    """An a=control value as an absolute URL. A base without a final slash is a folder, as cameras mean it."""
    if control == "*":
        return base
    if control.lower().startswith("rtsp://"):
        return control
    if "?" in base:  # cameras that put their stream in the query want the control behind it: VLC and FFmpeg do so
        return base.rstrip("/") + "/" + control.lstrip("/")
    # urljoin knows rtsp as a scheme that may be joined
    return urljoin(base if base.endswith("/") else base + "/", control)


def _media(lines: list[str], base: str, whole: str) -> Media:
    words = lines[0][2:].split()
    if len(words) < 4 or not words[3].isdigit():
        raise BadStream(f"The camera's SDP has a bad line: {lines[0][:80]!r}.")
    payload_type = int(words[3])
    codec, rate = "", 0
    for line in lines:
        if match := re.match(rf"a=rtpmap:\s*{payload_type}\s+([\w.+-]+)/(\d+)", line):
            codec, rate = match[1].upper(), int(match[2])
    control = _attribute(lines, "control")
    parameters = _format(lines, payload_type)
    mode = parameters.get("packetization-mode", "0")
    return Media(
        words[0],
        payload_type,
        codec,
        rate,
        join_control(base, control) if control else whole,
        int(mode) if mode.isdigit() else 0,
        _parameter_sets(parameters.get("sprop-parameter-sets", "")),
    )


def _attribute(lines: list[str], name: str) -> str | None:
    prefix = f"a={name}:"
    return next((line[len(prefix) :].strip() for line in lines if line.startswith(prefix)), None)


def _format(lines: list[str], payload_type: int) -> dict[str, str]:
    for line in lines:
        if match := re.match(rf"a=fmtp:\s*{payload_type}\s+(.*)", line):
            pairs = (part.strip().partition("=") for part in match[1].split(";"))
            return {key.lower(): value for key, _, value in pairs}
    return {}


def _parameter_sets(text: str) -> tuple[bytes, ...]:
    """A camera that writes nonsense here may still send its parameter sets in the stream: nonsense is left out."""
    sets = []
    for part in text.split(","):
        try:
            sets.append(base64.b64decode(part.strip() + "=" * (-len(part.strip()) % 4), validate=True))
        except (binascii.Error, ValueError):
            continue
    return tuple(nal for nal in sets if nal)
