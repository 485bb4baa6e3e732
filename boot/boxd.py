"""rackeye-boxd: mode, restore, switch, reboot and shutdown, accounts. Runs as root, and alone writes the mode while the
appliance runs (before that, the boot menu does)."""

import asyncio
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from boot import erase, network, network_set, power, redundant, restore
from boot.accounts_service import account_commands
from boot.audit import CHASSIS, PANEL, Audit
from boot.box import Action, BoxLook, BoxMemory, decide, show
from boot.model import (
    BUS_NAME,
    BoxSnapshot,
    Intent,
    KeepModeRequest,
    NetworkRequest,
    PowerRequest,
    RestoreRequest,
    SetHostnameRequest,
    SetNetworkRequest,
    SetTimeRequest,
    SwitchPlan,
    SwitchRequest,
)
from boot.network_events import network_events
from boot.panel_buttons import Asked, PanelButtons, Press
from boot.settings_service import SettingsService
from boot.state import StateStore
from boot.version import version_text
from core.accounts import Accounts
from core.accounts_model import Role
from core.bus import Command, Nothing, Sentence
from core.clock import SystemClock
from core.daemon import Daemon, Decision, run_daemon
from core.errors import AccountLocked, NotPermitted, RackeyeError, SwitchNotConfirmed, WrongLogin
from core.journal import get_logger
from core.paths import Paths

T = TypeVar("T")
R = TypeVar("R")
NAME = "rackeye-boxd"
REPLY_FIRST = 0.5
log = get_logger(NAME)


def later(step: Callable[[], None]) -> None:
    """Power goes down only once the answer has reached who asked."""
    timer = threading.Timer(REPLY_FIRST, step)
    timer.daemon = True
    timer.start()


class BoxCycle:
    """observe, decide, act of boxd."""

    def __init__(self, paths: Paths, store: StateStore) -> None:
        self._paths = paths
        self._store = store
        self._clock = SystemClock()
        self.network = network_set.Network(paths)
        self.audit = Audit(paths)
        self.going_down = False
        self.missed = ""
        """A sentence about a press of a button that came to nothing, until the next start or another press."""

    def observe(self) -> BoxLook:
        state = self._store.load()
        problems = tuple(said for said in (self.missed, self.audit.problem) if said)
        try:
            interfaces = network.interfaces(self._paths)
        except OSError as error:
            interfaces, problems = (), (*problems, f"The network interfaces cannot be read: {error}.")
        return BoxLook(
            state, version_text(state.record.mode), network.hostname(self._paths), interfaces,
            network.time_view(self._paths), power.is_active(power.FAILOVER_TARGET), self.going_down, problems,
            tuple(network_set.settings(self._paths)), self.network.pending(), network_set.boot_id(self._paths),
            self._clock.monotonic(), self._erase_runs(state.record.intent),
        )

    def _erase_runs(self, intent: Intent) -> bool | None:
        return power.is_active(power.ERASE) if intent.erases else None

    def decide(self, snapshot: BoxLook, memory: BoxMemory, now: float) -> Decision[BoxMemory, Action]:  # noqa: ARG002 -- the shape of every daemon
        return decide(snapshot, memory)

    def act(self, action: Action) -> str:
        match action:
            case Action.MEND:
                self._store.mend()
                return "The copies of the record of the mode are the same again."
            case Action.START_FAILOVER:
                power.start(power.FAILOVER_TARGET)
                return "The mode is Failover Mode: failover.target is started."
            case Action.UNDO_NETWORK:
                return f"Nobody confirmed the network of {self.network.undo()}: it is again what it was before."

    def save(self, memory: BoxMemory) -> None:
        """Nothing outlives a restart: the record is on the drive already."""

    def show(self, snapshot: BoxLook, memory: BoxMemory, problems: tuple[str, ...]) -> BoxSnapshot:
        return show(snapshot, memory, problems, self._clock.now())

    def reload(self) -> None:
        """Nothing to read again."""


