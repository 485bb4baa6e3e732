"""What goes before what, when several virtual drives have work at once. Pure.

1. A rebuild: redundancy is missing.
2. Initialization, reconstruction, copyback.
3. Checks and repairs.
4. The patrol read.

Within an array md keeps this order by itself (md_check_recovery in drivers/md/md.c: recovery, reshape, resync, check).
Between arrays, which share the processor and the controller, the rules that ask here do: while one is rebuilt, md gives
way to the cameras on the others sooner (rates.py), and no check or patrol read that comes by itself begins or goes on
(upkeep.py, patrolling.py). What a person began is left alone.
"""

from raid.scene import Scene
from raid.spans import top


def rebuilt_first(scene: Scene, other_than: str = "") -> str:
    """The virtual drive that is being rebuilt and so goes first; "" when none is, or only `other_than`."""
    for running in scene.world.arrays:
        vd = None if running.uuid is None else scene.memory.by_uuid(running.uuid)
        if vd is None or vd.growth is not None:
            continue  # md fills the drives that a reconstruction adds by a recovery, too
        if running.md.degraded and running.md.sync_action == "recover":
            name = top(vd.name)
            if name != top(other_than):
                return name
    return ""
