"""D-Bus: a daemon's snapshot as typed JSON with a generation, its commands on an interface of their own.

Reading (`org.rackeye.Raid1`) and administration (`org.rackeye.Raid1.Admin`) are two interfaces, so that bus policy
(systemd/dbus/*.conf) tells them apart: handlers are not told who calls (facts/dbus.md).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import Annotated, Any, Generic, Self, TypeVar, assert_never

import msgspec
from dbus_fast import ArgDirection, BusType, Message, MessageType, PropertyAccess
from dbus_fast import introspection as intr
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusSignature, DBusStr, DBusUInt64
from dbus_fast.errors import AuthError, DBusError
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

from core.clock import Clock, SystemClock
from core.errors import (
    BadReply,
    BadRequest,
    BusMissing,
    DaemonGone,
    InternalError,
    NotAllowed,
    RackeyeError,
    error_class,
)
from core.journal import get_logger

T = TypeVar("T")
R = TypeVar("R")
ERROR_PREFIX = "org.rackeye.Error."
log = get_logger("rackeye-bus")


@dataclass(frozen=True, slots=True)
class Envelope(Generic[T]):
    """A snapshot with its generation (goes up by one at each change) and its time (UTC)."""

    generation: int
    at: float
    data: T


@dataclass(frozen=True, slots=True)
class Command(Generic[T, R]):
    """A method of the administration interface: a typed request in, a typed reply out."""

    name: str
    request: type[T]
    reply: type[R]
    handler: Callable[[T], Awaitable[R]]


@dataclass(frozen=True, slots=True)
class Nothing:
    """The request or reply that says nothing."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A reply in words: what was done."""

    text: str


@dataclass(frozen=True, slots=True)
class _ErrorBody:
    code: str
    sentence: str
    hint: str


def object_path(name: str) -> str:
    """org.rackeye.Raid1 -> /org/rackeye/Raid1"""
    return "/" + name.replace(".", "/")


class _Reading(ServiceInterface):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.generation = 0
        self.text = ""

    @dbus_method()
    def Snapshot(self) -> DBusStr:  # noqa: N802 -- the name on the bus
        if not self.text:
            raise DBusError(ERROR_PREFIX + "BUS_001", _encode_error(DaemonGone("The daemon is just starting.")))
        return self.text

    @dbus_property(access=PropertyAccess.READ)
    def Generation(self) -> DBusUInt64:  # noqa: N802 -- the name on the bus
        return self.generation

    @dbus_signal()
    def Changed(self) -> Annotated[list[int | str], DBusSignature("ts")]:  # noqa: N802 -- the name on the bus
        return [self.generation, self.text]


class _Admin(ServiceInterface):
    """Only describes: the calls are taken by BusServer's message handler, which knows the types."""

    def __init__(self, name: str, commands: Sequence[Command[Any, Any]]) -> None:
        super().__init__(name)
        self.commands = {command.name: command for command in commands}

    def introspect(self) -> intr.Interface:
        methods = [
            intr.Method(
                name,
                in_args=[intr.Arg("s", ArgDirection.IN, "request")],
                out_args=[intr.Arg("s", ArgDirection.OUT, "reply")],
            )
            for name in self.commands
        ]
        return intr.Interface(self.name, methods=methods)


