"""What is to be told to whom, and when: a queue for each channel (pure). It is part of policyd's memory, on the disk.

Events of one minute go together, the first at once, so that nobody is flooded. An alarm that is loud waits for no
minute, unless that same one was told within the last. What could not be sent is tried again, ever more seldom.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from nvr.alarms.model import Alarm, Event, Told

CHANNELS = ("mail", "webhook")

SETTLE = 2.0
"""Seconds in which what belongs together comes together: the drive, and the virtual drive that it degrades."""
GROUP = 60.0
BACK_OFF, BACK_OFF_LIMIT = 10.0, 600.0
GIVE_UP = 24 * 3600.0
WAITING = 500
TOLD = 12
"""So many reports are kept with an alarm."""


@dataclass(frozen=True, slots=True)
class Notice:
    """An event of an alarm that is to be told. at: UTC. loud, same: of the alarm."""

    alarm: int
    event: Event
    at: float
    loud: bool
    same: str


@dataclass(frozen=True, slots=True)
class Queue:
    """Of one channel. tries: in a row that failed; next_try, last: UTC; recent: loud ones told lately."""

    notices: tuple[Notice, ...] = ()
    tries: int = 0
    next_try: float = 0.0
    last: float = 0.0
    recent: tuple[tuple[str, float], ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Outbox:
    """All channels."""

    mail: Queue = Queue()
    webhook: Queue = Queue()

    def of(self, channel: str) -> Queue:
        return self.mail if channel == "mail" else self.webhook

    def having(self, channel: str, queue: Queue) -> "Outbox":
        return replace(self, mail=queue) if channel == "mail" else replace(self, webhook=queue)


def notice(alarm: Alarm, event: Event, at: float) -> Notice:
    """One event."""
    return Notice(alarm.id, event, at, alarm.loud, alarm.same)


def news(before: Iterable[Alarm], after: Iterable[Alarm], ended: Iterable[Alarm], now: float) -> tuple[Notice, ...]:
    """What is new between two lists of open alarms; `ended`: where those that are gone are found."""
    old, new = {alarm.id for alarm in before}, {alarm.id for alarm in after}
    raised = [notice(alarm, Event.RAISED, now) for alarm in after if alarm.id not in old]
    cleared = [notice(alarm, Event.CLEARED, now) for alarm in ended if alarm.id in old and alarm.id not in new]
    return (*reversed(raised), *cleared)


def post(outbox: Outbox, notices: tuple[Notice, ...], channels: Iterable[str]) -> Outbox:
    """Puts them into each channel's queue; when too many wait the oldest go."""
    for channel in channels if notices else ():
        queue = outbox.of(channel)
        outbox = outbox.having(channel, replace(queue, notices=(*queue.notices, *notices)[-WAITING:]))
    return outbox


def posted(box: Outbox, notices: tuple[Notice, ...], channels: tuple[str, ...]) -> Outbox:
    """The outbox with news; what waits for a channel that is no longer set up goes."""
    for name in CHANNELS:
        if name not in channels and box.of(name).notices:
            box = box.having(name, replace(box.of(name), notices=(), tries=0, error=""))
    return post(box, notices, channels)


def due(queue: Queue, now: float) -> float | None:
    """When the next letter goes (UTC); None when nothing waits. A clock that was set back holds nothing for long."""
    if not queue.notices:
        return None
    recent = {same for same, at in queue.recent if 0 <= now - at < GROUP}
    last = min(queue.last, now)
    times = []
    for waiting in queue.notices:
        at = min(waiting.at, now) + SETTLE
        urgent = waiting.loud and waiting.event is Event.RAISED and waiting.same not in recent
        times.append(at if urgent else max(at, last + GROUP))
    again = min(queue.next_try, now + BACK_OFF_LIMIT) if queue.tries else 0.0
    return max(min(times), again)


def sent(queue: Queue, batch: tuple[Notice, ...], now: float) -> Queue:
    """The batch has gone."""
    loud = tuple((item.same, now) for item in batch if item.loud)
    recent = tuple((same, at) for same, at in queue.recent if 0 <= now - at < GROUP)
    return Queue(_without(queue, batch), last=now, recent=(*recent, *loud))


def failed(queue: Queue, now: float, error: str) -> Queue:
    """It is tried again; what is too old is given up."""
    wait = min(BACK_OFF * 2 ** min(queue.tries, 10), BACK_OFF_LIMIT)
    young = tuple(item for item in queue.notices if now - item.at < GIVE_UP)
    return replace(queue, notices=young, tries=queue.tries + 1, next_try=now + wait, error=error)


def tell(alarms: tuple[Alarm, ...], batch: tuple[Notice, ...], reports: tuple[Told, ...]) -> tuple[Alarm, ...]:
    """Notes with each alarm of the batch who was told, or could not be; a later report replaces an earlier one.

    reports: one a person; their `event` is put in here.
    """
    events: dict[int, list[Event]] = {}
    for item in batch:
        events.setdefault(item.alarm, []).append(item.event)
    return tuple(
        replace(alarm, told=_noted(alarm.told, events[alarm.id], reports)) if alarm.id in events else alarm
        for alarm in alarms
    )


def _noted(told: tuple[Told, ...], events: list[Event], reports: tuple[Told, ...]) -> tuple[Told, ...]:
    new = {(r.channel, r.who, event): replace(r, event=event) for event in events for r in reports}
    kept = [note for note in told if (note.channel, note.who, note.event) not in new]
    return (*kept, *new.values())[-TOLD:]


def _without(queue: Queue, batch: tuple[Notice, ...]) -> tuple[Notice, ...]:
    rest = list(queue.notices)
    for item in batch:
        if item in rest:  # not there: too many waited meanwhile
            rest.remove(item)
    return tuple(rest)
