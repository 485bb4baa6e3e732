"""core.daemon on a real bus: looks, actions, memory before actions, back-off, a look or a save that fails, commands."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from core.bus import BusClient, Command, Envelope, Nothing, Sentence
from core.daemon import Daemon, Decision, Wake
from core.errors import InternalError, MemoryUnwritable
from tests.private_bus import Bus

NAME = "org.rackeye.Test1"


@dataclass(frozen=True, slots=True)
class Room:
    """A snapshot of a room that should be warm."""

    degrees: int
    heatings: int = 0
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class Thermostat:
    """Heats one degree at a time up to 20, remembers how often."""

    degrees: int
    works: bool = True
    readable: bool = True
    disk_full: bool = False
    order: list[str] = field(default_factory=list)

    def observe(self) -> Room:
        if not self.readable:
            raise OSError("the sensor is gone")
        return Room(self.degrees)

    def decide(self, snapshot: Room, memory: int, now: float) -> Decision[int, str]:
        assert now > 0
        if snapshot.degrees >= 20:
            return Decision((), memory)
        return Decision(("heat",), memory + 1)

    def act(self, action: str) -> str:
        self.order.append(action)
        if not self.works:
            raise InternalError("The heater is broken.")
        self.degrees += 1
        return f"It is {self.degrees} degrees."

    def save(self, memory: int) -> None:
        if self.disk_full:
            raise OSError("no space left")
        self.order.append(f"saved {memory}")

    def show(self, snapshot: Room, memory: int, problems: tuple[str, ...]) -> Room:
        return Room(snapshot.degrees, memory, problems)

    def reload(self) -> None:
        self.order.append("reload")


def play(
    thermostat: Thermostat, scene: Callable[[BusClient, Daemon[Room, int, str]], Awaitable[None]], *,
    memory_first: bool = True, at_once: bool = False,
) -> None:
    """Runs the daemon and a scene beside it, then ends it by SIGTERM as systemd does."""

    async def set_memory(_request: Nothing) -> Sentence:
        await daemon.change(lambda _: 100)
        return Sentence("Set.")

    async def quiet(_wake: Wake) -> None:
        await asyncio.Event().wait()

    daemon = Daemon(
        "test", thermostat, 0, NAME, commands=(Command("Set", Nothing, Sentence, set_memory),), sources=(quiet,),
        memory_first=memory_first, at_once=at_once,
    )

    async def whole() -> None:
        life = asyncio.create_task(daemon.run())
        async with BusClient() as client:
            await asyncio.wait_for(scene(client, daemon), 10)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(life, 5)

    asyncio.run(whole())


async def until(client: BusClient, wanted: Callable[[Room], bool]) -> Room:
    async for envelope in client.watch(NAME, Room):
        if envelope is not None and wanted(envelope.data):
            return envelope.data
    raise AssertionError("the bus ended")


def test_acts_until_all_is_well_and_saves_before_it_acts(bus: Bus) -> None:
    thermostat = Thermostat(18)

    async def scene(client: BusClient, _: Daemon[Room, int, str]) -> None:
        assert await until(client, lambda room: room.degrees == 20) == Room(20, 2)

    play(thermostat, scene)
    assert thermostat.order == ["saved 1", "heat", "saved 2", "heat"]


def test_what_may_be_done_twice_waits_for_no_disk(bus: Bus) -> None:
    thermostat = Thermostat(19)

    async def scene(client: BusClient, _: Daemon[Room, int, str]) -> None:
        await until(client, lambda room: room.degrees == 20)

    play(thermostat, scene, memory_first=False)
    assert thermostat.order == ["heat", "saved 1"]


@dataclass(slots=True)
class SlowEye(Thermostat):
    """Its second look does not end before it is told to; memory 100 asks for heat, whatever the degrees."""

    looks: int = 0
    busy: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)

    def observe(self) -> Room:
        self.looks += 1
        if self.looks == 2:
            self.busy.set()
            self.go.wait(10)
        return Room(self.degrees)

    def decide(self, snapshot: Room, memory: int, now: float) -> Decision[int, str]:  # noqa: ARG002 -- the shape
        return Decision(("heat",) if memory == 100 and "heat" not in self.order else (), memory)


def test_a_command_acts_at_once_while_a_look_is_under_way(bus: Bus) -> None:
    eye = SlowEye(20)

    async def scene(client: BusClient, daemon: Daemon[Room, int, str]) -> None:
        await until(client, lambda room: room.degrees == 20)
        daemon.wake()
        await asyncio.to_thread(eye.busy.wait, 5)
        await client.call(NAME, "Set", Nothing(), Sentence)
        assert eye.order == ["heat", "saved 100"], "the second look is still under way"
        assert (await client.snapshot(NAME, Room)).data.heatings == 100
        eye.go.set()

    try:
        play(eye, scene, memory_first=False, at_once=True)
    finally:
        eye.go.set()


def test_an_action_without_effect_backs_off_and_is_shown(bus: Bus) -> None:
    thermostat = Thermostat(18, works=False)

    async def scene(client: BusClient, daemon: Daemon[Room, int, str]) -> None:
        room = await until(client, lambda room: bool(room.problems))
        assert room.problems == ("[INT-001] The heater is broken.",)
        await asyncio.sleep(0.4)  # without a back-off thousands would fit in
        assert thermostat.order.count("heat") < 20
        while thermostat.order.count("heat") < 2:  # noqa: ASYNC110 -- it is tried again, however slow the machine
            await asyncio.sleep(0.01)
        thermostat.works = True
        daemon.wake()
        await until(client, lambda room: room.degrees == 19 and not room.problems)

    play(thermostat, scene)


def test_a_look_that_fails_is_said_and_the_last_snapshot_stays(bus: Bus) -> None:
    thermostat = Thermostat(20)

    async def scene(client: BusClient, daemon: Daemon[Room, int, str]) -> None:
        await until(client, lambda room: room.degrees == 20)
        thermostat.readable = False
        daemon.wake()
        assert (await until(client, lambda room: bool(room.problems))).problems == ("the sensor is gone",)
        thermostat.readable = True
        daemon.wake()
        await until(client, lambda room: not room.problems)

    play(thermostat, scene)


def test_nothing_is_done_that_cannot_be_remembered(bus: Bus) -> None:
    thermostat = Thermostat(19, disk_full=True)

    async def scene(client: BusClient, _: Daemon[Room, int, str]) -> None:
        room = await until(client, lambda room: bool(room.problems))
        assert "memory of test cannot be written" in room.problems[0]

    play(thermostat, scene)
    assert "heat" not in thermostat.order


def test_what_could_not_be_written_stays_undone_and_told_until_it_can_be(bus: Bus) -> None:
    """The memory that a look left behind is compared with the disk's, not with that of the look before."""

    class Once(Thermostat):
        def decide(self, snapshot: Room, memory: int, now: float) -> Decision[int, str]:
            return replace(Thermostat.decide(self, snapshot, memory, now), memory=1)

    thermostat = Once(19, disk_full=True)

    async def scene(client: BusClient, daemon: Daemon[Room, int, str]) -> None:
        await until(client, lambda room: bool(room.problems))
        for _ in range(3):  # looks whose memory is what the last one has left in this process
            daemon.wake()
            await asyncio.sleep(0.05)
        assert "heat" not in thermostat.order
        assert (await client.snapshot(NAME, Room)).data.problems
        thermostat.disk_full = False
        daemon.wake()
        await until(client, lambda room: room.degrees == 20 and not room.problems)
        assert thermostat.order[:2] == ["saved 1", "heat"]

    play(thermostat, scene)


