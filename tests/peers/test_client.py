"""The commands' client on a real bus: the daemons' side is core.bus.BusServer in a thread of its own."""

import asyncio
import shutil
import threading
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from boot.model import BUS_NAME, BoxSnapshot, Mode
from core.accounts_model import COMMAND_LINE, AuditRequest, person
from core.bus import BusServer, Command, Nothing
from core.clock import SystemClock
from core.errors import BusMissing, CannotCheck, DaemonGone, RackeyeError
from hw.model import FanSnapshot
from nvr.cli.client import FAN, RAID, BusQuestions
from raid.model import Done, RaidSnapshot, VdRequest
from tests.private_bus import Bus
from tests.unit.nvr.cli.fakes import FAN_GOOD, PULLED, RAID_GOOD

pytestmark = pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="dbus-daemon is not installed")


class Daemons:
    """raidd and fand, as far as the bus sees them."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.servers: dict[str, BusServer] = {}
        self.log: list[AuditRequest] = []

    def do(self, work: Coroutine[Any, Any, Any]) -> None:
        asyncio.run_coroutine_threadsafe(work, self.loop).result(5)

    def start(self, name: str, snapshot: object) -> None:
        async def work() -> None:
            async def check(request: VdRequest) -> Done:
                if request.name != "vd0":
                    raise CannotCheck(f"{request.name} cannot be checked.", hint="Take vd0.")
                return Done("It begins.")

            async def audit(request: AuditRequest) -> Nothing:
                self.log.append(request)
                return Nothing()

            server = await BusServer.connect(
                name, [Command("StartCheck", VdRequest, Done, check), Command("Audit", AuditRequest, Nothing, audit)]
            )
            server.publish(snapshot)
            await server.own()
            self.servers[name] = server

        self.do(work())

    def publish(self, name: str, snapshot: object) -> None:
        async def work() -> None:
            self.servers[name].publish(snapshot)

        self.do(work())

    def end(self, name: str) -> None:
        async def work() -> None:
            self.servers.pop(name).close()

        self.do(work())

    def close(self) -> None:
        for name in tuple(self.servers):
            self.end(name)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()


@pytest.fixture
def daemons(bus: Bus) -> Iterator[Daemons]:
    made = Daemons()
    yield made
    made.close()


@pytest.fixture
def questions(daemons: Daemons) -> Iterator[BusQuestions]:
    made = BusQuestions(SystemClock())
    yield made
    made.close()


def test_one_look_at_a_daemon_that_is_there_and_one_that_is_not(daemons: Daemons, questions: BusQuestions) -> None:
    daemons.start(RAID.name, RAID_GOOD)
    view = questions.look(RAID, FAN)
    assert view.of(RAID).data == RAID_GOOD
    error = view.of(FAN).error
    assert isinstance(error, DaemonGone)
    with pytest.raises(DaemonGone):
        _ = view.of(FAN).data


def test_a_command_and_its_refusal(daemons: Daemons, questions: BusQuestions) -> None:
    daemons.start(RAID.name, RAID_GOOD)
    assert questions.call(RAID, "StartCheck", VdRequest("vd0"), Done) == Done("It begins.")
    with pytest.raises(CannotCheck, match="vd1 cannot be checked"):
        questions.call(RAID, "StartCheck", VdRequest("vd1"), Done)


def test_what_a_person_does_is_written_down_and_what_he_looks_at_is_not(
    daemons: Daemons, questions: BusQuestions
) -> None:
    daemons.start(RAID.name, RAID_GOOD)
    daemons.start(BUS_NAME, BoxSnapshot(Mode.STANDARD, 1))
    questions.call(RAID, "StartCheck", VdRequest("vd0"), Done)
    with pytest.raises(CannotCheck):
        questions.call(RAID, "StartCheck", VdRequest("vd1"), Done)
    with pytest.raises(RackeyeError):
        questions.call(RAID, "PlanDelete", VdRequest("vd0"), Done)
    assert [(line.who, line.where) for line in daemons.log] == [(person(), COMMAND_LINE)] * 3
    first, second, refused = (line.what for line in daemons.log)
    assert (first, second) == ('raid StartCheck {"name":"vd0"}', 'raid StartCheck {"name":"vd1"}')
    assert "refused, RAID-0" in refused


def test_a_watch_of_two_daemons(daemons: Daemons, questions: BusQuestions) -> None:
    daemons.start(RAID.name, RAID_GOOD)
    watch = questions.watch(RAID, FAN)
    view = next(watch)
    assert view.of(RAID).data == RAID_GOOD
    assert view.of(FAN).envelope is None
    daemons.start(FAN.name, FAN_GOOD)
    assert next(watch).of(FAN).data == FAN_GOOD
    daemons.publish(FAN.name, FanSnapshot())
    daemons.publish(RAID.name, PULLED)
    view = next(watch)
    assert (view.of(RAID).data, view.of(FAN).data) == (PULLED, FanSnapshot())
    daemons.end(RAID.name)
    view = next(watch)
    assert view.of(RAID).data == PULLED  # its last word
    assert isinstance(view.of(RAID).error, DaemonGone)
    watch.close()  # type: ignore[attr-defined]
    daemons.start(RAID.name, RaidSnapshot())
    assert questions.look(RAID).of(RAID).data == RaidSnapshot()  # the connection is good for more


def test_a_bus_that_goes_ends_a_watch(bus: Bus) -> None:
    questions = BusQuestions(SystemClock())
    watch = questions.watch(RAID)
    assert isinstance(next(watch).of(RAID).error, DaemonGone)
    bus.process.kill()
    with pytest.raises(BusMissing):
        next(watch)
    questions.close()
