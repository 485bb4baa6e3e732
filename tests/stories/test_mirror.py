"""Where copies lie (raid/mirror.py) and how they are compared (raid/scrub_mirror.py), on mirrors in plain files.

The files are laid out by md(4)'s description of near, far and offset, not by the formulas under test; what a real md
does is in tests/rig/test_mirror.py.
"""

import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.errors import CannotCheck
from raid import care
from raid import check as jobs
from raid.check import CheckFile
from raid.geometry import Member
from raid.mirror import parse, read_mirror
from raid.parity import Engine, NumpyEngine
from raid.scrub import check
from raid.scrub_mirror import odd_one
from raid.scrub_result import Copy, sentences
from tests.unit.raid import worlds as w

OFFSET = 2048
CHUNK = 16 * 1024
FAR, OFFSETS, FAR_3, FAR_SETS = 1 | 2 << 8, 1 | 2 << 8 | 1 << 16, 1 | 3 << 8, 1 | 2 << 8 | 2 << 17
NEAR_2, NEAR_3 = 2 | 1 << 8, 3 | 1 << 8
LAYOUTS = [
    (NEAR_2, 4), (NEAR_2, 3), (NEAR_3, 5), (NEAR_3, 3), (FAR, 4), (FAR, 3), (OFFSETS, 4), (OFFSETS, 3),
    (FAR_3, 4), (FAR_SETS, 4),
]


def drawn(layout: int, disks: int, rows: int) -> list[list[int | None]]:
    """The chunk's number on each member, row after row: [slot][row], as md(4) and Neil Brown's pictures have it."""
    near, far = layout & 0xFF, layout >> 8 & 0xFF
    members: list[list[int | None]] = [[None] * rows for _ in range(disks)]
    first_rows = rows // far
    flat = [number for number in range(first_rows * disks // near) for _ in range(near)]
    first = [flat[row * disks : (row + 1) * disks] for row in range(first_rows)]
    group = near * far if layout >> 17 else disks
    for row, line in enumerate(first):
        for copy in range(far):
            at = row * far + copy if layout & 0x10000 else row + copy * first_rows
            for slot, number in enumerate(line):
                begin = slot // group * group
                members[begin + (slot - begin + copy * near) % group][at] = number
    return members


@dataclass
class PlainMirror:
    """Random data; slot i is the file `disk{i}`. layout: None for RAID1."""

    root: Path
    layout: int | None = None
    disks: int = 2
    rows: int = 12

    def __post_init__(self) -> None:
        self.md = self.root / "sys/block/md127/md"
        self.md.mkdir(parents=True)
        files: dict[str, object] = {
            "level": "raid1" if self.layout is None else "raid10", "layout": self.layout or 0, "raid_disks": self.disks,
            "chunk_size": 0 if self.layout is None else CHUNK, "component_size": self.rows * CHUNK // 1024,
            "sync_action": "idle", "reshape_position": "none", "resync_start": "none", "suspend_lo": 0,
            "suspend_hi": 0, "sync_min": 0, "sync_max": "max",
        }
        for name, value in files.items():
            (self.md / name).write_text(f"{value}\n")
        self.drawn = (
            [list[int | None](range(self.rows))] * self.disks if self.layout is None
            else drawn(self.layout, self.disks, self.rows)
        )
        source = random.Random(3)
        content = [source.randbytes(CHUNK) for _ in range(self.rows * self.disks)]
        for slot in range(self.disks):
            folder = self.md / f"dev-disk{slot}"
            (folder / "block").mkdir(parents=True)
            for name, text in {"slot": slot, "state": "in_sync", "offset": OFFSET, "block/dev": f"8:{slot}",
                               "bad_blocks": "", "unacknowledged_bad_blocks": ""}.items():
                (folder / name).write_text(str(text))
            with (self.root / f"disk{slot}").open("wb") as file:
                file.seek(OFFSET * 512)
                for number in self.drawn[slot]:
                    file.write(source.randbytes(CHUNK) if number is None else content[number])

    def damage(self, slot: int, row: int, at: int = 0) -> None:
        with (self.root / f"disk{slot}").open("r+b") as file:
            file.seek(OFFSET * 512 + row * CHUNK + at)
            byte = file.read(1)[0]
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte ^ 0xA5]))

    def opener(self, member: Member) -> int:
        return os.open(self.root / member.name, os.O_RDONLY)

    def check(self, by: Engine | None = None, **more: Any) -> Any:
        return check("md127", sysfs=self.root / "sys", opener=self.opener, by=by, **more)


