"""Which conditions of the box itself hold, by boxd's snapshot: the mode, a restore, the switch. Pure."""

from boot.model import BoxSnapshot, Mode
from nvr.alarms.kinds.condition import Condition
from nvr.alarms.kinds.system import ModeRecordDamaged, ModeRecordLost, RestoreUnfinished, SwitchUnfinished

JUDGES = {"mode-record-lost", "mode-record-damaged", "restore-unfinished", "switch-unfinished"}


def conditions(box: BoxSnapshot) -> list[Condition]:
    """An appliance that goes down just now is about to finish what was begun."""
    found: list[Condition] = []
    if box.state_damaged:
        found.append(ModeRecordLost(next(iter(told(box)), "")))
    elif box.state_mended:
        found.append(ModeRecordDamaged(box.state_mended))
    if box.unfinished and not box.going_down:
        found.append(RestoreUnfinished(box.unfinished))
    if box.mode is Mode.FAILOVER and box.failover_runs is not True and not box.going_down:
        found.append(SwitchUnfinished())
    return found


def troubles(box: BoxSnapshot) -> tuple[str, ...]:
    """Problems of boxd that are no alarm of their own above."""
    own = told(box)
    return tuple(problem for problem in box.problems if problem not in own)


def told(box: BoxSnapshot) -> tuple[str, ...]:
    """boxd's sentences about what has an alarm of its own."""
    return tuple(one for one in (box.state_lost, box.state_mended, box.unfinished) if one)
