"""What people are told: (scene) -> RaidSnapshot. Pure.

What is uncertain is Unknown and never good; a member whose drive is gone is Missing whatever md says of it.
"""

from core.jobs import Job
from raid import patrolling, torn
from raid.assemble import still_waiting
from raid.bad_blocks import bad_blocks, told
from raid.candidates import judge
from raid.check import REPAIR, located
from raid.create import chosen
from raid.delete import resting
from raid.derive_drives import drive_rows
from raid.derive_groups import group_views, in_group, plain, spread, strangers
from raid.derive_nested import roll_up
from raid.derive_spares import rates_in_force, spare_views
from raid.foreign import arrays_from_elsewhere, unmade
from raid.grow import not_yet
from raid.hold import held, resync_due
from raid.members import (
    NEAR_2,
    Readiness,
    copies_back,
    lost,
    md_level,
    mirror_sets,
    muster,
    spare_failures,
    working,
)
from raid.memory import KnownVd, Stage
from raid.model import (
    CheckResult,
    JobState,
    JobView,
    MirrorSet,
    Progress,
    RaidSnapshot,
    VdState,
    VirtualDrive,
    Work,
    level_text,
)
from raid.model_care import Schedule
from raid.nested import has_failed
from raid.scene import Scene
from raid.slices import running_of
from raid.spans import data_of, is_span, spans_of, top, tops
from raid.upkeep import checked_as_one, upkeep
from raid.volumes import misaligned, wrong_filesystem
from raid.work import work_of
from raid.world import Running

_JOB_STATES = {"Starting": JobState.RUNNING}
RESYNC_DUE = "What was being written at a power cut is made right: pull no drive until its resync has ended."


def derive(scene: Scene, problems: tuple[str, ...] = ()) -> RaidSnapshot:
    """The snapshot to publish. problems: of looks and actions that failed."""
    vds = tuple(_virtual_drive(vd, scene) for vd in tops(scene.memory))
    said = tuple(map(plain, (*_problems(scene), *strangers(scene), *problems)))
    care = scene.settings.care
    return RaidSnapshot(
        drives=held(drive_rows(scene), scene),
        virtual_drives=vds,
        jobs=_jobs(scene),
        checks=spread(_checks(scene), scene.memory),
        upkeep=spread(upkeep(scene), scene.memory),
        patrol=patrolling.view(scene),
        schedule=Schedule(care.check_days, care.patrol_days, care.quiet_from, care.quiet_until),
        problems=tuple(dict.fromkeys(said)),
        spares=spare_views(scene),
        rates=rates_in_force(scene),
        foreign=tuple(arrays_from_elsewhere(scene.world, scene.memory)) if not scene.memory.adopting else (),
        unmade=unmade(scene),
        groups=group_views(scene),
        starting=scene.just_started,
    )


def _virtual_drive(vd: KnownVd, scene: Scene) -> VirtualDrive:
    if vd.group:
        group = scene.memory.by_uuid(vd.group)
        return in_group(vd, None if group is None else _virtual_drive(group, scene), scene)
    running = scene.world.array(vd.uuid)
    if vd.spans:
        spans = tuple(_virtual_drive(span, scene) for span in spans_of(vd, scene.memory))
        return roll_up(vd, running, spans, scene)
    if running is None or resting(vd) or not (running.md.started or has_failed(running)):
        state, detail = _asleep(vd, running, scene)
        left = 0
    else:
        state, detail = _awake(vd, running, scene)
        left = max(0, spare_failures(running.md))
    bad = bad_blocks(vd, running, scene)
    return VirtualDrive(
        name=vd.name,
        uuid=vd.uuid,
        level=vd.level,
        state=state,
        progress=_progress(vd, running, scene),
        device=None if running is None else running.device,
        size=0 if running is None else running.md.size,
        strip=vd.strip,
        bays=tuple(slot.bay for slot in vd.slots),
        tolerance=left,
        mountpoint=None if running is None or state is VdState.FAILED else running.volume.mountpoint,
        detail=" ".join(filter(None, (detail, told(bad), torn.told(vd)))),
        mirrors=() if running is None else _mirrors(vd, running),
        bad_blocks=bad,
        torn=vd.torn,
        ppl=vd.ppl if running is None else running.md.ppl,
    )


