"""The commands about spares, rebuilds by hand and rates. Each reads again what it names, and refuses with a reason."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from core.bus import Command
from core.config import Table, update_settings
from core.daemon import Daemon
from core.errors import BadValue, NoSuchDrive, NoSuchVd, NotASpare, NotNow, SpareUnfit
from core.paths import Paths
from core.settings import Raid, Settings
from core.units import human_bytes
from raid.act import Actor, refuse_if_used
from raid.actions import Action
from raid.candidates import judge, needed_bytes
from raid.grow import busy
from raid.members import empty_slots, spare_failures, tolerance
from raid.memory import KnownVd, Memory, Slot, Spare
from raid.model import Done
from raid.scene import Scene
from raid.smart_model import SmartHealth
from raid.spans import arrays_of, group_name, top
from raid.spare_model import AddSpareRequest, RebuildOnRequest, RemoveSpareRequest, SetRateRequest
from raid.spares import fits
from raid.world import Disk, Running, World

ANSWERS = 10.0
"""Seconds in which a drive that a person names has to be read; a good one takes milliseconds."""


class SpareService:
    """Handlers; they change the memory or the settings, never an array directly."""

    def __init__(
        self,
        daemon: Daemon[World, Memory, Action],
        actor: Actor,
        paths: Paths,
        settings: Callable[[], Raid],
        reload: Callable[[], None],
        *,
        one: asyncio.Lock,
    ) -> None:
        """one: as of `Service`."""
        self._daemon = daemon
        self._actor = actor
        self._paths = paths
        self._settings = settings
        self._reload = reload
        self._one = one

    def commands(self) -> tuple[Command[Any, Any], ...]:
        """All of them."""
        return (
            Command("AddSpare", AddSpareRequest, Done, self.add),
            Command("RemoveSpare", RemoveSpareRequest, Done, self.remove),
            Command("RebuildOn", RebuildOnRequest, Done, self.rebuild_on),
            Command("SetRate", SetRateRequest, Done, self.set_rate),
        )

    def _scene(self) -> Scene:
        world = self._daemon.snapshot
        if world is None:
            raise NotNow("The drives are still being read.", hint="Try again in a few seconds.")
        return Scene(world, self._daemon.memory, self._settings(), self._daemon.clock.now())

    async def add(self, request: AddSpareRequest) -> Done:
        """Raises NoSuchDrive, NoSuchVd, SpareUnfit, DriveInUse, SystemDrive."""
        async with self._one:
            scene = self._scene()
            vd = None if request.dedicated is None else _vd(request.dedicated, scene)
            _refuse_serving(scene.memory.spare(request.serial))
            disk = await self._blank(request.bay, request.serial, scene)
            await self._read(disk)
            if request.affinity and len(sides := _backplanes(scene)) < 2:
                named = ", ".join(sides) or "none"
                raise SpareUnfit(
                    f"Affinity needs a chassis of several backplanes, and its profile names: {named}.",
                    hint="Leave --affinity out.",
                )
            note = _dedicated(vd, disk, scene) if vd is not None else _fits_any(disk, scene)
            spare = Spare(
                disk.serial, disk.model, disk.size, disk.bay, "" if vd is None else vd.uuid, request.affinity,
            )

            def add(memory: Memory) -> Memory:
                """The drives were read meanwhile: another spare, or this one, may just have been taken."""
                _refuse_serving(memory.spare(spare.serial))
                others = tuple(one for one in memory.spares if one.serial != spare.serial)
                return replace(memory, spares=(*others, spare))

            await self._daemon.change(add)
            kind = "a global hot spare" if vd is None else f"a hot spare of {top(vd.name)}"
            return Done(f"The drive in bay {disk.bay} (serial {disk.serial}) is {kind}.{note}")

    async def _read(self, disk: Disk) -> None:
        """Also one that was a spare that did not read: what was known of it before is forgotten."""
        try:
            why = await self._actor.observer.reads(disk.name, disk.diskseq, ANSWERS)
        except OSError as error:
            raise NoSuchDrive(f"The drive in bay {disk.bay} has just been changed.", hint="Look again.") from error
        if why:
            place = f"The drive in bay {disk.bay} (serial {disk.serial})"
            raise SpareUnfit(f"{place} is no hot spare to rely on. {why}", hint="Use another drive.")

    async def _blank(self, bay: int, serial: str, scene: Scene, by_hand: KnownVd | None = None) -> Disk:
        """The drive that a command names, read again: there, blank, and wanted by nothing but `by_hand`, which takes no
        drive without a person's word."""
        known = next((disk for disk in scene.world.disks if disk.bay == bay and disk.serial == serial), None)
        if known is None:
            raise NoSuchDrive(f"Bay {bay} does not hold the serial {serial!r}.", hint="rackeye drive shows them.")
        place = f"The drive in bay {bay} (serial {serial})"
        if not serial:
            raise SpareUnfit(f"{place} gives no serial, so it could not be told apart.", hint="Use another drive.")
        refuse_if_used(known)
        fresh = await asyncio.to_thread(self._actor.read_again, known.name)
        if fresh is None or (fresh.bay, fresh.serial) != (bay, serial):
            raise NoSuchDrive(f"The drive in bay {bay} has just been changed.", hint="Look again.")
        refuse_if_used(fresh)
        smart = scene.world.smart_of(fresh)
        if smart.health is SmartHealth.FAILING:
            raise SpareUnfit(f"{place} is expected to fail: {smart.detail}", hint="Use another drive.")
        found = await asyncio.to_thread(self._actor.observer.inventory.probe, fresh.name, fresh.diskseq)
        if not found.blank:
            held = found.error or f"It holds data ({', '.join(found.signatures)})."
            raise SpareUnfit(f"{place} is not blank. {held}", hint=f"rackeye drive clear --bay {bay}")
        fresh = replace(fresh, probe=found)
        wanted = judge(fresh, scene)
        if wanted.vd and (by_hand is None or wanted.vd != by_hand.name):
            raise SpareUnfit(f"{place} belongs to {wanted.vd}. {wanted.why}", hint="Take a drive of another bay.")
        if any(slot.serial == serial for vd in scene.memory.vds if vd != by_hand for slot in _places(vd)):
            raise SpareUnfit(f"{place} is chosen for a virtual drive.", hint="rackeye drive")
        return fresh

    async def remove(self, request: RemoveSpareRequest) -> Done:
        """Raises NotASpare."""
        async with self._one:
            spare = self._daemon.memory.spare(request.serial)
            if spare is None:
                raise NotASpare(f"The drive {request.serial!r} is no hot spare.", hint="rackeye spare")
            serving = None if spare.serving is None else self._daemon.memory.by_uuid(spare.serving.vd)
            await self._daemon.change(lambda memory: replace(
                memory, spares=tuple(one for one in memory.spares if one.serial != request.serial)
            ))
            place = f"The drive {spare.serial}" + ("" if spare.bay is None else f" in bay {spare.bay}")
            if serving is not None:
                return Done(f"{place} is no hot spare any more: it stays a member of {top(serving.name)}.")
            return Done(f"{place} is no hot spare any more.")

    async def rebuild_on(self, request: RebuildOnRequest) -> Done:
        """Raises NoSuchDrive, NoSuchVd, SpareUnfit, NotNow."""
        async with self._one:
            scene = self._scene()
            vd = _vd(request.vd, scene)
            array, running = _in_need(vd, scene)
            if busy(array, running.md):
                raise NotNow(f"{vd.name} is being reconstructed: nothing is rebuilt meanwhile.", hint="rackeye vd")
            if scene.memory.spare(request.serial) is not None:
                raise SpareUnfit("It is a hot spare.", hint=f"First: rackeye spare remove --bay {request.bay}")
            disk = await self._blank(request.bay, request.serial, scene, array if array.by_hand else None)
            if disk.size < needed_bytes(running):
                raise SpareUnfit(
                    f"It has {human_bytes(disk.size)}, and {vd.name} needs {human_bytes(needed_bytes(running))}.",
                    hint="Name a larger drive.",
                )
            named = (disk.serial, array.uuid)
            await self._daemon.change(
                lambda m: replace(m, fleeting=replace(m.fleeting, named=(*m.fleeting.named, named)))
            )
            return Done(f"{vd.name} is rebuilt on the drive in bay {disk.bay} (serial {disk.serial}).")

    async def set_rate(self, request: SetRateRequest) -> Done:
        """Raises BadValue, ConfigError."""
        if not 1 <= request.percent <= 100:
            raise BadValue(f"{request.percent} is no rate: it is from 1 to 100 per cent.", hint="The default is 30.")

        def change(table: Table) -> None:
            rates = table.setdefault("raid", {}).setdefault("rates", {})
            rates[request.kind.name.lower()] = request.percent

        async with self._one:
            await asyncio.to_thread(update_settings, Settings, self._paths, change)
            self._reload()
        self._daemon.wake()
        return Done(f"The rate of {request.kind} is {request.percent} %, from now on.")


