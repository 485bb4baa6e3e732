"""Reconstruction: what would come out of it, and what is refused."""

from dataclasses import replace

import pytest

from core.errors import CannotReconstruct
from core.jobs import Job, JobState
from raid.grow_model import PlanGrowRequest
from raid.grow_plan import Ordered, plan_grow
from raid.memory import Growth, KnownVd
from raid.model import CheckResult, CheckVerdict
from raid.smart_model import Smart, SmartHealth
from raid.world import World
from tests.unit.raid import worlds as w
from tests.unit.raid.grow_worlds import NEW, ORDER, newcomer, of


def plan(request: PlanGrowRequest, world: World, vd: KnownVd | None = None) -> Ordered:
    known = vd or w.known()
    scene = w.scene(world, w.memory(known))
    return plan_grow(request, known, world.array(w.UUID), scene)


@pytest.mark.parametrize(
    ("level", "after", "capacity", "tolerance"),
    [(5, None, 4 * w.COMPONENT, 1), (5, 6, 3 * w.COMPONENT, 2), (6, 6, 3 * w.COMPONENT, 2)],
)
def test_what_comes_out(level: int, after: int | None, capacity: int, tolerance: int) -> None:
    known = w.known(level=level)
    made = plan(PlanGrowRequest("vd0", (4,), after), of(newcomer(), level=level), known)
    assert (made.plan.new_capacity, made.plan.new_tolerance, made.plan.new_drives) == (capacity, tolerance, 5)
    assert made.growth == Growth(made.plan.fingerprint, after or level, 5, (NEW,))


@pytest.mark.parametrize(
    ("level", "drives", "after", "capacity", "tolerance"),
    [(0, 3, 5, 3, 1), (0, 2, 6, 2, 2), (0, 1, 1, 1, 1), (1, 2, 5, 2, 1), (1, 2, 6, 2, 2)],
)
def test_what_comes_of_one_without_parity(level: int, drives: int, after: int, capacity: int, tolerance: int) -> None:
    """Of a RAID0 md tells no component size."""
    bays = range(4, 6) if after == 6 else range(4, 5)
    known = w.known(level=level, slots=w.known().slots[:drives])
    each, size = (0, drives * w.COMPONENT) if level == 0 else (w.COMPONENT, w.COMPONENT)
    md = w.array(
        *(w.member(bay) for bay in range(drives)), level=level, raid_disks=drives, component_size=each, size=size,
        degraded=0,
    )
    blank = tuple(w.disk(bay, w.BLANK) for bay in bays)
    world = w.world((*(w.disk(bay) for bay in range(drives)), *blank), w.running(md))
    made = plan(PlanGrowRequest("vd0", tuple(bays), after), world, known).plan
    assert (made.new_capacity, made.new_tolerance) == (capacity * w.COMPONENT, tolerance)


WRONG = CheckResult("vd0", CheckVerdict.WRONG, w.NOW, 10, (1,), 1, "")
RESHAPED = Job("vd0-add-1", "add", "vd0", (("mdadm",),), JobState.RUNNING, w.BOOT, w.NOW)
ASK = PlanGrowRequest("vd0", (4,))


@pytest.mark.parametrize(
    ("request_", "world", "vd", "why"),
    [
        (PlanGrowRequest("vd0"), of(), w.known(), "takes one drive more"),
        (PlanGrowRequest("vd0", (4,), 0), of(newcomer()), w.known(), "does not become RAID0"),
        (PlanGrowRequest("vd0", (4,), 5), of(newcomer(), level=6), w.known(level=6), "does not become RAID5"),
        (ASK, of(newcomer(), level=10), w.known(level=10), "RAID10 of 4 drives is not grown"),
        (PlanGrowRequest("vd0", (4,), 5), of(newcomer(), level=10), w.known(level=1), "does not become RAID5"),
        (PlanGrowRequest("vd0", (4,), 1), of(newcomer(), level=0), w.known(level=0), "does not become RAID1"),
        (ASK, of(newcomer()), w.known(spans=2), "has spans"),
        (ASK, of(newcomer()), w.known(group="another"), "shares its drive group"),
        (ASK, of(newcomer(), level=6, layout=18), w.known(level=6), "had less parity once"),
        (ASK, of(newcomer(), level=6, layout=5), w.known(level=6), "had less parity once"),
        (PlanGrowRequest("vd0", (4,), 6), of(newcomer(), level=0), w.known(level=0), "by two drives more"),
        (ASK, of(newcomer()), w.known(name="vd0.1of2"), "has spans"),
        (ASK, of(newcomer()), w.known(stopped=True), "does not run"),
        (ASK, w.asleep(), w.known(), "does not run"),
        (ASK, of(newcomer()), w.known(growth=ORDER), "being reconstructed already"),
        (ASK, of(newcomer(), reshaping=True), w.known(), "being reconstructed already"),
        (ASK, w.pulled(2, newcomer()), w.known(), "not Optimal"),
        (ASK, of(newcomer(), parity_complete=False), w.known(), "is being resynced"),
        (ASK, of(newcomer(), sync_action="check", sync_total=9), w.known(), "vd0 is being checked by md"),
        (ASK, replace(of(newcomer()), jobs=(RESHAPED,)), w.known(), "being made, or changed"),
        (ASK, replace(of(newcomer()), results=(WRONG,)), w.known(), "1 wrong stripes"),
        (ASK, of(), w.known(), "Bay 4 holds no drive"),
        (ASK, of(newcomer(probe=w.EXT4)), w.known(), "Foreign: only a blank one"),
        (ASK, of(newcomer(size=w.COMPONENT)), w.known(), "needs"),
        (ASK, of(newcomer(probe=None)), w.known(), "still being read"),
    ],
)
def test_refusals(request_: PlanGrowRequest, world: World, vd: KnownVd, why: str) -> None:
    with pytest.raises(CannotReconstruct, match=why):
        plan(request_, world, vd)


