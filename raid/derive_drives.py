"""The rows of the drives: those that are there, and those that should be. Pure."""

from dataclasses import replace

from raid import members
from raid.candidates import Use, asked_for, judge
from raid.derive_groups import plain
from raid.derive_nested import place
from raid.derive_spares import absent, homes, missing_homes, of_spare
from raid.memory import KnownVd, Slot, Stage
from raid.model import Drive, DriveState
from raid.scene import Scene
from raid.smart_model import PREDICTED, SmartHealth
from raid.spare_learn import went_back
from raid.superblock import Superblock
from raid.vanished import vanished
from raid.world import Disk, Probe, Running


def drive_rows(scene: Scene) -> tuple[Drive, ...]:
    """By bay; the drives without one behind them: the system's, and all of them where the profile names no bay."""
    rows = [_row(disk, scene) for disk in shown(scene.world.disks)]
    for vd in scene.memory.vds:
        rows += _missing(vd, scene)
    rows += missing_homes(scene)
    rows += vanished(scene)
    rows = [_named(row, scene) for row in rows]
    return tuple(sorted(rows, key=lambda row: (row.bay is None, row.bay or 0, row.device is None, row.serial)))


def _named(row: Drive, scene: Scene) -> Drive:
    """A member of a span is told as one of the virtual drive."""
    vd = None if row.vd is None else scene.memory.vd(row.vd)
    if vd is None:
        return replace(row, detail=plain(row.detail))
    name, slot, span = place(vd, row.slot)
    return replace(row, vd=name, slot=slot, span=span, detail=plain(row.detail))


def shown(disks: tuple[Disk, ...]) -> tuple[Disk, ...]:
    """Those that people are told of: in a bay, or the system's; all where the profile names no bay."""
    no_bays = all(disk.bay is None for disk in disks)
    return tuple(disk for disk in disks if disk.bay is not None or disk.system or no_bays)


def _missing(vd: KnownVd, scene: Scene) -> list[Drive]:
    """Members whose drive is not there; it keeps its bay and serial from memory."""
    running = scene.world.array(vd.uuid)
    rows = []
    for number, slot in enumerate(vd.slots):
        here = None if running is None else running.md.member_in(number)
        disk = scene.world.by_serial(slot.serial) if slot.serial else None
        if slot.dismissed or here is not None or (disk is not None and members.still_of(disk, vd, scene)):
            continue
        state = absent(slot.serial, vd, scene)
        is_it = "gone" if state is DriveState.MISSING else "still awaited"
        what = f"It belongs into slot {number} of {vd.name} and is {is_it}."
        if disk is not None:
            is_it = "cannot be read" if disk.probe is not None and disk.probe.error else "is gone"
            what = f"It belongs into slot {number} of {vd.name}, and what it held of it {is_it}."
        rows.append(Drive(slot.bay, slot.serial, slot.model, slot.size, None, state, what, vd.name, number))
    return rows


def _row(disk: Disk, scene: Scene) -> Drive:
    state, detail, vd, slot = _judge(disk, scene)
    verdict = judge(disk, scene)
    left = state in NOT_TAKEN and verdict.use is Use.NONE and bool(verdict.why)
    refused = left and asked_for(disk, scene) is not None
    smart = scene.world.smart_of(disk)
    if smart.health is SmartHealth.FAILING:
        state, detail = _shielded(state), f"{detail} {PREDICTED}: {smart.detail}".strip()
    member = scene.world.member_of(disk)
    return Drive(
        disk.bay, disk.serial, disk.model, disk.size, disk.device, state, detail, vd, slot, refused=refused,
        smart=smart, read_errors=0 if member is None else member.errors,
    )


NOT_TAKEN = (DriveState.BLANK, DriveState.FOREIGN, DriveState.UNCONFIGURED_BAD, DriveState.STALE)
"""As such a drive stands in the bay of a missing member when it is of no use there."""


def _shielded(state: DriveState) -> DriveState:
    """Shield in place of a state that says nothing but good. The drive stays where it is: in its array it is still the
    best that there is for its slot."""
    match state:
        case DriveState.ONLINE | DriveState.HOT_SPARE | DriveState.UNCONFIGURED_GOOD | DriveState.BLANK:
            return DriveState.SHIELD
        case _:
            return state


