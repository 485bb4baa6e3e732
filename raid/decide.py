"""What is to be done: (world, memory, settings, now) -> (actions, memory'). Pure; the rules stand in their own files.

learn.py what a look teaches · create.py making · assemble.py starting · rebuild.py members out and in ·
candidates.py which drive may be used · spares.py hot spares · rates.py how fast ·
priority.py what goes first · volumes.py mounting
grow.py drives added, levels changed
delete.py stopping and deleting · nested.py the array over the spans of RAID50, 60 and 00
slices.py virtual drives that share a drive group
upkeep.py, patrolling.py checks and reads · torn.py what a power cut may have torn
diagnose.py drives that err are asked what they say of themselves
"""

from collections.abc import Iterator
from dataclasses import replace

from core.daemon import Decision
from core.settings import Raid
from raid.actions import Action, DropRecovery, FailMember, Probe, StartCheck, StartJob, StartPatrol
from raid.assemble import assemble, let_go, why_dropped
from raid.candidates import Use, judge
from raid.create import chosen, create, make_filesystem
from raid.delete import put_away, resting, take_down
from raid.diagnose import diagnose
from raid.grow import busy, reconstruct
from raid.learn import half_assembled, learn
from raid.members import Readiness, muster
from raid.memory import KnownVd, Memory, Stage
from raid.nested import has_failed, lost_span, raise_upper
from raid.patrolling import patrol
from raid.rebuild import copyback_goes_on, keep_going, put_out_the_gone, rebuild, release
from raid.scene import Scene
from raid.slices import keep
from raid.spans import is_group, is_span
from raid.spares import give_back, poll, prepare, take
from raid.torn import note
from raid.upkeep import checks
from raid.volumes import RESHAPE, offer
from raid.world import Disk, Running, World

# Seconds to the next look.
WHILE_A_JOB_RUNS = 0.5
WHILE_SYNCING = 2.0
WHILE_WAITING = 1.0
WHILE_READING = 1.0


def decide(world: World, memory: Memory, settings: Raid, now: float) -> Decision[Memory, Action]:
    """One decision: every rule, in the order of urgency."""
    before = memory
    dropped = _dropped(Scene(world, memory, settings, now))
    memory = learn(Scene(world, memory, settings, now))
    scene = Scene(world, memory, settings, now)
    out: list[Action] = []
    for vd in memory.vds:
        running = world.array(vd.uuid)
        if running is not None:
            out += put_out_the_gone(vd, running)
    memory, taken = take(scene)
    scene = replace(scene, memory=memory)
    # A spare goes in before the failed member has left, for which md may take its time; it is out of its slot at once.
    actions: list[Action] = [action for action in out if isinstance(action, FailMember)]
    actions += taken
    actions += [action for action in out if not isinstance(action, FailMember)]
    actions += dropped
    actions += [Probe(disk.name, disk.diskseq) for disk in world.to_read if not _being_written(disk, scene)]
    for vd in memory.vds:
        actions += _steps(vd, world.array(vd.uuid), scene)
    for running in half_assembled(memory, world):
        actions += let_go(running, scene)
    actions += give_back(scene)
    actions += poll(scene)
    actions += prepare(scene)
    actions += patrol(scene)
    memory, asked = diagnose(before, scene)
    actions += asked
    actions = _one_reads(actions)
    return Decision(tuple(actions), note(memory, actions, scene), _again(scene))


def _one_reads(actions: list[Action]) -> list[Action]:
    """One check begins at a time, and a patrol read beside nothing else that begins."""
    checked = [action for action in actions if isinstance(action, StartCheck)]
    begun = bool(checked) or any(isinstance(action, StartJob) for action in actions)
    return [
        action for action in actions
        if not (isinstance(action, StartCheck) and action is not checked[0])
        and not (isinstance(action, StartPatrol) and begun)
    ]


def _dropped(scene: Scene) -> list[Action]:
    """What `learn` forgets of what a person told is said."""
    return [DropRecovery(wish.vd, why) for wish in scene.memory.fleeting.recover if (why := why_dropped(wish, scene))]


def _steps(vd: KnownVd, running: Running | None, scene: Scene) -> Iterator[Action]:
    if vd.group:
        yield from keep(vd, scene)
        return
    if resting(vd):
        yield from take_down(vd, running, scene)
        return
    if running is not None and (has_failed(running) or (vd.spans and lost_span(vd, scene))):
        yield from put_away(vd, running, scene, "has failed")  # so that it can be started with its drives back
        return
    if vd.spans and (running is None or not running.md.started):
        yield from raise_upper(vd, running, scene)
        return
    if running is None or not running.md.started:
        if vd.stage is Stage.CREATING and running is None and not _made(vd, scene):
            yield from create(vd, scene)
        else:
            yield from assemble(vd, running, scene)
        return
    yield from keep_going(vd, running, scene)
    if busy(vd, running.md):  # no rebuild, no copyback, no check beside it
        yield from reconstruct(vd, running, scene)
        return
    yield from release(vd, running, scene)
    yield from rebuild(vd, running, scene)
    yield from copyback_goes_on(vd, running, scene)
    if is_group(vd):
        yield from checks(vd, scene)
    if is_span(vd):
        return
    if vd.stage is Stage.FORMATTING and running.volume.mountpoint is None:
        yield from make_filesystem(vd, running, scene)
    if vd.stage is not Stage.CREATING:
        yield from offer(vd, running, scene)
    yield from checks(vd, scene)


def _made(vd: KnownVd, scene: Scene) -> bool:
    """A creation that was cut off once all members had their superblocks, or that cannot be done over because a drive
    is gone since: the array is there and is only started."""
    match muster(vd, scene.world).readiness:
        case Readiness.COMPLETE:
            return True
        case Readiness.DEGRADED:
            return isinstance(chosen(vd, scene), str)
        case _:
            return False


def _being_written(disk: Disk, scene: Scene) -> bool:
    """A job on its virtual drive is just making it a member: what would be read is neither the old nor the new."""
    return any(
        scene.world.job_on(vd.name) is not None and any(slot.serial == disk.serial for slot in vd.slots)
        for vd in scene.memory.vds
    )


def _again(scene: Scene) -> float | None:
    """When to look again without an event."""
    due: list[float] = []
    alive = {job.kind for job in scene.world.jobs if job.alive}
    if alive - {RESHAPE}:
        due.append(WHILE_A_JOB_RUNS)
    if alive or any(running.md.sync_total for running in scene.world.arrays) or scene.world.checks:
        due.append(WHILE_SYNCING)
    if any(read.pending for read in scene.world.spare_reads):
        due.append(WHILE_READING)
    due += [max(0.05, disk.retry) for disk in scene.world.disks if disk.retry]
    verdicts = [judge(disk, scene) for disk in scene.world.disks]
    due += [max(0.05, verdict.wait) for verdict in verdicts if verdict.use is Use.WAIT]
    if scene.just_started:
        due.append(WHILE_WAITING)  # what is awaited is gone when that is over
    arrays = (scene.world.array(vd.uuid) for vd in scene.memory.vds if not vd.group)
    if any(running is None or not running.md.started for running in arrays):
        started = scene.memory.fleeting.started
        if scene.now - (started or 0.0) < scene.settings.settle_seconds + 2 * WHILE_WAITING:
            due.append(WHILE_WAITING)
    return min(due, default=None)