def _mirrors(vd: KnownVd, running: Running) -> tuple[MirrorSet, ...]:
    if (running.md.level, running.md.layout) != (10, NEAR_2) or running.md.raid_disks != len(vd.slots):
        return ()
    left = working(running.md) if spare_failures(running.md) >= 0 else frozenset()
    return tuple(
        MirrorSet(tuple(vd.slots[slot].bay for slot in one), max(0, sum(slot in left for slot in one) - 1))
        for one in mirror_sets(vd.level, len(vd.slots))
    )


def _asleep(vd: KnownVd, running: Running | None, scene: Scene) -> tuple[VdState, str]:  # noqa: PLR0911 -- one return a state
    """Of one that does not run."""
    if resting(vd):
        by_hand = f"{vd.name} was stopped by a person. Start it: rackeye vd start {vd.name}"
        return VdState.OFFLINE, f"{vd.name} is being deleted." if vd.stage is Stage.DELETING else by_hand
    if any(array.uuid is None for array in scene.world.arrays):
        return VdState.UNKNOWN, "An array runs whose members cannot be read."
    ready = muster(vd, scene.world)
    if vd.stage is Stage.CREATING and ready.readiness in (Readiness.TOO_FEW, Readiness.DEGRADED):
        drives = chosen(vd, scene)
        if isinstance(drives, str) and scene.world.job_on(vd.name) is None:
            return VdState.OFFLINE, drives
        return VdState.OFFLINE, f"{vd.name} is being made."
    match ready.readiness:
        case Readiness.COMPLETE:
            return VdState.OFFLINE, f"{vd.name} is being started."
        case Readiness.DEGRADED:
            does = "waits for its other drives" if still_waiting(vd, ready, scene) else "is being started"
            return VdState.OFFLINE, f"{vd.name} {does}."
        case Readiness.AMBIGUOUS:
            return VdState.UNKNOWN, f"Two drives claim the same place in {vd.name}. Pull the one that is a copy."
        case Readiness.TOO_FEW:
            pass
    if still_waiting(vd, ready, scene):
        return VdState.UNKNOWN, f"The drives of {vd.name} are being read."
    if running is not None and running.md.state == "inactive":
        return VdState.UNKNOWN, f"{vd.name} is being started."  # md has taken members, and those are not read meanwhile
    return VdState.FAILED, (
        f"{ready.in_sync} of {vd.name}'s {len(vd.slots)} drives are there and up to date, and it needs {ready.needed}. "
        f"Nothing was overwritten. Put the drive that was pulled last back into its bay; if {vd.name} does not start "
        f"then, `rackeye vd recover {top(vd.name)}` starts it and says what that may lose."
    )


def _awake(vd: KnownVd, running: Running, scene: Scene) -> tuple[VdState, str]:
    """Of one that runs, or that md has given up."""
    md = running.md
    gone = lost(md)
    if has_failed(running):
        return VdState.FAILED, (
            f"{gone} of its {md.raid_disks} drives are gone, more than it bears. Nothing is written to the others. "
            "Put the drive that was pulled last back into its bay."
        )
    if md.level != md_level(vd.level, len(vd.slots)) or md.raid_disks != len(vd.slots):
        return VdState.UNKNOWN, f"{vd.name} is not as it was made: level {md.level} of {md.raid_disks} drives."
    if (note := _reconstructed(vd, running)) and gone <= not_yet(vd, running, scene):
        return VdState.OPTIMAL, note
    if gone == 0:
        note = "" if md.parity_complete else "Its parity is not complete yet; one drive may be lost all the same."
        if copies_back(md):
            note = f"{vd.name} is whole; its data goes back from the hot spare to the bay it came from."
        if resync_due(vd, md):
            note = RESYNC_DUE
        return VdState.OPTIMAL, _or_filesystem(note, vd, running)
    if spare_failures(md) > 0:
        note = RESYNC_DUE if resync_due(vd, md) else "It still bears another."
        return VdState.PARTIALLY_DEGRADED, _or_filesystem(f"1 drive is out. {note}", vd, running)
    if md.sync_action == "recover":
        return VdState.DEGRADED, _or_filesystem("It is being rebuilt. Pull no other drive of it.", vd, running)
    return VdState.DEGRADED, _or_filesystem(f"{_waits_for(vd, scene)} Pull no other drive of it.", vd, running)


