"""One shape for every daemon: observe, decide, act, with memory (docs/design/house.md).

`observe` and `act` touch the world in a worker thread; `decide` is pure and runs in the loop's thread. A look is woken
by events, and comes after `interval` seconds in case an event was lost.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from core import journal
from core.bus import BusServer, Command
from core.clock import Clock, SystemClock
from core.errors import BusMissing, MemoryUnwritable, RackeyeError

S = TypeVar("S")
M = TypeVar("M")
A = TypeVar("A")
T = TypeVar("T")

# A step (one observe, one act) that takes longer than this is hung: the watchdog is no longer fed.
STEP_LIMIT = 180.0
# Actions that are asked for again at once have had no effect: looks back off to this.
BACK_OFF_LIMIT = 30.0


@dataclass(frozen=True, slots=True)
class Decision(Generic[M, A]):
    """What to do, what to remember, and when to look again at the latest (seconds; None: at the next event)."""

    actions: tuple[A, ...]
    memory: M
    again: float | None = None


class Cycle(Protocol[S, M, A]):
    """The three steps of a daemon, and what goes with them."""

    def observe(self) -> S:
        """Reads the world into one frozen snapshot; decides nothing."""

    def decide(self, snapshot: S, memory: M, now: float) -> Decision[M, A]:
        """Pure: no I/O, no clock, no logging."""

    def act(self, action: A) -> str:
        """Does one action and says in a sentence what was done. Raises RackeyeError."""

    def save(self, memory: M) -> None:
        """Writes the memory, atomically; called before the actions that follow from it (see Daemon.memory_first)."""

    def show(self, snapshot: S, memory: M, problems: tuple[str, ...]) -> object:
        """What is published. problems: sentences of looks and actions that failed."""

    def reload(self) -> None:
        """Settings may have changed (SIGHUP)."""


Wake = Callable[[], None]
Source = Callable[[Wake], Awaitable[None]]
Runs = Callable[[Callable[[], str]], Awaitable[str]]


def notify(text: str) -> None:
    """Tells systemd (sd_notify(3)); silent when systemd did not start us."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out, suppress(OSError):
        out.sendto(text.encode(), address)


