"""The wizard of `rackeye drive replace`: what it refuses, what it says at each look, and how it ends."""

import json
from dataclasses import replace
from typing import Any

import pytest

from core.bus import Sentence
from core.errors import CannotReplace, NoSuchDrive, NotNow, RackeyeError
from hw.model import LocateRequest, PanelSnapshot
from nvr.cli import replace as wizard
from nvr.cli.client import PANEL, RAID
from nvr.cli.replace_steps import Stage, begin, lost_by, stand, warnings
from raid.model import (
    ClearDriveRequest,
    Done,
    Drive,
    DriveState,
    MirrorSet,
    Progress,
    RaidSnapshot,
    Span,
    VdState,
    Work,
)
from raid.model_care import BadBlocks, BadPlace, PatrolView
from raid.model_clear import ClearPlan
from raid.smart_model import Smart, SmartHealth
from tests.unit.nvr.cli.fakes import PANEL_GOOD, RAID_GOOD, REBUILD, FakeClient, client, drive, rackeye, virtual_drive


def raid(*changed: Drive, without: tuple[int, ...] = (), **vd0: Any) -> RaidSnapshot:
    """vd0 and vd1 with other rows for some bays."""
    bays = {row.bay for row in changed} | set(without)
    rows = tuple(row for row in RAID_GOOD.drives if row.bay not in bays)
    return RaidSnapshot(drives=(*rows, *changed), virtual_drives=(virtual_drive(0, **vd0), virtual_drive(1)))


def panel(*empty: int) -> PanelSnapshot:
    return replace(
        PANEL_GOOD, bays=tuple(replace(bay, present=bay.bay not in empty, serial=None) for bay in PANEL_GOOD.bays)
    )


DEGRADED: dict[str, Any] = {"state": VdState.DEGRADED, "tolerance": 0}
FAILED = drive(3, DriveState.FAILED)
GONE = drive(3, DriveState.MISSING, device=None)
REBUILT = drive(3, DriveState.REBUILD, serial="NEW")


def put_in(state: DriveState, **other: Any) -> RaidSnapshot:
    """Another drive in bay 3, which vd0 misses."""
    return raid(GONE, drive(3, state, serial="NEW", vd=None, slot=None, **other), **DEGRADED)


PAIRS = (MirrorSet((0, 1), 1), MirrorSet((2, 3), 1))
ONE_OUT = (MirrorSet((0, 1), 0), MirrorSet((2, 3), 1))
SPANS = tuple(Span(n, VdState.OPTIMAL, bays, 1, None, "") for n, bays in enumerate(((0, 1), (2, 3)), start=1))


@pytest.mark.parametrize(("snapshot", "error", "says"), [
    (raid(without=(3,)), NoSuchDrive, "nothing is to be replaced"),
    (raid(**DEGRADED), CannotReplace, "loses ALL its recordings"),
    (raid(drive(3, DriveState.SHIELD), **DEGRADED), CannotReplace, "loses ALL its recordings"),
    (raid(drive(3, DriveState.OFFLINE), state=VdState.FAILED, tolerance=0), CannotReplace, "may be needed"),
    (raid(progress=Progress(Work.RECONSTRUCTION, 3.0)), CannotReplace, "none of them is replaced now"),
    (raid(drive(3, DriveState.UNKNOWN)), NotNow, "not known"),
    (raid(mirrors=(PAIRS[0], MirrorSet((2, 3), 0)), **DEGRADED), CannotReplace, "loses ALL its"),
])
def test_what_is_refused(snapshot: RaidSnapshot, error: type[RackeyeError], says: str) -> None:
    with pytest.raises(error, match=says):
        begin(3, snapshot, panel(3) if error is NoSuchDrive else None)


def test_a_bay_whose_drive_is_not_read_yet_is_no_empty_bay() -> None:
    with pytest.raises(NotNow, match="still being read"):
        begin(3, raid(without=(3,)), panel())


