"""What one area means for another, decided: conditions to alarms, drives to tray LEDs. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from boot.model import BoxSnapshot
from core.daemon import Decision
from hw.model import Conditions, PanelSnapshot, TrayCondition
from nvr.alarms.kinds.condition import Condition
from nvr.alarms.kinds.drives import DriveFailed
from nvr.alarms.kinds.system import DaemonSilent
from nvr.alarms.model import Alarm, Event, Health, Level, Told
from nvr.alarms.outbox import Notice, Outbox, news, notice, posted, tell
from nvr.policy import box, chassis, recording, signals, storage
from nvr.policy.trays import conditions as tray_conditions
from nvr.policy.world import World

# A daemon that is started again is back within this; before it, its silence is no alarm.
SILENCE_GRACE = 10.0
KEPT = 200


@dataclass(frozen=True, slots=True)
class SetTrays:
    """Action: tell paneld what the trays have to show."""

    conditions: tuple[tuple[int, TrayCondition], ...]


@dataclass(frozen=True, slots=True)
class SetConditions:
    """Action: tell paneld what holds for the whole chassis, and what shall be heard."""

    conditions: Conditions


Action = SetTrays | SetConditions


@dataclass(frozen=True, slots=True)
class Memory:
    """The alarms: what the world cannot tell is since when, and what somebody acknowledged.

    pending: conditions in their grace, with the time (UTC) of their beginning. outbox: what is still to be told.
    """

    open: tuple[Alarm, ...] = ()
    cleared: tuple[Alarm, ...] = ()
    next_id: int = 1
    pending: tuple[tuple[str, float], ...] = ()
    outbox: Outbox = Outbox()

    def noted(self, box: Outbox, batch: tuple[Notice, ...], reports: tuple[Told, ...]) -> "Memory":
        """After a delivery, or one that failed: who was told is with the alarm."""
        return replace(
            self, outbox=box, open=tell(self.open, batch, reports), cleared=tell(self.cleared, batch, reports)
        )


def decide(world: World, memory: Memory, now: float) -> Decision[Memory, Action]:
    """Alarms from conditions, and the trays where paneld shows something else than raidd's drives ask for."""
    holding, judged = _conditions(world, memory, now)
    ripe, pending = _ripen(holding, memory, now)
    decided = replace(update(memory, ripe, judged, now), pending=tuple((same, since) for same, since, _ in pending))
    told = news(memory.open, decided.open, decided.cleared, now)
    decided = replace(decided, outbox=posted(decided.outbox, told, world.channels))
    due = [SILENCE_GRACE - (now - word.since) for word in world.awaited if not word.answers]
    due += [since + grace - now for _, since, grace in pending]
    actions: tuple[Action, ...] = (*_trays(world, decided), *_signals(world, decided))
    return Decision(actions, decided, min((wait + 0.1 for wait in due if wait > 0), default=None))


def _ripen(
    holding: list[Condition], memory: Memory, now: float
) -> tuple[list[Condition], list[tuple[str, float, float]]]:
    """Conditions that have held long enough to be alarms, and those in their grace (same, since, grace)."""
    was_open, since = {alarm.same for alarm in memory.open}, dict(memory.pending)
    ripe: list[Condition] = []
    pending: list[tuple[str, float, float]] = []
    for condition in holding:
        began = since.get(condition.same, now)
        if condition.same in was_open or now - began >= condition.grace:
            ripe.append(condition)
        else:
            pending.append((condition.same, began, condition.grace))
    return ripe, pending


def _conditions(world: World, memory: Memory, now: float) -> tuple[list[Condition], set[str]]:
    """The conditions that hold, and the open alarms (`same`) of which it can be told now whether they go on.

    What a silent daemon watches is unknown, and so is what raidd cannot see now: those alarms stay as they are.
    """
    holding: list[Condition] = []
    known: set[str] = {"daemon-silent"}
    unknown: set[str] = set()
    was_open = {alarm.same for alarm in memory.open}
    if world.raid.data is not None:
        holding += storage.conditions(world.raid.data, was_open)
        known |= storage.JUDGES
        unknown |= storage.unseen(world.raid.data)
    if world.recorder.data is not None:
        holding += recording.conditions(world.recorder.data)
        known |= recording.JUDGES
    elif world.redundant:
        known |= recording.JUDGES  # nothing is to be recorded
    if world.fan.data is not None:
        holding += chassis.conditions(world.fan.data, was_open)
        known |= chassis.JUDGES
    if world.box.data is not None:
        holding += box.conditions(world.box.data)
        known |= box.JUDGES
    awaited = world.awaited
    for word in world.words:
        if word.data is not None:
            known.add(f"trouble/{word.daemon}")
            said = box.troubles(word.data) if isinstance(word.data, BoxSnapshot) else word.data.problems
            holding += storage.troubles(word.daemon, said)
        elif word in awaited and (now - word.since >= SILENCE_GRACE or f"daemon-silent/{word.daemon}" in was_open):
            holding.append(DaemonSilent(word.daemon))
    return holding, {same for same in was_open if _among(same, known) and not _among(same, unknown)}


