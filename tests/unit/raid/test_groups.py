"""Several virtual drives in one drive group: the table on the array, the plans, and each step from any point at which
the power may have been cut."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import PlanImpossible
from raid import gpt
from raid.actions import Action, Mount, StartJob, TellParts, Unmount
from raid.assemble import assemble
from raid.cutting import Part, add_argv, remove_argv
from raid.decide import decide
from raid.derive import derive
from raid.gpt import MIB, Entry, Table
from raid.memory import KnownVd, Memory, Stage
from raid.model import CheckResult, CheckVerdict, DriveState, VdState, Work
from raid.model_plan import PlannedVd, PlanSimpleRequest
from raid.plan import plan_simple
from raid.plan_group import intents
from raid.slices import first_start, free_places
from raid.spans import family
from raid.teardown import stop_argv
from raid.world import Cut, Filesystem, Running, Slice, Volume, World
from tests.unit.raid import worlds as w

FIRST, SECOND = "aaaaaaaa:00000000:00000000:00000001", "aaaaaaaa:00000000:00000000:00000002"
STRIPE = 3 * w.STRIP
START = first_start(STRIPE)
SIZE = 1000 * STRIPE
LATER = START + SIZE
FS = Filesystem(w.FS, complete=True, unit=w.STRIP, width=3 * w.STRIP)
DISKS = tuple(w.disk(bay) for bay in range(4))
ALL_IN = w.array(*(w.member(bay) for bay in range(4)))
DEVICE_SIZE = 2 * 1024 * MIB


def part(name: str, uuid: str, start: int, **changes: object) -> KnownVd:
    made = KnownVd(name, uuid, 5, w.STRIP, (), Stage.READY, w.FS, group=w.UUID, start=start, size=SIZE)
    return replace(made, **changes)  # type: ignore[arg-type]


GROUP = w.known(name="dg0.group", filesystem="")
VD0, VD1 = part("vd0", FIRST, START), part("vd1", SECOND, LATER)


def remembered(*vds: KnownVd, group: KnownVd = GROUP) -> Memory:
    return w.memory(group, vds=(group, *vds))


BOTH = remembered(VD0, VD1)


def volume(name: str) -> Volume:
    return Volume(mountpoint=f"/srv/rackeye/{name}", prepared=True)


def seen(vd: KnownVd, at: Volume | None = None, device: str | None = None) -> Slice:
    number = 1 if vd.start == START else 2
    name = f"md127p{number}" if device is None else device
    return Slice(vd.uuid, vd.name, vd.start, vd.size, name, f"259:{number}", at or volume(vd.name))


CUT = Cut(ours=True, slices=(seen(VD0), seen(VD1)))


def running(cut: Cut | None = CUT, md: object = ALL_IN) -> Running:
    made = replace(w.running(ALL_IN, volume=Volume()), name="dg0.group", cut=cut)
    return replace(made, md=md)  # type: ignore[arg-type]


def done(of: World, memory: Memory) -> list[Action]:
    return list(decide(of, memory, w.SETTINGS, w.NOW).actions)


def steps(of: World, memory: Memory) -> list[tuple[str, tuple[str, ...]]]:
    return [(a.vd, a.steps[0]) for a in done(of, memory) if isinstance(a, StartJob)]


# -- the table


@pytest.mark.parametrize("sector", [512, 4096])
def test_a_table_is_read_as_it_was_written_from_either_copy(sector: int) -> None:
    table = Table(w.UUID).with_entry(FIRST, "vd0", START, SIZE).with_entry(SECOND, "vd1", LATER, SIZE)
    head, tail = gpt.build(table, DEVICE_SIZE, sector)
    blank = bytes(gpt.LENGTH)
    assert gpt.parse(head, tail, DEVICE_SIZE, sector) == table
    assert gpt.parse(blank, tail, DEVICE_SIZE, sector) == table
    assert gpt.parse(head, blank, DEVICE_SIZE, sector) == table
    assert gpt.parse(blank, blank, DEVICE_SIZE, sector) is None
    assert gpt.parse(head, tail, DEVICE_SIZE + sector, sector) == table, "the first copy is enough"
    assert [(one.uuid, one.ours, one.number) for one in table.entries] == [(FIRST, True, 1), (SECOND, True, 2)]
    assert table.without(FIRST).with_entry(FIRST, "x", START, SIZE).entries[0].number == 1
    for start in (START, START + SIZE - 1, LATER - 1):
        with pytest.raises(ValueError, match="taken"):
            table.with_entry("b" * 8 + FIRST[8:], "vd2", start, 2)


@given(st.integers(0, 2 * gpt.LENGTH // 512))
def test_a_power_cut_while_it_is_written_leaves_the_old_table_or_the_new_one(sectors: int) -> None:
    old = Table(w.UUID).with_entry(FIRST, "vd0", START, SIZE)
    new = old.with_entry(SECOND, "vd1", LATER, SIZE)
    (old_head, old_tail), (head, tail) = (gpt.build(one, DEVICE_SIZE, 512) for one in (old, new))
    cut = 512 * sectors  # the second copy is written first
    left = tail[:cut] + old_tail[cut:] if cut < gpt.LENGTH else tail
    first = head[: cut - gpt.LENGTH] + old_head[cut - gpt.LENGTH :] if cut > gpt.LENGTH else old_head
    assert gpt.parse(first, left, DEVICE_SIZE, 512) in (old, new)


def test_what_is_not_ours_is_kept_and_its_place_is_not_free() -> None:
    other = Entry(1, "0fc63daf-8483-4772-8e79-3d69d8477de4", "11111111-2222-3333-4444-555555555555", START, SIZE, "x")
    table = Table(w.UUID, (other,))
    head, tail = gpt.build(table, DEVICE_SIZE, 512)
    assert gpt.parse(head, tail, DEVICE_SIZE, 512) == table
    assert not other.ours
    cut = Cut(ours=True, others=((START, SIZE),))
    md = w.array(*(w.member(bay) for bay in range(4)), size=2 * SIZE + START + 2 * MIB)
    (free,) = free_places(GROUP, running(cut, md), remembered())
    assert free[0] == LATER


# -- step by step


def test_an_intent_becomes_an_array_then_an_entry_then_a_partition_then_a_volume() -> None:
    making = remembered(replace(VD0, stage=Stage.CREATING), group=replace(GROUP, stage=Stage.CREATING))
    ((name, create),) = steps(w.asleep(*[w.BLANK] * 4), making)
    assert (name, create[:3]) == ("dg0.group", ("mdadm", "--create", "/dev/md/dg0.group"))
    bare = w.world(DISKS, running(Cut()))
    place = Part(FIRST, "vd0", START, SIZE)
    assert steps(bare, making) == [("vd0", add_argv("/dev/md127", w.UUID, place, first=True))]
    entered = w.world(DISKS, running(Cut(ours=True, slices=(seen(VD0, Volume(), ""),))))
    assert [a for a in done(entered, making) if isinstance(a, TellParts)] == [TellParts("md127", w.UUID, "dg0")]
    told = w.world(DISKS, running(Cut(ours=True, slices=(seen(VD0, Volume(read=True, blank=True)),))))
    learnt = decide(told, making, w.SETTINGS, w.NOW).memory
    assert [one.stage for one in learnt.vds] == [Stage.READY, Stage.FORMATTING]
    ((name, wipe),) = steps(told, learnt)
    assert (name, wipe[-1]) == ("vd0", "/dev/md127p1")
    whole = w.world(DISKS, running(Cut(ours=True, slices=(seen(VD0, Volume(read=True, filesystem=FS)),))))
    assert Mount("vd0", "/dev/md127p1") in done(whole, learnt)
    mounted = w.world(DISKS, running(Cut(ours=True, slices=(seen(VD0),))))
    assert decide(mounted, learnt, w.SETTINGS, w.NOW).memory.vd("vd0") == VD0


def test_a_table_that_is_lost_is_not_made_anew_where_a_virtual_drive_was() -> None:
    of = w.world(DISKS, running(Cut()))
    assert not steps(of, remembered(VD0))
    one_more = remembered(VD0, replace(VD1, stage=Stage.CREATING))
    place = Part(SECOND, "vd1", LATER, SIZE)
    assert steps(of, one_more) == [("vd1", add_argv("/dev/md127", w.UUID, place, first=False))], "cutting refuses it"
    (vd,) = derive(w.scene(of, remembered(VD0))).virtual_drives
    assert vd.state is VdState.UNKNOWN
    assert str(START) in vd.detail


def test_while_the_table_cannot_be_read_nothing_is_done_about_what_it_holds() -> None:
    of = w.world(DISKS, running(None))
    for stage in Stage:
        memory = remembered(replace(VD0, stage=stage), VD1)
        assert not steps(of, memory)
        assert decide(of, memory, w.SETTINGS, w.NOW).memory.vd("vd0") is not None
    assert {vd.state for vd in derive(w.scene(of, BOTH)).virtual_drives} == {VdState.UNKNOWN}


def test_one_is_deleted_while_the_other_stays_mounted() -> None:
    leaving = remembered(replace(VD0, stage=Stage.DELETING), VD1)
    (unmount,) = done(w.world(DISKS, running()), leaving)
    assert isinstance(unmount, Unmount)
    assert (unmount.vd, unmount.discard) == ("vd0", True)
    unmounted = w.world(DISKS, running(Cut(ours=True, slices=(seen(VD0, Volume(read=True)), seen(VD1)))))
    assert steps(unmounted, leaving) == [("vd0", remove_argv("/dev/md127", w.UUID, FIRST))]
    out = w.world(DISKS, running(Cut(ours=True, slices=(seen(VD1),))))
    assert [one.name for one in decide(out, leaving, w.SETTINGS, w.NOW).memory.vds] == ["dg0.group", "vd1"]
    assert not done(out, leaving)


def test_with_the_last_one_the_group_goes() -> None:
    assert family(VD0, BOTH) == (VD0,)
    only = remembered(VD0, replace(VD1, stage=Stage.DELETING))
    assert family(VD0, only) == (VD0, GROUP)
    last = remembered(replace(VD0, stage=Stage.DELETING), group=replace(GROUP, stage=Stage.DELETING))
    cut = Cut(ours=True, slices=(seen(VD0),))
    assert [type(action) for action in done(w.world(DISKS, running(cut)), last)] == [Unmount]
    free = w.world(DISKS, running(Cut(ours=True, slices=(seen(VD0, Volume(read=True)),))))
    assert steps(free, last) == [("dg0.group", stop_argv("/dev/md127", w.UUID))]
    after = decide(w.asleep(*[w.BLANK] * 4), last, w.SETTINGS, w.NOW).memory
    assert [one.name for one in after.vds] == ["vd0"]
    assert decide(w.asleep(*[w.BLANK] * 4), after, w.SETTINGS, w.NOW).memory.vds == ()


def test_two_lost_of_a_raid5_unmounts_both_before_the_array_is_stopped() -> None:
    md = w.array(w.member(0), w.member(1))
    drives = DISKS[:2]
    first = done(w.world(drives, running(CUT, md)), BOTH)
    assert [(type(action), getattr(action, "vd", "")) for action in first] == [(Unmount, "vd0"), (Unmount, "vd1")]
    bare = Cut(ours=True, slices=(seen(VD0, Volume()), seen(VD1, Volume())))
    assert [vd for vd, _ in steps(w.world(drives, running(bare, md)), BOTH)] == ["dg0.group"]
    states = {vd.state for vd in derive(w.scene(w.world(drives, running(bare, md)), BOTH)).virtual_drives}
    assert states == {VdState.FAILED}


def test_a_recovery_of_the_group_runs_no_repair_on_it_but_on_each_virtual_drive() -> None:
    """xfs_repair looks for superblocks all over what it is given: on the array, those of virtual drives."""
    of = w.asleep(w.probe(0), w.probe(1, 90), w.probe(2, 80))
    memory = replace(BOTH, fleeting=replace(BOTH.fleeting, recover=(w.wish(of, GROUP),)))
    (job,) = [a for a in assemble(GROUP, None, w.scene(of, memory)) if isinstance(a, StartJob)]
    assert [step[0] for step in job.steps] == ["mdadm"]


# -- what people are told


def test_both_are_degraded_together_and_rebuilt_together() -> None:
    gone = w.array(*(w.member(bay) for bay in (0, 1, 3)))
    told = derive(w.scene(w.world(tuple(DISKS[bay] for bay in (0, 1, 3)), running(CUT, gone)), BOTH))
    assert [(vd.name, vd.state, vd.tolerance, vd.group) for vd in told.virtual_drives] == [
        ("vd0", VdState.DEGRADED, 0, "dg0"), ("vd1", VdState.DEGRADED, 0, "dg0"),
    ]
    (missing,) = [drive for drive in told.drives if drive.state is DriveState.MISSING]
    assert (missing.bay, missing.vd) == (2, "dg0")
    assert not any(".group" in text for drive in told.drives for text in (drive.detail, drive.vd or ""))
    back = w.array(
        *(w.member(bay, states="in_sync" if bay != 2 else "spare") for bay in range(4)), sync_action="recover",
        sync_done=50 * MIB, sync_total=500 * MIB,
    )
    told = derive(w.scene(w.world(DISKS, running(CUT, back)), BOTH))
    assert [vd.progress and (vd.progress.kind, vd.progress.percent) for vd in told.virtual_drives] == [
        (Work.REBUILD, 10.0), (Work.REBUILD, 10.0),
    ]
    (group,) = told.groups
    assert (group.name, group.vds, group.shared, group.bays) == ("dg0", ("vd0", "vd1"), True, (0, 1, 2, 3))


def test_the_check_of_the_group_is_told_of_each_and_is_due_for_each() -> None:
    result = CheckResult("dg0.group", CheckVerdict.WRONG, w.NOW, 9, (3,), 1, "")
    told = derive(w.scene(w.world(DISKS, running(), results=(result,)), BOTH))
    assert [(one.vd, one.wrong) for one in told.checks] == [("vd0", (3,)), ("vd1", (3,))]
    assert [one.vd for one in told.upkeep] == ["vd0", "vd1"]


def test_one_in_the_table_whose_name_is_taken_is_left_alone_and_said() -> None:
    other = w.known(uuid="99999999:99999999:99999999:99999999", name="vd1")
    memory = w.memory(GROUP, vds=(GROUP, VD0, other))
    of = w.world(DISKS, running())
    after = decide(of, memory, w.SETTINGS, w.NOW).memory
    assert [one.name for one in after.vds] == ["dg0.group", "vd0", "vd1"]
    assert after.by_uuid(SECOND) is None
    (said,) = [line for line in derive(w.scene(of, after)).problems if "dg0 holds" in line]
    assert "'vd1'" in said


def test_without_a_memory_the_group_and_all_that_is_in_it_come_back() -> None:
    empty = w.memory(vds=(), adopting=True)
    empty = replace(empty, fleeting=replace(empty.fleeting, started=w.NOW))
    of = w.world(DISKS, running())
    found = decide(of, empty, w.SETTINGS, w.NOW).memory
    assert {(one.name, one.uuid, one.group) for one in found.vds} == {
        ("dg0.group", w.UUID, ""), ("vd0", FIRST, w.UUID), ("vd1", SECOND, w.UUID),
    }
    other = w.world(DISKS, running(Cut()))
    assert [one.name for one in decide(other, empty, w.SETTINGS, w.NOW).memory.vds] == ["dg0.group"]


# -- plans


def blank_box() -> World:
    sized = tuple(replace(w.disk(bay, w.BLANK), size=100 * 1024 * MIB) for bay in range(5))
    return w.world(sized)


def request(**changes: object) -> PlanSimpleRequest:
    made = PlanSimpleRequest(5, bays=(0, 1, 2, 3), full=True, size=50 * 1024 * MIB)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_the_first_one_makes_the_group_and_the_intent_is_both() -> None:
    scene = w.scene(blank_box(), w.memory(vds=()))
    (vd,) = plan_simple(request(), scene).vds
    assert (vd.name, vd.group, vd.start) == ("vd0", "dg0", START)
    assert 50 * 1024 * MIB <= vd.capacity < 50 * 1024 * MIB + STRIPE
    group, made = intents(vd, scene.memory)
    assert (group.name, len(group.slots), group.filesystem) == ("dg0.group", 4, "")
    assert (made.group, made.start, made.size, made.slots) == (group.uuid, vd.start, vd.capacity, ())
    whole: PlannedVd = plan_simple(request(size=0), scene).vds[0]
    assert (whole.group, len(intents(whole, scene.memory))) == ("", 1)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"size": 10**13}, "do not fit"),
        ({"size": 100 * MIB}, "too small"),
        ({"level": 50, "bays": (0, 1, 2, 3), "spans": 2}, "whole drives"),
        ({"full": False}, "of its own"),
        ({"group": "dg0"}, "takes no drives"),
        ({"group": "dg7", "bays": ()}, "no shared drive group"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(PlanImpossible, match=why):
        plan_simple(request(**changes), w.scene(blank_box(), w.memory(vds=())))


def in_dg0(of: World, memory: Memory, **changes: object) -> PlannedVd:
    asked = PlanSimpleRequest(5, group="dg0", full=True)
    (vd,) = plan_simple(replace(asked, **changes), w.scene(of, memory)).vds  # type: ignore[arg-type]
    return vd


def test_another_one_takes_the_hole_that_fits_and_not_what_is_only_intended() -> None:
    md = w.array(*(w.member(bay) for bay in range(4)), size=LATER + 3 * SIZE + gpt.TAIL)
    only_second = w.world(DISKS, running(Cut(ours=True, slices=(seen(VD1),)), md))
    memory = remembered(VD1)
    rest = in_dg0(only_second, memory)
    assert (rest.start, rest.capacity) == (LATER + SIZE, 2 * SIZE)
    small = in_dg0(only_second, memory, size=SIZE - 1)
    assert (small.name, small.start, small.capacity) == ("vd0", START, SIZE), "the hole before it"
    intended = remembered(VD1, replace(VD0, stage=Stage.CREATING))
    with pytest.raises(PlanImpossible, match="in one piece"):
        in_dg0(only_second, intended, size=2 * SIZE + 1)
    for changes in ({"level": 6}, {"strip": 65536}):
        with pytest.raises(PlanImpossible, match="All virtual drives of dg0 are RAID5"):
            in_dg0(only_second, memory, **changes)
    with pytest.raises(PlanImpossible, match="does not run"):
        in_dg0(w.asleep(*(w.probe(bay) for bay in range(4))), memory)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 900)), max_size=12))
def test_whatever_is_made_and_deleted_no_two_share_a_place(orders: list[tuple[bool, int]]) -> None:
    """In the table, or only intended: each new one lies in whole stripes of its own, before the second copy."""
    md = w.array(*(w.member(bay) for bay in range(4)), size=LATER + 2 * SIZE + gpt.TAIL)
    vds: list[KnownVd] = []
    for number, (delete, stripes) in enumerate(orders):
        if delete and vds:
            del vds[stripes % len(vds)]
            continue
        in_table = [vd for vd in vds if vd.start % (2 * STRIPE)]
        of = w.world(DISKS, running(Cut(ours=True, slices=tuple(map(seen, in_table))), md))
        try:
            made = in_dg0(of, remembered(*vds), size=stripes * STRIPE, name=f"x{number}")
        except PlanImpossible:
            continue
        uuid = f"bbbbbbbb:00000000:00000000:{number:08x}"
        vds.append(part(f"x{number}", uuid, made.start, size=made.capacity))
        table = Table(w.UUID)
        for vd in vds:
            assert vd.start % STRIPE == vd.size % STRIPE == 0
            assert vd.start >= START
            assert vd.start + vd.size <= md.size - gpt.TAIL
            table = table.with_entry(vd.uuid, vd.name, vd.start, vd.size)  # refuses what overlaps
