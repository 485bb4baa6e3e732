"""Does what `decide` asked for, one action at a time, and says in a sentence what was done.

A drive is read again, past all caches, just before a job that writes to it starts.
"""

import time
from dataclasses import dataclass
from typing import assert_never

from core.clock import Clock
from core.errors import DriveChanged, DriveInUse, RaidBusy, SystemDrive
from core.jobs import Jobs, JobSpec
from core.paths import Paths
from core.ready_runner import ReadyRunner
from core.run import run
from raid import check, cutting, filesystem
from raid.actions import (
    Action,
    AskSmart,
    DropRecovery,
    Expected,
    FailMember,
    Mount,
    PollSpare,
    Prepare,
    PrepareRunner,
    Probe,
    RemoveMember,
    SetActive,
    SetSpeed,
    StartCheck,
    StartJob,
    StartPatrol,
    StopCheck,
    TellParts,
    Unmount,
)
from raid.mdadm import HOMEHOST
from raid.observe import Observer
from raid.patrol_result import ToRead
from raid.world import Disk, World

REMOVE_TRIES = 40
REMOVE_PAUSE = 0.025


@dataclass(slots=True)
class Actor:
    """The hands of raidd. world: the last look, for which arrays are ours."""

    observer: Observer
    jobs: Jobs
    paths: Paths
    clock: Clock
    runner: ReadyRunner
    world: World | None = None

    def act(self, action: Action) -> str:  # noqa: PLR0911, PLR0912 -- one case an action
        """Raises RackeyeError, OSError."""
        sysfs = self.observer.sysfs
        match action:
            case Probe():
                return self._probe(action)
            case FailMember():
                sysfs.fail_member(action.array, action.device)
                place = "" if action.bay is None else f" (bay {action.bay}, serial {action.serial})"
                return f"{action.device}{place} is gone: {action.vd} goes on without it."
            case RemoveMember():
                self._remove(action)
                return f"{action.device}, which had failed or is free, was taken off {action.vd}."
            case AskSmart():
                self.observer.smart.ask_soon(action.device)
                return f"The drive in bay {action.bay} (serial {action.serial}) {action.what}: its S.M.A.R.T. is read."
            case SetActive():
                sysfs.set_active(action.array)
                return f"{action.vd} may be written; what was waiting begins."
            case SetSpeed():
                sysfs.set_speed_min(action.array, action.kib_per_second)
                return f"{action.array} is to resync with at least {action.kib_per_second} KiB/s a drive."
            case PollSpare():
                self.observer.poll_spare(action.device, action.diskseq)
                return f"The hot spare in bay {action.bay} is read."
            case StartJob():
                return self._start(action)
            case DropRecovery():
                return action.why
            case PrepareRunner():
                self.runner.start()
                return "A runner is loaded for the job that a failed drive will want."
            case Mount():
                filesystem.mount(action.device, filesystem.mountpoint(self.paths, action.vd), action.shape)
                return f"{action.vd} is mounted."
            case Prepare():
                filesystem.prepare(self.paths.volumes / action.vd, action.vd, action.uuid, self.clock.now())
                return f"{action.vd} is a recording volume."
            case Unmount():
                filesystem.unmount(action.mountpoint, discard=action.discard)
                return action.why
            case TellParts():
                cutting.tell_of(self.paths.dev / action.array, action.uuid)
                return f"The kernel is told of the virtual drives of {action.group}."
            case StartCheck():
                number = check.next_number(self.jobs.list(), action.vd)
                self.start_check(check.spec(
                    self.paths, action.vd, action.uuid, tuple(f"/dev/{array}" for array in action.arrays),
                    number=number, kind=check.SCHEDULED, resume=True,
                ))
                return action.why
            case StartPatrol():
                self.start_patrol(action.drives, check.SCHEDULED_PATROL, again=action.again)
                return action.why
            case StopCheck():
                stop_job(action.job)
                self.observer.job_started()
                return action.why
            case _:
                assert_never(action)

    def start_check(self, spec: JobSpec) -> None:
        """A check or a repair."""
        self.jobs.start(spec)
        self.observer.job_started()

    def start_patrol(self, drives: tuple[ToRead, ...], kind: str, *, again: bool = False) -> None:
        """A patrol read over these drives, from where the last one was left."""
        self.start_check(check.patrol_spec(self.paths, drives, check.next_patrol(self.jobs.list()), kind, again=again))

    def _probe(self, action: Probe) -> str:
        answer = self.observer.inventory.probe(action.device, action.diskseq)
        found = answer.error or ", ".join(answer.signatures) or "blank"
        return f"The drive {action.device} was read: {found}"

    def _remove(self, action: RemoveMember) -> None:
        """md lets go of a failed member only once its last requests have come back."""
        for _ in range(REMOVE_TRIES):
            try:
                self.observer.sysfs.remove_member(action.array, action.device)
            except RaidBusy:
                time.sleep(REMOVE_PAUSE)
            else:
                return
        self.observer.sysfs.remove_member(action.array, action.device)

    def _start(self, action: StartJob) -> str:
        for expected in action.drives:
            self._check(expected, at_once=action.at_once)
        spec = JobSpec(action.id, action.kind, action.vd, action.steps)
        self.jobs.start(spec, self.runner if action.at_once else None)
        self.observer.job_started()
        return action.why

    def _check(self, expected: Expected, *, at_once: bool) -> None:
        """Raises DriveChanged, SystemDrive, DriveInUse."""
        disk = self.read_again(expected.device)
        place = f"bay {expected.bay} (serial {expected.serial})"
        if disk is None or (disk.diskseq, disk.bay, disk.serial) != (expected.diskseq, expected.bay, expected.serial):
            raise DriveChanged(f"The drive of {place} is not the one that was looked at.", hint="It is looked at anew.")
        inventory = self.observer.inventory
        # Before it may be refused: else each look would read it first, as one that is not known, and never back off.
        found = (inventory.probe_at_once if at_once else inventory.probe)(expected.device, expected.diskseq)
        refuse_if_used(disk)
        if found.error or found.signatures != expected.signatures:
            now = found.error or ", ".join(found.signatures) or "nothing"
            raise DriveChanged(f"On the drive of {place} there is now: {now}.", hint="It is looked at anew.")

    def read_again(self, name: str) -> Disk | None:
        """A drive past all caches."""
        arrays = () if self.world is None else self.world.arrays
        ours = frozenset(running.md.device for running in arrays if running.homehost == HOMEHOST)
        return self.observer.again(name, ours)


def stop_job(job: str) -> None:
    """Ends a reader by SIGTERM: it notes where it was. Never a mutation."""
    run(["systemctl", "stop", f"rackeye-job-{job}.service"])


def refuse_if_used(disk: Disk) -> None:
    """Raises SystemDrive, DriveInUse."""
    place = f"bay {disk.bay}, model {disk.model}, serial {disk.serial}"
    if disk.protected:
        raise SystemDrive(f"{disk.device} ({place}) is not touched. {disk.protected}", hint="Name a drive in a bay.")
    if disk.held_by:
        held = ", ".join(disk.held_by)
        raise DriveInUse(f"The drive in {place} is in use by {held}.", hint="rackeye drive shows what it belongs to.")
