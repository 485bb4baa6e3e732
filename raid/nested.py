"""The upper array of RAID50, 60 and 00: made over its spans, started when all of them run, put away when one is lost.

md's RAID0 over a span that is gone says "clean" (facts/raid.md), so its state is judged by its spans alone. Pure.
"""

from collections.abc import Iterator

from raid import mdadm
from raid.actions import Action
from raid.delete import put_away
from raid.members import spare_failures
from raid.memory import KnownVd, Stage
from raid.scene import Scene
from raid.spans import chunk, offset, spans_of
from raid.world import Running


def has_failed(running: Running) -> bool:
    """More of its members are gone than it bears, whatever md says of it."""
    return running.md.state == "broken" or (running.md.started and spare_failures(running.md) < 0)


def usable(span: KnownVd, scene: Scene) -> Running | None:
    """The span's array when it runs and bears what is gone of it."""
    running = scene.world.array(span.uuid)
    return running if running is not None and running.md.started and not has_failed(running) else None


def ready_spans(vd: KnownVd, scene: Scene) -> tuple[Running, ...] | None:
    """The arrays of all spans, in order; None while one does not run."""
    found = tuple(usable(span, scene) for span in spans_of(vd, scene.memory))
    running = tuple(one for one in found if one is not None)
    return running if len(running) == vd.spans else None


def lost_span(vd: KnownVd, scene: Scene) -> bool:
    """A span of a virtual drive that runs has gone from under it."""
    return ready_spans(vd, scene) is None


def raise_upper(vd: KnownVd, running: Running | None, scene: Scene) -> Iterator[Action]:
    """Makes or starts the upper array, once all its spans run."""
    spans = ready_spans(vd, scene)
    if spans is None:
        return
    if running is not None:  # half assembled
        yield from put_away(vd, running, scene, "is stopped before it is started")
        return
    devices = tuple(span.device for span in spans)
    if vd.stage is Stage.CREATING and not all(span.carries == vd.uuid for span in spans):
        steps = (mdadm.create_upper(vd, devices, chunk(vd, scene.memory), offset(vd, scene.memory)),)
        yield from scene.job("create", vd.name, steps, (), f"{vd.name} is made over its {vd.spans} spans.")
        return
    steps = (mdadm.assemble(vd, devices, force=False),)
    yield from scene.job("assemble", vd.name, steps, (), f"{vd.name} is started from its {vd.spans} spans.")
