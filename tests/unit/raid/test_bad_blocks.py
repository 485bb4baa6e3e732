"""md's lists of bad blocks: read from sysfs, weighed against what the other members have, told with what to do."""

from dataclasses import replace
from pathlib import Path

import pytest

from raid.derive import derive
from raid.model import RaidSnapshot, VdState, Work
from raid.sysfs import Array, Sysfs
from raid.world import CheckRun
from tests.unit.raid import worlds as w
from tests.unit.raid.test_sysfs import tree

KIB = 1024


def lists(md: Array, **of: tuple[range, ...]) -> Array:
    """These members, by kernel name, have these places in their lists."""
    return replace(md, members=tuple(replace(member, bad=of.get(member.device, ())) for member in md.members))


def told(md: Array, level: int = 5, **changes: object) -> RaidSnapshot:
    disks = tuple(w.disk(bay) for bay in range(4))
    known = w.known(level=level)
    return derive(w.scene(w.world(disks, w.running(md), **changes), w.memory(known)))


def members(*, level: int = 5, layout: int = 2, gone: tuple[int, ...] = ()) -> Array:
    return w.array(*(w.member(bay) for bay in range(4) if bay not in gone), level=level, layout=layout)


def test_sectors_of_the_drive_become_bytes_of_the_member(tmp_path: Path) -> None:
    tree(tmp_path)
    (tmp_path / "block/md127/md/dev-sda/bad_blocks").write_text("2056 8\n4096 1\n40")
    (array,) = Sysfs(tmp_path).arrays()
    by_name = {member.device: member.bad for member in array.members}
    assert by_name == {"sda": (range(4096, 8192), range(1 << 20, (1 << 20) + 512)), "sdb": ()}


def test_a_place_that_the_others_have_is_to_be_mended_by_a_new_drive() -> None:
    (vd,) = told(lists(members(), sdc=(range(8 * KIB, 12 * KIB), range(64 * KIB, 68 * KIB)))).virtual_drives
    (bad,) = vd.bad_blocks
    assert (bad.bay, bad.serial, bad.places, bad.size, bad.lost) == (2, "SN0002", 2, 8 * KIB, 0)
    assert "bay 2 lacks 8.2 kB in 2 place(s)" in vd.detail
    assert "Replace it while those are good" in vd.detail
    assert vd.state is VdState.OPTIMAL


@pytest.mark.parametrize(
    ("md", "level", "lost"),
    [
        pytest.param(lists(members(), sda=(range(8192),), sdb=(range(4096, 16384),)), 5, (4096, 4096), id="overlap"),
        pytest.param(lists(members(), sda=(range(4096),), sdb=(range(4096, 8192),)), 5, (0, 0), id="side by side"),
        pytest.param(lists(members(gone=(3,)), sda=(range(4096),)), 5, (4096,), id="degraded"),
        pytest.param(lists(members(level=6, gone=(3,)), sda=(range(4096),)), 6, (0,), id="RAID6, one out"),
        pytest.param(lists(members(level=0), sda=(range(4096),)), 0, (4096,), id="RAID0"),
        pytest.param(lists(members(level=10, layout=0x102), sda=(range(4096),), sdc=(range(4096),)), 10, (0, 0),
                     id="two pairs"),
        pytest.param(lists(members(level=10, layout=0x102), sda=(range(4096),), sdb=(range(4096),)), 10, (4096, 4096),
                     id="both of a pair"),
        pytest.param(lists(members(level=10, layout=0x201), sda=(range(4096),)), 10, (None,), id="mirrors not known"),
        pytest.param(lists(members(gone=(3,)), sda=(range(w.COMPONENT, w.COMPONENT + 512),)), 5, (0,), id="behind it"),
    ],
)  # fmt: skip
def test_what_no_other_member_has_is_lost(md: Array, level: int, lost: tuple[int | None, ...]) -> None:
    (vd,) = told(md, level).virtual_drives
    assert tuple(bad.lost for bad in vd.bad_blocks) == lost
    assert ("cannot be read" in vd.detail) == any(lost)


def test_what_a_repair_puts_there_itself_is_not_told() -> None:
    md = lists(members(), sdc=(range(4096),))
    (vd,) = told(md, checks=(("vd0", CheckRun(10.0, work=Work.REPAIR)),)).virtual_drives
    assert (vd.bad_blocks, vd.detail) == ((), "")


def test_what_has_failed_is_told_otherwise() -> None:
    md = lists(members(), sdc=(range(4096),))
    broken = replace(md, members=tuple(replace(m, states=frozenset({"faulty"})) if m.bad else m for m in md.members))
    assert told(broken).virtual_drives[0].bad_blocks == ()
