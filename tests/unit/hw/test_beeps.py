"""What is heard: codes, the alarm, queue, silence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.beeps import (
    ALARM,
    CODES,
    POLICY_SILENT,
    QUEUE,
    BeepMemory,
    Hush,
    Play,
    asked_for,
    code_tune,
    decide,
    heard,
    silence,
    view,
)
from hw.model import Conditions, Sound

NOW = 1_000_000.0


def tones(play: object) -> int:
    assert isinstance(play, Play)
    return sum(on for on, _ in play.tune.steps)


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_so_many_tones_once(code: int) -> None:
    got = decide(BeepMemory(queue=(code,)), (), Sound.SILENT, NOW)
    assert (tones(got.action), got.memory.code, got.memory.queue) == (code, code, ())
    assert isinstance(got.action, Play)
    assert not got.action.tune.endless
    assert got.action.tune.steps[0] == (True, 200), "the person who typed the password hears it at once"


def test_the_codes_are_those_of_the_appliance() -> None:
    assert tuple(CODES) == (1, 4, 5, 6, 7, 8)


@pytest.mark.parametrize("code", CODES)
def test_an_alarm_cannot_be_taken_for_a_code(code: int) -> None:
    short = {length for on, length in code_tune(code, after_alarm=True).steps if on}
    long = {length for on, length in ALARM.steps if on}
    assert min(long) >= 4 * max(short)
    assert ALARM.endless
    gaps = [length for on, length in ALARM.steps if not on]
    assert code_tune(code, after_alarm=True).steps[0] == (False, 2000)
    assert max(gaps) * 3 < 2000, "a code is set off by a silence that no alarm has"


def test_codes_wait_for_each_other_and_the_alarm_for_all() -> None:
    memory = BeepMemory().with_code(4).with_code(1)
    first = decide(memory, ("hot",), Sound.ALARM, NOW)
    assert tones(first.action) == 4
    assert first.again == pytest.approx(2 + 4 * 0.4 + 2)
    during = decide(first.memory, ("hot",), Sound.CODE, NOW + 5)
    assert (during.action, during.memory.code) == (None, 4)
    second = decide(during.memory, ("hot",), Sound.CODE, NOW + 5.7)
    assert (tones(second.action), second.memory.queue) == (1, ())
    after = decide(second.memory, ("hot",), Sound.CODE, NOW + 9)
    assert after.action == Play(ALARM)
    assert decide(after.memory, ("hot",), Sound.ALARM, NOW + 9).action is None
    assert decide(after.memory, (), Sound.ALARM, NOW + 9).action == Hush()


def test_too_many_codes_are_dropped() -> None:
    memory = BeepMemory()
    for _ in range(20):
        memory = memory.with_code(8)
    assert len(memory.queue) == QUEUE


def test_a_clock_that_is_set_back_does_not_hold_the_queue() -> None:
    playing = decide(BeepMemory(queue=(1, 5)), (), Sound.SILENT, NOW).memory
    assert tones(decide(playing, (), Sound.CODE, NOW - 86_400).action) == 5


def test_silence_lasts_until_the_next_new_condition() -> None:
    memory = silence(("hot", "vd0"))
    assert decide(memory, ("hot", "vd0"), Sound.ALARM, NOW).action == Hush()
    assert heard(memory, ("vd0",)) == ()
    assert decide(memory, ("hot", "vd0", "fan"), Sound.SILENT, NOW).action == Play(ALARM)
    assert view(memory, ("hot", "vd0"), Sound.SILENT).silenced == ("hot", "vd0")


def test_what_ended_and_comes_again_is_new() -> None:
    ended = decide(silence(("hot",)), (), Sound.SILENT, NOW).memory
    assert decide(ended, ("hot",), Sound.SILENT, NOW).action == Play(ALARM)


def test_what_is_not_ours_is_ended() -> None:
    assert decide(BeepMemory(), (), Sound.OTHER, NOW).action == Hush()
    assert decide(BeepMemory(), ("hot",), Sound.OTHER, NOW).action == Play(ALARM)


def test_a_silent_policyd_is_heard() -> None:
    assert asked_for(Conditions(alarms=("hot",)), True) == ("hot", POLICY_SILENT)


@given(st.lists(st.sampled_from(tuple(CODES)), max_size=6), st.sets(st.sampled_from("abc")), st.booleans())
def test_every_code_is_played_once_and_then_what_holds_is_heard(
    codes: list[int], asked: set[str], silenced: bool
) -> None:
    names = tuple(sorted(asked))
    memory = silence(names) if silenced else BeepMemory()
    for code in codes:
        memory = memory.with_code(code)
    now, sound, played = NOW, Sound.SILENT, []
    for _ in range(30):
        got = decide(memory, names, sound, now)
        memory = got.memory
        match got.action:
            case Play(tune, playing):
                played += [playing] if playing is not None else []
                sound = Sound.ALARM if tune.endless else Sound.CODE
            case Hush():
                sound = Sound.SILENT
            case None:
                pass
        now += (got.again or 0.0) + 0.01
    assert played == codes
    assert sound is (Sound.ALARM if names and not silenced else Sound.SILENT)
