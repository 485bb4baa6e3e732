"""The commands of org.rackeye.Raid1.Admin. Each reads again what it names, and refuses with a reason."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from core.bus import Command
from core.clock import Clock
from core.daemon import Daemon
from core.errors import (
    CannotRecover,
    NoSuchDrive,
    NoSuchVd,
    NotNow,
    PlanChanged,
    PlanImpossible,
)
from core.jobs import Jobs
from core.paths import Paths
from core.run import run
from core.settings import Raid
from core.units import utc_text
from raid.act import Actor, refuse_if_used
from raid.actions import Action
from raid.assemble import Recovery, fingerprint, recovery
from raid.care import CareCommands
from raid.clear import named, plan_clear, refuse
from raid.derive_drives import drive_rows
from raid.grow_service import GrowService
from raid.memory import KnownVd, Memory, Slot, Spare, Wish
from raid.model import ClearDriveRequest, DismissDriveRequest, Done, DriveState, VdRequest
from raid.model_clear import ClearPlan
from raid.model_plan import CreateSimpleReply, CreateSimpleRequest, Plan, PlanSimpleRequest
from raid.model_recover import RecoverPlan, RecoverRequest
from raid.nested import has_failed
from raid.once_read import once_read
from raid.plan import plan_simple
from raid.plan_group import intents
from raid.scene import Scene
from raid.service_delete import Removal
from raid.service_foreign import Foreign
from raid.slices import running_of
from raid.spans import arrays_of, is_span, tops
from raid.world import Disk, Running, World

NO_PARITY = ("RAID0", "RAID1", "RAID10")


class Service:
    """Handlers; they run in the daemon's loop, and change the memory, never an array directly."""

    def __init__(
        self,
        daemon: Daemon[World, Memory, Action],
        actor: Actor,
        jobs: Jobs,
        paths: Paths,
        settings: Callable[[], Raid],
        *,
        one: asyncio.Lock,
    ) -> None:
        """one: held from the look at the drives to the change of the memory by every command that takes drives, those
        of other services too: else two could take the same."""
        self._daemon = daemon
        self._actor = actor
        self._jobs = jobs
        self._paths = paths
        self._settings = settings
        self._clock: Clock = daemon.clock
        self._one = one
        self._care = CareCommands(daemon, actor, jobs, paths, (self._vd, self._scene))

    def commands(self) -> tuple[Command[Any, Any], ...]:
        """All of them."""
        return (
            Command("PlanSimple", PlanSimpleRequest, Plan, self.plan_simple),
            Command("CreateSimple", CreateSimpleRequest, CreateSimpleReply, self.create_simple),
            Command("DismissDrive", DismissDriveRequest, Done, self.dismiss_drive),
            Command("PlanClear", ClearDriveRequest, ClearPlan, self.plan_clear),
            Command("ClearDrive", ClearDriveRequest, Done, self.clear_drive),
            Command("PlanRecover", VdRequest, RecoverPlan, self.plan_recover),
            Command("RecoverVd", RecoverRequest, Done, self.recover_vd),
            *Foreign(self._daemon, self._vd, self._scene, self._one).commands(),
            *self._care.commands(),
            *GrowService(self._daemon, self._paths, (self._vd, self._scene), self._one).commands(),
            *Removal(self._daemon, self._actor, self._jobs, self._paths, self._volume).commands(),
        )

    def _scene(self) -> Scene:
        world = self._daemon.snapshot
        if world is None:
            raise NotNow("The drives are still being read.", hint="Try again in a few seconds.")
        return Scene(world, self._daemon.memory, self._settings(), self._clock.now())

    def _vd(self, name: str) -> tuple[KnownVd, Running | None]:
        vd = self._daemon.memory.vd(name)
        if vd is None or is_span(vd):
            known = ", ".join(vd.name for vd in tops(self._daemon.memory)) or "none"
            raise NoSuchVd(f"There is no virtual drive {name!r}; there is: {known}.", hint="rackeye vd")
        return vd, self._scene().world.array(vd.uuid)

    def _volume(self, name: str) -> tuple[KnownVd, Running | None]:
        """As `_vd`; of one in a shared group its partition, in the shape of an array."""
        vd, _ = self._vd(name)
        return vd, running_of(vd, self._scene().world)

    # -- making

    async def plan_simple(self, request: PlanSimpleRequest) -> Plan:
        scene = await once_read(self._scene)
        if scene.world.unread:
            raise NotNow("Some drives are still being read.", hint="Try again in a few seconds.")
        return plan_simple(request, scene)

    async def create_simple(self, request: CreateSimpleRequest) -> CreateSimpleReply:
        async with self._one:
            if not self._scene().world.mdadm:
                raise PlanImpossible("mdadm cannot be started, so no array is made.", hint="apt-get install mdadm")
            plan = await self.plan_simple(request.plan)
            if plan.fingerprint != request.fingerprint:
                raise PlanChanged("The drives are not those of the plan that was shown.", hint="Ask for it again.")
            vds = tuple(one for planned in plan.vds for one in intents(planned, self._daemon.memory))
            spares = tuple(Spare(drive.serial, drive.model, drive.size, drive.bay) for drive in plan.spares)
            await self._daemon.change(lambda memory: replace(
                memory, vds=(*memory.vds, *vds), spares=(*memory.spares, *spares), adopting=False,
            ))
            return CreateSimpleReply(tuple(planned.name for planned in plan.vds))

    # -- drives

    async def plan_clear(self, request: ClearDriveRequest) -> ClearPlan:
        return plan_clear(request, self._scene())

    async def clear_drive(self, request: ClearDriveRequest) -> Done:
        async with self._one:
            disk = named(request, self._scene())
            refuse(disk, self._scene())
            fresh = await asyncio.to_thread(self._actor.read_again, disk.name)
            if fresh is None or (fresh.bay, fresh.serial) != (request.bay, request.serial):
                raise NoSuchDrive(f"The drive in bay {request.bay} has just been changed.", hint="Look again.")
            refuse_if_used(fresh)
            await asyncio.to_thread(_wipe, fresh)
            self._actor.observer.inventory.forget(fresh.name)
            await self._daemon.change(
                lambda m: replace(m, failed=tuple(f for f in m.failed if f.serial != request.serial))
            )
            return Done(f"The {fresh.model} with serial {fresh.serial} in bay {fresh.bay} is blank now.")

    async def dismiss_drive(self, request: DismissDriveRequest) -> Done:
        missing = {
            (row.bay, row.serial) for row in drive_rows(self._scene()) if row.state is DriveState.MISSING
        }
        if (request.bay, request.serial) not in missing:
            raise NoSuchDrive(f"No drive {request.serial!r} is missing from bay {request.bay}.", hint="rackeye drive")

        def away(slot: Slot) -> Slot:
            mine = (slot.bay, slot.serial) == (request.bay, request.serial)
            return replace(slot, dismissed=True) if mine else slot

        def served(spare: Spare) -> bool:
            """Nothing is to go back there: the spare that stands in is a member for good."""
            home = None if spare.serving is None else spare.serving.home
            return home is not None and (home.bay, home.serial) == (request.bay, request.serial)

        await self._daemon.change(lambda memory: replace(
            memory, vds=tuple(replace(vd, slots=tuple(map(away, vd.slots))) for vd in memory.vds),
            spares=tuple(spare for spare in memory.spares if not served(spare)),
            free=tuple(slot for slot in memory.free if (slot.bay, slot.serial) != (request.bay, request.serial)),
        ))
        return Done(f"The drive {request.serial} that was in bay {request.bay} is no longer shown.")

    # -- recovery

    def _recovery(self, name: str) -> tuple[KnownVd, tuple[tuple[KnownVd, Recovery], ...]]:
        """The arrays that would be started by force: itself, or the spans that do not run."""
        vd, running = self._vd(name)
        scene = self._scene()
        if running is not None and running.md.started and not has_failed(running):
            raise CannotRecover(f"{name} runs: there is nothing to recover.", hint="rackeye vd shows its state.")
        found = []
        for one in arrays_of(vd, scene.memory):
            here = scene.world.array(one.uuid)
            if here is not None and here.md.started and not has_failed(here):
                continue
            if here is not None or running is not None:
                raise CannotRecover(f"{name} is being stopped first.", hint="Try again in a few seconds.")
            plan = recovery(one, scene)
            if plan is None:
                raise CannotRecover(
                    f"Too few drives of {one.name} are there.", hint="Put back the drives that were pulled last."
                )
            found.append((one, plan))
        if not found:
            raise CannotRecover(f"All spans of {name} run; it is being started.", hint="rackeye vd shows its state.")
        return vd, tuple(found)

    async def plan_recover(self, request: VdRequest) -> RecoverPlan:
        vd, plans = self._recovery(request.name)
        return RecoverPlan(
            vd.name,
            tuple(member.disk.bay for _, plan in plans for member in plan.chosen),
            tuple(member.disk.bay for _, plan in plans for member in plan.left_out),
            " ".join(_loses(one, plan) for one, plan in plans),
            _fingerprint(plans),
        )

    async def recover_vd(self, request: RecoverRequest) -> Done:
        vd, plans = self._recovery(request.name)
        if _fingerprint(plans) != request.fingerprint:
            raise PlanChanged("The drives are not those of the plan that was shown.", hint="Ask for it again.")
        told = tuple(self._wish(one, plan) for one, plan in plans)
        names = {wish.vd for wish in told}

        def wished(memory: Memory) -> Memory:
            others = (wish for wish in memory.fleeting.recover if wish.vd not in names)
            return replace(memory, fleeting=replace(memory.fleeting, recover=(*others, *told)))

        await self._daemon.change(wished)
        bays = ", ".join(str(member.disk.bay) for _, plan in plans for member in plan.chosen)
        loses = " ".join(_loses(one, plan) for one, plan in plans)
        return Done(f"{vd.name} is being started from the drives in bays {bays}. {loses}")

    def _wish(self, vd: KnownVd, plan: Recovery) -> Wish:
        before = self._scene().world.last_job(vd.name, "recover")
        return Wish(vd.name, fingerprint(vd, plan), "" if before is None else before.id)


def _fingerprint(plans: tuple[tuple[KnownVd, Recovery], ...]) -> str:
    """Of all arrays that would be started."""
    return ".".join(fingerprint(vd, plan) for vd, plan in plans)


def _wipe(disk: Disk) -> None:
    """Every signature that wipefs knows; it opens the drive exclusively, so one in use is refused by the kernel too."""
    run(["wipefs", "--all", "--quiet", disk.device], timeout=None)


def _loses(vd: KnownVd, plan: Recovery) -> str:
    """What a forced start may lose, in words."""
    if plan.lost <= 1:
        return f"All chosen drives of {vd.name} are equally recent: only what was being written at the end may be lost."
    return (
        f"What was written to {vd.name} between {utc_text(plan.since)} and {utc_text(plan.newest)} may be lost or "
        "damaged, also in files that are older."
    )
