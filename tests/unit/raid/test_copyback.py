"""Each rule of docs/design/spares.md as a row: a spare that stands in, and the way back."""

from dataclasses import replace

import pytest

from raid.actions import RemoveMember, StartJob
from raid.decide import decide
from raid.derive import derive
from raid.memory import FailedDrive
from raid.model import DriveState, VdState, Work
from raid.spare_model import SpareState
from raid.world import Disk
from tests.unit.raid import worlds as w
from tests.unit.raid.spare_worlds import (
    HOME,
    SERVING,
    drive,
    going_back,
    jobs,
    remembered,
    serving,
    spare,
    stands_in,
    told,
    with_reads,
)

# -- serving, and back


def test_the_empty_bay_stays_missing_while_a_spare_stands_in() -> None:
    said = told(stands_in(), serving())
    (home,) = [row for row in said.drives if row.bay == 2]
    assert (home.state, home.serial, home.vd, home.slot) == (DriveState.MISSING, "SN0002", "vd0", 2)
    assert (said.spares[0].state, said.spares[0].home_bay) == (SpareState.IN_USE, 2)
    assert said.virtual_drives[0].state is VdState.OPTIMAL


def test_the_data_goes_back_to_a_blank_drive_in_the_bay() -> None:
    (job,) = jobs(stands_in(w.newcomer(2, w.BLANK)), serving())
    assert (job.kind, job.steps) == ("copyback", (
        ("mdadm", "/dev/md127", "--add", "/dev/sdm"),
        ("mdadm", "/dev/md127", "--replace", "/dev/sdp", "--with", "/dev/sdm"),
    ))
    assert [expected.serial for expected in job.drives] == ["NEW0002"]


def test_the_old_drive_that_was_only_pulled_is_copied_back_to() -> None:
    back = w.disk(2, w.probe(2), name="sdm", diskseq=52)
    (job,) = jobs(stands_in(back), serving())
    assert job.steps[0] == ("mdadm", "--zero-superblock", "/dev/sdm")
    assert len(job.steps) == 3


