"""Virtual drives that share a drive group: cut out of the group's array, told to the kernel, mounted, taken out. Pure.

The group's array is made, started, rebuilt and checked like any other (docs/design/groups.md); nothing of that is here.
"""

from collections.abc import Iterator
from dataclasses import replace

from raid.actions import Action, TellParts, Unmount
from raid.create import make_filesystem
from raid.cutting import Part, add_argv, remove_argv
from raid.delete import resting
from raid.gpt import MIB, TAIL
from raid.memory import KnownVd, Memory, Stage
from raid.nested import usable
from raid.scene import Scene
from raid.spans import data_of, is_group, parts_of, top
from raid.volumes import offer
from raid.world import Running, Slice, World


def seen(vd: KnownVd, group: Running | None) -> Slice | None:
    """Its entry in the group's table."""
    cut = None if group is None else group.cut
    if cut is None or not cut.ours:
        return None
    return next((one for one in cut.slices if one.uuid == vd.uuid), None)


def running_of(vd: KnownVd, world: World) -> Running | None:
    """The array of a virtual drive; of a part of a group its partition, in the same shape."""
    if not vd.group:
        return world.array(vd.uuid)
    group = world.array(vd.group)
    here = seen(vd, group)
    if group is None or here is None or not here.device:
        return None
    md = replace(group.md, device=here.device, devnum=here.devnum, size=here.size)
    return replace(group, md=md, uuid=vd.uuid, name=vd.name, volume=here.volume, cut=None)


def keep(vd: KnownVd, scene: Scene) -> Iterator[Action]:
    """The next step of a virtual drive in a group: to a volume, to rest, or to nothing."""
    group = scene.memory.by_uuid(vd.group)
    if group is None:
        return
    array = usable(group, scene)
    here = seen(vd, array or scene.world.array(vd.group))
    deleting = vd.stage is Stage.DELETING
    if here is not None and here.volume.mountpoint is not None and (resting(vd) or resting(group) or array is None):
        why = "is deleted" if deleting else "is stopped, as told" if array else "has failed with its drive group"
        said = f"{vd.name} {why}: it is no volume any more."
        yield Unmount(vd.name, here.volume.mountpoint, said, deleting)
        return
    if array is None or array.cut is None or resting(group):
        return
    if deleting and here is not None:
        step = remove_argv(array.device, group.uuid, vd.uuid)
        why = f"{vd.name} is deleted: its part of {top(group.name)} is free."
        yield from scene.job("uncut", vd.name, (step,), (), why)
    if resting(vd):
        return
    if here is None:
        if vd.stage is Stage.CREATING:
            yield from _cut(vd, group, array, scene)
        return
    if not here.device:
        if not any(scene.world.job_on(one.name) for one in parts_of(group, scene.memory)):
            yield TellParts(array.md.device, group.uuid, top(group.name))
        return
    running = running_of(vd, scene.world)
    if running is None:
        return
    if vd.stage is Stage.FORMATTING and running.volume.mountpoint is None:
        yield from make_filesystem(vd, running, scene)
    if vd.stage is not Stage.CREATING:
        yield from offer(vd, running, scene)


def _cut(vd: KnownVd, group: KnownVd, array: Running, scene: Scene) -> Iterator[Action]:
    """A table is made only while no virtual drive was ever finished here: one that is lost is not written anew."""
    others = [one for one in parts_of(group, scene.memory) if one.stage is not Stage.CREATING]
    step = add_argv(array.device, group.uuid, Part(vd.uuid, vd.name, vd.start, vd.size), first=not others)
    yield from scene.job("cut", vd.name, (step,), (), f"{vd.name} is made in {top(group.name)}.")


def learn_slice(vd: KnownVd, running: Running) -> KnownVd:
    """How far it is. running: as `running_of` has it."""
    volume, stage = running.volume, vd.stage
    if stage is Stage.CREATING:
        stage = Stage.FORMATTING
    elif stage is Stage.FORMATTING and volume.mountpoint is not None and volume.prepared:
        stage = Stage.READY
    found = volume.filesystem
    known = vd.filesystem or ("" if found is None or not found.complete else found.uuid)
    return replace(vd, stage=stage, filesystem=known)


def adopted(memory: Memory, world: World, allowed: frozenset[str]) -> Memory:
    """Virtual drives in the tables of our groups that are not known: they came with the group. allowed: UUIDs of those
    whose names may be taken."""
    for group in memory.vds:
        running = world.array(group.uuid) if is_group(group) and group.stage is Stage.READY else None
        cut = None if running is None or not running.md.started else running.cut
        for one in () if cut is None or not cut.ours else cut.slices:
            if memory.by_uuid(one.uuid) is None and one.uuid in allowed and memory.vd(one.name) is None:
                made = KnownVd(
                    one.name, one.uuid, group.level, group.strip, (), Stage.READY, "", group=group.uuid,
                    start=one.start, size=one.size,
                )
                memory = replace(memory, vds=(*memory.vds, made))
    return memory


def slice_gone(vd: KnownVd, memory: Memory, world: World) -> bool:
    """One that is deleted is in the table no more, or its group is gone."""
    if vd.stage is not Stage.DELETING or world.job_on(vd.name) is not None:
        return False
    if memory.by_uuid(vd.group) is None:
        return True
    group = world.array(vd.group)
    if group is None or not group.md.started or group.cut is None:
        return False
    here = seen(vd, group)
    return here is None


def mounted_on(running: Running) -> bool:
    """A virtual drive of this group is a volume still."""
    return running.cut is not None and any(one.volume.mountpoint for one in running.cut.slices)


def stripe_of(group: KnownVd, memory: Memory) -> int:
    """Bytes of data in a full stripe: places begin and end with one."""
    return group.strip * data_of(group, memory)


def first_start(stripe: int) -> int:
    """Where the first virtual drive begins."""
    return -(-MIB // stripe) * stripe


def free_places(group: KnownVd, running: Running, memory: Memory) -> tuple[tuple[int, int], ...]:
    """Start and size of what nobody has, in whole stripes; also what is only intended is taken."""
    stripe = stripe_of(group, memory)
    end = (running.md.size - TAIL) // stripe * stripe
    taken = [(vd.start, vd.size) for vd in parts_of(group, memory)]
    if running.cut is not None and running.cut.ours:
        taken += [(one.start, one.size) for one in running.cut.slices]
        taken += running.cut.others
    found, at = [], first_start(stripe)
    for start, size in sorted(taken):
        if start - at >= stripe:
            found.append((at, (start - at) // stripe * stripe))
        at = max(at, -(-(start + size) // stripe) * stripe)
    if end - at >= stripe:
        found.append((at, end - at))
    return tuple(found)
