"""The latest word of every daemon, as the bus brought it, and those who wait for the next one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from boot.model import BoxSnapshot, Mode
from core.bus import BusClient, Envelope
from core.clock import Clock
from core.errors import BadReply, DaemonGone, NotThere, RackeyeError
from hw.model import FanSnapshot
from nvr.web.history import History
from nvr.web.rooms import BOX_ROOM, FAILOVER, FAN, RECORDER, ROOMS, Room

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Word:
    """What a daemon said last. answers: it is there now; else the word is of before, or None when there was none."""

    envelope: Envelope[msgspec.Raw] | None = None
    answers: bool = False

    def text(self) -> bytes:
        """The envelope as JSON, `null` when there is none."""
        return msgspec.json.encode(self.envelope)


@dataclass(slots=True, eq=False)
class _Listener:
    """Rooms that have news for somebody who has not yet taken them: a set, so that who never takes costs nothing."""

    keys: set[str] = field(default_factory=set)
    woken: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Hub:
    """Follows the daemons; `words` is what is known, `changes` yields the keys of the rooms that have news."""

    clock: Clock
    history: History = field(default_factory=History)
    words: dict[str, Word] = field(default_factory=lambda: {room.key: Word() for room in ROOMS})
    _listeners: set[_Listener] = field(default_factory=set)

    async def follow(self, client: BusClient) -> None:
        """Runs as long as the bus. Raises BusMissing (in a group) when it ends."""
        async with asyncio.TaskGroup() as group:
            for room in ROOMS:
                group.create_task(self._follow(client, room))

    async def _follow(self, client: BusClient, room: Room) -> None:
        async for envelope in client.watch(room.bus, msgspec.Raw):
            self.hear(room.key, envelope)

    def hear(self, key: str, envelope: Envelope[Any] | None) -> None:
        """A daemon's new word; None when it is gone: its last one is kept, and known to be old."""
        last = self.words[key].envelope
        self.words[key] = Word(last, answers=False) if envelope is None else Word(envelope, answers=True)
        if key == FAN.key:
            self._remember()
        for listener in self._listeners:
            listener.keys.add(key)
            listener.woken.set()

    def _remember(self) -> None:
        with suppress(BadReply):
            self.history.add(self.data(FAN, FanSnapshot), self.clock.now())

    def data(self, room: Room, kind: type[T]) -> T | None:
        """What a daemon says now, typed; None when it does not answer. Raises BadReply."""
        word = self.words[room.key]
        if word.envelope is None or not word.answers:
            return None
        try:
            return msgspec.json.decode(word.envelope.data, type=kind)
        except msgspec.MsgspecError as error:
            said = f"{room.unit} says something unknown: {error}."
            raise BadReply(said, hint="Restart it: versions differ.") from error

    @property
    def mode(self) -> Mode:
        """By boxd's last word; while there is none, by whether the failover service is there."""
        last = self.words[BOX_ROOM.key].envelope
        with suppress(msgspec.MsgspecError):
            if last is not None:
                return msgspec.json.decode(last.data, type=BoxSnapshot).mode
        return Mode.FAILOVER if self.words[FAILOVER.key].answers else Mode.STANDARD

    @property
    def awaited(self) -> tuple[Room, ...]:
        """Those that should answer: a redundant server has no recorder, and only it the failover service."""
        absent = RECORDER if self.mode is Mode.FAILOVER else FAILOVER
        return tuple(room for room in ROOMS if room is not absent)

    def gone(self, room: Room) -> RackeyeError:
        """The error that says so; another one where this mode has no such daemon."""
        if room not in self.awaited:
            there = FAILOVER if room is RECORDER else RECORDER
            return NotThere(f"There is no {room.unit} in {self.mode}.", hint=f"GET /api/v1/{there.key}")
        return DaemonGone(f"{room.unit} is not running.", hint=f"systemctl status {room.unit} says why.")

    async def changes(self, tick: float) -> AsyncIterator[frozenset[str]]:
        """Keys of the rooms that changed, those of one moment together; an empty set every `tick` seconds of quiet."""
        listener = _Listener()
        self._listeners.add(listener)
        try:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(listener.woken.wait(), tick)
                keys = frozenset(listener.keys)
                listener.keys.clear()
                listener.woken.clear()
                yield keys
        finally:
            self._listeners.discard(listener)
