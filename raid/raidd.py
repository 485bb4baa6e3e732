"""rackeye-raidd: owns the drives, the virtual drives and what is done to them (org.rackeye.Raid1)."""

import asyncio
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from core.clock import Clock, ClockSteps, SystemClock
from core.config import load_settings
from core.daemon import Daemon, Decision, run_daemon
from core.errors import RackeyeError
from core.jobs import Jobs
from core.journal import get_logger
from core.paths import Paths
from core.ready_runner import ReadyRunner
from core.settings import Settings
from raid import memory as remembered
from raid.act import Actor
from raid.actions import Action
from raid.decide import decide
from raid.derive import derive
from raid.geometry import clear_suspended
from raid.memory import Memory
from raid.model import BUS_NAME, RaidSnapshot
from raid.observe import Observer
from raid.scene import Scene
from raid.service import Service
from raid.smart_history import History
from raid.smart_keeper import SmartKeeper
from raid.smart_service import SmartService
from raid.spare_service import SpareService
from raid.sysfs import Sysfs
from raid.wakers import Wakers
from raid.world import World

log = get_logger("rackeye-raidd")


class RaidCycle:
    """observe, decide, act of raidd (core.daemon.Cycle)."""

    def __init__(self, paths: Paths, observer: Observer, jobs: Jobs, memory: Memory, clock: Clock) -> None:
        self.paths = paths
        self.observer = observer
        self.clock = clock
        self._clock_steps = ClockSteps(self.clock)
        self._clock_set = 0.0
        self.actor = Actor(observer, jobs, paths, self.clock, observer.runner)
        self.file = paths.state / "raid" / "memory.json"
        self.settings = Settings()
        self.settings_problems: tuple[str, ...] = ()
        self._vds = _names(memory)
        self._saved: bytes | None = None
        self.reload()

    def observe(self) -> World:
        if step := self._clock_steps.take():
            log.info(f"The clock was set by {step:+.0f} s.")
            self._clock_set += step
            self.observer.clock_set(step)
        self.actor.world = self.observer.look(self._vds)
        return self.actor.world

    def decide(self, snapshot: World, memory: Memory, now: float) -> Decision[Memory, Action]:
        if self._clock_set:
            memory, self._clock_set = replace(memory, fleeting=memory.fleeting.moved(self._clock_set)), 0.0
        now -= self._clock_steps.due()  # it was set during the look, whose times are from before it
        decision = decide(snapshot, memory, self.settings.raid, now)
        self._vds = _names(decision.memory)
        return decision

    def act(self, action: Action) -> str:
        return self.actor.act(action)

    def save(self, memory: Memory) -> None:
        """Skips what differs only in what is fleeting."""
        data = remembered.encode(memory)
        if data != self._saved:
            remembered.save(memory, self.file)
            self._saved = data

    def show(self, snapshot: World, memory: Memory, problems: tuple[str, ...]) -> RaidSnapshot:
        scene = Scene(snapshot, memory, self.settings.raid, self.clock.now())
        return derive(scene, (*problems, *self.settings_problems))

    def reload(self) -> None:
        loaded = load_settings(Settings, self.paths)
        self.settings, self.settings_problems = loaded.settings, loaded.problems


def _names(memory: Memory) -> tuple[tuple[str, str], ...]:
    return tuple((vd.name, vd.uuid) for vd in memory.vds)


def release_all(sysfs: Sysfs, root: Path) -> None:
    """What a killed check or repair held is let go, so that no write waits for a dead process."""
    for array in sysfs.arrays():
        with suppress(RackeyeError, OSError):  # no parity there, or it goes away
            if clear_suspended(array.device, root):
                log.warning(f"{array.device}: a killed check held writes back; they go on.")


def make(paths: Paths | None = None) -> Daemon[World, Memory, Action]:
    """The daemon, with its memory read."""
    paths = paths or Paths()
    sysfs, jobs = Sysfs(paths.sys), Jobs.of("raid", paths)
    clock, history = SystemClock(), History(paths.state / "raid" / "smart.sqlite")
    keeper = SmartKeeper(history, clock, lambda: cycle.settings.raid.smart_seconds, sysfs.diskseq)
    runner = ReadyRunner(jobs.folder, "raid", clock)
    runner.dismiss()
    observer = Observer(paths, sysfs, jobs, clock, smart=keeper, runner=runner)
    wakers = Wakers(sysfs, observer.inventory.forget)
    with suppress(OSError):
        release_all(sysfs, paths.sys)
    memory = remembered.load_or_adopt(paths.state / "raid" / "memory.json")
    cycle = RaidCycle(paths, observer, jobs, memory, clock)
    daemon: Daemon[World, Memory, Action] = Daemon(
        name="rackeye-raidd",
        cycle=cycle,
        memory=memory,
        bus_name=BUS_NAME,
        sources=(wakers.watch_udev, wakers.watch_md, keeper.watch),
    )
    one = asyncio.Lock()
    service = Service(daemon, cycle.actor, jobs, paths, lambda: cycle.settings.raid, one=one)
    spares = SpareService(daemon, cycle.actor, paths, lambda: cycle.settings.raid, cycle.reload, one=one)
    daemon.commands = (*service.commands(), *spares.commands(), *SmartService(daemon, keeper, history).commands())
    return daemon


def main() -> int:
    """The entry point `rackeye-raidd`."""
    return run_daemon(make)


if __name__ == "__main__":
    sys.exit(main())
