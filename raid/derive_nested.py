"""RAID50, 60 and 00 as people are told of them: rolled up from the spans, because md's RAID0 over a span that is gone
still says "clean" (facts/raid.md). Pure.
"""

from raid.delete import resting
from raid.memory import KnownVd, Stage
from raid.model import Progress, Span, VdState, VirtualDrive, Work
from raid.scene import Scene
from raid.spans import is_group, is_span, number_of, top
from raid.volumes import wrong_filesystem
from raid.world import Running

WORST_FIRST = (
    VdState.FAILED, VdState.UNKNOWN, VdState.OFFLINE, VdState.DEGRADED, VdState.PARTIALLY_DEGRADED, VdState.OPTIMAL,
)


def roll_up(vd: KnownVd, running: Running | None, spans: tuple[VirtualDrive, ...], scene: Scene) -> VirtualDrive:
    """spans: those that are known, as virtual drives of their own."""
    state, detail = _state(vd, running, spans)
    works = state not in (VdState.FAILED, VdState.OFFLINE, VdState.UNKNOWN)
    return VirtualDrive(
        name=vd.name,
        uuid=vd.uuid,
        level=vd.level,
        state=state,
        progress=_progress(vd, spans, scene),
        device=None if running is None else running.device,
        size=0 if running is None else running.md.size,
        strip=vd.strip,
        bays=tuple(bay for span in spans for bay in span.bays),
        tolerance=min((span.tolerance for span in spans), default=0) if works else 0,
        mountpoint=None if running is None or state is VdState.FAILED else running.volume.mountpoint,
        detail=detail,
        spans=tuple(
            Span(number, span.state, span.bays, span.tolerance if works else 0, span.device, span.detail)
            for number, span in enumerate(spans, start=1)
        ),
        bad_blocks=tuple(bad for span in spans for bad in span.bad_blocks),
        torn=max((span.torn for span in spans), default=0.0),
        ppl=bool(spans) and all(span.ppl for span in spans),
    )


def _state(vd: KnownVd, running: Running | None, spans: tuple[VirtualDrive, ...]) -> tuple[VdState, str]:
    if resting(vd):
        by_hand = f"{vd.name} was stopped by a person. Start it: rackeye vd start {vd.name}"
        return VdState.OFFLINE, f"{vd.name} is being deleted." if vd.stage is Stage.DELETING else by_hand
    if len(spans) < vd.spans:
        return VdState.FAILED, (
            f"Only {len(spans)} of its {vd.spans} spans are known. Put in the drives of the others; nothing is "
            "overwritten."
        )
    worst = min((span.state for span in spans), key=WORST_FIRST.index)
    said = " ".join(
        f"Span {number}: {span.detail}" for number, span in enumerate(spans, start=1)
        if span.detail and (span.torn or span.state is worst or span.state not in (VdState.OPTIMAL, VdState.OFFLINE))
    )
    if worst in (VdState.FAILED, VdState.UNKNOWN):
        return worst, said
    if running is None or not running.md.started:
        return VdState.OFFLINE, said or f"{vd.name} is being {'made' if vd.stage is Stage.CREATING else 'started'}."
    wrong = wrong_filesystem(vd, running) if vd.stage is Stage.READY else ""
    return worst, " ".join(filter(None, (said, wrong)))


def _progress(vd: KnownVd, spans: tuple[VirtualDrive, ...], scene: Scene) -> Progress | None:
    """Of all spans that are busy with the same; the one of the upper array when they are not."""
    if vd.stage is Stage.DELETING:
        return Progress(Work.DELETING, 0.0)
    job = scene.world.job_on(vd.name)
    if job is not None and job.kind == "format":
        return Progress(Work.FORMATTING, 0.0)
    check = dict(scene.world.checks).get(vd.name)
    if check is not None and check.work is Work.REPAIR:  # md's own windowed passes are part of it
        return Progress(check.work, round(check.percent, 1), check.speed, check.seconds_left)
    busy = [span.progress for span in spans if span.progress is not None]
    if not busy and check is not None:
        return Progress(check.work, round(check.percent, 1), check.speed, check.seconds_left)
    if not busy:
        return Progress(Work.CREATING, 0.0) if vd.stage is Stage.CREATING and job is not None else None
    same = [one for one in busy if one.kind is busy[0].kind]
    left = [one.seconds_left for one in same]
    speeds = [one.speed for one in same]
    return Progress(
        kind=same[0].kind,
        percent=round(sum(one.percent for one in same) / len(same), 1),
        speed=None if None in speeds else min(speed for speed in speeds if speed is not None),
        seconds_left=None if None in left else max(seconds for seconds in left if seconds is not None),
    )


def place(vd: KnownVd, slot: int | None) -> tuple[str, int | None, int | None]:
    """Virtual drive, slot counted over all spans, and span, as people are told."""
    if not is_span(vd) or is_group(vd):
        return top(vd.name), slot, None
    number = number_of(vd)
    return top(vd.name), None if slot is None else (number - 1) * len(vd.slots) + slot, number