def _reconstructed(vd: KnownVd, running: Running) -> str:
    """What becomes of it, of one that is being reconstructed."""
    growth = vd.growth
    if growth is None:
        return ""
    if not growth.begun:
        return f"It is about to become {level_text(growth.level, 0)} of {growth.disks} drives."
    bears = max(0, spare_failures(running.md))
    may = "Pull no drive of it" if bears == 0 else f"It still bears the loss of {bears}"
    return f"It becomes {level_text(growth.level, 0)} of {growth.disks} drives; recording goes on. {may}."


def _waits_for(vd: KnownVd, scene: Scene) -> str:
    """What it takes to make it whole."""
    for disk in scene.world.disks:
        verdict = judge(disk, scene)
        if verdict.vd == vd.name and verdict.why:
            return f"The drive in bay {disk.bay}: {verdict.why}"
    gone = [slot for slot in vd.slots if scene.world.by_serial(slot.serial) is None]
    bays = " and ".join(f"bay {slot.bay}" for slot in gone if slot.bay is not None)
    if vd.by_hand:
        return (
            "A drive was lost during its reconstruction, so nothing is rebuilt by itself, not on a hot spare either. "
            f"Name a blank drive: rackeye drive rebuild --bay N --for {vd.name}"
        )
    return f"Put a blank drive into {bays}: the rebuild begins by itself." if bays else "A drive of it has failed."


def _or_filesystem(note: str, vd: KnownVd, running: Running) -> str:
    wrong = "" if vd.stage is not Stage.READY or is_span(vd) else wrong_filesystem(vd, running)
    return " ".join(filter(None, (note, wrong)))


def _progress(vd: KnownVd, running: Running | None, scene: Scene) -> Progress | None:
    if vd.stage is Stage.DELETING:
        return Progress(Work.DELETING, 0.0)
    check = dict(scene.world.checks).get(vd.name)
    if check is not None and check.work is Work.REPAIR:  # md's own windowed passes are part of it
        return Progress(check.work, round(check.percent, 1), check.speed, check.seconds_left)
    if running is not None and running.md.started and running.md.sync_total:
        md = running.md
        left = md.sync_total - md.sync_done
        return Progress(
            kind=work_of(md, vd),
            percent=round(100.0 * md.sync_done / md.sync_total, 1),
            speed=md.sync_speed,
            seconds_left=round(left / md.sync_speed, 1) if md.sync_speed else None,
        )
    if check is not None:
        return Progress(check.work, round(check.percent, 1), check.speed, check.seconds_left)
    if vd.growth is not None:
        return Progress(Work.RECONSTRUCTION, 0.0)
    job = scene.world.job_on(vd.name)
    if job is not None and job.kind == "format":
        return Progress(Work.FORMATTING, 0.0)
    return Progress(Work.CREATING, 0.0) if vd.stage is Stage.CREATING and job is not None else None


def _checks(scene: Scene) -> tuple[CheckResult, ...]:
    """Of each virtual drive, with the bays of what is wrong."""
    known = {vd.name: vd for vd in checked_as_one(scene.memory)}
    return tuple(located(one, known[one.vd], scene.memory) for one in scene.world.results if one.vd in known)


def _jobs(scene: Scene) -> tuple[JobView, ...]:
    """Those that run, the last one of each virtual drive when it failed, and a repair that was cut off."""
    views = []
    for job in scene.world.jobs:
        failed = scene.failed_job(job.array)
        if job.alive or (failed is not None and failed.id == job.id):
            state = _JOB_STATES.get(job.state.value) or JobState(job.state.value)
            views.append(JobView(job.id, job.kind, top(job.array), state, job.error))
        elif job.kind == REPAIR and job.state.value == JobState.INTERRUPTED and job is _last_on(job.array, scene):
            views.append(JobView(job.id, job.kind, top(job.array), JobState.INTERRUPTED, job.error))
    return tuple(views)


def _last_on(subject: str, scene: Scene) -> Job | None:
    return next((job for job in reversed(scene.world.jobs) if job.array == subject), None)


def _problems(scene: Scene) -> list[str]:
    said = [*scene.memory.notes, *scene.world.smart_problems]
    if not scene.world.mdadm:
        said.append("mdadm cannot be started, so no array is made, started or rebuilt: apt-get install mdadm.")
    for known in scene.memory.vds:
        running = running_of(known, scene.world)
        job = scene.failed_job(known.name)
        if job is not None:
            said.append(f"{job.kind} of {known.name} failed and is tried again: {job.error}")
        if running is not None and (odd := misaligned(known, running, data_of(known, scene.memory))):
            said.append(odd)
    return said
