"""What a drive that is no member could be used for, and if not, why not, in a sentence. Pure.

This is the one place that lets a drive into an array: a blank one of sufficient size in the bay of a missing member,
or a former member of that very array. Everything else is left alone (spec/raid.md, "Rebuild, hot swap, copyback").
"""

from dataclasses import dataclass
from enum import StrEnum, unique

from core.units import human_bytes
from raid.grow import busy
from raid.members import empty_slots, re_add_is_safe, rebuilding, spare_failures
from raid.memory import KnownVd, Stage
from raid.scene import Scene
from raid.smart_model import SmartHealth
from raid.superblock import Superblock
from raid.world import Disk, Running


@unique
class Use(StrEnum):
    """What is to be done with a drive."""

    ADD = "add"
    RE_ADD = "re-add"
    COPYBACK = "copyback"  # the data goes back to this bay from the spare that stands in
    REBUILD = "rebuild"  # a former member that cannot be trusted: written anew in full
    WAIT = "wait"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Verdict:
    """use: for which virtual drive. wait: seconds until it is due (Use.WAIT); why: a sentence for people."""

    use: Use
    vd: str = ""
    why: str = ""
    wait: float = 0.0


def judge(disk: Disk, scene: Scene) -> Verdict:
    """What to do with a drive that is a member of no running array."""
    world, memory = scene.world, scene.memory
    probe = disk.probe
    if disk.protected or probe is None or world.running_array_of(disk) is not None:
        return Verdict(Use.NONE)
    place = asked_for(disk, scene)
    own = None if probe.superblock is None else memory.by_uuid(probe.superblock.array_uuid)
    if probe.superblock is not None and own is not None:
        verdict = _former_member(disk, probe.superblock, own, scene)
        if place is None or place[0] == own or verdict.use is not Use.NONE:
            return verdict
        return _of_another(disk, own, place[0], scene) or verdict
    if place is None:
        return Verdict(Use.NONE)
    vd, running = place
    if probe.error:
        why = f"{probe.error} So {vd.name} is not rebuilt on it. Put another drive into bay {disk.bay}."
        return Verdict(Use.NONE, vd.name, why)
    if not probe.blank:
        return Verdict(
            Use.NONE, vd.name,
            f"It holds data ({', '.join(probe.signatures)}), so {vd.name} is not rebuilt on it: nothing is overwritten "
            f"without a word. Clear it with `rackeye drive clear --bay {disk.bay}`, or put in a blank drive.",
        )
    if failing := _failing(disk, vd, scene):
        return failing
    small = _too_small(disk, vd, running)
    use = Use.ADD if empty_slots(running.md) else Use.COPYBACK
    return Verdict(Use.NONE, vd.name, small) if small else _when_settled(use, disk, running, vd.name, scene)


def _former_member(disk: Disk, own: Superblock, vd: KnownVd, scene: Scene) -> Verdict:
    running = scene.world.array(vd.uuid)
    if vd.stage is Stage.CREATING or running is None or not running.md.started or spare_failures(running.md) < 0:
        return Verdict(Use.NONE, vd.name)
    if any(failed.serial == disk.serial for failed in scene.memory.failed):
        return Verdict(
            Use.NONE, vd.name,
            f"md put it out of {vd.name} for its errors, so it is not taken back. "
            f"Put another drive into bay {disk.bay}.",
        )
    if not empty_slots(running.md):
        return _whole_without(disk, vd, running, scene)
    if re_add_is_safe(own, running.md, running.events, disk.serial, vd):
        return _when_settled(Use.RE_ADD, disk, running, vd.name, scene)
    if failing := _failing(disk, vd, scene):
        return failing
    small = _too_small(disk, vd, running)
    if small:
        return Verdict(Use.NONE, vd.name, small)
    return _when_settled(Use.REBUILD, disk, running, vd.name, scene)


def _failing(disk: Disk, vd: KnownVd, scene: Scene) -> Verdict | None:
    """Nothing is written onto it in full. Bringing a former member up to date by the bitmap is: seconds, and whole."""
    if scene.world.smart_of(disk).health is not SmartHealth.FAILING:
        return None
    return Verdict(
        Use.NONE, vd.name, f"It is expected to fail, so {vd.name} is not rebuilt on it. Put in another drive."
    )


def _of_another(disk: Disk, own: KnownVd, vd: KnownVd, scene: Scene) -> Verdict | None:
    """A former member that is of no use to its own virtual drive, in the bay of a missing member of another one. None
    when it is about to be blank, or to be used elsewhere."""
    if own.stage in (Stage.CREATING, Stage.DELETING) or scene.memory.spare(disk.serial) is not None:
        return None
    running = scene.world.array(own.uuid)
    if running is None or not running.md.started or spare_failures(running.md) < 0:
        why = (
            f"It belongs to {own.name}, which does not run and may need it, so {vd.name} is not rebuilt on it. Put a "
            f"blank drive into bay {disk.bay}."
        )
    else:
        why = (
            f"It was a member of {own.name}, so {vd.name} is not rebuilt on it: nothing is overwritten without a word. "
            f"Clear it with `rackeye drive clear --bay {disk.bay}`, or put in a blank drive."
        )
    return Verdict(Use.NONE, vd.name, why)


