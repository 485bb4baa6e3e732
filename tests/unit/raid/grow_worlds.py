"""A virtual drive of four drives, and one that is to come in."""

from raid.memory import Growth, Slot
from raid.world import Disk, World
from tests.unit.raid import worlds as w

NEW = Slot(4, w.serial(4), "RACK DRIVE", w.SIZE)
ORDER = Growth("token", 5, 5, (NEW,))


def newcomer(**changes: object) -> Disk:
    return w.disk(4, **{"probe": w.BLANK, **changes})  # type: ignore[arg-type]


def of(*disks: Disk, **changes: object) -> World:
    """vd0 whole over bays 0 to 3, and other drives."""
    md = w.array(*(w.member(bay) for bay in range(4)), **changes)
    return w.world((*(w.disk(bay) for bay in range(4)), *disks), w.running(md))


def grown(level: int = 5, **changes: object) -> World:
    """Over five drives."""
    members = [w.member(bay) for bay in range(5)]
    if level == 6:
        members[4] = w.member(4, states="spare")
    md = w.array(*members, level=level, raid_disks=5, **{"degraded": 0, **changes})
    return w.world(tuple(w.disk(bay) for bay in range(5)), w.running(md))
