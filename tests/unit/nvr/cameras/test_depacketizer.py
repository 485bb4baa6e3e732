"""The depacketizer gives back exactly the pictures that were packed, and after a loss none that is not whole."""

import random
import socket
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadStream, RackeyeError
from nvr.cameras.depacketizer import WRONG_SSRC_LIMIT, AccessUnit, Depacketizer
from nvr.cameras.rtsp import Message
from nvr.cameras.wire import Wire
from tests.unit.nvr.cameras.packets import (
    CHANNEL,
    OTHER_SPS,
    PAYLOAD_TYPE,
    PPS,
    SETS,
    SPS,
    SSRC,
    Picture,
    interleaved,
    packet,
    packets,
    slice_nal,
)


@st.composite
def streams(draw: st.DrawFn) -> list[Picture]:
    """Some groups of pictures, with parameter sets, delimiters, several slices; the time stamps wrap at 32 bits."""
    pictures: list[Picture] = []
    time = 2**32 - 9000
    for _ in range(draw(st.integers(1, 4))):
        for number in range(draw(st.integers(1, 5))):
            key = number == 0
            sizes = draw(st.lists(st.integers(0, 300), min_size=1, max_size=3))
            nals = [slice_nal(size, key=key, first=i == 0, fill=len(pictures) + 1) for i, size in enumerate(sizes)]
            head = [b"\x09\xf0", SPS, PPS, b"\x06\x05\x01"] if key else [b"\x09\xf0"]
            pictures.append(Picture(time, (*head, *nals)))
            time += draw(st.sampled_from((3600, 3000, 90_000)))
    return pictures


def delivered(data: list[bytes], sets: tuple[bytes, ...] = ()) -> list[AccessUnit]:
    units: list[AccessUnit] = []
    depacketizer = Depacketizer(CHANNEL, PAYLOAD_TYPE, sets, units.append, SSRC)
    stream = b"".join(map(interleaved, data))
    end = depacketizer.packets(memoryview(stream), 0, len(stream))
    for rest in data if end == 0 else ():
        depacketizer.packet(memoryview(rest))
    while end < len(stream):  # what the short way leaves: packets under 18 bytes at the end of the buffer
        length = int.from_bytes(stream[end + 2 : end + 4], "big")
        depacketizer.packet(memoryview(stream)[end + 4 : end + 4 + length])
        end += 4 + length
    depacketizer.flush()
    return units


@given(streams(), st.integers(3, 120), st.booleans(), st.booleans())
@settings(deadline=None)
def test_gives_back_what_was_packed(pictures: list[Picture], mtu: int, aggregate: bool, markers: bool) -> None:
    units = delivered(packets(pictures, mtu, aggregate=aggregate, markers=markers))
    if not markers:  # whether the last one is whole nobody says
        pictures = pictures[:-1]
    assert [bytes(unit.data) for unit in units] == [picture.stored for picture in pictures]
    assert [unit.time for unit in units] == [picture.time for picture in pictures]  # unwrapped
    assert [unit.key for unit in units] == [picture.key for picture in pictures]
    assert all(unit.parameters == SETS for unit in units)
    assert [unit.after_loss for unit in units] == [number == 0 for number in range(len(units))]


def test_a_session_that_ends_in_a_picture_shows_no_half_of_it() -> None:
    slices = slice_nal(40, key=True, first=True, fill=1), slice_nal(40, key=True, first=False, fill=2)
    sent = packets([Picture(9000, slices)], 120)
    assert len(delivered(sent, (SPS, PPS))) == 1
    assert delivered(sent[:-1], (SPS, PPS)) == []


@given(streams(), st.integers(3, 120), st.data())
@settings(deadline=None)
def test_after_a_loss_only_whole_pictures_from_a_key_frame_on(
    pictures: list[Picture], mtu: int, data: st.DataObject
) -> None:
    sent = packets(pictures, mtu)
    lost = data.draw(st.sets(st.integers(0, len(sent) - 1), max_size=4))
    units = delivered([one for number, one in enumerate(sent) if number not in lost], (SPS, PPS))
    whole = {picture.time: picture for picture in pictures}
    before: AccessUnit | None = None
    for unit in units:
        stored = whole[unit.time].stored
        assert len(unit.data) <= len(stored)  # a lost SEI may be missing; every slice must be there
        slices = [nal for nal in whole[unit.time].nals if nal[0] & 0x1F in (1, 5)]
        assert all(nal in bytes(unit.data) for nal in slices)
        assert unit.key or not unit.after_loss
        if before is not None and not unit.after_loss:
            order = [picture.time for picture in pictures]
            assert order.index(unit.time) == order.index(before.time) + 1
        before = unit


