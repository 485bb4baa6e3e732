"""Commands that change something: what they ask, what they send, and how they end."""

import json

import pytest

from core.bus import Sentence
from core.errors import DaemonGone, PlanImpossible
from hw.model import LocateRequest
from nvr.alarms.model import AcknowledgeRequest
from nvr.cli.client import PANEL, POLICY, RAID, RECORDER
from nvr.recorder.model import AddCamera, RemoveCamera
from raid.model import (
    CheckResult,
    CheckVerdict,
    Done,
    DriveState,
    JobState,
    JobView,
    Progress,
    RaidSnapshot,
    VdRequest,
    VdState,
    Work,
)
from raid.model_care import (
    BadPlace,
    PatrolView,
    PlannedRepair,
    RepairPlan,
    RepairRequest,
    Schedule,
    ScheduleRequest,
    UnreadDrive,
    Upkeep,
)
from raid.model_plan import CreateSimpleReply, CreateSimpleRequest, Plan, PlannedDrive, PlannedVd, PlanSimpleRequest
from raid.model_recover import RecoverPlan, RecoverRequest
from tests.unit.nvr.cli.fakes import TB, FakeClient, client, drive, rackeye, virtual_drive

PLAN = Plan(
    vds=(PlannedVd("vd0", 5, tuple(PlannedDrive(bay, f"SN{bay}", "RACK 6TB", 6 * TB) for bay in range(4)), 18 * TB, 1,
                   262144, 786432),),
    warnings=("The drives have different firmware.",), erased=(),
    unused=(PlannedDrive(7, "SN7", "RACK 6TB", 6 * TB),), fingerprint="f00",
)
WISH = PlanSimpleRequest(5, None, 262144, ())
INITIALIZING = Progress(Work.INITIALIZING, 42.0, 100_000_000, 61.0)


def raid_with(*vds: object, **other: object) -> dict[str, object]:
    return {RAID.name: RaidSnapshot(virtual_drives=vds, **other)}  # type: ignore[arg-type]


def creating(*told: dict[str, object]) -> FakeClient:
    replies = {"PlanSimple": PLAN, "CreateSimple": CreateSimpleReply(("vd0",))}
    return client(replies=replies, told=list(told))


# -- locate, alarms, cameras


def test_locate() -> None:
    some = client(replies={"Locate": Sentence("Bay 3 blinks.")})
    result = rackeye(some, "bay", "3", "locate", "on")
    assert (result.exit_code, result.output) == (0, "Bay 3 blinks.\n")
    assert some.calls == [(PANEL.name, "Locate", LocateRequest(3, True))]
    assert json.loads(rackeye(some, "bay", "3", "locate", "off", "--json").stdout)["done"] == "Bay 3 blinks."


@pytest.mark.parametrize("words", [
    "bay 3 locate", "bay 3 blink on", "bay x", "bay -1", "drive clear", "vd create", "vd create --simple --level 7",
    "vd create --simple --strip 65K", "vd create --simple --strip 2M", "vd create --simple --bays 3-1", "vd nonsense",
    "vd create --simple --bays 1,1", "camera add gate", "camera add gate rtsp://x/ --password p", "nonsense",
    "alarm show x", "check start", "vd recover", "drive clear --bay 3 --json", "completion tcsh", "vd list extra",
])
def test_misuse_is_2_and_asks_nobody(words: str) -> None:
    some = client(said={RAID.name: RaidSnapshot(drives=(drive(3, DriveState.FOREIGN, vd=None),))})
    result = rackeye(some, *words.split())
    assert result.exit_code == 2
    assert "Error: " in result.stderr
    assert result.stdout == ""
    assert some.calls == []


def test_acknowledge() -> None:
    some = client(replies={"Acknowledge": Sentence("Alarm 12 is acknowledged.")})
    assert rackeye(some, "alarm", "acknowledge", "12").exit_code == 0
    assert some.calls == [(POLICY.name, "Acknowledge", AcknowledgeRequest(12))]


