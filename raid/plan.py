"""From blank drives in bays to virtual drives, shown before it is done: simple configuration and the full form. Pure.

The table of levels is spec/raid.md's.
"""

import hashlib
from dataclasses import dataclass

import msgspec

from core.errors import PlanImpossible
from core.units import human_bytes
from raid.candidates import judge
from raid.derive_drives import drive_rows
from raid.filesystem import MINIMUM, MINIMUM_STRIPED
from raid.learn import NAME
from raid.members import data_drives, tolerance
from raid.model import Drive, DriveState, level_text
from raid.model_plan import Plan, PlannedDrive, PlannedVd, PlanSimpleRequest
from raid.plan_group import component_size, first_of_group, in_group
from raid.scene import Scene
from raid.spans import UPPER, top

STRIPS = tuple(64 * 1024 << power for power in range(5))
BAYS_FOR_TWO = 8
LONGEST_NAME = 15


@dataclass(frozen=True, slots=True)
class Rule:
    """How many drives a level takes, in each span where it has spans. even: in pairs. spared: a hot spare helps."""

    least: int
    most: int
    even: bool = False
    spans: bool = False
    spared: bool = True


RULES = {
    "RAID0": Rule(1, 32, spared=False),
    "RAID00": Rule(1, 32, spans=True, spared=False),
    "RAID1": Rule(2, 32, even=True),
    "RAID5": Rule(3, 32),
    "RAID6": Rule(4, 32),
    "RAID10": Rule(4, 32, even=True),
    "RAID50": Rule(3, 32, spans=True),
    "RAID60": Rule(4, 32, spans=True),
}
LEAST_SPANS, MOST_SPANS = 2, 8
LOGGED = (5, 50)
"""Levels whose arrays md can keep a partial parity log for (Documentation/driver-api/md/raid5-ppl.rst)."""


def plan_simple(request: PlanSimpleRequest, scene: Scene) -> Plan:
    """The plan for a request. Raises PlanImpossible with the reason."""
    rule, spans = _refuse_nonsense(request, scene)
    if request.group:
        vd, beside = in_group(request, request.name or _free_names(1, scene)[0], scene)
        return _no_smaller(Plan((vd,), beside, (), (), fingerprint(request, (vd,))))
    drives, left = _blank(request, scene)
    drives, spares = _keep_back(request, drives, rule)
    if request.full:
        groups = [_whole(request, drives, rule, spans)]
    else:
        groups = _divide(request, drives, rule, spans)
        left = (*drives[sum(map(len, groups)) :], *left)
    names = [request.name] if request.name else _free_names(len(groups), scene)
    vds = tuple(_planned(name, group, request, spans) for name, group in zip(names, groups, strict=True))
    if request.size:
        vds = (first_of_group(vds[0], request.size, scene),)
    warnings = tuple(_warnings(vds, left, scene))
    return _no_smaller(Plan(vds, warnings, (), left, fingerprint(request, vds, spares), spares))


def _no_smaller(plan: Plan) -> Plan:
    """Raises PlanImpossible for what XFS does not take."""
    for vd in plan.vds:
        least = MINIMUM_STRIPED if vd.stripe > vd.strip else MINIMUM
        if vd.capacity < least:
            raise PlanImpossible(
                f"{vd.name} would have {human_bytes(vd.capacity)}: too small for a file system, which takes "
                f"{human_bytes(least)}.", hint="Use larger drives, or more of them."
            )
    return plan


def _keep_back(
    request: PlanSimpleRequest, drives: tuple[PlannedDrive, ...], rule: Rule
) -> tuple[tuple[PlannedDrive, ...], tuple[PlannedDrive, ...]]:
    """The drives to divide, and those that become hot spares: the largest, so that each fits for any other; of equal
    ones the last."""
    if not request.spares:
        return drives, ()
    if request.full or request.spares < 0:
        raise PlanImpossible("Only simple configuration makes hot spares.", hint="rackeye spare add --bay 7")
    if not rule.spared:
        raise PlanImpossible(f"RAID{request.level} cannot use a hot spare: nothing can be rebuilt.", hint="--spares 0")
    kept = sorted(drives, key=lambda drive: (-drive.size, -(drive.bay or 0)))[: request.spares]
    return tuple(drive for drive in drives if drive not in kept), tuple(drive for drive in drives if drive in kept)


