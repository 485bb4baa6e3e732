"""The bus against a real dbus-daemon on a socket of its own: what the fakes of the other tests stand for."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.bus import BusClient, BusServer, Command, Envelope, Nothing, Sentence
from core.errors import BadReply, BadRequest, BusMissing, CannotCheck, DaemonGone, InternalError, NotAllowed
from tests.private_bus import Bus

NAME = "org.rackeye.Test1"

pytestmark = pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="dbus-daemon is not installed")


@dataclass(frozen=True, slots=True)
class Picture:
    """A snapshot."""

    number: int


@dataclass(frozen=True, slots=True)
class Ask:
    """A request."""

    text: str


async def echo(request: Ask) -> Sentence:
    return Sentence(request.text + "!")


async def refuse(_request: Nothing) -> Nothing:
    raise CannotCheck("vd0 is rebuilding.", hint="Wait.")


async def break_down(_request: Nothing) -> Nothing:
    raise ZeroDivisionError


COMMANDS = (
    Command("Echo", Ask, Sentence, echo),
    Command("Refuse", Nothing, Nothing, refuse),
    Command("BreakDown", Nothing, Nothing, break_down),
    Command("Forbidden", Nothing, Nothing, refuse),
)


async def serve(number: int) -> BusServer:
    server = await BusServer.connect(NAME, COMMANDS)
    server.publish(Picture(number))
    await server.own()
    return server


def play(scene: Callable[[BusClient], Awaitable[None]]) -> None:
    """Runs a scene with a client; a scene that hangs is an error."""

    async def whole() -> None:
        async with BusClient() as client:
            await asyncio.wait_for(scene(client), 5)

    asyncio.run(whole())


def test_a_snapshot_and_a_command_make_the_round_trip(bus: Bus) -> None:
    async def scene(client: BusClient) -> None:
        server = await serve(7)
        assert (await client.snapshot(NAME, Picture)).data == Picture(7)
        assert await client.call(NAME, "Echo", Ask("Ünï \n"), Sentence) == Sentence("Ünï \n!")
        server.close()

    play(scene)


def test_an_error_keeps_its_code_sentence_and_hint(bus: Bus) -> None:
    async def scene(client: BusClient) -> None:
        server = await serve(1)
        with pytest.raises(CannotCheck) as caught:
            await client.call(NAME, "Refuse", Nothing(), Nothing)
        assert (caught.value.sentence, caught.value.hint) == ("vd0 is rebuilding.", "Wait.")
        with pytest.raises(InternalError, match="ZeroDivisionError"):
            await client.call(NAME, "BreakDown", Nothing(), Nothing)
        with pytest.raises(BadRequest, match="text"):
            await client.call(NAME, "Echo", Nothing(), Sentence)
        with pytest.raises(BadRequest, match="it has: Echo"):
            await client.call(NAME, "Sing", Nothing(), Nothing)
        with pytest.raises(BadReply):
            await client.call(NAME, "Echo", Ask("a"), int)
        server.close()

    play(scene)


def test_what_the_bus_forbids_is_said_so(bus: Bus) -> None:
    async def scene(client: BusClient) -> None:
        server = await serve(1)
        with pytest.raises(NotAllowed) as caught:
            await client.call(NAME, "Forbidden", Nothing(), Nothing)
        assert "sudo" in caught.value.hint
        server.close()

    play(scene)


def test_a_watch_sees_changes_the_end_of_the_daemon_and_its_return(bus: Bus) -> None:
    async def scene(client: BusClient) -> None:
        server = await serve(1)
        seen = client.watch(NAME, Picture)

        async def next_number() -> int | None:
            envelope: Envelope[Picture] | None = await anext(seen)
            return None if envelope is None else envelope.data.number

        assert await next_number() == 1
        assert server.publish(Picture(2)) is True
        assert server.publish(Picture(2)) is False  # no news
        server.publish(Picture(3))
        assert [await next_number(), await next_number()] == [2, 3]
        server.close()
        assert await next_number() is None
        again = await serve(4)  # it publishes before it takes its name
        assert await next_number() == 4
        again.publish(Picture(5))
        assert await next_number() == 5
        again.close()

    play(scene)


def test_two_watches_on_one_connection_do_not_end_each_other(bus: Bus) -> None:
    async def scene(client: BusClient) -> None:
        server = await serve(1)
        first, second = client.watch(NAME, Picture), client.watch(NAME, Picture)
        await anext(first)
        await anext(second)
        waiting = asyncio.ensure_future(anext(second))
        await asyncio.sleep(0)
        server.publish(Picture(2))
        assert await anext(first) is not None
        assert await waiting is not None
        waiting = asyncio.ensure_future(anext(first))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        server.publish(Picture(3))
        envelope = await anext(second)
        assert envelope is not None
        assert envelope.data == Picture(3)
        server.close()

    play(scene)


def test_a_daemon_that_is_not_there_and_a_bus_that_goes(bus: Bus) -> None:
    async def scene(client: BusClient) -> None:
        with pytest.raises(DaemonGone) as caught:
            await client.snapshot(NAME, Picture)
        assert "journalctl" in caught.value.hint
        seen = client.watch(NAME, Picture)
        assert await anext(seen) is None
        bus.process.kill()
        with pytest.raises(BusMissing):
            await anext(seen)

    play(scene)


def test_no_bus_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")

    async def scene(client: BusClient) -> None: ...

    with pytest.raises(BusMissing, match="cannot be reached"):
        play(scene)
