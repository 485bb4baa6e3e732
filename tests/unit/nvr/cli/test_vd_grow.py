"""`rackeye vd grow`: the plan, the name typed, and the bar to the end."""

from dataclasses import replace

from nvr.cli.client import RAID
from raid.grow_model import GrowPlan, GrowRequest, PlanGrowRequest
from raid.model import Done, Progress, RaidSnapshot, VdState, Work
from raid.model_plan import PlannedDrive
from tests.unit.nvr.cli.fakes import TB, client, rackeye, virtual_drive

PLAN = GrowPlan(
    name="vd0", level="RAID5", new_level="RAID5", drives=4, new_drives=5, added=(PlannedDrive(4, "SN4", "R", 6 * TB),),
    capacity=18 * TB, new_capacity=24 * TB, tolerance=1, new_tolerance=1, strip=256 * 1024, seconds=360_000.0,
    warnings=("It cannot be undone.",), fingerprint="abc",
)


def told(*progress: float | None, bays: tuple[int, ...] = (0, 1, 2, 3, 4)) -> list[dict[str, RaidSnapshot]]:
    seen = []
    for percent in progress:
        work = None if percent is None else Progress(Work.RECONSTRUCTION, percent)
        vd = replace(virtual_drive(0), progress=work, bays=bays, size=24 * TB)
        seen.append({RAID.name: RaidSnapshot(virtual_drives=(vd,))})
    return seen


def test_the_plan_is_shown_the_name_wanted_and_the_work_followed() -> None:
    some = client(replies={"PlanGrow": PLAN, "GrowVd": Done("vd0 is being reconstructed.")}, told=told(10.0, None))
    assert rackeye(some, "vd", "grow", "vd0", "--add", "4", "--dry-run").exit_code == 0
    assert rackeye(some, "vd", "grow", "vd0", "--add", "4", answer="y\n").exit_code == 1
    assert {command for _, command, _ in some.calls} == {"PlanGrow"}
    result = rackeye(some, "vd", "grow", "vd0", "--add", "4", answer="vd0\n")
    assert result.exit_code == 0
    for words in ("RAID5 over 5 drives, 24.0 TB", "SN4", "More room", "It cannot be undone.", "Reconstruction 10"):
        assert words in result.stdout
    wish = PlanGrowRequest("vd0", (4,), None)
    assert some.calls[-1] == (RAID.name, "GrowVd", GrowRequest(wish, "abc"))


def test_one_that_was_given_up_or_has_failed_is_no_success() -> None:
    replies = {"PlanGrow": PLAN, "GrowVd": Done("vd0 is being reconstructed.")}
    argv = ("vd", "grow", "vd0", "--add", "4", "--yes")
    given_up = rackeye(client(replies=replies, told=told(None, bays=(0, 1, 2, 3))), *argv)
    assert (given_up.exit_code, "given up before it began" in given_up.stderr) == (1, True)
    failed = [{RAID.name: RaidSnapshot(virtual_drives=(virtual_drive(0, state=VdState.FAILED),))}]
    assert rackeye(client(replies=replies, told=failed), *argv).exit_code == 1


def test_without_bays_it_is_misuse() -> None:
    assert rackeye(client(), "vd", "grow", "vd0", "--level", "6").exit_code == 2
