"""raid/layout.py against a second derivation, written the way Linux computes sectors (raid5_compute_sector)."""

import pytest

from core.errors import UnknownLayout
from raid.layout import Layout, Level, rows

RAID5 = range(6)
RAID6 = (*range(6), 8, 9, 10, *range(16, 21))
EVERY = [(Level.RAID4, 0), *((Level.RAID5, layout) for layout in RAID5), *((Level.RAID6, layout) for layout in RAID6)]


def kernel_raid5(layout: int, n: int, s: int, b: int) -> tuple[int, int]:
    """(P, place of data block b) as `case 5` of the kernel's function has it."""
    p = {0: n - 1 - s % n, 1: s % n, 2: n - 1 - s % n, 3: s % n, 4: 0, 5: n - 1}[layout]
    match layout:
        case 0 | 1:
            return p, b + 1 if b >= p else b
        case 2 | 3:
            return p, (p + 1 + b) % n
        case 4:
            return p, b + 1
        case _:
            return p, b


def kernel_raid6(layout: int, n: int, s: int, b: int) -> tuple[int, int, int]:
    """(P, Q, place of data block b) as `case 6` has it, with its jumps over P and Q one by one."""
    if layout >= 16:
        p, place = kernel_raid5(layout - 16, n - 1, s, b)
        return p, n - 1, place
    if layout == 4:
        return 0, 1, b + 2
    if layout == 5:
        return n - 2, n - 1, b
    if layout == 9:
        s += 1
    p = s % n if layout in (1, 3, 8) else n - 1 - s % n
    if layout == 10:
        return p, (p + n - 1) % n, (p + 1 + b) % n
    if layout in (2, 3):
        return p, (p + 1) % n, (p + 2 + b) % n
    if p == n - 1:
        return p, 0, b + 1  # Q D D D P
    return p, p + 1, b + 2 if b >= p else b  # D D P Q D


def kernel_syndrome(layout: int, n: int, p: int, q: int) -> list[int | None]:
    """raid6_d0, raid6_next_disk and raid6_idx_to_slot: which slot gets which power of g."""
    order: list[int | None] = []
    ddf = layout in (8, 9, 10)
    disk = 0 if ddf or q == n - 1 else q + 1
    for _ in range(n):
        if disk in (p, q):
            if ddf:
                order.append(None)
        else:
            order.append(disk)
        disk = (disk + 1) % n
    return order


@pytest.mark.parametrize(
    ("level", "layout", "n"), [(level, layout, n) for level, layout in EVERY for n in range(max(3, level.fewest), 9)]
)
def test_every_place_is_the_kernels(level: Level, layout: int, n: int) -> None:
    pattern = rows(level, layout, n)
    for s in range(3 * n):
        row = pattern[s % len(pattern)]
        for b, place in enumerate(row.data):
            if level == Level.RAID6:
                assert (row.p, row.q, place) == kernel_raid6(layout, n, s, b)
            else:
                assert (row.p, place) == kernel_raid5(5 if level == Level.RAID4 else layout, n, s, b)
                assert row.q is None
        if row.q is not None:
            assert list(row.syndrome) == kernel_syndrome(layout, n, row.p, row.q)


@pytest.mark.parametrize(("level", "layout"), EVERY)
@pytest.mark.parametrize("n", range(4, 9))
def test_each_member_once_in_each_row(level: Level, layout: int, n: int) -> None:
    for row in rows(level, layout, n):
        parities = [row.p] if row.q is None else [row.p, row.q]
        assert sorted([*parities, *row.data]) == list(range(n))
        if row.q is not None:
            assert sorted(slot for slot in row.syndrome if slot is not None) == sorted(row.data)


@pytest.mark.parametrize("layout", [0, 1, 2, 3])
def test_rotating_parity_wears_all_members_alike(layout: int) -> None:
    assert sorted(row.p for row in rows(Level.RAID5, layout, 6)) == list(range(6))
    assert sorted(row.q or 0 for row in rows(Level.RAID6, layout, 6)) == list(range(6))


@pytest.mark.parametrize(
    ("level", "layout", "n"),
    [(Level.RAID5, 6, 4), (Level.RAID5, 16, 4), (Level.RAID6, 7, 5), (Level.RAID6, 21, 5), (Level.RAID6, 2, 3)],
)
def test_what_md_does_not_have_is_refused(level: Level, layout: int, n: int) -> None:
    with pytest.raises(UnknownLayout):
        rows(level, layout, n)


def test_names_are_mdadms_numbers() -> None:
    assert Layout(2) is Layout.LEFT_SYMMETRIC
    assert Layout(18) is Layout.LEFT_SYMMETRIC_6
    assert len(Layout) == 14
