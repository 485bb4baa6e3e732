"""What people are told of drive groups, and of the virtual drives that share one. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from raid.delete import resting
from raid.memory import KnownVd, Memory, Stage
from raid.model import CheckResult, DriveGroup, Progress, VdState, VirtualDrive, Work
from raid.model_care import Upkeep
from raid.scene import Scene
from raid.slices import free_places, running_of, seen
from raid.spans import arrays_of, group_name, is_group, parts_of, tops
from raid.volumes import wrong_filesystem

Checked = TypeVar("Checked", CheckResult, Upkeep)
LOST = (VdState.FAILED, VdState.OFFLINE, VdState.UNKNOWN)


def plain(text: str) -> str:
    """A sentence with the names of groups as people know them."""
    return text.replace(group_name(""), "")


def in_group(vd: KnownVd, group: VirtualDrive | None, scene: Scene) -> VirtualDrive:
    """One that shares a group. group: the group's array, judged as a virtual drive of its own."""
    running = running_of(vd, scene.world)
    if group is None:
        return VirtualDrive(
            vd.name, vd.uuid, vd.level, VdState.UNKNOWN, None, None, 0, vd.strip, (), 0, None, "Its group is not known."
        )
    state, detail = _state(vd, group, scene)
    return replace(
        group,
        name=vd.name,
        uuid=vd.uuid,
        state=state,
        progress=_progress(vd, group, scene),
        device=None if running is None or state is VdState.FAILED else running.device,
        size=vd.size,
        tolerance=0 if state in LOST else group.tolerance,
        mirrors=tuple(replace(one, tolerance=0) for one in group.mirrors) if state in LOST else group.mirrors,
        mountpoint=None if running is None or state is VdState.FAILED else running.volume.mountpoint,
        detail=plain(detail),
        group=plain(group.name),
    )


def _state(vd: KnownVd, group: VirtualDrive, scene: Scene) -> tuple[VdState, str]:
    if resting(vd):
        by_hand = f"{vd.name} was stopped by a person. Start it: rackeye vd start {vd.name}"
        return VdState.OFFLINE, f"{vd.name} is being deleted." if vd.stage is Stage.DELETING else by_hand
    if group.state in LOST:
        return group.state, group.detail
    array = scene.world.array(vd.group)
    here = seen(vd, array)
    if here is None and vd.stage is Stage.CREATING:
        return VdState.OFFLINE, f"{vd.name} is being made."
    if array is not None and array.cut is None:
        return VdState.UNKNOWN, f"The table of {group.name} cannot be read."
    if here is None:
        return VdState.UNKNOWN, (
            f"The table of {group.name} does not name {vd.name} any more. Nothing is written there; its data begin at "
            f"byte {vd.start} of {group.device} and have {vd.size} bytes."
        )
    running = running_of(vd, scene.world)
    if running is None:
        return VdState.OFFLINE, f"{vd.name} is being started."
    wrong = wrong_filesystem(vd, running) if vd.stage is Stage.READY else ""
    return group.state, " ".join(filter(None, (group.detail, wrong)))


def _progress(vd: KnownVd, group: VirtualDrive, scene: Scene) -> Progress | None:
    if vd.stage is Stage.DELETING:
        return Progress(Work.DELETING, 0.0)
    job = scene.world.job_on(vd.name)
    if job is not None and job.kind == "format":
        return Progress(Work.FORMATTING, 0.0)
    return group.progress or (Progress(Work.CREATING, 0.0) if vd.stage is Stage.CREATING else None)


def spread(found: Iterable[Checked], memory: Memory) -> tuple[Checked, ...]:
    """What is known of a drive group's check, told of each virtual drive in it."""
    said: list[Checked] = []
    for one in found:
        vd = memory.vd(one.vd)
        names = [part.name for part in parts_of(vd, memory)] if vd is not None and is_group(vd) else [one.vd]
        said += [replace(one, vd=name) for name in names]
    return tuple(said)


def strangers(scene: Scene) -> list[str]:
    """Virtual drives in tables of our groups that could not be taken over, said so that nobody misses them."""
    said = []
    for group in scene.memory.vds:
        running = scene.world.array(group.uuid) if is_group(group) else None
        for one in () if running is None or running.cut is None else running.cut.slices:
            if scene.memory.by_uuid(one.uuid) is None:
                said.append(
                    f"{plain(group.name)} holds a virtual drive {one.name!r}, which is not taken over: another one has "
                    "its name. It is left alone, and its place is not free."
                )
    return said


def group_views(scene: Scene) -> tuple[DriveGroup, ...]:
    """All of them: the shared ones, and those of one virtual drive each."""
    memory = scene.memory
    shared = [_shared(vd, scene) for vd in memory.vds if is_group(vd)]
    own = [_own(vd, scene) for vd in tops(memory) if not vd.group]
    return tuple(sorted((*shared, *own), key=lambda one: (len(one.name), one.name)))


def _shared(group: KnownVd, scene: Scene) -> DriveGroup:
    running = scene.world.array(group.uuid)
    free = () if running is None or running.cut is None else free_places(group, running, scene.memory)
    return DriveGroup(
        name=plain(group.name), level=group.level, spans=0, strip=group.strip,
        bays=tuple(slot.bay for slot in group.slots), vds=tuple(vd.name for vd in parts_of(group, scene.memory)),
        size=0 if running is None else running.md.size, free=sum(size for _, size in free),
        largest=max((size for _, size in free), default=0), shared=True,
    )


def _own(vd: KnownVd, scene: Scene) -> DriveGroup:
    running = scene.world.array(vd.uuid)
    bays = tuple(slot.bay for array in arrays_of(vd, scene.memory) for slot in array.slots)
    size = 0 if running is None else running.md.size
    return DriveGroup(vd.name, vd.level, vd.spans, vd.strip, bays, (vd.name,), size, 0, 0, shared=False)
