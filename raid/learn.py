"""What a look teaches the memory: which drive sits in which slot, how far a virtual drive is, which drive has failed.

Pure; the first half of `decide`.
"""

import re
from dataclasses import replace

from raid.assemble import fulfilled, why_dropped
from raid.delete import gone
from raid.grow import given_up, learn_growth
from raid.mdadm import HOMEHOST
from raid.members import Member, Readiness, empty_slots, members_of, muster, spare_failures
from raid.memory import FailedDrive, Fleeting, KnownVd, Memory, Slot, Stage
from raid.rates import fastest
from raid.scene import Scene
from raid.slices import adopted, learn_slice, running_of, slice_gone
from raid.spans import GROUP, is_span, outer_of, top
from raid.spare_learn import learn_spares, went_back
from raid.spares import home_of
from raid.torn import learn_torn
from raid.upkeep import learn_doubt
from raid.vanished import learn_free
from raid.world import Running, World

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
ADOPT_SECONDS = 60.0
"""After a start without a memory, arrays of ours are taken over for so long; later ones are foreign until told."""


def learn(scene: Scene) -> Memory:
    """The memory with what this look shows."""
    memory = replace(scene.memory, fleeting=_fleeting(scene))
    memory = replace(memory, vds=tuple(vd for vd in memory.vds if not _is_gone(vd, memory, scene)))
    memory = _adopt(scene, memory)
    memory = adopted(memory, scene.world, _may_be_taken(scene.world))
    homes: dict[str, tuple[Slot, ...]] = {}
    for vd in memory.vds:
        if vd.group:
            part = running_of(vd, scene.world)
            memory = memory if part is None or not part.md.started else memory.with_vd(learn_slice(vd, part))
            continue
        vd = _seen_again(vd, scene.world)  # noqa: PLW2901 -- the same one
        memory = memory.with_vd(vd)
        running = scene.world.array(vd.uuid)
        if running is not None and running.md.started:
            vd = learn_growth(vd, running, scene)  # noqa: PLW2901 -- the same, in the shape that md has by now
            homes[vd.uuid] = tuple(_homes_now(vd, running, scene.world, memory))
            vd = _learn_vd(vd, running, scene, homes[vd.uuid])  # noqa: PLW2901 -- the same, with what was learnt
            vd = learn_torn(learn_doubt(vd, running, scene), running, scene)  # noqa: PLW2901 -- as above
        if given_up(vd, scene):
            vd = replace(vd, growth=None)  # noqa: PLW2901 -- as above
        if running is not None and running.md.members:
            memory = memory.with_vd(replace(vd, out=_out(vd, running)))
    memory = replace(memory, failed=_failed(scene, memory))
    return learn_free(learn_spares(scene, memory, homes), scene)


def _is_gone(vd: KnownVd, memory: Memory, scene: Scene) -> bool:
    return slice_gone(vd, memory, scene.world) if vd.group else gone(vd, memory, scene)


def _may_be_taken(world: World) -> frozenset[str]:
    """Virtual drives in tables of groups whose names are names of ours, and nobody else's there."""
    found = [one for running in world.arrays if running.cut is not None for one in running.cut.slices]
    names = [one.name for one in found] + [running.name for running in world.arrays]
    return frozenset(one.uuid for one in found if NAME.fullmatch(one.name) and names.count(one.name) == 1)


def _fleeting(scene: Scene) -> Fleeting:
    old = scene.memory.fleeting
    seen = tuple((disk.diskseq, old.first_seen(disk.diskseq) or scene.now) for disk in scene.world.disks)
    wanted = tuple(wish for wish in old.recover if not fulfilled(wish, scene) and not why_dropped(wish, scene))
    named = tuple(
        (serial, uuid) for serial, uuid in old.named
        if (disk := scene.world.by_serial(serial)) is not None and scene.world.running_array_of(disk) is None
        and (array := scene.world.array(uuid)) is not None and empty_slots(array.md)
    )
    return Fleeting(
        started=scene.now if old.started is None else old.started, seen=seen, recover=wanted, named=named,
        fastest=fastest(scene), erred=old.erred,
        met=(*old.met, *(disk.serial for disk in scene.world.disks if disk.serial and disk.serial not in old.met)),
    )


def _seen_again(vd: KnownVd, world: World) -> KnownVd:
    """A drive that was dismissed and is here after all is told of again when it goes."""
    if not any(slot.dismissed and world.by_serial(slot.serial) is not None for slot in vd.slots):
        return vd
    return replace(vd, slots=tuple(
        replace(slot, dismissed=slot.dismissed and world.by_serial(slot.serial) is None) for slot in vd.slots
    ))