class BusServer:
    """What a daemon shows on the bus."""

    def __init__(self, bus: MessageBus, name: str, commands: Sequence[Command[Any, Any]], clock: Clock) -> None:
        self._bus = bus
        self._name = name
        self._clock = clock
        self._reading = _Reading(name)
        self._admin = _Admin(name + ".Admin", commands)
        self._data: bytes = b""
        self._running: set[asyncio.Task[None]] = set()

    @classmethod
    async def connect(
        cls, name: str, commands: Sequence[Command[Any, Any]] = (), clock: Clock | None = None
    ) -> Self:
        """Connects to the system bus and exports; `own` takes the name, once there is a snapshot to show."""
        server = cls(await _connect(), name, commands, clock or SystemClock())
        server._bus.add_message_handler(server._handle)
        server._bus.export(object_path(name), server._reading)
        server._bus.export(object_path(name), server._admin)
        return server

    async def own(self) -> None:
        """Takes the well-known name. Raises DBusError when the bus's policy does not give it to this user."""
        await self._bus.request_name(self._name)

    @property
    def disconnected(self) -> Awaitable[None]:
        """Done when the bus is gone."""
        return _gone(self._bus)

    def publish(self, snapshot: object) -> bool:
        """Shows a snapshot; tells the watchers when it differs from the one before. True when it did."""
        data = msgspec.json.encode(snapshot)
        if data == self._data:
            return False
        self._data = data
        self._reading.generation += 1
        head = msgspec.json.encode({"generation": self._reading.generation, "at": self._clock.now()})
        self._reading.text = (head[:-1] + b',"data":' + data + b"}").decode()
        self._reading.Changed()
        return True

    def close(self) -> None:
        """Leaves the bus."""
        self._bus.disconnect()

    def _handle(self, message: Message) -> bool | None:
        if message.message_type is not MessageType.METHOD_CALL or message.interface != self._admin.name:
            return None
        task = asyncio.get_running_loop().create_task(self._answer(message))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return True

    async def _answer(self, message: Message) -> None:
        try:
            reply = Message.new_method_return(message, "s", [await self._call(message)])
        except RackeyeError as error:
            reply = Message.new_error(message, ERROR_PREFIX + error.code.replace("-", "_"), _encode_error(error))
        except Exception as error:
            log.exception("A command failed through a defect", command=message.member)
            defect = InternalError(f"{message.member} failed: {error!r}.", hint="See the daemon's journal.")
            reply = Message.new_error(message, ERROR_PREFIX + "INT_001", _encode_error(defect))
        with suppress(ConnectionError, EOFError):
            await self._bus.send(reply)

    async def _call(self, message: Message) -> str:
        command = self._admin.commands.get(message.member or "")
        if command is None:
            known = ", ".join(self._admin.commands)
            raise BadRequest(f"{self._admin.name} has no command {message.member}; it has: {known}.")
        if message.signature != "s":
            raise BadRequest(f"{command.name} takes one JSON text, not the signature {message.signature!r}.")
        try:
            request = msgspec.json.decode(message.body[0], type=command.request)
        except msgspec.MsgspecError as error:
            raise BadRequest(f"{command.name}: {error}.") from error
        return msgspec.json.encode(await command.handler(request)).decode()


def _encode_error(error: RackeyeError) -> str:
    return msgspec.json.encode(_ErrorBody(error.code, error.sentence, error.hint)).decode()


class _Owner(Enum):
    """News about who owns a daemon's name."""

    HERE = auto()
    GONE = auto()


