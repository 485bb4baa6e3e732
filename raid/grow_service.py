"""Adding drives and changing levels, for org.rackeye.Raid1.Admin: planned, refused with a reason, ordered."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from core.bus import Command
from core.daemon import Daemon
from core.errors import CannotReconstruct, PlanChanged
from core.paths import Paths
from raid import mdadm
from raid.actions import Action
from raid.grow_model import GrowPlan, GrowRequest, PlanGrowRequest
from raid.grow_plan import Ordered, plan_grow
from raid.memory import KnownVd, Memory
from raid.model import Done
from raid.once_read import once_read
from raid.scene import Scene
from raid.world import Running, World


class GrowService:
    """Handlers; they change the memory, and the next look acts on it."""

    def __init__(
        self, daemon: Daemon[World, Memory, Action], paths: Paths,
        find: tuple[Callable[[str], tuple[KnownVd, Running | None]], Callable[[], Scene]], one: asyncio.Lock,
    ) -> None:
        """one: as of `Service`."""
        self._daemon, self._paths = daemon, paths
        self._vd, self._scene = find
        self._one = one

    def commands(self) -> tuple[Command[Any, Any], ...]:
        """All of them."""
        return (
            Command("PlanGrow", PlanGrowRequest, GrowPlan, self.plan_grow),
            Command("GrowVd", GrowRequest, Done, self.grow_vd),
        )

    async def _plan(self, request: PlanGrowRequest) -> tuple[KnownVd, Ordered]:
        scene = await once_read(self._scene)
        vd, running = self._vd(request.name)
        ordered = plan_grow(request, vd, running, scene)
        if not mdadm.available():
            raise CannotReconstruct("mdadm cannot be started.", hint="apt-get install mdadm")
        return vd, ordered

    async def plan_grow(self, request: PlanGrowRequest) -> GrowPlan:
        """What would come out."""
        return (await self._plan(request))[1].plan

    async def grow_vd(self, request: GrowRequest) -> Done:
        """The intent is saved before anything is done."""
        async with self._one:
            vd, ordered = await self._plan(request.plan)
            if ordered.plan.fingerprint != request.fingerprint:
                raise PlanChanged("The drives are not those of the plan that was shown.", hint="Ask for it again.")

            growth = replace(ordered.growth, token=uuid.uuid4().hex[:12])

            def order(memory: Memory) -> Memory:
                now = memory.by_uuid(vd.uuid)
                if now is None or now.growth is not None:
                    raise CannotReconstruct(f"{vd.name} has just been changed.", hint="rackeye vd")
                return memory.with_vd(replace(now, growth=growth))

            await self._daemon.change(order)
            plan = ordered.plan
            return Done(
                f"{vd.name} is being reconstructed: {plan.new_level} of {plan.new_drives} drives. Recording goes on."
            )
