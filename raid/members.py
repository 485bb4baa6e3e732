"""Which drives an array may be started from: judged by the event counters and roles in their superblocks. Pure."""

from dataclasses import dataclass
from enum import StrEnum, unique

from raid.memory import KnownVd, Stage
from raid.scene import Scene
from raid.superblock import Superblock
from raid.sysfs import Array
from raid.world import Disk, World

NEAR_2 = 0x102
"""md's layout number of RAID10 with two copies on neighbours (drivers/md/raid10.c)."""


def md_level(level: int, disks: int) -> int:
    """What md is asked for: RAID1 over more than two drives is mirror pairs (spec/raid.md), md's RAID10 "near 2"."""
    return 10 if level == 1 and disks > 2 else level


def tolerance(level: int, disks: int) -> int:
    """How many members an array bears to lose, whichever they are (spec/raid.md, "Levels")."""
    match md_level(level, disks):
        case 1:
            return disks - 1
        case 4 | 5 | 10:
            return 1
        case 6:
            return 2
        case _:
            return 0


def data_drives(level: int, disks: int) -> int:
    """Members' worth of data in a stripe."""
    match level:
        case 1 | 10:
            return max(1, disks // 2)
        case _:
            return disks - tolerance(level, disks)


def working(array: Array) -> frozenset[int]:
    """Slots whose member is in sync and whose drive is there."""
    slots = range(array.raid_disks)
    return frozenset(slot for slot in slots if (m := array.member_in(slot)) is not None and m.in_sync)


def lost(array: Array) -> int:
    """Slots without a member in sync."""
    return array.raid_disks - len(working(array))


def mirror_sets(level: int, disks: int) -> tuple[tuple[int, int], ...]:
    """Slots that hold the same data. RAID10 (near 2, an even number of drives: the only one that is made here) holds
    each block on slots 2n and 2n+1; of other levels none."""
    if md_level(level, disks) != 10 or disks % 2:
        return ()
    return tuple((even, even + 1) for even in range(0, disks, 2))


def can_lose(level: int, disks: int, left: frozenset[int]) -> int:
    """How many more members may go, whichever they are, when these slots are left; below zero it has failed."""
    if sets := mirror_sets(level, disks):
        return min(sum(slot in left for slot in one) for one in sets) - 1
    return tolerance(level, disks) - (disks - len(left & frozenset(range(disks))))


def spare_failures(array: Array) -> int:
    """How many more members the array bears to lose now; below zero it has failed."""
    if array.level is None:
        return -1
    if array.level == 10 and array.layout != NEAR_2:  # an array from elsewhere: which drives are mirrors is not judged
        return tolerance(10, array.raid_disks) - lost(array)
    return can_lose(array.level, array.raid_disks, working(array))


def empty_slots(array: Array) -> tuple[int, ...]:
    """Slots without a working or rebuilding member, less the spares that are about to fill them."""
    empty = [slot for slot in range(array.raid_disks) if array.member_in(slot) is None]
    waiting = sum(1 for member in array.members if member.slot is None and member.present and not member.faulty)
    return tuple(empty[waiting:])


def rebuilding(array: Array, *, spares: bool = True) -> bool:
    """A drive is being rebuilt, or waits for it. spares: also those that md has in no slot yet."""
    return any(
        m.present and not m.faulty and not m.in_sync and "journal" not in m.states and (spares or m.slot is not None)
        for m in array.members
    )


def copies_back(array: Array) -> bool:
    """md copies a working member onto another drive, and rebuilds none."""
    under_way = [m for m in array.members if m.present and not m.faulty and not m.in_sync and m.slot is not None]
    return array.sync_action == "recover" and bool(under_way) and all(m.replacement for m in under_way)


@dataclass(frozen=True, slots=True)
class Member:
    """A drive that carries a superblock of the array."""

    disk: Disk
    superblock: Superblock


@unique
class Readiness(StrEnum):
    """Whether an array can be started from what is there."""

    COMPLETE = "every member is there"
    DEGRADED = "enough members are there"
    TOO_FEW = "too few members are there"
    AMBIGUOUS = "two drives claim the same place"


@dataclass(frozen=True, slots=True)
class Muster:
    """The members of an array that does not run, as their superblocks tell.

    current: may be started from, by slot; spares and half rebuilt ones behind. stale: were put out of the array, or
    missed writes: never trusted as current. awaited: the freshest member counts on one that is not there, or none is.
    dirty: it was being written when it ended, so that md refuses to start it degraded without force; never with a
    partial parity log, from which md makes torn stripes right.
    """

    readiness: Readiness
    current: tuple[Member, ...] = ()
    stale: tuple[Member, ...] = ()
    in_sync: int = 0
    needed: int = 0
    awaited: bool = False
    dirty: bool = False


def members_of(uuid: str, world: World) -> tuple[Member, ...]:
    """Drives with a superblock of this array that may be touched, by device."""
    return tuple(
        Member(disk, disk.probe.superblock)
        for disk in world.disks
        if disk.probe is not None and not disk.protected
        and disk.probe.superblock is not None and disk.probe.superblock.array_uuid == uuid
    )


def muster(vd: KnownVd, world: World) -> Muster:
    """Judges the superblocks of a virtual drive's members."""
    found = members_of(vd.uuid, world)
    if not found:
        return Muster(Readiness.TOO_FEW, needed=len(vd.slots) - tolerance(vd.level, len(vd.slots)), awaited=True)
    freshest = max(found, key=lambda member: member.superblock.events).superblock
    current = sorted((m for m in found if is_current(m.superblock, freshest)), key=_by_role)
    if not any(_knew_all(member.disk.serial, vd) for member in current):
        current = []  # those that know what was written since are elsewhere
    stale = tuple(m for m in found if m not in current)
    numbers = [m.superblock.device_number for m in current]
    in_sync = frozenset(
        m.superblock.role for m in current if m.superblock.role is not None and not m.superblock.recovering
    )
    needed = freshest.raid_disks - tolerance(freshest.level, freshest.raid_disks)
    if len(set(numbers)) != len(numbers):
        readiness = Readiness.AMBIGUOUS
    elif len(in_sync) == freshest.raid_disks:
        readiness = Readiness.COMPLETE
    elif can_lose(freshest.level, freshest.raid_disks, in_sync) >= 0:
        readiness = Readiness.DEGRADED
    else:
        readiness = Readiness.TOO_FEW
    return Muster(
        readiness, tuple(current), stale, len(in_sync), needed,
        awaited=any(number not in numbers for number in freshest.active_numbers()),
        dirty=not freshest.clean and not freshest.ppl,
    )


def still_of(disk: Disk, vd: KnownVd, scene: Scene) -> bool:
    """A drive whose serial is remembered is one of this virtual drive still: by md's word, by what lies on it, because
    it is not read yet, or because md put it out for its errors and it does not read any more. One that was wiped or
    formatted elsewhere is not."""
    if vd.stage in (Stage.CREATING, Stage.DELETING) or disk.probe is None:
        return True
    running = scene.world.running_array_of(disk)
    if running is not None:
        return running.uuid == vd.uuid
    if disk.probe.error and any((failed.serial, failed.vd) == (disk.serial, vd.name) for failed in scene.memory.failed):
        return True
    return disk.probe.superblock is not None and disk.probe.superblock.array_uuid == vd.uuid


def _knew_all(serial: str, vd: KnownVd) -> bool:
    """It was in its slot, and trusted, when the array was last seen running. A drive whose place another one has taken
    since missed what was written then, like one that md had put out. Of slots that are not known none can be taken."""
    known = {slot.serial for slot in vd.slots}
    return serial not in vd.out and (serial in known or "" in known)


def is_current(own: Superblock, freshest: Superblock) -> bool:
    """The member missed nothing: its counter is at most one behind (the last update of a stop may have reached only
    some), and the freshest member has not put it out."""
    if own.events + 1 < freshest.events or own.device_number >= len(freshest.roles):
        return False
    seen = freshest.roles[own.device_number]
    return seen == own.role if own.role is not None else seen >= freshest.raid_disks


def re_add_is_safe(own: Superblock, array: Array, events: int | None, serial: str, vd: KnownVd) -> bool:
    """A former member may be brought up to date by the write-intent bitmap alone.

    It must be the drive that memory has in its slot, both must have a bitmap, and it must have been put out of the
    array as it is now: not ahead of it, and with every other slot working in its own last view. One that was started
    elsewhere without the others fails the last. The kernel checks its counter against the bitmap's own once more.
    """
    role = own.role
    if role is None or role >= len(vd.slots) or role not in empty_slots(array):
        return False
    others = frozenset(range(array.raid_disks)) - {role}
    return (
        array.bitmap and own.bitmap and not own.recovering and not own.reshaping and vd.initialized
        and events is not None and own.events <= events
        and vd.slots[role].serial == serial
        and others <= own.active_slots()
    )


def _by_role(member: Member) -> tuple[int, str]:
    role = member.superblock.role
    return (10**6 if role is None else role, member.disk.name)
