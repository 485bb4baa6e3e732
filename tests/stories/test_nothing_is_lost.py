"""Whatever the world looks like: no drive with data is written to without a word, and nothing uncertain looks good."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from raid.actions import FailMember, StartJob
from raid.decide import decide
from raid.derive import derive
from raid.memory import Fleeting, Memory, Serving, Slot, Spare, Stage
from raid.model import DriveState, VdState
from raid.scene import Scene
from raid.sysfs import Array
from raid.world import Disk, Probe, Volume, World
from tests.unit.raid import worlds as w

WRITES = {"create", "add", "rebuild", "re-add", "spare", "copyback", "spare-back"}

superblocks = st.builds(
    w.superblock,
    st.sampled_from([0, 1, 2, 3]),
    st.integers(98, 122),
    st.sampled_from([(), (1,), (2,), (1, 2)]),
    clean=st.booleans(),
    recovering=st.booleans(),
    array_uuid=st.sampled_from([w.UUID, "99999999:99999999:99999999:99999999"]),
)
probes = st.one_of(
    st.none(),
    st.just(w.BLANK),
    st.just(w.EXT4),
    st.just(Probe(error="It cannot be read.")),
    superblocks.map(lambda block: Probe(("linux_raid_member",), block)),
)


@st.composite
def disks(draw: st.DrawFn) -> tuple[Disk, ...]:
    """Mostly the first drives, and newcomers in any bays; some are the system's."""
    found = []
    for bay in range(6):
        kind = draw(st.sampled_from(["first", "first", "first", "first", "new", "new", "none"]))
        if kind == "none":
            continue
        probe = draw(probes)
        disk = w.disk(bay, probe) if kind == "first" else w.newcomer(bay, probe or w.BLANK)
        if draw(st.integers(0, 19)) == 0:
            disk = replace(disk, protected="It carries the system.")
        found.append(replace(disk, size=draw(st.sampled_from([w.SIZE] * 7 + [w.SIZE // 2])), probe=probe))
    return tuple(found)


@st.composite
def arrays(draw: st.DrawFn) -> Array:
    """vd0 as md may show it, gone drives and all."""
    members = []
    for bay in range(4):
        states = draw(st.sampled_from([*["in_sync"] * 9, "faulty", "spare", ""]))
        if states:
            members.append(w.member(bay, states=states, present=draw(st.integers(0, 9)) > 0))
    state = draw(st.sampled_from([*["clean"] * 4, "active", "read-auto", "inactive", "broken"]))
    return w.array(*members, state=state, sync_action=draw(st.sampled_from(["idle", "idle", "recover", "resync"])))


@st.composite
def swaps(draw: st.DrawFn) -> World:
    """A member was pulled, and something else sits in its bay."""
    bay = draw(st.integers(0, 3))
    probe = draw(probes)
    came = w.disk(bay, probe, name="sdz", diskseq=77) if draw(st.booleans()) else w.newcomer(bay, probe or w.BLANK)
    came = replace(came, probe=probe, size=draw(st.sampled_from([w.SIZE, w.SIZE, w.SIZE // 2])))
    return w.pulled(bay, came, events=draw(st.sampled_from([None, 110, 120])))


@st.composite
def chaos(draw: st.DrawFn) -> World:
    here = draw(disks())
    if not draw(st.booleans()):
        return w.world(here)
    md = draw(arrays())
    names = {disk.name for disk in here}
    md = replace(md, members=tuple(replace(m, present=m.present and m.device in names) for m in md.members))
    volume = draw(st.sampled_from([w.MOUNTED, w.UNMOUNTED, Volume(read=True, blank=True), Volume()]))
    return w.world(here, w.running(md, draw(st.sampled_from([None, 110, 120])), volume))


worlds = st.one_of(chaos(), swaps())
serials = st.sampled_from([*(w.serial(bay) for bay in range(6)), *(f"NEW{bay:04}" for bay in range(6))])
spares = st.builds(
    lambda serial, bay, home, dedicated, fault: Spare(
        serial, "RACK DRIVE", w.SIZE, bay, w.UUID if dedicated else "", fault=fault,
        serving=None if home is None else Serving(w.UUID, home, Slot(home, f"OLD{home}", "RACK DRIVE", w.SIZE)),
    ),
    serials, st.integers(0, 5), st.sampled_from([None, None, 0, 1, 2, 3]), st.booleans(),
    st.sampled_from(["", "", "", "It does not read."]),
)
memories = st.one_of(
    st.just(w.memory()),
    st.just(Memory(fleeting=Fleeting(w.NOW - 600))),
    st.builds(Memory, adopting=st.just(True)),
    st.builds(
        lambda stage, initialized, stopped: w.memory(w.known(stage=stage, initialized=initialized, stopped=stopped)),
        st.sampled_from(list(Stage)), st.booleans(), st.booleans(),
    ),
    st.builds(lambda spares: replace(w.memory(), spares=spares), st.lists(spares, max_size=3).map(tuple)),
)


@settings(max_examples=400, deadline=None)
@given(worlds, memories)
def test_no_path_writes_to_a_drive_with_data_without_a_word(of: World, memory: Memory) -> None:
    decision = decide(of, memory, w.SETTINGS, w.NOW)
    by_device = {disk.device: disk for disk in of.disks}
    for action in decision.actions:
        if not isinstance(action, StartJob):
            continue
        members = {member.device for running in of.arrays for member in running.md.members}
        named = [by_device[word] for step in action.steps for word in step if word in by_device]
        touched = [disk for disk in named if action.kind != "copyback" or disk.name not in members]
        assert {disk.name for disk in touched} == {expected.device for expected in action.drives}
        for disk in touched:
            assert not disk.protected
            assert disk.probe is not None
            assert not disk.probe.error
            own = disk.probe.superblock
            if action.kind in WRITES:
                assert disk.probe.blank or (own is not None and own.array_uuid == w.UUID)
            if action.kind == "spare":
                assert disk.probe.blank
                assert decision.memory.spare(disk.serial) is not None
            if action.kind == "spare-back":
                assert memory.spare(disk.serial) is not None
            if action.kind in {"create", "add"} and not disk.probe.blank:
                assert action.kind == "create"
                assert decision.memory.vds[0].stage is Stage.CREATING
            if action.kind == "wipe":
                assert own is not None
                assert own.array_uuid == w.UUID
                assert memory.vds[0].stage is Stage.DELETING
                assert of.array(w.UUID) is None
            if memory.vds and (memory.vds[0].stopped or memory.vds[0].stage is Stage.DELETING):
                assert action.kind in {"stop", "wipe"}
            if action.kind == "assemble":
                assert own is not None
                best = max(d.probe.superblock.events for d in touched if d.probe and d.probe.superblock)
                assert own.events + 1 >= best


@settings(max_examples=200, deadline=None)
@given(worlds, memories)
def test_no_fault_is_reported_as_good(of: World, memory: Memory) -> None:
    decision = decide(of, memory, w.SETTINGS, w.NOW)
    told = derive(Scene(of, decision.memory, w.SETTINGS, w.NOW))
    rows = {row.device: row for row in told.drives if row.device is not None}
    assert len(rows) == len(of.disks)
    for vd in told.virtual_drives:
        online = [row for row in told.drives if row.vd == vd.name and row.state is DriveState.ONLINE]
        if vd.state is VdState.OPTIMAL:
            assert len(online) == 4
        if vd.state is VdState.FAILED:
            assert vd.mountpoint is None
        if vd.state is not VdState.OPTIMAL:
            assert vd.detail
    for running in of.arrays:
        for member in running.md.members:
            row = rows.get(f"/dev/{member.device}")
            if not member.present or member.faulty:
                assert row is None or row.state is not DriveState.ONLINE


@settings(max_examples=200, deadline=None)
@given(chaos())
def test_md_is_never_told_of_more_failures_than_it_bears(of: World) -> None:
    decision = decide(of, w.memory(), w.SETTINGS, w.NOW)
    told = {action.device for action in decision.actions if isinstance(action, FailMember)}
    if told:
        (running,) = of.arrays
        left = [m for m in running.md.members if m.in_sync and m.device not in told]
        assert len(left) >= 3
