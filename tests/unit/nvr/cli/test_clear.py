"""`rackeye drive clear`: raidd's plan comes first; what is refused asks for no serial."""

import json
from dataclasses import replace

import pytest

from core.errors import DriveInUse, NotAllowed, RackeyeError, SystemDrive
from nvr.cli.client import RAID
from raid.model import ClearDriveRequest, Done, DriveState, RaidSnapshot
from raid.model_clear import ClearPlan
from tests.unit.nvr.cli.fakes import TB, FakeClient, client, drive, rackeye

ASKED = ClearDriveRequest(3, "SN3")
PLAN = ClearPlan(3, "SN3", "RACK 6TB", 6 * TB, "/dev/sdd", ("ext4",), "It holds: ext4.", "")
LOOKS, DOES = (RAID.name, "PlanClear", ASKED), (RAID.name, "ClearDrive", ASKED)


def foreign(state: DriveState = DriveState.FOREIGN, refusal: str = "") -> FakeClient:
    found = drive(3, state, vd=None, slot=None, detail="It holds an ext4 file system.")
    missing = drive(3, DriveState.MISSING, device=None, serial="GONE")
    some = client(replies={
        "PlanClear": replace(PLAN, refusal=refusal), "ClearDrive": Done("The drive in bay 3 is blank."),
    })
    some.said[RAID.name] = RaidSnapshot(drives=(missing, found))
    return some


def test_clear_shows_the_drive_and_wants_its_serial() -> None:
    some = foreign()
    result = rackeye(some, "drive", "clear", "--bay", "3", answer="SN3\n")
    assert result.exit_code == 0
    for part in (
        "RACK 6TB", "SN3", "6.0 TB", "It holds an ext4 file system.", "will be lost for good. It holds: ext4.",
        "is blank.",
    ):
        assert part in result.stdout
    assert some.calls == [LOOKS, DOES]


@pytest.mark.parametrize("answer", ["", "\n", "yes\n", "sn3\n", "GONE\n"])
def test_clear_does_nothing_without_the_right_serial(answer: str) -> None:
    some = foreign()
    result = rackeye(some, "drive", "clear", "--bay", "3", answer=answer)
    assert result.exit_code == 1
    assert "rackeye explain CLI-001" in result.stderr
    assert some.calls == [LOOKS]


def test_on_trial_the_plan_is_shown_and_nothing_is_done() -> None:
    some = foreign()
    result = rackeye(some, "drive", "clear", "--bay", "3", "--dry-run")
    assert (result.exit_code, "It holds: ext4." in result.stdout) == (0, True)
    document = json.loads(rackeye(some, "drive", "clear", "--bay", "3", "--dry-run", "--json").stdout)
    assert (document["plan"]["signatures"], document["plan"]["refusal"], document["done"]) == (["ext4"], "", None)
    assert some.calls == [LOOKS, LOOKS]


@pytest.mark.parametrize(("state", "error"), [
    (DriveState.SYSTEM, SystemDrive), (DriveState.ONLINE, DriveInUse), (DriveState.OFFLINE, DriveInUse),
])
def test_what_raidd_refuses_is_said_before_anything_is_typed(state: DriveState, error: type[RackeyeError]) -> None:
    some = foreign(state, "It is in use by md127.")
    tried = rackeye(some, "drive", "clear", "--bay", "3", "--dry-run")
    assert (tried.exit_code, "It cannot be cleared: It is in use by md127." in tried.stdout) == (0, True)
    for words in ((), ("--yes",), ("--yes", "--json")):
        result = rackeye(some, "drive", "clear", "--bay", "3", *words, answer="SN3\n")
        assert result.exit_code == 1
        assert error.code in result.output
        assert "will be lost for good" not in result.output
        assert "type" not in result.output
    assert set(map(str, some.calls)) == {str(LOOKS)}


def test_clear_in_scripts_and_where_there_is_nothing_to_clear() -> None:
    some = foreign()
    document = json.loads(rackeye(some, "drive", "clear", "--bay", "3", "--yes", "--json").stdout)
    assert (document["done"], document["plan"]["serial"]) == ("The drive in bay 3 is blank.", "SN3")
    some.said[RAID.name] = RaidSnapshot(drives=(drive(3, DriveState.BLANK, vd=None),))
    assert "blank already" in rackeye(some, "drive", "clear", "--bay", "3").stdout
    some.said[RAID.name] = RaidSnapshot(drives=(drive(3, DriveState.MISSING, device=None),))
    assert rackeye(some, "drive", "clear", "--bay", "3", "--yes").exit_code == 1
    assert some.calls == [LOOKS, DOES]


def test_the_daemon_has_the_last_word() -> None:
    some = foreign()
    some.replies["ClearDrive"] = DriveInUse("Bay 3 is in use by vd0.", hint="Leave it.")
    result = rackeye(some, "drive", "clear", "--bay", "3", "--yes")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "rackeye: Bay 3 is in use by vd0.", "  Leave it.", f"  More: rackeye explain {DriveInUse.code}",
    ]
    some.replies["ClearDrive"] = NotAllowed("This user may not do that.", hint="sudo")
    document = json.loads(rackeye(some, "drive", "clear", "--bay", "3", "--yes", "--json").stdout)
    assert document["error"] == {"code": "BUS-002", "sentence": "This user may not do that.", "hint": "sudo"}
