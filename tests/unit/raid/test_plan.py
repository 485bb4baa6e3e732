"""Simple configuration: what it would make, and what it refuses."""

from dataclasses import replace

import pytest

from core.errors import PlanImpossible
from raid.memory import Memory
from raid.model_plan import Plan, PlanSimpleRequest
from raid.plan import plan_simple
from raid.plan_group import GIB, component_size
from raid.smart_model import Figures, Smart
from raid.world import Disk, World
from tests.unit.raid import worlds as w

TB = 10**12


def blank(count: int, size: int = 6 * TB) -> tuple[Disk, ...]:
    return tuple(w.disk(bay, w.BLANK, size=size) for bay in range(count))


def plan(disks: tuple[Disk, ...], request: PlanSimpleRequest | None = None) -> Plan:
    return plan_simple(request or PlanSimpleRequest(), w.scene(World(w.BOOT, disks), Memory()))


@pytest.mark.parametrize(
    ("bays", "groups"),
    [(3, [3]), (4, [4]), (7, [7]), (8, [4, 4]), (9, [4, 4]), (16, [8, 8])],
)
def test_how_many_virtual_drives_of_how_many(bays: int, groups: list[int]) -> None:
    made = plan(blank(bays))
    assert [len(vd.drives) for vd in made.vds] == groups
    assert [vd.name for vd in made.vds] == [f"vd{n}" for n in range(len(groups))]
    assert made.erased == ()
    assert len(made.unused) == bays - sum(groups)


