"""RTP packets of H.264 (RFC 3550, RFC 6184) to access units in the form that MP4 wants.

An access unit ends where the time stamp changes: some cameras never set the marker bit, others set it on each NAL
unit, so it is looked at only for a session's last picture, behind which no other comes; that costs one frame of delay,
which a recorder does not mind. After a lost packet
everything is dropped up to the next key frame: what lies between cannot be decoded without faults.
Zeros behind a NAL unit, which some cameras send, are no part of it (ITU-T H.264, 7.4.1): so a zero at the end of one in
a file means that a power cut left it (nvr/recorder/fmp4_reader.py).
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import BadStream
from nvr.cameras.h264 import DELIMITER, FILLER, IDR, PPS, SLICES, SPS, ParameterSets, set_id

STAP_A, FU_A = 24, 28
MAX_UNIT = 8 * 1024 * 1024  # bytes; a 4K key frame is about 1 MB
# A camera may announce one SSRC in SETUP and send another; after so many packets with none of the announced one, the
# other is taken. Fewer could be the rest of a stale session (live555; Moonfire #184).
WRONG_SSRC_LIMIT = 200

# '$' and channel; length; then the RTP header: flags, marker and type; number; time stamp and SSRC; then the first two
# bytes of the payload, which of an FU-A are its indicator and header. What is compared together is read as one number.
PACKET = struct.Struct(">HHHHQH")
FU_KIND, FU_MIDDLE = 0x1FC0, FU_A << 8  # of those two bytes: the type in the one, start and end bit in the other
RTP = struct.Struct(">BBHII")


@dataclass(frozen=True, slots=True, eq=False)
class AccessUnit:
    """One coded picture. time: 90 kHz ticks that never wrap; data: NAL units with 4-byte lengths, without parameter
    sets; after_loss: what came before it is missing."""

    time: int
    key: bool
    data: bytearray
    parameters: ParameterSets
    after_loss: bool


@dataclass(slots=True)
class Counters:
    """What went wrong on the way, since the session began."""

    lost: int = 0
    foreign: int = 0
    spoilt: int = 0


class Depacketizer:
    """One H.264 stream of one RTSP session; hands each whole access unit to `deliver`.

    channel: of RTP on the connection. ssrc: as announced, None when the first packet tells it.
    """

    def __init__(
        self,
        channel: int,
        payload_type: int,
        parameter_sets: tuple[bytes, ...],
        deliver: Callable[[AccessUnit], None],
        ssrc: int | None = None,
    ) -> None:
        self.counters = Counters()
        self._channel = channel
        self._payload_type = payload_type
        self._deliver = deliver
        self._ssrc = ssrc
        self._seen = False
        self._marked = False  # the last packet bore the marker bit: a picture ends with it
        self._next = -1
        self._stamp = -1  # 32-bit time stamp of the unit in the making
        self._time = 0  # the same, unwrapped
        self._unit = bytearray()
        self._fragment = -1  # where in the unit the open FU-A's length stands; -1: none is open
        self._key = False
        self._slices = False
        self._broken = True  # nothing is whole until the next key frame
        self._damaged = False  # a part of the unit in the making is missing
        self._loss = True  # the next unit delivered stands behind a loss
        self._sets: dict[tuple[int, int], bytes] = {}
        self._parameters: ParameterSets | None = None
        for nal in parameter_sets:
            if nal[0] & 0x1F in (SPS, PPS):
                self._parameter_set(nal)

    def packets(self, view: memoryview, at: int, end: int) -> int:
        """Takes the interleaved packets of this stream from view[at:end], up to one that is cut off or another's.

        Returns where it stopped. The middle fragments of a NAL unit, nine packets of ten, take the short way.
        """
        unpack, size = PACKET.unpack_from, PACKET.size
        own_head, plain = 0x2400 | self._channel, 0x8000 | self._payload_type
        unit, following, picture = self._unit, self._next, self._picture()
        while end - at >= size:
            head, length, kind, number, whose, fragment = unpack(view, at)
            stop = at + 4 + length
            if head != own_head or stop > end:
                break
            if (
                number == following
                and whose == picture
                and kind == plain
                and fragment & FU_KIND == FU_MIDDLE
                and length > 14
            ):
                unit += view[at + 18 : stop]
                following = (number + 1) & 0xFFFF
            else:
                self._next = following
                self.packet(view[at + 4 : stop])
                unit, following, picture = self._unit, self._next, self._picture()
            at = stop
        self._next = following
        self._limit()
        return at

    def packet(self, data: memoryview) -> None:
        """One RTP packet, whatever it is."""
        if len(data) < RTP.size or data[0] >> 6 != 2:
            self.counters.spoilt += 1
            return
        flags, kind, number, stamp, ssrc = RTP.unpack_from(data)
        if kind & 0x7F != self._payload_type or not self._own(ssrc):
            self.counters.foreign += 1
            return
        payload = _payload(data, flags)
        if self._next not in (-1, number):
            behind = (self._next - number) & 0xFFFF
            if behind < 100:  # a copy or a latecomer; over TCP only faulty cameras send those
                return
            self.counters.lost += (number - self._next) & 0xFFFF
            self._lose()
        self._next = (number + 1) & 0xFFFF
        self._marked = kind & 0x80 != 0
        if stamp != self._stamp:
            self._finish()
            self._begin(stamp)
        if payload is None or len(payload) == 0:
            self.counters.spoilt += payload is None
            return
        self._nal_or_parts(payload)

    def flush(self) -> None:
        """The session ends: a last picture whose end came is delivered; one slice of several would show half of it."""
        if self._marked:
            self._finish()

    @property
    def position(self) -> int:
        """Goes on with each packet: tells a frozen camera from one whose packets make no picture."""
        return self._next

    @property
    def starved(self) -> str:
        """Why nothing comes out although packets come in; empty when it is not known."""
        if not self._seen:
            return "no packet of the stream came"
        return "no parameter sets (SPS, PPS) came" if self._parameters is None else "no key frame came"

    def _own(self, ssrc: int) -> bool:
        if ssrc == self._ssrc:
            self._seen = True
            return True
        if self._ssrc is None or (not self._seen and self.counters.foreign >= WRONG_SSRC_LIMIT):
            self._ssrc, self._seen = ssrc, True
            return True
        return False

    def _picture(self) -> int:
        """Time stamp and SSRC as they follow each other in the packets of an open FU-A; -1: none is open."""
        return -1 if self._fragment < 0 or self._ssrc is None else self._stamp << 32 | self._ssrc

    def _begin(self, stamp: int) -> None:
        if self._stamp >= 0:
            self._time += ((stamp - self._stamp + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        else:
            self._time = stamp
        self._stamp = stamp
        self._damaged = False

    def _lose(self) -> None:
        self._broken = self._loss = self._damaged = True
        self._fragment = -1

    def _finish(self) -> None:
        """Ends the unit in the making."""
        if self._fragment >= 0:  # its last fragment never came
            self._lose()
        unit, key, slices = self._unit, self._key, self._slices
        self._unit, self._key, self._slices = bytearray(), False, False
        if not slices or self._broken or self._parameters is None:
            return
        self._deliver(AccessUnit(self._time, key, unit, self._parameters, self._loss))
        self._loss = False

    def _nal_or_parts(self, payload: memoryview) -> None:
        kind = payload[0] & 0x1F
        if kind != FU_A and self._fragment >= 0:  # the open FU-A was not ended
            self._lose()
        if 1 <= kind < STAP_A:
            self._nal(payload)
        elif kind == FU_A and len(payload) > 2:
            self._fu(payload)
        elif kind == STAP_A:
            at = 1
            while at + 2 < len(payload):
                size = payload[at] << 8 | payload[at + 1]
                if size == 0 or at + 2 + size > len(payload):
                    self.counters.spoilt += 1
                    self._lose()
                    return
                self._nal(payload[at + 2 : at + 2 + size])
                at += 2 + size
        elif kind != FU_A:
            raise BadStream(f"The camera sends H.264 in packets of type {kind}, which RFC 6184 does not allow here.")

    def _nal(self, nal: memoryview) -> None:
        while len(nal) > 1 and nal[-1] == 0:
            nal = nal[:-1]
        if len(nal) > 1 and self._starts(nal[0] & 0x1F, nal):
            self._unit += len(nal).to_bytes(4, "big")
            self._unit += nal
            self._limit()

    def _fu(self, payload: memoryview) -> None:
        header = payload[1]
        if header & 0x80:
            nal_type = header & 0x1F
            if self._fragment >= 0:  # the one before was not ended
                self._lose()
            if nal_type in (SPS, PPS) or self._starts(nal_type, payload[1:]):
                self._fragment = len(self._unit)
                self._unit += b"\0\0\0\0"
                self._unit.append(payload[0] & 0xE0 | nal_type)
        if self._fragment < 0:
            return
        self._unit += payload[2:]
        self._limit()
        if header & 0x40:
            while self._unit[-1] == 0 and len(self._unit) > self._fragment + 5:
                self._unit.pop()
            size = len(self._unit) - self._fragment - 4
            self._unit[self._fragment : self._fragment + 4] = size.to_bytes(4, "big")
            self._take_parameter_set(self._fragment)
            self._fragment = -1

    def _take_parameter_set(self, at: int) -> None:
        """A NAL unit came whole in fragments; a parameter set is no part of the access unit."""
        if self._unit[at + 4] & 0x1F in (SPS, PPS):
            self._parameter_set(bytes(self._unit[at + 4 :]))
            del self._unit[at:]

    def _starts(self, kind: int, nal: memoryview) -> bool:
        """A NAL unit begins; `nal` has at least its first two bytes. True when it goes into the access unit."""
        if kind in (SPS, PPS):
            self._parameter_set(bytes(nal))
            return False
        if kind in (DELIMITER, FILLER):
            return False
        if kind in SLICES:
            first_of_picture = nal[1] & 0x80  # first_mb_in_slice, an Exp-Golomb number, is 0
            if kind == IDR and first_of_picture and not self._damaged:
                self._broken = False
            self._slices = True
            self._key = self._key or kind == IDR
        return not self._broken or kind not in SLICES

    def _limit(self) -> None:
        if len(self._unit) > MAX_UNIT:
            raise BadStream(f"The camera sends a picture of more than {MAX_UNIT >> 20} MiB.")

    def _parameter_set(self, nal: bytes) -> None:
        key = (nal[0] & 0x1F, set_id(nal))
        if self._sets.get(key) == nal:
            return
        self._sets[key] = nal
        sps, pps = (tuple(self._sets[k] for k in sorted(self._sets) if k[0] == kind) for kind in (SPS, PPS))
        if sps and pps:
            self._parameters = ParameterSets(sps, pps)


def _payload(data: memoryview, flags: int) -> memoryview | None:
    """The payload of an RTP packet behind CSRCs and header extension, before padding; None when it is spoilt."""
    start, end = RTP.size + 4 * (flags & 0x0F), len(data)
    if flags & 0x10:
        if end < start + 4:
            return None
        start += 4 + 4 * (data[start + 2] << 8 | data[start + 3])
    if flags & 0x20:
        end -= data[-1]
    return data[start:end] if start <= end else None
