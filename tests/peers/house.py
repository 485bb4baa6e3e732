"""A console with all that it talks to, on loopback: daemons that publish what a test says, and boxd's accounts.

The daemons here are real services on a private bus, with the product's own types; only their snapshots are invented.
`python -m tests.peers.house` serves it for looking at the page.
"""

import asyncio
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import uvicorn
from argon2 import PasswordHasher

from boot import failover_model
from boot.accounts_service import account_commands
from boot.model import BoxSnapshot, KeepModeRequest, Mode, PowerRequest, RestoreRequest, SwitchPlan, SwitchRequest
from core.accounts import Accounts
from core.accounts_model import Role
from core.bus import BusClient, BusServer, Command, Nothing, Sentence
from core.clock import SystemClock
from core.errors import RackeyeError
from core.paths import Paths
from hw.model import FanSnapshot, LocateRequest, PanelSnapshot, Sound, TrayLight
from nvr.alarms.model import AcknowledgeRequest, PolicySnapshot
from nvr.recorder.model import RecorderSnapshot
from nvr.web import certificate
from nvr.web.app import make_app
from nvr.web.hub import Hub
from nvr.web.webd import config
from raid.model import ClearDriveRequest, DeleteVdRequest, Done, RaidSnapshot, VdRequest
from raid.model_clear import ClearPlan
from raid.model_foreign import AbandonPlan, AbandonRequest, ImportPlan, ImportRequest
from raid.model_plan import CreateSimpleReply, CreateSimpleRequest, DeletePlan, Plan, PlanSimpleRequest
from raid.model_recover import RecoverPlan, RecoverRequest
from raid.smart_model import ReadSmartRequest, SmartHistory, SmartHistoryRequest
from tests.peers import sample

