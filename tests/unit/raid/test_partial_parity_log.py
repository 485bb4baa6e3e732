"""A partial parity log in place of the bitmap: who may have it, and that nothing is torn with it."""

from dataclasses import replace

import pytest

from core.errors import CannotReconstruct, PlanImpossible
from raid import mdadm
from raid.actions import StartJob
from raid.decide import decide
from raid.derive import derive
from raid.grow_model import PlanGrowRequest
from raid.grow_plan import plan_grow
from raid.memory import Memory
from raid.model_plan import PlanSimpleRequest
from raid.plan import plan_simple
from raid.plan_group import intents
from raid.world import World
from tests.unit.raid import worlds as w
from tests.unit.raid.test_groups import BOTH, DISKS, SIZE
from tests.unit.raid.test_groups import running as shared
from tests.unit.raid.test_plan import blank


@pytest.mark.parametrize("level", [0, 1, 6, 10, 60])
def test_md_has_it_for_raid5_only(level: int) -> None:
    with pytest.raises(PlanImpossible, match="partial parity log for RAID5"):
        plan_simple(PlanSimpleRequest(level, ppl=True), w.scene(World(w.BOOT, blank(8)), Memory()))


@pytest.mark.parametrize(("level", "arrays"), [(5, 2), (50, 2)])
def test_each_array_of_drives_is_made_with_it_and_without_a_bitmap(level: int, arrays: int) -> None:
    made = plan_simple(PlanSimpleRequest(level, ppl=True), w.scene(World(w.BOOT, blank(8)), Memory()))
    assert any("is written more slowly" in said for said in made.warnings)
    known = [one for planned in made.vds for one in intents(planned, Memory()) if one.slots]
    assert len(known) == arrays
    for vd in known:
        argv = mdadm.create(vd, ("/dev/sda",) * len(vd.slots))
        assert "--consistency-policy=ppl" in argv
        assert "--bitmap=internal" not in argv
    assert "--bitmap=internal" in mdadm.create(w.known(), ("/dev/sda",) * 4)


def test_a_degraded_start_after_a_power_cut_needs_no_force_and_tears_nothing() -> None:
    left = tuple(w.disk(slot, w.probe(slot, 120, (2,), clean=False, ppl=True)) for slot in (0, 1, 3))
    decision = decide(w.world(left), w.memory(), w.SETTINGS, w.NOW)
    [job] = [action for action in decision.actions if isinstance(action, StartJob)]
    assert job.kind == "assemble"
    assert "--force" not in job.steps[0]
    assert decision.memory.vds[0].torn == 0.0


@pytest.mark.parametrize(("ppl", "torn"), [(False, w.NOW), (True, 0.0)])
def test_the_last_redundancy_goes_before_all_is_right(ppl: bool, torn: float) -> None:
    md = w.array(*(w.member(bay) for bay in (0, 1, 3)), ppl=ppl, parity_complete=False)
    of = w.world(tuple(w.disk(bay) for bay in (0, 1, 3)), w.running(md))
    assert decide(of, w.memory(), w.SETTINGS, w.NOW).memory.vds[0].torn == torn


def test_it_is_told_and_takes_no_drives() -> None:
    md = w.array(*(w.member(bay) for bay in range(4)), ppl=True, bitmap=False)
    of = w.world((*(w.disk(bay) for bay in range(4)), w.newcomer(4, w.BLANK)), w.running(md))
    scene = w.scene(of)
    assert derive(scene).virtual_drives[0].ppl
    with pytest.raises(CannotReconstruct, match="partial parity log"):
        plan_grow(PlanGrowRequest("vd0", (4,)), w.known(), of.arrays[0], scene)


def test_a_drive_group_that_is_made_already_takes_no_log() -> None:
    group = World(w.BOOT, DISKS, (shared(md=w.array(*(w.member(bay) for bay in range(4)), size=4 * SIZE)),))
    request = PlanSimpleRequest(5, strip=w.STRIP, group="dg0", size=10**9, full=True)
    assert plan_simple(request, w.scene(group, BOTH)).vds
    with pytest.raises(PlanImpossible, match="which is made already"):
        plan_simple(replace(request, ppl=True), w.scene(group, BOTH))