class Service:
    """The commands; each handler runs in a worker thread."""

    def __init__(self, paths: Paths, store: StateStore, accounts: Accounts, cycle: BoxCycle) -> None:
        self._paths = paths
        self._store = store
        self._accounts = accounts
        self._cycle = cycle

    def reboot(self, asked: PowerRequest) -> Sentence:
        self._go_down(power.reboot)
        self._audit(asked.who, "reboot", asked.where)
        return Sentence("The appliance reboots.")

    def shutdown(self, asked: PowerRequest) -> Sentence:
        self._go_down(power.shutdown)
        self._audit(asked.who, "shutdown", asked.where)
        return Sentence("The appliance shuts down.")

    def hear(self, buttons: PanelButtons, pressed: tuple[Press, ...]) -> None:
        """Acts on a press of the chassis' buttons, or says that it was missed."""
        asked = buttons.take(pressed)
        try:
            if asked is not None:
                self.press(asked)
            elif missed := buttons.missed(pressed):
                log.warning(missed)
                self._cycle.missed = missed
                self._audit(PANEL, missed, CHASSIS)
        except RackeyeError as error:
            log.error(f"[{error.code}] {error.sentence}")
            self._cycle.missed = f"What a button of the chassis asked for could not be done: {error.sentence}"

    def press(self, asked: Asked) -> None:
        """By a button of the chassis: done first, then written down. Raises StateUnwritable."""
        self._cycle.missed = ""
        match asked:
            case Asked.SHUTDOWN:
                self._go_down(power.shutdown)
            case Asked.OFF:
                self._go_down(power.off)
            case Asked.REBOOT:
                self._go_down(power.reboot)
            case Asked.RESTORE:
                restore.intend(self._store)
                self._go_down(power.reboot)
        self._audit(PANEL, f"{asked.value.lower()} by a button", CHASSIS)

    def keep_mode(self, asked: KeepModeRequest) -> Sentence:
        """The generation goes up by one, and both copies are whole. Raises StateUnwritable."""
        self._audit(asked.who, "kept the mode: its record is written anew", asked.where)
        record = self._store.change(lambda record: record)
        return Sentence(f"The record of the mode is written anew: {record.mode.value}.")

    def restore(self, asked: RestoreRequest) -> Sentence:
        try:
            account = self._accounts.authenticate(asked.user, asked.password, asked.where)
            if account.role is not Role.ADMINISTRATOR:
                raise NotPermitted(f"{account.name} is a viewer.", hint="Ask an administrator.")
            also = erase.check(asked.erase)
        except (WrongLogin, AccountLocked, NotPermitted) as error:
            self._audit(asked.user, f"restore to default refused: {error.sentence}", asked.where)
            raise
        restore.intend(self._store, erase=also)
        log.warning(f"{account.name} asked for a restore to default{', and to erase the recordings' if also else ''}.")
        self._go_down(power.reboot)
        self._audit(account.name, "asked for a restore to default", asked.where)
        stays = "Recordings are erased, drive groups stay." if also else "Video and drive groups stay."
        return Sentence(f"The appliance reboots and restores to default on its way up. {stays}")

    def plan_switch(self, _: Nothing) -> SwitchPlan:
        return redundant.plan(self._paths, self._store)

    def switch(self, asked: SwitchRequest) -> Sentence:
        if asked.answer.strip().lower() not in ("y", "yes"):
            raise SwitchNotConfirmed("The switch was not confirmed. Nothing was changed.", hint="Answer with y.")
        redundant.convert(self._paths, self._store)
        log.warning("The appliance was switched to Failover Mode.")
        self._go_down(power.reboot)
        self._audit(asked.who, "switched to Failover Mode", asked.where)
        return Sentence("The appliance is in Failover Mode, and reboots.")

    def _go_down(self, step: Callable[[], None]) -> None:
        self._cycle.going_down = True

        def go() -> None:
            try:
                step()
            except RackeyeError as error:
                self._cycle.going_down = False
                log.error(f"[{error.code}] {error.sentence}")

        later(go)

    def _audit(self, who: str, what: str, where: str) -> None:
        self._cycle.audit.write(who or "root", what, where)


def make(paths: Paths | None = None) -> Daemon[BoxLook, BoxMemory, Action]:
    """The daemon, ready to run."""
    paths = paths or Paths()
    store, accounts = StateStore(paths), Accounts(paths)
    cycle = BoxCycle(paths, store)
    service = Service(paths, store, accounts, cycle)
    daemon = Daemon(NAME, cycle, BoxMemory(), BUS_NAME)

    def command(name: str, request: type[T], reply: type[R], handler: Callable[[T], R]) -> Command[T, R]:
        async def answer(asked: T) -> R:
            try:
                return await asyncio.to_thread(handler, asked)
            except WrongLogin:
                await beep()
                raise
            finally:
                daemon.wake()

        return Command(name, request, reply, answer)

    keep = command("KeepMode", KeepModeRequest, Sentence, service.keep_mode)

    async def keep_mode(asked: KeepModeRequest) -> Sentence:
        said = await keep.handler(asked)
        await daemon.change(lambda memory: replace(memory, mended=""))
        return said

    own: tuple[Command[Any, Any], ...] = (
        command("Reboot", PowerRequest, Sentence, service.reboot),
        command("Shutdown", PowerRequest, Sentence, service.shutdown),
        Command("KeepMode", KeepModeRequest, Sentence, keep_mode),
        command("Restore", RestoreRequest, Sentence, service.restore),
        command("PlanSwitch", Nothing, SwitchPlan, service.plan_switch),
        command("SwitchToRedundant", SwitchRequest, Sentence, service.switch),
    )
    setting = SettingsService(paths, cycle.network, cycle.audit)
    own += (
        command("SetNetwork", SetNetworkRequest, Sentence, setting.set_network),
        command("ConfirmNetwork", NetworkRequest, Sentence, setting.confirm_network),
        command("UndoNetwork", NetworkRequest, Sentence, setting.undo_network),
        command("SetHostname", SetHostnameRequest, Sentence, setting.set_hostname),
        command("SetTime", SetTimeRequest, Sentence, setting.set_time),
    )
    daemon.commands = (*own, *account_commands(accounts, beep))

    buttons = PanelButtons(paths, SystemClock())

    async def watch_buttons(wake: Callable[[], None]) -> None:
        async for pressed in buttons.presses():
            await asyncio.to_thread(service.hear, buttons, pressed)
            wake()

    daemon.sources = (watch_buttons, network_events)
    return daemon


async def beep() -> None:
    """A wrong password: one beep (spec/panel.md)."""
    await asyncio.to_thread(power.beep_once)


def main() -> int:
    """Entry point."""
    return run_daemon(make)


if __name__ == "__main__":
    sys.exit(main())