PASSWORD = "four words nobody guesses"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class House:
    """url: of the console. servers: the daemons by the API's names; called: what reached them."""

    url: str
    accounts: Accounts
    hub: Hub
    certificate: Path
    servers: dict[str, BusServer] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)
    called: list[Any] = field(default_factory=list)
    refuse: RackeyeError | None = None
    switch: SwitchPlan = sample.SWITCH
    deletion: DeletePlan = sample.DELETION
    clearing: ClearPlan = sample.CLEARING
    server: uvicorn.Server | None = None

    def cut(self) -> None:
        """The console ends; who looks at its page must see that."""
        assert self.server is not None
        self.server.should_exit = True

    def show(self, key: str, snapshot: object) -> None:
        """A daemon has news."""
        self.shown[key] = snapshot
        self.servers[key].publish(snapshot)

    async def switch_over(self) -> None:
        """It is a redundant server from now on: no recorder, the failover service in its place."""
        self.servers.pop("recorder").close()
        self.servers["failover"] = await BusServer.connect(failover_model.BUS_NAME)
        self.show("failover", sample.FAILOVER)
        await self.servers["failover"].own()
        self.show("raid", RaidSnapshot())
        self.show("box", sample.REDUNDANT)
        while self.hub.mode is not Mode.FAILOVER or not self.hub.words["failover"].answers:  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    def commands(self) -> dict[str, tuple[Command[Any, Any], ...]]:
        """What the daemons can be asked for here."""
        async def locate(asked: LocateRequest) -> Sentence:
            self._note(asked)
            panel = self.shown["panel"]
            bays = tuple(
                replace(bay, locate=asked.on, light=TrayLight.LOCATE if asked.on else TrayLight.PRESENT)
                if bay.bay == asked.bay else bay for bay in panel.bays)
            self.show("panel", replace(panel, bays=bays))
            return Sentence(f"Bay {asked.bay} {'blinks' if asked.on else 'blinks no more'}.")

        async def silence(asked: Nothing) -> Sentence:
            self._note(asked)
            panel = self.shown["panel"]
            beeper = replace(panel.beeper, sound=Sound.SILENT, heard=(), silenced=panel.beeper.heard)
            self.show("panel", replace(panel, beeper=beeper))
            return Sentence("Silent until something new happens.")

        async def clear(asked: ClearDriveRequest) -> Done:
            self._note(asked)
            return Done("Cleared.")

        async def plan_clear(asked: ClearDriveRequest) -> ClearPlan:
            self._note(asked)
            return self.clearing

        async def read_smart(asked: ReadSmartRequest) -> Done:
            self._note(asked)
            return Done(f"The drive in bay {asked.bay} is being asked.")

        async def smart_history(asked: SmartHistoryRequest) -> SmartHistory:
            self._note(asked)
            return sample.HISTORY

        async def plan(asked: PlanSimpleRequest) -> Plan:
            self._note(asked)
            return sample.PLAN

        async def create(asked: CreateSimpleRequest) -> CreateSimpleReply:
            self._note(asked)
            return CreateSimpleReply(("vd1",))

        async def plan_delete(_: VdRequest) -> DeletePlan:
            return self.deletion

        async def delete(asked: DeleteVdRequest) -> Done:
            self._note(asked)
            return Done("vd1 is being deleted.")

        async def plan_import(asked: VdRequest) -> ImportPlan:
            return replace(sample.IMPORT, name=asked.name)

        async def plan_abandon(asked: VdRequest) -> AbandonPlan:
            return replace(sample.ABANDON, name=asked.name)

        async def plan_recover(asked: VdRequest) -> RecoverPlan:
            return replace(sample.RECOVERY, name=asked.name)

        async def noted(asked: ImportRequest | AbandonRequest | RecoverRequest) -> Done:
            self._note(asked)
            return Done(f"{asked.name}: done.")

        async def keep_mode(asked: KeepModeRequest) -> Sentence:
            self._note(asked)
            return Sentence("The record of the mode is written anew: Standard Mode.")

        async def acknowledge(asked: AcknowledgeRequest) -> Sentence:
            self._note(asked)
            policy = self.shown["policy"]
            alarms = tuple(replace(a, acknowledged=a.raised + 60) if a.id == asked.id else a for a in policy.alarms)
            self.show("policy", replace(policy, alarms=alarms))
            return Sentence("Seen.")

        async def reboot(asked: PowerRequest) -> Sentence:
            self._note(asked)
            return Sentence("The appliance reboots.")

        async def restore(asked: RestoreRequest) -> Sentence:
            self.accounts.authenticate(asked.user, asked.password, asked.where)  # as boxd does
            self._note(asked)
            return Sentence("The appliance reboots and restores to default on its way up.")

        async def plan_switch(_: Nothing) -> SwitchPlan:
            return self.switch

        async def switch(asked: SwitchRequest) -> Sentence:
            self._note(asked)
            return Sentence("The appliance is in Failover Mode, and reboots.")

        async def mail_test(_: Nothing) -> Sentence:
            return Sentence("mail.example.org took the test mail: 250 OK.")

        return {
            "raid": (
                Command("PlanClear", ClearDriveRequest, ClearPlan, plan_clear),
                Command("ClearDrive", ClearDriveRequest, Done, clear),
                Command("ReadSmart", ReadSmartRequest, Done, read_smart),
                Command("SmartHistory", SmartHistoryRequest, SmartHistory, smart_history),
                Command("PlanSimple", PlanSimpleRequest, Plan, plan),
                Command("CreateSimple", CreateSimpleRequest, CreateSimpleReply, create),
                Command("PlanDelete", VdRequest, DeletePlan, plan_delete),
                Command("DeleteVd", DeleteVdRequest, Done, delete),
                Command("PlanImport", VdRequest, ImportPlan, plan_import),
                Command("ImportVd", ImportRequest, Done, noted),
                Command("PlanAbandon", VdRequest, AbandonPlan, plan_abandon),
                Command("AbandonVd", AbandonRequest, Done, noted),
                Command("PlanRecover", VdRequest, RecoverPlan, plan_recover),
                Command("RecoverVd", RecoverRequest, Done, noted),
            ),
            "panel": (
                Command("Locate", LocateRequest, Sentence, locate),
                Command("Silence", Nothing, Sentence, silence),
            ),
            "box": (
                Command("Reboot", PowerRequest, Sentence, reboot),
                Command("KeepMode", KeepModeRequest, Sentence, keep_mode),
                Command("Restore", RestoreRequest, Sentence, restore),
                Command("PlanSwitch", Nothing, SwitchPlan, plan_switch),
                Command("SwitchToRedundant", SwitchRequest, Sentence, switch),
                *account_commands(self.accounts),
            ),
            "policy": (
                Command("Acknowledge", AcknowledgeRequest, Sentence, acknowledge),
                Command("MailTest", Nothing, Sentence, mail_test),
            ),
        }

    def _note(self, asked: object) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.called.append(asked)