def test_a_password_comes_from_standard_input_and_is_not_shown() -> None:
    some = client(replies={"AddCamera": Sentence("Camera gate was added.")})
    words = ("camera", "add", "gate", "rtsp://10.0.0.7/main", "--user", "viewer", "--volume", "vd1")
    result = rackeye(some, *words, answer="pass word \n")
    assert (result.exit_code, result.output) == (0, "Camera gate was added.\n")
    wanted = AddCamera("gate", "rtsp://10.0.0.7/main", "viewer", "pass word ", "vd1")
    assert some.calls == [(RECORDER.name, "AddCamera", wanted)]
    assert "pass" not in repr(some.calls)


def test_removing_a_camera_is_asked() -> None:
    some = client(replies={"RemoveCamera": Sentence("Camera gate was removed.")})
    for answer in ("n\n", "", "\n"):
        refused = rackeye(some, "camera", "remove", "gate", answer=answer)
        assert refused.exit_code == 1
        assert "Nothing was changed." in refused.stderr
    assert some.calls == []
    assert rackeye(some, "camera", "remove", "gate", "--yes").exit_code == 0
    assert rackeye(some, "camera", "remove", "gate", answer="y\n").exit_code == 0
    assert some.calls == [(RECORDER.name, "RemoveCamera", RemoveCamera("gate"))] * 2


# -- making virtual drives


def test_a_plan_is_shown_and_nothing_is_made() -> None:
    some = creating()
    result = rackeye(some, "vd", "create", "--simple", "--level", "5", "--dry-run")
    assert result.exit_code == 0
    for part in (
        "vd0: RAID5 over 4 drives, 18.0 TB usable, survives the loss of 1 drive; strip 256 KiB, stripe 768 KiB",
        "  2   RACK 6TB   SN2        6.0 TB", "Warning: The drives have different firmware.",
        "Not used: bay 7, RACK 6TB SN7, 6.0 TB",
    ):
        assert part in result.stdout
    document = json.loads(rackeye(some, "vd", "create", "--simple", "--dry-run", "--json").stdout)
    assert list(document) == ["error", "now", "plan", "created", "finished"]
    assert {command for _, command, _ in some.calls} == {"PlanSimple"}


def test_the_options_of_a_plan() -> None:
    some = creating()
    words = "vd create --simple --level 6 --count 2 --strip 1M --bays 0-3,5 --dry-run"
    assert rackeye(some, *words.split()).exit_code == 0
    assert some.calls == [(RAID.name, "PlanSimple", PlanSimpleRequest(6, 2, 1024 * 1024, (0, 1, 2, 3, 5)))]


def test_create_asks_and_sends_the_fingerprint_of_what_was_shown() -> None:
    some = creating()
    assert rackeye(some, "vd", "create", "--simple", "--no-wait", answer="n\n").exit_code == 1
    assert len(some.calls) == 1
    result = rackeye(some, "vd", "create", "--simple", "--no-wait", answer="y\n")
    assert result.exit_code == 0
    assert "Being made: vd0." in result.stdout
    assert some.calls[-1] == (RAID.name, "CreateSimple", CreateSimpleRequest(WISH, "f00"))


