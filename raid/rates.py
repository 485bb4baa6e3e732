"""How fast md may work: per cent of what the drives can do, as md's lower limit of each array. Pure.

md always works as fast as it can while nobody else uses the drives; below its lower limit (sync_speed_min) it does not
give way to others. The per cent is that limit, so it is what counts while cameras are recorded (docs/design/spares.md).
"""

from core.settings import Rates
from raid.members import copies_back
from raid.memory import KnownVd
from raid.priority import rebuilt_first
from raid.scene import Scene
from raid.spare_model import RateKind
from raid.world import Running

ABLE = 150_000
"""KiB/s that a drive is taken to do before it has been seen to do more: a spinning one, and slow flash."""
GIVES_WAY = 5
"""Per cent, at most, while another virtual drive is rebuilt."""
NOTABLE = 1.2
"""A faster speed counts when it is faster by so much, so that the limit is not written anew at each look."""


def percent(rates: Rates, kind: RateKind) -> int:
    """The setting of a kind of work."""
    return int(getattr(rates, kind.name.lower()))


def kind_of(vd: KnownVd, running: Running) -> RateKind:
    """What the array is busy with; while it rests, what would be most urgent."""
    if vd.growth is not None:
        return RateKind.RECONSTRUCTION
    match running.md.sync_action:
        case "check" | "repair":
            return RateKind.CHECK
        case "reshape":
            return RateKind.RECONSTRUCTION
        case "resync":
            return RateKind.REBUILD if vd.initialized else RateKind.INITIALIZATION
        case _:
            return RateKind.REBUILD


def able(running: Running, scene: Scene) -> int:
    """KiB/s of each member that the slowest is taken to do: `ABLE`, or the fastest that was seen of the array.

    Flash begins with the same: a limit that cannot be reached leaves nothing to mkfs and to the cameras (seen on the
    rack: mkfs took 35 s, then 60), and md shows by itself what flash can do, at the first moment nobody writes.
    """
    return max(ABLE, dict(scene.memory.fleeting.fastest).get(running.uuid or "", 0))


def speed_min(vd: KnownVd, running: Running, scene: Scene) -> int:
    """md's lower limit for an array, KiB/s of each member."""
    if scene.settings.sync_speed_min:
        return scene.settings.sync_speed_min
    kind = kind_of(vd, running)
    share = percent(scene.settings.rates, kind)
    urgent = kind is RateKind.REBUILD and not copies_back(running.md)
    if not urgent and rebuilt_first(scene, vd.name):
        share = min(share, GIVES_WAY)
    return able(running, scene) * share // 100


def fastest(scene: Scene) -> tuple[tuple[str, int], ...]:
    """The fastest work seen of each array in this run."""
    known = dict(scene.memory.fleeting.fastest)
    for running in scene.world.arrays:
        speed = (running.md.sync_speed or 0) // 1024
        if running.uuid is not None and speed > NOTABLE * known.get(running.uuid, 0):
            known[running.uuid] = speed
    return tuple(sorted(known.items()))
