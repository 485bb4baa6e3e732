"""What a look teaches about the spares: where each one sits, whether it serves, whether it still reads. Pure."""

from dataclasses import replace

from raid.memory import KnownVd, Memory, Serving, Slot, Spare
from raid.scene import Scene
from raid.spares import last_read
from raid.sysfs import Member
from raid.world import Disk, Running

HUNG_SECONDS = 30.0
"""A read of a spare that takes longer: it does not answer."""
FRESH_SECONDS = 3.0
"""After a job on the array has ended, a look that shows its effect may still be due."""


Homes = dict[str, tuple[Slot, ...]]
"""Of each virtual drive that runs, by UUID: the place that each slot really belongs to."""


def learn_spares(scene: Scene, after: Memory, homes: Homes) -> Memory:
    """scene.memory: before this look; after: with what the look has shown of the virtual drives.

    A spare is never lost by a look: it goes only when its drive has become a member for good.
    """
    kept = [(spare, _learn(spare, scene, after, homes)) for spare in after.spares]
    for spare, now in kept:
        if spare.serving is not None and now is not None and now.serving is None:
            after = _place_again(spare, _moved(spare.serving, homes), after)
    return replace(after, spares=tuple(now for _, now in kept if now is not None))


def _moved(serving: Serving, homes: Homes) -> Serving:
    """Its home as it is now."""
    places = homes.get(serving.vd, ())
    return replace(serving, home=places[serving.slot]) if serving.slot < len(places) else serving


def _place_again(spare: Spare, serving: Serving, memory: Memory) -> Memory:
    """The slot belongs to its home again, not to the bay of the spare: else the spare would be taken for a drive that
    was put into the missing bay."""
    vd = memory.by_uuid(serving.vd)
    if vd is None or vd.slots[serving.slot].serial != spare.serial:
        return memory
    slots = (serving.home if number == serving.slot else slot for number, slot in enumerate(vd.slots))
    return memory.with_vd(replace(vd, slots=tuple(slots)))


def went_back(member: Member, disk: Disk, running: Running, memory: Memory) -> bool:
    """md marks the source of a copyback faulty when it has ended: no failure (facts/raid.md)."""
    spare = memory.spare(disk.serial)
    if spare is None or spare.serving is None or spare.serving.vd != running.uuid:
        return False
    now = running.md.member_in(spare.serving.slot)
    return now is not None and now.in_sync and now.device != member.device


def _learn(spare: Spare, scene: Scene, after: Memory, homes: Homes) -> Spare | None:
    disk = scene.world.by_serial(spare.serial)
    if spare.dedicated and after.by_uuid(spare.dedicated) is None:
        spare = replace(spare, dedicated="")  # its virtual drive was deleted: it serves all
    if disk is None:
        return _free(spare, None, scene, after, homes)
    spare = replace(spare, bay=disk.bay, model=disk.model, size=disk.size)
    spare = replace(spare, fault=spare.fault or _fault(spare, disk, scene, after))
    running = scene.world.running_array_of(disk)
    if running is None:
        return _free(spare, disk, scene, after, homes)
    vd = None if running.uuid is None else after.by_uuid(running.uuid)
    member = next(one for one in running.md.members if one.device == disk.name)
    if vd is None or not running.md.started or member.slot is None or member.slot >= len(vd.slots):
        return spare
    if running.md.member_in(member.slot) != member:
        return spare
    home = _home(spare, vd, member.slot, scene, homes)
    if home is None or home.bay in (None, disk.bay) or (member.in_sync and not scene.settings.copyback):
        return None  # a member for good: it sits in the place itself, or nothing goes back
    return replace(spare, serving=Serving(vd.uuid, member.slot, home))


def _home(spare: Spare, vd: KnownVd, slot: int, scene: Scene, homes: Homes) -> Slot | None:
    """The place in which a spare that has a slot stands in; None: in none but its own."""
    before = scene.memory.by_uuid(vd.uuid)
    serves = spare.serving is not None and (spare.serving.vd, spare.serving.slot) == (vd.uuid, slot)
    if vd.uuid in homes and (serves or (before is not None and before.slots[slot].serial != spare.serial)):
        return homes[vd.uuid][slot]
    return None


def _free(spare: Spare, disk: Disk | None, scene: Scene, after: Memory, homes: Homes) -> Spare:
    """It is in no running array: does it still serve?"""
    serving = spare.serving
    if serving is None:
        return spare
    vd = after.by_uuid(serving.vd)
    running = scene.world.array(serving.vd)
    if vd is None:
        return replace(spare, serving=None)
    if running is not None and running.md.started and running.md.member_in(serving.slot) is not None:
        return replace(spare, serving=None)  # another drive has the place
    spare = replace(spare, serving=_moved(serving, homes))
    blank = disk is not None and disk.probe is not None and disk.probe.blank
    return replace(spare, serving=None) if blank and not _just_tried(vd, scene) else spare


def _just_tried(vd: KnownVd, scene: Scene) -> bool:
    last = scene.world.last_job(vd.name, "spare")
    if last is None or last.boot != scene.world.boot:
        return False
    return last.alive or last.ended is None or 0 <= scene.now - last.ended < FRESH_SECONDS


def _fault(spare: Spare, disk: Disk, scene: Scene, after: Memory) -> str:
    """Why it is never chosen any more, until a person says so; empty for a good one."""
    if any(failed.serial == spare.serial for failed in after.failed):
        return "md put it out of its array for its errors."
    read = last_read(disk, scene)
    if read is not None and read.error:
        return read.error
    if read is not None and read.pending and scene.now - read.at > HUNG_SECONDS:
        return "It does not answer."
    return ""