def _divide(
    request: PlanSimpleRequest, drives: tuple[PlannedDrive, ...], rule: Rule, spans: int
) -> list[tuple[PlannedDrive, ...]]:
    """Equal groups of as many as fit."""
    text, parts = _text(request, spans), max(1, spans)
    two = len(drives) >= BAYS_FOR_TWO and not spans
    count = request.count or (2 if two and len(drives) // 2 >= rule.least else 1)
    each = min(len(drives) // count // parts, rule.most)
    if rule.even:
        each -= each % 2
    if each < rule.least:
        raise PlanImpossible(
            f"{count} of {text} need {count * parts * rule.least} blank drives in bays, and {len(drives)} are there.",
            hint="rackeye drive shows what each drive is. A drive with data is cleared with `rackeye drive clear`.",
        )
    size = each * parts
    return [drives[at * size : (at + 1) * size] for at in range(count)]


def _whole(
    request: PlanSimpleRequest, drives: tuple[PlannedDrive, ...], rule: Rule, spans: int
) -> tuple[PlannedDrive, ...]:
    """All drives that were named, when they make one of that level."""
    text, parts, count = _text(request, spans), max(1, spans), len(drives)
    if count % parts:
        raise PlanImpossible(
            f"{count} drives do not make {spans} equal spans.", hint=f"Name a multiple of {spans}, or other --spans."
        )
    each = count // parts
    where = " in each span" if spans else ""
    if rule.even and each % 2:
        raise PlanImpossible(f"{text} is made of pairs, and {each} drives were named.", hint="Name one more or less.")
    if each < rule.least and request.level == 6:
        raise PlanImpossible(
            f"{text} needs at least 4 drives{where}, and {each} were named: with 3 it would be a mirror of three that "
            "calls itself RAID6.", hint="RAID5 takes 3, RAID1 takes 2.",
        )
    if not rule.least <= each <= rule.most:
        raise PlanImpossible(f"{text} takes {rule.least} to {rule.most} drives{where}, and {each} were named.")
    return drives


def _text(request: PlanSimpleRequest, spans: int) -> str:
    return level_text(request.level, spans)


def _refuse_nonsense(request: PlanSimpleRequest, scene: Scene) -> tuple[Rule, int]:
    """The level's rule, and its number of spans (0 for one without)."""
    spans = request.spans or (LEAST_SPANS if request.level in UPPER and request.level else 0)
    rule = RULES.get(_text(request, spans))
    if rule is None:
        levels = ", ".join(name.removeprefix("RAID") for name in RULES)
        raise PlanImpossible(f"There is no RAID{request.level} here: {levels}.", hint="--level 5")
    if request.ppl and request.level not in LOGGED:
        raise PlanImpossible(
            f"md keeps a partial parity log for RAID5 (and the spans of RAID50), not for RAID{request.level}.",
            hint="RAID6 has a second drive's worth of redundancy; it needs the log less.",
        )
    if spans and not rule.spans:
        raise PlanImpossible(
            f"RAID{request.level} has no spans; 50, 60 and 00 have.",
            hint="RAID10 over all drives is striped over its mirror pairs already." if request.level == 10 else "",
        )
    if spans and not LEAST_SPANS <= spans <= MOST_SPANS:
        raise PlanImpossible(f"{spans} spans cannot be: {LEAST_SPANS} to {MOST_SPANS}.", hint="--spans 2")
    if request.strip not in STRIPS:
        sizes = ", ".join(f"{strip // 1024}" for strip in STRIPS)
        raise PlanImpossible(f"A strip of {request.strip} bytes cannot be: it is {sizes} KiB.", hint="--strip 256K")
    if request.count is not None and request.count < 1:
        raise PlanImpossible("At least one virtual drive must be asked for.")
    if request.size < 0 or (request.size and not request.group and (spans or not request.full)):
        raise PlanImpossible(
            "Only one virtual drive of bays that are named has a size of its own; with spans it has whole drives.",
            hint="rackeye vd create --level 5 --bays 0-3 --size 2T",
        )
    if request.group:
        if request.bays or request.spans or request.spares or request.count not in (None, 1):
            raise PlanImpossible("A virtual drive in a drive group takes no drives of its own.", hint="rackeye group")
    elif request.full and (not request.bays or request.count not in (None, 1)):
        raise PlanImpossible("The full form makes one virtual drive of the bays that are named.", hint="--bays 0-3")
    _refuse_name(request, scene)
    return rule, spans


def _refuse_name(request: PlanSimpleRequest, scene: Scene) -> None:
    name = request.name
    if not name:
        return
    if not request.full and request.count != 1 and not request.group:
        raise PlanImpossible("A name is for one virtual drive.", hint="--count 1")
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise PlanImpossible(f"{name!r} is no name: small letters, digits and -, at most {LONGEST_NAME}.")
    if name in _taken(scene):
        raise PlanImpossible(f"There is a virtual drive {name} already.", hint="rackeye vd")


def _blank(request: PlanSimpleRequest, scene: Scene) -> tuple[tuple[PlannedDrive, ...], tuple[PlannedDrive, ...]]:
    """Drives to use, by bay (in full: as they were named), and blank ones that were not asked for."""
    rows = [row for row in drive_rows(scene) if row.device is not None]
    free = {row.bay: _drive(row) for row in rows if row.bay is not None and _is_free(row, scene)}
    if not request.bays:
        return tuple(free[bay] for bay in sorted(free)), ()
    for bay in sorted(set(request.bays)):
        if bay not in free:
            here = next((row for row in rows if row.bay == bay), None)
            what = "holds no drive" if here is None else f"holds a drive that is {here.state.value}. {here.detail}"
            raise PlanImpossible(f"Bay {bay} {what}", hint="Only blank drives are taken.")
    order = dict.fromkeys(request.bays if request.full else sorted(request.bays))
    return tuple(free[bay] for bay in order), tuple(drive for bay, drive in sorted(free.items()) if bay not in order)


def _is_free(row: Drive, scene: Scene) -> bool:
    """Blank, told apart by its serial, and not waited for by a virtual drive."""
    if row.state is not DriveState.BLANK or not row.serial:
        return False
    disk = scene.world.by_serial(row.serial)
    return disk is not None and not judge(disk, scene).vd


def _drive(row: Drive) -> PlannedDrive:
    assert row.bay is not None
    return PlannedDrive(row.bay, row.serial, row.model, row.size)


def _taken(scene: Scene) -> set[str]:
    return {top(vd.name) for vd in scene.memory.vds} | {top(running.name) for running in scene.world.arrays}


def _free_names(count: int, scene: Scene) -> list[str]:
    taken = _taken(scene)
    names = (f"vd{number}" for number in range(len(taken) + count))
    return [name for name in names if name not in taken][:count]


def _planned(name: str, drives: tuple[PlannedDrive, ...], request: PlanSimpleRequest, spans: int) -> PlannedVd:
    parts = max(1, spans)
    level, count = UPPER[request.level] if spans else request.level, len(drives) // parts
    data = data_drives(level, count) * parts
    each = component_size(drives, level) or min(drive.size for drive in drives)
    capacity = each * data if level else sum(drive.size for drive in drives)
    return PlannedVd(
        name, request.level, drives, capacity, tolerance(level, count), request.strip, request.strip * data, spans,
        ppl=request.ppl,
    )


def _warnings(vds: tuple[PlannedVd, ...], unused: tuple[PlannedDrive, ...], scene: Scene) -> list[str]:
    """Differences of model, firmware, speed and size are pointed out, not refused (spec/raid.md)."""
    said = []
    for vd in vds:
        if vd.tolerance == 0:
            said.append(f"{vd.name} survives no loss: when one drive goes, all that is on it is lost.")
        if vd.ppl:
            said.append(
                f"{vd.name} is written more slowly (each stripe is noted before), takes no drives later on, and a "
                "drive that was out is written anew in full, not by the bitmap."
            )
        models = sorted({drive.model for drive in vd.drives})
        if len(models) > 1:
            said.append(f"{vd.name} mixes models ({', '.join(models)}): the slowest sets the pace.")
        for model in models:
            revisions = sorted({_firmware(drive, scene) for drive in vd.drives if drive.model == model} - {""})
            if len(revisions) > 1:
                said.append(f"{vd.name} mixes firmware of {model} ({', '.join(revisions)}).")
        spinning = [drive.bay for drive in vd.drives if _spins(drive, scene)]
        flash = [drive.bay for drive in vd.drives if drive.bay not in spinning]
        if spinning and flash:
            said.append(
                f"{vd.name} mixes spinning drives (bays {', '.join(map(str, spinning))}) and flash (bays "
                f"{', '.join(map(str, flash))}): it is as slow as the spinning ones."
            )
        sizes = sorted({drive.size for drive in vd.drives})
        if len(sizes) > 1 and vd.level:
            small, large = human_bytes(sizes[0]), human_bytes(sizes[-1])
            said.append(f"{vd.name} mixes sizes: of the larger drives ({large}) only {small} is used.")
    if unused:
        bays = ", ".join(str(drive.bay) for drive in unused)
        said.append(f"The blank drives in bays {bays} are not used.")
    return said


def _firmware(drive: PlannedDrive, scene: Scene) -> str:
    disk = scene.world.by_serial(drive.serial)
    return "" if disk is None else scene.world.smart_of(disk).figures.firmware


def _spins(drive: PlannedDrive, scene: Scene) -> bool:
    disk = scene.world.by_serial(drive.serial)
    return disk is not None and disk.rotational


def fingerprint(
    request: PlanSimpleRequest, vds: tuple[PlannedVd, ...], spares: tuple[PlannedDrive, ...] = ()
) -> str:
    """Changes with the drives, and with what is free in a group."""
    return hashlib.sha256(msgspec.json.encode((request, vds, spares))).hexdigest()[:16]
