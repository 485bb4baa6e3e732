"""What people are told: states and sentences."""

from dataclasses import replace

import pytest

from core.jobs import Job, JobState
from raid.decide import decide
from raid.derive import derive
from raid.members import NEAR_2
from raid.memory import FailedDrive, Fleeting, Memory, Slot, Stage
from raid.model import Drive, DriveState, RaidSnapshot, VdState, Work
from raid.world import CheckRun, Disk, Probe, World
from tests.unit.raid import worlds as w

TEN = replace(w.known(), level=10)


def tell(of: World, memory: Memory | None = None) -> RaidSnapshot:
    return derive(w.scene(of, memory))


def bay(told: RaidSnapshot, number: int) -> list[Drive]:
    return [drive for drive in told.drives if drive.bay == number]


def test_all_is_well() -> None:
    told = tell(w.healthy())
    (vd,) = told.virtual_drives
    assert (vd.state, vd.tolerance, vd.progress, vd.mountpoint) == (VdState.OPTIMAL, 1, None, "/srv/rackeye/vd0")
    assert [drive.state for drive in told.drives] == [DriveState.ONLINE] * 4
    assert told.problems == ()


def test_a_member_whose_drive_is_gone_is_missing_whatever_md_says() -> None:
    md = w.array(*(w.member(number, present=number != 2) for number in range(4)))
    told = tell(w.world(tuple(w.disk(n) for n in (0, 1, 3)), w.running(md)))
    (row,) = bay(told, 2)
    assert (row.state, row.serial, row.device, row.vd, row.slot) == (DriveState.MISSING, "SN0002", None, "vd0", 2)
    assert told.virtual_drives[0].state is VdState.DEGRADED
    assert "bay 2" in told.virtual_drives[0].detail


def test_a_rebuild_with_its_progress() -> None:
    md = w.array(
        w.member(0), w.member(1), w.member(3), replace(w.member(2, states="spare"), device="sdm"),
        sync_action="recover", sync_done=250, sync_total=1000, sync_speed=50,
    )
    of = w.world((w.disk(0), w.disk(1), w.disk(3), w.newcomer(2, w.BLANK)), w.running(md))
    told = tell(of)
    (row,) = bay(told, 2)
    assert row.state is DriveState.REBUILD
    progress = told.virtual_drives[0].progress
    assert progress is not None
    assert (progress.kind, progress.percent, progress.seconds_left) == (Work.REBUILD, 25.0, 15.0)


def test_which_drives_are_mirrors_and_what_each_set_bears() -> None:
    def mirrors(layout: int) -> list[tuple[tuple[int | None, ...], int]]:
        members = (w.member(n, present=n != 2) for n in range(4))
        md = replace(w.array(*members), level=10, layout=layout)
        told = tell(w.world(tuple(w.disk(n) for n in (0, 1, 3)), w.running(md)), replace(w.memory(), vds=(TEN,)))
        return [(one.bays, one.tolerance) for one in told.virtual_drives[0].mirrors]

    assert mirrors(NEAR_2) == [((0, 1), 1), ((2, 3), 0)]
    assert mirrors(0x201) == [], "far copies of an array from elsewhere: not known"
    assert tell(w.healthy()).virtual_drives[0].mirrors == ()


@pytest.mark.parametrize(("initialized", "work"), [(False, Work.INITIALIZING), (True, Work.RESYNC)])
def test_initialization_is_told_from_resync(initialized: bool, work: Work) -> None:
    md = w.array(
        *(w.member(n) for n in range(4)), sync_action="resync", sync_done=1, sync_total=2, parity_complete=False
    )
    told = tell(w.world(tuple(w.disk(n) for n in range(4)), w.running(md)), w.memory(w.known(initialized=initialized)))
    assert told.virtual_drives[0].state is VdState.OPTIMAL
    progress = told.virtual_drives[0].progress
    assert progress is not None
    assert progress.kind is work


