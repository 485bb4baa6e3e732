"""Stopping, starting and deleting virtual drives, for org.rackeye.Raid1.Admin: planned, refused with a reason, done."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.bus import Command
from core.daemon import Daemon
from core.errors import NoSuchVd, NotNow, PlanChanged, VdInUse
from core.jobs import Jobs
from core.paths import Paths
from core.units import human_bytes
from raid import check
from raid.act import Actor
from raid.actions import Action
from raid.delete import resting
from raid.memory import KnownVd, Memory, Stage
from raid.model import DeleteVdRequest, Done, VdRequest, level_text
from raid.model_plan import DeletePlan, PlannedDrive
from raid.mounts import parse_mountinfo, read_mountinfo, read_swaps
from raid.spans import family
from raid.users import others_on
from raid.world import Running, World


class Removal:
    """Handlers; they change the memory, and the next look acts on it."""

    def __init__(
        self, daemon: Daemon[World, Memory, Action], actor: Actor, jobs: Jobs, paths: Paths,
        find: Callable[[str], tuple[KnownVd, Running | None]],
    ) -> None:
        self._daemon = daemon
        self._actor = actor
        self._jobs = jobs
        self._paths = paths
        self._find = find

    def commands(self) -> tuple[Command[Any, Any], ...]:
        """All of them."""
        return (
            Command("PlanDelete", VdRequest, DeletePlan, self.plan_delete),
            Command("DeleteVd", DeleteVdRequest, Done, self.delete_vd),
            Command("StopVd", VdRequest, Done, self.stop_vd),
            Command("StartVd", VdRequest, Done, self.start_vd),
        )

    async def plan_delete(self, request: VdRequest) -> DeletePlan:
        """What would be lost; `refusal` says why it is not done now."""
        vd, running = self._find(request.name)
        refusal = ""
        try:
            await asyncio.to_thread(self._refuse, vd, running)
        except (NotNow, VdInUse) as error:
            refusal = error.sentence
        slots = [slot for one in family(vd, self._daemon.memory) for slot in one.slots]
        drives = tuple(PlannedDrive(slot.bay, slot.serial, slot.model, slot.size) for slot in slots)
        mountpoint = None if running is None else running.volume.mountpoint
        used = None if mountpoint is None else await asyncio.to_thread(_used, mountpoint)
        lost = "All that is on it is lost." if used is None else f"{human_bytes(used)} of files on it are lost."
        size = vd.size if running is None else running.md.size
        level = level_text(vd.level, vd.spans)
        return DeletePlan(vd.name, vd.uuid, level, size, used, drives, mountpoint, lost, refusal)

    async def delete_vd(self, request: DeleteVdRequest) -> Done:
        vd, running = self._find(request.name)
        if vd.uuid != request.uuid:
            raise PlanChanged(f"{vd.name} is not the one of the plan that was shown.", hint="Ask for it again.")
        await asyncio.to_thread(self._refuse, vd, running)
        drives = [slot for one in family(vd, self._daemon.memory) for slot in one.slots]
        await self._mark(vd.uuid, lambda one: replace(one, stage=Stage.DELETING))
        if not drives:
            return Done(f"{vd.name} is being deleted; its part of the drive group becomes free.")
        return Done(f"{vd.name} is being deleted; its drives become blank.")

    async def stop_vd(self, request: VdRequest) -> Done:
        """Offline until it is started again, also after a reboot."""
        vd, running = self._find(request.name)
        if vd.stopped:
            raise NotNow(f"{vd.name} is stopped already.", hint=f"Start it: rackeye vd start {vd.name}")
        if vd.stage is not Stage.READY:
            raise NotNow(f"{vd.name} is not finished yet.", hint="rackeye vd shows how far it is.")
        await asyncio.to_thread(self._refuse, vd, running)
        await self._mark(vd.uuid, lambda one: replace(one, stopped=True))
        return Done(f"{vd.name} is being stopped. Nothing is recorded on it until: rackeye vd start {vd.name}")

    async def start_vd(self, request: VdRequest) -> Done:
        vd, _ = self._find(request.name)
        if not vd.stopped:
            raise NotNow(f"{vd.name} was not stopped.", hint="rackeye vd shows its state.")
        await self._mark(vd.uuid, lambda one: replace(one, stopped=False))
        return Done(f"{vd.name} is being started.")

    async def _mark(self, uuid: str, alter: Callable[[KnownVd], KnownVd]) -> None:
        def change(memory: Memory) -> Memory:
            vd = memory.by_uuid(uuid)
            if vd is None:
                raise NoSuchVd("The virtual drive has just gone.", hint="rackeye vd")
            for one in family(vd, memory):  # a power cut finds all of it marked, or nothing
                memory = memory.with_vd(alter(one))
            return memory

        await self._daemon.change(change)

    def _refuse(self, vd: KnownVd, running: Running | None) -> None:
        """Raises NotNow, VdInUse: why it cannot be taken away now."""
        world = self._daemon.snapshot
        if vd.stage is Stage.DELETING:
            raise NotNow(f"{vd.name} is being deleted already.", hint="rackeye vd --watch")
        if vd.growth is not None:
            raise NotNow(f"{vd.name} is being reconstructed.", hint="rackeye vd --watch shows how far it is.")
        for one in family(vd, self._daemon.memory):
            job = None if world is None else world.job_on(one.name)
            if job is not None:
                raise NotNow(f"{one.name} is busy: {job.kind} runs.", hint="Try again when that has ended.")
        jobs = self._jobs.list()
        if any(check.running(jobs, one.name) is not None for one in family(vd, self._daemon.memory)):
            raise NotNow(f"A check of {vd.name} runs.", hint=f"End it: rackeye check stop {vd.name}")
        if running is None or resting(vd):
            return
        used = [*self._elsewhere(running), *others_on(running.md.devnum, self._paths.proc)]
        if used:
            names = ", ".join(used[:5]) + (f" and {len(used) - 5} more" if len(used) > 5 else "")
            raise VdInUse(
                f"{vd.name} is in use: {names}. Only Rackeye's recorder may use it when it is taken away.",
                hint="End what uses it, and try again.",
            )

    def _elsewhere(self, running: Running) -> list[str]:
        """Other mounts, swap, and what is built upon it."""
        mounts = parse_mountinfo(read_mountinfo(self._paths))
        own = running.volume.mountpoint
        places = sorted({m.mountpoint for m in mounts if m.devnum == running.md.devnum and m.mountpoint != own})
        said = [f"mounted at {place}" for place in places]
        said += ["swap" for swap in read_swaps(self._paths) if Path(swap).resolve().name == running.md.device]
        return said + [f"held by {name}" for name in self._actor.observer.sysfs.holders(running.md.device)]


def _used(mountpoint: str) -> int | None:
    with suppress(OSError):
        found = os.statvfs(mountpoint)
        return (found.f_blocks - found.f_bfree) * found.f_frsize
    return None
