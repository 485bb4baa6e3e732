"""The commands about parity: check, stop, plan a repair, repair. Handlers run in the daemon's loop."""

import asyncio
import contextlib
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from core.bus import Command, Nothing
from core.config import update_settings
from core.daemon import Daemon
from core.errors import CannotRepair, NotNow, PlanChanged
from core.jobs import Jobs
from core.paths import Paths
from core.settings import Settings
from core.units import utc_text
from raid import check
from raid.act import Actor, stop_job
from raid.actions import Action
from raid.check import CheckFile
from raid.memory import KnownVd, Memory
from raid.model import Done, VdRequest, level_text
from raid.model_care import PlannedRepair, RepairPlan, RepairRequest, ScheduleRequest
from raid.nested import has_failed
from raid.patrolling import to_read
from raid.progress_file import known_of, left_behind
from raid.scene import Scene
from raid.scrub_result import BadStripe
from raid.spans import spans_of
from raid.upkeep import CHECKED, arrays_of
from raid.work import doing
from raid.world import Running, World

PLANNED = 100
"""So many stripes travel in a plan; all that the check named are repaired."""
RAID6 = (6, 60)
MIRROR_BY_HAND = (
    "md's repair of a mirror writes the copy of the first drive over the others, be it right or wrong, so nothing is "
    "written. If one of the drives is not to be trusted (rackeye drive smart), replace it: the other is copied anew."
)