def test_create_waits_until_it_is_initialized() -> None:
    made = {"mountpoint": None, "state": VdState.OFFLINE, "detail": "vd0 is being made."}
    some = creating(
        raid_with(), raid_with(virtual_drive(0, **made)),
        raid_with(virtual_drive(0, mountpoint=None, progress=Progress(Work.FORMATTING, 0.0))),
        raid_with(virtual_drive(0, progress=INITIALIZING)), {RAID.name: DaemonGone("away")},
        raid_with(virtual_drive(0)), {RAID.name: AssertionError("looked on after the end")},
    )
    result = rackeye(some, "vd", "create", "--simple", "--yes")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[lines.index("Being made: vd0.") + 1 :] == [
        "vd0: being made", "vd0: vd0 is being made.", "vd0: Formatting 0 %, ???/s, ??? left",
        "vd0: Initializing 42 %, 100.0 MB/s, 1 min 01 s left",
        "rackeye-raidd is not there. The work goes on without it; waiting.",
        "vd0: Optimal, mounted at /srv/rackeye/vd0",
    ]
    again = creating(raid_with(virtual_drive(0)))
    document = json.loads(rackeye(again, "vd", "create", "--simple", "--yes", "--json").stdout)
    assert (document["created"], document["finished"]) == (["vd0"], True)


def test_create_that_is_left_goes_on() -> None:
    result = rackeye(creating(raid_with(virtual_drive(0, progress=INITIALIZING))), "vd", "create", "--simple", "--yes")
    assert result.exit_code == 0  # the fake's watch ends as by Ctrl-C
    assert "The work goes on. To find it again: rackeye vd --watch" in result.stderr


@pytest.mark.parametrize("end", [
    raid_with(virtual_drive(0, state=VdState.FAILED, mountpoint=None, detail="Two drives are gone.")),
    raid_with(virtual_drive(0, state=VdState.DEGRADED, detail="Two drives are gone.")),
    raid_with(jobs=(JobView("vd0-create", "create", "vd0", JobState.FAILED, "Two drives are gone."),)),
])
def test_create_that_fails_says_why(end: dict[str, object]) -> None:
    result = rackeye(creating(raid_with(), end), "vd", "create", "--simple", "--yes")
    assert result.exit_code == 1
    assert "Two drives are gone." in result.stderr
    assert "rackeye explain CLI-002" in result.stderr


@pytest.mark.parametrize("told", [raid_with(), {RAID.name: DaemonGone("raidd is gone.")}])
def test_create_does_not_wait_for_ever_for_nothing(told: dict[str, object]) -> None:
    some = creating(*[told] * 20)
    some.before_each = lambda: some.clock.advance(15.0)
    result = rackeye(some, "vd", "create", "--simple", "--yes")
    assert result.exit_code == 1
    assert "nothing has happened for 3 min 00 s" in result.stderr or "raidd is gone." in result.stderr


def test_long_work_is_not_taken_for_stuck() -> None:
    some = creating(*[raid_with(virtual_drive(0, progress=INITIALIZING))] * 20, raid_with(virtual_drive(0)))
    some.before_each = lambda: some.clock.advance(3600.0)
    assert rackeye(some, "vd", "create", "--simple", "--yes").exit_code == 0


def test_a_plan_that_cannot_be() -> None:
    some = client(replies={"PlanSimple": PlanImpossible("Three drives are needed, and 2 are blank.")})
    result = rackeye(some, "vd", "create", "--simple", "--yes")
    assert result.exit_code == 1
    assert "Three drives are needed" in result.stderr


# -- recovery


def test_recover_says_what_it_may_lose_and_wants_the_name() -> None:
    plan = RecoverPlan("vd0", (0, 1, None), (2,), "Writes of the last 3 s.", "f00")
    some = client(replies={"PlanRecover": plan, "RecoverVd": Done("vd0 is being started.")})
    for answer in ("", "y\n", "VD0\n"):
        result = rackeye(some, "vd", "recover", "vd0", answer=answer)
        assert result.exit_code == 1
        assert "Writes of the last 3 s." in result.stdout
        assert "0 1 ???" in result.stdout
    assert rackeye(some, "vd", "recover", "vd0", "--dry-run").exit_code == 0
    assert {command for _, command, _ in some.calls} == {"PlanRecover"}
    assert "vd0 is being started." in rackeye(some, "vd", "recover", "vd0", answer="vd0\n").stdout
    assert some.calls[-1] == (RAID.name, "RecoverVd", RecoverRequest("vd0", "f00"))


