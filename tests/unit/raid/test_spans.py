"""RAID50, 60 and 00: what a span tells of its virtual drive, how the states are rolled up, what is started when."""

from dataclasses import replace

import pytest

from core.jobs import Job, JobState
from raid.actions import Mount, StartJob, Unmount
from raid.assemble import assemble, recovery
from raid.decide import decide
from raid.derive import derive
from raid.members import Readiness, can_lose, muster
from raid.memory import KnownVd, Memory, Slot, Stage
from raid.model import VdState
from raid.spans import family, outer_of, span_name, span_uuid, split, tops
from raid.sysfs import Member
from raid.world import Disk, Filesystem, Probe, Running, Volume, World
from tests.unit.raid import worlds as w

SLOTS = tuple(Slot(bay, w.serial(bay), "RACK DRIVE", w.SIZE) for bay in range(8))


def known(level: int, stage: Stage = Stage.READY) -> Memory:
    """RAID50 or 60 of eight drives in two spans."""
    vd = KnownVd("vd0", w.UUID, level, w.STRIP, SLOTS, stage, w.FS, spans=2)
    return w.memory(vd, vds=tuple(replace(one, initialized=True) for one in split(vd)))


def span(level: int, number: int, *gone: int, carries: str = "", state: str = "clean") -> Running:
    """The array of a span; gone: its slots without a drive."""
    bays = range((number - 1) * 4, number * 4)
    md = w.array(
        *(w.member(bay, slot) for slot, bay in enumerate(bays) if slot not in gone), device=f"md12{number}",
        level=level // 10, degraded=len(gone), state=state,
    )
    return Running(md, span_uuid(w.UUID, number), span_name("vd0", number, 2), "rackeye", 120, carries=carries)


def upper(volume: Volume = w.MOUNTED) -> Running:
    """The RAID0 over both; md calls it clean whatever becomes of its spans."""
    members = tuple(Member(f"md12{number}", number - 1, frozenset({"in_sync"}), True, 0) for number in (1, 2))
    return w.running(w.array(*members, device="md127", level=0, raid_disks=2, degraded=0), volume=volume)


def disks(*gone: int) -> tuple[Disk, ...]:
    return tuple(w.disk(bay) for bay in range(8) if bay not in gone)


