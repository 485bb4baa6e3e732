"""A virtual drive that is to go, or is to rest: step by step, each seen before the next is done. Pure.

Stage DELETING is saved before anything is touched, and forgotten last, when no drive that is here carries its
superblock any more: a power cut in between leaves either a virtual drive or one that is deleted at the next start.
"""

from collections.abc import Iterator

from raid.actions import Action, Unmount
from raid.members import members_of
from raid.memory import KnownVd, Memory, Stage
from raid.scene import Scene
from raid.spans import spans_of
from raid.teardown import stop_argv, wipe_argv
from raid.world import Running


def resting(vd: KnownVd) -> bool:
    """It must not run: a person stopped it, or it is being deleted."""
    return vd.stopped or vd.stage is Stage.DELETING


def take_down(vd: KnownVd, running: Running | None, scene: Scene) -> Iterator[Action]:
    """The next step to rest, and for one that is deleted to nothing."""
    deleting = vd.stage is Stage.DELETING
    if running is not None:
        yield from put_away(vd, running, scene, "is deleted" if deleting else "is stopped, as told", discard=deleting)
    elif deleting:
        yield from _wipe(vd, scene)


def put_away(
    vd: KnownVd, running: Running, scene: Scene, why: str, *, discard: bool = False
) -> Iterator[Action]:
    """Unmounted, so that the recorder closes its files; then stopped, once they are closed.

    discard: the mount point goes with it. A span waits for the array that is built on it.
    """
    if scene.world.upper(running) is not None:
        return
    if running.cut is not None and any(one.volume.mountpoint for one in running.cut.slices):
        return  # a drive group: its virtual drives are unmounted first (slices.py)
    if running.volume.mountpoint is not None:
        yield Unmount(vd.name, running.volume.mountpoint, f"{vd.name} {why}: it is no volume any more.", discard)
        return
    steps = (stop_argv(running.device, vd.uuid),)
    yield from scene.job("stop", vd.name, steps, (), f"{vd.name} {why}: its array stops.")


def _wipe(vd: KnownVd, scene: Scene) -> Iterator[Action]:
    found = tuple(member.disk for member in members_of(vd.uuid, scene.world) if not member.disk.held_by)
    if not found:
        return
    bays = ", ".join(str(disk.bay) for disk in found)
    steps = (wipe_argv(vd.uuid, tuple(disk.device for disk in found)),)
    why = f"{vd.name} is deleted: the drives in bays {bays} become blank."
    yield from scene.job("wipe", vd.name, steps, found, why)


def gone(vd: KnownVd, memory: Memory, scene: Scene) -> bool:
    """Nothing of a virtual drive that is deleted is left here, and no drive is on its way that could carry it."""
    world = scene.world
    if vd.stage is not Stage.DELETING or world.array(vd.uuid) is not None or world.job_on(vd.name) is not None:
        return False
    if spans_of(vd, memory):
        return False
    if world.unread or any(running.uuid is None for running in world.arrays):
        return False
    carried = any(
        disk.probe is not None and disk.probe.superblock is not None and disk.probe.superblock.array_uuid == vd.uuid
        for disk in world.disks
    )
    if carried:
        return False
    if all(world.by_serial(slot.serial) is not None for slot in vd.slots):
        return True
    return not scene.just_started  # one that stays away is Foreign when it comes
