"""`rackeye vd delete`, `stop`, `start`, `drive dismiss`, and a plan in full: what they ask and what they send."""

from dataclasses import replace

from nvr.cli.client import RAID
from raid.model import (
    DeleteVdRequest,
    DismissDriveRequest,
    Done,
    DriveState,
    Progress,
    RaidSnapshot,
    Span,
    VdRequest,
    VdState,
    Work,
)
from raid.model_foreign import AbandonPlan, AbandonRequest, ImportPlan, ImportRequest
from raid.model_plan import DeletePlan, Plan, PlannedDrive, PlannedVd, PlanSimpleRequest
from tests.unit.nvr.cli.fakes import TB, client, drive, rackeye, virtual_drive

DRIVES = tuple(PlannedDrive(bay, f"SN{bay}", "RACK 6TB", 6 * TB) for bay in range(8))


def delete_plan(refusal: str = "") -> DeletePlan:
    return DeletePlan(
        "vd1", "00000001", "RAID5", 18 * TB, 3 * TB, DRIVES[4:], "/srv/rackeye/vd1",
        "3.0 TB of files are lost.", refusal,
    )


def gone_after_a_while() -> list[dict[str, RaidSnapshot]]:
    going = virtual_drive(1, state=VdState.OFFLINE, progress=Progress(Work.DELETING, 0.0))
    seen = (virtual_drive(0), going), (virtual_drive(0),)
    return [{RAID.name: RaidSnapshot(virtual_drives=drives)} for drives in seen]


def test_a_deletion_says_what_is_lost_wants_the_name_and_waits() -> None:
    some = client(
        replies={"PlanDelete": delete_plan(), "DeleteVd": Done("vd1 is being deleted.")}, told=gone_after_a_while()
    )
    for answer in ("", "y\n", "vd0\n"):
        result = rackeye(some, "vd", "delete", "vd1", answer=answer)
        assert result.exit_code == 1
        assert "WOULD BE LOST: 3.0 TB of files are lost." in result.stdout
        assert "SN7" in result.stdout
    assert rackeye(some, "vd", "delete", "vd1", "--dry-run").exit_code == 0
    assert {command for _, command, _ in some.calls} == {"PlanDelete"}
    result = rackeye(some, "vd", "delete", "vd1", answer="vd1\n")
    assert result.exit_code == 0
    assert "vd1: deleted" in result.stdout
    assert some.calls[-1] == (RAID.name, "DeleteVd", DeleteVdRequest("vd1", "00000001"))


IMPORT = ImportPlan("vd1", "RAID5", 18 * TB, DRIVES[4:7], 1, "It is started and mounted.", "", "f1n6e2")
ABANDON = AbandonPlan("vd1", "00000001", "RAID5", DRIVES[4:], "The drive of bay 7 is not there.", "Nothing lost.", "")


def test_a_virtual_drive_from_elsewhere_is_taken_over_after_its_plan() -> None:
    some = client(replies={"PlanImport": IMPORT, "ImportVd": Done("vd1 is taken over and started.")})
    shown = rackeye(some, "vd", "import", "vd1", answer="n\n")
    assert shown.exit_code == 1
    for said in ("RAID5", "SN6", "It is started and mounted."):
        assert said in shown.stdout
    assert rackeye(some, "vd", "import", "vd1", "--dry-run").exit_code == 0
    assert {command for _, command, _ in some.calls} == {"PlanImport"}
    assert rackeye(some, "vd", "import", "vd1", answer="y\n").exit_code == 0
    assert some.calls[-1] == (RAID.name, "ImportVd", ImportRequest("vd1", "f1n6e2"))
    few = client(replies={"PlanImport": replace(IMPORT, refusal="Too few.")})
    refused = rackeye(few, "vd", "import", "vd1", "--yes")
    assert (refused.exit_code, "Too few." in refused.stderr) == (1, True)


