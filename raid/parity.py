"""P and Q of one stripe: are they right, and if not, which member is wrong.

Three engines with the same results: our compiled one, ISA-L where that is missing, numpy where both are (said once, in
the journal).
Q = sum of g^i * D_i over GF(256), g = 2, polynomial 0x11d (facts/raid.md).
"""

import mmap
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.journal import get_logger
from raid.layout import Row
from raid.parity_library import ISAL, OWN, ParityLibrary

PAGE = 4096
"""md works in pages of 4 KiB: each is judged, and its wrong member named, by itself."""

_Words = NDArray[np.uint64]
_Bytes = NDArray[np.uint8]

_log = get_logger("raid.parity")
_MOST_DATA = 255
_HUGE = 2 * 1024 * 1024  # bytes; eight members read side by side want many small pages at once: 5 % of P's time
_SLICE = 4096  # words of 8 bytes: 32 KiB


class Engine(Protocol):
    """What computes parity. Blocks as in `ParityLibrary`; multiples of 32 bytes, aligned to 32, suit every engine."""

    @property
    def name(self) -> str: ...
    def xor_check(self, blocks: Sequence[memoryview]) -> bool: ...
    def pq_check(self, blocks: Sequence[memoryview]) -> bool: ...
    def xor_gen(self, blocks: Sequence[memoryview]) -> None: ...
    def pq_gen(self, blocks: Sequence[memoryview]) -> None: ...


class NumpyEngine:
    """The same four functions in numpy: XOR for P, 64-bit SWAR doubling for Q (2.6 GB/s, against 0.6 by table)."""

    name = "numpy"

    def xor_check(self, blocks: Sequence[memoryview]) -> bool:
        return not any(_xor(part).any() for part in _slices(_words(blocks, fewest=2)))

    def pq_check(self, blocks: Sequence[memoryview]) -> bool:
        for *data, p, q in _slices(_words(blocks, fewest=4, most=_MOST_DATA + 2)):
            p_now, q_now = _pq(data)
            if not (np.array_equal(p, p_now) and np.array_equal(q, q_now)):
                return False
        return True

    def xor_gen(self, blocks: Sequence[memoryview]) -> None:
        for *data, p in _slices(_words(blocks, fewest=3)):
            p[:] = _xor(data)

    def pq_gen(self, blocks: Sequence[memoryview]) -> None:
        for *data, p, q in _slices(_words(blocks, fewest=4, most=_MOST_DATA + 2)):
            p[:], q[:] = _pq(data)


@lru_cache(maxsize=1)
def engine() -> Engine:
    """The first that is installed and agrees with numpy on a self-test, else numpy; why not is logged once."""
    for name, library in (("Rackeye", OWN), ("ISA-L", ISAL)):
        try:
            candidate = ParityLibrary(name, library)
        except OSError:
            _log.warning("%s's parity code (%s) is missing: a slower one is used.", name, library)
            continue
        if self_test(candidate):
            return candidate
        _log.error("%s's parity code (%s) fails its self-test on this machine: it is not used.", name, library)
    return NumpyEngine()


def self_test(candidate: Engine) -> bool:
    """Whether `candidate` makes numpy's P and Q, takes them as right, and notices one wrong bit in any block."""
    data, length = 5, 4096
    random = np.random.default_rng(1)
    blocks = aligned(data + 2, length)
    for block in blocks[:data]:
        block[:] = random.bytes(length)
    reference = NumpyEngine()
    candidate.pq_gen(blocks)
    if not (reference.pq_check(blocks) and candidate.pq_check(blocks)):
        return False
    candidate.xor_gen(blocks[:-1])
    if not (reference.xor_check(blocks[:-1]) and candidate.xor_check(blocks[:-1])):
        return False
    for i, block in enumerate(blocks):
        block[length - 1 - i] ^= 1
        if candidate.pq_check(blocks) or (i <= data and candidate.xor_check(blocks[:-1])):
            return False
        block[length - 1 - i] ^= 1
    return candidate.pq_check(blocks)


def consistent(by: Engine, row: Row, blocks: Sequence[memoryview], zeros: memoryview) -> bool:
    """Whether the blocks of one stripe (indexed by slot) agree. `zeros`: at least as long, for the DDF layouts."""
    if row.q is None:
        return by.xor_check(blocks)
    return by.pq_check(_in_order(row, blocks, zeros))


def reconstruct(by: Engine, row: Row, blocks: Sequence[memoryview], missing: int) -> None:
    """Fills the missing member's block (P or data, not Q) of a RAID6 stripe from the others by XOR.

    P is right by construction afterwards; whether Q agrees still tells whether the stripe does.
    """
    others = [block for slot, block in enumerate(blocks) if slot not in (missing, row.q)]
    by.xor_gen([*others, blocks[missing]])


