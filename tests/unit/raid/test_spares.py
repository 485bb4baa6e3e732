"""Each rule of docs/design/spares.md as a row: which spare is taken, read, given up; by hand, and how fast."""

from dataclasses import replace

import pytest

from core.jobs import Job, JobState
from core.settings import Rates
from raid import rates
from raid.actions import PollSpare, PrepareRunner, RemoveMember, SetSpeed, StartJob
from raid.decide import decide
from raid.derive import derive
from raid.memory import FailedDrive, Fleeting, Memory, Slot, Spare
from raid.model import DriveState
from raid.smart_model import Smart, SmartHealth
from raid.spare_model import SpareState
from raid.spares import idle
from raid.world import Disk, SpareRead
from raid.world import Probe as OnDisk
from tests.unit.raid import worlds as w
from tests.unit.raid.spare_worlds import (
    GIB,
    SERVING,
    drive,
    jobs,
    remembered,
    serving,
    spare,
    stands_in,
    told,
    with_reads,
)

# -- taking


def test_a_spare_takes_over_and_it_is_remembered_before_the_job() -> None:
    of = with_reads(w.pulled(2, drive()), drive())
    decision = decide(of, remembered(spare()), w.SETTINGS, w.NOW)
    (job,) = decision.actions
    assert isinstance(job, StartJob)
    assert (job.kind, job.steps) == ("spare", (("mdadm", "/dev/md127", "--add", "/dev/sdp"),))
    assert job.at_once
    assert decision.memory.spares == (spare(serving=SERVING),)


def test_it_takes_over_in_the_very_look_that_sees_the_pull() -> None:
    md = w.array(*(w.member(bay, present=bay != 2) for bay in range(4)))
    of = with_reads(w.world((*(w.disk(b) for b in (0, 1, 3)), drive()), w.running(md)), drive())
    kinds = [type(action).__name__ for action in decide(of, remembered(spare()), w.SETTINGS, w.NOW).actions]
    assert kinds == ["FailMember", "StartJob", "RemoveMember"], "the spare does not wait until md lets go of the other"


@pytest.mark.parametrize(
    ("memory", "job", "wanted"),
    [
        pytest.param(remembered(spare()), None, True, id="a spare is ready"),
        pytest.param(remembered(), None, False, id="no spare"),
        pytest.param(remembered(spare(fault="It does not read.")), None, False, id="no good one"),
        pytest.param(remembered(spare()), JobState.RUNNING, False, id="a job has the CPU"),
        pytest.param(remembered(spare()), JobState.DONE, True, id="the job has ended"),
    ],
)
def test_a_runner_is_loaded_while_a_spare_is_ready(memory: Memory, job: JobState | None, wanted: bool) -> None:
    done = () if job is None else (Job("vd0-check-1", "check", "vd0", (), job, w.BOOT, w.NOW - 60, ended=w.NOW - 50),)
    of = with_reads(replace(w.healthy(), disks=(*w.healthy().disks, drive()), jobs=done, runner=False), drive())
    assert (PrepareRunner() in decide(of, memory, w.SETTINGS, w.NOW).actions) is wanted
    there = decide(replace(of, runner=True), memory, w.SETTINGS, w.NOW)
    assert PrepareRunner() not in there.actions


def test_it_takes_over_from_a_failed_drive_that_is_still_there() -> None:
    md = w.array(w.member(0), w.member(1), w.member(2, states="faulty"), w.member(3))
    of = with_reads(w.world((*(w.disk(b) for b in range(4)), drive()), w.running(md)), drive())
    (job,) = jobs(of, remembered(spare()))
    assert job.kind == "spare"