@pytest.mark.parametrize(("layout", "disks"), [(None, 2), (None, 3), *LAYOUTS])
def test_the_copies_of_every_chunk_are_found(tmp_path: Path, layout: int | None, disks: int) -> None:
    mirror = PlainMirror(tmp_path, layout, disks)
    shape = read_mirror("md127", tmp_path / "sys")
    for chunk in range(shape.chunks):
        places = shape.places(chunk)
        assert len(set(places)) == shape.copies
        assert {mirror.drawn[slot][at // CHUNK] for slot, at in places} == {chunk * shape.chunk // CHUNK}
    assert mirror.check(NumpyEngine()).clean


@pytest.mark.parametrize(("layout", "disks"), [(None, 2), *LAYOUTS])
def test_a_copy_that_differs_is_named_with_its_exact_place(tmp_path: Path, layout: int | None, disks: int) -> None:
    mirror = PlainMirror(tmp_path, layout, disks)
    for slot in range(disks):
        for row in (0, 7, 11):
            chunk = mirror.drawn[slot][row]
            if chunk is None:
                continue
            mirror.damage(slot, row, at=3 * 4096 + 5)
            result = mirror.check()
            [bad] = result.bad
            [extent] = bad.extents
            assert (extent.array_offset, extent.pages) == (chunk * CHUNK + 3 * 4096, 1)
            assert (slot, row * CHUNK + 3 * 4096) in [(copy.slot, copy.offset) for copy in extent.copies]
            copies = len(extent.copies)
            assert (extent.wrong and extent.wrong.slot) == (slot if copies > 2 else None)
            mirror.damage(slot, row, at=3 * 4096 + 5)
    assert mirror.check().clean


def test_what_is_said_of_two_copies_and_of_three(tmp_path: Path) -> None:
    two = PlainMirror(tmp_path)
    two.damage(1, 4)
    two.damage(0, 4, at=4096)
    told = "\n".join(sentences(two.check()))
    assert "2 pages differ" in told
    assert "8 KiB at 65536 of the array: /dev/disk0 (slot 0, offset 65536) differs from /dev/disk1" in told
    assert "wrong member: unknown" in told
    three = PlainMirror(tmp_path / "three", disks=3)
    three.damage(1, 4)
    assert "wrong member: /dev/disk1 (slot 1)" in "\n".join(sentences(three.check()))
    three.damage(2, 4)
    assert three.check().bad[0].wrong is None or three.check().bad[0].wrong.slot == 0  # two alike outvote the third


def test_a_majority_is_needed() -> None:
    def alike(*numbers: int) -> list[Copy]:
        return [Copy(slot, f"/dev/sd{slot}", 0, number) for slot, number in enumerate(numbers)]

    assert odd_one(alike(0, 1)) is None
    assert odd_one(alike(0, 1, 2)) is None
    assert odd_one(alike(0, 0, 1, 1)) is None
    wrong = odd_one(alike(0, 0, 1))
    assert wrong is not None
    assert wrong.slot == 2
    first = odd_one(alike(0, 1, 1, 1))
    assert first is not None
    assert first.slot == 0


def test_the_shape_decides_what_can_be_said(tmp_path: Path) -> None:
    mirror = PlainMirror(tmp_path, NEAR_2, 4)
    (mirror.md / "dev-disk1/state").write_text("faulty")
    with pytest.raises(CannotCheck, match="lacks the member in slot 1: nothing is left to compare"):
        mirror.check()
    three = PlainMirror(tmp_path / "b", disks=3)
    (three.md / "dev-disk0/state").write_text("faulty")
    three.damage(2, 4)
    [bad] = three.check().bad
    assert (bad.wrong, [copy.slot for copy in bad.extents[0].copies]) == (None, [1, 2])
    for layout, disks in ((0, 4), (5, 4), (3 << 17 | FAR, 4), (1 << 16 | 2 | 2 << 8, 5)):
        with pytest.raises(CannotCheck):
            parse(layout, disks)


def test_what_md_holds_for_bad_is_not_compared(tmp_path: Path) -> None:
    mirror = PlainMirror(tmp_path, FAR, 4)
    row = 6  # the second half: far copies
    mirror.damage(2, row)
    (mirror.md / "dev-disk2/bad_blocks").write_text(f"{OFFSET + row * CHUNK // 512} 8\n")
    result = mirror.check()
    assert (result.bad, len(result.unreadable), result.clean) == ((), 1, False)


def test_people_are_told_both_bays_and_nothing_is_repaired(tmp_path: Path) -> None:
    mirror = PlainMirror(tmp_path, NEAR_2, 4)
    mirror.damage(3, 5, at=8192)
    data = CheckFile(100.0, done=True, result=mirror.check(), identity=w.UUID, finished=w.NOW)
    vd = w.known(level=10)
    told = jobs.located(jobs.judged("vd0", data), vd, w.memory(vd))
    [place] = told.places
    assert place.text == f"stripe 5: 4 KiB at {11 * CHUNK + 8192} (bay 2 and bay 3 differ)"
    assert "Which copy is right is not known" in told.detail
    plan = care.plan(vd, w.memory(vd), data)
    assert (plan.count, "nobody can know" in plan.stripes[0].left) == (0, True)
    assert "nothing is written" in plan.means