@pytest.mark.parametrize(("snapshot", "says"), [
    (raid(), "If you pull any other drive of it (bays 0, 1, 2), ALL recordings of vd0 are lost."),
    (raid(FAILED, **DEGRADED), "If you pull any other drive of it (bays 0, 1, 2), ALL recordings of vd0 are lost."),
    (raid(level=6, tolerance=2), "it can then lose 1 more, and no recording"),
    (raid(drive(3, DriveState.BLANK, vd=None)), "belongs to no virtual drive"),
    (raid(mirrors=PAIRS), "If you pull bay 2 as well, ALL recordings of vd0 are lost. Of its other drives (bays 0, 1)"),
    (raid(mirrors=ONE_OUT, **DEGRADED), "If you pull any other drive of it (bays 0, 1, 2), ALL recordings"),
    (raid(spans=SPANS), "If you pull bay 2 as well, ALL recordings of vd0 are lost. Of its other drives (bays 0, 1)"),
])
def test_what_another_pull_would_cost_is_said_first(snapshot: RaidSnapshot, says: str) -> None:
    assert says in " ".join(warnings(begin(3, snapshot, None), snapshot))


SHIELD = drive(2, DriveState.SHIELD, smart=Smart(SmartHealth.FAILING, "It is worn."))
LISTED = (BadBlocks(2, "SN2", 3, 4096, 0),)


def unreadable(*places: tuple[int, bool]) -> PatrolView:
    """Bay and whether md has written it anew."""
    return PatrolView(bad=tuple(
        BadPlace(bay, f"SN{bay}", "/dev/sdx", 8, 8, rewritten, f"vd{bay // 4}", 1, "") for bay, rewritten in places
    ))


WORN = replace(raid(), patrol=unreadable((2, False), (2, False)))


@pytest.mark.parametrize(("snapshot", "says", "lost"), [
    (raid(bad_blocks=LISTED), "bay 2 lacks 3 place(s)", (2,)),
    (WORN, "bay 2 lacks 2 place(s)", (2,)),
    (WORN, "What lies there is LOST with the pull of bay 3. Replace it first: rackeye drive replace --bay 2", (2,)),
    (replace(raid(bad_blocks=LISTED), patrol=WORN.patrol), "bay 2 lacks 5 place(s)", (2,)),
    (raid(SHIELD), "bay 2 is expected to fail (It is worn). Should it fail before bay 3 is rebuilt, ALL", ()),
    (raid(SHIELD, bad_blocks=LISTED), "3 place(s) (bad blocks, or sectors that cannot be read) and is expected", (2,)),
    (raid(level=6, tolerance=2, bad_blocks=LISTED), "vd0 bears that, too, while bay 3 is out", ()),
    (replace(raid(level=6, tolerance=2, bad_blocks=LISTED), patrol=unreadable((1, False))), "is LOST", (1, 2)),
    (raid(FAILED, bad_blocks=LISTED, **DEGRADED), "cannot be read or rebuilt while bay 3 is out", ()),
    (raid(drive(3, DriveState.SHIELD), bad_blocks=LISTED), "is LOST with the pull of bay 3.", (2,)),
])
def test_what_hangs_on_the_drive_is_said_though_all_is_optimal(
    snapshot: RaidSnapshot, says: str, lost: tuple[int, ...]
) -> None:
    case = begin(3, snapshot, None)
    assert says in " ".join(warnings(case, snapshot))
    assert lost_by(case, snapshot) == lost


@pytest.mark.parametrize("snapshot", [
    raid(bad_blocks=(BadBlocks(3, "SN3", 3, 4096, 0),)),
    replace(raid(), patrol=unreadable((2, True), (3, False), (5, False))),
    raid(bad_blocks=(BadBlocks(2, "BEFORE", 3, 4096, 0),)),
    raid(level=50, spans=tuple(Span(n, VdState.OPTIMAL, (n, n + 2), 1, None, "") for n in (0, 1)), bad_blocks=LISTED),
    raid(level=10, mirrors=(MirrorSet((0, 2), 1), MirrorSet((1, 3), 1)), bad_blocks=LISTED),
])
def test_its_own_places_mended_ones_and_those_of_others_do_not_hang_on_it(snapshot: RaidSnapshot) -> None:
    case = begin(3, snapshot, None)
    assert "lacks" not in " ".join(warnings(case, snapshot))
    assert lost_by(case, snapshot) == ()