def test_what_is_not_wanted_any_more_is_no_trouble(bus: Bus) -> None:
    class Passing(Thermostat):
        def decide(self, snapshot: Room, memory: int, now: float) -> Decision[int, str]:
            return replace(Thermostat.decide(self, snapshot, memory, now), memory=int(snapshot.degrees < 20))

    thermostat = Passing(19, disk_full=True)

    async def scene(client: BusClient, daemon: Daemon[Room, int, str]) -> None:
        await until(client, lambda room: bool(room.problems))
        thermostat.degrees = 20  # the sun came out, and the memory is what the disk has
        daemon.wake()
        await until(client, lambda room: not room.problems)

    play(thermostat, scene)


def test_a_command_that_cannot_be_written_changes_nothing_and_says_so(bus: Bus) -> None:
    thermostat = Thermostat(20, disk_full=True)

    async def scene(client: BusClient, daemon: Daemon[Room, int, str]) -> None:
        await until(client, lambda room: room.degrees == 20)
        with pytest.raises(MemoryUnwritable, match="no space left"):
            await client.call(NAME, "Set", Nothing(), Sentence)
        assert daemon.memory == 0

    play(thermostat, scene)


def test_where_the_disk_is_not_waited_for_a_full_one_ends_nothing_and_is_told(bus: Bus) -> None:
    thermostat = Thermostat(19, disk_full=True)

    async def scene(client: BusClient, daemon: Daemon[Room, int, str]) -> None:
        room = await until(client, lambda room: room.degrees == 20 and bool(room.problems))
        assert "memory of test cannot be written" in room.problems[0]
        assert await client.call(NAME, "Set", Nothing(), Sentence) == Sentence("Set.")
        assert daemon.memory == 100
        thermostat.disk_full = False
        daemon.wake()
        await until(client, lambda room: not room.problems)
        assert thermostat.order == ["heat", "saved 100"]

    play(thermostat, scene, memory_first=False)


def test_a_command_changes_the_memory_on_disk_before_it_answers(bus: Bus) -> None:
    thermostat = Thermostat(20)

    async def scene(client: BusClient, daemon: Daemon[Room, int, str]) -> None:
        await until(client, lambda room: room.degrees == 20)
        assert await client.call(NAME, "Set", Nothing(), Sentence) == Sentence("Set.")
        assert thermostat.order == ["saved 100"]
        await until(client, lambda room: room.heatings == 100)
        os.kill(os.getpid(), signal.SIGHUP)
        while "reload" not in thermostat.order:  # noqa: ASYNC110 -- a signal handler has no event to wait for
            await asyncio.sleep(0.01)

    play(thermostat, scene)


def test_systemd_is_told(bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        address = f"\0rackeye-test-{os.getpid()}"
        notify.bind(address)
        notify.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + address[1:])
        monkeypatch.setenv("WATCHDOG_USEC", "3000000")

        async def scene(client: BusClient, _: Daemon[Room, int, str]) -> None:
            seen: Envelope[Room] | None = None
            while seen is None:
                seen = await anext(client.watch(NAME, Room))

        play(Thermostat(20), scene)
        heard = b""
        while b"STOPPING=1" not in heard:
            heard += notify.recv(4096) + b"\n"
    assert b"WATCHDOG=1" in heard
    assert b"READY=1" in heard
    assert b"STATUS=All is as it should be." in heard