@pytest.mark.parametrize(
    ("level", "first", "second", "state", "tolerance"),
    [
        (50, (), (), VdState.OPTIMAL, 1),
        (50, (1,), (), VdState.DEGRADED, 0),
        (50, (1,), (2,), VdState.DEGRADED, 0),
        (50, (1, 2), (), VdState.FAILED, 0),
        (60, (), (), VdState.OPTIMAL, 2),
        (60, (0,), (), VdState.PARTIALLY_DEGRADED, 1),
        (60, (0,), (0, 1), VdState.DEGRADED, 0),
        (60, (0, 1), (2, 3), VdState.DEGRADED, 0),
        (60, (), (0, 1, 2), VdState.FAILED, 0),
    ],
)
def test_the_state_is_that_of_the_worst_span_though_md_says_clean(
    level: int, first: tuple[int, ...], second: tuple[int, ...], state: VdState, tolerance: int
) -> None:
    gone = (*first, *(4 + slot for slot in second))
    of = w.world(disks(*gone), upper(), span(level, 1, *first), span(level, 2, *second))
    told = derive(w.scene(of, known(level)))
    (vd,) = told.virtual_drives
    assert (vd.state, vd.tolerance, vd.level, vd.bays) == (state, tolerance, level, tuple(range(8)))
    assert (vd.mountpoint is None) == (state is VdState.FAILED)
    assert len(vd.spans) == 2
    missing = [drive for drive in told.drives if drive.device is None]
    assert [(drive.vd, drive.slot, drive.span) for drive in missing] == [("vd0", bay, bay // 4 + 1) for bay in gone]


def test_with_a_span_lost_it_is_unmounted_then_stopped_and_the_span_after_it() -> None:
    lost = span(50, 1, 1, 2)
    first = decide(w.world(disks(1, 2), upper(), lost, span(50, 2)), known(50), w.SETTINGS, w.NOW).actions
    assert [type(action) for action in first] == [Unmount]
    second = decide(w.world(disks(1, 2), upper(Volume()), lost, span(50, 2)), known(50), w.SETTINGS, w.NOW).actions
    assert [(action.kind, action.vd) for action in second if isinstance(action, StartJob)] == [("stop", "vd0")]
    third = decide(w.world(disks(1, 2), lost, span(50, 2)), known(50), w.SETTINGS, w.NOW).actions
    assert [(action.kind, action.vd) for action in third if isinstance(action, StartJob)] == [("stop", "vd0.1of2")]


def test_spans_are_started_first_then_what_is_built_on_them() -> None:
    def on(bay: int) -> Probe:
        number = bay // 4 + 1
        block = w.superblock(bay % 4, array_uuid=span_uuid(w.UUID, number), name=f"rackeye:vd0.{number}of2")
        return Probe(("linux_raid_member",), block)

    asleep = w.world(tuple(w.disk(bay, on(bay)) for bay in range(8)))
    jobs = [action for action in decide(asleep, known(50), w.SETTINGS, w.NOW).actions if isinstance(action, StartJob)]
    assert [job.vd for job in jobs] == ["vd0.1of2", "vd0.2of2"]
    half = w.world((*disks(4, 5, 6, 7), *(w.disk(bay, on(bay)) for bay in range(4, 8))), span(50, 1))
    jobs = [action for action in decide(half, known(50), w.SETTINGS, w.NOW).actions if isinstance(action, StartJob)]
    assert [job.vd for job in jobs] == ["vd0.2of2"]
    both = w.world(disks(), span(50, 1, carries=w.UUID), span(50, 2, carries=w.UUID))
    (job,) = decide(both, known(50), w.SETTINGS, w.NOW).actions
    assert isinstance(job, StartJob)
    assert (job.kind, job.vd, job.steps[0][-2:]) == ("assemble", "vd0", ("/dev/md121", "/dev/md122"))
    alone = Memory(adopting=True)
    adopted = decide(asleep, alone, w.SETTINGS, w.NOW).memory
    assert [(vd.name, vd.uuid, vd.level, vd.spans) for vd in tops(adopted)] == [("vd0", w.UUID, 50, 2)]
    assert len(adopted.vds) == 3


@pytest.mark.parametrize("carries", ["", "an old one"])
def test_the_upper_array_is_made_over_whole_stripes_of_its_spans(carries: str) -> None:
    both = w.world(disks(), span(50, 1, carries=carries), span(50, 2, carries=w.UUID))
    (job,) = decide(both, known(50, Stage.CREATING), w.SETTINGS, w.NOW).actions
    assert isinstance(job, StartJob)
    assert {"--level=0", "--chunk=768", "--data-offset=1536", f"--uuid={w.UUID}"} < set(job.steps[0])


def test_an_intent_becomes_arrays_that_tell_of_it() -> None:
    made = known(60, Stage.CREATING)
    outer, *spans = made.vds
    assert [one.name for one in family(outer, made)] == ["vd0", "vd0.1of2", "vd0.2of2"]
    for one in spans:
        told = outer_of(one)
        assert told is not None
        assert (told.uuid, told.name, told.level, told.spans) == (outer.uuid, "vd0", 60, 2)
    fresh = w.world(
        disks(), upper(Volume(read=True, blank=True)), span(60, 1), span(60, 2)
    )
    decision = decide(fresh, made, w.SETTINGS, w.NOW)
    assert [vd.stage for vd in decision.memory.vds] == [Stage.FORMATTING, Stage.READY, Stage.READY]
    (job,) = decision.actions
    assert isinstance(job, StartJob)
    assert "su=262144,sw=4" in job.steps[1]


def test_a_deleted_one_goes_from_the_top_down() -> None:
    memory = known(50)
    memory = replace(memory, vds=tuple(replace(vd, stage=Stage.DELETING) for vd in memory.vds))
    unmounted = Volume(read=True, filesystem=Filesystem(w.FS, True, w.STRIP, 6 * w.STRIP))
    jobs = decide(w.world(disks(), upper(unmounted), span(50, 1), span(50, 2)), memory, w.SETTINGS, w.NOW).actions
    assert [action.vd for action in jobs if isinstance(action, StartJob)] == ["vd0"]
    jobs = decide(w.world(disks(), span(50, 1), span(50, 2)), memory, w.SETTINGS, w.NOW).actions
    assert [action.vd for action in jobs if isinstance(action, StartJob)] == ["vd0.1of2", "vd0.2of2"]
    blank = World(w.BOOT, tuple(w.disk(bay, w.BLANK) for bay in range(8)))
    left = decide(blank, memory, w.SETTINGS, w.NOW).memory
    assert [vd.name for vd in left.vds] == ["vd0"]
    assert decide(blank, left, w.SETTINGS, w.NOW).memory.vds == ()


@pytest.mark.parametrize(
    ("left", "more"), [({0, 1, 2, 3}, 1), ({0, 1, 2}, 0), ({0, 2}, 0), ({1, 2}, 0), ({0, 1}, -1), ({2, 3}, -1)]
)
def test_raid10_bears_one_of_each_pair(left: set[int], more: int) -> None:
    assert can_lose(10, 4, frozenset(left)) == more
    of = w.asleep(*(
        Probe(("linux_raid_member",), w.superblock(slot, level=10, layout=0x102)) if slot in left else w.BLANK
        for slot in range(4)
    ))
    ready = muster(w.known(level=10), of).readiness
    assert ready is (Readiness.COMPLETE if len(left) == 4 else Readiness.DEGRADED if more >= 0 else Readiness.TOO_FEW)


def test_a_raid10_is_recovered_from_the_freshest_of_each_pair() -> None:
    of = w.asleep(*(
        Probe(("linux_raid_member",), w.superblock(slot, events=events, level=10, layout=0x102))
        for slot, events in enumerate((100, 90, 80, 70))
    ))
    plan = recovery(w.known(level=10), w.scene(of))
    assert plan is not None
    assert [member.superblock.role for member in plan.chosen] == [0, 2]


def test_two_out_of_different_pairs_go_on() -> None:
    mirror = w.array(w.member(0), w.member(3), level=10, layout=0x102)
    of = w.world((w.disk(0), w.disk(3)), w.running(mirror))
    decision = decide(of, w.memory(w.known(level=10)), w.SETTINGS, w.NOW)
    assert not any(isinstance(action, Unmount) for action in decision.actions)
    (vd,) = derive(w.scene(of, w.memory(w.known(level=1)))).virtual_drives
    assert (vd.state, vd.tolerance) == (VdState.DEGRADED, 0)


def test_a_span_that_was_recovered_has_its_virtual_drives_file_system_made_whole_before_it_is_mounted() -> None:
    def recovered(kind: str, array: str, started: float) -> Job:
        return Job(f"{array}-{kind}-1", kind, array, (), JobState.DONE, w.BOOT, started, ended=started + 1)

    old = (recovered("recover", "vd0.2of2", w.NOW - 60),)
    of = w.world(disks(), upper(w.UNMOUNTED), span(60, 1), span(60, 2), jobs=old)
    (mend,) = [action for action in decide(of, known(60), w.SETTINGS, w.NOW).actions if isinstance(action, StartJob)]
    assert (mend.kind, mend.vd, mend.steps[0][-1]) == ("mend", "vd0", "/dev/md127")
    whole = replace(of, jobs=(*old, recovered("mend", "vd0", w.NOW - 50)))
    assert [type(action) for action in decide(whole, known(60), w.SETTINGS, w.NOW).actions] == [Mount]


def test_the_recovery_of_a_span_touches_no_file_system_on_it() -> None:
    """What looks like one at its beginning is of an array that is no more."""
    (vd,) = [one for one in known(60).vds if one.name == "vd0.1of2"]
    blocks = (
        Probe(("linux_raid_member",), w.superblock(slot, level=6, array_uuid=vd.uuid, events=events))
        for slot, events in enumerate((100, 90, 80))
    )
    of, memory = w.asleep(*blocks), known(60)
    memory = replace(memory, fleeting=replace(memory.fleeting, recover=(w.wish(of, vd),)))
    (job,) = [a for a in assemble(vd, None, w.scene(of, memory)) if isinstance(a, StartJob)]
    assert job.kind == "recover"
    assert [step[0] for step in job.steps] == ["mdadm"]