def _learn_vd(vd: KnownVd, running: Running, scene: Scene, homes: tuple[Slot, ...]) -> KnownVd:
    """homes: of its slots, as they are now. The place of a spare that is out stays its own, until it is free."""
    seated = _seated(vd, running, scene.world)
    serials = {slot.serial for slot in seated.values()}
    out = {
        spare.serial for spare in scene.memory.spares
        if spare.serving is not None and spare.serving.vd == vd.uuid and spare.serial not in serials
    }
    slots = [
        seated.get(number) or (place if place.serial in out else homes[number]) for number, place in enumerate(vd.slots)
    ]
    stage = vd.stage
    volume = running.volume
    if stage is Stage.CREATING:
        stage = Stage.READY if is_span(vd) else Stage.FORMATTING
    elif stage is Stage.FORMATTING and volume.mountpoint is not None and volume.prepared:
        stage = Stage.READY
    filesystem = vd.filesystem
    if not filesystem and volume.filesystem is not None and volume.filesystem.complete:
        filesystem = volume.filesystem.uuid
    complete = vd.initialized or (running.md.parity_complete and running.md.state != "read-auto")
    return replace(vd, slots=tuple(slots), stage=stage, filesystem=filesystem, initialized=complete)


def _out(vd: KnownVd, running: Running) -> tuple[str, ...]:
    """As md sees it: a drive that was pulled and that md does not miss yet has missed nothing either."""
    if running.md.state in ("clear", "inactive"):
        return vd.out
    trusted = {m.slot for m in running.md.members if "in_sync" in m.states and not m.faulty}
    return tuple(slot.serial for number, slot in enumerate(vd.slots) if slot.serial and number not in trusted)


def _seated(vd: KnownVd, running: Running, world: World) -> dict[int, Slot]:
    """The drive that works, or is rebuilt, in each slot, where it sits now."""
    found = {}
    for member in running.md.members:
        disk = world.disk(member.device)
        if member.slot is None or member.slot >= len(vd.slots) or disk is None:
            continue
        if running.md.member_in(member.slot) is member:
            found[member.slot] = Slot(disk.bay, disk.serial, disk.model, disk.size, backplane=disk.backplane)
    return found


def _homes_now(vd: KnownVd, running: Running, world: World, memory: Memory) -> list[Slot]:
    """The place that each slot really belongs to; where a spare stands in, that of the drive before it.

    With two places missing md fills the first, whichever bay the drive is in, and a person may put a member into the
    bay of another: then the two trade their bays, so that a drive in the bay that is still empty is taken for the place
    that is still missing. No bay is ever home to two slots, and no drive that works is told as missing: what is missing
    then is the drive whose place it has.
    """
    homes = [home_of(vd, number, memory) for number in range(len(vd.slots))]
    seated = _seated(vd, running, world)
    for number, now in seated.items():
        for other, home in enumerate(homes):
            if other != number and now.bay is not None and home.bay == now.bay != homes[number].bay:
                homes[number], homes[other] = home, homes[number]
                break
    where = {now.serial: number for number, now in seated.items() if now.serial}
    return [
        replace(_displaced(number, homes, where), bay=home.bay, backplane=home.backplane)
        for number, home in enumerate(homes)
    ]


def _displaced(number: int, homes: list[Slot], where: dict[str, int]) -> Slot:
    """The drive that a slot misses when the one that it had works in another: the one that was there, and so on. Where
    that leads nowhere it keeps what it had: a slot without a serial would trust any drive (`members`)."""
    who, passed = homes[number], {number}
    while (other := where.get(who.serial, number)) != number:
        if other in passed:
            return homes[number]
        passed.add(other)
        who = homes[other]
    return who


def _failed(scene: Scene, memory: Memory) -> tuple[FailedDrive, ...]:
    """Drives that md put out while they were there. Pulling one (it comes back with another diskseq) ends it. That it
    is not here after a reboot does not: a drive that is about to fail may be late by minutes."""
    world = scene.world
    kept = [_seen_now(failed, scene) for failed in memory.failed if _was_not_pulled(failed, scene)]
    known = {failed.serial for failed in kept}
    for vd in memory.vds:
        running = world.array(vd.uuid)
        for member in () if running is None else running.md.members:
            disk = world.disk(member.device)
            if not member.faulty or not member.present or disk is None or not disk.serial or running is None:
                continue
            if disk.serial not in known and not went_back(member, disk, running, memory):
                last = running.md.state == "broken" or spare_failures(running.md) < 0
                kept.append(FailedDrive(disk.serial, vd.name, disk.diskseq, world.boot, last))
                known.add(disk.serial)
    return tuple(kept)