@pytest.mark.parametrize(("snapshot", "empty", "out", "stage", "says"), [
    (raid(FAILED, **DEGRADED), (), False, Stage.PULL, "SN3"),
    (raid(FAILED, **DEGRADED), (2,), False, Stage.WRONG, "SN2 into bay 2"),
    (raid(GONE, **DEGRADED), (3, 2), True, Stage.WRONG, "bay 2 was pulled, and that is not bay 3"),
    (raid(GONE, **DEGRADED), (3,), True, Stage.INSERT, "at least 6.0 TB"),
    (raid(GONE, **DEGRADED), (), True, Stage.SETTLE, "being read"),
    (put_in(DriveState.FOREIGN, detail="It holds ext4."), (), True, Stage.CLEAR, "ext4"),
    (put_in(DriveState.BLANK, detail="Too small.", refused=True), (), True, Stage.UNFIT, "Too small"),
    (put_in(DriveState.UNCONFIGURED_BAD), (), True, Stage.UNFIT, "another one"),
    (put_in(DriveState.STALE, detail="It was a member of vd1.", refused=True), (), True, Stage.UNFIT, "member of vd1"),
    (put_in(DriveState.BLANK, detail="It settles."), (), True, Stage.SETTLE, "settles"),
    (raid(REBUILT, progress=REBUILD, **DEGRADED), (), True, Stage.REBUILD, "Pull no other drive"),
    (raid(drive(3, serial="NEW")), (), True, Stage.DONE, "full member of vd0"),
    (raid(GONE, state=VdState.FAILED, tolerance=0), (3,), True, Stage.FAILED, "has failed"),
])
def test_each_stage(snapshot: RaidSnapshot, empty: tuple[int, ...], out: bool, stage: Stage, says: str) -> None:
    now = stand(begin(3, raid(FAILED, **DEGRADED), panel()), snapshot, panel(*empty), out=out)
    assert (now.stage, says in now.text) == (stage, True), now.text


def test_a_good_drive_is_not_to_be_pulled_while_the_wrong_one_is_brought_up_to_date() -> None:
    case = begin(3, raid(), panel())
    after = raid(drive(2, DriveState.REBUILD), progress=REBUILD, **DEGRADED)
    now = stand(case, after, panel(), out=False)
    assert (now.stage, now.loud) == (Stage.HOLD, True)
    assert "Do NOT pull bay 3" in now.text


def test_one_whose_mirror_works_may_be_pulled_though_another_pair_is_degraded() -> None:
    other = {"level": 10, "mirrors": ONE_OUT, **DEGRADED}
    case = begin(3, raid(drive(3, DriveState.SHIELD), **other), panel())
    assert stand(case, raid(drive(3, DriveState.SHIELD), **other), panel(), out=False).stage is Stage.PULL
    failed = raid(drive(3, DriveState.SHIELD), **{**other, "state": VdState.FAILED})
    assert stand(case, failed, panel(), out=False).stage is Stage.HOLD


RESYNC = Progress(Work.RESYNC, 42.3, 120_000_000, 60.0)
HELD = raid(drive(3, hold="It is made right."), progress=RESYNC)


def test_it_waits_for_what_is_at_work_on_the_drive_and_goes_on() -> None:
    """As raidd tells it (raid/hold.py), whatever the virtual drive bears."""
    case = begin(3, HELD, panel())
    now = stand(case, HELD, panel(), out=False)
    assert (now.stage, now.loud, now.progress) == (Stage.HOLD, True, RESYNC)
    assert now.text == "Do NOT pull bay 3 now: It is made right. This waits until that has ended."
    assert stand(case, raid(), panel(), out=False).stage is Stage.PULL
    assert stand(case, raid(progress=Progress(Work.RECONSTRUCTION, 1.0)), panel(), out=False).stage is Stage.HOLD


def test_the_wait_is_shown_with_its_progress_and_no_light() -> None:
    some = told((HELD, panel()), (HELD, panel()), (raid(), panel()), *STORY[3:])
    result = rackeye(some, "drive", "replace", "--bay", "3", "--yes")
    assert result.exit_code == 0, result.output
    at = [result.output.index(text) for text in (
        "!!! Do NOT pull bay 3 now: It is made right.", "Bay 3: Resync 42 %", "Pull the drive out of bay 3", "Done: ",
    )]
    assert at == sorted(at)
    assert result.output.count("Do NOT pull") == 1
    assert [call[2] for call in some.calls] == [LocateRequest(3, on) for on in (False, True, False)]
    lines = rackeye(told((HELD, panel())), "drive", "replace", "--bay", "3", "--yes", "--json").stdout.splitlines()
    line = json.loads(lines[0])
    assert (line["stage"], line["progress"]["kind"]) == ("hold", "Resync")