def test_the_failed_drive_leaves_once_the_spare_has_its_place() -> None:
    onto = replace(w.member(2, states="spare"), device="sdp")
    md = w.array(w.member(0), w.member(1), replace(w.member(2, states="faulty"), slot=None), w.member(3), onto,
                 sync_action="recover", sync_total=100)  # fmt: skip
    of = w.world((*(w.disk(b) for b in range(4)), drive(probe=None)), w.running(md))
    memory = remembered(spare(serving=SERVING), failed=(FailedDrive("SN0002", "vd0", 12, w.BOOT),))
    decision = decide(of, memory, w.SETTINGS, w.NOW)
    assert RemoveMember("md127", "sdc", "vd0") in decision.actions
    assert decision.memory.spares == memory.spares
    rows = {row.bay: row for row in told(of, memory).drives}
    assert (rows[2].state, rows[2].vd, rows[2].slot) == (DriveState.FAILED, "vd0", 2)
    assert rows[5].state is DriveState.REBUILD


@pytest.mark.parametrize(
    ("disk", "one"),
    [
        pytest.param(drive(probe=w.EXT4), spare(), id="holds data"),
        pytest.param(drive(probe=None), spare(), id="not read yet"),
        pytest.param(drive(probe=OnDisk(error="It cannot be read.")), spare(), id="unreadable"),
        pytest.param(drive(protected="It carries the system."), spare(), id="system"),
        pytest.param(drive(held_by=("dm-3",)), spare(), id="in use"),
        pytest.param(drive(size=w.COMPONENT + w.OFFSET - 1), spare(), id="too small"),
        pytest.param(drive(diskseq=1000), spare(), id="not settled"),
        pytest.param(drive(), spare(dedicated="other"), id="of another virtual drive"),
        pytest.param(drive(), spare(fault="It does not read."), id="faulty"),
        pytest.param(drive(serial="OTHER"), spare(), id="another drive in its bay"),
    ],
)
def test_nothing_else_is_taken(disk: Disk, one: Spare) -> None:
    other = replace(w.known(), uuid="other", name="vd9")
    memory = replace(remembered(one), vds=(w.known(), other))
    assert [job.kind for job in jobs(with_reads(w.pulled(2, disk), disk), memory)] == []


@pytest.mark.parametrize(
    ("disk", "smart", "state"),
    [
        pytest.param(drive(), Smart(), SpareState.READY, id="good"),
        pytest.param(drive(), Smart(SmartHealth.WATCH, "8 sectors."), SpareState.READY, id="worth an eye"),
        pytest.param(drive(), Smart(SmartHealth.FAILING, "Worn."), SpareState.FAILED, id="expected to fail"),
        pytest.param(drive(held_by=("dm-3",)), Smart(), SpareState.NOT_BLANK, id="in use"),
        pytest.param(drive(probe=w.EXT4), Smart(), SpareState.NOT_BLANK, id="holds data"),
        pytest.param(drive(protected="It carries the system."), Smart(), SpareState.NOT_BLANK, id="system"),
        pytest.param(drive(probe=OnDisk(error="It cannot be read.")), Smart(), SpareState.FAILED, id="unreadable"),
    ],
)
def test_ready_is_said_only_of_one_that_would_be_taken(disk: Disk, smart: Smart, state: SpareState) -> None:
    of = replace(with_reads(w.pulled(2, disk), disk), smart=((disk.name, smart),))
    scene = w.scene(of, remembered(spare()))
    (view,) = derive(scene).spares
    assert view.state is state
    assert (view.state is SpareState.READY) is (idle(spare(), scene) is not None)
    assert bool(view.detail) is (state is not SpareState.READY)


@pytest.mark.parametrize("level", [0])
def test_a_level_without_redundancy_never(level: int) -> None:
    of = w.pulled(2, drive())
    md = replace(of.arrays[0].md, level=level)
    of = replace(with_reads(of, drive()), arrays=(replace(of.arrays[0], md=md),))
    assert jobs(of, replace(remembered(spare()), vds=(w.known(level=level),))) == []