class BusClient:
    """Asks daemons. Use as `async with BusClient() as client`."""

    def __init__(self) -> None:
        self._bus: MessageBus | None = None
        self._gone: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._bus = await _connect()
        self._gone = asyncio.create_task(_gone(self._bus))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._bus is not None and self._gone is not None:
            self._bus.disconnect()
            await asyncio.wait({self._gone})
            self._gone.exception()

    @property
    def bus(self) -> MessageBus:
        if self._bus is None:
            raise BusMissing("The bus client is not connected.")
        return self._bus

    async def snapshot(self, name: str, kind: type[T]) -> Envelope[T]:
        """The daemon's latest snapshot. Raises DaemonGone, BadReply."""
        return _decode(await self._method(name, name, "Snapshot"), kind)

    async def call(self, name: str, command: str, request: object, reply: type[R], timeout: float = 60.0) -> R:  # noqa: ASYNC109 -- of the call, not of the caller
        """A command of the administration interface. Raises the daemon's own error, DaemonGone, NotAllowed.

        timeout: seconds to wait for the answer; the daemon goes on with what it began.
        """
        text = await self._method(name, name + ".Admin", command, msgspec.json.encode(request).decode(), wait=timeout)
        try:
            return msgspec.json.decode(text, type=reply)
        except msgspec.MsgspecError as error:
            raise BadReply(f"{name} answered {command} with something unknown: {error}.") from error

    async def watch(self, name: str, kind: type[T]) -> AsyncIterator[Envelope[T] | None]:
        """The snapshot now and at each change; None when the daemon is gone. Ends only with the bus."""
        news: asyncio.Queue[str | _Owner] = asyncio.Queue()

        def hear(message: Message) -> None:
            if message.message_type is not MessageType.SIGNAL:
                return
            if message.interface == name and message.member == "Changed":
                news.put_nowait(message.body[1])
            elif message.member == "NameOwnerChanged" and message.body[0] == name:
                news.put_nowait(_Owner.HERE if message.body[2] else _Owner.GONE)

        rules = (
            f"type='signal',interface='{name}',member='Changed',path='{object_path(name)}',sender='{name}'",
            f"type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='{name}'",
        )
        self.bus.add_message_handler(hear)
        for rule in rules:
            await self.bus.call(Message(
                destination="org.freedesktop.DBus", path="/org/freedesktop/DBus", interface="org.freedesktop.DBus",
                member="AddMatch", signature="s", body=[rule],
            ))
        try:
            item: str | _Owner = _Owner.HERE
            while True:
                match item:
                    case _Owner.HERE:  # what it showed before it took its name was not heard here
                        yield await self._snapshot_or_none(name, kind)
                    case _Owner.GONE:
                        yield None
                    case str():
                        yield _decode(item, kind)
                    case _:
                        assert_never(item)
                item = await self._next(news)
        finally:
            self.bus.remove_message_handler(hear)

    async def _snapshot_or_none(self, name: str, kind: type[T]) -> Envelope[T] | None:
        try:
            return await self.snapshot(name, kind)
        except DaemonGone:
            return None

    async def _next(self, news: asyncio.Queue[str | _Owner]) -> str | _Owner:
        """The next news. Raises BusMissing when the bus goes first; its future is shared, and never cancelled here."""
        got = asyncio.create_task(news.get())
        try:
            await asyncio.wait({got} | ({self._gone} if self._gone else set()), return_when=asyncio.FIRST_COMPLETED)
            if got.done():
                return got.result()
            raise BusMissing("The system bus closed the connection.", hint="systemctl status dbus")
        finally:
            got.cancel()

    async def _method(self, name: str, interface: str, member: str, *arguments: str, wait: float = 10.0) -> str:
        message = Message(
            destination=name, path=object_path(name), interface=interface, member=member,
            signature="s" * len(arguments), body=list(arguments),
        )
        try:
            reply = await asyncio.wait_for(self.bus.call(message), wait)
        except TimeoutError as error:
            raise DaemonGone(f"{name} did not answer in {wait:g} s.", hint=_unit_hint(name)) from error
        except (EOFError, ConnectionError) as error:
            raise BusMissing("The system bus closed the connection.", hint="systemctl status dbus") from error
        if reply is None:
            raise DaemonGone(f"{name} did not answer.", hint=_unit_hint(name))
        if reply.message_type is MessageType.ERROR:
            raise _error(name, reply)
        return str(reply.body[0])


async def _gone(bus: MessageBus) -> None:
    with suppress(EOFError, OSError):  # how it went does not matter
        await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]


async def _connect() -> MessageBus:
    try:
        return await asyncio.wait_for(MessageBus(bus_type=BusType.SYSTEM).connect(), 10.0)
    except (OSError, AuthError, TimeoutError) as error:
        raise BusMissing(
            f"The system bus cannot be reached: {error or 'no answer in 10 s'}.",
            hint="Is this an appliance? Try `systemctl status dbus`; for the virtual rack use `rackeye-rack shell`.",
        ) from error


def _decode(text: str, kind: type[T]) -> Envelope[T]:
    try:
        return msgspec.json.decode(text, type=Envelope[kind])  # type: ignore[valid-type]
    except msgspec.MsgspecError as error:
        raise BadReply(f"A snapshot cannot be read: {error}.", hint="Restart the daemon: versions differ.") from error


def _unit_hint(name: str) -> str:
    unit = "rackeye-" + name.rsplit(".", 1)[-1].rstrip("0123456789").lower()
    return f"systemctl status '{unit}*' and journalctl -u '{unit}*' say why."


def _error(name: str, reply: Message) -> RackeyeError:
    kind = reply.error_name or ""
    text = str(reply.body[0]) if reply.body else ""
    if kind.startswith(ERROR_PREFIX):
        body = msgspec.json.decode(text, type=_ErrorBody)
        return (error_class(body.code) or InternalError)(body.sentence, hint=body.hint)
    if kind == "org.freedesktop.DBus.Error.AccessDenied":
        return NotAllowed(f"This user may not do that with {name}.", hint="Run it as root: sudo rackeye ...")
    gone = ("ServiceUnknown", "NameHasNoOwner", "NoReply", "Spawn", "Disconnected")
    if any(word in kind for word in gone):
        return DaemonGone(f"{name} is not running.", hint=_unit_hint(name))
    return BadReply(f"{name}: {kind}: {text}")
