"""Why a drive is not to be pulled now, though its virtual drive would bear the loss: the one rule for all who lead a
person to a bay (the replace wizard of the command line and that of the page). Pure.

How many drives may be lost is counted elsewhere (members.py); here is what is at work on them.
"""

from dataclasses import replace

from raid.grow import busy
from raid.memory import KnownVd
from raid.model import Drive, Work
from raid.scene import Scene
from raid.spans import checked_by, top
from raid.sysfs import Array, Member
from raid.world import Disk


def held(rows: tuple[Drive, ...], scene: Scene) -> tuple[Drive, ...]:
    """The rows of the drives, each with its reason."""
    disks = {disk.device: disk for disk in scene.world.disks}
    return tuple(replace(row, hold=_why(row, disks[row.device], scene)) if row.device in disks else row for row in rows)


def resync_due(vd: KnownVd, md: Array) -> bool:
    """After a power cut, under way or not yet begun.

    A stripe that was being written is half new, so that what a lost drive held there is computed wrong. Of a mirror md
    reads one copy until then, and a file system may have gone on from what the other copy has not.
    """
    return vd.initialized and not md.parity_complete


def _why(row: Drive, disk: Disk, scene: Scene) -> str:
    array = scene.world.running_array_of(disk)
    vd = None if array is None or array.uuid is None else scene.memory.by_uuid(array.uuid)
    if vd is None:  # a former member, or one that is to come in
        vd = None if row.vd is None else scene.memory.vd(row.vd)
        array = None if vd is None else scene.world.array(vd.uuid)
    if vd is None:
        return ""
    md, name = None if array is None else array.md, top(vd.name)
    if busy(vd, md):
        return f"{name} is being made anew over its drives: none of them is replaced now."
    member = None if md is None or not md.started else next((m for m in md.members if m.device == disk.name), None)
    if md is None or member is None or not member.in_sync or member.slot is None:
        return ""
    if md.sync_action == "repair" or _repaired(vd, scene):
        return f"Wrong stripes of {name} are being repaired: what this drive holds there may come out wrong without it."
    if resync_due(vd, md):
        return (
            f"What was being written to {name} at a power cut is made right by a resync: what this drive holds "
            "there may come out wrong without it."
        )
    if _copied(member, md):
        return (
            f"The data of {name} goes back from this drive to the bay it came from: afterwards {name} does without it, "
            "now it would be Degraded."
        )
    return ""


def _repaired(vd: KnownVd, scene: Scene) -> bool:
    """Repair is ordered of all spans of a virtual drive at once, and of a drive group by the name of its array."""
    run = dict(scene.world.checks).get(checked_by(vd))
    return run is not None and run.work is Work.REPAIR


def _copied(member: Member, md: Array) -> bool:
    """It is what a copyback copies."""
    onto = (m for m in md.members if m.replacement and m.slot == member.slot and m.present and not m.faulty)
    return not member.replacement and any(onto)
