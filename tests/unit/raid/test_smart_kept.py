"""Who is asked when, what a failed try means, what is kept, and what a failing drive is shown as and used for."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from core.clock import ManualClock
from core.errors import SmartHistoryBroken
from raid import smart_history
from raid.actions import StartJob
from raid.decide import decide
from raid.derive import derive
from raid.model import Drive, DriveState
from raid.model_plan import PlanSimpleRequest
from raid.plan import plan_simple
from raid.smart import Outcome, Reading
from raid.smart_history import History
from raid.smart_keeper import MISSING_AGAIN, SmartKeeper, after
from raid.smart_model import Figures, Smart, SmartHealth
from raid.spare_model import SpareState
from raid.world import World
from tests.unit.raid import worlds as w
from tests.unit.raid.spare_worlds import drive as spare_drive
from tests.unit.raid.spare_worlds import jobs, remembered, spare, with_reads

GOOD, WATCH, FAILING, UNKNOWN = SmartHealth.GOOD, SmartHealth.WATCH, SmartHealth.FAILING, SmartHealth.UNKNOWN
WELL = Reading(Outcome.READ, GOOD, "", Figures("ATA", True, 34, 100, None, None, 0, 0, 0))
ILL = Reading(Outcome.READ, FAILING, "The drive itself says that it is failing.", Figures("ATA", False, 34, 100))
MISSING = Reading(Outcome.MISSING, detail="smartctl cannot be started. apt-get install smartmontools.")
SILENT = Reading(Outcome.BROKEN, detail="No answer in 20 s from: smartctl /dev/sda")
ASLEEP = Reading(Outcome.ASLEEP, detail="It sleeps, and was not woken.")
HALF_AN_HOUR = 1800.0


@dataclass
class Bench:
    """A keeper with drives that answer as they are told."""

    file: Path
    clock: ManualClock = field(default_factory=lambda: ManualClock(w.NOW, 1000.0))
    answers: dict[str, Reading] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    seq: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.disks = tuple(w.disk(bay, w.BLANK) for bay in range(2))
        self.start()

    def start(self) -> None:
        self.history = History(self.file)
        self.keeper = SmartKeeper(self.history, self.clock, lambda: HALF_AN_HOUR, self._seq_of, self._ask)
        self.look()

    def look(self) -> dict[str, Smart]:
        return dict(self.keeper.know(self.disks)[0])

    def problems(self) -> tuple[str, ...]:
        return self.keeper.know(self.disks)[1]

    def turns(self, count: int = 10) -> list[str]:
        """Who is asked when the thread has its way."""
        self.asked.clear()
        for _ in range(count):
            self.keeper.one()
        return list(self.asked)

    def _ask(self, device: str) -> Reading:
        self.asked.append(device)
        return self.answers.get(device, WELL)

    def _seq_of(self, name: str) -> int | None:
        return self.seq.get(name, next((d.diskseq for d in self.disks if d.name == name), None))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    return Bench(tmp_path / "raid" / "smart.sqlite")  # type: ignore[return-value]


def test_unknown_until_read_then_once_in_half_an_hour(bench: Bench) -> None:
    assert {smart.health for smart in bench.look().values()} == {UNKNOWN}
    assert bench.turns() == ["/dev/sda", "/dev/sdb"]
    assert bench.look()["sda"] == Smart(GOOD, "", WELL.figures, w.NOW)
    bench.clock.advance(HALF_AN_HOUR - 1)
    assert bench.turns() == []
    bench.clock.advance(2)
    assert bench.turns() == ["/dev/sda", "/dev/sdb"]


def test_a_drive_that_comes_is_read_and_one_that_goes_is_forgotten(bench: Bench) -> None:
    bench.turns()
    bench.disks = (bench.disks[0], w.newcomer(1, w.BLANK))
    assert bench.look()["sdl"].health is UNKNOWN
    assert bench.turns() == ["/dev/sdl"]
    assert list(bench.look()) == ["sda", "sdl"]


def test_a_person_need_not_wait(bench: Bench) -> None:
    bench.turns()
    assert bench.keeper.ask_soon("sdb")
    assert not bench.keeper.ask_soon("sdz")
    assert bench.turns() == ["/dev/sdb"]


def test_who_asks_while_a_drive_is_read_gets_what_it_says_after_that(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def errs_meanwhile(device: str) -> Reading:
        bench.clock.advance(1.0)
        if len(bench.asked) == 0:
            bench.keeper.ask_soon("sda")
        return bench._ask(device)

    monkeypatch.setattr(bench.keeper, "_ask", errs_meanwhile)
    assert bench.turns() == ["/dev/sda", "/dev/sdb", "/dev/sda"]


def test_the_answer_of_another_drive_under_the_same_name_is_not_taken(bench: Bench) -> None:
    bench.answers["/dev/sda"] = ILL
    bench.seq["sda"] = 77
    bench.turns()
    assert bench.look()["sda"].health is UNKNOWN
    assert bench.history.last(bench.disks[0].serial) is None


def test_smartctl_that_is_missing_is_said_once_for_all_drives(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.answers = dict.fromkeys(("/dev/sda", "/dev/sdb"), MISSING)
    assert bench.turns() == ["/dev/sda"]
    bench.clock.advance(MISSING_AGAIN + 1)
    assert bench.turns() == ["/dev/sda"]
    assert len(caplog.records) == 1
    (said,) = bench.problems()
    assert "apt-get install smartmontools" in said
    assert {smart.health for smart in bench.look().values()} == {UNKNOWN}
    bench.answers = {}
    bench.clock.advance(MISSING_AGAIN + 1)
    bench.turns()
    assert bench.problems() == ()
    assert {smart.health for smart in bench.look().values()} == {GOOD}


def test_a_drive_that_hangs_is_said_once_and_the_others_are_read(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.answers["/dev/sda"] = SILENT
    for _ in range(3):
        assert bench.turns() == ["/dev/sda", "/dev/sdb"]
        bench.clock.advance(HALF_AN_HOUR + 1)
    assert len(caplog.records) == 1
    (said,) = bench.problems()
    assert said == "S.M.A.R.T. of the drive in bay 0 (serial SN0000) cannot be read: " + SILENT.detail
    assert [smart.health for smart in bench.look().values()] == [UNKNOWN, GOOD]


def test_a_failing_drive_is_one_from_the_first_look_after_a_restart(bench: Bench) -> None:
    bench.answers["/dev/sda"] = ILL
    bench.turns()
    bench.start()
    assert [smart.health for smart in bench.look().values()] == [FAILING, UNKNOWN]
    bench.answers["/dev/sda"] = SILENT
    bench.turns()
    assert bench.look()["sda"].health is FAILING
    bench.keeper.ask_soon("sda")
    bench.answers["/dev/sda"] = WELL
    bench.turns()
    assert bench.look()["sda"].health is GOOD
    bench.start()
    assert bench.look()["sda"].health is UNKNOWN


def test_a_sleeping_drive_keeps_what_it_last_said_with_its_age(bench: Bench) -> None:
    bench.turns()
    bench.start()
    bench.answers = dict.fromkeys(("/dev/sda", "/dev/sdb"), ASLEEP)
    bench.clock.advance(5000)
    bench.turns()
    assert bench.look()["sda"] == Smart(GOOD, "", WELL.figures, w.NOW, asleep=True)


@pytest.mark.parametrize(
    ("old", "reading", "health", "words"),
    [
        (Smart(), ASLEEP, UNKNOWN, "sleeps"),
        (Smart(GOOD, "", WELL.figures, 5.0), SILENT, UNKNOWN, "No answer"),
        (Smart(FAILING, "ill", ILL.figures, 5.0), SILENT, FAILING, "ill"),
        (Smart(FAILING, "ill", ILL.figures, 5.0), ASLEEP, FAILING, "ill"),
        (Smart(FAILING, "ill", ILL.figures, 5.0), WELL, GOOD, ""),
        (Smart(GOOD, "", WELL.figures, 5.0), ILL, FAILING, "itself"),
    ],
)
def test_after_a_try(old: Smart, reading: Reading, health: SmartHealth, words: str) -> None:
    new = after(old, reading, 9.0)
    assert new.health is health
    assert words in new.detail
    assert new.read == (9.0 if reading.outcome is Outcome.READ else old.read)


# -- what is kept


def at(when: float, reading: Reading = WELL, **figures: Any) -> Smart:
    return Smart(reading.health, reading.detail, replace(reading.figures, **figures), when)


def test_only_what_is_new_is_kept_and_one_in_six_hours(bench: Bench) -> None:
    add = bench.history.add
    assert add("A", "M", at(0.0))
    assert not add("A", "M", at(1800.0, temperature=44, hours=101))
    assert add("A", "M", at(3600.0, pending=1))
    assert add("A", "M", at(3601.0, ILL))
    assert add("A", "M", at(3601.0 + smart_history.SPACING, ILL))
    assert not add("", "M", at(0.0))
    kept = bench.history.of("A", 3)
    assert [record.at for record in kept.records] == [3601.0 + smart_history.SPACING, 3601.0, 3600.0]
    assert (kept.model, kept.records[2].figures.pending, kept.records[1].health) == ("M", 1, FAILING)


def test_the_file_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smart_history, "KEPT", 3)
    monkeypatch.setattr(smart_history, "DRIVES", 2)
    for serial in ("A", "B", "C"):
        for number in range(5):
            bench.history.add(serial, "M", at(number + 1000.0 * ord(serial), pending=number))
    assert [len(bench.history.of(serial, 99).records) for serial in ("A", "B", "C")] == [0, 3, 3]


def test_a_broken_file_is_put_aside(bench: Bench) -> None:
    bench.turns()
    bench.file.write_bytes(b"no database at all" * 400)
    bench.start()
    bench.turns()
    assert bench.problems() == ()
    assert bench.history.last(bench.disks[0].serial) is not None
    assert bench.file.with_suffix(".broken").exists()


def test_drives_are_read_also_when_nothing_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "raid").write_text("a file where the folder should be")
    bench = Bench(tmp_path / "raid" / "smart.sqlite")
    bench.turns()
    assert {smart.health for smart in bench.look().values()} == {GOOD}
    (said,) = bench.problems()
    assert said.startswith("S.M.A.R.T. readings are not kept")
    with pytest.raises(SmartHistoryBroken):
        bench.history.of("A", 1)


# -- what a failing drive is shown as, and used for

DOOMED = Smart(FAILING, ILL.detail, ILL.figures, w.NOW)


def told(of: World, bay: int) -> Drive:
    rows = derive(w.scene(of)).drives
    return next(row for row in rows if row.bay == bay and row.device is not None)


def test_a_failing_member_is_in_shield_and_stays_where_it_is() -> None:
    of = replace(w.healthy(), smart=(("sdb", DOOMED),))
    row = told(of, 1)
    assert (row.state, row.vd, row.slot, row.smart) == (DriveState.SHIELD, "vd0", 1, DOOMED)
    assert row.detail == "A failure is predicted: The drive itself says that it is failing."
    assert [told(of, bay).state for bay in (0, 2, 3)] == [DriveState.ONLINE] * 3
    assert derive(w.scene(of)).virtual_drives == derive(w.scene(w.healthy())).virtual_drives
    assert decide(of, w.memory(), w.SETTINGS, w.NOW).actions == decide(
        w.healthy(), w.memory(), w.SETTINGS, w.NOW
    ).actions


@pytest.mark.parametrize("smart", [Smart(WATCH, "8 sectors.", WELL.figures, 1.0), Smart(), Smart(GOOD)])
def test_only_failing_is_shield(smart: Smart) -> None:
    assert told(replace(w.healthy(), smart=(("sdb", smart),)), 1).state is DriveState.ONLINE


@pytest.mark.parametrize("doomed", [False, True])
def test_no_rebuild_onto_a_failing_drive(doomed: bool) -> None:
    new = w.newcomer(2, w.BLANK)
    of = w.pulled(2, new) if not doomed else replace(w.pulled(2, new), smart=((new.name, DOOMED),))
    actions = decide(of, w.memory(), w.SETTINGS, w.NOW).actions
    assert bool([action for action in actions if isinstance(action, StartJob)]) is not doomed
    row = told(of, 2)
    assert row.refused is doomed
    if doomed:
        assert row.state is DriveState.SHIELD
        assert "vd0 is not rebuilt on it" in row.detail
        assert "not rebuilt on it" in derive(w.scene(of)).virtual_drives[0].detail


def test_no_virtual_drive_is_made_of_a_failing_drive() -> None:
    of = w.world(tuple(w.disk(bay, w.BLANK) for bay in range(4)), smart=(("sdb", DOOMED),))
    plan = plan_simple(PlanSimpleRequest(), w.scene(of, w.memory(vds=())))
    assert [drive.bay for drive in plan.vds[0].drives] == [0, 2, 3]


@pytest.mark.parametrize("doomed", [False, True])
def test_a_failing_spare_takes_no_place(doomed: bool) -> None:
    of = with_reads(w.pulled(2, spare_drive()), spare_drive())
    of = replace(of, smart=((spare_drive().name, DOOMED),)) if doomed else of
    assert bool(jobs(of, remembered(spare()))) is not doomed
    state = told(of, spare_drive().bay or 0).state
    assert doomed is (state is DriveState.SHIELD)
    (view,) = derive(w.scene(of, remembered(spare()))).spares
    assert view.state is (SpareState.FAILED if doomed else SpareState.READY)
    assert view.detail == (
        "A failure is predicted: The drive itself says that it is failing. Replace it." if doomed else ""
    )
