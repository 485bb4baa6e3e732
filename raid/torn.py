"""A stripe that a power cut may have torn: remembered before the start, because nothing can tell it afterwards.

md writes the drives of a stripe one after the other. Cut off in between with a drive missing, the missing drive's part
is computed from what is new and what is old: it comes out wrong, also where nobody was writing. The rebuild puts down
what comes out, and every check agrees with it then. Pure but for the time zone.
"""

from collections.abc import Iterable
from dataclasses import replace

from core.units import utc_text
from raid.actions import Action, StartJob
from raid.members import lost, spare_failures
from raid.memory import KnownVd, Memory
from raid.scene import Scene
from raid.spans import checked_by
from raid.upkeep import checked_since, result_of
from raid.world import Running

PARITY = (4, 5, 6)


def note(memory: Memory, actions: Iterable[Action], scene: Scene) -> Memory:
    """The memory with what is about to be started by force without a person's word (assemble.py)."""
    for action in actions:
        if not isinstance(action, StartJob) or action.kind != "assemble" or "--force" not in action.steps[0]:
            continue
        vd = memory.vd(action.vd)
        if vd is not None and has_parity(vd):
            last = result_of(scene, checked_by(vd))
            before = 0.0 if last is None else last.finished  # the clock may be behind after the cut
            memory = memory.with_vd(replace(vd, torn=max(scene.now, before)))
    return memory


def has_parity(vd: KnownVd) -> bool:
    """A mirror has no parts that are computed from others: its copies are old or new."""
    return vd.level in PARITY or (vd.growth is not None and vd.growth.level in PARITY)


def learn_torn(vd: KnownVd, running: Running, scene: Scene) -> KnownVd:
    """Told until it is whole again, and a check has come to its end since: all is known by then that will ever be.

    Also when a drive goes during the resync after a power cut: what it held in a torn stripe is computed wrong. With
    the last redundancy md takes the resync for ended (drivers/md/raid5.c, raid5_sync_request); a RAID6 that has more
    goes on, and makes its parity agree with what came out.
    """
    md = running.md
    open_hole = has_parity(vd) and not md.ppl
    without_one = lost(md) > 0 and spare_failures(md) >= 0
    if vd.initialized and open_hole and not vd.torn and not md.parity_complete and without_one:
        return replace(vd, torn=scene.now)
    whole = not running.md.degraded and running.md.parity_complete
    return replace(vd, torn=0.0) if vd.torn and whole and checked_since(checked_by(vd), vd.torn, scene) else vd


def told(vd: KnownVd) -> str:
    """For people; empty when there is nothing to tell."""
    if not vd.torn:
        return ""
    return (
        "A stripe may be torn: it was being written when the power went, and a drive was missing before it was made "
        f"right (known since {utc_text(vd.torn)}). What the missing drive held there may come out wrong, and no check "
        "can show that."
    )