def test_no_spare_while_a_rebuild_or_a_migration_runs() -> None:
    of = with_reads(w.pulled(2, drive()), drive())
    md = replace(of.arrays[0].md, sync_action="reshape", sync_total=10)
    assert {job.kind for job in jobs(replace(of, arrays=(replace(of.arrays[0], md=md),)), remembered(spare()))} <= {
        "reshape"  # which does nothing but wait for md
    }


def test_a_drive_in_the_very_bay_comes_before_a_spare() -> None:
    fresh = w.newcomer(2, w.BLANK)
    (job,) = jobs(with_reads(w.pulled(2, fresh, drive()), drive()), remembered(spare()))
    assert job.kind == "add"
    back = w.disk(2, w.probe(2), name="sdm", diskseq=52)
    (job,) = jobs(with_reads(w.pulled(2, back, drive()), drive()), remembered(spare()))
    assert job.kind == "re-add"


def order(memory: Memory, *disks: Disk) -> str:
    (job,) = jobs(with_reads(w.pulled(2, *disks), *disks), memory)
    return job.drives[0].serial


def test_dedicated_before_global_then_the_smallest_then_the_bay() -> None:
    disks = (drive(5, size=w.SIZE + 2 * GIB), drive(6, size=w.SIZE + GIB), drive(7, size=w.SIZE + GIB))
    three = (spare(5), spare(6), spare(7))
    assert order(remembered(*three), *disks) == "NEW0006"
    assert order(remembered(spare(5, dedicated=w.UUID), *three[1:]), *disks) == "NEW0005"


def test_capacities_are_compared_in_whole_gib() -> None:
    replaced = w.known().slots
    big = tuple(replace(slot, size=4 * GIB + 700 * w.MIB) for slot in replaced)
    memory = replace(remembered(spare()), vds=(w.known(slots=big),))
    same = drive(size=4 * GIB + 100 * w.MIB)
    less = drive(size=4 * GIB - 1)
    assert len(jobs(with_reads(w.pulled(2, same), same), memory)) == 1
    assert jobs(with_reads(w.pulled(2, less), less), memory) == []


def test_with_affinity_its_own_side_comes_first_and_the_other_last() -> None:
    left = tuple(replace(slot, backplane="left") for slot in w.known().slots)
    disks = (drive(5, backplane="right"), drive(6), drive(7, backplane="left"))

    def choose(*spares: Spare) -> str:
        memory = replace(remembered(*spares), vds=(w.known(slots=left),))
        return order(memory, *disks)

    assert choose(spare(5, affinity=True), spare(6), spare(7, affinity=True)) == "NEW0007"
    assert choose(spare(5, affinity=True), spare(6)) == "NEW0006"
    assert choose(spare(5, affinity=True)) == "NEW0005"


def test_one_spare_goes_to_the_one_that_bears_least() -> None:
    uuid = "bbbbbbbb:22334455:66778899:aabbccdd"
    six = replace(w.known(level=6), uuid=uuid, name="vd1", slots=tuple(
        Slot(10 + bay, f"SIX{bay}", "RACK DRIVE", w.SIZE) for bay in range(4)
    ))
    three = tuple(replace(w.member(bay), device=f"sdx{bay}") for bay in (0, 1, 3))
    disks6 = tuple(
        replace(w.disk(bay), name=f"sdx{bay}", bay=10 + bay, serial=f"SIX{bay}", diskseq=70 + bay) for bay in (0, 1, 3)
    )
    md6 = replace(w.array(*three), device="md126", level=6)
    of = w.pulled(2, drive(), *disks6)
    of = with_reads(replace(of, arrays=(replace(w.running(md6), uuid=uuid, name="vd1"), *of.arrays)), drive())
    memory = replace(remembered(spare()), vds=(six, w.known()))
    assert [job.vd for job in jobs(of, memory)] == ["vd0"]


