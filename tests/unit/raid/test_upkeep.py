"""When a consistency check comes by itself, and when it waits: raid/upkeep.py by tables. The time zone is UTC here."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from core.jobs import Job, JobState
from core.settings import Care
from raid import check, upkeep
from raid.actions import Action, StartCheck, StopCheck
from raid.decide import decide
from raid.model import CheckResult, CheckVerdict
from tests.unit.raid import worlds as w

DAY = 86400.0
MIDNIGHT = w.NOW - w.NOW % DAY
CARE = Care(check_days=7, quiet_from=1, quiet_until=5)
AT_NIGHT, AT_NOON = MIDNIGHT + 2 * 3600, MIDNIGHT + 12 * 3600


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def last(days_ago: float, now: float, **other: object) -> CheckResult:
    made = CheckResult("vd0", CheckVerdict.CLEAN, now - days_ago * DAY, 10, (), 0, "", 100.0, now - days_ago * DAY)
    return replace(made, **other)  # type: ignore[arg-type]


def actions(
    now: float, *results: CheckResult, job: Job | None = None, started: float = 0.0, **md: Any
) -> list[Action]:
    array = w.running(w.array(*(w.member(bay) for bay in range(4)), **md))
    world = w.world(tuple(w.disk(bay) for bay in range(4)), array, results=results)
    if job is not None:
        world = replace(world, jobs=(job,))
    memory = replace(w.memory(), fleeting=replace(w.memory().fleeting, started=started or now - 60))
    found = decide(world, memory, replace(w.SETTINGS, care=CARE), now)
    return [action for action in found.actions if isinstance(action, StartCheck | StopCheck)]


@pytest.mark.parametrize(("at", "begins"), [(AT_NIGHT, True), (AT_NOON, False), (MIDNIGHT + 5 * 3600, False)])
def test_the_quiet_hours(at: float, begins: bool) -> None:
    assert bool(actions(at, last(7.1, at))) is begins
    assert bool(actions(at)) is begins  # never checked


@pytest.mark.parametrize(("days_ago", "begins"), [(6.9, False), (7.0, True), (30.0, True)])
def test_every_seven_days(days_ago: float, begins: bool) -> None:
    assert bool(actions(AT_NIGHT, last(days_ago, AT_NIGHT))) is begins


def test_what_is_late_does_not_wait_for_the_night() -> None:
    assert not actions(AT_NOON, last(9.9, AT_NOON))
    assert actions(AT_NOON, last(10.1, AT_NOON))  # the machine was off at night
    assert not actions(AT_NOON, started=AT_NOON - 2 * DAY)
    assert actions(AT_NOON, started=AT_NOON - 3.1 * DAY)


def test_what_was_left_goes_on() -> None:
    cut = last(7.1, AT_NIGHT, percent=40.0, tried=0.0)
    [begun] = actions(AT_NIGHT, cut)
    assert isinstance(begun, StartCheck)
    assert "goes on from 40 %" in begun.why
    assert not actions(AT_NIGHT, replace(cut, tried=AT_NIGHT - 600))  # a person has just stopped it
    assert actions(AT_NIGHT, replace(cut, tried=AT_NIGHT - DAY))


def test_what_broke_off_or_was_refused_is_tried_again_half_a_day_later() -> None:
    broke = last(0.1, AT_NIGHT, verdict=CheckVerdict.WRONG, percent=0.0, tried=AT_NIGHT - 3600)
    refused = last(6, AT_NIGHT, verdict=CheckVerdict.FAILED, percent=0.0, tried=AT_NIGHT - 3600)
    for result in (broke, refused):
        assert not actions(AT_NIGHT, result)
        [begun] = actions(AT_NIGHT, replace(result, tried=AT_NIGHT - 0.6 * DAY))
        assert isinstance(begun, StartCheck)
        assert "goes on from" not in begun.why, "it begins anew"


@pytest.mark.parametrize("md", [
    {"degraded": 1}, {"parity_complete": False}, {"sync_action": "resync", "sync_total": 100},
    {"sync_action": "repair"},
])
def test_it_waits_for_what_comes_first(md: dict[str, Any]) -> None:
    assert not actions(AT_NIGHT, last(8, AT_NIGHT), **md)


def running_check(kind: str, started: float) -> Job:
    return Job("vd0-check-3", kind, "vd0.check", (), JobState.RUNNING, w.BOOT, started)


def test_it_is_stopped_when_the_night_is_over_and_one_by_hand_is_not() -> None:
    begun = running_check(check.SCHEDULED, AT_NIGHT)
    assert not actions(AT_NIGHT + 600, job=begun)
    [stop] = actions(AT_NOON, job=begun)
    assert isinstance(stop, StopCheck)
    assert stop.job == "vd0-check-3"
    assert not actions(AT_NOON, job=running_check(check.KIND, AT_NIGHT))
    assert not actions(AT_NOON, job=running_check(check.SCHEDULED, AT_NOON - 60))  # late: it began by day


def test_what_is_in_doubt_is_checked_at_any_hour_and_once() -> None:
    never = replace(CARE, check_days=0)
    doubt = AT_NOON - 60
    for result in (None, last(1, AT_NOON), last(1, AT_NOON, percent=40.0, tried=doubt - 1)):
        when = upkeep.due(result, never, AT_NOON - 30, doubt)
        assert when is not None
        assert when.now(never, AT_NOON)
    assert upkeep.due(last(1, AT_NOON, tried=doubt + 1), never, AT_NOON - 30, doubt) is None, "a person stopped it"


def test_a_copyback_that_was_cut_off_puts_the_parity_in_doubt_until_it_was_checked() -> None:
    members = (*(w.member(bay) for bay in range(4)), w.member(4, slot=2, states="replacement"))
    disks = tuple(w.disk(bay) for bay in range(5))
    job = Job("vd0-copyback-1", "copyback", "vd0", (), JobState.DONE, w.BOOT, w.NOW - 100)
    copying = replace(w.world(disks, w.running(w.array(*members, degraded=0, sync_action="recover"))), jobs=(job,))
    memory = w.memory(w.known(initialized=True))
    assert decide(copying, memory, w.SETTINGS, w.NOW).memory.vds[0].doubt == 0.0, "no power cut since it began"
    cut = decide(replace(copying, boot="boot-2"), memory, w.SETTINGS, w.NOW)
    assert cut.memory.vds[0].doubt == w.NOW
    whole = w.world(disks, w.running(w.array(*members[:4], degraded=0)))
    [check_now] = [a for a in decide(whole, cut.memory, w.SETTINGS, w.NOW + 9).actions if isinstance(a, StartCheck)]
    assert check_now.vd == "vd0"
    result = CheckResult("vd0", CheckVerdict.WRONG, w.NOW + 20, 9, (3,), 1, "One disagrees.")
    after = decide(replace(whole, results=(result,)), cut.memory, w.SETTINGS, w.NOW + 30).memory
    assert after.vds[0].doubt == 0.0
    year = 365 * upkeep.DAY
    ahead = replace(whole, results=(replace(result, finished=w.NOW + year),))
    assert decide(ahead, cut.memory, w.SETTINGS, w.NOW + 30).memory.vds[0].doubt, "the clock was ahead at that check"
    later = cut.memory.with_vd(replace(cut.memory.vds[0], doubt=w.NOW + year))
    assert decide(whole, later, w.SETTINGS, w.NOW).memory.vds[0].doubt == w.NOW, "a check can end it"


def test_the_next_one_is_told() -> None:
    assert upkeep.next_quiet(AT_NOON, CARE) == MIDNIGHT + 25 * 3600
    assert upkeep.next_quiet(AT_NIGHT, CARE) == AT_NIGHT
    assert upkeep.next_quiet(AT_NOON, replace(CARE, quiet_from=0, quiet_until=0)) == AT_NOON
    night = replace(CARE, quiet_from=22, quiet_until=6)
    quiet = [upkeep.quiet(MIDNIGHT + hour * 3600, night) for hour in (21, 22, 0, 5, 6)]
    assert quiet == [False, True, True, True, False]
    assert upkeep.due(None, replace(CARE, check_days=0), 0.0) is None


@pytest.mark.parametrize("result", [
    last(-400, AT_NIGHT),
    last(-400, AT_NIGHT, verdict=CheckVerdict.FAILED),
    last(-400, AT_NIGHT, percent=40.0),
])
def test_one_that_ended_while_the_clock_was_ahead_counts_as_none(result: CheckResult) -> None:
    assert actions(AT_NIGHT, result)
    assert not actions(AT_NOON, result), "in the quiet hours"
    assert not actions(AT_NIGHT, replace(result, finished=AT_NIGHT + 3600, tried=AT_NIGHT + 3600))
