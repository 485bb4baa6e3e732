"""Taking over virtual drives from elsewhere, giving up those that could not be made: org.rackeye.Raid1.Admin."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import Any

from core.bus import Command
from core.daemon import Daemon
from core.errors import NoSuchVd, NotNow, PlanChanged
from raid.actions import Action
from raid.foreign import plan_abandon, plan_import, to_import
from raid.learn import take
from raid.memory import KnownVd, Memory
from raid.model import Done, VdRequest
from raid.model_foreign import AbandonPlan, AbandonRequest, ImportPlan, ImportRequest
from raid.scene import Scene
from raid.spans import family
from raid.world import Running, World


class Foreign:
    """Handlers; they change the memory, and the next look acts on it."""

    def __init__(
        self, daemon: Daemon[World, Memory, Action], find: Callable[[str], tuple[KnownVd, Running | None]],
        scene: Callable[[], Scene], one: asyncio.Lock,
    ) -> None:
        """one: as of `Service`."""
        self._daemon = daemon
        self._find = find
        self._scene = scene
        self._one = one

    def commands(self) -> tuple[Command[Any, Any], ...]:
        """All of them."""
        return (
            Command("PlanImport", VdRequest, ImportPlan, self.plan_import),
            Command("ImportVd", ImportRequest, Done, self.import_vd),
            Command("PlanAbandon", VdRequest, AbandonPlan, self.plan_abandon),
            Command("AbandonVd", AbandonRequest, Done, self.abandon_vd),
        )

    async def plan_import(self, request: VdRequest) -> ImportPlan:
        """Raises NoSuchVd."""
        scene = self._scene()
        plan = plan_import(request.name, scene.world, scene.memory)
        if plan is None:
            if scene.memory.vd(request.name) is not None:
                raise NotNow(f"There is a virtual drive {request.name} already.", hint="rackeye vd")
            raise NoSuchVd(f"No drives hold a Rackeye array {request.name!r}.", hint="rackeye drive shows them.")
        return plan

    async def import_vd(self, request: ImportRequest) -> Done:
        """Takes over what PlanImport showed. Raises NoSuchVd, NotNow, PlanChanged."""
        async with self._one:
            plan = await self.plan_import(VdRequest(request.name))
            if plan.refusal:
                raise NotNow(plan.refusal, hint="rackeye drive shows the drives.")
            if plan.fingerprint != request.fingerprint:
                raise PlanChanged("The drives are not those of the plan that was shown.", hint="Ask for it again.")
            scene = self._scene()
            found = to_import(request.name, scene.world, scene.memory)
            await self._daemon.change(lambda memory: reduce(take, found, memory))
            return Done(f"{request.name} is taken over and started.")

    async def plan_abandon(self, request: VdRequest) -> AbandonPlan:
        """Raises NoSuchVd."""
        vd, _ = self._find(request.name)
        return plan_abandon(vd, self._scene())

    async def abandon_vd(self, request: AbandonRequest) -> Done:
        """Gives up an intent of which nothing has come. Raises NoSuchVd, NotNow, PlanChanged."""
        vd, _ = self._find(request.name)
        if vd.uuid != request.uuid:
            raise PlanChanged(f"{vd.name} is not the one of the plan that was shown.", hint="Ask for it again.")
        plan = plan_abandon(vd, self._scene())
        if plan.refusal:
            raise NotNow(plan.refusal, hint="Only one that could not be made is given up.")
        names = {one.name for one in family(vd, self._daemon.memory)}
        await self._daemon.change(lambda m: replace(m, vds=tuple(v for v in m.vds if v.name not in names)))
        return Done(f"{vd.name} is not made.")
