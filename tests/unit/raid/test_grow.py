"""Reconstruction: what is done at each step, and what is left alone meanwhile."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import ReconstructionStopped
from core.jobs import Job, JobState
from raid.actions import Action, Mount, StartJob
from raid.decide import decide
from raid.derive import derive
from raid.grow import next_step
from raid.memory import FailedDrive, Growth, Memory, Slot, load, save
from raid.model import DriveState, VdState, Work
from raid.reshape_job import Shape, follow
from raid.sysfs import Array
from raid.world import Disk, Probe, World
from tests.unit.raid import worlds as w
from tests.unit.raid.grow_worlds import NEW, ORDER, grown, newcomer, of


def acts(world: World, memory: Memory) -> tuple[Action, ...]:
    return decide(world, memory, w.SETTINGS, w.NOW).actions


def ordered(growth: Growth = ORDER, **changes: object) -> Memory:
    return w.memory(w.known(growth=growth, **changes))


def only_job(world: World, memory: Memory) -> StartJob:
    (job,) = [action for action in acts(world, memory) if isinstance(action, StartJob)]
    return job


# -- the steps


def shape(level: int, disks: int) -> Array:
    return w.array(level=level, raid_disks=disks)


@pytest.mark.parametrize(
    ("level", "disks", "to", "step"),
    [
        (5, 3, (5, 4), ("--raid-devices=4",)),
        (5, 3, (6, 4), ("--level=6", "--raid-devices=4", "--layout=preserve")),
        (5, 3, (6, 6), ("--raid-devices=5",)),
        (5, 5, (6, 6), ("--level=6", "--raid-devices=6", "--layout=preserve")),
        (6, 4, (6, 6), ("--raid-devices=6",)),
        (1, 2, (6, 4), ("--level=5",)),
        (0, 3, (5, 4), ("--level=5", "--raid-devices=4", "--layout=parity-last")),
        (0, 1, (1, 2), ("--level=5", "--raid-devices=2", "--layout=parity-last")),
        (5, 2, (1, 2), ("--level=1",)),
        (5, 2, (6, 4), ("--raid-devices=3",)),
        (6, 6, (6, 6), None),
    ],
)
def test_one_step_after_the_other(level: int, disks: int, to: tuple[int, int], step: tuple[str, ...] | None) -> None:
    assert next_step(shape(level, disks), Growth("t", *to)) == step


def test_the_drive_is_added_and_md_told_in_one_job() -> None:
    job = only_job(of(newcomer()), ordered())
    assert job.kind == "reshape"
    assert job.steps[0] == ("mdadm", "/dev/md127", "--add", "/dev/sde")
    assert job.steps[1][2:5] == ("raid.reshape_job", "begin", "/dev/md127")
    assert job.steps[1][5:] == ("token", "/dev/sde", "--raid-devices=5")
    assert [drive.serial for drive in job.drives] == [w.serial(4)]


def test_a_drive_that_md_has_as_a_spare_already_is_not_added_again() -> None:
    world = of()
    md = replace(world.arrays[0].md, members=(*world.arrays[0].md.members, w.member(4, states="spare")))
    spare = replace(md.members[4], slot=None)
    md = replace(md, members=(*md.members[:4], spare))
    world = replace(world, disks=(*world.disks, w.disk(4)), arrays=(replace(world.arrays[0], md=md),))
    assert [step[2] for step in only_job(world, ordered()).steps] == ["raid.reshape_job"]


@pytest.mark.parametrize(
    "world",
    [
        of(newcomer(), parity_complete=False),
        of(newcomer(), sync_action="check", sync_total=9),
        of(newcomer(probe=None)),
    ],
)
def test_it_waits_for_what_is_not_as_it_must_be(world: World) -> None:
    assert [action for action in acts(world, ordered()) if isinstance(action, StartJob)] == []


def test_an_order_that_has_not_begun_is_given_up_when_a_drive_is_lost() -> None:
    decision = decide(w.pulled(2, newcomer()), ordered(), w.SETTINGS, w.NOW)
    assert decision.memory.vds[0].growth is None


@pytest.mark.parametrize("world", [of(), of(newcomer(probe=w.EXT4))])
def test_an_order_that_has_not_begun_is_given_up_when_its_drive_is_gone_or_not_blank(world: World) -> None:
    assert decide(world, ordered(), w.SETTINGS, w.NOW).memory.vds[0].growth is None
    just_started = replace(ordered(), fleeting=replace(ordered().fleeting, started=w.NOW - 1))
    assert decide(world, just_started, w.SETTINGS, w.NOW).memory.vds[0].growth == ORDER


def test_an_order_that_mdadm_refuses_is_given_up_and_an_older_refusal_does_not_count() -> None:
    job = only_job(of(newcomer()), ordered())
    failed = Job(job.id, job.kind, "vd0", job.steps, JobState.FAILED, w.BOOT, w.NOW, ended=w.NOW, error="mdadm: no")
    world = replace(of(newcomer()), jobs=(failed,))
    assert decide(world, ordered(), w.SETTINGS, w.NOW).memory.vds[0].growth is None
    other = replace(ORDER, token="another")
    assert decide(world, ordered(other), w.SETTINGS, w.NOW).memory.vds[0].growth == other


def test_what_md_does_by_itself_is_waited_for_and_nothing_else_is_done() -> None:
    world = grown(reshaping=True, sync_action="reshape", sync_total=100, sync_done=10)
    decision = decide(world, ordered(), w.SETTINGS, w.NOW)
    vd = decision.memory.vds[0]
    assert (vd.level, [slot.serial for slot in vd.slots]) == (5, [w.serial(bay) for bay in range(5)])
    assert vd.growth == replace(ORDER, begun=True, whole=(NEW.serial,))
    (job,) = [action for action in decision.actions if isinstance(action, StartJob)]
    assert job.steps[0][3] == "follow"


def test_no_drive_is_rebuilt_meanwhile_and_afterwards_only_on_a_persons_word() -> None:
    members = [w.member(bay) for bay in (0, 1, 3, 4)]
    md = w.array(*members, raid_disks=5, degraded=1, reshaping=True, sync_action="reshape", sync_total=9)
    fresh = w.newcomer(2, w.BLANK)
    world = w.world((*(w.disk(bay) for bay in (0, 1, 3, 4)), fresh), w.running(md))
    memory = decide(world, ordered(), w.SETTINGS, w.NOW).memory
    assert [job.steps[0][3] for job in acts(world, memory) if isinstance(job, StartJob)] == ["follow"]
    md = replace(md, reshaping=False, sync_action="idle", sync_total=0)
    world = replace(world, arrays=(w.running(md),))
    end = only_job(world, memory)
    assert end.kind == "reshape-end"
    done = Job(end.id, end.kind, "vd0", end.steps, JobState.DONE, w.BOOT, w.NOW, ended=w.NOW)
    decision = decide(replace(world, jobs=(done,)), memory, w.SETTINGS, w.NOW)
    assert (decision.memory.vds[0].growth, decision.memory.vds[0].by_hand) == (None, True)
    assert decision.actions == ()
    rows = derive(w.scene(world, decision.memory)).drives
    assert "on your word" in next(row.detail for row in rows if row.serial == fresh.serial)
    named = replace(decision.memory.fleeting, named=((fresh.serial, w.UUID),))
    assert only_job(world, replace(decision.memory, fleeting=named)).kind == "add"


def test_what_is_left_of_an_order_is_given_up_when_a_drive_is_lost_between_its_steps() -> None:
    members = [w.member(bay) for bay in (0, 1, 3, 4)]
    md = w.array(*members, raid_disks=5, degraded=1)
    world = w.world(tuple(w.disk(bay) for bay in (0, 1, 3, 4, 5)), w.running(md))
    order = Growth("t", 6, 6, (NEW, Slot(5, w.serial(5), "RACK DRIVE", w.SIZE)), begun=True)
    decision = decide(world, ordered(order, slots=(*w.known().slots, NEW)), w.SETTINGS, w.NOW)
    growth = decision.memory.vds[0].growth
    assert growth is not None
    assert (growth.level, growth.disks) == (5, 5)
    assert [job.kind for job in decision.actions if isinstance(job, StartJob)] == ["reshape-end"]


def test_an_order_is_kept_while_the_first_new_drive_is_computed_and_md_has_not_gone_on_yet() -> None:
    """As after a power cut in the middle of the way from RAID0 to RAID6."""
    md = w.array(
        *(w.member(bay) for bay in range(4)), w.member(4, states="spare"), raid_disks=5, degraded=1, state="read-auto"
    )
    world = w.world(tuple(w.disk(bay) for bay in range(6)), w.running(md))
    order = Growth("t", 6, 6, (NEW, Slot(5, w.serial(5), "RACK DRIVE", w.SIZE)), begun=True)
    vd = decide(world, ordered(order, slots=(*w.known().slots, NEW)), w.SETTINGS, w.NOW).memory.vds[0]
    assert vd.growth == order


TO_RAID6 = Growth("t", 6, 6, (NEW, Slot(5, w.serial(5), "RACK DRIVE", w.SIZE)), begun=True)


def cut_in_two(*disks: Disk) -> World:
    """Of a RAID0 mdadm changes the level first: md has no drive in the new place yet."""
    md = w.array(*(w.member(bay) for bay in range(4)), raid_disks=5, degraded=1)
    return w.world((*(w.disk(bay) for bay in range(4)), *disks), w.running(md))


def test_an_order_is_kept_while_mdadm_is_about_to_add_the_drive() -> None:
    memory = ordered(TO_RAID6, slots=(*w.known().slots, NEW))
    job = Job("vd0-reshape-1", "reshape", "vd0", (("mdadm",),), JobState.RUNNING, w.BOOT, w.NOW)
    decision = decide(replace(cut_in_two(), jobs=(job,)), memory, w.SETTINGS, w.NOW)
    assert (decision.memory.vds[0].growth, decision.actions) == (TO_RAID6, ())


ADD_AGAIN = ("mdadm", "/dev/md127", "--add", "/dev/sde")
CLEAN = ("mdadm", "--zero-superblock", "/dev/sde")


@pytest.mark.parametrize(
    ("probe", "steps"),
    [
        (w.BLANK, (ADD_AGAIN,)), (w.probe(None), (CLEAN, ADD_AGAIN)),
        (w.probe(4, 7, recovering=True), (CLEAN, ADD_AGAIN)), (None, ()),
    ],
)
def test_a_drive_that_a_cut_left_outside_is_put_in_by_the_order(
    probe: Probe | None, steps: tuple[tuple[str, ...], ...]
) -> None:
    memory = ordered(TO_RAID6, slots=(*w.known().slots, NEW))
    decision = decide(cut_in_two(newcomer(probe=probe)), memory, w.SETTINGS, w.NOW)
    assert decision.memory.vds[0].growth == TO_RAID6
    jobs = [action for action in decision.actions if isinstance(action, StartJob)]
    assert [(job.kind, job.steps) for job in jobs] == ([("reshape", steps)] if steps else [])
    seen = w.scene(cut_in_two(newcomer(probe=probe)), decision.memory)
    assert derive(seen).virtual_drives[0].state is VdState.OPTIMAL, "it bears what it bore before"


def test_nor_is_the_order_given_up_while_its_drive_appears_after_a_start() -> None:
    memory = ordered(TO_RAID6, slots=(*w.known().slots, NEW))
    young = replace(memory, fleeting=replace(memory.fleeting, started=w.NOW - 1))
    assert decide(cut_in_two(), young, w.SETTINGS, w.NOW).memory.vds[0].growth == TO_RAID6
    last = replace(ORDER, begun=True)
    young = replace(young, vds=(w.known(growth=last, slots=(*w.known().slots, NEW)),))
    decision = decide(cut_in_two(), young, w.SETTINGS, w.NOW)
    assert (decision.memory.vds[0].growth, decision.actions) == (last, ()), "nor is it ended"


ONCE_WHOLE = replace(TO_RAID6, whole=(NEW.serial,))
REFUSED = Job("vd0-reshape-2", "reshape", "vd0", (ADD_AGAIN,), JobState.FAILED, w.BOOT, w.NOW, ended=w.NOW)


@pytest.mark.parametrize(
    ("disks", "growth", "jobs", "failed"),
    [
        ((), TO_RAID6, (), ()),
        ((newcomer(probe=w.probe(4, 90)),), TO_RAID6, (), ()),  # it was whole once, and was pulled: a person's word
        ((newcomer(),), ONCE_WHOLE, (), ()),  # the same, wiped elsewhere
        ((newcomer(probe=None),), ONCE_WHOLE, (), ()),
        ((newcomer(probe=w.EXT4),), TO_RAID6, (), ()),
        ((newcomer(held_by=("dm-0",)),), TO_RAID6, (), ()),
        ((newcomer(),), TO_RAID6, (REFUSED,), ()),
        ((newcomer(),), TO_RAID6, (), (FailedDrive(NEW.serial, "vd0", 14, w.BOOT),)),
    ],
)
def test_without_such_a_drive_the_rest_of_the_order_is_given_up(
    disks: tuple[Disk, ...], growth: Growth, jobs: tuple[Job, ...], failed: tuple[FailedDrive, ...]
) -> None:
    memory = replace(ordered(growth, slots=(*w.known().slots, NEW)), failed=failed)
    world = replace(cut_in_two(*disks), jobs=jobs)
    after = decide(world, memory, w.SETTINGS, w.NOW).memory
    left = after.vds[0].growth
    assert left is not None
    assert (left.level, left.disks) == (5, 5)
    assert derive(w.scene(world, after)).virtual_drives[0].state is VdState.DEGRADED, "never told as good"


def test_which_drives_came_to_be_whole_is_remembered() -> None:
    growth = decide(grown(), ordered(TO_RAID6), w.SETTINGS, w.NOW).memory.vds[0].growth
    assert growth is not None
    assert growth.whole == (NEW.serial,)


def test_the_end_waits_for_the_second_parity() -> None:
    assert acts(grown(level=6, degraded=1), ordered(Growth("t", 6, 5, (NEW,), begun=True))) == ()


def test_at_the_end_bitmap_and_file_system_and_then_the_order_is_forgotten() -> None:
    end = only_job(grown(), ordered())
    assert end.steps[0][3:] == ("finish", "/dev/md127", "token", "internal", "/srv/rackeye/vd0")
    done = Job(end.id, end.kind, "vd0", end.steps, JobState.DONE, w.BOOT, w.NOW, ended=w.NOW)
    memory = decide(replace(grown(), jobs=(done,)), ordered(), w.SETTINGS, w.NOW).memory
    assert (memory.vds[0].growth, len(memory.vds[0].slots)) == (None, 5)


def test_it_is_mounted_while_it_goes_on() -> None:
    world = grown(reshaping=True, sync_action="reshape", sync_total=9)
    alive = Job("vd0-reshape-1", "reshape", "vd0", (("mdadm",),), JobState.RUNNING, w.BOOT, w.NOW)
    world = replace(world, arrays=(replace(world.arrays[0], volume=w.UNMOUNTED),), jobs=(alive,))
    assert acts(world, ordered()) == (Mount("vd0", "/dev/md127"),)


def test_xfs_is_told_the_wider_stripe_at_the_next_mount() -> None:
    world = grown()
    world = replace(world, arrays=(replace(world.arrays[0], volume=w.UNMOUNTED),))
    slots = (*w.known().slots, NEW)
    assert Mount("vd0", "/dev/md127", (w.STRIP, 4 * w.STRIP)) in acts(world, w.memory(w.known(slots=slots)))


# -- after a power cut


def test_one_that_was_cut_off_is_started_as_any_other_and_followed() -> None:
    own = (w.probe(slot, raid_disks=5, reshaping=True, roles=(0, 1, 2, 3, 4)) for slot in range(5))
    memory = ordered(replace(ORDER, begun=True), slots=(*w.known().slots, NEW))
    job = only_job(w.asleep(*own), memory)
    assert job.kind == "assemble"
    assert job.steps[0][:3] == ("mdadm", "--assemble", "/dev/md/vd0")
    assert job.steps[0][-5:] == tuple(f"/dev/sd{letter}" for letter in "abcde")
    job = only_job(grown(reshaping=True), memory)
    assert (job.kind, job.steps[0][2:]) == ("reshape", ("raid.reshape_job", "follow", "/dev/md127"))


@pytest.mark.parametrize(
    ("age", "appearing", "kinds"),
    [(1, 0, []), (20, 1, []), (20, 0, ["assemble"]), (70, 1, ["assemble"])],
)
def test_the_last_new_drive_is_waited_for_while_udev_is_at_work_on_it(
    age: float, appearing: int, kinds: list[str]
) -> None:
    """Else the reconstruction goes on without it, and its place is rebuilt in full, on a person's word. Memory may not
    have the new places yet."""
    own = (w.probe(slot, raid_disks=5, reshaping=True, roles=(0, 1, 2, 3, 4)) for slot in range(4))
    memory = ordered(replace(ORDER, begun=True))
    young = replace(memory, fleeting=replace(memory.fleeting, started=w.NOW - age))
    jobs = acts(replace(w.asleep(*own), appearing=appearing), young)
    assert [job.kind for job in jobs if isinstance(job, StartJob)] == kinds


@pytest.mark.parametrize(
    ("files", "ended"),
    [
        ({"array_state": "clean", "reshape_position": "none"}, True),
        ({"array_state": "broken", "reshape_position": "4096"}, False),
        ({}, False),  # stopped: it does not reshape any more, and yet has not ended its work
    ],
)
def test_only_an_array_that_runs_has_ended_its_reconstruction(
    tmp_path: Path, files: dict[str, str], ended: bool
) -> None:
    md = tmp_path / "block/md127/md"
    md.mkdir(parents=True)
    for name, text in files.items():
        (md / name).write_text(f"{text}\n")
    if ended:
        follow(Shape("/dev/md127", tmp_path))
    else:
        with pytest.raises(ReconstructionStopped, match="has stopped"):
            follow(Shape("/dev/md127", tmp_path))


def test_one_that_is_taken_over_in_the_middle_is_finished_too() -> None:
    memory = decide(grown(reshaping=True), w.memory(w.known()), w.SETTINGS, w.NOW).memory
    assert memory.vds[0].growth == Growth("seen-5-5", 5, 5, begun=True)


# -- what people see


ALL = tuple(w.disk(bay) for bay in range(5))


@pytest.mark.parametrize(
    ("here", "working", "state"),
    [(ALL, 4, VdState.OPTIMAL), (ALL, 3, VdState.DEGRADED), (ALL[:4], 4, VdState.PARTIALLY_DEGRADED)],
)
def test_the_last_drive_is_in_no_slot_for_a_moment(here: tuple[Disk, ...], working: int, state: VdState) -> None:
    """md has the new level, and has not begun with the drive for the second parity; a loss is told all the same."""
    waiting = [replace(w.member(4, states="spare"), slot=None)] if len(here) == 5 else []
    members = [*(w.member(bay) for bay in range(working)), *waiting]
    world = w.world(here, w.running(w.array(*members, level=6, raid_disks=5, degraded=5 - working)))
    memory = decide(world, ordered(Growth("t", 6, 5, (NEW,))), w.SETTINGS, w.NOW).memory
    assert derive(w.scene(world, memory)).virtual_drives[0].state is state


def test_it_is_shown_as_reconstruction_and_not_as_a_fault() -> None:
    world = grown(level=6, degraded=1, sync_action="recover", sync_total=100, sync_done=25)
    memory = decide(world, ordered(Growth("t", 6, 5, (NEW,))), w.SETTINGS, w.NOW).memory
    vd = derive(w.scene(world, memory)).virtual_drives[0]
    assert (vd.state, vd.tolerance) == (VdState.OPTIMAL, 1)
    assert vd.progress is not None
    assert (vd.progress.kind, vd.progress.percent) == (Work.RECONSTRUCTION, 25.0)
    assert "becomes RAID6 of 5 drives" in vd.detail


def test_a_drive_that_is_chosen_is_no_blank_one_any_more() -> None:
    rows = derive(w.scene(of(newcomer(), parity_complete=False), ordered())).drives
    assert next(row.state for row in rows if row.bay == 4) is DriveState.UNCONFIGURED_GOOD


def test_an_order_outlives_raidd(tmp_path: Path) -> None:
    save(ordered(), tmp_path / "memory.json")
    assert load(tmp_path / "memory.json").vds == ordered().vds
