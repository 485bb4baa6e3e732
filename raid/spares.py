"""Hot spares: which one takes a missing member's place, which one is free again, which one is read now. Pure.

A spare lies blank and outside of md until it is needed, so that one policy (dedicated before global, affinity, the
smallest that is large enough) holds for all of them, and no spare-group of mdadm's beside it (docs/design/spares.md).
"""

from collections.abc import Iterator
from dataclasses import replace

from raid import mdadm
from raid.actions import Action, PollSpare, PrepareRunner
from raid.assemble import still_waiting
from raid.candidates import Use, judge, needed_bytes
from raid.delete import resting
from raid.grow import busy
from raid.members import Readiness, empty_slots, muster, rebuilding, spare_failures, tolerance
from raid.memory import KnownVd, Memory, Serving, Slot, Spare, Stage
from raid.rebuild import add, side_by_side
from raid.scene import Scene
from raid.smart_model import SmartHealth
from raid.spans import top
from raid.world import Disk, Running, SpareRead

GIB = 1024**3
POLL_SECONDS = 25.0
"""A spare is read at the first look after so long; raidd looks every 30 s (spec/raid.md: at least every 60 s)."""


def steps_of(size: int) -> int:
    """Capacity as it is compared: whole GiB, so that drives of one nominal size fit each other (spec/raid.md)."""
    return size // GIB


def fits(size: int, replaced: Slot, running: Running) -> bool:
    """Large enough for the place of that drive: by the nominal size, and for what md needs of a member."""
    return steps_of(size) >= steps_of(replaced.size) and size >= needed_bytes(running)


def home_of(vd: KnownVd, slot: int, memory: Memory) -> Slot:
    """The place that a slot really belongs to: of one that a spare serves now, the place of the drive before it."""
    place = vd.slots[slot]
    before = memory.spare(place.serial) if place.serial else None
    if before is not None and before.serving is not None and before.serving.vd == vd.uuid:
        return before.serving.home
    return place


def idle(spare: Spare, scene: Scene) -> Disk | None:
    """Its drive, when it is there, good, blank, settled and in no use: it may be taken now."""
    disk = scene.world.by_serial(spare.serial)
    if disk is None or spare.fault or spare.serving is not None or disk.protected or disk.bay is None:
        return None
    if scene.world.smart_of(disk).health is SmartHealth.FAILING:
        return None
    if disk.probe is None or not disk.probe.blank or scene.world.running_array_of(disk) is not None or disk.held_by:
        return None
    seen = scene.memory.fleeting.first_seen(disk.diskseq)
    settled = seen is not None and scene.now - seen >= scene.settings.settle_seconds
    return disk if settled else None


def choices(vd: KnownVd, running: Running, slot: int, scene: Scene) -> list[tuple[Spare, Disk]]:
    """The spares that fit the place, best first: dedicated before global, of its own backplane when it has affinity,
    then the smallest."""
    home = home_of(vd, slot, scene.memory)
    whole = scene.memory.vd(top(vd.name)) or vd
    found = []
    for spare in scene.memory.spares:
        disk = idle(spare, scene)
        if disk is None or spare.dedicated not in ("", vd.uuid, whole.uuid) or not fits(disk.size, home, running):
            continue
        side = 1 if not spare.affinity else 0 if disk.backplane == home.backplane else 2
        found.append(((not spare.dedicated, side, steps_of(disk.size), disk.size, disk.bay or 0), spare, disk))
    return [(spare, disk) for _, spare, disk in sorted(found, key=lambda entry: entry[0])]


def in_need(scene: Scene) -> list[tuple[KnownVd, Running, tuple[int, ...]]]:
    """Virtual drives with places to fill now, and nothing of their own to fill them with; those that bear least first.

    Levels without redundancy never: there is nothing to rebuild from.
    """
    found = []
    for vd in scene.memory.vds:
        running = scene.world.array(vd.uuid)
        if running is None or not running.md.started or running.md.level is None:
            continue
        if resting(vd) or vd.stage is Stage.CREATING:
            continue
        md = running.md
        if busy(vd, md) or vd.by_hand:
            continue
        left = spare_failures(md)
        if left < 0 or not tolerance(md.level or 0, md.raid_disks) or rebuilding(md):
            continue
        empty = tuple(slot for slot in empty_slots(md) if slot < len(vd.slots))[: side_by_side(vd, running)]
        if empty and not _has_own(vd, scene):
            found.append((left, vd, running, empty))
    found.sort(key=lambda entry: entry[0])
    return [(vd, running, slots) for _, vd, running, slots in found]


