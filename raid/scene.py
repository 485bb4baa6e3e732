"""All that a rule may know: the look, the memory, the settings and the time."""

from dataclasses import dataclass

from core.jobs import Job, JobState
from core.settings import Raid
from raid.actions import Expected, StartJob
from raid.memory import KnownVd, Memory
from raid.world import Disk, World

# A job that just ended is not started again before the look that shows its effect; one that failed waits longer, unless
# what is to be done has changed.
HOLD = {JobState.DONE: 3.0, JobState.FAILED: 30.0, JobState.INTERRUPTED: 1.0}

APPEAR_SECONDS = 60.0
"""So long after a start drives are waited for, as long as udev is at work on one, or one has just come: a controller
that starts its drives one after the other has the next in some seconds."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The input of every rule. now: UTC seconds."""

    world: World
    memory: Memory
    settings: Raid
    now: float

    @property
    def just_started(self) -> bool:
        """raidd is so young that drives still appear. On a busy box udev takes longer with them than they settle."""
        started = self.memory.fleeting.started
        if started is None:
            return True
        settle = self.settings.settle_seconds
        newest = max((at for _, at in self.memory.fleeting.seen), default=started)
        still_coming = self.world.appearing > 0 or self.now - newest < settle
        return 0 <= self.now - started < (max(settle, APPEAR_SECONDS) if still_coming else settle)

    def awaited(self, serial: str) -> bool:
        """A drive that is not here may still come: raidd is young and has not seen it. One that was seen is gone."""
        return self.just_started and serial not in self.memory.fleeting.met

    def job(
        self, kind: str, vd: str, steps: tuple[tuple[str, ...], ...], drives: tuple[Disk, ...], why: str
    ) -> tuple[StartJob, ...]:
        """Start this job; nothing while another runs on the virtual drive, mdadm is missing, or it has just failed."""
        if not self.world.mdadm or self.world.job_on(vd) is not None or self.held(vd, kind, steps):
            return ()
        expected = tuple(
            Expected(disk.name, disk.diskseq, disk.bay, disk.serial, disk.probe.signatures if disk.probe else ())
            for disk in drives
        )
        return (StartJob(self._next_id(vd, kind), kind, vd, steps, expected, why),)

    def held(self, vd: str, kind: str, steps: tuple[tuple[str, ...], ...]) -> bool:
        """The same was tried a moment ago."""
        last = self.world.last_job(vd, kind)
        if last is None or last.ended is None or last.steps != steps or last.boot != self.world.boot:
            return False
        return 0 <= self.now - last.ended < HOLD.get(last.state, 0.0)

    def failed(self, kind: str, vd: KnownVd, steps: tuple[tuple[str, ...], ...]) -> bool:
        """The very same was tried in this boot, and failed."""
        last = self.world.last_job(vd.name, kind)
        return (
            last is not None and last.state is JobState.FAILED and last.steps == steps and last.boot == self.world.boot
        )

    def in_vain(self, vd: KnownVd, disk: Disk) -> bool:
        """Writing the virtual drive anew onto this drive was tried in this boot, and failed."""
        jobs = (self.world.last_job(vd.name, kind) for kind in ("add", "rebuild"))
        return any(
            job is not None and job.state is JobState.FAILED and job.boot == self.world.boot
            and any(disk.device in step for step in job.steps)
            for job in jobs
        )

    def failed_job(self, vd: str) -> Job | None:
        """The last job on a virtual drive, when it failed in this boot."""
        last = next((job for job in reversed(self.world.jobs) if job.array == vd), None)
        return last if last is not None and last.state is JobState.FAILED and last.boot == self.world.boot else None

    def _next_id(self, vd: str, kind: str) -> str:
        prefix = f"{vd}-{kind}-"
        numbers = [int(tail) for job in self.world.jobs if (tail := job.id.removeprefix(prefix)).isdigit()]
        return f"{prefix}{max(numbers, default=0) + 1}"