SPARE = drive(3, DriveState.HOT_SPARE, vd=None, slot=None)
TAKEN = {"bays": (0, 1, 2, 3), **DEGRADED}


@pytest.mark.parametrize(("before", "after", "stage", "says"), [
    (raid(SPARE), raid(drive(3, DriveState.REBUILD), progress=REBUILD, **TAKEN), Stage.HOLD, "being rebuilt onto"),
    (raid(SPARE), raid(drive(3), **TAKEN), Stage.HOLD, "loses ALL its recordings"),
    (raid(SPARE), raid(drive(3)), Stage.FAILED, "works in vd0 by now, which would be Degraded without it"),
    (raid(SPARE), raid(SPARE), Stage.PULL, "SN3"),
    (raid(), raid(FAILED, **DEGRADED), Stage.PULL, "SN3"),
    (raid(), raid(drive(3, DriveState.UNKNOWN)), Stage.HOLD, "not known"),
    (raid(), raid(drive(3, DriveState.OFFLINE), state=VdState.FAILED, tolerance=0), Stage.HOLD, "may be needed"),
    (raid(), raid(bad_blocks=LISTED), Stage.FAILED, "what bay 2 lacks would be LOST"),
    (raid(bad_blocks=LISTED), raid(bad_blocks=LISTED), Stage.PULL, "SN3"),
    (raid(SPARE), replace(raid(without=(3,)), starting=True), Stage.HOLD, "being read"),
], ids=[
    "spare is rebuilt", "spare cannot go", "spare serves", "spare", "fails", "unknown", "all fails", "more is lost",
    "as agreed", "raidd starts",
])
def test_it_is_decided_anew_at_each_look(before: RaidSnapshot, after: RaidSnapshot, stage: Stage, says: str) -> None:
    now = stand(begin(3, before, panel()), after, panel(), out=False)
    assert (now.stage, says in now.text) == (stage, True), now.text


def told(*looks: tuple[RaidSnapshot, PanelSnapshot]) -> FakeClient:
    first = looks[0]
    plan = ClearPlan(3, "NEW", "RACK 6TB", 6, "/dev/sdd", ("ext4",), "It holds: ext4.", "")
    replies = {"Locate": Sentence("ok"), "PlanClear": plan, "ClearDrive": Done("It is blank now.")}
    return client(
        said={RAID.name: first[0], PANEL.name: first[1]}, replies=replies,
        told=[{RAID.name: snapshot, PANEL.name: front} for snapshot, front in looks],
    )


STORY = (
    (raid(FAILED, **DEGRADED), panel()),
    (raid(FAILED, state=VdState.FAILED, tolerance=0), panel(2)),
    (raid(FAILED, **DEGRADED), panel()),
    (raid(GONE, **DEGRADED), panel(3)),
    (put_in(DriveState.BLANK, detail="It settles."), panel()),
    (raid(REBUILT, progress=REBUILD, **DEGRADED), panel()),
    (raid(drive(3, serial="NEW")), panel()),
)


def test_the_whole_way() -> None:
    some = told(*STORY)
    result = rackeye(some, "drive", "replace", "--bay", "3", answer="y\n")
    assert result.exit_code == 0, result.output
    at = [result.output.index(text) for text in (
        "ALL recordings of vd0 are lost", "Pull the drive out of bay 3", "!!! STOP: bay 2 was pulled",
        "The drive is back", "Bay 3 is empty", "It settles", "Rebuild 42 %", "1 h 05 min left", "Done: ",
    )]
    assert at == sorted(at)
    assert [call[2] for call in some.calls] == [LocateRequest(3, True), LocateRequest(3, False)]