@dataclass(frozen=True, slots=True)
class BadPage:
    """A page that does not agree. `page` counts from the start of the blocks; `wrong` is a slot, None = unknown."""

    page: int
    wrong: int | None


def bad_pages(row: Row, blocks: Sequence[memoryview], zeros: memoryview) -> tuple[BadPage, ...]:
    """The pages of one stripe that disagree, each with the member that is wrong.

    By facts/raid.md: only P differs = P is wrong; only Q = Q; both: z = log Qx - log Px, the same for all differing
    bytes and the number of a data member; otherwise, and for RAID4/5 always, unknown.
    """
    if row.q is None:
        px = _xor(_words(blocks, fewest=2)).view(np.uint8).reshape(-1, PAGE)
        return tuple(BadPage(int(i), None) for i in np.flatnonzero(px.any(axis=1)))
    *data, p, q = _words(_in_order(row, blocks, zeros), fewest=4)
    p_now, q_now = _pq(data)
    px = (p_now ^ p).view(np.uint8).reshape(-1, PAGE)
    qx = (q_now ^ q).view(np.uint8).reshape(-1, PAGE)
    bad = np.flatnonzero(px.any(axis=1) | qx.any(axis=1))
    return tuple(BadPage(int(i), _wrong(row, row.q, px[i], qx[i])) for i in bad)


def aligned(count: int, length: int) -> list[memoryview]:
    """`count` writable blocks of `length` bytes, zeroed, each aligned to a page when `length` is whole pages."""
    pages = mmap.mmap(-1, max(1, count * length), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if count * length >= _HUGE:
        with suppress(OSError):  # a kernel without them
            pages.madvise(mmap.MADV_HUGEPAGE)
    whole = memoryview(pages)
    return [whole[i * length : (i + 1) * length] for i in range(count)]


def _wrong(row: Row, q: int, px: _Bytes, qx: _Bytes) -> int | None:
    if not qx.any():
        return row.p
    if not px.any():
        return q
    differ = (px != 0) | (qx != 0)
    px, qx = px[differ], qx[differ]
    if not (px.all() and qx.all()):
        return None
    z = (_LOG[qx] - _LOG[px]) % 255
    if (z != z[0]).any() or z[0] >= len(row.syndrome):
        return None
    return row.syndrome[int(z[0])]


def _in_order(row: Row, blocks: Sequence[memoryview], zeros: memoryview) -> list[memoryview]:
    """Data in the order of Q's coefficients, then P and Q, as pq_check wants them."""
    assert row.q is not None
    zero = zeros[: blocks[0].nbytes]
    return [*(zero if slot is None else blocks[slot] for slot in row.syndrome), blocks[row.p], blocks[row.q]]


def _words(blocks: Sequence[memoryview], *, fewest: int, most: int = 2**16) -> list[_Words]:
    if not fewest <= len(blocks) <= most:
        raise ValueError(f"{len(blocks)} blocks; {fewest} to {most} are possible")
    length = blocks[0].nbytes
    if length == 0 or length % 32 or any(block.nbytes != length for block in blocks):
        raise ValueError("blocks must be equally long, and a positive multiple of 32 bytes")
    return [np.frombuffer(block, np.uint64) for block in blocks]


def _slices(blocks: Sequence[_Words]) -> Iterator[list[_Words]]:
    """The same blocks in stretches whose copies stay in the cache, and on the heap rather than in fresh pages."""
    for at in range(0, len(blocks[0]), _SLICE):
        yield [block[at : at + _SLICE] for block in blocks]


def _xor(blocks: Sequence[_Words]) -> _Words:
    total = blocks[0].copy()
    for block in blocks[1:]:
        total ^= block
    return total


def _pq(data: Sequence[_Words]) -> tuple[_Words, _Words]:
    """P and Q by Horner's rule, from the highest coefficient down."""
    p, q = data[-1].copy(), data[-1].copy()
    for block in reversed(data[:-1]):
        p ^= block
        high = q >> _SEVEN
        high &= _LOW_BITS
        high *= _REDUCE
        q &= _LOW_SEVENS
        q <<= _ONE
        q ^= high
        q ^= block
    return p, q


_ONE, _SEVEN, _REDUCE = np.uint64(1), np.uint64(7), np.uint64(0x1D)
_LOW_BITS, _LOW_SEVENS = np.uint64(0x0101010101010101), np.uint64(0x7F7F7F7F7F7F7F7F)


def _logarithms() -> NDArray[np.int16]:
    """log to base g = 2 in GF(256); log 0 does not exist and is never asked for."""
    table, x = np.zeros(256, np.int16), 1
    for power in range(255):
        table[x] = power
        x = x << 1 ^ (0x11D if x & 0x80 else 0)
    return table


_LOG = _logarithms()
