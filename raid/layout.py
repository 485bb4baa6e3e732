"""Where P, Q and data lie in every layout that md has for RAID4, 5 and 6. Pure: numbers in, numbers out.

Source: facts/raid.md, "Where parity lies" (all 21 layouts were checked on real arrays of Linux 6.1).
Terms: n = `disks` = md's raid_disks; slot = a member's place in the array (md/dev-X/slot); stripe number
s = member offset // chunk, where the member offset counts from the member's data offset.
"""

import enum
from dataclasses import dataclass
from functools import lru_cache

from core.errors import UnknownLayout


class Level(enum.IntEnum):
    """The md levels that keep parity."""

    RAID4 = 4
    RAID5 = 5
    RAID6 = 6

    @property
    def parities(self) -> int:
        """How many members of each stripe hold no data."""
        return 2 if self is Level.RAID6 else 1

    @property
    def fewest(self) -> int:
        """The smallest number of members that the check functions and mdadm take."""
        return 4 if self is Level.RAID6 else 2


class Layout(enum.IntEnum):
    """md's numbers (md/layout). RAID5 has 0 to 5, RAID6 all of them, RAID4 ignores the number."""

    LEFT_ASYMMETRIC = 0
    RIGHT_ASYMMETRIC = 1
    LEFT_SYMMETRIC = 2  # mdadm's default
    RIGHT_SYMMETRIC = 3
    PARITY_FIRST = 4
    PARITY_LAST = 5
    DDF_ZERO_RESTART = 8
    DDF_N_RESTART = 9
    DDF_N_CONTINUE = 10
    LEFT_ASYMMETRIC_6 = 16  # 16 to 20: RAID5's layout on n-1 members with Q on the last, as after 5 -> 6
    RIGHT_ASYMMETRIC_6 = 17
    LEFT_SYMMETRIC_6 = 18
    RIGHT_SYMMETRIC_6 = 19
    PARITY_FIRST_6 = 20


_DDF = frozenset({Layout.DDF_ZERO_RESTART, Layout.DDF_N_RESTART, Layout.DDF_N_CONTINUE})
_RAID5_LAYOUTS = frozenset(layout for layout in Layout if layout <= Layout.PARITY_LAST)


@dataclass(frozen=True, slots=True)
class Row:
    """The places in one stripe, as slots.

    `data` is the order in which the array's bytes run through the stripe. `syndrome` is the order for Q: member
    `syndrome[i]` is multiplied by g^i; None stands for a block of zeros (the DDF layouts count P and Q as well).
    RAID4 and RAID5 have no Q: `q` is None and `syndrome` is empty.
    """

    p: int
    q: int | None
    data: tuple[int, ...]
    syndrome: tuple[int | None, ...]


@lru_cache(maxsize=64)
def rows(level: Level, layout: int, disks: int) -> tuple[Row, ...]:
    """One period of the pattern: stripe s has the places `rows(...)[s % len(rows(...))]`.

    Raises UnknownLayout for a number that md does not have at this level, or for too few members.
    """
    if disks < level.fewest:
        raise UnknownLayout(f"A RAID{level} over {disks} members has no parity layout; it needs {level.fewest}.")
    match level:
        case Level.RAID4:
            return (_row5(Layout.PARITY_LAST, 0, disks),)
        case Level.RAID5:
            known = _known(level, layout, _RAID5_LAYOUTS)
            return tuple(_row5(known, s, disks) for s in range(disks))
        case Level.RAID6:
            known = _known(level, layout, frozenset(Layout))
            if known >= Layout.LEFT_ASYMMETRIC_6:
                return tuple(_row5_with_q(known, s, disks) for s in range(disks - 1))
            return tuple(_row6(known, s, disks) for s in range(disks))


def _known(level: Level, layout: int, allowed: frozenset[Layout]) -> Layout:
    if layout not in allowed:
        raise UnknownLayout(f"md has no layout {layout} at RAID{level}, as far as Rackeye knows.")
    return Layout(layout)


def _row5(layout: Layout, s: int, n: int) -> Row:
    """RAID5: P by the layout; data cyclic behind P (symmetric) or ascending, skipping P."""
    match layout:
        case Layout.LEFT_ASYMMETRIC | Layout.LEFT_SYMMETRIC:
            p = n - 1 - s % n
        case Layout.RIGHT_ASYMMETRIC | Layout.RIGHT_SYMMETRIC:
            p = s % n
        case Layout.PARITY_FIRST:
            p = 0
        case _:
            p = n - 1
    symmetric = layout in (Layout.LEFT_SYMMETRIC, Layout.RIGHT_SYMMETRIC)
    first = p + 1 if symmetric else 0
    return Row(p=p, q=None, data=_cyclic(first, n, {p}), syndrome=())


def _row5_with_q(layout: Layout, s: int, n: int) -> Row:
    """Layouts 16 to 20: a RAID5 on the first n-1 members, Q on the last; g^0 is then the first data slot from 0."""
    five = _row5(Layout(layout - Layout.LEFT_ASYMMETRIC_6), s, n - 1)
    return Row(p=five.p, q=n - 1, data=five.data, syndrome=_cyclic(0, n, {five.p, n - 1}))


def _row6(layout: Layout, s: int, n: int) -> Row:
    """RAID6 proper: P and Q by the layout; both data orders, and Q's own order, from those two."""
    match layout:
        case Layout.PARITY_FIRST:
            p, q = 0, 1
        case Layout.PARITY_LAST:
            p, q = n - 2, n - 1
        case Layout.DDF_N_RESTART:
            p = n - 1 - (s + 1) % n
            q = (p + 1) % n
        case Layout.DDF_N_CONTINUE:
            p = n - 1 - s % n
            q = (p - 1) % n
        case Layout.RIGHT_ASYMMETRIC | Layout.RIGHT_SYMMETRIC | Layout.DDF_ZERO_RESTART:
            p = s % n
            q = (p + 1) % n
        case _:
            p = n - 1 - s % n
            q = (p + 1) % n
    if layout in (Layout.LEFT_SYMMETRIC, Layout.RIGHT_SYMMETRIC, Layout.DDF_N_CONTINUE):
        data = _cyclic(p + 1, n, {p, q})
    else:
        data = _cyclic(0, n, {p, q})
    if layout in _DDF:
        return Row(p, q, data, tuple(None if slot in (p, q) else slot for slot in range(n)))
    return Row(p, q, data, _cyclic(q + 1, n, {p, q}))


def _cyclic(first: int, n: int, skip: set[int]) -> tuple[int, ...]:
    """All slots but `skip`, from `first` round to where it began."""
    return tuple(slot for i in range(n) if (slot := (first + i) % n) not in skip)
