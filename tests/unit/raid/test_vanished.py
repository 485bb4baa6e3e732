"""A blank or foreign drive that vanished stays in the picture until it is dismissed, or its bay has another one."""

from dataclasses import replace

import pytest

from hw.model import TrayCondition
from nvr.policy.storage import conditions as alarms_of
from nvr.policy.trays import conditions
from raid import memory as remembered
from raid.decide import decide
from raid.derive import derive
from raid.memory import FailedDrive, Fleeting, Memory
from raid.model import Drive, DriveState, RaidSnapshot
from raid.smart_model import Smart, SmartHealth
from raid.world import Disk, Probe, World
from tests.unit.raid import worlds as w

FOREIGN = Probe(signatures=("ntfs",))
BAD = Probe(error="It cannot be read: Input/output error.")


def beside(*free: Disk, of: World | None = None) -> World:
    """All is well with vd0 in the bays 0 to 3, and these drives are there, too."""
    of = of or w.healthy()
    return replace(of, disks=(*of.disks, *free))


def later(memory: Memory, *looks: World) -> Memory:
    for look in looks:
        memory = decide(look, memory, w.SETTINGS, w.NOW).memory
    return memory


def told(of: World, memory: Memory) -> RaidSnapshot:
    return derive(w.scene(of, memory))


def in_bay(snapshot: RaidSnapshot, bay: int) -> list[tuple[DriveState, str]]:
    return [(drive.state, drive.serial) for drive in snapshot.drives if drive.bay == bay]


@pytest.mark.parametrize("probe", [w.BLANK, FOREIGN])
def test_it_is_missing_without_an_alarm_and_without_a_light(probe: Probe) -> None:
    memory = later(w.memory(), beside(w.disk(5, probe)), w.healthy())
    snapshot = told(w.healthy(), memory)
    assert in_bay(snapshot, 5) == [(DriveState.MISSING, "SN0005")]
    (row,) = [drive for drive in snapshot.drives if drive.bay == 5]
    assert "If it was not pulled, it is dead" in row.detail
    assert conditions(snapshot.drives).get(5, TrayCondition.NONE) is TrayCondition.NONE
    assert alarms_of(snapshot, set()) == []


def test_it_is_so_after_a_reboot_too_and_awaited_just_after_it() -> None:
    memory = later(w.memory(), beside(w.disk(5, w.BLANK)), w.healthy())
    assert remembered.encode(memory) != remembered.encode(w.memory())
    young = replace(memory, fleeting=Fleeting(w.NOW - 5))
    assert in_bay(told(w.healthy(), young), 5) == [(DriveState.UNKNOWN, "SN0005")]
    old = replace(memory, fleeting=Fleeting(w.NOW - 90))
    assert in_bay(told(w.healthy(), old), 5) == [(DriveState.MISSING, "SN0005")]


def test_it_comes_back_or_another_one_comes_into_its_bay() -> None:
    gone = later(w.memory(), beside(w.disk(5, w.BLANK)), w.healthy())
    back = replace(w.disk(5, w.BLANK), bay=7, name="sdz", diskseq=70)
    for new in (back, w.newcomer(5, w.BLANK)):
        of = beside(new)
        snapshot = told(of, later(gone, of))
        assert [drive.serial for drive in snapshot.drives if drive.state is DriveState.MISSING] == []


def test_two_of_one_serial_number_are_here() -> None:
    twin = replace(w.disk(6, w.BLANK), serial="SN0005")
    of = beside(w.disk(5, w.BLANK), twin)
    memory = later(w.memory(), beside(w.disk(5, w.BLANK)), of)
    assert [drive.state for drive in told(of, memory).drives if drive.serial == "SN0005"] == [DriveState.BLANK] * 2


def test_while_it_is_read_it_is_not_forgotten() -> None:
    memory = later(w.memory(), beside(w.disk(5, w.BLANK)), beside(w.disk(5, None)), w.healthy())
    assert in_bay(told(w.healthy(), memory), 5) == [(DriveState.MISSING, "SN0005")]


@pytest.mark.parametrize("case", ["unread", "bad", "expected to fail", "failed"])
def test_one_that_is_to_be_pulled_is_not_missed(case: str) -> None:
    drive = w.disk(5, {"unread": None, "bad": BAD}.get(case, w.BLANK))
    of, memory = beside(drive), w.memory()
    if case == "expected to fail":
        of = replace(of, smart=((drive.name, Smart(SmartHealth.FAILING, "", read=w.NOW)),))
    if case == "failed":
        memory = w.memory(failed=(FailedDrive("SN0005", "vd0", drive.diskseq, w.BOOT),))
    assert in_bay(told(w.healthy(), later(memory, of, w.healthy())), 5) == []


def test_a_drive_in_the_bay_of_a_missing_member_is_not_told_of_beside_it() -> None:
    new = w.newcomer(2, FOREIGN)
    memory = later(w.memory(), w.pulled(2, new), w.pulled(2))
    rows = in_bay(told(w.pulled(2), memory), 2)
    assert rows == [(DriveState.MISSING, "SN0002")], "else `rackeye drive dismiss --bay 2` could mean either"


def test_members_spares_and_what_was_made_a_member_have_rows_of_their_own() -> None:
    memory = later(w.memory(), w.healthy())
    assert memory.free == ()
    rows: list[Drive] = list(told(w.healthy(), memory).drives)
    assert [row.state for row in rows] == [DriveState.ONLINE] * 4
