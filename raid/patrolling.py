"""When a patrol read comes by itself, over which drives, and what people are told of it. Pure but for the time zone."""

from collections.abc import Iterator

from raid import check
from raid.actions import Action, StartPatrol, StopCheck
from raid.model_care import BadPlace, PatrolView, UnreadDrive
from raid.patrol_result import Fate, MediaError, PatrolFile, Patrolled, ToRead
from raid.priority import rebuilt_first
from raid.scene import Scene
from raid.spans import number_of, top
from raid.upkeep import AGAIN, DAY, Due, past, started, why_stopped
from raid.world import Disk

_ODD_SERIAL = "Its serial number has characters that are not let into a command: a patrol read leaves it out."


def patrol(scene: Scene) -> Iterator[Action]:
    """Begins the one that is due while nothing else reads all the drives; stops it after its hours or for a rebuild."""
    job = check.patrol_running(scene.world.jobs)
    if job is not None:
        if job.kind == check.SCHEDULED_PATROL and (why := why_stopped(job.started, scene)):
            yield StopCheck("", job.id, f"{why}: the patrol read goes on in the next quiet hours.")
        return
    when = due(scene)
    drives = to_read(scene)
    working = any(running.md.sync_total for running in scene.world.arrays)
    busy = bool(scene.world.checks) or working or bool(rebuilt_first(scene))
    if when is None or not drives or busy or any(job.alive for job in scene.world.jobs):
        return
    if not when.now(scene.settings.care, scene.now):
        return
    if (back := _back(scene)) and not _over_all(scene).now(scene.settings.care, scene.now):
        serials = ", ".join(drive.serial for drive in back)
        yield StartPatrol(drives, f"What the last patrol read could not read is read again: {serials}.", again=True)
    else:
        yield StartPatrol(drives, f"{len(drives)} drives are being read for bad sectors, as the schedule says.")


def to_read(scene: Scene) -> tuple[ToRead, ...]:
    """Every drive but the system's: members, spares, and what is not used."""
    return tuple(ToRead(disk.name, disk.diskseq, disk.serial) for disk in _ours(scene) if _can_be_named(disk))


def _ours(scene: Scene) -> Iterator[Disk]:
    return (disk for disk in scene.world.disks if not disk.system and disk.bay is not None)


def _can_be_named(disk: Disk) -> bool:
    """Its serial may stand in the command of the job."""
    return not disk.serial or check.PLAIN.fullmatch(disk.serial) is not None


def due(scene: Scene) -> Due | None:
    """When one is to begin; None: never by itself. Drives that were not read and are here are not left for days."""
    last = scene.world.patrol
    if scene.settings.care.patrol_days <= 0:
        return None
    finished = 0.0 if last is None else past(last.finished or 0.0, scene.now)
    if last is None or not finished:
        return Due(started(scene))
    if not last.whole:
        return Due(finished + AGAIN)
    over_all = _over_all(scene)
    return Due(min(finished + AGAIN, over_all.at)) if _back(scene) else over_all


def _over_all(scene: Scene) -> Due:
    """When all drives are to be read again."""
    last = scene.world.patrol
    at = 0.0 if last is None else past(last.over_all or 0.0, scene.now)
    return Due(at + scene.settings.care.patrol_days * DAY if at else started(scene))


def _back(scene: Scene) -> tuple[Patrolled, ...]:
    """Drives that the last patrol read, which came to its end, could not read, and that are here (again)."""
    last = scene.world.patrol
    if last is None or not last.whole:
        return ()
    here = {drive.serial for drive in to_read(scene)}
    return tuple(drive for drive in last.drives if drive.gone and not drive.given_up and drive.serial in here)


def view(scene: Scene) -> PatrolView:
    """For people."""
    running = check.patrol_running(scene.world.jobs) is not None
    when = due(scene)
    following = None if when is None or running else when.next(scene.settings.care, scene.now)
    found = scene.world.patrol
    unread = tuple(_unread(found, scene))
    if found is None:
        return PatrolView(running=running, percent=0.0 if running else None, next=following, unread=unread)
    whole = found if found.whole else found.last
    under_way = running or not found.whole
    return PatrolView(
        running=running,
        percent=round(found.percent, 1) if under_way else None,
        speed=found.speed if running else None,
        seconds_left=found.seconds_left if running else None,
        finished=None if whole is None else whole.over_all,
        drives=len(found.drives),
        bad=tuple(_places(found, scene)),
        next=following,
        unread=unread,
    )


def _unread(found: PatrolFile | None, scene: Scene) -> Iterator[UnreadDrive]:
    for drive in () if found is None else found.unread():
        disk = scene.world.by_serial(drive.serial)
        device = drive.device if disk is None else disk.name
        yield UnreadDrive(None if disk is None else disk.bay, drive.serial, f"/dev/{device}", drive.gone)
    for disk in _ours(scene):
        if not _can_be_named(disk):
            yield UnreadDrive(disk.bay, disk.serial, disk.device, _ODD_SERIAL)


def _places(found: PatrolFile, scene: Scene) -> Iterator[BadPlace]:
    """Of this one, and of the one before it for drives that this one has not read to the end."""
    read = {drive.serial for drive in found.drives if drive.seen}
    earlier = [drive for drive in found.last.drives if drive.serial not in read] if found.last is not None else []
    told: set[tuple[str, int]] = set()
    for drive in (*found.drives, *earlier):
        disk = scene.world.by_serial(drive.serial)
        if disk is None:
            continue  # it is not here any more
        for error in drive.errors:
            if (drive.serial, error.lba) not in told:
                told.add((drive.serial, error.lba))
                yield _place(drive, error, disk, scene)


def _place(drive: Patrolled, error: MediaError, disk: Disk, scene: Scene) -> BadPlace:
    running = next((array for array in scene.world.arrays if array.md.device == error.array), None)
    vd = None if running is None or running.uuid is None else scene.memory.by_uuid(running.uuid)
    where = f"bay {disk.bay} (serial {drive.serial}), LBA {error.lba}"
    stripe = "" if error.stripe is None else f"stripe {error.stripe} "
    span = "" if vd is None or not number_of(vd) else f"of span {number_of(vd)} "
    of = "" if vd is None else f", {stripe}{span}of {top(vd.name)}"
    if error.fate is Fate.REWRITTEN:
        detail = f"{where}{of}: it could not be read, and was written anew from the other drives. Watch this drive."
    elif vd is not None:
        detail = f"{where}{of}: {error.why}. Replace this drive: rackeye drive replace --bay {disk.bay}."
    else:
        detail = f"{where}: {error.why}. Do not use this drive."
    return BadPlace(
        disk.bay, drive.serial, disk.device, error.lba, error.sectors, error.fate is Fate.REWRITTEN,
        None if vd is None else top(vd.name), error.stripe, detail,
    )
