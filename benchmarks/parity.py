"""`parity`: the product's check of one stripe after the other, against the memory's own read limit.

8 members, 512 KiB chunks, stripes from a region far larger than the caches, each page of it real. The limit is the
best of three plain readers of the same amount in the same process, in turns with ours; all by CPU time.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import cffi
import numpy as np

from benchmarks.rows import Section, Tell, against
from raid.layout import Level
from raid.layout import rows as places
from raid.parity import Engine, aligned, consistent, engine

MEMBERS, CHUNK, STRIPES = 8, 512 * 1024, 96
GOALS = {"P": ">= 0.95", "P+Q": ">= 0.85"}
TURNS = 25

_ffi = cffi.FFI()
_ffi.cdef("void *memchr(const void *where, int what, size_t length); int memcmp(const void *, const void *, size_t);")

Work = Callable[[], object]


def bench(tell: Tell, *, quick: bool = False) -> Section:
    """The rows. Raises ValueError when what was made to agree does not."""
    by = engine()
    members = [_members(by, level, STRIPES) for level in (Level.RAID5, Level.RAID6)]
    hot = _members(by, Level.RAID6, 1)  # one stripe, again and again: what it computes without waiting for memory
    ours = dict(zip(GOALS, members, strict=True))
    limits = _readers()
    seen: dict[str, list[float]] = {name: [] for name in (*ours, *limits)}
    hottest: list[float] = []
    for _ in range(3 if quick else TURNS):
        for name, work in (*ours.items(), *limits.items()):
            seen[name].append(_speed(work))
        hottest.append(_speed(lambda: [hot() for _ in range(STRIPES)]))
    middle = {name: statistics.median(values) for name, values in seen.items()}
    best = max(limits, key=lambda name: middle[name])
    rows = tuple(
        against(f"parity {name}", "GB/s of CPU time", (middle[name], middle[best]), f"read, {best}", GOALS[name])
        for name in ours
    )
    spread = ", ".join(f"{name} {min(values):.1f} to {max(values):.1f}" for name, values in seen.items())
    tell(spread)
    return Section(rows, (
        f"Engine {by.name}, {MEMBERS} members, {CHUNK >> 10} KiB chunks, {MEMBERS * CHUNK * STRIPES >> 20} MiB from "
        f"memory, one thread; medians of turns. All: {spread} GB/s.",
        f"P+Q of one stripe that stays in the cache: {statistics.median(hottest):.1f} GB/s.",
    ))


def _members(by: Engine, level: Level, count: int) -> Work:
    place = places(level, 2, MEMBERS)[0]
    blocks = aligned(MEMBERS * count, CHUNK)
    stripes = [blocks[at : at + MEMBERS] for at in range(0, len(blocks), MEMBERS)]
    zeros = aligned(1, CHUNK)[0]
    random = np.random.default_rng(2)
    first = stripes[0]
    for block in first:
        block[:] = random.bytes(CHUNK)
    order = [first[slot] for slot in place.syndrome if slot is not None]
    if place.q is None:
        by.xor_gen([block for slot, block in enumerate(first) if slot != place.p] + [first[place.p]])
    else:
        by.pq_gen([*order, first[place.p], first[place.q]])
    for stripe in stripes[1:]:
        for block, source in zip(stripe, first, strict=True):
            block[:] = source

    def work() -> None:
        for stripe in stripes:
            if not consistent(by, place, stripe, zeros):
                raise ValueError("a stripe that agrees was called wrong")

    return work


def _readers() -> dict[str, Work]:
    """Plain readers of as many bytes. Zeros are written, so that every page is there."""
    (block,) = aligned(1, MEMBERS * CHUNK * STRIPES)
    words = np.frombuffer(block, np.uint64)
    words[:] = 0
    pointer = _ffi.from_buffer(block)
    libc: Any = _ffi.dlopen(None)
    half, piece = len(block) // 2, MEMBERS * CHUNK

    def memchr() -> None:
        for at in range(0, len(block), piece):
            if libc.memchr(pointer + at, 1, piece) != _ffi.NULL:
                raise ValueError("a byte that was never written")

    def memcmp() -> None:
        for at in range(0, half, piece):
            if libc.memcmp(pointer + at, pointer + half + at, piece) != 0:
                raise ValueError("zeros differ")

    def numpy_or() -> None:
        for at in range(0, len(words), piece // 8):
            if np.bitwise_or.reduce(words[at : at + piece // 8]):
                raise ValueError("a byte that was never written")

    return {"memchr": memchr, "memcmp": memcmp, "numpy or": numpy_or}


def _speed(work: Work, stripes: int = STRIPES) -> float:
    """GB/s by CPU time of this process."""
    before = time.process_time()
    work()
    return MEMBERS * CHUNK * stripes / (time.process_time() - before) / 1e9
