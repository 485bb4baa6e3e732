"""Drive groups on the command line: listed, asked for by size, and replaced in as one."""

from dataclasses import replace

import pytest

from nvr.cli.client import RAID
from nvr.cli.replace_steps import begin, warnings
from raid.model import CheckResult, CheckVerdict, DriveGroup, RaidSnapshot
from raid.model_plan import Plan, PlannedDrive, PlannedVd, PlanSimpleRequest
from tests.unit.nvr.cli.fakes import TB, FakeClient, client, drive, rackeye, virtual_drive

SHARED = DriveGroup("dg0", 6, 0, 128 * 1024, (0, 1, 2, 3), ("vd0", "vd1"), 12 * TB, 5 * TB, 3 * TB, shared=True)
OWN = DriveGroup("vd2", 5, 0, 256 * 1024, (4, 5, 6, 7), ("vd2",), 18 * TB, 0, 0, shared=False)
BAYS = (0, 1, 2, 3)
TWO = RaidSnapshot(
    drives=tuple(drive(bay, vd="dg0") for bay in BAYS),
    virtual_drives=tuple(virtual_drive(number, bays=BAYS, group="dg0") for number in (0, 1)),
    checks=(CheckResult("vd1", CheckVerdict.CLEAN, 0.0, 9, (), 0, "All 9 stripes agree."),),
    groups=(SHARED, OWN),
)
PLAN = Plan((
    PlannedVd(
        "vd3", 6, tuple(PlannedDrive(bay, f"SN{bay}", "RACK 6TB", 6 * TB) for bay in BAYS), 2 * TB, 2, 131072, 262144,
        group="dg0", start=1, left=3 * TB,
    ),
), (), (), (), "f00")


def some() -> FakeClient:
    made = client(replies={"PlanSimple": PLAN})
    made.said[RAID.name] = TWO
    return made


def test_groups_are_listed_with_what_is_free_in_one_piece() -> None:
    shown = rackeye(some(), "group").stdout
    assert "dg0     RAID6" in shown
    assert "vd0, vd1" in shown
    assert "dg0: The largest free piece has 3.0 TB." in shown
    assert "vd2: The largest" not in shown


@pytest.mark.parametrize(("words", "asked"), [
    ("--group dg0 --size rest", PlanSimpleRequest(6, None, 131072, (), full=True, group="dg0")),
    ("--group dg0 --size 1.5T --name x", PlanSimpleRequest(
        6, None, 131072, (), full=True, group="dg0", size=1_500_000_000_000, name="x")),
    ("--group dg0 --level 5", PlanSimpleRequest(5, None, 131072, (), full=True, group="dg0")),
    ("--bays 4-7 --size 500GiB", PlanSimpleRequest(5, None, 262144, (4, 5, 6, 7), full=True, size=500 * 1024**3)),
])
def test_what_is_asked_for(words: str, asked: PlanSimpleRequest) -> None:
    made = some()
    result = rackeye(made, "vd", "create", *words.split(), "--dry-run")
    assert result.exit_code == 0, result.output
    assert made.calls == [(RAID.name, "PlanSimple", asked)]
    assert "in drive group dg0, which has 3.0 TB left then" in result.stdout


@pytest.mark.parametrize(("words", "code"), [
    ("--group dg0 --bays 1-4", 2), ("--group dg9 --size rest", 1), ("--bays 0-3 --size much", 2),
])
def test_what_is_misuse_or_unknown(words: str, code: int) -> None:
    assert rackeye(some(), "vd", "create", *words.split(), "--dry-run").exit_code == code


def test_a_drive_of_a_group_is_replaced_for_all_that_is_on_it() -> None:
    said = " ".join(warnings(begin(3, TWO, None), TWO))
    assert "ALL recordings of vd0 and vd1 are lost" in said
    alone = replace(TWO, virtual_drives=TWO.virtual_drives[:1])
    assert "ALL recordings of vd0 are lost" in " ".join(warnings(begin(3, alone, None), alone))


def test_one_of_a_group_is_shown_with_the_groups_drives_and_check() -> None:
    shown = rackeye(some(), "vd", "show", "vd1").stdout
    assert shown.count("RACK 6TB") == 4
    assert "Clean" in shown
