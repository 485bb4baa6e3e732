"""Reconstruction: drives are added to a virtual drive, or its level changes; step by step, each seen before the next.

The intent (KnownVd.growth) is saved before mdadm is called. What has come of it is read from md at each look, so that a
killed raidd or a power cut is followed by the rest: `next_step` until the shape is as ordered, then the end (bitmap and
file system), then the intent is forgotten. Pure. The program that does the work: reshape_job.py.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace

from core.jobs import JobState
from core.paths import Paths
from raid import mdadm
from raid.actions import Action
from raid.members import empty_slots, lost
from raid.memory import Growth, KnownVd, Slot, Stage
from raid.scene import Scene
from raid.spans import is_group, is_span
from raid.sysfs import Array
from raid.volumes import RESHAPE, offer, wrong_filesystem
from raid.world import Disk, Running, World

END = "reshape-end"


def _argv(verb: str, node: str, *more: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "raid.reshape_job", verb, node, *more)


def busy(vd: KnownVd, md: Array | None) -> bool:
    """A reconstruction is ordered, or goes on without an order of ours: nothing else is done to its drives."""
    return vd.growth is not None or (md is not None and (md.reshaping or md.sync_action == "reshape"))


# -- what a look teaches


def learn_growth(vd: KnownVd, running: Running, scene: Scene) -> KnownVd:
    """The virtual drive as md has it by now; the intent is forgotten when all of it is done."""
    md, growth, world = running.md, vd.growth, scene.world
    if growth is None:
        if md.reshaping and not vd.spans and md.level is not None:  # taken over in the middle of it
            return replace(vd, growth=Growth(f"seen-{md.level}-{md.raid_disks}", md.level, md.raid_disks, begun=True))
        return replace(vd, by_hand=False) if vd.by_hand and not empty_slots(md) else vd
    if md.level is None:
        return vd
    changed = (md.level, md.raid_disks) != (vd.level, len(vd.slots)) or md.reshaping
    growth = replace(growth, begun=growth.begun or changed, whole=_whole(growth, md, world))
    gone = lost(md) > not_yet(vd, running, scene) and world.job_on(vd.name) is None  # which adds it after the level
    if growth.begun and gone and not scene.just_started and not _at_work(md) and next_step(md, growth) is not None:
        growth = replace(growth, level=md.level, disks=md.raid_disks)  # the steps that are left need a whole array
    vd = replace(vd, level=md.level, strip=md.chunk or vd.strip, slots=_places(vd, growth, md), growth=growth)
    if not growth.begun and lost(md):
        return replace(vd, growth=None)  # a drive that was lost comes first: the order is given up
    last = world.last_job(vd.name, END)
    if last is not None and last.state is JobState.DONE and last.steps == _end_steps(vd, running):
        return replace(vd, growth=None, by_hand=bool(empty_slots(md)))
    return vd


def _whole(growth: Growth, md: Array, world: World) -> tuple[str, ...]:
    """The drives of the order that are members like the others, or were."""
    there = {disk.serial for m in md.members if m.in_sync and (disk := world.disk(m.device)) is not None}
    return tuple(slot.serial for slot in growth.added if slot.serial in there or slot.serial in growth.whole)


def _at_work(md: Array) -> bool:
    return md.reshaping or bool(md.sync_total) or md.sync_action not in ("idle", "frozen")


def _places(vd: KnownVd, growth: Growth, md: Array) -> tuple[Slot, ...]:
    """The new places belong to the drives that come in, until it is seen who sits where."""
    here = {slot.serial for slot in vd.slots}
    coming = [slot for slot in growth.added if slot.serial not in here]
    more = md.raid_disks - len(vd.slots)
    return (*vd.slots, *(coming + [Slot(None, "", "", 0)] * more)[: max(0, more)])


# -- what is to be done


def reconstruct(vd: KnownVd, running: Running, scene: Scene) -> Iterator[Action]:
    """The next step of one that runs, which is used meanwhile."""
    growth, md = vd.growth, running.md
    if vd.stage is Stage.READY and not is_span(vd) and not is_group(vd):
        yield from offer(vd, running, scene)
    if growth is None:
        return
    if md.reshaping:
        why = f"The reconstruction of {vd.name} goes on."
        yield from scene.job(RESHAPE, vd.name, (_argv("follow", running.device),), (), why)
        return
    if _at_work(md) or vd.name in dict(scene.world.checks):
        return
    outside, step = left_outside(vd, running, scene), next_step(md, growth)
    if outside and lost(md):
        yield from _put_in(vd, running, outside[0], scene)
    elif step is not None:
        yield from _take(vd, running, step, scene)
    elif coming_in(vd, running, scene.world) or (lost(md) and scene.just_started):
        return  # md is about to compute what belongs onto it; or it is a drive that has not appeared yet
    elif running.volume.mountpoint is not None or wrong_filesystem(vd, running):
        why = f"{vd.name} has its new shape; its volume grows."
        yield from scene.job(END, vd.name, _end_steps(vd, running), (), why)


def next_step(md: Array, growth: Growth) -> tuple[str, ...] | None:
    """Arguments of the next mdadm --grow; None when the shape is as ordered.

    RAID0 becomes RAID5 with its parity on the drive that comes in; of a RAID5 of two that is a mirror. A mirror becomes
    a RAID5 of two first (the same bytes). A RAID5 grows as one, and becomes RAID6 with the last drive: Q then lies on
    that drive alone. So a change of level moves no byte, and a loss in the middle is borne as before.
    """
    level, disks = md.level, md.raid_disks
    if (level, disks) == (growth.level, growth.disks):
        return None
    if level == 0:
        return ("--level=5", f"--raid-devices={disks + 1}", "--layout=parity-last")
    if level == 1:
        return ("--level=5",)
    if growth.level == 1:
        return ("--level=1",)
    if level == 5 and growth.level == 6:
        if disks == growth.disks - 1:
            return ("--level=6", f"--raid-devices={growth.disks}", "--layout=preserve")
        return (f"--raid-devices={growth.disks - 1}",)
    return (f"--raid-devices={growth.disks}",)


def _take(vd: KnownVd, running: Running, step: tuple[str, ...], scene: Scene) -> Iterator[Action]:
    """One step, once everything is as it must be."""
    assert vd.growth is not None
    if lost(running.md) or not running.md.parity_complete:
        return
    wanted = next((int(word.partition("=")[2]) for word in step if word.startswith("--raid-devices=")), 0)
    more = max(0, wanted - running.md.raid_disks)
    drives = newcomers(vd, running, scene)[:more]
    if len(drives) < more:
        return
    fresh = tuple(disk for disk, member in drives if not member)
    adds = tuple(mdadm.add(running.device, disk.device) for disk in fresh)
    if running.md.level == 0:  # which takes no spare: level and drive in one call
        adds, step = (), (*step, "--add", *(disk.device for disk in fresh))
    bays = ", ".join(str(disk.bay) for disk, _ in drives)
    why = f"{vd.name} is reconstructed" + (f" over the drives in bays {bays}, too." if drives else ".")
    coming = ",".join(disk.device for disk, _ in drives) or "-"
    steps = (*adds, _argv("begin", running.device, vd.growth.token, coming, *step))
    yield from scene.job(RESHAPE, vd.name, steps, fresh, why)


def _put_in(vd: KnownVd, running: Running, disk: Disk, scene: Scene) -> Iterator[Action]:
    """One that has its place already."""
    if disk.probe is not None:
        why = f"{vd.name} is reconstructed: the drive in bay {disk.bay} (serial {disk.serial}) is added once more."
        yield from scene.job(RESHAPE, vd.name, _once_more(running, disk), (disk,), why)


def _once_more(running: Running, disk: Disk) -> tuple[tuple[str, ...], ...]:
    clean = () if disk.probe is None or disk.probe.blank else (mdadm.zero_superblock(disk.device),)
    return (*clean, mdadm.add(running.device, disk.device))


def given_up(vd: KnownVd, scene: Scene) -> bool:
    """An order of which nothing has come, and nothing will: mdadm refused, or a drive to add is gone."""
    growth, running, world = vd.growth, scene.world.array(vd.uuid), scene.world
    if growth is None or growth.begun or running is None or not running.md.started or world.job_on(vd.name) is not None:
        return False
    last = world.last_job(vd.name, RESHAPE)
    if last is not None and last.state is JobState.FAILED and growth.token in last.steps[-1]:
        return True
    return not scene.just_started and not world.unread and len(newcomers(vd, running, scene)) < len(growth.added)


def newcomers(vd: KnownVd, running: Running, scene: Scene) -> list[tuple[Disk, bool]]:
    """The ordered drives that are not in a slot yet, and whether md has them as spares already (the power was cut
    between the two). One that is gone or not blank any more ends the list: the order waits for it."""
    found: list[tuple[Disk, bool]] = []
    for slot in vd.growth.added if vd.growth is not None else ():
        disk = scene.world.by_serial(slot.serial)
        if disk is None:
            break
        member = next((m for m in running.md.members if m.device == disk.name), None)
        if member is not None and member.slot is not None:
            continue
        own = disk.probe.superblock if disk.probe is not None else None
        blank = disk.probe is not None and (disk.probe.blank or (own is not None and own.array_uuid == vd.uuid))
        if member is None and (not blank or disk.protected):
            break
        found.append((disk, member is not None))
    return found


def _end_steps(vd: KnownVd, running: Running) -> tuple[tuple[str, ...], ...]:
    assert vd.growth is not None
    bitmap = "none" if running.md.level == 0 else "internal"
    folder = str(Paths().volumes / vd.name) if not wrong_filesystem(vd, running) else "-"
    return (_argv("finish", running.device, vd.growth.token, bitmap, folder),)


def coming_in(vd: KnownVd, running: Running, world: World) -> int:
    """How many drives that come in by a reconstruction have a place, but do not count yet: nothing of the old shape is
    missing with them. For a moment md has the one that is to hold the second parity in no slot."""
    coming = {slot.serial for slot in vd.growth.added} if vd.growth is not None else set()
    disks = (world.by_serial(slot.serial) for slot in vd.slots if slot.serial in coming)
    names = {disk.name for disk in disks if disk is not None}
    return sum(1 for m in running.md.members if m.device in names and m.present and not m.in_sync and not m.faulty)


def not_yet(vd: KnownVd, running: Running, scene: Scene) -> int:
    """So many places wait for drives that come in: those that md has, and those that it is still to be given."""
    return coming_in(vd, running, scene.world) + len(left_outside(vd, running, scene))


def left_outside(vd: KnownVd, running: Running, scene: Scene) -> tuple[Disk, ...]:
    """The drives of the order that have a place, and that md does not have: the power was cut between the new level and
    the drive for it. One that was whole, and was pulled, is not among them: it is rebuilt on a person's word."""
    places = {slot.serial for slot in vd.slots}
    if vd.growth is None:
        return ()
    ended = {*vd.growth.whole, *(failed.serial for failed in scene.memory.failed)}
    members = {member.device for member in running.md.members}
    disks = (scene.world.by_serial(slot.serial) for slot in vd.growth.added if slot.serial in places - ended)
    return tuple(
        disk for disk in disks
        if disk is not None and not disk.protected and not disk.held_by and disk.name not in members
        and _half_at_most(disk, vd) and not scene.failed(RESHAPE, vd, _once_more(running, disk))
    )


def _half_at_most(disk: Disk, vd: KnownVd) -> bool:
    """It carries no whole member, or is not read yet."""
    if disk.probe is None or disk.probe.blank:
        return True
    own = disk.probe.superblock
    return own is not None and own.array_uuid == vd.uuid and (own.recovering or own.role is None)