@pytest.mark.parametrize(
    "newcomer",
    [
        pytest.param(w.newcomer(2, w.EXT4), id="holds data"),
        pytest.param(w.newcomer(2, w.BLANK, size=w.SIZE // 2), id="too small"),
        pytest.param(w.newcomer(4, w.BLANK), id="another bay"),
        pytest.param(replace(w.newcomer(2, w.BLANK), diskseq=1000), id="not settled"),
    ],
)
def test_the_data_goes_back_to_nothing_else(newcomer: Disk) -> None:
    assert jobs(stands_in(newcomer), serving()) == []


def test_no_copyback_while_the_rebuild_onto_the_spare_runs_or_md_works() -> None:
    fresh = w.newcomer(2, w.BLANK)
    assert jobs(stands_in(fresh, states="spare", sync_action="recover", sync_total=9), serving()) == []
    assert jobs(stands_in(fresh, sync_action="check", sync_total=9), serving()) == []


def test_a_failed_drive_that_was_left_in_its_bay_is_not_copied_back_to() -> None:
    left = w.disk(2, w.probe(2))
    memory = serving(failed=(FailedDrive("SN0002", "vd0", 12, w.BOOT),))
    of = stands_in(left)
    assert jobs(of, memory) == []
    (row,) = [row for row in told(of, memory).drives if row.bay == 2]
    assert (row.state, row.slot) == (DriveState.FAILED, 2)


def test_without_copyback_the_spare_is_a_member_for_good_once_it_is_whole() -> None:
    off = replace(w.SETTINGS, copyback=False)
    assert decide(stands_in(), serving(), off, w.NOW).memory.spares == ()
    half = stands_in(states="spare", sync_action="recover", sync_total=9)
    assert len(decide(half, serving(), off, w.NOW).memory.spares) == 1


def test_a_copyback_is_told_as_one_and_the_array_is_whole() -> None:
    said = told(going_back(), serving())
    rows = {row.bay: row for row in said.drives}
    assert (rows[2].state, rows[5].state) == (DriveState.COPYBACK, DriveState.ONLINE)
    assert len(said.drives) == 5
    (vd,) = said.virtual_drives
    assert (vd.state, vd.tolerance) == (VdState.OPTIMAL, 1)
    assert vd.progress is not None
    assert (vd.progress.kind, vd.progress.percent) == (Work.COPYBACK, 25.0)
    assert decide(going_back(), serving(), w.SETTINGS, w.NOW).actions == ()


def test_at_its_end_md_calls_the_spare_faulty_and_that_is_no_failure() -> None:
    of = going_back(old="faulty", new="in_sync")
    of = replace(of, arrays=(replace(of.arrays[0], md=replace(of.arrays[0].md, sync_action="idle", sync_total=0)),))
    decision = decide(of, serving(), w.SETTINGS, w.NOW)
    assert decision.memory.failed == ()
    assert decision.actions == (RemoveMember("md127", "sdp", "vd0"),)
    assert len(decision.memory.spares) == 1
    said = derive(w.scene(of, decision.memory))
    assert not [row for row in said.drives if row.state in (DriveState.FAILED, DriveState.MISSING)]
    again = decide(of, decision.memory, w.SETTINGS, w.NOW + 1)
    assert again.memory.failed == ()


def test_a_source_that_really_dies_is_a_failure() -> None:
    of = going_back(old="faulty")
    decision = decide(of, serving(), w.SETTINGS, w.NOW)
    assert [failed.serial for failed in decision.memory.failed] == ["NEW0005"]
    assert "errors" in decision.memory.spares[0].fault


def test_after_it_the_spare_is_wiped_of_our_superblock_and_is_free() -> None:
    home = replace(w.member(2), device="sdm")
    md = w.array(w.member(0), w.member(1), home, w.member(3))
    own = w.probe(2, 90)
    disks = (*(w.disk(b) for b in (0, 1, 3)), drive(probe=own), replace(w.newcomer(2, w.BLANK), probe=None))
    of = with_reads(w.world(disks, w.running(md)), drive())
    decision = decide(of, serving(), w.SETTINGS, w.NOW)
    (job,) = decision.actions
    assert isinstance(job, StartJob)
    assert (job.kind, job.steps) == ("spare-back", (("mdadm", "--zero-superblock", "/dev/sdp"),))
    assert decision.memory.spares == (spare(),)
    assert told(of, serving()).spares[0].state is SpareState.RETURNING


def test_a_copyback_cut_off_between_its_two_steps_goes_on() -> None:
    waiting = replace(w.member(2, states="spare"), device="sdm", slot=None)
    of = stands_in(replace(w.newcomer(2, w.BLANK), probe=None))
    md = replace(of.arrays[0].md, members=(*of.arrays[0].md.members, waiting))
    (job,) = jobs(replace(of, arrays=(replace(of.arrays[0], md=md),)), serving())
    assert job.steps == (("mdadm", "/dev/md127", "--replace", "/dev/sdp", "--with", "/dev/sdm"),)


@pytest.mark.parametrize(
    ("state", "slot", "seen"),
    [
        pytest.param("read-auto", None, 60.0, id="not written yet"),
        pytest.param("clean", None, 2.0, id="just started"),
        pytest.param("clean", 2, 60.0, id="it goes on"),
    ],
)
def test_after_a_power_cut_md_goes_on_with_a_copyback_by_itself(state: str, slot: int | None, seen: float) -> None:
    """In between, md shows the drive as a spare without a slot (remove_and_add_spares in drivers/md/md.c)."""
    waiting = replace(w.member(2, states="spare"), device="sdm", slot=slot)
    of = stands_in(replace(w.newcomer(2, w.BLANK), probe=None))
    md = replace(of.arrays[0].md, members=(*of.arrays[0].md.members, waiting), state=state)
    memory = serving()
    memory = replace(memory, fleeting=replace(memory.fleeting, seen=((52, w.NOW - seen), (55, w.NOW - 60))))
    assert jobs(replace(of, arrays=(replace(of.arrays[0], md=md),)), memory) == []


def test_a_rebuild_that_failed_through_its_source_gives_the_spare_back_as_it_was() -> None:
    left = [w.disk(0, w.probe(0, 120, out=(1, 2))), w.disk(3, w.probe(3, 120, out=(1, 2)))]
    half = drive(probe=w.probe(2, 120, out=(1,), recovering=True))
    dedicated = replace(serving(), spares=(spare(serving=SERVING, dedicated=w.UUID),))
    of = with_reads(w.world((*left, half)), drive())
    (job,) = jobs(of, dedicated)
    assert (job.kind, job.steps) == ("spare-back", (("mdadm", "--zero-superblock", "/dev/sdp"),))
    blank = with_reads(w.world((*left, drive())), drive())
    after = decide(blank, dedicated, w.SETTINGS, w.NOW).memory
    assert after.spares == (spare(dedicated=w.UUID),)
    assert after.vds[0].slots[2] == HOME, "the place is bay 2's again"


def test_a_whole_member_that_was_a_spare_is_never_wiped_while_its_array_does_not_run() -> None:
    left = [w.disk(0, w.probe(0, 120, out=(1,))), w.disk(3, w.probe(3, 120, out=(1,)))]
    of = with_reads(w.world((*left, drive(probe=w.probe(2, 115)))), drive())
    assert jobs(replace(of, disks=of.disks), serving()) == []


@pytest.mark.parametrize(
    ("bays", "out", "starts"),
    [
        pytest.param((0, 2), ("SN0000", "SN0003"), False, id="the spare's forerunner, and one that md put out"),
        pytest.param((0, 1), ("SN0003",), True, id="two that knew all"),
    ],
)
def test_nothing_is_started_from_drives_that_all_missed_what_was_written(
    bays: tuple[int, ...], out: tuple[str, ...], starts: bool
) -> None:
    """Found by a story: the drive for which a spare stands in and another one that md had put out came back alone, of
    one age and enough to start: what was written since would have been lost without a word."""
    array = replace(serving().vds[0], level=6, out=out)
    of = w.world(tuple(w.disk(bay, w.probe(bay, 90, level=6)) for bay in bays))
    assert [job.kind for job in jobs(of, replace(serving(), vds=(array,)))] == (["assemble"] if starts else [])


def test_a_second_spare_stands_in_for_the_first_and_the_data_goes_back_to_the_same_bay() -> None:
    of = with_reads(w.pulled(2, drive(6)), drive(6))
    memory = replace(serving(), spares=(spare(5, serving=SERVING), spare(6)))
    decision = decide(of, memory, w.SETTINGS, w.NOW)
    assert decision.memory.spares[1].serving == SERVING


def test_a_spare_that_is_put_into_the_missing_bay_is_a_member_for_good() -> None:
    onto = replace(w.member(2), device="sdp")
    md = w.array(w.member(0), w.member(1), onto, w.member(3))
    of = w.world((*(w.disk(b) for b in (0, 1, 3)), replace(drive(probe=None), bay=2)), w.running(md))
    assert decide(of, remembered(spare()), w.SETTINGS, w.NOW).memory.spares == ()
    assert decide(of, serving(), w.SETTINGS, w.NOW).memory.spares == ()


def test_a_spare_keeps_its_job_wherever_it_is_put_and_while_it_is_out() -> None:
    moved = replace(drive(), bay=6)
    assert decide(w.world((moved,)), remembered(spare()), w.SETTINGS, w.NOW).memory.spares[0].bay == 6
    gone = decide(w.healthy(), remembered(spare()), w.SETTINGS, w.NOW).memory
    assert gone.spares == (spare(),)
    assert told(w.healthy(), remembered(spare())).spares[0].state is SpareState.MISSING


def test_two_missing_drives_trade_their_bays_when_md_fills_the_other_place() -> None:
    onto = replace(w.member(2, states="spare"), device="sdn")
    md = w.array(w.member(0), w.member(1), onto, level=6, sync_action="recover", sync_total=9)
    of = w.world((w.disk(0), w.disk(1), replace(w.newcomer(3, w.BLANK), probe=None)), w.running(md))
    slots = decide(of, w.memory(w.known(level=6)), w.SETTINGS, w.NOW).memory.vds[0].slots
    assert [(slot.bay, slot.serial) for slot in slots[2:]] == [(3, "NEW0003"), (2, "SN0002")]