def _refuse_serving(spare: Spare | None) -> None:
    if spare is not None and spare.serving is not None:
        raise NotNow("This spare is in use; it is changed when it is free again.", hint="rackeye spare")


def _vd(name: str, scene: Scene) -> KnownVd:
    vd = scene.memory.vd(name) or scene.memory.vd(group_name(name))
    if vd is not None and vd.group:  # a spare serves all that is on the drives
        vd = scene.memory.by_uuid(vd.group)
    if vd is None:
        known = ", ".join(vd.name for vd in scene.memory.vds) or "none"
        raise NoSuchVd(f"There is no virtual drive {name!r}; there is: {known}.", hint="rackeye vd")
    return vd


def _places(vd: KnownVd) -> tuple[Slot, ...]:
    """Those that it has, and those that it is to have."""
    return (*vd.slots, *(vd.growth.added if vd.growth is not None else ()))


def _in_need(vd: KnownVd, scene: Scene) -> tuple[KnownVd, Running]:
    """The array of a virtual drive (a span of it) that misses a member. Raises NotNow."""
    runs = False
    for array in arrays_of(vd, scene.memory):
        running = scene.world.array(array.uuid)
        if running is not None and running.md.started and spare_failures(running.md) >= 0:
            runs = True
            if empty_slots(running.md):
                return array, running
    why = "misses no drive" if runs else "does not run, so nothing is rebuilt"
    raise NotNow(f"{vd.name} {why}.", hint=f"rackeye vd show {vd.name}")