def test_capacity_tolerance_and_stripe_are_shown() -> None:
    (vd,) = plan(blank(4)).vds
    assert vd.capacity == 3 * ((6 * TB - 256 * 1024**2) // GIB * GIB)
    assert (vd.tolerance, vd.strip, vd.stripe) == (1, 256 * 1024, 768 * 1024)
    (six,) = plan(blank(4), PlanSimpleRequest(level=6)).vds
    assert (six.tolerance, six.stripe) == (2, 512 * 1024)


def test_another_drive_of_the_same_nominal_size_fits_later() -> None:
    drives = plan(blank(4)).vds[0].drives
    slightly_smaller = replace(drives[0], size=drives[0].size - 100 * 1024**2)
    assert component_size(drives, 5) == component_size((slightly_smaller, *drives[1:]), 5)


def full(level: int, drives: int, spans: int = 0, name: str = "") -> PlanSimpleRequest:
    return PlanSimpleRequest(level, bays=tuple(range(drives)), spans=spans, full=True, name=name)


EACH = (6 * TB - 256 * 1024**2) // GIB * GIB


@pytest.mark.parametrize(
    ("request_", "data", "tolerance"),
    [
        (full(0, 1), 1, 0), (full(0, 4), 4, 0), (full(0, 8, 4), 8, 0), (full(1, 2), 1, 1), (full(1, 6), 3, 1),
        (full(5, 3), 2, 1), (full(6, 4), 2, 2), (full(10, 6), 3, 1), (full(50, 8), 6, 1), (full(50, 9, 3), 6, 1),
        (full(60, 8), 4, 2), (full(60, 16, 4), 8, 2),
    ],
)
def test_each_level_of_the_spec(request_: PlanSimpleRequest, data: int, tolerance: int) -> None:
    (vd,) = plan(blank(16), request_).vds
    each = EACH if request_.level else 6 * TB  # RAID0 has all there is
    assert (vd.capacity, vd.stripe) == (data * each, data * 256 * 1024)
    assert vd.tolerance == tolerance
    assert [drive.bay for drive in vd.drives] == list(request_.bays)


@pytest.mark.parametrize(
    ("level", "spans", "drives", "groups"),
    [
        (0, 0, 5, [5]), (1, 0, 7, [6]), (1, 0, 8, [4, 4]), (10, 0, 6, [6]), (50, 0, 8, [8]), (50, 0, 7, [6]),
        (60, 0, 9, [8]), (0, 3, 8, [6]),
    ],
)
def test_simple_configuration_divides_what_is_there(level: int, spans: int, drives: int, groups: list[int]) -> None:
    made = plan(blank(drives), PlanSimpleRequest(level, spans=spans))
    assert [len(vd.drives) for vd in made.vds] == groups
    assert len(made.unused) == drives - sum(groups)


def test_simple_configuration_keeps_the_largest_as_hot_spares() -> None:
    disks = (*blank(4), w.disk(4, w.BLANK, size=8 * TB), w.disk(5, w.BLANK, size=6 * TB))
    made = plan(disks, PlanSimpleRequest(spares=2))
    assert [drive.bay for drive in made.spares] == [4, 5]
    assert [[drive.bay for drive in vd.drives] for vd in made.vds] == [[0, 1, 2, 3]]
    assert made.unused == ()
    with pytest.raises(PlanImpossible, match="cannot use a hot spare"):
        plan(disks, PlanSimpleRequest(level=0, spares=1))
    with pytest.raises(PlanImpossible, match="Only simple configuration"):
        plan(disks, replace(full(5, 4), spares=1))
    with pytest.raises(PlanImpossible, match="1 of RAID5 need 3 blank drives in bays, and 2 are there"):
        plan(blank(4), PlanSimpleRequest(spares=2))


def test_in_full_the_order_of_the_bays_is_kept() -> None:
    (vd,) = plan(blank(8), PlanSimpleRequest(10, bays=(0, 4, 1, 5), full=True, name="mirror")).vds
    assert ([drive.bay for drive in vd.drives], vd.name) == ([0, 4, 1, 5], "mirror")


@pytest.mark.parametrize(
    ("disks", "request_", "word"),
    [
        (blank(2), PlanSimpleRequest(), "need 3 blank drives"),
        (blank(3), PlanSimpleRequest(level=6), "need 4 blank drives"),
        (blank(8), PlanSimpleRequest(count=3), "need 9 blank drives"),
        (blank(4), PlanSimpleRequest(level=7), "There is no RAID7"),
        (blank(1), PlanSimpleRequest(level=1), "need 2 blank drives"),
        (blank(3), PlanSimpleRequest(level=10), "need 4 blank drives"),
        (blank(5), PlanSimpleRequest(level=50), "1 of RAID50 need 6 blank drives"),
        (blank(8), PlanSimpleRequest(level=60, spans=3), "1 of RAID60 need 12 blank drives"),
        (blank(8), PlanSimpleRequest(level=5, spans=2), "RAID5 has no spans"),
        (blank(8), PlanSimpleRequest(level=50, spans=9), "2 to 8"),
        (blank(8), PlanSimpleRequest(full=True), "bays that are named"),
        (blank(8), full(1, 3), "made of pairs"),
        (blank(8), full(10, 2), "RAID10 takes 4 to 32 drives, and 2"),
        (blank(8), full(10, 5), "made of pairs"),
        (blank(8), full(6, 3), "at least 4 drives, and 3 were named"),
        (blank(8), full(5, 2), "RAID5 takes 3 to 32"),
        (blank(40), full(5, 33), "RAID5 takes 3 to 32"),
        (blank(8), full(50, 7, 2), "7 drives do not make 2 equal spans"),
        (blank(8), full(60, 6, 2), "RAID60 takes 4 to 32 drives in each span, and 3"),
        (blank(8), full(0, 7, 2), "equal spans"),
        (blank(4), full(5, 4, name="Vd 9"), "is no name"),
        (blank(8), PlanSimpleRequest(name="one"), "A name is for one"),
        (blank(4), PlanSimpleRequest(strip=100_000), "strip"),
        (blank(4), PlanSimpleRequest(count=0), "At least one"),
        (blank(4), PlanSimpleRequest(bays=(0, 1, 9)), "Bay 9 holds no drive"),
        (blank(4, size=64 * 1024**2), PlanSimpleRequest(), "too small"),
        (blank(3, size=256 * 1024**2), PlanSimpleRequest(), "takes 671.1 MB"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(
    disks: tuple[Disk, ...], request_: PlanSimpleRequest, word: str
) -> None:
    with pytest.raises(PlanImpossible, match=word):
        plan(disks, request_)


def test_only_blank_drives_are_taken() -> None:
    disks = (
        *blank(4),
        w.disk(4, w.EXT4), w.disk(5, w.probe(1)), w.disk(6), w.disk(7, w.BLANK, protected="It carries the system."),
        w.disk(8, w.BLANK, serial=""),
    )
    made = plan(disks)
    assert [drive.bay for vd in made.vds for drive in vd.drives] == [0, 1, 2, 3]
    with pytest.raises(PlanImpossible, match=r"Bay 4 holds a drive that is Foreign"):
        plan(disks, PlanSimpleRequest(bays=(0, 1, 4)))


def test_a_blank_drive_that_a_degraded_one_waits_for_is_not_taken() -> None:
    of = w.pulled(2, w.newcomer(2, w.BLANK), *(w.disk(bay, w.BLANK) for bay in (4, 5, 6)))
    made = plan_simple(PlanSimpleRequest(), w.scene(of))
    assert [drive.bay for drive in made.vds[0].drives] == [4, 5, 6]
    assert made.vds[0].name == "vd1"


def test_differences_are_pointed_out_and_not_refused() -> None:
    first, *rest = blank(4)
    made = plan((replace(first, model="OTHER", size=8 * TB), *rest))
    assert any("mixes models" in said for said in made.warnings)
    assert any("mixes sizes" in said for said in made.warnings)


def test_spinning_drives_beside_flash_are_pointed_out() -> None:
    first, *rest = blank(4)
    made = plan((replace(first, rotational=True), *rest))
    assert "vd0 mixes spinning drives (bays 0) and flash (bays 1, 2, 3): it is as slow as the spinning ones." in (
        made.warnings
    )
    for rotational in (True, False):
        alike = plan(tuple(replace(disk, rotational=rotational) for disk in blank(4)))
        assert not any("mixes" in said for said in alike.warnings)


def test_other_firmware_of_the_same_model_is_pointed_out() -> None:
    disks = blank(4)
    revisions = ("A1", "A1", "B2", "")
    told = tuple(
        (disk.name, Smart(figures=Figures(firmware=word))) for disk, word in zip(disks, revisions, strict=True)
    )
    scene = w.scene(replace(World(w.BOOT, disks), smart=told), Memory())
    assert "vd0 mixes firmware of RACK DRIVE (A1, B2)." in plan_simple(PlanSimpleRequest(), scene).warnings


def test_another_drive_makes_another_plan() -> None:
    first, *rest = blank(4)
    assert plan((first, *rest)).fingerprint == plan((first, *rest)).fingerprint
    assert plan((first, *rest)).fingerprint != plan((replace(first, serial="X"), *rest)).fingerprint