def test_one_that_could_not_be_made_is_given_up_after_its_plan() -> None:
    some = client(replies={"PlanAbandon": ABANDON, "AbandonVd": Done("vd1 is not made.")})
    shown = rackeye(some, "vd", "abandon", "vd1", answer="\n")
    assert shown.exit_code == 1
    assert "The drive of bay 7 is not there." in shown.stdout
    assert [command for _, command, _ in some.calls] == ["PlanAbandon"]
    assert "vd1 is not made." in rackeye(some, "vd", "abandon", "vd1", "--yes").stdout
    assert some.calls[-1] == (RAID.name, "AbandonVd", AbandonRequest("vd1", "00000001"))


def test_one_in_use_is_not_even_asked_about() -> None:
    some = client(replies={"PlanDelete": delete_plan("vd1 is in use: less (4242).")})
    result = rackeye(some, "vd", "delete", "vd1", "--yes")
    assert result.exit_code == 1
    assert "vd1 is in use: less (4242)." in result.stderr
    assert [command for _, command, _ in some.calls] == ["PlanDelete"]


def test_stop_asks_and_start_does_not() -> None:
    some = client(replies={"StopVd": Done("vd1 is being stopped."), "StartVd": Done("vd1 is being started.")})
    assert rackeye(some, "vd", "stop", "vd1", answer="n\n").exit_code == 1
    assert some.calls == []
    assert rackeye(some, "vd", "stop", "vd1", answer="y\n").exit_code == 0
    assert rackeye(some, "vd", "start", "vd1").exit_code == 0
    assert some.calls == [(RAID.name, "StopVd", VdRequest("vd1")), (RAID.name, "StartVd", VdRequest("vd1"))]


def test_only_a_missing_drive_is_dismissed() -> None:
    drives = (drive(2), drive(3, DriveState.MISSING, device=None))
    some = client(said={RAID.name: RaidSnapshot(drives=drives)}, replies={"DismissDrive": Done("It is gone.")})
    assert rackeye(some, "drive", "dismiss", "--bay", "2", "--yes").exit_code == 1
    assert some.calls == []
    assert rackeye(some, "drive", "dismiss", "--bay", "3", answer="y\n").exit_code == 0
    assert some.calls == [(RAID.name, "DismissDrive", DismissDriveRequest(3, drives[1].serial))]


def test_a_plan_in_full_shows_spans_and_pairs() -> None:
    sixty = PlannedVd("big", 60, DRIVES, 24 * TB, 2, 131072, 4 * 131072, 2)
    some = client(replies={"PlanSimple": Plan((sixty,), (), (), (), "f00")})
    words = "vd create --level 60 --bays 0-7 --spans 2 --strip 128K --name big --dry-run"
    shown = rackeye(some, *words.split()).stdout
    assert "big: RAID60 over 8 drives in 2 spans, 24.0 TB usable" in shown
    assert "survives the loss of 2 drives in each span (4 in all at most); strip 128 KiB, stripe 512 KiB" in shown
    assert shown.count("span 2") == 4
    wish = PlanSimpleRequest(60, None, 131072, tuple(range(8)), 2, full=True, name="big")
    assert some.calls == [(RAID.name, "PlanSimple", wish)]
    mirrors = PlannedVd("vd0", 1, DRIVES[:4], 12 * TB, 1, 262144, 2 * 262144)
    some = client(replies={"PlanSimple": Plan((mirrors,), (), (), (), "f00")})
    shown = rackeye(some, *["vd", "create", "--level", "1", "--bays", "0-3", "--dry-run"]).stdout
    assert "survives the loss of 1 drive of each mirror pair" in shown
    assert shown.count("pair 2") == 2


def test_a_nested_one_is_shown_with_its_spans() -> None:
    spans = (
        Span(1, VdState.OPTIMAL, (0, 1, 2, 3), 1, "/dev/md121", ""),
        Span(2, VdState.DEGRADED, (4, 5, 6, 7), 0, "/dev/md122", "Put a blank drive into bay 6."),
    )
    vd = virtual_drive(0, level=50, spans=spans, bays=tuple(range(8)), state=VdState.DEGRADED, tolerance=0)
    striped = virtual_drive(1, level=0, spans=spans)
    some = client(said={RAID.name: RaidSnapshot(virtual_drives=(vd, striped))})
    shown = rackeye(some, "vd", "show", "vd0").stdout
    assert "RAID50" in shown
    assert "/dev/md122" in shown
    assert "RAID00" in rackeye(some, "vd").stdout
