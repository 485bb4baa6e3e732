"""Planning a virtual drive that shares a drive group, and what is remembered of a plan: the intents. Pure."""

import uuid
from dataclasses import replace

from core.errors import PlanImpossible
from core.units import human_bytes
from raid.gpt import TAIL
from raid.members import data_drives, tolerance
from raid.memory import KnownVd, Memory, Slot, Stage
from raid.model import level_text
from raid.model_plan import PlannedDrive, PlannedVd, PlanSimpleRequest
from raid.nested import usable
from raid.scene import Scene
from raid.slices import first_start, free_places, stripe_of
from raid.spans import group_name, is_group, split, top

GIB = 1024**3
RESERVE = 256 * 1024**2
"""md's data offset and bitmap, at most."""


def component_size(drives: tuple[PlannedDrive, ...], level: int) -> int:
    """Bytes of each member: whole GiB, so that another drive of the same nominal size fits later (spec/raid.md); all
    there is of very small ones, said by 0. RAID0, where no other drive ever takes a place, has all of each (md has no
    --size for it)."""
    smallest = min(drive.size for drive in drives)
    return 0 if not level or smallest < 16 * GIB else (smallest - RESERVE) // GIB * GIB


def first_of_group(whole: PlannedVd, size: int, scene: Scene) -> PlannedVd:
    """A plan over whole drives, as the first part of a new group of `size` bytes. Raises PlanImpossible."""
    start = first_start(whole.stripe)
    room = (_sure(whole) - TAIL) // whole.stripe * whole.stripe - start
    size = -(-size // whole.stripe) * whole.stripe
    if size > room:
        raise PlanImpossible(
            f"{human_bytes(size)} do not fit: the drives have {human_bytes(max(0, room))} for a shared group.",
            hint="Without --size it takes all there is, for itself.",
        )
    taken = {top(vd.name) for vd in scene.memory.vds} | {top(running.name) for running in scene.world.arrays}
    group = next(name for number in range(1000) if (name := f"dg{number}") not in taken)
    return replace(whole, capacity=size, group=group, start=start, left=room - size)


def _sure(whole: PlannedVd) -> int:
    """What the array has at least: exact but for RAID0 and very small drives, where md's own offset counts."""
    exact = component_size(whole.drives, whole.level)
    if exact:
        return exact * data_drives(whole.level, len(whole.drives))
    smallest = min(drive.size for drive in whole.drives)
    return (smallest - min(RESERVE, smallest // 8)) * data_drives(whole.level, len(whole.drives))


def in_group(request: PlanSimpleRequest, name: str, scene: Scene) -> tuple[PlannedVd, tuple[str, ...]]:
    """A part of a group that there is, and what to think of first. Raises PlanImpossible."""
    group = scene.memory.vd(group_name(request.group))
    if group is None or not is_group(group):
        known = ", ".join(top(vd.name) for vd in scene.memory.vds if is_group(vd)) or "none"
        raise PlanImpossible(
            f"There is no shared drive group {request.group!r}; there is: {known}.",
            hint="The first virtual drive makes one: rackeye vd create --bays 0-3 --size 2T",
        )
    running = usable(group, scene)
    if running is None or group.stage is not Stage.READY or group.stopped or running.cut is None:
        raise PlanImpossible(f"{request.group} does not run, so nothing is made in it.", hint="rackeye vd shows why.")
    if (request.level, request.strip) != (group.level, group.strip):
        raise PlanImpossible(
            f"All virtual drives of {request.group} are {level_text(group.level, 0)} with strips of "
            f"{group.strip // 1024} KiB.", hint="Another level needs drives of its own.",
        )
    if request.ppl:
        raise PlanImpossible(f"A partial parity log is of all of {request.group}, which is made already.")
    place = _place(request, group, free_places(group, running, scene.memory), scene.memory)
    data = data_drives(group.level, len(group.slots))
    drives = tuple(PlannedDrive(slot.bay, slot.serial, slot.model, slot.size) for slot in group.slots)
    left = sum(size for _, size in free_places(group, running, scene.memory)) - place[1]
    planned = PlannedVd(
        name, group.level, drives, place[1], tolerance(group.level, len(group.slots)), group.strip, group.strip * data,
        group=request.group, start=place[0], left=left,
    )
    degraded = running.md.degraded and tolerance(group.level, len(group.slots))
    return planned, ((f"{request.group} is degraded: make it whole soon.",) if degraded else ())


def _place(
    request: PlanSimpleRequest, group: KnownVd, free: tuple[tuple[int, int], ...], memory: Memory
) -> tuple[int, int]:
    """The smallest hole that is large enough; for the rest, the largest."""
    largest = max((size for _, size in free), default=0)
    stripe = stripe_of(group, memory)
    wanted = -(-request.size // stripe) * stripe or largest
    fitting = [(size, start) for start, size in free if size >= wanted > 0]
    if not fitting:
        raise PlanImpossible(
            f"{request.group} has {human_bytes(largest)} free in one piece, and {human_bytes(wanted)} were asked for."
            if wanted else f"{request.group} has nothing free.", hint="rackeye group",
        )
    return min(fitting)[1], wanted


def intents(planned: PlannedVd, memory: Memory) -> tuple[KnownVd, ...]:
    """What is to be remembered before anything is done: the virtual drive with its spans, or with its new group."""
    slots = tuple(Slot(drive.bay, drive.serial, drive.model, drive.size) for drive in planned.drives)
    whole = KnownVd(
        name=planned.name, uuid=_new_uuid(), level=planned.level, strip=planned.strip, slots=slots,
        stage=Stage.CREATING, filesystem=str(uuid.uuid4()),
        component_size=component_size(planned.drives, planned.level), spans=planned.spans, ppl=planned.ppl,
    )
    if not planned.group:
        return split(whole)
    there = memory.vd(group_name(planned.group))
    group = there or replace(whole, name=group_name(planned.group), uuid=_new_uuid(), filesystem="")
    part = replace(
        whole, slots=(), component_size=0, group=group.uuid, start=planned.start, size=planned.capacity,
    )
    return (part,) if there else (group, part)


def _new_uuid() -> str:
    """As md writes it."""
    digits = uuid.uuid4().hex
    return ":".join(digits[at : at + 8] for at in range(0, 32, 8))