def test_a_spare_that_md_refused_is_tried_after_the_others() -> None:
    steps = (("mdadm", "/dev/md127", "--add", "/dev/sdp"),)
    failed = Job("vd0-spare-1", "spare", "vd0", steps, JobState.FAILED, w.BOOT, w.NOW - 90, ended=w.NOW - 80)
    of = replace(with_reads(w.pulled(2, drive(5), drive(6)), drive(5), drive(6)), jobs=(failed,))
    (job,) = jobs(of, remembered(spare(5), spare(6)))
    assert job.drives[0].serial == "NEW0006"


def test_a_take_that_came_to_nothing_frees_the_spare_but_not_at_once() -> None:
    memory = remembered(spare(serving=SERVING))
    steps = (("mdadm", "/dev/md127", "--add", "/dev/sdp"),)
    job = Job("vd0-spare-1", "spare", "vd0", steps, JobState.DONE, w.BOOT, w.NOW - 9, ended=w.NOW - 1)
    of = replace(with_reads(w.pulled(2, drive()), drive()), jobs=(job,))
    assert decide(of, memory, w.SETTINGS, w.NOW).memory.spares[0].serving == SERVING
    later = decide(of, memory, w.SETTINGS, w.NOW + 10)
    assert [action.kind for action in later.actions if isinstance(action, StartJob)] == ["spare"]


# -- reading


def test_spares_are_read_at_least_every_minute_and_one_in_use_is_not() -> None:
    of = replace(w.healthy(), disks=(*w.healthy().disks, drive()))
    ask = PollSpare("sdp", 55, 5, "NEW0005")
    assert decide(of, remembered(spare()), w.SETTINGS, w.NOW).actions == (ask,)
    assert decide(with_reads(of, drive()), remembered(spare()), w.SETTINGS, w.NOW).actions == ()
    assert decide(with_reads(of, drive()), remembered(spare()), w.SETTINGS, w.NOW + 25).actions == (ask,)
    assert decide(stands_in(), serving(), w.SETTINGS, w.NOW).actions == ()


@pytest.mark.parametrize(
    "read",
    [
        SpareRead(55, w.NOW - 1, "It does not read: Input/output error."),
        SpareRead(55, w.NOW - 31, pending=True),
    ],
)
def test_one_that_does_not_read_is_failed_for_good_and_never_chosen(read: SpareRead) -> None:
    of = replace(w.pulled(2, drive()), spare_reads=(read,))
    decision = decide(of, remembered(spare()), w.SETTINGS, w.NOW)
    assert not [action for action in decision.actions if isinstance(action, StartJob)]
    said = derive(w.scene(of, decision.memory))
    assert said.spares[0].state is SpareState.FAILED
    assert next(row for row in said.drives if row.bay == 5).state is DriveState.FAILED
    later = with_reads(of, drive())
    assert decide(later, decision.memory, w.SETTINGS, w.NOW + 60).memory.spares[0].fault


# -- before a drive of the virtual drive's own


def test_it_takes_over_when_the_new_drive_in_the_bay_cannot_be_added() -> None:
    new = w.newcomer(2, w.BLANK)
    of = with_reads(w.pulled(2, new, drive()), drive())
    memory = remembered(spare())
    (first,) = jobs(of, memory)
    assert first.kind == "add", "the drive in the very bay goes before the spare"
    for ago in (40.0, 4000.0):
        failed = Job("vd0-add-1", "add", "vd0", first.steps, JobState.FAILED, w.BOOT, w.NOW - ago, ended=w.NOW - ago)
        assert [job.kind for job in jobs(replace(of, jobs=(failed,)), memory)] == ["spare"]


@pytest.mark.parametrize("health", [SmartHealth.GOOD, SmartHealth.FAILING])
def test_it_goes_before_a_former_member_that_is_expected_to_fail(health: SmartHealth) -> None:
    """It would be written anew in full, bad as it is."""
    old = w.disk(2, replace(w.probe(2, 3), signatures=("linux_raid_member",)))
    of = with_reads(w.pulled(2, old, drive()), drive())
    without = replace(of.arrays[0], md=replace(of.arrays[0].md, bitmap=False))
    of = replace(of, arrays=(without,), smart=((old.name, Smart(health=health)),))
    assert [job.kind for job in jobs(of, remembered(spare()))] == (
        ["spare"] if health is SmartHealth.FAILING else ["rebuild"]
    )


