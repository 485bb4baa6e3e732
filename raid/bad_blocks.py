"""md's lists of bad blocks as people are told of them: what a member lacks, and what no other member has. Pure.

md writes a place down there when it could neither write nor rebuild it, and goes on with the member: the virtual drive
still says that it is whole (the kernel's Documentation/admin-guide/md.rst, "bad_blocks").
"""

from core.units import human_bytes
from raid.members import NEAR_2, can_lose, working
from raid.memory import KnownVd
from raid.model import Work
from raid.model_care import BadBlocks
from raid.scene import Scene
from raid.spans import checked_by
from raid.sysfs import Array
from raid.world import Running


def bad_blocks(vd: KnownVd, running: Running | None, scene: Scene) -> tuple[BadBlocks, ...]:
    """By slot. None during a repair, which puts places into the lists itself, to have md compute them anew."""
    run = dict(scene.world.checks).get(checked_by(vd))
    if running is None or not running.md.started or (run is not None and run.work is Work.REPAIR):
        return ()
    md = running.md
    lost = _lost(md)
    found = []
    for member in sorted(md.members, key=lambda member: (member.slot is None, member.slot or 0, member.device)):
        if not member.bad or not member.present or member.faulty:
            continue
        disk = scene.world.disk(member.device)
        bay, serial = (None, "") if disk is None else (disk.bay, disk.serial)
        gone = None if lost is None or member.slot is None else lost.get(member.slot, 0)
        found.append(BadBlocks(bay, serial, len(member.bad), sum(map(len, member.bad)), gone))
    return tuple(found)


def _lost(md: Array) -> dict[int, int] | None:
    """Bytes of each slot's bad places that cannot be had from the other members; None where it is not known which
    drives are mirrors."""
    if md.level is None or (md.level == 10 and md.layout != NEAR_2):
        return None
    works = working(md)
    edges: list[tuple[int, int, int]] = []
    for slot in works:
        member = md.member_in(slot)
        for bad in () if member is None else member.bad:
            first, end = max(0, bad.start), min(bad.stop, md.component_size)
            if first < end:
                edges += [(first, slot, 1), (end, slot, -1)]
    edges.sort()
    lost: dict[int, int] = {}
    open_in = dict.fromkeys(works, 0)
    before = 0
    for at, slot, step in edges:
        bad_now = frozenset(slot for slot, count in open_in.items() if count)
        if bad_now and at > before and can_lose(md.level, md.raid_disks, works - bad_now) < 0:
            for one in bad_now:
                lost[one] = lost.get(one, 0) + at - before
        open_in[slot] += step
        before = at
    return lost


def told(found: tuple[BadBlocks, ...]) -> str:
    """Sentences for the virtual drive; empty when its lists are."""
    return " ".join(_told(one) for one in found)


def _told(bad: BadBlocks) -> str:
    place = "A drive of it" if bad.bay is None else f"The drive in bay {bad.bay}"
    what = f"{place} lacks {human_bytes(bad.size)} in {bad.places} place(s) (md's list of bad blocks)"
    if bad.lost:
        return f"{what}; {human_bytes(bad.lost)} are on no other drive either: what lay there cannot be read."
    if bad.lost is None:
        return f"{what}."
    return f"{what}; they are served from the other drives. Replace it while those are good."
