"""Drives of no virtual drive that were here and went: they stay in the picture until a person dismisses them. Pure.

Only blank and foreign ones that read well: one that failed, or is expected to, is pulled because we said so.
"""

from dataclasses import replace

from raid.memory import Memory, Slot
from raid.model import Drive, DriveState
from raid.scene import Scene
from raid.smart_model import SmartHealth
from raid.world import Disk


def learn_free(memory: Memory, scene: Scene) -> Memory:
    """The memory with the free drives that are here, and those that went from a bay which is still empty."""
    known = _known(memory)
    here = {disk.serial: disk for disk in scene.world.disks if disk.serial}
    used = {disk.bay for disk in here.values()} | _homes(memory)
    kept = [old for old in memory.free if old.serial not in {*known, *here} and old.bay not in used]
    kept += [old for old in memory.free if old.serial not in known and _is_being_read(here.get(old.serial), scene)]
    seen = {slot.serial for slot in kept}
    kept += [
        Slot(disk.bay, disk.serial, disk.model, disk.size)
        for disk in here.values() if disk.serial not in known | seen and _is_free(disk, memory, scene)
    ]
    return replace(memory, free=tuple(sorted(kept, key=lambda slot: slot.serial)))


def vanished(scene: Scene) -> list[Drive]:
    """Their rows."""
    here = {disk.serial for disk in scene.world.disks}
    gone = (slot for slot in scene.memory.free if slot.serial not in here)
    return [
        Drive(slot.bay, slot.serial, slot.model, slot.size, None, DriveState.UNKNOWN, "It is still awaited.")
        if scene.awaited(slot.serial) else
        Drive(
            slot.bay, slot.serial, slot.model, slot.size, None, DriveState.MISSING,
            f"It belonged to no virtual drive and is gone. If it was not pulled, it is dead. "
            f"`rackeye drive dismiss --bay {slot.bay}` takes it out of the picture.",
        )
        for slot in gone
    ]


def _known(memory: Memory) -> set[str]:
    """Those that are told of otherwise."""
    slots = {slot.serial for vd in memory.vds for slot in vd.slots}
    coming = {slot.serial for vd in memory.vds if vd.growth is not None for slot in vd.growth.added}
    others = {spare.serial for spare in memory.spares} | {failed.serial for failed in memory.failed}
    return slots | coming | others


def _homes(memory: Memory) -> set[int | None]:
    """Bays of which something is told in any case."""
    slots = {slot.bay for vd in memory.vds for slot in vd.slots if not slot.dismissed}
    return slots | {spare.serving.home.bay for spare in memory.spares if spare.serving is not None}


def _is_being_read(disk: Disk | None, scene: Scene) -> bool:
    return disk is not None and disk.probe is None and scene.world.running_array_of(disk) is None


def _is_free(disk: Disk, memory: Memory, scene: Scene) -> bool:
    probe = disk.probe
    if disk.protected or disk.bay is None or probe is None or probe.error:
        return False
    if scene.world.running_array_of(disk) is not None or scene.world.smart_of(disk).health is SmartHealth.FAILING:
        return False
    return probe.superblock is None or memory.by_uuid(probe.superblock.array_uuid) is None
