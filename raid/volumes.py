"""When a virtual drive is offered as a volume. Pure. (When it is taken away: delete.py.)"""

from collections.abc import Iterator

from core.jobs import JobState
from raid import mend
from raid.actions import Action, Mount, Prepare
from raid.memory import KnownVd
from raid.scene import Scene
from raid.spans import arrays_of, data_of
from raid.world import Filesystem, Running

RESHAPE = "reshape"
"""Kind of the job that lives as long as a reconstruction: the volume is used meanwhile."""


def offer(vd: KnownVd, running: Running, scene: Scene) -> Iterator[Action]:
    """Mounted once it holds the file system that belongs there; never anything else."""
    volume = running.volume
    if volume.mountpoint is not None:
        if not volume.prepared:
            yield Prepare(vd.name, vd.uuid, volume.mountpoint)
        return
    if _half_recovered(vd, scene):
        why = f"{vd.name} was recovered: its file system is made whole before it is used."
        yield from scene.job("mend", vd.name, (mend.argv(running.device),), (), why)
        return
    job = scene.world.job_on(vd.name)
    if not wrong_filesystem(vd, running) and volume.filesystem is not None and (job is None or job.kind == RESHAPE):
        yield Mount(vd.name, running.device, _new_shape(vd, volume.filesystem, scene))


def _new_shape(vd: KnownVd, found: Filesystem, scene: Scene) -> tuple[int, int] | None:
    """What XFS is to be told after drives were added: the strip is as it was, and the stripe is wider."""
    data = data_of(vd, scene.memory)
    wider = found.unit == vd.strip and found.width < vd.strip * data
    return (vd.strip, vd.strip * data) if wider and data > 1 and vd.growth is None else None


def _half_recovered(vd: KnownVd, scene: Scene) -> bool:
    """A recovery was cut off (a power cut), or was of what it lies on (a span, its group), and nothing has seen to
    its file system since."""
    mended = scene.world.last_job(vd.name, "mend")
    whole = mended.started if mended is not None and mended.state is JobState.DONE else 0.0
    wanting: list[tuple[KnownVd, tuple[JobState, ...]]] = [(vd, (JobState.INTERRUPTED,))]
    wanting += [(span, (JobState.INTERRUPTED, JobState.DONE)) for span in arrays_of(vd, scene.memory) if span != vd]
    return any(
        (job := scene.world.last_job(one.name, "recover")) is not None and job.state in states and job.started > whole
        for one, states in wanting
    )


def wrong_filesystem(vd: KnownVd, running: Running) -> str:
    """Why what was read from the array cannot be mounted as its volume; empty when it can, or was not read."""
    volume = running.volume
    if not volume.read or volume.mountpoint is not None:
        return ""
    found = volume.filesystem
    if found is None:
        return f"{vd.name} holds no file system of Rackeye, so it is not used for recording."
    if not found.complete:
        return f"The file system of {vd.name} was never finished, so it is not used for recording."
    if vd.filesystem and found.uuid != vd.filesystem:
        return f"{vd.name} holds another file system ({found.uuid}) than the one made there, so it is not mounted."
    return ""


def misaligned(vd: KnownVd, running: Running, data: int) -> str:
    """The file system does not know the array's stripes: it works, but slowly. data: drives' worth of it in one."""
    found = running.volume.filesystem
    wanted = (vd.strip, vd.strip * data) if data > 1 else (0, 0)
    if found is None or (found.unit, found.width) == wanted:
        return ""
    return f"The file system of {vd.name} is not aligned to its stripes: recording on it is slower than it could be."