_Judged = tuple[DriveState, str, str | None, int | None]


def _judge(disk: Disk, scene: Scene) -> _Judged:  # noqa: PLR0911 -- one return a state
    running = scene.world.running_array_of(disk)
    ours = running is not None and running.uuid is not None and scene.memory.by_uuid(running.uuid) is not None
    if disk.protected and not ours:  # a member of ours stays one, whatever somebody mounted of it
        return DriveState.SYSTEM, disk.protected, None, None
    if running is not None:
        return _member(disk, running, scene)
    probe = disk.probe
    intent = _intent(disk, scene)
    if probe is None and intent is not None and scene.world.job_on(intent.name) is not None:
        return DriveState.UNCONFIGURED_GOOD, f"It is being made part of {intent.name}.", intent.name, None
    if probe is None:
        return _unread(disk, scene)
    verdict = judge(disk, scene)
    if probe.error:
        return _failed_before(disk, scene) or (DriveState.UNCONFIGURED_BAD, verdict.why or probe.error, None, None)
    spare = of_spare(disk, scene)
    if spare is not None:
        return spare
    if probe.superblock is not None:
        vd = scene.memory.by_uuid(probe.superblock.array_uuid)
        if vd is not None:
            return _former_member(disk, probe.superblock, vd, scene)
    if probe.blank:
        if intent is not None:
            return DriveState.UNCONFIGURED_GOOD, f"It is chosen for {intent.name}.", intent.name, None
        return DriveState.BLANK, verdict.why, None, None
    return DriveState.FOREIGN, verdict.why or _kinds(probe), None, None


def _unread(disk: Disk, scene: Scene) -> _Judged:
    """Not read yet. One that failed stays failed meanwhile: its light does not go out when md lets go of it."""
    if failed := _failed_before(disk, scene):
        return failed
    again = "It is being read." if disk.retry is None else "It could not be read. It is read again in a moment."
    return DriveState.UNKNOWN, again, *_member_before(disk, scene)


def _failed_before(disk: Disk, scene: Scene) -> _Judged | None:
    """Of a drive that does not read: one that md put out for its errors has failed, and is no new drive that is bad."""
    failed = next((failed for failed in scene.memory.failed if failed.serial == disk.serial), None)
    vd = None if failed is None else scene.memory.vd(failed.vd)
    return None if vd is None else (*_failed(disk, vd, scene), *_place_of(disk, vd, scene))


def _member(disk: Disk, running: Running, scene: Scene) -> _Judged:  # noqa: PLR0911 -- one return a state
    vd = None if running.uuid is None else scene.memory.by_uuid(running.uuid)
    if vd is None:
        return DriveState.FOREIGN, f"It runs in the array {running.md.device}, which is not ours.", None, None
    member = next(member for member in running.md.members if member.device == disk.name)
    if member.faulty and went_back(member, disk, running, scene.memory):
        return DriveState.UNCONFIGURED_GOOD, "Its data went back; it becomes a hot spare again.", None, None
    if member.faulty:
        return *_failed(disk, vd, scene), *_place_of(disk, vd, scene)
    if not running.md.started and running.md.state != "broken":
        return *_idle(vd, scene), vd.name, member.slot
    if member.in_sync and member.slot is not None:
        return DriveState.ONLINE, "", vd.name, member.slot
    if member.replacement:
        return DriveState.COPYBACK, f"The data of {vd.name} goes back to it.", vd.name, member.slot
    whole = not members.empty_slots(running.md) and not members.lost(running.md)
    if member.slot is None and whole:
        return DriveState.HOT_SPARE, "", vd.name, None
    if running.md.sync_action == "recover":
        return DriveState.REBUILD, "", vd.name, member.slot
    slot = _place_of(disk, vd, scene)[1] if member.slot is None else member.slot
    return DriveState.REBUILD, "The rebuild onto it has not begun yet.", vd.name, slot