@given(streams(), st.integers(3, 60), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_any_cut_of_the_connection_into_reads(pictures: list[Picture], mtu: int, dice: random.Random) -> None:
    ours, theirs = socket.socketpair()
    units: list[AccessUnit] = []
    heard: list[Message] = []
    errors: list[RackeyeError] = []
    with ours, theirs:
        ours.setblocking(False)
        wire = Wire(ours, memoryview(bytearray(4096)), heard.append, errors.append)
        wire.stream = Depacketizer(CHANNEL, PAYLOAD_TYPE, (), units.append, SSRC)
        reply = b"RTSP/1.0 200 OK\r\nCSeq: 7\r\nContent-Length: 3\r\n\r\nabc"
        parts = [interleaved(one) for one in packets(pictures, mtu)]
        parts.insert(dice.randrange(len(parts) + 1), reply)
        parts.insert(dice.randrange(len(parts) + 1), interleaved(b"\x80\xc8", CHANNEL + 1))
        stream = b"".join(parts)
        at = 0
        while at < len(stream):
            step = dice.choice((1, 2, 3, 17, 100, 1000))
            theirs.sendall(stream[at : at + step])
            wire.read()
            at += step
        wire.stream.flush()
    assert errors == []
    assert [(message.cseq, message.body) for message in heard] == [(7, b"abc")]
    assert [bytes(unit.data) for unit in units] == [picture.stored for picture in pictures]


def gop(count: int = 3, start: int = 1000) -> list[Picture]:
    first = Picture(start, (SPS, PPS, slice_nal(50, key=True)))
    return [first, *(Picture(start + 3600 * n, (slice_nal(20, key=False),)) for n in range(1, count))]


@pytest.mark.parametrize("mtu", [1400, 20])
def test_foreign_ssrc_is_dropped(mtu: int) -> None:
    """A stale session goes on with the same numbers and time stamps on the same connection."""
    pictures = [Picture(1000, (SPS, PPS, slice_nal(200, key=True, fill=1)))]
    stale = [Picture(1000, (SPS, PPS, slice_nal(200, key=True, fill=2)))]
    foreign = [one[:8] + b"\0\0\0\7" + one[12:] for one in packets(stale, mtu)]
    mixed = [one for pair in zip(foreign, packets(pictures, mtu), strict=True) for one in pair]
    assert [bytes(unit.data) for unit in delivered(mixed)] == [picture.stored for picture in pictures]


def test_a_stream_that_begins_in_the_middle_of_a_key_frame() -> None:
    slices = tuple(slice_nal(9, key=True, first=n == 0) for n in range(4))
    for skipped in range(1, 4):
        assert delivered(packets([Picture(1000, slices)])[skipped:], (SPS, PPS)) == []


def test_a_key_frame_whose_parameter_sets_were_lost_is_not_believed() -> None:
    first, *rest = packets([*gop(), *gop(start=90_000)])
    units = delivered([first, *rest[:5], *rest[6:]])  # the second group's PPS: it may be another than the first's
    assert [unit.time for unit in units] == [1000, 4600, 8200]


def test_time_stamps_that_go_back_a_little() -> None:
    shown = [Picture(2**32 - 100 + n, (SPS, PPS, slice_nal(9, key=n == 0))) for n in (0, 200, 50, 120)]
    assert [unit.time for unit in delivered(packets(shown))] == [2**32 - 100 + n for n in (0, 200, 50, 120)]


def test_a_camera_that_announces_another_ssrc_is_believed_in_the_end() -> None:
    pictures = [picture for n in range(WRONG_SSRC_LIMIT) for picture in gop(start=n * 20_000)]
    sent = [one[:8] + b"\0\0\0\7" + one[12:] for one in packets(pictures)]
    assert len(delivered(sent)) > WRONG_SSRC_LIMIT


def test_parameter_sets_that_change_show_from_their_key_frame_on() -> None:
    other = Picture(50_000, (OTHER_SPS, PPS, slice_nal(9, key=True)))
    units = delivered(packets([*gop(2), other]))
    assert [unit.parameters.sps for unit in units] == [(SPS,), (SPS,), (OTHER_SPS,)]


def test_nothing_without_parameter_sets() -> None:
    bare = [Picture(1000, (slice_nal(9, key=True),)), Picture(4600, (slice_nal(9, key=False),))]
    assert delivered(packets(bare)) == []
    assert len(delivered(packets(bare), (SPS, PPS))) == 2


def test_header_extension_csrc_and_padding_are_left_out() -> None:
    picture = gop(1)[0]
    plain, *rest = packets([picture])
    head = bytes((0x80 | 0x20 | 0x10 | 2,)) + plain[1:12] + bytes(8) + b"\xbe\xde\0\1" + bytes(4)
    units = delivered([head + plain[12:] + b"\0\0\3", *rest])
    assert [bytes(unit.data) for unit in units] == [picture.stored]
    assert units[0].parameters == SETS


@pytest.mark.parametrize("kind", [0, 25, 26, 27, 29, 30])
def test_packets_that_rfc_6184_does_not_allow_here(kind: int) -> None:
    with pytest.raises(BadStream, match=f"type {kind}"):
        delivered([packet(1, 1, bytes((kind, 1, 2, 3, 4, 5)))])


@given(st.lists(st.binary(min_size=0, max_size=40), max_size=20))
@settings(deadline=None)
def test_noise_is_told_and_nothing_else(noise: list[bytes]) -> None:
    with suppress(BadStream):
        assert all(unit.parameters for unit in delivered([packet(n, n // 3, part) for n, part in enumerate(noise)]))
