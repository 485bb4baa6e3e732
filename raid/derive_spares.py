"""What people are told of the hot spares, and which places they stand in for. Pure."""

from raid.members import still_of
from raid.memory import KnownVd, Slot, Spare
from raid.model import Drive, DriveState
from raid.rates import percent
from raid.scene import Scene
from raid.smart_model import PREDICTED, SmartHealth
from raid.spans import top
from raid.spare_model import Rate, RateKind, SpareState, SpareView
from raid.world import Disk


def spare_views(scene: Scene) -> tuple[SpareView, ...]:
    """By bay."""
    views = [_view(spare, scene) for spare in scene.memory.spares]
    return tuple(sorted(views, key=lambda view: (view.bay is None, view.bay or 0, view.serial)))


def rates_in_force(scene: Scene) -> tuple[Rate, ...]:
    """The setting of each kind of work."""
    return tuple(Rate(kind, percent(scene.settings.rates, kind)) for kind in RateKind)


def homes(scene: Scene) -> list[tuple[KnownVd, int, Slot]]:
    """Places that a spare serves: virtual drive, slot, and the place that waits for a new drive."""
    found = []
    for spare in scene.memory.spares:
        vd = None if spare.serving is None else scene.memory.by_uuid(spare.serving.vd)
        if spare.serving is not None and vd is not None and vd.slots[spare.serving.slot].serial == spare.serial:
            found.append((vd, spare.serving.slot, spare.serving.home))
    return found


def absent(serial: str, vd: KnownVd, scene: Scene) -> DriveState:
    """Of a member whose drive is not here: Missing; Unknown while it may still come after a start. One whose virtual
    drive runs without it can only be one that udev is at work on."""
    running = scene.world.array(vd.uuid)
    may_come = scene.world.appearing > 0 or running is None or not running.md.started
    return DriveState.UNKNOWN if may_come and scene.awaited(serial) else DriveState.MISSING


def missing_homes(scene: Scene) -> list[Drive]:
    """Rows of the drives that spares stand in for and that are gone: their bays want a new one."""
    rows = []
    for vd, number, home in homes(scene):
        disk = scene.world.by_serial(home.serial)
        if (disk is not None and still_of(disk, vd, scene)) or _is_going_back(vd, number, home, scene):
            continue
        what = f"A hot spare stands in for it in {top(vd.name)}. The data goes back to a blank drive in this bay."
        state = absent(home.serial, vd, scene)
        rows.append(Drive(home.bay, home.serial, home.model, home.size, None, state, what, vd.name, number))
    return rows


def of_spare(disk: Disk, scene: Scene) -> tuple[DriveState, str, str | None, int | None] | None:
    """State of a spare that is in no running array; None when it is told as any other drive."""
    spare = scene.memory.spare(disk.serial)
    if spare is None or disk.probe is None:
        return None
    dedicated = scene.memory.by_uuid(spare.dedicated)
    vd = None if dedicated is None else dedicated.name
    if spare.fault:
        return DriveState.FAILED, f"A hot spare, and it is never chosen: {spare.fault}", None, None
    if disk.probe.blank:
        return DriveState.HOT_SPARE, f"Dedicated to {top(vd)}." if vd else "Global.", vd, None
    if state(spare, scene)[0] is SpareState.RETURNING:
        return DriveState.UNCONFIGURED_GOOD, "It becomes a hot spare again.", None, None
    return None


def state(spare: Spare, scene: Scene) -> tuple[SpareState, str]:
    """How it stands, and a sentence."""
    disk = scene.world.by_serial(spare.serial)
    serving = spare.serving
    vd = None if serving is None else scene.memory.by_uuid(serving.vd)
    if disk is None and scene.awaited(spare.serial):
        return SpareState.UNKNOWN, "It is still awaited."
    if disk is None:
        return SpareState.MISSING, "It is not there. Put it back into any bay, or remove it as a spare."
    if spare.fault:
        return SpareState.FAILED, f"{spare.fault} Replace it."
    running = scene.world.running_array_of(disk)
    if running is not None and serving is not None and vd is not None:
        member = next(one for one in running.md.members if one.device == disk.name)
        if member.faulty:
            return SpareState.RETURNING, "The data went back; it becomes a spare again."
        does = "It stands in" if member.in_sync else f"{top(vd.name)} is rebuilt on it"
        return SpareState.IN_USE, f"{does} for bay {serving.home.bay}."
    if running is not None:
        return SpareState.IN_USE, "It is a member of an array."
    return _at_rest(disk, scene)


def _at_rest(disk: Disk, scene: Scene) -> tuple[SpareState, str]:
    """Of a spare's drive that is in no array."""
    if disk.probe is None:
        return SpareState.UNKNOWN, "It is being read."
    if disk.probe.error:
        return SpareState.FAILED, disk.probe.error
    own = disk.probe.superblock
    if own is not None and scene.memory.by_uuid(own.array_uuid) is not None:
        return SpareState.RETURNING, "It becomes a spare again."
    smart = scene.world.smart_of(disk)
    if smart.health is SmartHealth.FAILING:  # as `spares.idle`: it is shown Ready only if it would be taken
        return SpareState.FAILED, f"{PREDICTED}: {smart.detail} Replace it."
    if not disk.probe.blank:
        return SpareState.NOT_BLANK, f"It holds data ({', '.join(disk.probe.signatures)}), so it is not taken."
    if disk.protected:
        return SpareState.NOT_BLANK, disk.protected
    if disk.held_by:
        return SpareState.NOT_BLANK, f"It is in use by {', '.join(disk.held_by)}, so it is not taken."
    return SpareState.READY, ""


def _is_going_back(vd: KnownVd, number: int, home: Slot, scene: Scene) -> bool:
    """A drive in the home bay has the copy running onto it."""
    running = scene.world.array(vd.uuid)
    onto = [m for m in (() if running is None else running.md.members) if m.slot == number and m.replacement]
    disks = [scene.world.disk(member.device) for member in onto if not member.faulty]
    return any(disk is not None and disk.bay == home.bay for disk in disks)


def _view(spare: Spare, scene: Scene) -> SpareView:
    now, detail = state(spare, scene)
    serving = spare.serving
    vd = None if serving is None else scene.memory.by_uuid(serving.vd)
    dedicated = scene.memory.by_uuid(spare.dedicated)
    return SpareView(
        bay=spare.bay, serial=spare.serial, model=spare.model, size=spare.size, state=now, detail=detail,
        dedicated=None if dedicated is None else top(dedicated.name), affinity=spare.affinity,
        serving=None if vd is None else top(vd.name), slot=None if serving is None else serving.slot,
        home_bay=None if serving is None else serving.home.bay,
    )