def _former_member(disk: Disk, own: Superblock, vd: KnownVd, scene: Scene) -> _Judged:
    """It carries a superblock of a virtual drive of ours, and is no member now."""
    if any(failed.serial == disk.serial for failed in scene.memory.failed):
        return *_failed(disk, vd, scene), *_place_of(disk, vd, scene)
    running, slot, verdict = scene.world.array(vd.uuid), _place_of(disk, vd, scene)[1], judge(disk, scene)
    if running is not None and running.md.started:
        return DriveState.STALE, verdict.why or f"A former member of {vd.name}.", vd.name, slot
    if vd.stage is Stage.CREATING:
        return DriveState.UNCONFIGURED_GOOD, f"It is chosen for {vd.name}.", vd.name, own.role
    if vd.stage is Stage.DELETING:
        return *_idle(vd, scene), vd.name, own.role
    ready = members.muster(vd, scene.world)
    if any(member.disk == disk for member in ready.current):
        return *_idle(vd, scene), vd.name, own.role
    return DriveState.STALE, verdict.why or f"It missed writes of {vd.name}, which does not run.", vd.name, slot


def _idle(vd: KnownVd, scene: Scene) -> tuple[DriveState, str]:
    """A good member of a virtual drive that does not run, now or for good."""
    if vd.stage is Stage.CREATING:
        return DriveState.UNCONFIGURED_GOOD, f"It is being made part of {vd.name}."
    if vd.stage is Stage.DELETING:
        return DriveState.OFFLINE, f"{vd.name} is being deleted."
    if vd.stopped:
        return DriveState.OFFLINE, f"{vd.name} was stopped by a person."
    ready = members.muster(vd, scene.world).readiness in (members.Readiness.COMPLETE, members.Readiness.DEGRADED)
    if ready or scene.world.job_on(vd.name) is not None:
        return DriveState.UNKNOWN, f"{vd.name} is being started."
    return DriveState.OFFLINE, f"{vd.name} does not run."


def _kinds(probe: Probe) -> str:
    if probe.superblock is not None:
        array = probe.superblock
        return f"It belongs to the array {array.name!r} (RAID{array.level} of {array.raid_disks}), which is not ours."
    return f"It holds data: {', '.join(probe.signatures)}."


def _coming(vd: KnownVd) -> tuple[Slot, ...]:
    """Drives that are to become members."""
    return (*(vd.slots if vd.stage is Stage.CREATING else ()), *(vd.growth.added if vd.growth is not None else ()))


def _intent(disk: Disk, scene: Scene) -> KnownVd | None:
    """The virtual drive that is to be made of this drive, or to grow over it."""
    return next(
        (vd for vd in scene.memory.vds
         if any(slot.serial == disk.serial and slot.bay == disk.bay for slot in _coming(vd))),
        None,
    )


def _failed(disk: Disk, vd: KnownVd, scene: Scene) -> tuple[DriveState, str]:
    """A drive that md put out for its errors: failed, or the last one that failed its virtual drive (spec/raid.md: a
    source that fails during a rebuild becomes Offline)."""
    known = next((failed for failed in scene.memory.failed if failed.serial == disk.serial), None)
    running = scene.world.array(vd.uuid)
    lost = running is None or not running.md.started or members.spare_failures(running.md) < 0
    if known is not None and known.last_straw and lost:
        return DriveState.OFFLINE, f"It failed when {vd.name} could not bear it any more: {vd.name} does not run."
    if any(slot.serial == disk.serial for slot in vd.slots):
        return DriveState.FAILED, f"md put it out of {vd.name} for its errors. Replace it."
    return DriveState.FAILED, f"md put it out of {vd.name} for its errors, and another drive has its place. Pull it."


def _member_before(disk: Disk, scene: Scene) -> tuple[str | None, int | None]:
    """Whose drive it was when it was last read: what was said of its place holds until it is read."""
    places = (_place_of(disk, vd, scene) for vd in scene.memory.vds if disk.serial)
    return next((place for place in places if place[0] is not None), (None, None))


def _place_of(disk: Disk, vd: KnownVd, scene: Scene) -> tuple[str | None, int | None]:
    """Virtual drive and slot whose drive it is, also when a spare stands in for it; nothing when another one has the
    place for good."""
    places = [*enumerate(vd.slots), *((number, home) for of, number, home in homes(scene) if of == vd)]
    slot = next((number for number, place in places if place.serial == disk.serial), None)
    return (None if slot is None else vd.name), slot
