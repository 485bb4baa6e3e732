"""rackeye-policyd: what one area means for another. Runs as user `rackeye`, without any right but to set the trays.

observe: the latest word of raidd, paneld, fand, the recorder and boxd, as the bus brought it.
decide: nvr/policy/decide.py. act: SetTrays and SetConditions at paneld, which also hears every 2 s that policyd lives.
"""

import asyncio
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar, assert_never

import msgspec

from boot.model import BoxSnapshot
from core.bus import BusClient, Command, Nothing, Sentence
from core.clock import Clock, SystemClock
from core.config import load_settings, write_atomic
from core.daemon import Daemon, Decision, Wake, run_daemon
from core.errors import NoSuchAlarm, RackeyeError
from core.journal import get_logger
from core.paths import Paths
from core.settings import Settings
from hw.model import FanSnapshot, PanelSnapshot, SetConditionsRequest, SetTraysRequest, TrayCondition
from nvr.alarms.courier import Courier, set_up, views
from nvr.alarms.model import BUS_NAME, AcknowledgeRequest, PolicySnapshot
from nvr.policy import signals
from nvr.policy.decide import Action, Memory, SetConditions, SetTrays, acknowledge, decide, health
from nvr.policy.world import Word, World
from nvr.recorder.model import RecorderSnapshot
from raid.model import RaidSnapshot

T = TypeVar("T")
NAME = "rackeye-policyd"
# Cleared alarms in the snapshot: it is told to everybody at each change, and must stay small.
SHOWN = 30
log = get_logger(NAME)
BEAT = 2.0

# Word of World -> (bus name, type of the snapshot, unit)
HEARD: dict[str, tuple[str, type[Any], str]] = {
    "raid": ("org.rackeye.Raid1", RaidSnapshot, "rackeye-raidd"),
    "panel": ("org.rackeye.Panel1", PanelSnapshot, "rackeye-paneld"),
    "fan": ("org.rackeye.Fan1", FanSnapshot, "rackeye-fand"),
    "recorder": ("org.rackeye.Recorder1", RecorderSnapshot, "rackeye-recorder"),
    "box": ("org.rackeye.Box1", BoxSnapshot, "rackeye-boxd"),
}


