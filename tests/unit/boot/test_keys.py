"""Bytes to keys, and noise."""

import random

import pytest

from boot.keys import QUIET, Key, KeyReader, Special


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"2", ["2"]),
        (b"\r", [Special.ENTER]),
        (b"\r\n", [Special.ENTER]),
        (b"\n", [Special.ENTER]),
        (b"\x1b[A\x1b[B", [Special.UP, Special.DOWN]),
        (b"\x1bOA", [Special.UP]),
        (b"ab\x7f\x08", ["a", "b", Special.ERASE, Special.ERASE]),
        (b"\x1b[15~", [Special.ESCAPE]),  # F5: its digits choose nothing
        (b"\x03\x04\t", []),
    ],
)
def test_keys(data: bytes, keys: list[Key]) -> None:
    assert KeyReader().feed(data, 0.0) == keys


def test_an_arrow_may_come_in_pieces() -> None:
    reader = KeyReader()
    assert reader.feed(b"\x1b", 0.0) == []
    assert reader.feed(b"[", 0.1) == []
    assert reader.feed(b"B", 0.2) == [Special.DOWN]


def test_a_lone_escape_is_a_key_after_a_while() -> None:
    reader = KeyReader()
    assert reader.feed(b"\x1b", 0.0) == []
    assert reader.feed(b"", 0.1) == []
    assert reader.feed(b"", 0.4) == [Special.ESCAPE]


@pytest.mark.parametrize("data", [b"1\r\x80y\r", b"\x00", b"2\xff\r"])
def test_a_byte_that_no_keyboard_sends_spoils_all_that_came_with_it(data: bytes) -> None:
    reader = KeyReader()
    assert reader.feed(data, 0.0) == []
    assert reader.strikes == 1
    assert reader.feed(b"2\r", 1.0) == []
    assert reader.feed(b"2\r", QUIET + 0.1) == ["2", Special.ENTER]


def test_nobody_types_so_fast() -> None:
    reader = KeyReader()
    assert reader.feed(b"2" * 41, 0.0) == []
    assert not reader.hopeless
    for at in (20.0, 40.0):
        reader.feed(b"\xff", at)
    assert reader.hopeless


def test_a_fast_person_and_a_script_are_heard() -> None:
    reader = KeyReader()
    typed = [key for at in range(100) for key in reader.feed(b"a", at / 20)]
    assert len(typed) == 100
    assert KeyReader().feed(b"administrator\r", 0.0)[-1] is Special.ENTER


def test_line_noise_says_almost_nothing() -> None:
    noise = random.Random(1)
    heard = 0
    for _ in range(200):
        reader = KeyReader()
        now = 0.0
        while not reader.hopeless and now < 600:
            heard += len(reader.feed(noise.randbytes(noise.randint(1, 8)), now))
            now += 0.05
        assert reader.hopeless
    assert heard < 600  # three times a byte or two of each