def _was_not_pulled(failed: FailedDrive, scene: Scene) -> bool:
    disk = scene.world.by_serial(failed.serial)
    if disk is None:
        met = failed.serial in scene.memory.fleeting.met
        return not met and (scene.just_started or failed.boot != scene.world.boot)
    if failed.boot == scene.world.boot:
        return failed.diskseq == disk.diskseq
    return disk.probe is None or not disk.probe.blank  # else somebody has cleared it elsewhere, or it is a new one's


def _seen_now(failed: FailedDrive, scene: Scene) -> FailedDrive:
    """That it was here in this boot is known even to a raidd that is started while it is out."""
    disk = scene.world.by_serial(failed.serial)
    return failed if disk is None else replace(failed, boot=scene.world.boot, diskseq=disk.diskseq)


def half_assembled(memory: Memory, world: World) -> tuple[Running, ...]:
    """Arrays of ours that somebody else began to assemble and did not start, as `mdadm -I` does (facts/boot.md), of
    virtual drives that are to be taken over: their members are read once md has let go of them."""
    ours = (running for running in world.arrays if running.homehost == HOMEHOST and running.md.state == "inactive")
    return tuple(running for running in ours if memory.adopting and memory.by_uuid(running.uuid or "") is None)


def _adopt(scene: Scene, memory: Memory) -> Memory:
    """Arrays of ours that run or can start, when nothing was remembered: they come up from their superblocks alone."""
    if not memory.adopting:
        return memory
    for running in scene.world.arrays:
        if running.uuid is not None and running.homehost == HOMEHOST and running.md.started:
            memory = take(memory, _vd_of_running(running, running.uuid, scene))
    uuids = {
        disk.probe.superblock.array_uuid for disk in scene.world.disks
        if disk.probe is not None and disk.probe.superblock is not None
        and disk.probe.superblock.homehost == HOMEHOST
    }
    for uuid in sorted(uuids):
        if memory.by_uuid(uuid) is None and scene.world.array(uuid) is None:
            memory = take(memory, vd_of_superblocks(uuid, scene.world))
    started = memory.fleeting.started or scene.now
    over = scene.now - started > ADOPT_SECONDS and not scene.world.unread and not half_assembled(memory, scene.world)
    by_name = sorted(memory.vds, key=lambda vd: (len(vd.name), vd.name))  # vd2 before vd10, whichever came up first
    return replace(memory, vds=tuple(by_name), adopting=not over)


def take(memory: Memory, vd: KnownVd | None) -> Memory:
    """Two arrays of one name: the second stays foreign; so does one whose name is no name of ours. With a span comes
    the virtual drive that it is part of."""
    if vd is None or memory.by_uuid(vd.uuid) is not None or memory.vd(vd.name) is not None:
        return memory
    outer = outer_of(vd)
    if outer is None and not NAME.fullmatch(vd.name) and not GROUP.fullmatch(vd.name):
        return memory
    if any(top(known.name) == top(vd.name) and (is_span(known) != is_span(vd)) for known in memory.vds) and not outer:
        return memory
    if outer is not None and memory.by_uuid(outer.uuid) is None:
        if memory.vd(outer.name) is not None:
            return memory
        memory = replace(memory, vds=(*memory.vds, outer))
    return replace(memory, vds=(*memory.vds, vd))


def _vd_of_running(running: Running, uuid: str, scene: Scene) -> KnownVd | None:
    if running.md.level is None or any(member.device.startswith("md") for member in running.md.members):
        return None  # over spans: it is known from them
    slots = [Slot(None, "", "", 0)] * running.md.raid_disks
    vd = KnownVd(running.name, uuid, running.md.level, running.md.chunk, tuple(slots), Stage.READY, "")
    return _learn_vd(vd, running, scene, vd.slots)


def vd_of_superblocks(uuid: str, world: World) -> KnownVd | None:
    """The virtual drive that these superblocks describe; None when it could not be started from them."""
    found = members_of(uuid, world)
    if not found:
        return None
    freshest = max(found, key=lambda member: member.superblock.events).superblock
    slots = tuple(_slot_of(found, slot) for slot in range(freshest.raid_disks))
    vd = KnownVd(
        freshest.label, uuid, freshest.level, freshest.chunk, slots, Stage.READY, "", initialized=freshest.clean,
    )
    return vd if muster(vd, world).readiness in (Readiness.COMPLETE, Readiness.DEGRADED) else None


def _slot_of(found: tuple[Member, ...], slot: int) -> Slot:
    here = [member for member in found if member.superblock.role == slot]
    best = max(here, key=lambda m: (not m.superblock.replacement, m.superblock.events), default=None)
    if best is None:
        return Slot(None, "", "", 0)
    return Slot(best.disk.bay, best.disk.serial, best.disk.model, best.disk.size, backplane=best.disk.backplane)
