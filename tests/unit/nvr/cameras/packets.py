"""RTP packets of H.264 as cameras make them, for tests: pictures of random bytes around real parameter sets."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nvr.cameras.h264 import IDR, SLICE, ParameterSets

SPS = bytes.fromhex("674d4016eca05017fcb808800000030080000005078b16cb")  # 640x360, x264
PPS = bytes.fromhex("68ebe3cb20")
OTHER_SPS = bytes.fromhex("67640028acd940780227e5c044000003000400000300283c60c658")  # 1920x1080, x264
SETS = ParameterSets((SPS,), (PPS,))
SSRC = 0x1234ABCD
PAYLOAD_TYPE = 96
CHANNEL = 0


@dataclass(frozen=True)
class Picture:
    """NAL units of one access unit."""

    time: int
    nals: tuple[bytes, ...]

    @property
    def key(self) -> bool:
        return any(nal[0] & 0x1F == IDR for nal in self.nals)

    @property
    def stored(self) -> bytes:
        """As MP4 holds it: lengths in front, no parameter sets and delimiters."""
        kept = (nal for nal in self.nals if nal[0] & 0x1F not in (7, 8, 9, 12))
        return b"".join(struct.pack(">I", len(nal)) + nal for nal in kept)


def slice_nal(size: int, *, key: bool, first: bool = True, fill: int = 0x55) -> bytes:
    """A slice of at least two bytes; `first`: its first_mb_in_slice is 0."""
    return bytes((0x60 | (IDR if key else SLICE), 0x88 if first else 0x48)) + bytes((fill,)) * size


def packet(number: int, stamp: int, payload: bytes, *, marker: bool = False, ssrc: int = SSRC, kind: int = 96) -> bytes:
    """An RTP packet."""
    head = struct.pack(">BBHII", 0x80, kind | (0x80 if marker else 0), number & 0xFFFF, stamp & 0xFFFFFFFF, ssrc)
    return head + payload


def payloads(picture: Picture, mtu: int, *, aggregate: bool = False) -> list[bytes]:
    """Single NAL unit packets, FU-A for what is longer than `mtu`, STAP-A for short ones when asked."""
    out: list[bytes] = []
    small: list[bytes] = []
    for nal in picture.nals:
        if aggregate and len(nal) <= mtu:
            small.append(nal)
            continue
        out += _aggregated(small)
        small = []
        out += [nal] if len(nal) <= mtu else _fragments(nal, mtu)
    return out + _aggregated(small)


def _aggregated(nals: Sequence[bytes]) -> list[bytes]:
    return [b"\x78" + b"".join(struct.pack(">H", len(nal)) + nal for nal in nals)] if nals else []


def _fragments(nal: bytes, mtu: int) -> list[bytes]:
    pieces = [nal[at : at + mtu] for at in range(1, len(nal), mtu)]
    out = []
    for number, piece in enumerate(pieces):
        ends = (0x80 if number == 0 else 0) | (0x40 if number == len(pieces) - 1 else 0)
        out.append(bytes((nal[0] & 0xE0 | 28, ends | nal[0] & 0x1F)) + piece)
    return out


def packets(
    pictures: Iterable[Picture], mtu: int = 1400, *, aggregate: bool = False, markers: bool = True, first: int = 65_530
) -> list[bytes]:
    """All packets of a stream; the numbers wrap early."""
    out = []
    number = first
    for picture in pictures:
        parts = payloads(picture, mtu, aggregate=aggregate)
        for part in parts:
            out.append(packet(number, picture.time, part, marker=markers and part is parts[-1]))
            number += 1
    return out


def interleaved(data: bytes, channel: int = CHANNEL) -> bytes:
    """A packet as it stands in the RTSP connection."""
    return struct.pack(">BBH", 0x24, channel, len(data)) + data
