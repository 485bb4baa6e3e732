"""raid/parity.py and raid/parity_library.py against GF(256) arithmetic written out as the definition has it."""

import ctypes.util
import logging
import mmap
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raid import parity
from raid.layout import Level, Row, rows
from raid.parity import PAGE, BadPage, Engine, NumpyEngine, aligned, bad_pages, consistent, reconstruct, self_test
from raid.parity_library import ISAL, OWN, ParityLibrary

without_isal = pytest.mark.skipif(ctypes.util.find_library("isal") is None, reason="libisal2 is not installed")
without_own = pytest.mark.skipif(not Path(OWN).exists(), reason="raid/parity.c is not compiled: make setup")
LIBRARIES = [
    pytest.param(lambda: ParityLibrary("own", OWN), id="own", marks=without_own),
    pytest.param(lambda: ParityLibrary("ISA-L", ISAL), id="isal", marks=without_isal),
]
ENGINES = [pytest.param(NumpyEngine, id="numpy"), *LIBRARIES]
MakeEngine = Callable[[], Engine]


@cache
def multiply(a: int, b: int) -> int:
    """Russian peasants, polynomial 0x11d."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = a << 1 ^ (0x11D if a & 0x80 else 0)
        b >>= 1
    return product


@cache
def times_power(i: int) -> bytes:
    """The table of `x * 2 ** i`."""
    power = 1
    for _ in range(i):
        power = multiply(power, 2)
    return bytes(multiply(power, x) for x in range(256))


def p_and_q(data: Sequence[bytes]) -> tuple[bytes, bytes]:
    """By the definition, byte by byte."""
    p, q = bytearray(len(data[0])), bytearray(len(data[0]))
    for i, block in enumerate(data):
        for at, (raw, scaled) in enumerate(zip(block, block.translate(times_power(i)), strict=True)):
            p[at] ^= raw
            q[at] ^= scaled
    return bytes(p), bytes(q)


def blocks_of(contents: Sequence[bytes]) -> list[memoryview]:
    blocks = aligned(len(contents), len(contents[0]))
    for block, content in zip(blocks, contents, strict=True):
        block[:] = content
    return blocks


def stripe(row: Row, data: Sequence[bytes]) -> list[memoryview]:
    """Blocks by slot; `data` in the row's data order."""
    length = len(data[0])
    blocks = aligned(len(data) + (1 if row.q is None else 2), length)
    for slot, content in zip(row.data, data, strict=True):
        blocks[slot][:] = content
    order = [bytes(length) if slot is None else bytes(blocks[slot]) for slot in row.syndrome or row.data]
    p, q = p_and_q(order)
    blocks[row.p][:] = p
    if row.q is not None:
        blocks[row.q][:] = q
    return blocks


random_data = st.integers(2, 7).flatmap(lambda k: st.lists(st.binary(min_size=64, max_size=64), min_size=k, max_size=k))


@pytest.mark.parametrize("make", ENGINES)
@settings(deadline=None)
@given(data=random_data)
def test_p_and_q_are_the_definitions(make: MakeEngine, data: list[bytes]) -> None:
    by, (p, q) = make(), p_and_q(data)
    blocks = blocks_of([*data, bytes(64), bytes(64)])
    by.pq_gen(blocks)
    assert (bytes(blocks[-2]), bytes(blocks[-1])) == (p, q)
    assert by.pq_check(blocks)
    blocks[-2][:] = bytes(64)
    by.xor_gen(blocks[:-1])
    assert bytes(blocks[-2]) == p
    assert by.xor_check(blocks[:-1])


