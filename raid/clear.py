"""Clearing a drive: which one is meant, why it is refused, what would be lost; by the last look, nothing is read."""

from core.errors import DriveInUse, NoSuchDrive, SystemDrive
from raid.act import refuse_if_used
from raid.memory import Stage
from raid.model import ClearDriveRequest
from raid.model_clear import ClearPlan
from raid.nested import has_failed
from raid.scene import Scene
from raid.world import Disk, Probe


def plan_clear(request: ClearDriveRequest, scene: Scene) -> ClearPlan:
    """Raises NoSuchDrive. Whatever else keeps the drive from being cleared is the plan's `refusal`."""
    disk = named(request, scene)
    refusal = ""
    try:
        refuse(disk, scene)
    except (SystemDrive, DriveInUse) as error:
        refusal = error.sentence
    probe = disk.probe
    signatures = None if probe is None or probe.error else probe.signatures
    return ClearPlan(
        request.bay, disk.serial, disk.model, disk.size, disk.device, signatures, _loses(probe), refusal,
    )


def named(request: ClearDriveRequest, scene: Scene) -> Disk:
    """The drive of this bay and serial. Raises NoSuchDrive."""
    here = [disk for disk in scene.world.disks if disk.bay == request.bay]
    disk = next((disk for disk in here if disk.serial == request.serial), None)
    if disk is None:
        found = ", ".join(disk.serial for disk in here) or "no drive"
        raise NoSuchDrive(
            f"Bay {request.bay} holds {found}, not the serial {request.serial!r}.", hint="rackeye drive shows them."
        )
    return disk


def refuse(disk: Disk, scene: Scene) -> None:
    """A drive that may not be written to. Raises SystemDrive, DriveInUse."""
    refuse_if_used(disk)
    for vd in scene.memory.vds:
        running = scene.world.array(vd.uuid)
        own = None if disk.probe is None else disk.probe.superblock
        member = own is not None and own.array_uuid == vd.uuid
        coming = (*(vd.slots if vd.stage is Stage.CREATING else ()), *(vd.growth.added if vd.growth else ()))
        wanted = any(slot.serial == disk.serial for slot in coming)
        if wanted or (member and (running is None or not running.md.started or has_failed(running))):
            raise DriveInUse(
                f"The drive in bay {disk.bay} is needed by {vd.name}, which does not run.",
                hint=f"Look at `rackeye vd`: {vd.name} comes first.",
            )


def _loses(probe: Probe | None) -> str:
    if probe is None:
        return "What lies on it is not known: it has not been read."
    if probe.error:
        return f"What lies on it is not known. {probe.error}"
    if probe.blank:
        return "Nothing is known to lie on it: it is blank."
    own = probe.superblock
    array = "" if own is None else f" It is of the array {own.label!r} (RAID{own.level} of {own.raid_disks})."
    return f"It holds: {', '.join(probe.signatures)}.{array}"
