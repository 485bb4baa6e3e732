"""The clock is set, by a person or by NTP: drives stay as long known as they are, and spares as ready."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest

from core.clock import ClockSteps, ManualClock
from core.jobs import Jobs
from core.paths import Paths
from raid.actions import StartJob
from raid.memory import Fleeting, Memory
from raid.observe import Observer
from raid.raidd import RaidCycle
from raid.spare_poll import SparePoll
from raid.world import World
from tests.unit.raid import spare_worlds as s
from tests.unit.raid import worlds as w


@dataclass
class Eyes:
    """What an observer would have seen. Sets the clock while it looks when `sets` says so."""

    world: World
    clock: ManualClock
    sets: float = 0.0
    moved: list[float] = field(default_factory=list)
    runner: object = None

    def look(self, vds: tuple[tuple[str, str], ...]) -> World:  # noqa: ARG002 -- as the observer's
        self.clock.set_forward(self.sets)
        return self.world

    def clock_set(self, seconds: float) -> None:
        self.moved.append(seconds)


def test_a_step_is_told_once_and_running_is_none() -> None:
    clock = ManualClock()
    steps = ClockSteps(clock)
    clock.advance(3600)
    clock.set_forward(0.2)
    assert steps.take() == 0.0
    clock.set_forward(-7200)
    assert steps.due() == steps.take() == pytest.approx(-7199.8)
    assert steps.take() == 0.0


def cycle(tmp_path: Path, eyes: Eyes) -> RaidCycle:
    paths = Paths(tmp_path)
    return RaidCycle(paths, cast(Observer, eyes), Jobs.of("raid", paths), Memory(), eyes.clock)


@pytest.mark.parametrize("during", [False, True], ids=["between two looks", "in a look"])
@pytest.mark.parametrize("step", [-7200.0, 7200.0], ids=["back", "forward"])
def test_a_spare_takes_over_however_the_clock_is_set(tmp_path: Path, step: float, *, during: bool) -> None:
    clock = ManualClock(utc=w.NOW)
    eyes = Eyes(w.world((*w.healthy().disks, s.drive()), *w.healthy().arrays), clock)
    raidd = cycle(tmp_path, eyes)
    memory = replace(s.remembered(s.spare()), fleeting=Fleeting())
    memory = raidd.decide(raidd.observe(), memory, clock.now()).memory
    clock.advance(600)
    memory = raidd.decide(raidd.observe(), memory, clock.now()).memory
    eyes.world = w.world((*w.pulled().disks, s.drive()), *w.pulled().arrays)
    if during:
        eyes.sets = step
    else:
        clock.set_forward(step)
    decision = raidd.decide(raidd.observe(), memory, clock.now())
    assert [action.kind for action in decision.actions if isinstance(action, StartJob)] == ["spare"]
    eyes.sets = 0.0
    raidd.observe()
    assert eyes.moved == [pytest.approx(step)], "once"


def test_what_was_read_of_a_spare_is_as_long_ago_as_before(tmp_path: Path) -> None:
    """Else one that is being read in that moment would be told as one that does not answer, for good."""
    (tmp_path / "sdx").write_bytes(bytes(1024**2))
    clock = ManualClock()
    poll = SparePoll(tmp_path, clock)
    poll.start("sdx", 7, 1024**2)
    begun = poll.last(7)
    poll.clock_set(3600)
    moved = poll.last(7)
    assert begun is not None
    assert moved is not None
    assert moved.at == begun.at + 3600