# -- checks


def checked(verdict: CheckVerdict, finished: float, wrong: tuple[int, ...] = ()) -> CheckResult:
    return CheckResult("vd0", verdict, finished, 5000, wrong, len(wrong), "So it is.")


@pytest.mark.parametrize(("verdict", "code"), [
    (CheckVerdict.CLEAN, 0), (CheckVerdict.WRONG, 1), (CheckVerdict.STOPPED, 1), (CheckVerdict.FAILED, 1),
])
def test_a_check_that_is_watched_ends_with_the_new_result(verdict: CheckVerdict, code: int) -> None:
    before, after = checked(CheckVerdict.CLEAN, 100.0), checked(verdict, 200.0, (17,) if code else ())
    check = Progress(Work.CHECK, 50.0, 10**8, 3.0)
    some = client(
        said={RAID.name: RaidSnapshot(virtual_drives=(virtual_drive(0),), checks=(before,))},
        replies={"StartCheck": Done("The parity of vd0 is being checked.")},
        told=[
            raid_with(virtual_drive(0), checks=(before,)),
            raid_with(virtual_drive(0, progress=check), checks=(before,)),
            raid_with(virtual_drive(0), checks=(after,)),
        ],
    )
    result = rackeye(some, "check", "start", "vd0", "--watch")
    assert result.exit_code == code
    assert "vd0: Check 50 %, 100.0 MB/s, 3 s left" in result.stdout
    assert f"vd0: {verdict}\nSo it is.\n" in result.stdout
    assert ("Wrong stripes: 17" in result.stdout) is bool(code)
    assert some.calls == [(RAID.name, "StartCheck", VdRequest("vd0"))]


def test_check_start_and_stop() -> None:
    some = client(replies={"StartCheck": Done("It begins."), "StopCheck": Done("It is stopped.")})
    assert rackeye(some, "check", "start", "vd0").stdout == "It begins.\n"
    assert rackeye(some, "check", "stop", "vd0").stdout == "It is stopped.\n"
    assert some.calls == [(RAID.name, "StartCheck", VdRequest("vd0")), (RAID.name, "StopCheck", VdRequest("vd0"))]


REPAIR = RepairPlan(
    "vd0", 6, 1_800_000_000.0,
    (PlannedRepair(17, 2, (3,)), PlannedRepair(300, 1, (), "More than one drive is wrong in one place.")), 1,
    "Bay 3 is wrong in 1.", "f00",
)


def test_a_repair_is_planned_and_wants_the_name() -> None:
    some = client(replies={"PlanRepair": REPAIR, "StartRepair": Done("1 stripes of vd0 are being repaired.")})
    for words in ("check repair vd0 --dry-run", "check vd0 --repair --dry-run"):
        result = rackeye(some, *words.split())
        assert (result.exit_code, "bay 3" in result.stdout, "More than one drive" in result.stdout) == (0, True, True)
    assert rackeye(some, "check", "vd0", "--repair", answer="vd1\n").exit_code == 1
    assert all(call[1] == "PlanRepair" for call in some.calls)
    result = rackeye(some, "check", "vd0", "--repair", answer="vd0\n")
    assert (result.exit_code, some.calls[-1][2]) == (0, RepairRequest("vd0", "f00"))
    planned = json.loads(rackeye(some, "check", "repair", "vd0", "--dry-run", "--json").stdout)["would_repair"]
    assert planned["count"] == 1
    assert rackeye(some, "check", "repair", "vd0", "--json").exit_code == 2