class PolicyCycle:
    """observe, decide, act of policyd."""

    def __init__(self, paths: Paths, clock: Clock) -> None:
        self._file = paths.state / "policy" / "alarms.json"
        self._clock = clock
        self._lock = threading.Lock()
        self._words: dict[str, Word[Any]] = {
            key: Word(unit, None, clock.now(), answers=False) for key, (_, _, unit) in HEARD.items()
        }
        self._paths = paths
        self.settings = load_settings(Settings, paths).settings
        self.client = BusClient()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.told: Callable[[], None] = lambda: None

    def hear(self, key: str, data: object | None) -> None:
        """A daemon's new word; None when it is gone."""
        with self._lock:
            old = self._words[key]
            turned = old.answers is not (data is not None)
            since = self._clock.now() if turned else old.since
            self._words[key] = replace(old, data=data, since=since, answers=data is not None)

    def observe(self) -> World:
        with self._lock:
            return World(**self._words, channels=set_up(self.settings))

    def decide(self, snapshot: World, memory: Memory, now: float) -> Decision[Memory, Action]:
        return decide(snapshot, memory, now)

    def act(self, action: Action) -> str:
        match action:
            case SetTrays(conditions):
                self._tell_panel("SetTrays", SetTraysRequest(dict(conditions)))
                lit = ((bay, kind) for bay, kind in conditions if kind is not TrayCondition.MEMBER)
                told = (f"bay {bay} {kind.value.lower()}" for bay, kind in lit)
                return f"Trays: {', '.join(told) or 'nothing to show'}."
            case SetConditions(conditions):
                self._tell_panel("SetConditions", SetConditionsRequest(conditions))
                return f"Panel: {', '.join(conditions.alarms) or 'nothing is to be heard'}."
            case _:
                assert_never(action)

    def _tell_panel(self, command: str, request: object) -> None:
        if self.loop is None:
            raise RuntimeError("policyd acts before it listens")
        call = self.client.call("org.rackeye.Panel1", command, request, Sentence, timeout=5.0)
        asyncio.run_coroutine_threadsafe(call, self.loop).result()

    def load(self) -> Memory:
        """The alarms of before a restart. A file that cannot be read is kept aside, and the alarms are raised anew."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=Memory)
        except FileNotFoundError:
            return Memory()
        except (OSError, msgspec.MsgspecError) as error:
            log.error(f"{self._file} cannot be read, the alarms start anew: {error}.")
            self._file.rename(self._file.with_suffix(".broken"))
            return Memory()

    def save(self, memory: Memory) -> None:
        write_atomic(self._file, msgspec.json.encode(memory))

    def show(self, snapshot: World, memory: Memory, problems: tuple[str, ...]) -> PolicySnapshot:
        self.told()
        answering = {word.daemon: word.answers for word in snapshot.words}
        return PolicySnapshot(
            health(snapshot, memory), memory.open, memory.cleared[:SHOWN], answering, problems,
            views(self.settings, memory.outbox),
        )

    def reload(self) -> None:
        self.settings = load_settings(Settings, self._paths).settings

    async def listen(self, wake: Wake) -> None:
        """Follows every daemon for as long as policyd lives."""
        self.loop = asyncio.get_running_loop()
        async with self.client, asyncio.TaskGroup() as group:
            for key in HEARD:
                group.create_task(self._follow(key, wake))

    async def beat(self, memory: Callable[[], Memory]) -> None:
        """Says to paneld that policyd lives, for as long as it does (hw/heartbeat.py, SILENT_AFTER)."""
        while True:
            await asyncio.sleep(BEAT)
            if self.loop is None:
                continue
            request = SetConditionsRequest(signals.conditions(memory().open))
            with suppress(RackeyeError):  # paneld is away, which `hear` is told
                await self.client.call("org.rackeye.Panel1", "SetConditions", request, Sentence, timeout=5.0)

    async def _follow(self, key: str, wake: Wake) -> None:
        name, kind, _ = HEARD[key]
        async for envelope in self.client.watch(name, kind):
            self.hear(key, None if envelope is None else envelope.data)
            wake()


def make(paths: Paths | None = None) -> Daemon[World, Memory, Action]:
    """The daemon, ready to run."""
    clock = SystemClock()
    cycle = PolicyCycle(paths or Paths(), clock)

    async def acknowledge_alarm(request: AcknowledgeRequest) -> Sentence:
        if request.id not in {alarm.id for alarm in daemon.memory.open}:
            raise NoSuchAlarm(f"There is no open alarm {request.id}.", hint="See: rackeye alarm")
        await daemon.change(lambda memory: acknowledge(memory, request.id, clock.now(), set_up(cycle.settings)))
        return Sentence(f"Alarm {request.id} is acknowledged; it stays until it is mended.")

    async def beat(_wake: Wake) -> None:
        await cycle.beat(lambda: daemon.memory)

    async def mail_test(_request: Nothing) -> Sentence:
        return await courier.test_mail()

    async def deliver(_wake: Wake) -> None:
        await courier.run()

    daemon = Daemon(
        NAME, cycle, cycle.load(), BUS_NAME,
        commands=(
            Command("Acknowledge", AcknowledgeRequest, Sentence, acknowledge_alarm),
            Command("MailTest", Nothing, Sentence, mail_test),
        ),
        sources=(cycle.listen, beat, deliver), memory_first=False, clock=clock,
    )
    courier = Courier(lambda: cycle.settings, lambda: daemon.memory, daemon.change, clock)
    cycle.told = courier.nudge
    return daemon


def main() -> int:
    """Entry point."""
    return run_daemon(make)


if __name__ == "__main__":
    sys.exit(main())
