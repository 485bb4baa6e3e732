"""Why a drive is not to be pulled now: what is at work on which drives, as the wizards are told it."""

from dataclasses import replace
from typing import Any

import pytest

from raid.derive import derive
from raid.members import NEAR_2
from raid.memory import Memory
from raid.model import RaidSnapshot, VdState, Work
from raid.sysfs import Array
from raid.world import CheckRun, World
from tests.unit.raid import grow_worlds as grow
from tests.unit.raid import spare_worlds as spares
from tests.unit.raid import test_groups as groups
from tests.unit.raid import test_spans as spans
from tests.unit.raid import worlds as w

RESYNC: dict[str, Any] = {"sync_action": "resync", "sync_done": 1, "sync_total": 2, "parity_complete": False}
PULL_NONE = "pull no drive until its resync has ended"


def told(of: World, memory: Memory | None = None) -> RaidSnapshot:
    return derive(w.scene(of, memory))


def held(snapshot: RaidSnapshot) -> dict[int | None, str]:
    return {drive.bay: drive.hold for drive in snapshot.drives if drive.hold}


def of(md: Array, **changes: object) -> World:
    there = {member.device for member in md.members}
    disks = (w.disk(bay) for bay in range(4))
    return w.world(tuple(disk for disk in disks if disk.name in there), w.running(md), **changes)


def whole(**changes: object) -> Array:
    return w.array(*(w.member(bay) for bay in range(4)), **changes)


@pytest.mark.parametrize(("level", "md"), [
    (5, whole(**RESYNC)),
    (5, whole(parity_complete=False)),
    (6, whole(level=6, **RESYNC)),
    (10, whole(level=10, layout=NEAR_2, **RESYNC)),
], ids=["RAID5", "not begun", "RAID6", "mirrors"])
def test_none_is_pulled_during_the_resync_after_a_power_cut(level: int, md: Array) -> None:
    said = told(of(md), w.memory(w.known(level=level)))
    assert list(held(said)) == [0, 1, 2, 3]
    assert "What was being written to vd0 at a power cut is made right" in held(said)[3]
    assert PULL_NONE in said.virtual_drives[0].detail


def test_a_raid6_that_still_bears_a_loss_says_so_only_once_that_has_ended() -> None:
    left = [w.member(bay) for bay in (0, 1, 3)]
    (before, after) = (
        told(of(w.array(*left, level=6, **changes)), w.memory(w.known(level=6))) for changes in (RESYNC, {})
    )
    assert (list(held(before)), list(held(after))) == ([0, 1, 3], [])
    assert [vd.state for one in (before, after) for vd in one.virtual_drives] == [VdState.PARTIALLY_DEGRADED] * 2
    assert PULL_NONE in before.virtual_drives[0].detail
    assert "still bears another" in after.virtual_drives[0].detail


@pytest.mark.parametrize("snapshot", [
    told(w.healthy()),
    told(of(whole(**RESYNC)), w.memory(w.known(initialized=False))),
    told(of(whole(), checks=(("vd0", CheckRun(40.0)),))),
    told(w.pulled(2)),
], ids=["all well", "initialized", "checked", "degraded"])
def test_what_bears_a_loss_meanwhile_holds_nothing(snapshot: RaidSnapshot) -> None:
    assert held(snapshot) == {}


@pytest.mark.parametrize("world", [
    of(whole(), checks=(("vd0", CheckRun(40.0, work=Work.REPAIR)),)),
    of(whole(sync_action="repair", sync_total=9)),
], ids=["ours", "md's"])
def test_none_is_pulled_while_wrong_stripes_are_repaired(world: World) -> None:
    assert list(held(told(world))) == [0, 1, 2, 3]
    assert "Wrong stripes of vd0 are being repaired" in held(told(world))[0]


def test_none_is_pulled_of_one_that_is_reconstructed_nor_one_that_is_to_come_in() -> None:
    ordered = told(grow.of(grow.newcomer()), w.memory(w.known(growth=grow.ORDER)))
    assert list(held(ordered)) == [0, 1, 2, 3, 4]
    assert "none of them is replaced now" in held(ordered)[4]
    assert list(held(told(grow.of(reshaping=True)))) == [0, 1, 2, 3], "also without an order of ours"
    failed = replace(w.member(3), states=frozenset({"faulty"}), slot=None)
    one_out = w.array(*(w.member(bay) for bay in range(3)), failed, reshaping=True, degraded=1)
    assert list(held(told(of(one_out)))) == [0, 1, 2, 3]


def test_the_source_of_a_copyback_stays_until_its_data_is_over() -> None:
    said = spares.told(spares.going_back(), spares.serving())
    assert list(held(said)) == [5]
    assert "goes back from this drive to the bay it came from" in held(said)[5]


def test_only_the_span_that_is_resynced_holds_its_drives() -> None:
    second = spans.span(60, 2)
    second = replace(second, md=replace(second.md, **RESYNC))
    world = w.world(spans.disks(), spans.span(60, 1), second, spans.upper())
    said = held(told(world, spans.known(60)))
    assert list(said) == [4, 5, 6, 7]
    assert "written to vd0 at" in said[4]


@pytest.mark.parametrize(("md", "checks"), [
    (replace(groups.ALL_IN, **RESYNC), ()),
    (groups.ALL_IN, ((groups.GROUP.name, CheckRun(1.0, work=Work.REPAIR)),)),
])
def test_of_a_shared_drive_group_it_is_told_by_its_name(md: Array, checks: tuple[tuple[str, CheckRun], ...]) -> None:
    world = w.world(groups.DISKS, groups.running(md=md), checks=checks)
    said = held(told(world, groups.BOTH))
    assert list(said) == [0, 1, 2, 3]
    assert " dg0 " in said[0]