@pytest.mark.parametrize("make", ENGINES)
@settings(deadline=None)
@given(data=random_data, where=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_one_wrong_bit_is_seen(make: MakeEngine, data: list[bytes], where: int, bit: int) -> None:
    by = make()
    blocks = blocks_of([*data, bytes(64), bytes(64)])
    by.pq_gen(blocks)
    block, at = divmod(where % (64 * len(blocks)), 64)
    blocks[block][at] ^= 1 << bit
    assert not by.pq_check(blocks)
    assert by.xor_check(blocks[:-1]) == (block == len(blocks) - 1)


@pytest.mark.parametrize("make", ENGINES)
def test_arguments_that_the_library_would_take_for_granted_are_refused(make: MakeEngine) -> None:
    by, blocks = make(), aligned(5, 4096)
    for refused in (blocks[:3], [*blocks[:4], blocks[4][:2048]], [block[:0] for block in blocks]):
        with pytest.raises(ValueError, match=r"block|length"):
            by.pq_check(refused)
    with pytest.raises(ValueError, match=r"32|aligned|multiple"):
        by.pq_gen([block[:40] for block in blocks])
    with pytest.raises(ValueError, match="blocks"):
        by.xor_gen(blocks[:2])
    with pytest.raises(ValueError, match="blocks"):
        by.xor_check(blocks[:1])
    with pytest.raises(ValueError, match="blocks"):
        by.pq_check(blocks[:2] * 150)


@pytest.mark.parametrize("make", LIBRARIES)
def test_what_would_crash_a_library_is_refused(make: MakeEngine) -> None:
    by = make()
    blocks = [memoryview(mmap.mmap(-1, 8192))[8 : 8 + 4096] for _ in range(4)]
    with pytest.raises(ValueError, match="aligned to 16"):
        by.pq_check(blocks)
    blocks = [memoryview(mmap.mmap(-1, 8192))[16 : 16 + 4096] for _ in range(4)]
    assert by.pq_check(blocks)
    with pytest.raises(ValueError, match="aligned to 32"):
        by.pq_gen(blocks)
    read_only = [block.toreadonly() for block in aligned(4, 4096)]
    with pytest.raises(ValueError, match="read-only"):
        by.pq_gen(read_only)


def test_the_self_test_notices_a_library_that_lies() -> None:
    class AlwaysClean(NumpyEngine):
        def pq_check(self, blocks: Sequence[memoryview]) -> bool:
            return len(blocks) > 0

    class WrongQ(NumpyEngine):
        def pq_gen(self, blocks: Sequence[memoryview]) -> None:
            super().pq_gen(blocks)
            blocks[-1][0] ^= 1

    assert self_test(NumpyEngine())
    assert not self_test(AlwaysClean())
    assert not self_test(WrongQ())


@pytest.mark.parametrize("make", LIBRARIES)
def test_the_libraries_pass_the_self_test(make: MakeEngine) -> None:
    assert self_test(make())


@pytest.mark.parametrize("make", LIBRARIES)
@pytest.mark.parametrize("length", [16, 48, 64, 80, 4096 + 32])
def test_the_last_bytes_count_and_nothing_behind_them(make: MakeEngine, length: int) -> None:
    by, whole = make(), aligned(5, 8192)
    for i, block in enumerate(whole):
        block[:] = bytes((i + 1) * (at % 251) % 256 for at in range(8192))
    blocks = [block[:length] for block in whole]
    NumpyEngine().pq_gen([block[: -(-length // 32) * 32] for block in whole])
    assert by.pq_check(blocks)
    assert by.xor_check(blocks[:-1])
    blocks[-1][length - 1] ^= 0x80
    assert not by.pq_check(blocks)
    blocks[0][length - 1] ^= 1
    assert not by.xor_check(blocks[:-1])


def test_our_own_library_comes_first(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    parity.engine.cache_clear()
    assert parity.engine().name == ("Rackeye" if Path(OWN).exists() else "ISA-L")
    monkeypatch.setattr(parity, "OWN", "librackeye-that-is-not-there.so")
    parity.engine.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            assert parity.engine().name == "ISA-L"
        assert "a slower one is used" in caplog.text
    finally:
        parity.engine.cache_clear()


def test_without_a_library_numpy_takes_over_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(parity, "OWN", "librackeye-that-is-not-there.so")
    monkeypatch.setattr(parity, "ISAL", "libisal-that-is-not-there.so")
    parity.engine.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            assert parity.engine().name == "numpy"
            assert parity.engine().name == "numpy"
        assert caplog.text.count("is missing") == 2
    finally:
        parity.engine.cache_clear()


PLACES = [(layout, s) for layout in (0, 1, 2, 3, 4, 5, 8, 9, 10, 16, 17, 18, 19, 20) for s in range(5)]


@pytest.mark.parametrize(("layout", "s"), PLACES)
@pytest.mark.parametrize("make", ENGINES)
def test_the_wrong_member_of_a_raid6_is_named_page_by_page(make: MakeEngine, layout: int, s: int) -> None:
    pattern = rows(Level.RAID6, layout, 5)
    row = pattern[s % len(pattern)]
    blocks, zeros = aligned(5, 3 * PAGE), aligned(1, 3 * PAGE)[0]
    data = [bytes([(7 * slot + 3 * at + s) % 256 for at in range(251)]) for slot in row.data]
    for block, made in zip(blocks, stripe(row, data), strict=True):
        block[: 251 * 48] = bytes(made) * 48
    by = make()
    assert consistent(by, row, blocks, zeros)
    for wrong in range(5):
        blocks[wrong][PAGE + 17] ^= 0x5A
        blocks[wrong][PAGE + 400] ^= 0x01
        assert not consistent(by, row, blocks, zeros)
        assert bad_pages(row, blocks, zeros) == (BadPage(1, wrong),)
        other = (wrong + 1) % 5
        blocks[other][2 * PAGE] ^= 0xFF
        assert bad_pages(row, blocks, zeros) == (BadPage(1, wrong), BadPage(2, other))
        blocks[other][2 * PAGE] ^= 0xFF
        blocks[wrong][PAGE + 17] ^= 0x5A
        blocks[wrong][PAGE + 400] ^= 0x01


def test_two_wrong_members_in_one_page_are_unknown() -> None:
    row, zeros = rows(Level.RAID6, 2, 6)[0], aligned(1, PAGE)[0]
    blocks = stripe(row, [bytes([i]) * PAGE for i in range(4)])
    blocks[row.data[0]][5] ^= 1
    blocks[row.data[1]][9] ^= 1
    assert bad_pages(row, blocks, zeros) == (BadPage(0, None),)


def test_a_logarithm_that_no_member_has_is_unknown() -> None:
    row, zeros = rows(Level.RAID6, 2, 6)[0], aligned(1, PAGE)[0]
    blocks = stripe(row, [bytes([i]) * PAGE for i in range(4)])
    blocks[row.p][5] ^= 1
    blocks[row.q or 0][5] ^= times_power(77)[1]
    assert bad_pages(row, blocks, zeros) == (BadPage(0, None),)


def test_raid5_never_names_a_member() -> None:
    row = rows(Level.RAID5, 2, 4)[1]
    blocks = stripe(row, [bytes([i]) * 2 * PAGE for i in range(3)])
    blocks[2][PAGE + 1] ^= 1
    assert bad_pages(row, blocks, blocks[0]) == (BadPage(1, None),)


@pytest.mark.parametrize("make", ENGINES)
@pytest.mark.parametrize("layout", [2, 9])
def test_a_missing_member_is_put_back_from_the_others(make: MakeEngine, layout: int) -> None:
    row, by, zeros = rows(Level.RAID6, layout, 5)[1], make(), aligned(1, 128)[0]
    blocks = stripe(row, [bytes(range(i, i + 128)) for i in range(3)])
    for missing in set(range(5)) - {row.q}:
        was = bytes(blocks[missing])
        blocks[missing][:] = bytes(128)
        reconstruct(by, row, blocks, missing)
        assert bytes(blocks[missing]) == was
        assert consistent(by, row, blocks, zeros)
