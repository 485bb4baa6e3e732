"""Members that are gone are put out of their arrays; drives that may take their place are put in. Pure."""

from collections.abc import Iterator, Sequence

from raid import mdadm, rates
from raid.actions import Action, FailMember, RemoveMember, SetActive, SetSpeed
from raid.candidates import Use, judge
from raid.members import empty_slots, rebuilding, spare_failures
from raid.memory import KnownVd
from raid.scene import Scene
from raid.spans import number_of
from raid.world import Disk, Running

TO_BE_READ = 10.0
"""Seconds that a new drive is given, after it has settled, to be read."""


def put_out_the_gone(vd: KnownVd, running: Running) -> Iterator[Action]:
    """A member whose drive is gone, at once, also on an idle array, which md itself would call whole for ever.

    Not when that is more than the array bears: md would then write its end into the superblocks of those that are
    left, and a plain start with the drives back would no longer be possible.
    """
    if not running.md.started or running.md.level is None:
        return
    bears = spare_failures(running.md) >= 0
    for member in running.md.members:
        if member.present:
            continue
        if member.faulty:
            yield RemoveMember(running.md.device, member.device, vd.name)
        elif bears:
            known = not member.replacement and member.slot is not None and member.slot < len(vd.slots)
            slot = vd.slots[member.slot or 0] if known else None
            bay, serial = (None, "") if slot is None else (slot.bay, slot.serial)
            yield FailMember(running.md.device, member.device, vd.name, bay, serial)
            yield RemoveMember(running.md.device, member.device, vd.name)


def keep_going(vd: KnownVd, running: Running, scene: Scene) -> Iterator[Action]:
    """Resync and rebuild begin, and at the speed that is set."""
    if running.md.state == "read-auto":
        yield SetActive(running.md.device, vd.name)
    wanted = rates.speed_min(vd, running, scene)
    if running.md.sync_speed_min not in (None, wanted):
        yield SetSpeed(running.md.device, wanted)


def release(vd: KnownVd, running: Running, scene: Scene) -> Iterator[Action]:
    """A failed member whose place another drive has: it leaves the array and may be pulled. Also the spare that a
    copyback went from, which md calls faulty at the end."""
    places = {slot.serial for slot in vd.slots}
    for member in running.md.members:
        disk = scene.world.disk(member.device)
        if member.faulty and member.present and disk is not None and disk.serial and disk.serial not in places:
            yield RemoveMember(running.md.device, member.device, vd.name)


def side_by_side(vd: KnownVd, running: Running) -> int:
    """So many missing members are rebuilt at the same time: two in a span of RAID60, else one (spec/raid.md)."""
    return min(2 if vd.level == 6 and number_of(vd) else 1, len(empty_slots(running.md)))


def add(running: Running, disks: Sequence[Disk]) -> tuple[str, ...]:
    """mdadm freezes the array until it has added all that one command names: one recovery then fills all the places."""
    first, *more = (disk.device for disk in disks)
    return (*mdadm.add(running.device, first), *more)


def rebuild(vd: KnownVd, running: Running, scene: Scene) -> Iterator[Action]:
    """One drive at a time into the place of a missing member (two in a span of RAID60); a drive that may be re-added
    before a blank one."""
    if spare_failures(running.md) < 0:
        return
    served = any(spare.serving is not None and spare.serving.vd == vd.uuid for spare in scene.memory.spares)
    verdicts = [(judge(disk, scene), disk) for disk in scene.world.disks if not (served and scene.in_vain(vd, disk))]
    order = (Use.RE_ADD, Use.REBUILD, Use.ADD, Use.COPYBACK)
    ready = sorted(
        (order.index(verdict.use), disk.bay or 0, disk.name, disk)
        for verdict, disk in verdicts if verdict.vd == vd.name and verdict.use in order
    )
    if not ready:
        return
    rank, _, _, disk = ready[0]
    place = f"bay {disk.bay} (serial {disk.serial})"
    use = order[rank]
    again = (mdadm.re_add(running.device, disk.device),)
    if use is Use.RE_ADD and not scene.failed("re-add", vd, again):
        why = f"The former member in {place} is brought up to date in {vd.name}."
        yield from scene.job("re-add", vd.name, again, (disk,), why)
    elif use is Use.COPYBACK:
        yield from copyback(vd, running, disk, scene)
    else:
        written = (Use.REBUILD, Use.ADD)
        others = [(order[other], one) for other, _, _, one in ready[1:] if order[other] in written]
        together = side_by_side(vd, running)
        pair = [(use, disk), *others][:together]
        if len(pair) == together or not _another_comes(vd, running, disk, scene):
            yield from _written_anew(vd, running, pair, scene)