@dataclass(slots=True)
class Daemon(Generic[S, M, A]):
    """Runs a cycle until SIGTERM.

    name: of the unit, such as `rackeye-raidd`. bus_name: such as org.rackeye.Raid1.
    sources: coroutines that run as long as the daemon and call `wake` at each event.
    interval: seconds between full looks.
    memory_first: no action before the memory it follows from is on the disk. False for a daemon whose actions say how
    something shall be, and may be said twice: they then wait for no disk, and go on when it is full.
    at_once: without memory_first: what a command changes is decided on the last snapshot, and done before the command
    is answered, also while a look is under way, in the loop's own thread: on a busy CPU the way to another one takes
    longer than the action. Only for short ones.
    """

    name: str
    cycle: Cycle[S, M, A]
    memory: M
    bus_name: str
    commands: Sequence[Command[Any, Any]] = ()
    sources: Sequence[Source] = ()
    interval: float = 30.0
    memory_first: bool = True
    at_once: bool = False
    clock: Clock = field(default_factory=SystemClock)
    snapshot: S | None = None
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False
    _loop: asyncio.AbstractEventLoop | None = None
    _step_began: float = 0.0
    _failures: dict[str, str] = field(default_factory=dict)
    _look_problem: tuple[str, ...] = ()
    _save_problem: tuple[str, ...] = ()
    _last_actions: tuple[A, ...] = ()
    _repeats: int = 0
    _saving: asyncio.Lock = field(default_factory=asyncio.Lock)
    _acting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _server: BusServer | None = None
    _written: M = field(init=False)

    def __post_init__(self) -> None:
        self._written = self.memory

    @property
    def log(self) -> journal.Logger:
        return journal.get_logger(self.name)

    def wake(self) -> None:
        """Asks for a look soon; may be called from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._woken.set)

    async def change(self, alter: Callable[[M], M]) -> None:
        """Alters the memory for a command; the next look acts on it.

        With memory_first it is on the disk when this returns, or MemoryUnwritable is raised and nothing is changed;
        `alter` is called again when a look has changed the memory meanwhile. Without, it holds at once, and is written
        as soon as that is possible.
        """
        if self.memory_first:
            await self._save_altered(alter)
        else:
            self.memory = alter(self.memory)
            if self.at_once and self.snapshot is not None and self._server is not None:
                decision = self.cycle.decide(self.snapshot, self.memory, self.clock.now())
                self.memory = decision.memory
                await self._do(decision.actions, self._here)
                self._publish(self._server)
            await self._save()
        self.wake()

    async def run(self) -> None:
        """The daemon's life. Raises BusMissing when the bus cannot be reached or goes away."""
        self._loop = asyncio.get_running_loop()
        self._step_began = self.clock.monotonic()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stop)
        self._loop.add_signal_handler(signal.SIGHUP, self._reload)
        self._server = server = await BusServer.connect(self.bus_name, self.commands, self.clock)
        helpers = [asyncio.ensure_future(source(self.wake)) for source in self.sources]
        helpers += [asyncio.ensure_future(self._feed_watchdog()), asyncio.ensure_future(_until_gone(server))]
        main = asyncio.ensure_future(self._cycle(server))
        try:
            done, _ = await asyncio.wait([main, *helpers], return_when=asyncio.FIRST_COMPLETED)
            if self._stopping:  # let the action that runs come to its end
                await main
            for task in done:
                task.result()
            if main not in done:
                raise RuntimeError("a source of events ended")
        finally:
            notify("STOPPING=1")
            for task in (main, *helpers):
                task.cancel()
            await asyncio.gather(main, *helpers, return_exceptions=True)
            server.close()

    def _stop(self) -> None:
        self._stopping = True
        self._woken.set()

    def _reload(self) -> None:
        self.cycle.reload()
        self._woken.set()

    async def _cycle(self, server: BusServer) -> None:
        ready = False
        while not self._stopping:
            self._woken.clear()
            again = await self._look(server)
            if not ready and self.snapshot is not None:
                await server.own()
                notify("READY=1")
                ready = True
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), min(again, self.interval))

    async def _look(self, server: BusServer) -> float:
        """One look; returns in how many seconds the next one is due."""
        try:
            self.snapshot = await self._in_thread(self.cycle.observe)
            self._look_problem = ()
        except (RackeyeError, OSError) as error:
            said = error.sentence if isinstance(error, RackeyeError) else str(error)
            if (said,) != self._look_problem:
                self.log.error(f"The look failed: {said}")
            self._look_problem = (said,)
            if self.snapshot is not None:
                self._publish(server)
            return 2.0
        decision = self.cycle.decide(self.snapshot, self.memory, self.clock.now())
        self.memory = decision.memory
        self._publish(server)
        done: list[str] = []
        if not self.memory_first:
            done = await self._do(decision.actions)
        if self.memory == self._written:  # also when what could not be written is not wanted any more
            self._save_problem = ()
        elif not await self._save():
            self._publish(server)
            return 2.0  # nothing is done that must be remembered and would not be
        if self.memory_first:
            done = await self._do(decision.actions)
        self._failures = {key: said for key, said in self._failures.items() if key in map(repr, decision.actions)}
        self._publish(server)
        notify("STATUS=" + (done[-1] if done else "All is as it should be.") + "\n")
        soon = self._back_off(decision.actions) if decision.actions else self.interval
        return min(soon, decision.again or self.interval)

    async def _do(self, actions: tuple[A, ...], how: Runs | None = None) -> list[str]:
        """One after the other, also when a command and a look want something at one time."""
        async with self._acting:
            return [await self._act(action, how or self._in_thread) for action in actions]

    def _back_off(self, actions: tuple[A, ...]) -> float:
        self._repeats = self._repeats + 1 if actions == self._last_actions else 0
        self._last_actions = actions
        return float(min(BACK_OFF_LIMIT, 0.05 * 2**min(self._repeats, 10)))

    async def _act(self, action: A, how: Runs) -> str:
        key = repr(action)
        try:
            sentence = await how(lambda: self.cycle.act(action))
        except (RackeyeError, OSError) as error:
            sentence = f"[{error.code}] {error.sentence}" if isinstance(error, RackeyeError) else str(error)
            if self._failures.get(key) != sentence:
                self.log.error(sentence, **journal.fields_of(action))
            self._failures[key] = sentence
            return sentence
        self._failures.pop(key, None)
        self.log.info(sentence, **journal.fields_of(action))
        return sentence

    def _publish(self, server: BusServer) -> None:
        if self.snapshot is None:
            return
        problems = self._look_problem + self._save_problem + tuple(self._failures.values())
        server.publish(self.cycle.show(self.snapshot, self.memory, problems))

    async def _save(self) -> bool:
        """Whether the memory is on the disk; if not, it is said, shown, and tried again by the next look."""
        async with self._saving:
            memory = self.memory
            try:
                await asyncio.to_thread(self.cycle.save, memory)
            except OSError as error:
                said = (f"The memory of {self.name} cannot be written: {error}.",)
                if said != self._save_problem:
                    self.log.error(said[0])
                self._save_problem = said
                return False
            self._written, self._save_problem = memory, ()
            return True

    async def _save_altered(self, alter: Callable[[M], M]) -> None:
        """First the disk, then what looks decide upon."""
        async with self._saving:
            while True:
                before = self.memory
                altered = alter(before)
                try:
                    await asyncio.to_thread(self.cycle.save, altered)
                except OSError as error:
                    sentence = f"The memory of {self.name} cannot be written: {error}."
                    raise MemoryUnwritable(sentence, hint="See what fills the system drive: df -h /var/lib") from error
                self._written = altered
                if self.memory is before:
                    self.memory = altered
                    return

    async def _in_thread(self, step: Callable[[], T]) -> T:
        self._step_began = self.clock.monotonic()
        try:
            return await asyncio.to_thread(step)
        finally:
            self._step_began = self.clock.monotonic()

    async def _here(self, step: Callable[[], T]) -> T:
        return step()

    async def _feed_watchdog(self) -> None:
        limit = int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6
        while True:
            idle = self.interval * 2 + STEP_LIMIT
            if self.clock.monotonic() - self._step_began < idle:
                notify("WATCHDOG=1")
            await asyncio.sleep(limit / 3 if limit else 60.0)


async def _until_gone(server: BusServer) -> None:
    await server.disconnected
    raise BusMissing("The system bus closed the connection.", hint="systemctl status dbus")


def run_daemon(make: Callable[[], Daemon[Any, Any, Any]]) -> int:
    """The `main` of a daemon: sets up the journal, runs, says in a sentence why it could not. Returns the exit code."""
    journal.set_up()

    async def life() -> None:
        await make().run()

    try:
        asyncio.run(life())
    except RackeyeError as error:
        journal.get_logger(sys.argv[0].rsplit("/", 1)[-1]).error(f"[{error.code}] {error.sentence} {error.hint}")
        return 1
    return 0