@pytest.mark.parametrize(
    ("newcomer", "state", "word"),
    [
        (w.newcomer(2, w.BLANK), DriveState.BLANK, "takes the missing place"),
        (w.newcomer(2, w.BLANK, size=w.SIZE // 2), DriveState.BLANK, "not used"),
        (w.newcomer(2, w.EXT4), DriveState.FOREIGN, "ext4"),
        (w.newcomer(2, replace(w.EXT4, error="It cannot be read.")), DriveState.UNCONFIGURED_BAD, "cannot be read"),
        (replace(w.newcomer(2, w.BLANK), probe=None), DriveState.UNKNOWN, "being read"),
        (w.disk(2, w.probe(2), name="sdm", diskseq=52), DriveState.STALE, "vd0"),
        (replace(w.newcomer(2, w.BLANK), protected="It carries the system."), DriveState.SYSTEM, "system"),
    ],
)
def test_what_came_into_the_bay_is_named(newcomer: Disk, state: DriveState, word: str) -> None:
    told = tell(w.pulled(2, newcomer))
    row = next(drive for drive in bay(told, 2) if drive.device is not None)
    assert row.state is state
    assert word in row.detail


def test_the_missing_one_stays_beside_a_drive_that_is_not_used() -> None:
    told = tell(w.pulled(2, w.newcomer(2, w.EXT4)))
    assert [drive.state for drive in bay(told, 2)] == [DriveState.FOREIGN, DriveState.MISSING]
    assert "ext4" in told.virtual_drives[0].detail
    assert bay(told, 2)[0].refused


OTHER = "bbbbbbbb:22334455:66778899:aabbccdd"
UNREADABLE = Probe(error="It cannot be read: Input/output error.")


def test_a_replacement_that_cannot_be_read_is_refused_and_the_virtual_drive_says_so() -> None:
    told = tell(w.pulled(2, w.newcomer(2, UNREADABLE)))
    row = bay(told, 2)[0]
    assert (row.state, row.refused) == (DriveState.UNCONFIGURED_BAD, True)
    assert row.detail == (
        "It cannot be read: Input/output error. So vd0 is not rebuilt on it. Put another drive into bay 2."
    )
    assert row.detail in told.virtual_drives[0].detail
    assert "Put a blank drive" not in told.virtual_drives[0].detail


def with_former_member_of_vd1(*members: int) -> RaidSnapshot:
    """vd0 misses the drive of bay 2, into which one of vd1 was put. members: its slots that work, from bay 10 on."""
    slots = tuple(Slot(10 + slot, f"SIX{slot}", "RACK DRIVE", w.SIZE) for slot in range(4))
    vd1 = w.known(name="vd1", uuid=OTHER, slots=slots)
    stale = w.newcomer(2, w.probe(2, events=50, array_uuid=OTHER, name="rackeye:vd1"))
    md = w.array(*(replace(w.member(n), device=f"sdx{n}") for n in members), device="md126")
    disks = (Disk(f"sdx{n}", 70 + n, 10 + n, f"SIX{n}", "RACK DRIVE", w.SIZE) for n in members)
    of = w.pulled(2, stale, *disks)
    if members:
        of = replace(of, arrays=(*of.arrays, replace(w.running(md), uuid=OTHER, name="vd1")))
    return tell(of, replace(w.memory(), vds=(w.known(), vd1)))


def test_a_former_member_of_another_virtual_drive_is_refused_with_what_to_do() -> None:
    told = with_former_member_of_vd1(0, 1, 2, 3)
    row = bay(told, 2)[0]
    assert (row.state, row.vd, row.refused) == (DriveState.STALE, "vd1", True)
    assert "It was a member of vd1, so vd0 is not rebuilt on it" in row.detail
    assert "rackeye drive clear --bay 2" in row.detail
    assert row.detail in told.virtual_drives[0].detail


def test_one_that_its_own_virtual_drive_may_need_is_not_to_be_cleared() -> None:
    told = with_former_member_of_vd1()
    row = bay(told, 2)[0]
    assert (row.state, row.refused) == (DriveState.STALE, True)
    assert "vd1, which does not run and may need it" in row.detail
    assert "clear" not in row.detail


def test_one_that_its_own_virtual_drive_takes_is_not_refused() -> None:
    row = bay(with_former_member_of_vd1(0, 1, 3), 2)[0]
    assert (row.state, row.refused, "takes the missing place in vd1" in row.detail) == (DriveState.STALE, False, True)


def test_an_unreadable_or_stale_drive_elsewhere_is_refused_by_nobody() -> None:
    """`refused` is said of the bay of a missing member only."""
    told = tell(w.pulled(2, w.newcomer(6, UNREADABLE)))
    assert not bay(told, 6)[0].refused
    whole = w.healthy()
    stale = w.newcomer(6, w.probe(2, events=50))
    assert not bay(tell(replace(whole, disks=(*whole.disks, stale))), 6)[0].refused


def test_a_drive_that_md_put_out_has_failed() -> None:
    md = w.array(w.member(0), w.member(1), w.member(2, states="faulty"), w.member(3))
    told = tell(w.world(tuple(w.disk(n) for n in range(4)), w.running(md)))
    assert bay(told, 2)[0].state is DriveState.FAILED
    off = tell(w.pulled(2, w.disk(2, w.probe(2))), w.memory(failed=(FailedDrive("SN0002", "vd0", 12, w.BOOT),)))
    assert bay(off, 2)[0].state is DriveState.FAILED


def test_a_source_that_fails_during_a_rebuild_is_offline_while_its_virtual_drive_does_not_run() -> None:
    """spec/raid.md: it may be the last hope, and nothing leads a person to pull it."""
    onto = replace(w.member(2, states="spare"), device="sdm")
    md = w.array(w.member(0), w.member(1, states="faulty"), w.member(3), onto, degraded=2, state="broken")
    drives = (w.disk(0), w.disk(1), w.disk(3), replace(w.newcomer(2, w.BLANK), probe=None))
    of = w.world(drives, w.running(md))
    memory = decide(of, w.memory(), w.SETTINGS, w.NOW).memory
    assert [(failed.serial, failed.last_straw) for failed in memory.failed] == [("SN0001", True)]
    (row,) = bay(tell(of, memory), 1)
    assert (row.state, row.vd, row.slot) == (DriveState.OFFLINE, "vd0", 1)
    assert "It failed when vd0 could not bear it any more" in row.detail

    stopped = w.world(tuple(
        w.disk(slot, w.probe(slot, 120 if slot == 1 else 130, out=() if slot == 1 else (1, 2))) for slot in (0, 1, 3)
    ))
    assert bay(tell(stopped, memory), 1)[0].state is DriveState.OFFLINE, "md has let go of it"
    again = w.world(stopped.disks, w.running(w.array(w.member(0), w.member(2), w.member(3))))
    assert bay(tell(again, memory), 1)[0].state is DriveState.FAILED, "vd0 runs without it"


def test_two_gone_is_failed_and_no_volume() -> None:
    md = w.array(*(w.member(number, present=number not in (1, 2)) for number in range(4)))
    told = tell(w.world((w.disk(0), w.disk(3)), w.running(md)))
    (vd,) = told.virtual_drives
    assert (vd.state, vd.mountpoint, vd.tolerance) == (VdState.FAILED, None, 0)


def test_a_failed_one_that_is_stopped_says_how_to_recover() -> None:
    fresh = [w.probe(slot, 130, out=(1, 2)) for slot in (0, 3)]
    told = tell(w.asleep(fresh[0], w.probe(1, 120), w.probe(2, 100), fresh[1]))
    assert told.virtual_drives[0].state is VdState.FAILED
    assert "rackeye vd recover vd0" in told.virtual_drives[0].detail
    assert [drive.state for drive in told.drives] == [
        DriveState.OFFLINE, DriveState.STALE, DriveState.STALE, DriveState.OFFLINE,
    ]


def test_unread_drives_are_no_failure() -> None:
    told = tell(w.asleep(None, None, None, None))
    assert told.virtual_drives[0].state is VdState.UNKNOWN


def test_one_that_mdadm_is_starting_has_not_failed() -> None:
    """md has taken two members, of which nothing is read then, and the other two alone would be too few."""
    md = w.half_assembled(0, 1)
    half = w.world((w.disk(0), w.disk(1), w.disk(2, w.probe(2)), w.disk(3, w.probe(3))), w.running(md))
    (vd,) = tell(half).virtual_drives
    assert (vd.state, vd.detail) == (VdState.UNKNOWN, "vd0 is being started.")


def test_an_array_that_cannot_be_named_makes_all_unknown() -> None:
    nameless = replace(w.running(w.array(w.member(0))), uuid=None)
    told = tell(w.world((w.disk(0),), nameless))
    assert told.virtual_drives[0].state is VdState.UNKNOWN


def test_mdadm_missing_is_said() -> None:
    told = tell(replace(w.healthy(), mdadm=False))
    assert "apt-get install mdadm" in told.problems[0]


def test_a_failed_job_is_said_with_its_error() -> None:
    failed = Job("vd0-add-1", "add", "vd0", (), JobState.FAILED, w.BOOT, w.NOW - 2, ended=w.NOW, error="Exit 1 from")
    told = tell(replace(w.pulled(), jobs=(failed,)))
    assert any("Exit 1 from" in said for said in told.problems)
    assert told.jobs[0].id == "vd0-add-1"


def test_a_check_has_progress() -> None:
    told = tell(replace(w.healthy(), checks=(("vd0", CheckRun(40.0, 1000, 3.0)),)))
    progress = told.virtual_drives[0].progress
    assert progress is not None
    assert (progress.kind, progress.percent) == (Work.CHECK, 40.0)


def test_an_intent_that_cannot_go_on_says_why() -> None:
    told = tell(w.asleep(w.BLANK, w.BLANK, w.EXT4, w.BLANK), w.memory(w.known(stage=Stage.CREATING)))
    assert told.virtual_drives[0].state is VdState.OFFLINE
    assert "bay 2 (serial SN0002) is not blank any more" in told.virtual_drives[0].detail
    assert bay(told, 0)[0].state is DriveState.UNCONFIGURED_GOOD


def test_a_start_that_waits_says_so() -> None:
    of = w.asleep(w.probe(0), w.probe(1), w.probe(2))
    told = tell(of, w.memory(fleeting=Fleeting(w.NOW - 5)))
    assert told.virtual_drives[0].state is VdState.OFFLINE
    assert "waits" in told.virtual_drives[0].detail


def test_a_missing_drive_that_was_dismissed_is_told_of_again_once_it_was_back() -> None:
    slots = tuple(replace(slot, dismissed=number == 2) for number, slot in enumerate(w.known().slots))
    dismissed = w.memory(w.known(slots=slots))
    told = tell(w.pulled(), dismissed)
    assert bay(told, 2) == []
    assert told.virtual_drives[0].state is VdState.DEGRADED
    assert decide(w.pulled(), dismissed, w.SETTINGS, w.NOW).memory.vds[0].slots[2].dismissed
    back = w.pulled(2, w.disk(2, w.EXT4))
    seen = decide(back, dismissed, w.SETTINGS, w.NOW).memory
    assert [drive.state for drive in bay(tell(w.pulled(), seen), 2)] == [DriveState.MISSING]