Shown = RaidSnapshot | PanelSnapshot | FanSnapshot | RecorderSnapshot | PolicySnapshot | BoxSnapshot
SNAPSHOTS: dict[str, tuple[str, Shown]] = {
    "raid": ("org.rackeye.Raid1", sample.RAID),
    "panel": ("org.rackeye.Panel1", sample.PANEL),
    "fan": ("org.rackeye.Fan1", sample.FAN),
    "recorder": ("org.rackeye.Recorder1", sample.RECORDER),
    "policy": ("org.rackeye.Policy1", sample.POLICY),
    "box": ("org.rackeye.Box1", sample.BOX),
}


@asynccontextmanager
async def open_house(folder: Path, port: int = 0) -> AsyncIterator[House]:
    """On the bus of DBUS_SYSTEM_BUS_ADDRESS. The account `admin` has PASSWORD, `guard` too, and is a viewer."""
    clock = SystemClock()
    hub = Hub(clock)
    accounts = Accounts(Paths(folder), clock, QUICK)
    accounts.add("boss", Role.ADMINISTRATOR, PASSWORD, must_change=False)
    accounts.add("guard", Role.VIEWER, PASSWORD, must_change=False)
    cert, key = certificate.ensure(folder / "web", clock)
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:  # asyncio turns Nagle off only where it reads TCP
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        house = House(f"https://127.0.0.1:{listener.getsockname()[1]}", accounts, hub, cert)
        for name, (bus, snapshot) in SNAPSHOTS.items():
            house.servers[name] = await BusServer.connect(bus, house.commands().get(name, ()))
            house.show(name, snapshot)
            await house.servers[name].own()
        async with BusClient() as client:
            follower = asyncio.create_task(hub.follow(client))
            server = uvicorn.Server(config(make_app(client, hub, clock), cert, key, "127.0.0.1", port))
            house.server = server
            serving = asyncio.create_task(server.serve([listener]))
            while not (server.started and all(hub.words[name].answers for name in house.servers)):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            try:
                yield house
            finally:
                for task in (serving, follower):
                    task.cancel()
                await asyncio.gather(serving, follower, return_exceptions=True)
                await _close(server)
        for one in house.servers.values():
            one.close()


async def _close(server: uvicorn.Server) -> None:
    """What its own shutdown does, without the 0.2 s that it waits for nothing."""
    for listener in server.servers:
        listener.close()
    for connection in list(server.server_state.connections):
        connection.shutdown()
    await asyncio.gather(*server.server_state.tasks, return_exceptions=True)


async def _serve() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with open_house(Path(folder), port=3443) as house:
            print(house.url, "boss", PASSWORD)  # noqa: T201 -- a tool for looking
            at = 0
            while True:
                await asyncio.sleep(2)
                at += 1
                house.show("fan", sample.fan(31.5 + at % 7 * 0.4, 1510.0 + at % 5 * 12))


if __name__ == "__main__":
    asyncio.run(_serve())