def _whole_without(disk: Disk, vd: KnownVd, running: Running, scene: Scene) -> Verdict:
    """A former member that its virtual drive does not miss."""
    if scene.memory.spare(disk.serial) is not None:
        return Verdict(Use.NONE, vd.name, "It becomes a hot spare again.")
    if served_from(disk, scene) == (vd, running):
        if failing := _failing(disk, vd, scene):
            return failing
        small = _too_small(disk, vd, running)
        if small:
            return Verdict(Use.NONE, vd.name, small)
        return _when_settled(Use.COPYBACK, disk, running, vd.name, scene)
    return Verdict(
        Use.NONE, vd.name,
        f"It was a member of {vd.name}, where another drive has its place now. "
        f"`rackeye drive clear --bay {disk.bay}` makes it a blank drive.",
    )


def asked_for(disk: Disk, scene: Scene) -> tuple[KnownVd, Running] | None:
    """The virtual drive that waits for a drive in this drive's bay, or to which a person named it."""
    return _missing_in_bay(disk, scene) or served_from(disk, scene)


def _missing_in_bay(disk: Disk, scene: Scene) -> tuple[KnownVd, Running] | None:
    """The virtual drive that misses a member in this drive's bay, when it runs and bears a rebuild."""
    for vd in scene.memory.vds:
        running = scene.world.array(vd.uuid)
        if running is None or not running.md.started or spare_failures(running.md) < 0:
            continue
        for slot in empty_slots(running.md):
            if slot < len(vd.slots) and disk.bay is not None and vd.slots[slot].bay == disk.bay:
                return vd, running
        if empty_slots(running.md) and (disk.serial, vd.uuid) in scene.memory.fleeting.named:
            return vd, running
    return None


def served_from(disk: Disk, scene: Scene) -> tuple[KnownVd, Running] | None:
    """The virtual drive in which a spare stands in for the drive of this bay: the data goes back here.

    When it misses another member, too, the drive is used for that one first: redundancy before order.
    """
    for spare in scene.memory.spares:
        serving = spare.serving
        vd = None if serving is None else scene.memory.by_uuid(serving.vd)
        running = None if serving is None else scene.world.array(serving.vd)
        if serving is None or vd is None or running is None or not running.md.started:
            continue
        if disk.bay is not None and serving.home.bay == disk.bay and spare_failures(running.md) >= 0:
            return vd, running
    return None


def needed_bytes(running: Running) -> int:
    """What md needs of each member's drive."""
    return running.md.each + max((member.data_offset for member in running.md.members), default=0)


def _too_small(disk: Disk, vd: KnownVd, running: Running) -> str:
    needed = needed_bytes(running)
    if disk.size >= needed:
        return ""
    return (
        f"It has {human_bytes(disk.size)}, and {vd.name} needs {human_bytes(needed)} of each drive: it is not used. "
        f"Put a drive of at least that size into bay {disk.bay}."
    )


def _by_hand(disk: Disk, vd: KnownVd) -> str:
    """spec/raid.md: what was lost during a level migration is rebuilt after it, by hand."""
    blank = disk.probe is not None and disk.probe.blank
    first = "" if blank else f"`rackeye drive clear --bay {disk.bay}`, then "
    return (
        f"{vd.name} lost a drive while it was reconstructed, so it is rebuilt only on your word: "
        f"{first}`rackeye drive rebuild --bay {disk.bay} --for {vd.name}`."
    )


def _when_settled(use: Use, disk: Disk, running: Running, vd: str, scene: Scene) -> Verdict:
    """One change and one rebuild at a time, and a new drive is left alone for a while (spec/raid.md)."""
    known = scene.memory.vd(vd)
    if known is not None and busy(known, running.md):
        return Verdict(Use.WAIT, vd, f"{vd} is being reconstructed: no drive is rebuilt meanwhile.", 2.0)
    if known is not None and known.by_hand and (disk.serial, known.uuid) not in scene.memory.fleeting.named:
        return Verdict(Use.NONE, vd, _by_hand(disk, known))
    if rebuilding(running.md):
        return Verdict(Use.WAIT, vd, f"It waits until the rebuild of {vd} that runs has ended.", 2.0)
    if use is Use.COPYBACK and running.md.sync_total:
        return Verdict(Use.WAIT, vd, f"The data of {vd} goes back to it when {running.md.sync_action} has ended.", 2.0)
    seen = scene.memory.fleeting.first_seen(disk.diskseq)
    settle = scene.settings.settle_seconds
    left = settle if seen is None else settle - max(0.0, scene.now - seen)
    if left > 0:
        return Verdict(Use.WAIT, vd, f"It settles; then it is used for {vd}.", left)
    if use is Use.COPYBACK:
        return Verdict(use, vd, f"The data of {vd} goes back to it from the hot spare.")
    return Verdict(use, vd, f"It takes the missing place in {vd}.")