def _backplanes(scene: Scene) -> tuple[str, ...]:
    return tuple(sorted({disk.backplane for disk in scene.world.disks if disk.backplane}))


def _dedicated(vd: KnownVd, disk: Disk, scene: Scene) -> str:
    """Refuses what could never be taken. Raises SpareUnfit."""
    arrays = arrays_of(vd, scene.memory)
    if not all(tolerance(array.level, len(array.slots)) for array in arrays):
        raise SpareUnfit(
            f"{vd.name} is a RAID{vd.level}: without redundancy there is nothing to rebuild from.",
            hint="A spare helps levels 1, 5, 6, 10, 50 and 60.",
        )
    if not all(_fits(array, disk, scene) for array in arrays):
        largest = max(slot.size for array in arrays for slot in array.slots)
        raise SpareUnfit(
            f"It has {human_bytes(disk.size)}, and a drive of {vd.name} has {human_bytes(largest)}.",
            hint="A spare must be as large as the drives that it may replace.",
        )
    return ""


def _fits_any(disk: Disk, scene: Scene) -> str:
    """What a person should know of a global spare."""
    for vd in scene.memory.vds:
        if not _fits(vd, disk, scene):
            return f" It is too small for {top(vd.name)}."
    return ""


def _fits(vd: KnownVd, disk: Disk, scene: Scene) -> bool:
    running = scene.world.array(vd.uuid)
    return running is None or all(fits(disk.size, slot, running) for slot in vd.slots)
