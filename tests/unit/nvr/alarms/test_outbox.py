"""When what is told: grouping, the loud ones, back-off, who was told."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.alarms.model import Event, Told
from nvr.alarms.outbox import (
    BACK_OFF_LIMIT,
    GIVE_UP,
    GROUP,
    SETTLE,
    TOLD,
    WAITING,
    Notice,
    Outbox,
    Queue,
    due,
    failed,
    news,
    notice,
    post,
    posted,
    sent,
    tell,
)
from tests.unit.nvr.alarms.samples import NOW, alarm


def raised(number: int = 1, at: float = NOW, *, loud: bool = False) -> Notice:
    return notice(alarm(number, loud=loud), Event.RAISED, at)


def test_nothing_waits() -> None:
    assert due(Queue(last=NOW), NOW) is None


def test_the_first_goes_at_once_and_what_follows_within_a_minute_goes_together() -> None:
    queue = Queue((raised(1), raised(2, NOW + 0.4)))
    assert due(queue, NOW + 0.4) == NOW + SETTLE
    queue = sent(queue, queue.notices, NOW + 2)
    later = Queue((raised(3, NOW + 5), raised(4, NOW + 50)), last=queue.last)
    assert due(later, NOW + 50) == NOW + 2 + GROUP
    assert due(replace(later, last=NOW - 500), NOW + 50) == NOW + 5 + SETTLE


def test_a_loud_one_waits_for_no_minute_unless_it_was_told_within_the_last() -> None:
    queue = Queue((raised(1),), last=NOW - 1)
    assert due(queue, NOW) == NOW - 1 + GROUP
    queue = replace(queue, notices=(*queue.notices, raised(9, loud=True)))
    assert due(queue, NOW) == NOW + SETTLE
    queue = sent(queue, queue.notices, NOW + 2)
    flapping = replace(queue, notices=(raised(9, NOW + 5, loud=True),))
    assert due(flapping, NOW + 5) == NOW + 2 + GROUP
    assert due(replace(flapping, notices=(raised(9, NOW + 70, loud=True),)), NOW + 70) == NOW + 70 + SETTLE


def test_a_failed_delivery_is_tried_again_ever_more_seldom() -> None:
    queue, waits, now = Queue((raised(),)), [], NOW
    for _ in range(9):
        queue = failed(queue, now, "no route")
        again = due(queue, now)
        assert again is not None
        waits.append(again - now)
        now = again
    assert waits == [10, 20, 40, 80, 160, 320, 600, 600, 600]
    assert queue.error == "no route"
    assert sent(queue, queue.notices, now) == Queue(last=now)
    assert failed(queue, NOW + GIVE_UP + 1, "no route").notices == (), "after a day it is no news"


def test_a_clock_that_is_set_back_holds_nothing() -> None:
    queue = replace(failed(Queue((raised(),), last=NOW), NOW, "x"), next_try=NOW + 500_000)
    at = NOW - 1_000_000
    assert (due(queue, at) or 0) - at <= max(BACK_OFF_LIMIT, GROUP + SETTLE)


def test_news_between_two_lists() -> None:
    old, kept, new = alarm(1), alarm(2), alarm(3)
    ended = replace(old, cleared=NOW)
    found = news((old, kept), (new, kept), (ended, alarm(77, cleared=1.0)), NOW)
    assert [(item.alarm, item.event) for item in found] == [(3, Event.RAISED), (1, Event.CLEARED)]


def test_posting() -> None:
    box = post(Outbox(), (raised(),), ("mail", "webhook"))
    assert box.mail.notices == box.webhook.notices == (raised(),)
    assert post(Outbox(), (raised(),), ()) == Outbox()
    many = post(Outbox(), tuple(raised(n) for n in range(WAITING + 9)), ("mail",))
    assert (len(many.mail.notices), many.mail.notices[-1].alarm) == (WAITING, WAITING + 8)
    assert posted(box, (), ("webhook",)).mail.notices == (), "a channel that is no longer set up tells nothing later"


def test_who_was_told_is_with_the_alarm_and_a_success_replaces_a_failure() -> None:
    batch = (raised(1), notice(alarm(1), Event.CLEARED, NOW))
    missed = (Told("mail", "a@b.c", Event.RAISED, NOW, "no route"),)
    first, other = tell((alarm(1), alarm(2)), batch, missed)
    assert [(note.event, note.error) for note in first.told] == [
        (Event.RAISED, "no route"), (Event.CLEARED, "no route"),
    ]
    assert other.told == ()
    [again] = tell((first,), batch, (Told("mail", "a@b.c", Event.RAISED, NOW + 9),))
    assert [(note.event, note.error, note.at) for note in again.told] == [
        (Event.RAISED, "", NOW + 9), (Event.CLEARED, "", NOW + 9),
    ]
    crowd = tuple(Told("mail", f"{n}@b.c", Event.RAISED, NOW) for n in range(40))
    assert len(tell((alarm(1),), (raised(1),), crowd)[0].told) == TOLD


@given(st.lists(st.tuples(st.integers(0, 600), st.booleans(), st.integers(1, 4)), min_size=1, max_size=30))
def test_never_more_than_one_letter_a_minute_and_each_alarm_and_none_is_lost(
    happenings: list[tuple[int, bool, int]],
) -> None:
    """A day of flapping: letters follow each other within a minute only when a loud alarm is in them for the first."""
    waiting = sorted((NOW + at, loud, number) for at, loud, number in happenings)
    queue, letters, told, now = Queue(), [], 0, NOW
    while waiting or queue.notices:
        while waiting and waiting[0][0] <= now:
            at, loud, number = waiting.pop(0)
            queue = replace(queue, notices=(*queue.notices, raised(number + (10 if loud else 0), at, loud=loud)))
        next_letter = due(queue, now)
        if next_letter is not None and next_letter <= now:
            letters.append((now, queue.notices))
            told += len(queue.notices)
            queue = sent(queue, queue.notices, now)
            continue
        now = min([at for at, _, _ in waiting[:1]] + ([next_letter] if next_letter is not None else []))
    assert told == len(happenings)
    for (before, _), (after, batch) in itertools.pairwise(letters):
        assert after - before >= GROUP - 0.001 or any(item.loud for item in batch)
    assert len([1 for at, _ in letters if at < NOW + GROUP]) <= 1 + 4


@pytest.mark.parametrize("channel", ["mail", "webhook"])
def test_the_box_has_a_queue_for_each(channel: str) -> None:
    queue = Queue(error="x")
    assert Outbox().having(channel, queue).of(channel) is queue
