"""Members that are gone are put out of their arrays; drives that may take their place are put in. Pure."""

from collections.abc import Iterator

from raid import mdadm
from raid.actions import Action, FailMember, RemoveMember, SetActive, SetSpeed
from raid.candidates import Use, judge
from raid.members import spare_failures
from raid.memory import KnownVd
from raid.scene import Scene
from raid.world import Running


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
            slot = None if member.slot is None or member.slot >= len(vd.slots) else vd.slots[member.slot]
            bay, serial = (None, "") if slot is None else (slot.bay, slot.serial)
            yield FailMember(running.md.device, member.device, vd.name, bay, serial)
            yield RemoveMember(running.md.device, member.device, vd.name)


def keep_going(vd: KnownVd, running: Running, scene: Scene) -> Iterator[Action]:
    """Resync and rebuild begin, and at the speed that is set."""
    if running.md.state == "read-auto":
        yield SetActive(running.md.device, vd.name)
    if running.md.sync_speed_min not in (None, scene.settings.sync_speed_min):
        yield SetSpeed(running.md.device, scene.settings.sync_speed_min)


def rebuild(vd: KnownVd, running: Running, scene: Scene) -> Iterator[Action]:
    """One drive at a time into the place of a missing member; a drive that may be re-added before a blank one."""
    if spare_failures(running.md) < 0:
        return
    verdicts = [(judge(disk, scene), disk) for disk in scene.world.disks]
    order = (Use.RE_ADD, Use.REBUILD, Use.ADD)
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
        yield from scene.job("re-add", vd, again, (disk,), why)
    elif use is Use.ADD:
        steps: tuple[tuple[str, ...], ...] = (mdadm.add(running.device, disk.device),)
        yield from scene.job("add", vd, steps, (disk,), f"{vd.name} is rebuilt on the blank drive in {place}.")
    else:
        steps = (mdadm.zero_superblock(disk.device), mdadm.add(running.device, disk.device))
        why = f"The former member in {place} cannot be trusted: {vd.name} is rebuilt on it in full."
        yield from scene.job("rebuild", vd, steps, (disk,), why)
