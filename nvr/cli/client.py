"""How the commands ask the daemons: a small protocol (tests have their own), and the bus behind it."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from boot import failover_model
from boot.failover_model import FailoverSnapshot
from boot.model import BUS_NAME as BOX_NAME
from core.accounts_model import COMMAND_LINE, AuditRequest, person, told
from core.bus import BusClient, Envelope, Nothing
from core.clock import Clock
from core.errors import BusMissing, DaemonGone, RackeyeError
from hw.model import FanSnapshot, PanelSnapshot
from nvr.alarms.model import PolicySnapshot
from nvr.recorder.model import RecorderSnapshot
from raid.model import RaidSnapshot

T = TypeVar("T")
R = TypeVar("R")

LOOKS = ("Plan", "SmartHistory")
"""How the names of commands begin that change nothing."""
TICK = 5.0
"""Seconds after which a watch shows its picture again although nothing changed: ages go on."""
COALESCE = 0.1
"""Changes that come within so many seconds are shown as one."""


@dataclass(frozen=True, slots=True)
class Source(Generic[T]):
    """A daemon that can be asked: its name on the bus, what it tells, its unit."""

    name: str
    kind: type[T]
    unit: str


RAID = Source("org.rackeye.Raid1", RaidSnapshot, "rackeye-raidd")
PANEL = Source("org.rackeye.Panel1", PanelSnapshot, "rackeye-paneld")
FAN = Source("org.rackeye.Fan1", FanSnapshot, "rackeye-fand")
RECORDER = Source("org.rackeye.Recorder1", RecorderSnapshot, "rackeye-recorder")
POLICY = Source("org.rackeye.Policy1", PolicySnapshot, "rackeye-policyd")
FAILOVER = Source(failover_model.BUS_NAME, FailoverSnapshot, failover_model.NAME)


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a daemon said. error: it does not answer now; then `envelope` is its last word, None if there was none."""

    envelope: Envelope[T] | None
    error: RackeyeError | None = None

    @property
    def data(self) -> T:
        """Raises the error when nothing is known."""
        if self.envelope is None:
            raise self.error or DaemonGone("Nothing is known yet.")
        return self.envelope.data


@dataclass(frozen=True, slots=True)
class View:
    """The answers of several daemons, and when they were had (UTC seconds)."""

    at: float
    answers: Mapping[str, Answer[Any]]

    def of(self, source: Source[T]) -> Answer[T]:
        """The answer of one daemon."""
        return self.answers[source.name]


class Client(Protocol):
    """All that the commands need."""

    def look(self, *sources: Source[Any]) -> View:
        """Asks each daemon once. A daemon that is gone is an error in the view; no bus at all raises BusMissing."""

    def call(self, source: Source[Any], command: str, request: object, reply: type[R]) -> R:
        """A command of a daemon. Raises what the daemon raised, DaemonGone, NotAllowed."""

    def watch(self, *sources: Source[Any]) -> Iterator[View]:
        """Now, at each change, and every few seconds. Raises BusMissing when the bus ends."""

    def close(self) -> None:
        """Ends it."""


async def _audit(client: BusClient, what: str) -> None:
    """A log that cannot be written keeps nobody from what he does."""
    with suppress(RackeyeError):
        await client.call(BOX_NAME, "Audit", AuditRequest(person(), what, COMMAND_LINE), Nothing, 2.0)


class BusQuestions:
    """The Client on the system bus; its loop runs only while a question is open."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._runner = asyncio.Runner()
        self._bus: BusClient | None = None

    def look(self, *sources: Source[Any]) -> View:
        return self._runner.run(self._look(sources))

    def call(self, source: Source[Any], command: str, request: object, reply: type[R]) -> R:
        async def ask() -> R:
            client = await self._client()
            what = f"{source.name.rpartition('.')[2].rstrip('1').lower()} {command} {told(request)}"
            log = not (source.name == BOX_NAME or command.startswith(LOOKS))  # boxd writes its own
            if log:
                await _audit(client, what)
            try:
                return await client.call(source.name, command, request, reply)
            except RackeyeError as error:
                if log:
                    await _audit(client, f"{what}: refused, {error.code} {error.sentence}")
                raise

        return self._runner.run(ask())

    def watch(self, *sources: Source[Any]) -> Iterator[View]:
        watch = self._runner.run(self._start(sources))
        try:
            while True:
                yield self._runner.run(watch.next())
        finally:
            self._runner.run(watch.stop())

    def close(self) -> None:
        if self._bus is not None:
            self._runner.run(self._bus.__aexit__())
        self._runner.close()

    async def _client(self) -> BusClient:
        if self._bus is None:
            self._bus = await BusClient().__aenter__()
        return self._bus

    async def _look(self, sources: tuple[Source[Any], ...]) -> View:
        client = await self._client()

        async def ask(source: Source[Any]) -> Answer[Any]:
            try:
                return Answer(await client.snapshot(source.name, source.kind))
            except BusMissing:
                raise
            except RackeyeError as error:
                return Answer(None, error)

        answers = await asyncio.gather(*map(ask, sources))
        return View(self._clock.now(), {source.name: answer for source, answer in zip(sources, answers, strict=True)})

    async def _start(self, sources: tuple[Source[Any], ...]) -> "_Watch":
        return _Watch(await self._client(), sources, self._clock)


class _Watch:
    """One listener a daemon; the newest answer of each."""

    def __init__(self, client: BusClient, sources: tuple[Source[Any], ...], clock: Clock) -> None:
        self._clock = clock
        self._client = client
        self._sources = sources
        self._answers: dict[str, Answer[Any]] = {}
        self._news = asyncio.Event()
        self._tasks = [asyncio.create_task(self._listen(source)) for source in sources]

    async def next(self) -> View:
        """The picture after the next change."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), TICK)
            await asyncio.sleep(COALESCE)
            self._news.clear()
            for task in self._tasks:
                if task.done():
                    task.result()
            if len(self._answers) == len(self._sources):
                return View(self._clock.now(), dict(self._answers))

    async def stop(self) -> None:
        """Ends the listeners."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self, source: Source[Any]) -> None:
        try:
            async for envelope in self._client.watch(source.name, source.kind):
                self._answers[source.name] = self._answer(source, envelope)
                self._news.set()
        except BusMissing:
            self._news.set()
            raise
        except RackeyeError as error:  # an answer that this version does not know
            self._answers[source.name] = Answer(None, error)
            self._news.set()

    def _answer(self, source: Source[Any], envelope: Envelope[Any] | None) -> Answer[Any]:
        if envelope is not None:
            return Answer(envelope)
        before = self._answers.get(source.name)
        gone = DaemonGone(f"{source.unit} is not running.", hint=f"systemctl status {source.unit} says why.")
        return Answer(None if before is None else before.envelope, gone)
