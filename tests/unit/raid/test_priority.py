"""A rebuild goes first: what others do by themselves gives way to it, and what a person began does not."""

from dataclasses import replace

import pytest

from core.jobs import Job, JobState
from core.settings import Care, Rates
from raid import check, rates
from raid.actions import Action, SetSpeed, StartCheck, StartPatrol, StopCheck
from raid.decide import decide
from raid.memory import Growth, Memory
from raid.priority import rebuilt_first
from raid.scene import Scene
from raid.sysfs import Array
from raid.world import Running, World
from tests.unit.raid import worlds as w

OTHER = "aaaaaaaa:bbbbbbbb:cccccccc:dddddddd"
ANY_HOUR = Care(check_days=7, patrol_days=7, quiet_from=0, quiet_until=0)


def two(first: Array, second: Array) -> tuple[World, Memory]:
    """vd0 in bays 0 to 3, vd1 in bays 4 to 7."""
    slots = tuple(replace(slot, bay=bay, serial=w.serial(bay)) for bay, slot in enumerate(w.known().slots, start=4))
    other = replace(w.known(), name="vd1", uuid=OTHER, slots=slots, initialized=second.parity_complete)
    arrays = w.running(first), Running(second, OTHER, "vd1", "rackeye", 120, w.MOUNTED)
    memory = w.memory()
    memory = replace(memory, vds=(*memory.vds, other), fleeting=replace(memory.fleeting, started=w.NOW - 9e6))
    return w.world(tuple(w.disk(bay) for bay in range(8)), *arrays), memory


def array(first: int, **changes: object) -> Array:
    members = (w.member(bay, bay - first) for bay in range(first, first + 4))
    return w.array(*members, device=f"md{127 - first}", **changes)


def rebuilt() -> Array:
    md = array(0, degraded=1, sync_action="recover", sync_total=100)
    coming = replace(md.members[3], states=frozenset({"spare"}))
    return replace(md, members=(*md.members[:3], coming))


def actions(first: Array, second: Array, *jobs: Job) -> list[Action]:
    world, memory = two(first, second)
    settings = replace(w.SETTINGS, sync_speed_min=0, care=ANY_HOUR, rates=Rates())
    return list(decide(replace(world, jobs=jobs), memory, settings, w.NOW).actions)


def test_nothing_begins_by_itself_while_another_is_rebuilt() -> None:
    idle = actions(array(0), array(4))
    assert [action.vd for action in idle if isinstance(action, StartCheck)] == ["vd0"], "one at a time"
    assert not [action for action in idle if isinstance(action, StartPatrol)], "and no patrol read beside it"
    assert not [one for one in actions(rebuilt(), array(4)) if isinstance(one, StartCheck | StartPatrol)]


@pytest.mark.parametrize(("kind", "stopped"), [(check.SCHEDULED, True), (check.KIND, False)])
def test_a_check_stops_for_the_rebuild_of_another_unless_a_person_began_it(kind: str, *, stopped: bool) -> None:
    job = Job("vd1-check-3", kind, "vd1.check", (), JobState.RUNNING, w.BOOT, w.NOW - 60)
    assert not [one for one in actions(array(0), array(4), job) if isinstance(one, StopCheck)]
    stops = [one for one in actions(rebuilt(), array(4), job) if isinstance(one, StopCheck)]
    assert bool(stops) is stopped
    assert all("vd0 is being rebuilt, which goes first" in stop.why for stop in stops)


def test_a_reconstruction_is_no_rebuild_though_md_fills_its_drives_by_a_recovery() -> None:
    world, memory = two(rebuilt(), array(4))
    growing = replace(memory.vds[0], growth=Growth("t", 6, 5))
    scene = Scene(world, replace(memory, vds=(growing, memory.vds[1])), w.SETTINGS, w.NOW)
    assert rebuilt_first(scene) == ""
    assert rebuilt_first(replace(scene, memory=memory)) == "vd0"


def test_a_copyback_gives_way_to_a_rebuild() -> None:
    md = array(4, sync_action="recover", sync_total=100, degraded=0)
    onto = replace(md.members[3], device="sdz", states=frozenset({"replacement", "spare"}))
    copying = replace(md, members=(*md.members, onto))
    assert SetSpeed("md123", rates.ABLE * Rates().rebuild // 100) in actions(array(0), copying)
    assert SetSpeed("md123", rates.ABLE * rates.GIVES_WAY // 100) in actions(rebuilt(), copying)


@pytest.mark.parametrize(("kind", "stopped"), [(check.SCHEDULED_PATROL, True), (check.PATROL, False)])
def test_so_does_a_patrol_read(kind: str, *, stopped: bool) -> None:
    job = Job("patrol-3", kind, "patrol", (), JobState.RUNNING, w.BOOT, w.NOW - 60)
    assert bool([one for one in actions(rebuilt(), array(4), job) if isinstance(one, StopCheck)]) is stopped


def test_initialization_gives_way_sooner_while_another_is_rebuilt() -> None:
    initializing = array(4, parity_complete=False, sync_action="resync", sync_total=100)
    full = rates.ABLE * Rates().initialization // 100
    assert SetSpeed("md123", full) in actions(array(0), initializing)
    assert SetSpeed("md123", rates.ABLE * rates.GIVES_WAY // 100) in actions(rebuilt(), initializing)
    assert SetSpeed("md127", rates.ABLE * Rates().rebuild // 100) in actions(rebuilt(), initializing)
