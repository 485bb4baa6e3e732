"""What would come of adding drives to a virtual drive or changing its level, or why it is not done. Pure.

Which ways there are: spec/raid.md, "Reconstruction". Each was tried on the rack (docs/design/reconstruction.md).
"""

import hashlib
from dataclasses import dataclass

import msgspec

from core.errors import CannotReconstruct
from core.units import human_bytes
from raid import rates, upkeep
from raid.bad_blocks import bad_blocks, told
from raid.candidates import needed_bytes
from raid.delete import resting
from raid.derive_drives import drive_rows
from raid.grow import busy
from raid.grow_model import GrowPlan, PlanGrowRequest
from raid.members import data_drives, lost, tolerance
from raid.memory import Growth, KnownVd, Slot, Stage
from raid.model import CheckResult, CheckVerdict, Drive, DriveState, level_text
from raid.model_plan import PlannedDrive
from raid.scene import Scene
from raid.smart_model import SmartHealth
from raid.spans import is_group, is_span
from raid.work import doing
from raid.world import Running

WAYS = {0: (1, 5, 6), 1: (5, 6), 5: (5, 6), 6: (6,)}
"""From which level to which."""
Q_ALONE = (5, *range(16, 21))
"""md's layouts of a RAID6 that was a RAID0 or a RAID5 (drivers/md/raid5.h): not tried on."""
MOST = 32
LEAST_STRIP = 64 * 1024
HEAD = 1024**2
"""Bytes in front of a member's data that superblock, bitmap and the list of bad blocks may take."""
PASSES = 3
"""Each piece is read, written to its new place, and the parity beside it: measured on the rack against a check."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """A plan, and the intent that follows from it."""

    plan: GrowPlan
    growth: Growth


def plan_grow(request: PlanGrowRequest, vd: KnownVd, running: Running | None, scene: Scene) -> Ordered:
    """Raises CannotReconstruct with the reason."""
    running = _settled(vd, running, scene)
    level = vd.level if request.level is None else request.level
    disks = len(vd.slots) + len(request.bays)
    _refuse_way(vd, level, len(request.bays), disks, running)
    drives = tuple(_drive(bay, vd, running, scene) for bay in request.bays)
    strip = LEAST_STRIP if vd.level == 1 else running.md.chunk
    if data_drives(level, disks) != data_drives(vd.level, len(vd.slots)):
        _refuse_room(vd, data_drives(level, disks) * strip, running)
    each = running.md.each // strip * strip
    added = tuple(PlannedDrive(drive.bay, drive.serial, drive.model, drive.size) for drive in drives)
    capacity = each * data_drives(level, disks)
    share = rates.able(running, scene) * 1024
    print_of = hashlib.sha256(msgspec.json.encode((request, vd, added, running.md.size))).hexdigest()[:16]
    plan = GrowPlan(
        name=vd.name, level=level_text(vd.level, 0), new_level=level_text(level, 0), drives=len(vd.slots),
        new_drives=disks, added=added, capacity=running.md.size, new_capacity=capacity,
        tolerance=tolerance(vd.level, len(vd.slots)), new_tolerance=tolerance(level, disks), strip=strip,
        seconds=round(running.md.each * PASSES / share, 1),
        warnings=tuple(_warnings(vd, running, added, strip, scene)), fingerprint=print_of,
    )
    slots = tuple(Slot(drive.bay, drive.serial, drive.model, drive.size) for drive in added)
    return Ordered(plan, Growth(print_of, level, disks, slots))


def _settled(vd: KnownVd, running: Running | None, scene: Scene) -> Running:
    """The array, when nothing else is done to it."""
    hint = f"rackeye vd show {vd.name}"
    if vd.group or is_group(vd):
        raise CannotReconstruct(
            f"{vd.name} shares its drive group with others: drives are not added to that.",
            hint="Make another virtual drive of the drives.",
        )
    if vd.spans or is_span(vd):
        raise CannotReconstruct(
            f"{vd.name} has spans: drives are not added to those.", hint="Make another virtual drive of the drives."
        )
    if running is not None and running.md.ppl:
        raise CannotReconstruct(
            f"{vd.name} keeps a partial parity log, and md reconstructs no array with one.",
            hint="Make another virtual drive of the drives.",
        )
    if running is None or not running.md.started or resting(vd):
        raise CannotReconstruct(f"{vd.name} does not run.", hint=hint)
    if busy(vd, running.md):
        raise CannotReconstruct(f"{vd.name} is being reconstructed already.", hint="rackeye vd --watch")
    if lost(running.md) or running.md.degraded:
        raise CannotReconstruct(f"{vd.name} is not Optimal: a drive of it is missing.", hint="Make it whole first.")
    job = scene.world.job_on(vd.name)
    if vd.stage is not Stage.READY or job is not None or running.volume.mountpoint is None:
        raise CannotReconstruct(f"{vd.name} is being made, or changed, or is not mounted.", hint=hint)
    if vd.name in dict(scene.world.checks):
        raise CannotReconstruct(f"A check of {vd.name} runs.", hint=f"End it: rackeye check stop {vd.name}")
    if not running.md.parity_complete or running.md.sync_total or running.md.sync_action not in ("idle", "frozen"):
        raise CannotReconstruct(doing(running.md, vd), hint="Wait until that has ended: rackeye vd --watch")
    if scene.world.unread:
        raise CannotReconstruct("Some drives are still being read.", hint="Try again in a few seconds.")
    _preflight(vd, running, scene)
    return running


def _preflight(vd: KnownVd, running: Running, scene: Scene) -> None:
    """Every piece of every drive is read and moved: what is wrong now would be made right-looking."""
    last = upkeep.result_of(scene, vd.name)
    if last is not None and last.verdict is CheckVerdict.WRONG:
        raise CannotReconstruct(
            f"The last check of {vd.name} found {last.wrong_count} wrong stripes, which would be taken over.",
            hint=f"rackeye check repair {vd.name}, then rackeye check start {vd.name}",
        )
    if vd.doubt or vd.torn:
        torn = f"A stripe of {vd.name} may be torn"
        why = f"The parity of {vd.name} is in doubt after a power cut in a copyback" if vd.doubt else torn
        raise CannotReconstruct(
            f"{why}, and no check has read all since: what is wrong would be taken over.",
            hint=f"Check it first: rackeye check start {vd.name}",
        )
    _refuse_bad_blocks(vd, running, scene)
    for member in running.md.members:
        disk = scene.world.disk(member.device)
        if disk is not None and scene.world.smart_of(disk).health is SmartHealth.FAILING:
            raise CannotReconstruct(
                f"The drive in bay {disk.bay} is expected to fail: it might not live through a reconstruction.",
                hint=f"rackeye drive replace --bay {disk.bay}",
            )


def _refuse_bad_blocks(vd: KnownVd, running: Running, scene: Scene) -> None:
    """Of a place that it cannot read md would move whatever it has in memory, as good data of the new shape (raid5.c,
    handle_stripe_expansion). Where the others still have it, it comes from them, if all goes well for days."""
    found = bad_blocks(vd, running, scene)
    if not found:
        return
    worst = max(found, key=lambda bad: bad.lost or 0)
    if worst.lost:
        hint = "What is recorded over such a place is good again. Or make another virtual drive of the drives."
    else:
        hint = f"rackeye vd show {vd.name}" if worst.bay is None else f"rackeye drive replace --bay {worst.bay}"
    raise CannotReconstruct(told((worst,)), hint=hint)


def _refuse_way(vd: KnownVd, level: int, more: int, disks: int, running: Running) -> None:
    before, after = level_text(vd.level, 0), level_text(level, 0)
    pairs = (vd.level == 1 and len(vd.slots) != 2) or (level == 1 and disks != 2)
    if level not in WAYS.get(vd.level, ()) or pairs:
        ways = (
            "drives are added to RAID5 and RAID6, and RAID0, a RAID1 of two and RAID5 get more parity "
            "(0 to 5 or 6, 1 to 5 or 6, 5 to 6; a RAID0 of one drive becomes a RAID1 of two)"
        )
        what = f"{before} of {len(vd.slots)} drives"
        what += " is not grown" if level == vd.level else f" does not become {after}"
        raise CannotReconstruct(f"{what}: {ways}.", hint="Make another virtual drive, and delete this one later.")
    if vd.level == 6 and running.md.layout in Q_ALONE:
        raise CannotReconstruct(
            f"{vd.name} had less parity once, and all of its second parity lies on one drive: it is grown no more.",
            hint="Make another virtual drive of the drives.",
        )
    least = {1: 2, 5: 3, 6: 4}[level]
    if not more or disks < least:
        raise CannotReconstruct(
            f"{after} of {disks} drives cannot be: it takes at least {least}, and a change takes one drive more.",
            hint="Name the bays of the drives to add: --add 4,5",
        )
    if data_drives(level, disks) < data_drives(vd.level, len(vd.slots)):
        raise CannotReconstruct(
            f"{before} of {len(vd.slots)} drives becomes {after} by two drives more, or it would hold less than now.",
            hint="Name two bays: --add 4,5",
        )
    if disks > MOST:
        raise CannotReconstruct(f"{disks} drives are too many: at most {MOST}.")
    if vd.level == 1 and running.md.component_size % LEAST_STRIP:
        raise CannotReconstruct(f"The size of {vd.name} is no multiple of 64 KiB, so it cannot be striped.")


def _refuse_room(vd: KnownVd, needed: int, running: Running) -> None:
    """md moves the data forward by as much as the first strips take: else it would write over what it has not read."""
    room = min((member.data_offset for member in running.md.members), default=0) - HEAD
    if room < needed:
        raise CannotReconstruct(
            f"The drives of {vd.name} have {human_bytes(max(0, room))} in front of the data, and a power cut is borne "
            f"only with {human_bytes(needed)}.", hint="Make another virtual drive of the drives.",
        )


def _drive(bay: int, vd: KnownVd, running: Running, scene: Scene) -> Drive:
    """The blank drive of a bay."""
    rows = [row for row in drive_rows(scene) if row.bay == bay and row.device is not None]
    row = next((row for row in rows if row.state is DriveState.BLANK), rows[0] if rows else None)
    if row is None:
        raise CannotReconstruct(f"Bay {bay} holds no drive.", hint="rackeye drive")
    if row.state is not DriveState.BLANK or not row.serial or scene.memory.spare(row.serial) is not None:
        foreign = row.state is DriveState.FOREIGN
        hint = f"A drive with data: rackeye drive clear --bay {bay}" if foreign else "rackeye drive"
        raise CannotReconstruct(f"The drive in bay {bay} is {row.state.value}: only a blank one is added.", hint=hint)
    needed = needed_bytes(running)
    if row.size < needed:
        raise CannotReconstruct(
            f"The drive in bay {bay} has {human_bytes(row.size)}, and {vd.name} needs {human_bytes(needed)} of each.",
            hint="Put in a larger one.",
        )
    return row


def _warnings(
    vd: KnownVd, running: Running, added: tuple[PlannedDrive, ...], strip: int, scene: Scene
) -> list[str]:
    said = []
    if vd.level in upkeep.CHECKED and (why := _unproved(vd, upkeep.result_of(scene, vd.name))):
        said.append(f"{why} Check it first: rackeye check start {vd.name}")
    if vd.level == 1:
        said.append(f"Its strip becomes {strip // 1024} KiB, whatever it was made with.")
    if (models := sorted({slot.model for slot in vd.slots} | {drive.model for drive in added}))[1:]:
        said.append(f"{vd.name} mixes models ({', '.join(models)}): the slowest sets the pace.")
    if any(drive.size > 1.1 * needed_bytes(running) for drive in added) and running.md.each > 16 * 1024**3:
        said.append(f"Of each drive {human_bytes(running.md.each)} are used, as of the others.")
    said.append(
        "It cannot be undone, and takes long. Recording goes on. A drive that is lost meanwhile is rebuilt only "
        "afterwards, and only on your word."
    )
    return said


def _unproved(vd: KnownVd, last: CheckResult | None) -> str:
    """Why it is not known that all of it is right; empty when it is. What is known to be wrong was refused."""
    if last is None:
        return f"The parity of {vd.name} was never checked."
    match last.verdict:
        case CheckVerdict.STOPPED:
            return f"No check of {vd.name} has come to its end yet. {last.detail}"
        case CheckVerdict.FAILED:
            return f"The last check of {vd.name} failed. {last.detail}"
        case _:
            return ""
