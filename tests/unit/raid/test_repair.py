"""raid/repair.py on whole arrays in plain files: what it does not write. What it writes is on the rack
(tests/rig/test_repair.py): only md can."""

from pathlib import Path

import pytest

from core.errors import CannotRepair
from raid import care
from raid.check import CheckFile
from raid.layout import Level
from raid.repair import repair
from raid.repair_result import Outcome, sentences
from raid.scrub import check
from raid.window import Pass, end_window, run_window
from tests.unit.raid import worlds as w
from tests.unit.raid.plain_array import PlainArray


def untouched(array: PlainArray) -> bool:
    said = [(array.md / name).read_text().strip() for name in ("sync_action", "sync_min", "sync_max", "suspend_hi")]
    marks = [file.read_text() for file in array.md.glob("dev-*/bad_blocks")]
    return said == ["idle", "0", "max", "0"] and not any(marks)


def test_what_agrees_by_now_is_left(tmp_path: Path) -> None:
    array = PlainArray(tmp_path, Level.RAID6, disks=6)
    result = repair("md127", [3, 5], sysfs=array.sysfs, opener=array.opener)
    assert [stripe.outcome for stripe in result.stripes] == [Outcome.RIGHT] * 2
    assert result.whole
    assert untouched(array)


def test_where_two_are_wrong_nothing_is_written(tmp_path: Path) -> None:
    array = PlainArray(tmp_path, Level.RAID6, disks=6)
    array.damage(1, stripe=4)
    array.damage(3, stripe=4, at=1)  # the same change to both would look like Q alone
    result = repair("md127", [4], sysfs=array.sysfs, opener=array.opener)
    assert (result.stripes[0].outcome, result.whole) == (Outcome.LEFT, False)
    assert "which one is not known" in "\n".join(sentences(result))
    assert untouched(array)


def test_a_page_that_cannot_be_read_leaves_its_stripe_alone(tmp_path: Path) -> None:
    array = PlainArray(tmp_path, Level.RAID6, disks=6)
    array.damage(1, stripe=19)
    with array.disk(2).open("r+b") as file:
        file.truncate(file.seek(0, 2) - 4096)
    result = repair("md127", [19], sysfs=array.sysfs, opener=array.opener)
    assert "cannot be read" in result.stripes[0].why
    assert untouched(array)


def test_a_raid6_that_lacks_a_member_and_a_stripe_that_is_not_there_are_refused(tmp_path: Path) -> None:
    array = PlainArray(tmp_path, Level.RAID6, disks=6)
    with pytest.raises(CannotRepair, match="no stripe 20"):
        repair("md127", [20], sysfs=array.sysfs, opener=array.opener)
    (array.md / "dev-disk3/state").write_text("faulty")
    with pytest.raises(CannotRepair, match="slot 3"):
        repair("md127", [1], sysfs=array.sysfs, opener=array.opener)
    assert untouched(array)


def test_a_window_is_not_begun_while_md_is_busy_and_what_it_did_not_begin_is_not_ended(tmp_path: Path) -> None:
    array = PlainArray(tmp_path)
    array.set(sync_action="recover")
    with pytest.raises(CannotRepair, match="busy"):
        run_window(array.md, Pass.REPAIR, 0, array.chunk)
    assert not end_window(array.md)
    array.set(sync_min=8, sync_max=16)  # of a rebuild that came in the middle: its bounds go, it goes on
    assert end_window(array.md)
    said = [(array.md / name).read_text().strip() for name in ("sync_action", "sync_min", "sync_max")]
    assert said == ["recover", "0", "max"]


def test_the_plan_names_the_bays_and_says_what_raid5_cannot_know(tmp_path: Path) -> None:
    array = PlainArray(tmp_path, Level.RAID6, disks=4)
    array.damage(2, stripe=4)
    array.damage(1, stripe=9)
    array.damage(3, stripe=9, at=1)
    result = check("md127", sysfs=array.sysfs, opener=array.opener)
    found = CheckFile(100.0, True, result=result, identity=w.UUID, finished=w.NOW)
    plan = care.plan(w.known(level=6), w.memory(), found)
    assert [(step.stripe, step.members, bool(step.left)) for step in plan.stripes] == [(4, (2,), False), (9, (), True)]
    assert plan.count == 1
    assert "bay 2 in 1" in plan.means
    assert "they stay wrong" in care.plan(w.known(level=5), w.memory(), found).means