class CareCommands:
    """Part of raid/service.py. find: a virtual drive by its name, with its array; and the scene of now."""

    def __init__(
        self,
        daemon: Daemon[World, Memory, Action],
        actor: Actor,
        jobs: Jobs,
        paths: Paths,
        find: tuple[Callable[[str], tuple[KnownVd, Running | None]], Callable[[], Scene]],
    ) -> None:
        self._daemon, self._actor, self._jobs, self._paths = daemon, actor, jobs, paths
        self._vd, self._scene = find

    def commands(self) -> tuple[Command[Any, Any], ...]:
        """All of them."""
        return (
            Command("StartCheck", VdRequest, Done, self.start_check),
            Command("StopCheck", VdRequest, Done, self.stop_check),
            Command("PlanRepair", VdRequest, RepairPlan, self.plan_repair),
            Command("StartRepair", RepairRequest, Done, self.start_repair),
            Command("StartPatrol", Nothing, Done, self.start_patrol),
            Command("StopPatrol", Nothing, Done, self.stop_patrol),
            Command("SetSchedule", ScheduleRequest, Done, self.set_schedule),
        )

    def _parity_of(self, name: str) -> KnownVd:
        """Of one in a shared drive group, the group: they are checked as one. Raises NoSuchVd."""
        vd, _ = self._vd(name)
        return (self._daemon.memory.by_uuid(vd.group) if vd.group else None) or vd

    def _settled(self, name: str, does: str) -> tuple[KnownVd, tuple[str, ...]]:
        """The virtual drive, and the devices that hold its parity, when that holds still. Raises NoSuchVd, NotNow."""
        vd = self._parity_of(name)
        if vd.level not in CHECKED:
            raise NotNow(
                f"{vd.name} is {level_text(vd.level, vd.spans)}: there is no redundancy that could be {does}.",
                hint="A patrol read finds bad sectors on its drives: rackeye patrol start",
            )
        if vd.growth is not None:
            raise NotNow(f"{vd.name} is being reconstructed, so it is not {does}.", hint="rackeye vd --watch")
        job = check.running(self._jobs.list(), vd.name)
        if job is not None:
            what = "repair" if job.kind == check.REPAIR else "check"
            raise NotNow(f"A {what} of {vd.name} runs already.", hint=f"End it: rackeye check stop {vd.name}")
        world = self._daemon.snapshot
        arrays = () if world is None else arrays_of(vd, self._daemon.memory, world)
        if len(arrays) < max(1, vd.spans):
            raise NotNow(f"{vd.name} does not run, so it cannot be {does}.", hint="rackeye vd shows why.")
        return vd, tuple(_holds_still(one, running, does) for one, running in arrays)

    async def start_check(self, request: VdRequest) -> Done:
        """From where the last one was left, or from the beginning; over all its spans."""
        vd, devices = self._settled(request.name, "checked")
        left = left_behind(check.file_of(self._paths, vd.name), vd.uuid)
        number = check.next_number(self._jobs.list(), vd.name)
        spec = check.spec(self._paths, vd.name, vd.uuid, devices, number=number, resume=left is not None)
        await asyncio.to_thread(self._actor.start_check, spec)
        self._daemon.wake()
        on = f", from {100 * left.stripes / left.of:.0f} % on" if left is not None and left.stripes else ""
        spans = f", span after span ({vd.spans})" if vd.spans else ""
        return Done(f"The parity of {vd.name} is being checked{spans}{on}.")

    async def stop_check(self, request: VdRequest) -> Done:
        vd = self._parity_of(request.name)
        job = check.running(self._jobs.list(), vd.name)
        if job is None:
            raise NotNow(f"No check of {vd.name} runs.")
        await asyncio.to_thread(stop_job, job.id)
        self._actor.observer.job_started()
        self._daemon.wake()
        what = "repair" if job.kind == check.REPAIR else "check"
        return Done(f"The {what} of {vd.name} is stopped.")

    async def plan_repair(self, request: VdRequest) -> RepairPlan:
        """What a repair of what the last check found would do."""
        vd, _ = self._settled(request.name, "repaired")
        shown = plan(vd, self._daemon.memory, found_wrong(vd, self._paths))
        cut_off = check.file_of(self._paths, vd.name).stat().st_mtime
        return replace(shown, name=request.name, checked=shown.checked or cut_off)

    async def start_repair(self, request: RepairRequest) -> Done:
        vd, devices = self._settled(request.name, "repaired")
        found = found_wrong(vd, self._paths)
        if check.fingerprint(vd.uuid, found) != request.fingerprint:
            raise PlanChanged(f"{vd.name} was checked again since the plan was shown.", hint="Ask for it again.")
        written = [bad for bad in _wrong(found) if not why_left(vd, bad)]
        if not written:
            mirror = vd.level in check.MIRRORS
            raise CannotRepair(
                MIRROR_BY_HAND if mirror
                else f"In no wrong stripe of {vd.name} is it known which drive is wrong. Nothing is written.",
                hint="Files there may be damaged: copy what matters.",
            )
        number = check.next_number(self._jobs.list(), vd.name)
        stripes = tuple(
            tuple(bad.number for bad in written if bad.span == (span if vd.spans else 0))
            for span in range(1, len(devices) + 1)
        )
        spec = check.repair_spec(self._paths, vd.name, devices, stripes, number=number, of=request.fingerprint)
        await asyncio.to_thread(self._actor.start_check, spec)
        self._daemon.wake()
        return Done(f"{len(written)} stripes of {vd.name} are being repaired.")

    async def start_patrol(self, _: Nothing) -> Done:
        """Over all drives but the system's, from where the last one was left."""
        drives = to_read(self._scene())
        if not drives:
            raise NotNow("There is no drive in a bay to read.")
        if check.patrol_running(self._jobs.list()) is not None:
            raise NotNow("A patrol read runs already.", hint="End it: rackeye patrol stop")
        await asyncio.to_thread(self._actor.start_patrol, drives, check.PATROL)
        self._daemon.wake()
        return Done(f"{len(drives)} drives are being read for bad sectors.")

    async def stop_patrol(self, _: Nothing) -> Done:
        job = check.patrol_running(self._jobs.list())
        if job is None:
            raise NotNow("No patrol read runs.")
        await asyncio.to_thread(stop_job, job.id)
        self._actor.observer.job_started()
        self._daemon.wake()
        return Done("The patrol read is stopped. The next one goes on from there.")

    async def set_schedule(self, request: ScheduleRequest) -> Done:
        """Into the settings. Raises ConfigError, Unwritable."""
        wanted = {name: value for name, value in asdict(request).items() if value is not None}
        await asyncio.to_thread(_write, self._paths, wanted)
        self._daemon.cycle.reload()
        self._daemon.wake()
        return Done("The schedule is set. See it: rackeye check schedule")


def _write(paths: Paths, wanted: dict[str, Any]) -> None:
    """The file stays the recorder's own: it keeps the cameras there."""

    def change(table: dict[str, Any]) -> None:
        table.setdefault("raid", {}).setdefault("care", {}).update(wanted)

    update_settings(Settings, paths, change)
    with contextlib.suppress(LookupError, PermissionError):  # a box without that user, or a test
        shutil.chown(paths.state / "settings.toml", "rackeye", "rackeye")


