"""Virtual drives that are not (yet) ours, judged: those of another Rackeye whose drives are here, and those that were
asked for and could not be made. Pure."""

import hashlib

from raid.create import chosen
from raid.learn import vd_of_superblocks
from raid.mdadm import HOMEHOST
from raid.members import Member, data_drives, members_of, muster
from raid.memory import KnownVd, Memory, Stage
from raid.model import level_text
from raid.model_foreign import AbandonPlan, ImportPlan
from raid.model_plan import PlannedDrive
from raid.scene import Scene
from raid.slices import seen
from raid.spans import GROUP, SPAN, arrays_of, family, outer_of, top, tops
from raid.world import World


def arrays_from_elsewhere(world: World, memory: Memory) -> dict[str, tuple[str, ...]]:
    """UUIDs of the Rackeye arrays on these drives that memory does not know, by the virtual drive's name."""
    found: dict[str, set[str]] = {}
    for disk in world.disks:
        own = None if disk.probe is None or disk.protected else disk.probe.superblock
        if own is None or own.homehost != HOMEHOST or memory.by_uuid(own.array_uuid) is not None:
            continue
        if top(own.label) == own.label or SPAN.fullmatch(own.label) or GROUP.fullmatch(own.label):
            found.setdefault(top(own.label), set()).add(own.array_uuid)
    return {name: tuple(sorted(uuids)) for name, uuids in sorted(found.items())}


def to_import(name: str, world: World, memory: Memory) -> tuple[KnownVd, ...]:
    """The arrays of a virtual drive from elsewhere that can be started."""
    uuids = arrays_from_elsewhere(world, memory).get(name, ())
    return tuple(vd for uuid in uuids if (vd := vd_of_superblocks(uuid, world)) is not None)


def plan_import(name: str, world: World, memory: Memory) -> ImportPlan | None:
    """What taking it over would do; None when no drive tells of it."""
    uuids = arrays_from_elsewhere(world, memory).get(name, ())
    if not uuids:
        return None
    all_here = [members_of(uuid, world) for uuid in uuids]
    firsts = [max(here, key=lambda member: member.superblock.events).superblock for here in all_here]
    startable = to_import(name, world, memory)
    outer = next((one for vd in startable if (one := outer_of(vd)) is not None), None)
    parts = 1 if outer is None else outer.spans
    each = firsts[0].raid_disks
    complete = sum(muster(vd, world).in_sync for vd in startable)
    missing = max(0, parts * each - complete)
    size = firsts[0].component_size * data_drives(firsts[0].level, each) * parts
    level = level_text(firsts[0].level, 0) if outer is None else level_text(outer.level, outer.spans)
    used = sorted((member for here in all_here for member in here), key=_place)
    drives = tuple(PlannedDrive(m.disk.bay, m.disk.serial, m.disk.model, m.disk.size) for m in used)
    refusal = _against(name, startable, parts, memory)
    told = "|".join(f"{m.superblock.device_uuid} {m.superblock.events}" for m in used)
    print_ = hashlib.sha256(f"{name}|{uuids}|{told}".encode()).hexdigest()[:12]
    return ImportPlan(name, level, size, drives, missing, _means(startable, missing, world), refusal, print_)


def _place(member: Member) -> tuple[str, int, str]:
    role = member.superblock.role
    return (member.superblock.label, 10**6 if role is None else role, member.disk.name)


def _against(name: str, startable: tuple[KnownVd, ...], parts: int, memory: Memory) -> str:
    if name in {top(vd.name) for vd in memory.vds}:
        return f"This machine has a virtual drive {name} of its own. Pull these drives, or delete its own one first."
    if len({vd.name for vd in startable}) < len(startable):
        return f"Two arrays {name!r} are here. Pull the drives of one."
    if len(startable) < parts:
        return f"Too few of its drives are here to start {name}. Put in the others."
    return ""


def _means(startable: tuple[KnownVd, ...], missing: int, world: World) -> str:
    said = ["It is started and mounted, and is a volume of this machine from then on: what is on it stays, until it is "
            "full and its oldest recordings go."]
    if missing:
        said.append(f"{missing} of its drives {'is' if missing == 1 else 'are'} not here or behind the others: it is "
                    "Degraded, and blank drives in their bays become part of it.")
    behind = [m.disk.bay for vd in startable for m in muster(vd, world).stale]
    if behind:
        bays = ", ".join("?" if bay is None else str(bay) for bay in behind)
        said.append(f"What is on the drives in bays {bays} missed writes and is not used.")
    return " ".join(said)


def unmade(scene: Scene) -> tuple[str, ...]:
    """Names of the virtual drives that were asked for, could not be made, and can be given up."""
    wished = (vd for vd in tops(scene.memory) if vd.stage is Stage.CREATING and not _begun(vd, scene))
    return tuple(vd.name for vd in wished if _obstacle(vd, scene))


def plan_abandon(vd: KnownVd, scene: Scene) -> AbandonPlan:
    """What giving it up would do."""
    refusal = ""
    if vd.stage is not Stage.CREATING or _begun(vd, scene):
        refusal = f"{vd.name} is made already."
    parts = [one for one in arrays_of(vd, scene.memory) if one in family(vd, scene.memory)]
    slots = [slot for one in parts for slot in one.slots]
    marked = [str(m.disk.bay) for one in parts for m in members_of(one.uuid, scene.world)]
    means = f"Nothing was ever recorded on {vd.name}. Its drives are free for something else."
    if marked:
        means += f" Those in bays {', '.join(marked)} bear the marks of the attempt, and are to be cleared first."
    drives = tuple(PlannedDrive(slot.bay, slot.serial, slot.model, slot.size) for slot in slots)
    return AbandonPlan(vd.name, vd.uuid, level_text(vd.level, vd.spans), drives, _obstacle(vd, scene), means, refusal)


def _obstacle(vd: KnownVd, scene: Scene) -> str:
    """What keeps it from being made; empty: nothing is known to."""
    parts = [one for one in arrays_of(vd, scene.memory) if one.stage is Stage.CREATING]
    said = next((one for part in parts if isinstance(one := chosen(part, scene), str)), "")
    failed = next((job for part in family(vd, scene.memory) if (job := scene.failed_job(part.name)) is not None), None)
    return said or ("" if failed is None else f"It failed: {failed.error}")


def _begun(vd: KnownVd, scene: Scene) -> bool:
    """An array of it runs, its drive group has it in its table, or a job makes it now."""
    parts = family(vd, scene.memory)
    if vd.group and seen(vd, scene.world.array(vd.group)) is not None:
        return True
    return any(scene.world.array(p.uuid) is not None or scene.world.job_on(p.name) is not None for p in parts)
