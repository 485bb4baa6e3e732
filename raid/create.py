"""The making of a virtual drive, stage by stage. Pure.

The intent (KnownVd, stage CREATING) is saved first; each stage ends by observation, so that a killed raidd or a power
cut at any point is followed by the rest: CREATING until the array runs, FORMATTING until its volume is prepared.
"""

from collections.abc import Iterator

from raid import mdadm
from raid.actions import Action
from raid.filesystem import mkfs_argv
from raid.memory import KnownVd
from raid.scene import Scene
from raid.spans import data_of
from raid.world import Disk, Running


def create(vd: KnownVd, scene: Scene) -> Iterator[Action]:
    """mdadm --create, once each chosen drive is there and blank, or has this very array's superblock (a creation that
    was cut off: there is nothing on it yet)."""
    drives = chosen(vd, scene)
    if isinstance(drives, str):
        return
    steps = (mdadm.create(vd, tuple(disk.device for disk in drives)),)
    bays = ", ".join(str(disk.bay) for disk in drives)
    yield from scene.job("create", vd.name, steps, drives, f"{vd.name} is made of the drives in bays {bays}.")


def chosen(vd: KnownVd, scene: Scene) -> tuple[Disk, ...] | str:
    """The drives of an intent, in slot order; or the sentence why it cannot go on."""
    drives: list[Disk] = []
    for slot in vd.slots:
        disk = scene.world.by_serial(slot.serial)
        place = f"bay {slot.bay} (serial {slot.serial})"
        if disk is None or disk.bay != slot.bay:
            return f"{vd.name} is not made yet: the drive of {place} is not there. Put it back."
        if disk.protected:
            return f"{vd.name} is not made: the drive of {place} may not be used. {disk.protected}"
        if disk.probe is None:
            return f"{vd.name} is not made yet: the drive of {place} is being read."
        own = disk.probe.superblock
        if not disk.probe.blank and (own is None or own.array_uuid != vd.uuid):
            held = disk.probe.error or f"It holds data ({', '.join(disk.probe.signatures)})."
            return f"{vd.name} is not made: the drive of {place} is not blank any more. {held}"
        drives.append(disk)
    return tuple(drives)


def make_filesystem(vd: KnownVd, running: Running, scene: Scene) -> Iterator[Action]:
    """mkfs on a fresh array. What is found there was left on the blank drives by an array that is no more (a deletion
    takes off superblocks, not data), or is our own unfinished one: the array's UUID is new and nobody else's."""
    found = running.volume.filesystem
    if not running.volume.read or (found is not None and found.uuid == vd.filesystem and found.complete):
        return
    data = data_of(vd, scene.memory)
    argv = mkfs_argv(running.device, vd.name, vd.filesystem, vd.strip, data)
    wipe = ("wipefs", "--all", "--quiet", running.device)
    yield from scene.job("format", vd.name, (wipe, argv), (), f"The file system of {vd.name} is made.")