def _has_own(vd: KnownVd, scene: Scene) -> bool:
    """A drive in the very bay, or the old one that is back: it is used, and needs no copyback later."""
    verdicts = ((judge(disk, scene), disk) for disk in scene.world.disks)
    return any(
        verdict.vd == vd.name and verdict.use is not Use.NONE and not scene.in_vain(vd, disk)
        for verdict, disk in verdicts
    )


def take(scene: Scene) -> tuple[Memory, tuple[Action, ...]]:
    """Spares go to work: who serves where is remembered before the job starts, so that a power cut loses no spare."""
    memory = scene.memory
    actions: list[Action] = []
    for vd, running, slots in in_need(scene):
        taken = _choose(vd, running, slots, replace(scene, memory=memory))
        if len(taken) > 1 and scene.failed("spare", vd, _steps(running, *(disk for _, disk in taken))):
            taken = taken[:1]  # they did not go in together
        if not taken:
            continue
        disks = tuple(disk for _, disk in taken)
        places = " and ".join(f"bay {disk.bay} (serial {disk.serial})" for disk in disks)
        why = f"{top(vd.name)} is rebuilt on the hot spare in {places}."
        started = replace(scene, memory=memory).job("spare", vd.name, _steps(running, *disks), disks, why)
        if started:
            actions += [replace(one, at_once=True) for one in started]
            for spare, _ in taken:
                memory = memory.with_spare(spare)
    return memory, tuple(actions)


def _choose(vd: KnownVd, running: Running, slots: tuple[int, ...], scene: Scene) -> list[tuple[Spare, Disk]]:
    """The best one for each of the places, as it is to be remembered; none for two of them."""
    taken: list[tuple[Spare, Disk]] = []
    for slot in slots:
        fresh = choices(vd, running, slot, scene)
        fresh.sort(key=lambda one: scene.failed("spare", vd, _steps(running, one[1])))
        for spare, disk in fresh[:1]:
            serves = replace(spare, serving=Serving(vd.uuid, slot, home_of(vd, slot, scene.memory)))
            scene = replace(scene, memory=scene.memory.with_spare(serves))
            taken.append((serves, disk))
    return taken


def _steps(running: Running, *disks: Disk) -> tuple[tuple[str, ...], ...]:
    return (add(running, disks),)


def give_back(scene: Scene) -> Iterator[Action]:
    """A spare that is in no array any more loses our superblock: then it is blank, and a spare as before.

    Its virtual drive runs whole without it (the data went back, another drive has the place), or cannot run because a
    source failed during the rebuild onto it: what lies on it is half of a member, and no recovery counts on it.
    """
    for spare in scene.memory.spares:
        disk = scene.world.by_serial(spare.serial)
        own = None if disk is None or disk.probe is None else disk.probe.superblock
        vd = None if own is None else scene.memory.by_uuid(own.array_uuid)
        if disk is None or own is None or vd is None or spare.fault or disk.protected:
            continue  # who holds it is read again before the job: an array that was stopped tells of it late
        if scene.world.running_array_of(disk) is not None:
            continue
        running = scene.world.array(vd.uuid)
        if running is not None:
            over = running.md.started and spare_failures(running.md) >= 0 and not empty_slots(running.md)
        else:
            ready = muster(vd, scene.world)
            half = own.recovering or own.role is None
            over = half and ready.readiness is Readiness.TOO_FEW and not still_waiting(vd, ready, scene)
        if over:
            why = f"The drive in bay {disk.bay} (serial {spare.serial}) is a hot spare again."
            yield from scene.job("spare-back", vd.name, (mdadm.zero_superblock(disk.device),), (disk,), why)


def last_read(disk: Disk, scene: Scene) -> SpareRead | None:
    """How the last read of a spare ended, or that it is under way."""
    return next((read for read in scene.world.spare_reads if read.diskseq == disk.diskseq), None)


def poll(scene: Scene) -> Iterator[Action]:
    """Reads of the spares that are due. One in use is read by md."""
    for spare in scene.memory.spares:
        disk = scene.world.by_serial(spare.serial)
        if disk is None or disk.protected or scene.world.running_array_of(disk) is not None:
            continue
        read = last_read(disk, scene)
        if read is None or (not read.pending and not 0 <= scene.now - read.at < POLL_SECONDS):
            yield PollSpare(disk.name, disk.diskseq, disk.bay, disk.serial)


def prepare(scene: Scene) -> Iterator[Action]:
    """Where a hot spare is ready, its rebuild shall begin at once. Not while a job runs, which has better use of the
    CPU: least of all while a rebuild is just being begun."""
    if scene.world.runner or any(job.alive for job in scene.world.jobs):
        return
    if any(idle(spare, scene) is not None for spare in scene.memory.spares):
        yield PrepareRunner()