# -- by hand, and how fast


def test_a_drive_that_a_person_names_is_used_from_whatever_bay() -> None:
    named = w.memory(fleeting=Fleeting(w.NOW - 600, w.memory().fleeting.seen, named=(("NEW0005", w.UUID),)))
    (job,) = jobs(w.pulled(2, drive()), named)
    assert job.kind == "add"
    assert jobs(w.pulled(2, drive(probe=w.EXT4)), named) == []


def test_per_cent_is_of_what_the_drives_can_do() -> None:
    settings = replace(w.SETTINGS, sync_speed_min=0, rates=Rates(rebuild=20, initialization=40, check=10))
    known = w.known()

    def limit(**changes: object) -> int:
        of = w.world(tuple(w.disk(b, rotational=True) for b in range(4)),
                     w.running(w.array(*(w.member(b) for b in range(4)), **changes)))  # fmt: skip
        scene = replace(w.scene(of), settings=settings)
        return rates.speed_min(replace(known, initialized=False), of.arrays[0], scene)

    assert limit() == rates.ABLE * 20 // 100
    assert limit(sync_action="resync") == rates.ABLE * 40 // 100
    assert limit(sync_action="check") == rates.ABLE * 10 // 100


def test_what_was_seen_to_be_faster_raises_the_limit_at_once() -> None:
    settings = replace(w.SETTINGS, sync_speed_min=0)
    speed = 600_000 * 1024
    md = w.array(*(w.member(b) for b in range(4)), sync_action="check", sync_total=9, sync_speed=speed)
    of = w.world(tuple(w.disk(b) for b in range(4)), w.running(md))
    assert SetSpeed("md127", 180_000) in decide(of, w.memory(), settings, w.NOW).actions


def test_a_higher_rate_is_never_a_lower_limit() -> None:
    """What the drives are taken to do is the same at each rate (it was judged by the rate: 50 % was less than 30 %)."""
    for seen in (70_000, 158_628, 300_000, 600_000):
        md = w.array(*(w.member(b) for b in range(4)), sync_action="check", sync_total=9, sync_speed=seen * 1024)
        of = w.world(tuple(w.disk(b) for b in range(4)), w.running(md))
        known = decide(of, w.memory(), w.SETTINGS, w.NOW).memory
        limits = []
        for share in range(1, 101):
            settings = replace(w.SETTINGS, sync_speed_min=0, rates=Rates(check=share))
            (limit,) = [a for a in decide(of, known, settings, w.NOW).actions if isinstance(a, SetSpeed)]
            limits.append(limit.kib_per_second)
        assert limits == sorted(limits)
        assert limits[-1] == max(rates.ABLE, seen), "all of what it can do, and no more"


def test_a_spare_dedicated_to_a_virtual_drive_of_spans_serves_each_span() -> None:
    whole = replace(w.known(), uuid="whole", level=50, slots=(), spans=2)
    span = w.known(name="vd0.1of2")
    of = w.pulled(2, drive())
    of = with_reads(replace(of, arrays=(replace(of.arrays[0], name="vd0.1of2"),)), drive())
    (job,) = jobs(of, replace(remembered(spare(dedicated="whole")), vds=(whole, span)))
    assert (job.kind, job.vd) == ("spare", "vd0.1of2")


def test_none_goes_to_a_virtual_drive_that_a_person_stopped_or_deletes() -> None:
    of = with_reads(w.pulled(2, drive()), drive())
    stopped = replace(remembered(spare()), vds=(w.known(stopped=True),))
    assert [job.kind for job in jobs(of, stopped)] in ([], ["stop"])