@pytest.mark.parametrize(("verdict", "wrong", "code"), [(CheckVerdict.CLEAN, (), 0), (CheckVerdict.WRONG, (300,), 1)])
def test_a_repair_that_is_watched_ends_with_what_is_wrong_still(
    verdict: CheckVerdict, wrong: tuple[int, ...], code: int
) -> None:
    before, after = checked(CheckVerdict.WRONG, 100.0, (17, 300)), checked(verdict, 100.0, wrong)
    mending = Progress(Work.REPAIR, 50.0, None, 3.0)
    some = client(
        said={RAID.name: RaidSnapshot(virtual_drives=(virtual_drive(0),), checks=(before,))},
        replies={"PlanRepair": REPAIR, "StartRepair": Done("It begins.")},
        told=[
            raid_with(virtual_drive(0), checks=(before,)),
            raid_with(virtual_drive(0, progress=mending), checks=(before,)),
            raid_with(virtual_drive(0), checks=(after,)),
        ],
    )
    result = rackeye(some, "check", "repair", "vd0", "--yes", "--watch")
    assert (result.exit_code, "vd0: Repair 50 %" in result.stdout) == (code, True)


def test_the_schedule_is_shown_and_set() -> None:
    told = RaidSnapshot(
        virtual_drives=(virtual_drive(0),), upkeep=(Upkeep("vd0", 1_800_000_000.0, "vd1 is being checked."),),
        schedule=Schedule(7.0, 0.0, 1, 5),
    )
    some = client(said={RAID.name: told}, replies={"SetSchedule": Done("It is set.")})
    shown = rackeye(some, "check", "schedule").stdout
    for text in ("every 7 days", "only by hand", "from 1:00 to 5:00", "2027-01-15", "vd1 is being checked."):
        assert text in shown
    assert "2027-01-15" in rackeye(some, "check", "vd0").stdout
    assert json.loads(rackeye(some, "check", "schedule", "--json").stdout)["next"][0]["vd"] == "vd0"
    rackeye(some, "check", "schedule", "--days", "14", "--quiet", "22-6")
    assert some.calls[-1][2] == ScheduleRequest(14.0, None, 22, 6)
    assert rackeye(some, "check", "schedule", "--quiet", "night").exit_code == 2


def test_patrol() -> None:
    place = BadPlace(3, "SN3", "/dev/sdd", 800, 8, False, "vd0", 12, "Replace this drive.")
    told = PatrolView(True, 42.0, 10**8, 61.0, 1_800_000_000.0, 8, (place,))
    some = client(
        said={RAID.name: RaidSnapshot(patrol=told)},
        replies={"StartPatrol": Done("8 drives are being read."), "StopPatrol": Done("It is stopped.")},
    )
    shown = rackeye(some, "patrol").stdout
    for text in ("42 %, 100.0 MB/s, 1 min 01 s left", "2027-01-15", "never by itself", "Unreadable", "800",
                 "Replace this drive."):
        assert text in shown, shown
    assert json.loads(rackeye(some, "patrol", "--json").stdout)["patrol"]["bad"][0]["lba"] == 800
    assert "none" in next(line for line in shown.splitlines() if line.startswith("Drives not read"))
    unread = (UnreadDrive(2, "SN2", "/dev/sdc", "It went away."), UnreadDrive(None, "SN9", "/dev/sdz", "It went away."))
    some.said[RAID.name] = RaidSnapshot(patrol=PatrolView(finished=1_800_000_000.0, unread=unread))
    shown = rackeye(some, "patrol").stdout
    for text in ("but not of every drive", "none found on what was read", "Not read: bay 2 (serial SN2): It went away.",
                 "Not read: not here (serial SN9): It went away."):
        assert text in shown, shown
    assert json.loads(rackeye(some, "patrol", "--json").stdout)["patrol"]["unread"][0]["why"] == "It went away."
    some.said[RAID.name] = RaidSnapshot(patrol=PatrolView(percent=42.0))
    assert "left at 42 % and goes on from there" in rackeye(some, "patrol").stdout
    assert rackeye(some, "patrol", "start").stdout == "8 drives are being read.\n"
    assert rackeye(some, "patrol", "stop").stdout == "It is stopped.\n"
