"""The consistency checks that come by themselves: when, and why not now. Pure but for the time zone.

Every `check_days`, in the quiet hours. What the quiet hours were too short for goes on in the next ones; what is late
by more than `LATE` (the machine was off, or the drives are too large for the hours) runs at any hour, throttled.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from core.settings import Care
from raid import check
from raid.actions import Action, StartCheck, StopCheck
from raid.memory import KnownVd, Memory, Stage
from raid.model import CheckResult, CheckVerdict, level_text
from raid.model_care import Upkeep
from raid.priority import rebuilt_first
from raid.scene import Scene
from raid.spans import checked_by, is_group, is_span, spans_of
from raid.work import doing
from raid.world import Running, World

DAY = 86400.0
LATE = 3 * DAY
AGAIN = DAY / 2  # a check that was refused, or stopped by a person, is not begun anew in the same night
CHECKED = (1, 4, 5, 6, 10, 50, 60)
"""Levels with redundancy that can be checked."""


@dataclass(frozen=True, slots=True)
class Due:
    """From when on it may run in quiet hours (UTC seconds)."""

    at: float

    def now(self, settings: Care, now: float) -> bool:
        """It is time."""
        return now >= self.at and (quiet(now, settings) or now >= self.at + LATE)

    def next(self, settings: Care, now: float) -> float:
        """When it begins, as far as that is known."""
        return next_quiet(max(self.at, now), settings)


def quiet(at: float, settings: Care) -> bool:
    """Whether a moment lies in the quiet hours of the local time."""
    hour, begin, end = time.localtime(at).tm_hour, settings.quiet_from, settings.quiet_until
    if begin == end:
        return True
    return begin <= hour < end if begin < end else hour >= begin or hour < end


def next_quiet(at: float, settings: Care) -> float:
    """The first quiet moment that is not before."""
    if quiet(at, settings):
        return at
    hour = at - at % 3600.0
    return next(later for step in range(1, 50) if quiet(later := hour + step * 3600.0, settings))


def due(last: CheckResult | None, settings: Care, started: float, doubt: float = 0.0) -> Due | None:
    """When a virtual drive is to be checked; None: never by itself. started: when raidd began to look.

    doubt: since when its parity is in doubt; then it is checked as soon as it can be, whatever the settings say. What
    was never checked, or was cut off by the power, is due at once, and late from the start of raidd on.
    """
    if doubt and (last is None or max(last.tried, last.finished) <= doubt):
        return Due(started - LATE)
    if settings.check_days <= 0:
        return None
    if last is None:
        return Due(started)
    if last.percent < 100.0 or last.verdict in (CheckVerdict.FAILED, CheckVerdict.STOPPED):
        return Due(last.tried + AGAIN if last.tried else started)
    return Due(last.finished + settings.check_days * DAY if last.finished else started)


def past(at: float, now: float) -> float:
    """A moment of the past, for the schedule. One that lies in the future is none (0): the clock was ahead once, and
    nothing would come for as long."""
    return at if at <= now + DAY else 0.0


def arrays_of(vd: KnownVd, memory: Memory, world: World) -> tuple[tuple[KnownVd, Running | None], ...]:
    """The arrays that hold its parity, in order: itself, or its spans."""
    return tuple((one, world.array(one.uuid)) for one in (spans_of(vd, memory) if vd.spans else (vd,)))


def checks(vd: KnownVd, scene: Scene) -> Iterator[Action]:
    """Begins the check that is due, and stops the one whose hours are over; it goes on from there."""
    job = check.running(scene.world.jobs, vd.name)
    last = _last(scene, vd.name)
    when = due(last, scene.settings.care, started(scene), in_doubt(vd, scene))
    if job is not None:
        doubt = in_doubt(vd, scene)
        first = bool(doubt) and (last is None or max(last.tried, last.finished) <= doubt)  # then it is left to its end
        if job.kind == check.SCHEDULED and not first and (why := why_stopped(job.started, scene, vd.name)):
            yield StopCheck(vd.name, job.id, f"{why}: the check of {vd.name} goes on in the next quiet hours.")
        return
    if when is not None and when.now(scene.settings.care, scene.now) and not why_not(vd, scene):
        left = 0.0 if last is None or last.percent >= 100.0 else last.percent
        so_far = f" It goes on from {left:.0f} %." if left else ""
        why = f"The parity of {vd.name} is being checked, as every {scene.settings.care.check_days:g} days.{so_far}"
        arrays = tuple(one.md.device for _, one in arrays_of(vd, scene.memory, scene.world) if one is not None)
        yield StartCheck(vd.name, vd.uuid, arrays, why)


def learn_doubt(vd: KnownVd, running: Running, scene: Scene) -> KnownVd:
    """A power cut in a copyback leaves stripes whose parity disagrees: what was being written then may be on the drive
    that the copy comes from and not on the one it goes onto, and md's resync looks at the first only (seen on the rack,
    kernel 6.1: docs/design/spares.md). So that array is checked once the copyback has ended."""
    if any(member.replacement and member.present for member in running.md.members):
        job = scene.world.last_job(vd.name, "copyback")
        cut_off = job is not None and job.boot != scene.world.boot
        return replace(vd, doubt=scene.now) if cut_off and not vd.doubt else vd
    if vd.doubt > scene.now + DAY:  # the clock was ahead then: no check would ever be later
        return replace(vd, doubt=scene.now)
    seen = checked_since(checked_by(vd), vd.doubt, scene)
    return replace(vd, doubt=0.0) if vd.doubt and seen else vd


def checked_since(vd: str, at: float, scene: Scene) -> bool:
    """A check has been to the end of it, and has read everything."""
    last = result_of(scene, vd)
    seen = last is not None and last.percent >= 100.0 and last.verdict in (CheckVerdict.CLEAN, CheckVerdict.WRONG)
    return seen and last is not None and at < last.finished < scene.now + DAY


def in_doubt(vd: KnownVd, scene: Scene) -> float:
    """Since when, of any of its arrays; 0 when it is not."""
    return max((one.doubt for one, _ in arrays_of(vd, scene.memory, scene.world)), default=0.0)


def why_stopped(began: float, scene: Scene, vd: str = "") -> str:
    """Why what came by itself is to stop; "" when it may go on. One that began outside the quiet hours, because it was
    late, is left to its end."""
    if first := rebuilt_first(scene, vd):
        return f"{first} is being rebuilt, which goes first"
    may = quiet(scene.now, scene.settings.care) or not quiet(began, scene.settings.care)
    return "" if may else "The quiet hours are over"


def why_not(vd: KnownVd, scene: Scene) -> str:
    """What a check of this virtual drive would have to wait for; empty when nothing."""
    if vd.level not in CHECKED:
        return _nothing(vd)
    if vd.growth is not None:
        return f"{vd.name} is being reconstructed."
    arrays = arrays_of(vd, scene.memory, scene.world)
    names = (vd.name, *(one.name for one, _ in arrays))
    if vd.stage is not Stage.READY or any(scene.world.job_on(name) is not None for name in names):
        return f"{vd.name} is being made, or changed."
    if len(arrays) < vd.spans:
        return f"{vd.name} does not run."
    for one, running in arrays:
        if why := _unsettled(one, running):
            return why
    others = [name for name, _ in scene.world.checks if name != vd.name]
    if others:
        return f"{others[0]} is being checked."
    first = rebuilt_first(scene, vd.name)
    return f"{first} is being rebuilt, which goes first." if first else ""


def _nothing(vd: KnownVd) -> str:
    return f"{level_text(vd.level, vd.spans)} has no redundancy to check."


def _unsettled(vd: KnownVd, running: Running | None) -> str:
    """Why the parity of one array cannot be judged now."""
    if running is None or not running.md.started:
        return f"{vd.name} does not run."
    md = running.md
    if md.sync_action not in ("idle", "frozen") or md.sync_total:
        return doing(md, vd)
    if md.degraded or not md.parity_complete:
        return f"{vd.name} is not whole."
    return ""


def checked_as_one(memory: Memory) -> tuple[KnownVd, ...]:
    """What has a check of its own: virtual drives, and shared drive groups in place of those in them."""
    return tuple(vd for vd in memory.vds if is_group(vd) or not (is_span(vd) or vd.group))


def upkeep(scene: Scene) -> tuple[Upkeep, ...]:
    """For people: the next check of each virtual drive."""
    said = []
    for vd in checked_as_one(scene.memory):
        running = scene.world.array(vd.uuid)
        when = due(_last(scene, vd.name), scene.settings.care, started(scene), in_doubt(vd, scene))
        if vd.level not in CHECKED or when is None:
            why = _nothing(vd) if when is not None else "Only by hand, as the settings say."
            said.append(Upkeep(vd.name, None, why))
        elif running is None or not running.md.started:
            said.append(Upkeep(vd.name, None, f"{vd.name} does not run."))
        else:
            said.append(Upkeep(vd.name, when.next(scene.settings.care, scene.now), why_not(vd, scene)))
    return tuple(said)


def started(scene: Scene) -> float:
    """When raidd began to look."""
    at = scene.memory.fleeting.started
    return scene.now if at is None else at


def result_of(scene: Scene, vd: str) -> CheckResult | None:
    """The last check of a virtual drive."""
    return next((result for result in scene.world.results if result.vd == vd), None)


def _last(scene: Scene, vd: str) -> CheckResult | None:
    """As the schedule takes it."""
    last = result_of(scene, vd)
    if last is None:
        return None
    return replace(last, finished=past(last.finished, scene.now), tried=past(last.tried, scene.now))