def _among(same: str, beginnings: set[str]) -> bool:
    return any(same == beginning or same.startswith(f"{beginning}/") for beginning in beginnings)


def _trays(world: World, memory: Memory) -> tuple[SetTrays, ...]:
    raid, panel = world.raid.data, world.panel.data
    if raid is None or panel is None:
        return ()
    bays = {view.bay for view in panel.bays}
    failed = {alarm.bay for alarm in memory.open if alarm.code == DriveFailed.code}
    asked = tray_conditions(raid.drives, failed, raid.virtual_drives)
    wanted = {bay: kind for bay, kind in asked.items() if bay in bays}
    return () if wanted == shown(panel) else (SetTrays(tuple(sorted(wanted.items()))),)


def _signals(world: World, memory: Memory) -> tuple[SetConditions, ...]:
    if world.panel.data is None:
        return ()
    wanted = signals.conditions(memory.open)
    return () if wanted == world.panel.data.conditions else (SetConditions(wanted),)


def shown(panel: PanelSnapshot) -> dict[int, TrayCondition]:
    """What paneld was last told."""
    return {view.bay: view.condition for view in panel.bays if view.condition is not TrayCondition.NONE}


def update(memory: Memory, holding: Iterable[Condition], judged: set[str], now: float) -> Memory:
    """Raises what is new, clears what ended and can be judged, keeps the words of what goes on up to date."""
    by_same = {condition.same: condition for condition in holding}
    still: list[Alarm] = []
    ended: list[Alarm] = []
    for alarm in memory.open:
        condition = by_same.pop(alarm.same, None)
        if condition is not None:
            where = {key: getattr(condition, key, getattr(alarm, key)) for key in ("bay", "serial")}
            still.append(replace(alarm, text=condition.text, hint=condition.hint, **where))
        elif alarm.same in judged:
            ended.append(replace(alarm, cleared=now))
        else:
            still.append(alarm)
    raised = [
        _alarm(condition, memory.next_id + number, now) for number, condition in enumerate(by_same.values())
    ]
    return replace(
        memory,
        open=(*reversed(raised), *still),
        cleared=(*reversed(ended), *memory.cleared)[:KEPT],
        next_id=memory.next_id + len(raised),
    )


def acknowledge(memory: Memory, number: int, now: float, channels: tuple[str, ...] = ()) -> Memory:
    """Somebody has seen it; it stays open."""
    fresh = tuple(
        notice(alarm, Event.ACKNOWLEDGED, now)
        for alarm in memory.open if alarm.id == number and alarm.acknowledged is None
    )
    seen = tuple(
        replace(alarm, acknowledged=alarm.acknowledged or now) if alarm.id == number else alarm
        for alarm in memory.open
    )
    return replace(memory, open=seen, outbox=posted(memory.outbox, fresh, channels))


def health(world: World, memory: Memory) -> Health:
    """The worst open alarm in a word; UNKNOWN as long as one that should tell is silent and nothing worse is known."""
    levels = {alarm.level for alarm in memory.open}
    if Level.CRITICAL in levels:
        return Health.CRITICAL
    if not all(word.answers for word in world.awaited):
        return Health.UNKNOWN
    if Level.WARNING in levels:
        return Health.WARNING
    return Health.NOTICE if levels else Health.GOOD


def _alarm(condition: Condition, number: int, now: float) -> Alarm:
    about = {field.name: getattr(condition, field.name) for field in fields(condition)}
    return Alarm(
        id=number, code=condition.code, category=condition.category, level=condition.level, title=condition.title,
        text=condition.text, hint=condition.hint, same=condition.same, raised=now,
        cleared_text=condition.cleared_text, bay=about.get("bay"), serial=about.get("serial"), vd=about.get("vd"),
        camera=about.get("camera"), sounds=condition.sounds, loud=condition.loud,
    )