def test_a_member_that_is_expected_to_fail_comes_first() -> None:
    world = replace(of(newcomer()), smart=(("sdb", Smart(health=SmartHealth.FAILING)),))
    with pytest.raises(CannotReconstruct, match="The drive in bay 1 is expected to fail"):
        plan(ASK, world)


def test_without_room_in_front_of_the_data_it_is_refused() -> None:
    world = of(newcomer())
    md = world.arrays[0].md
    tight = replace(md, members=tuple(replace(one, data_offset=1024**2) for one in md.members))
    world = replace(world, arrays=(replace(world.arrays[0], md=tight),))
    with pytest.raises(CannotReconstruct, match="in front of the data"):
        plan(PlanGrowRequest("vd0", (4,)), world)


NEVER = "The parity of vd0 was never checked. Check it first"


@pytest.mark.parametrize(("last", "says"), [
    (None, NEVER),
    (CheckResult("vd0", CheckVerdict.FAILED, w.NOW, 10, (), 0, "3 places could not be read."),
     "The last check of vd0 failed. 3 places could not be read. Check it first: rackeye check start vd0"),
    (CheckResult("vd0", CheckVerdict.STOPPED, w.NOW, 4, (), 0, "It was stopped at 40 %.", 40.0),
     "No check of vd0 has come to its end yet. It was stopped at 40 %. Check it first: rackeye check start vd0"),
    (CheckResult("vd0", CheckVerdict.CLEAN, w.NOW, 10, (), 0, "All agree."), ""),
])
def test_how_its_last_check_ended_is_said_as_it_was(last: CheckResult | None, says: str) -> None:
    made = plan(ASK, replace(of(newcomer()), results=() if last is None else (last,))).plan
    assert [NEVER in said for said in made.warnings].count(True) == (last is None)
    about = [said for said in made.warnings if "check" in said.lower()]
    assert [said.startswith(says) for said in about] == ([True] if says else [])


def test_of_one_without_parity_no_check_is_asked_for() -> None:
    md = w.array(*(w.member(bay) for bay in range(3)), level=0, raid_disks=3, component_size=0, degraded=0)
    world = w.world((*(w.disk(bay) for bay in range(3)), newcomer()), w.running(md))
    known = w.known(level=0, slots=w.known().slots[:3])
    made = plan(PlanGrowRequest("vd0", (4,), 5), world, known).plan
    assert not any("check" in said.lower() for said in made.warnings)


@pytest.mark.parametrize(("changes", "why"), [
    ({"doubt": w.NOW - 9}, "The parity of vd0 is in doubt after a power cut in a copyback, and no check has read all"),
    ({"torn": w.NOW - 9}, "A stripe of vd0 may be torn, and no check has read all since"),
])
def test_what_may_be_wrong_is_checked_first(changes: dict[str, float], why: str) -> None:
    for results in ((), (CheckResult("vd0", CheckVerdict.CLEAN, w.NOW - 99, 10, (), 0, ""),)):
        with pytest.raises(CannotReconstruct, match=why) as refused:
            plan(ASK, replace(of(newcomer()), results=results), w.known(**changes))
        assert refused.value.hint == "Check it first: rackeye check start vd0"


def lacking(*bays: int) -> World:
    """These drives lack the same place."""
    world = of(newcomer())
    md = world.arrays[0].md
    members = (replace(m, bad=(range(4096),)) if m.slot in bays else m for m in md.members)
    return replace(world, arrays=(replace(world.arrays[0], md=replace(md, members=tuple(members))),))


@pytest.mark.parametrize(("bays", "why", "hint"), [
    ((2,), "bay 2 lacks 4.1 kB in 1 place.* they are served from the other drives", "rackeye drive replace --bay 2"),
    ((1, 2), "are on no other drive either: what lay there cannot be read", "What is recorded over such a place is"),
])
def test_places_that_md_lists_as_bad_are_not_moved(bays: tuple[int, ...], why: str, hint: str) -> None:
    with pytest.raises(CannotReconstruct, match=why) as refused:
        plan(ASK, lacking(*bays))
    assert hint in refused.value.hint