def _another_comes(vd: KnownVd, running: Running, ready: Disk, scene: Scene) -> bool:
    """A drive has just been put into the bay of the other missing member: worth the seconds until it is known."""
    bays = {vd.slots[slot].bay for slot in empty_slots(running.md) if slot < len(vd.slots)}
    for disk in scene.world.disks:
        since = scene.memory.fleeting.first_seen(disk.diskseq)
        new = since is None or scene.now - since < scene.settings.settle_seconds + TO_BE_READ
        if disk == ready or disk.bay not in bays or not new or scene.world.running_array_of(disk) is not None:
            continue
        if disk.probe is None or judge(disk, scene).use is Use.WAIT:
            return True
    return False


def _written_anew(
    vd: KnownVd, running: Running, drives: Sequence[tuple[Use, Disk]], scene: Scene
) -> Iterator[Action]:
    """Two that did not go in together are tried one by one."""
    former = [disk for use, disk in drives if use is not Use.ADD]
    disks = tuple(disk for _, disk in drives)
    kind = "rebuild" if former else "add"
    steps = (*(mdadm.zero_superblock(disk.device) for disk in former), add(running, disks))
    if len(drives) > 1 and scene.failed(kind, vd, steps):
        yield from _written_anew(vd, running, drives[:1], scene)
        return
    places = " and ".join(f"bay {disk.bay} (serial {disk.serial})" for disk in disks)
    if len(disks) > 1:
        why = f"{vd.name} is rebuilt in full on the drives in {places}, at the same time."
    elif former:
        why = f"The former member in {places} cannot be trusted: {vd.name} is rebuilt on it in full."
    else:
        why = f"{vd.name} is rebuilt on the blank drive in {places}."
    yield from scene.job(kind, vd.name, steps, disks, why)


def copyback(vd: KnownVd, running: Running, disk: Disk, scene: Scene) -> Iterator[Action]:
    """The data goes back to a drive in the home bay, from the spare that stands in; redundant all the while.

    Should a power cut fall between the two steps, the drive is a spare of md, and `copyback_goes_on` does the second.
    """
    old = _stand_in(vd, running, disk.bay, scene)
    if old is None:
        return
    clean = () if disk.probe is None or disk.probe.blank else (mdadm.zero_superblock(disk.device),)
    swap = mdadm.replace(running.device, f"/dev/{old}", disk.device)
    steps = (*clean, mdadm.add(running.device, disk.device), swap)
    why = f"The data of {vd.name} goes back to bay {disk.bay} (serial {disk.serial}); then the spare is free again."
    yield from scene.job("copyback", vd.name, steps, (disk,), why)


def copyback_goes_on(vd: KnownVd, running: Running, scene: Scene) -> Iterator[Action]:
    """A drive in the home bay that md has as a spare, and the stand-in works: the copy has not been ordered yet.

    After a power cut md goes on by itself with one that was ordered, once the array may be written: a spare that has
    only just been seen is left to it.
    """
    if empty_slots(running.md) or rebuilding(running.md, spares=False) or running.md.state == "read-auto":
        return
    for member in running.md.members:
        disk = scene.world.disk(member.device)
        if member.slot is not None or member.faulty or not member.present or disk is None:
            continue
        old = _stand_in(vd, running, disk.bay, scene)
        seen = scene.memory.fleeting.first_seen(disk.diskseq)
        if old is not None and seen is not None and scene.now - seen >= scene.settings.settle_seconds:
            steps = (mdadm.replace(running.device, f"/dev/{old}", disk.device),)
            yield from scene.job("copyback", vd.name, steps, (), f"The data of {vd.name} goes back to bay {disk.bay}.")


def _stand_in(vd: KnownVd, running: Running, bay: int | None, scene: Scene) -> str | None:
    """Kernel name of the spare that works in the place of this bay."""
    for spare in scene.memory.spares:
        serving, source = spare.serving, scene.world.by_serial(spare.serial)
        if serving is None or source is None or serving.vd != vd.uuid or serving.home.bay != bay or bay is None:
            continue
        member = running.md.member_in(serving.slot)
        if member is not None and member.in_sync and member.device == source.name:
            return source.name
    return None
