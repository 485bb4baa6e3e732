"""Simple configuration: from blank drives in bays to virtual drives, shown before it is done. Pure."""

import hashlib

import msgspec

from core.errors import PlanImpossible
from core.units import human_bytes
from raid.candidates import judge
from raid.derive_drives import drive_rows
from raid.filesystem import MINIMUM
from raid.members import data_drives, tolerance
from raid.model import Drive, DriveState, Plan, PlannedDrive, PlannedVd, PlanSimpleRequest
from raid.scene import Scene

LEAST = {5: 3, 6: 4}
MOST = 32
GIB = 1024**3
RESERVE = 256 * 1024**2
"""md's data offset and bitmap, at most."""
STRIPS = tuple(64 * 1024 << power for power in range(5))
BAYS_FOR_TWO = 8


def plan_simple(request: PlanSimpleRequest, scene: Scene) -> Plan:
    """The plan for a request. Raises PlanImpossible with the reason."""
    _refuse_nonsense(request)
    drives, left = _blank(request, scene)
    count = request.count or (2 if len(drives) >= BAYS_FOR_TWO else 1)
    size = min(len(drives) // count, MOST)
    least = LEAST[request.level]
    if size < least:
        raise PlanImpossible(
            f"{count} of RAID{request.level} need {count * least} blank drives in bays, and {len(drives)} are there.",
            hint="rackeye drive shows what each drive is. A drive with data is cleared with `rackeye drive clear`.",
        )
    names = _free_names(count, scene)
    groups = [drives[at * size : (at + 1) * size] for at in range(count)]
    vds = tuple(_planned(name, group, request) for name, group in zip(names, groups, strict=True))
    small = next((vd for vd in vds if vd.capacity < MINIMUM), None)
    if small is not None:
        raise PlanImpossible(f"{small.name} would have {human_bytes(small.capacity)}: too small for a file system.")
    unused = (*drives[count * size :], *left)
    warnings = tuple(_warnings(vds, unused))
    return Plan(vds, warnings, (), unused, _fingerprint(request, vds))


def component_size(drives: tuple[PlannedDrive, ...]) -> int:
    """Bytes of each member: whole GiB, so that another drive of the same nominal size fits later (spec/raid.md); all
    there is of very small ones, said by 0."""
    smallest = min(drive.size for drive in drives)
    return 0 if smallest < 16 * GIB else (smallest - RESERVE) // GIB * GIB


def _refuse_nonsense(request: PlanSimpleRequest) -> None:
    if request.level not in LEAST:
        levels = " or ".join(map(str, LEAST))
        raise PlanImpossible(f"Simple configuration makes RAID{levels}, not RAID{request.level}.", hint="--level 5")
    if request.strip not in STRIPS:
        sizes = ", ".join(f"{strip // 1024}" for strip in STRIPS)
        raise PlanImpossible(f"A strip of {request.strip} bytes cannot be: it is {sizes} KiB.", hint="--strip 256K")
    if request.count is not None and request.count < 1:
        raise PlanImpossible("At least one virtual drive must be asked for.")


def _blank(request: PlanSimpleRequest, scene: Scene) -> tuple[tuple[PlannedDrive, ...], tuple[PlannedDrive, ...]]:
    """Drives to use, by bay, and blank ones that were not asked for."""
    rows = [row for row in drive_rows(scene) if row.device is not None]
    free = {row.bay: _drive(row) for row in rows if row.bay is not None and _is_free(row, scene)}
    if not request.bays:
        return tuple(free[bay] for bay in sorted(free)), ()
    for bay in sorted(set(request.bays)):
        if bay not in free:
            here = next((row for row in rows if row.bay == bay), None)
            what = "holds no drive" if here is None else f"holds a drive that is {here.state.value}. {here.detail}"
            raise PlanImpossible(f"Bay {bay} {what}", hint="Only blank drives are taken.")
    wanted = tuple(free[bay] for bay in sorted(set(request.bays)))
    return wanted, tuple(drive for bay, drive in sorted(free.items()) if bay not in request.bays)


def _is_free(row: Drive, scene: Scene) -> bool:
    """Blank, told apart by its serial, and not waited for by a virtual drive."""
    if row.state is not DriveState.BLANK or not row.serial:
        return False
    disk = scene.world.by_serial(row.serial)
    return disk is not None and not judge(disk, scene).vd


def _drive(row: Drive) -> PlannedDrive:
    assert row.bay is not None
    return PlannedDrive(row.bay, row.serial, row.model, row.size)


def _free_names(count: int, scene: Scene) -> list[str]:
    taken = {vd.name for vd in scene.memory.vds} | {running.name for running in scene.world.arrays}
    names = (f"vd{number}" for number in range(len(taken) + count))
    return [name for name in names if name not in taken][:count]


def _planned(name: str, drives: tuple[PlannedDrive, ...], request: PlanSimpleRequest) -> PlannedVd:
    data = data_drives(request.level, len(drives))
    each = component_size(drives) or min(drive.size for drive in drives)
    return PlannedVd(
        name, request.level, drives, each * data, tolerance(request.level, len(drives)), request.strip,
        request.strip * data,
    )


def _warnings(vds: tuple[PlannedVd, ...], unused: tuple[PlannedDrive, ...]) -> list[str]:
    said = []
    for vd in vds:
        models = sorted({drive.model for drive in vd.drives})
        if len(models) > 1:
            said.append(f"{vd.name} mixes models ({', '.join(models)}): the slowest sets the pace.")
        sizes = sorted({drive.size for drive in vd.drives})
        if len(sizes) > 1:
            small, large = human_bytes(sizes[0]), human_bytes(sizes[-1])
            said.append(f"{vd.name} mixes sizes: of the larger drives ({large}) only {small} is used.")
    if unused:
        bays = ", ".join(str(drive.bay) for drive in unused)
        said.append(f"The blank drives in bays {bays} are not used.")
    return said


def _fingerprint(request: PlanSimpleRequest, vds: tuple[PlannedVd, ...]) -> str:
    return hashlib.sha256(msgspec.json.encode((request, vds))).hexdigest()[:16]
