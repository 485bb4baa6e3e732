"""How an array that should run is started: from its current members only, by event counter and role. Pure.

A stale member (pulled, put back, then a power cut) is never part of it; once the array runs it is a candidate like any
former member. Forced assembly, which may lose the last writes, happens only on a person's word (RecoverVd), once, and
from the very members that were shown.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from core.jobs import JobState
from raid import mdadm, mend
from raid.actions import Action
from raid.members import Member, Muster, Readiness, can_lose, muster
from raid.memory import KnownVd, Wish
from raid.scene import Scene
from raid.spans import is_span, top
from raid.torn import has_parity
from raid.world import Running


def assemble(vd: KnownVd, running: Running | None, scene: Scene) -> Iterator[Action]:
    """The steps that start an array which does not run."""
    if running is not None:
        yield from let_go(running, scene)
        return
    ready = muster(vd, scene.world)
    match ready.readiness:
        case Readiness.COMPLETE:
            if not (ready.awaited and still_waiting(vd, ready, scene)):  # the target of a copyback: else from its start
                yield from _start(vd, ready, scene, force=False)
        case Readiness.DEGRADED:
            if not still_waiting(vd, ready, scene):
                yield from _start(vd, ready, scene, force=ready.dirty)
        case Readiness.TOO_FEW:
            wish = scene.memory.fleeting.wish(vd.name)
            if wish is not None:
                yield from _recover(vd, wish, scene)
        case Readiness.AMBIGUOUS:
            pass


def let_go(running: Running, scene: Scene) -> Iterator[Action]:
    """md has taken members, and nobody started the array: they are free again, and are read."""
    why = f"{running.name} is stopped before it is started."
    yield from scene.job("stop", running.name, (mdadm.stop(running.device),), (), why)


def still_waiting(vd: KnownVd, ready: Muster, scene: Scene) -> bool:
    """Members may still be on their way: drives that are not read yet, or a start so fresh that drives still appear."""
    if scene.world.unread:
        return True
    if not ready.awaited:
        return False
    places = (*vd.slots, *(vd.growth.added if vd.growth is not None else ()))  # md may know of those before we do
    here = all(slot.serial and scene.world.by_serial(slot.serial) is not None for slot in places)
    if here and ready.readiness is not Readiness.COMPLETE:
        return False  # every drive is here: the one that is counted on has lost its superblock
    return scene.just_started


def _start(vd: KnownVd, ready: Muster, scene: Scene, *, force: bool) -> Iterator[Action]:
    devices = tuple(member.disk.device for member in ready.current)
    why = f"{vd.name} is started from {ready.in_sync} of {len(vd.slots)} members."
    if force and has_parity(vd):
        why += " It was being written, degraded, when the power went: the last stripe may be torn."
    disks = tuple(member.disk for member in ready.current)
    if any(member.superblock.reshaping for member in ready.current):
        why += " It goes on with its reconstruction from where that was cut off."
    yield from scene.job("assemble", vd.name, (mdadm.assemble(vd, devices, force=force),), disks, why)


@dataclass(frozen=True, slots=True)
class Recovery:
    """How a failed virtual drive could be started: `chosen` are just enough members, the freshest; `lost`: events that
    the oldest of them missed; `since`: its last update, UTC seconds."""

    chosen: tuple[Member, ...]
    left_out: tuple[Member, ...]
    lost: int
    since: int
    newest: int


def recovery(vd: KnownVd, scene: Scene) -> Recovery | None:
    """None when not even all drives that are there are enough."""
    ready = muster(vd, scene.world)
    found = sorted((*ready.current, *ready.stale), key=lambda member: -member.superblock.events)
    by_slot: dict[int, Member] = {}
    for member in found:
        role = member.superblock.role
        if role is not None and not member.superblock.recovering:
            by_slot.setdefault(role, member)
    chosen = _just_enough(vd, by_slot)
    if not chosen:
        return None
    left_out = tuple(member for member in found if member not in chosen)
    oldest, newest = chosen[-1].superblock, chosen[0].superblock
    return Recovery(tuple(chosen), left_out, newest.events - oldest.events, oldest.utime, newest.utime)


def _just_enough(vd: KnownVd, by_slot: dict[int, Member]) -> list[Member]:
    """The freshest members with which it can be started, freshest first; none when all are too few."""
    chosen: list[Member] = []
    for slot, member in sorted(by_slot.items(), key=lambda item: -item[1].superblock.events):
        left = frozenset(slot for slot, taken in by_slot.items() if taken in chosen)
        mirrored = member.superblock.level == 10 and slot ^ 1 in left
        if can_lose(member.superblock.level, len(vd.slots), left) < 0 and not mirrored:
            chosen.append(member)
    left = frozenset(slot for slot, taken in by_slot.items() if taken in chosen)
    return chosen if chosen and can_lose(chosen[0].superblock.level, len(vd.slots), left) >= 0 else []


def fingerprint(vd: KnownVd, plan: Recovery) -> str:
    """Of the members that would be taken, as they are now: one that was written since is another."""
    told = sorted(f"{member.superblock.device_uuid} {member.superblock.events}" for member in plan.chosen)
    return hashlib.sha256(f"{vd.uuid}|{told}".encode()).hexdigest()[:12]


def fulfilled(wish: Wish, scene: Scene) -> bool:
    """It runs, by this recovery or without it, or there is no such array any more."""
    vd = scene.memory.vd(wish.vd)
    running = None if vd is None else scene.world.array(vd.uuid)
    return vd is None or (running is not None and running.md.started) or _came_to(wish, scene) is JobState.DONE


def why_dropped(wish: Wish, scene: Scene) -> str:
    """Why a recovery that was confirmed is not done after all; empty while it is to be done, or is being done. What has
    failed is a person's again: mdadm may have marked members as current, so the plan is not the one that was shown."""
    vd = scene.memory.vd(wish.vd)
    if vd is None or fulfilled(wish, scene):
        return ""
    again = f"Look at what it would be started from now: rackeye vd recover {top(vd.name)}"
    if _came_to(wish, scene) in (JobState.FAILED, JobState.INTERRUPTED):
        return f"The recovery of {vd.name} failed, and is not tried again by itself. {again}"
    if scene.world.unread or scene.world.array(vd.uuid) is not None or scene.world.job_on(vd.name) is not None:
        return ""  # what its members are is not known at this moment
    plan = recovery(vd, scene)
    if plan is not None and fingerprint(vd, plan) == wish.plan:
        return ""
    return f"{vd.name} is not recovered: its drives are not those that were shown and confirmed any more. {again}"


def _came_to(wish: Wish, scene: Scene) -> JobState | None:
    """How its job stands; None when it has not begun."""
    job = scene.world.last_job(wish.vd, "recover")
    return None if job is None or job.id == wish.after else job.state


def _recover(vd: KnownVd, wish: Wish, scene: Scene) -> Iterator[Action]:
    plan = recovery(vd, scene)
    if plan is None or fingerprint(vd, plan) != wish.plan:
        return
    devices = tuple(member.disk.device for member in plan.chosen)
    why = f"{vd.name} is recovered, as told, from its {len(devices)} most recent members."
    disks = tuple(member.disk for member in plan.chosen)
    start = mdadm.assemble(vd, devices, force=True)
    # A span has no file system: its virtual drive's is made whole before it is mounted (volumes.py).
    steps = (start,) if is_span(vd) else (start, mend.argv(mdadm.node(vd.name)))
    yield from scene.job("recover", vd.name, steps, disks, why)