def test_not_confirmed_changes_nothing() -> None:
    some = told(*STORY)
    assert rackeye(some, "drive", "replace", "--bay", "3", answer="n\n").exit_code == 1
    assert some.calls == []
    assert rackeye(some, "drive", "replace", "--bay", "3", "--json").exit_code == 2
    assert some.calls == []


def test_what_the_pull_loses_is_asked_once_more() -> None:
    story = ((WORN, panel()), *STORY[3:])
    some = told(*story)
    refused = rackeye(some, "drive", "replace", "--bay", "3", answer="y\nn\n")
    assert (refused.exit_code, some.calls) == (1, [])
    assert "Pull bay 3 though what bay 2 lacks is LOST with it?" in refused.output
    assert rackeye(some, "drive", "replace", "--bay", "3", answer="y\ny\n").exit_code == 0
    lines = rackeye(told(*story), "drive", "replace", "--bay", "3", "--yes", "--json").stdout.splitlines()
    assert "bay 2 lacks 2 place(s)" in json.loads(lines[0])["warnings"][2]


def test_json_is_a_line_at_each_change() -> None:
    result = rackeye(told(*STORY), "drive", "replace", "--bay", "3", "--yes", "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["stage"] for line in lines] == [
        "pull", "wrong bay", "pull", "insert", "settle", "rebuild", "done",
    ]
    assert [line["ended"] for line in lines][-2:] == [False, True]
    assert lines[5]["progress"]["percent"] == 42.3


def test_left_and_found_again() -> None:
    some = told(*STORY[:2])
    left = rackeye(some, "drive", "replace", "--bay", "3", "--yes")
    assert left.exit_code == 1
    assert "rackeye drive replace --bay 3" in left.stderr
    assert some.calls[-1][2] == LocateRequest(3, False)
    again = rackeye(told(*STORY[3:]), "drive", "replace", "--bay", "3")  # the pull is done: nothing to confirm
    assert again.exit_code == 0, again.output
    rebuilding = told(*STORY[5:6])
    assert rackeye(rebuilding, "drive", "replace", "--bay", "3").exit_code == 0  # the work goes on
    assert "The rebuild goes on" in rackeye(rebuilding, "drive", "replace", "--bay", "3").stderr


FOREIGN = (put_in(DriveState.FOREIGN, detail="It holds ext4."), panel())


@pytest.mark.parametrize(("answer", "clears"), [("NEW\n", True), ("SN3\n", False), ("\n", False)])
def test_a_foreign_drive_is_cleared_only_by_its_name(
    answer: str, clears: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wizard, "may_ask", lambda: True)
    some = told(FOREIGN, *STORY[4:])
    assert rackeye(some, "drive", "replace", "--bay", "3", "--yes", answer=answer).exit_code == 0
    asked = [call[2] for call in some.calls if call[1] == "ClearDrive"]
    assert asked == ([ClearDriveRequest(3, "NEW")] if clears else [])


def test_one_that_raidd_does_not_clear_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wizard, "may_ask", lambda: True)
    some = told(FOREIGN, *STORY[4:])
    plan = some.replies["PlanClear"]
    assert isinstance(plan, ClearPlan)
    some.replies["PlanClear"] = replace(plan, refusal="It is in use by dm-3.")
    result = rackeye(some, "drive", "replace", "--bay", "3", "--yes", answer="NEW\n")
    assert (result.exit_code, "type its serial" in result.output) == (0, False)
    assert "It cannot be cleared: It is in use by dm-3." in result.output
    assert not [call for call in some.calls if call[1] == "ClearDrive"]


def test_without_a_person_nothing_is_cleared() -> None:
    some = told(FOREIGN, FOREIGN)
    result = rackeye(some, "drive", "replace", "--bay", "3", "--yes", answer="NEW\nNEW\n")
    assert "rackeye drive clear --bay 3" in result.output
    assert all(call[1] == "Locate" for call in some.calls)


def test_a_panel_that_is_gone_does_not_stop_it() -> None:
    some = told(*STORY)
    some.replies["Locate"] = NotNow("No panel.")
    for said in some.told:
        del said[PANEL.name]
    del some.said[PANEL.name]
    result = rackeye(some, "drive", "replace", "--bay", "3", "--yes")
    assert (result.exit_code, "cannot blink: No panel." in result.output) == (0, True)