def found_wrong(vd: KnownVd, paths: Paths) -> CheckFile:
    """The file of the last check, when stripes are known to be wrong: also by one that saw only a part, or by the one
    before it. Raises CannotRepair."""
    file = check.file_of(paths, vd.name)
    found = check.load(file)
    if found is None or found.identity != vd.uuid or known_of(found) is None:
        raise CannotRepair(
            f"It is not known which stripes of {vd.name} are wrong: no check has ended.",
            hint=f"Check it first: rackeye check start {vd.name}",
        )
    if not _wrong(found):
        raise CannotRepair(
            f"The last check of {vd.name} found no wrong stripe: nothing is to be repaired.",
            hint=f"rackeye check show {vd.name}",
        )
    return found


def _wrong(found: CheckFile) -> tuple[BadStripe, ...]:
    known = known_of(found)
    return () if known is None else known.result.bad


def why_left(vd: KnownVd, bad: BadStripe) -> str:
    """Why a repair leaves this stripe alone; empty when it is written."""
    if vd.level in check.MIRRORS:
        if any(extent.wrong is None for extent in bad.extents):
            return "The copies differ, and nobody can know which is right: nothing is written."
        return MIRROR_BY_HAND
    if vd.level in RAID6 and any(extent.wrong is None for extent in bad.extents):
        return "More than one drive is wrong in one place: which one is not known, so nothing is written."
    return ""


def _holds_still(vd: KnownVd, running: Running | None, does: str) -> str:
    """The device of one array, when its parity holds still. Raises NotNow."""
    if running is None or not running.md.started or has_failed(running):
        raise NotNow(f"{vd.name} does not run, so it cannot be {does}.", hint="rackeye vd shows why.")
    if running.md.sync_action not in ("idle", "frozen") or running.md.sync_total:
        raise NotNow(doing(running.md, vd), hint="Try again when that has ended: rackeye vd --watch")
    if running.md.degraded or not running.md.parity_complete:
        raise NotNow(f"{vd.name} is not whole, so there is nothing to compare.", hint="Let it be rebuilt first.")
    return running.device


def plan(vd: KnownVd, memory: Memory, found: CheckFile) -> RepairPlan:
    """In words. Pure."""
    arrays = spans_of(vd, memory) or (vd,)
    steps = []
    for bad in _wrong(found):
        number = max(0, bad.span - 1)
        slots = arrays[number].slots if number < len(arrays) else ()
        bays = tuple(slots[slot].bay for slot in check.slots_of(bad) if slot < len(slots))
        steps.append(PlannedRepair(bad.number, bad.pages, bays, why_left(vd, bad), bad.span or None))
    written = [step for step in steps if not step.left]
    return RepairPlan(
        vd.name, vd.level, _when(found), tuple(steps[:PLANNED]), len(written), _means(vd, found, written),
        check.fingerprint(vd.uuid, found),
    )


def _when(found: CheckFile) -> float:
    """When the check ended that found it; 0 for one that was cut off."""
    known = known_of(found)
    return 0.0 if known is None else known.finished


def _means(vd: KnownVd, found: CheckFile, written: list[PlannedRepair]) -> str:
    at = _when(found)
    which = f"The check of {utc_text(at)}" if at else "The check that was cut off"
    said = _does(vd, which, written)
    if found.ended:
        return said
    return f"{said} It did not see all: check {vd.name} again afterwards (rackeye check start {vd.name})."


def _does(vd: KnownVd, which: str, written: list[PlannedRepair]) -> str:
    if vd.level in check.MIRRORS:
        return f"{which} compared copies. {MIRROR_BY_HAND}"
    if vd.level in RAID6:
        bays = Counter(bay for step in written for bay in step.members)
        named = ", ".join(f"bay {bay} in {count}" for bay, count in sorted(bays.items(), key=str))
        return (
            f"{which} knows which drive is wrong: {named or 'none'}. What is wrong there is computed from "
            "the other drives, written, and read again. A drive that is wrong more than once should be replaced."
        )
    return (
        f"{which} cannot know whether data or parity are wrong: RAID{vd.level} has one parity. The data "
        "stay as they are, and the parity is computed anew from them: if the data are wrong, they stay wrong, and the "
        "one other copy of them is gone. Recordings there may show a damaged picture either way."
    )
