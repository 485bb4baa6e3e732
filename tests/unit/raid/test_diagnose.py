"""A member that errs, and a drive that md put out, are asked at once what they say of themselves."""

from dataclasses import replace

from raid.actions import AskSmart
from raid.decide import decide
from raid.diagnose import AGAIN
from raid.memory import FailedDrive, Memory
from raid.world import World
from tests.unit.raid import spare_worlds as s
from tests.unit.raid import worlds as w


def with_errors(*errors: int, **changes: object) -> World:
    """The members of vd0 have erred so often."""
    members = (replace(w.member(bay), errors=count) for bay, count in enumerate(errors))
    disks = tuple(w.disk(bay) for bay in range(len(errors)))
    return w.world(disks, w.running(w.array(*members, **changes)))


def asked(of: World, memory: Memory, after: float) -> tuple[list[str], Memory]:
    decision = decide(of, memory, w.SETTINGS, w.NOW + after)
    return [action.device for action in decision.actions if isinstance(action, AskSmart)], decision.memory


def test_once_when_it_errs_anew_and_not_more_often_than_once_a_minute() -> None:
    memory, told = w.memory(), []
    looks = [(0, 3), (10, 3), (20, 4), (25, 4), (30, 9), (50, 9), (20 + AGAIN, 9), (200, 9)]
    for after, errors in looks:
        devices, memory = asked(with_errors(0, errors, 0, 0), memory, after)
        told.append(devices)
    assert told == [[], [], ["sdb"], [], [], [], ["sdb"], []], "what it was before is no news"


def test_a_member_of_another_array_counts_from_there() -> None:
    memory = asked(with_errors(0, 9, 0, 0), w.memory(), 0)[1]
    memory = asked(with_errors(0, 0, 0, 0), memory, 10)[1]
    assert asked(with_errors(0, 1, 0, 0), memory, 20)[0] == ["sdb"]


def test_the_source_of_a_copyback_has_not_erred_though_md_calls_it_faulty_at_the_end() -> None:
    memory = asked(s.going_back(), s.serving(), 0)[1]
    assert asked(s.going_back(old="faulty", new="in_sync"), memory, 10)[0] == []


def test_one_that_md_puts_out() -> None:
    faulty = [w.member(bay) for bay in (0, 1, 3)] + [w.member(2, states="faulty")]
    of = w.world(tuple(w.disk(bay) for bay in range(4)), w.running(w.array(*faulty, degraded=1)))
    devices, memory = asked(of, w.memory(), 0)
    assert devices == ["sdc"]
    assert asked(of, memory, 10)[0] == [], "once"
    known = w.memory(failed=(FailedDrive(w.serial(2), "vd0", w.disk(2).diskseq, w.BOOT),))
    assert asked(of, known, 0)[0] == []


def test_a_clock_that_is_set_back_delays_no_question() -> None:
    memory = asked(with_errors(0, 1, 0, 0), asked(with_errors(0, 0, 0, 0), w.memory(), 0)[1], 1)[1]
    moved = replace(memory, fleeting=memory.fleeting.moved(-7200.0))
    assert asked(with_errors(0, 2, 0, 0), moved, 1 + AGAIN - 7200)[0] == ["sdb"]
