"""The boot menu's loop: keys from all consoles into the pure machine, its screens out, its effects done."""

import select
import time
from collections.abc import Callable
from functools import partial

from boot import menu as machine
from boot import power, redundant, restore
from boot.audit import CHASSIS, PANEL, Audit
from boot.consoles import Consoles
from boot.menu import Effect, Menu
from boot.menu_buttons import MenuButtons
from boot.model import Refusal, SwitchPlan
from boot.screen import draw
from boot.state import StateStore
from boot.version import version_text
from core import journal
from core.accounts_model import CONSOLE, Role
from core.errors import AccountLocked, NotPermitted, RackeyeError, WrongLogin
from core.paths import Paths
from core.run import run

log = journal.get_logger("rackeye-boot-menu")
POWER_WAIT = 120.0


class MenuLoop:
    """One showing of the menu."""

    def __init__(self, paths: Paths, store: StateStore, consoles: Consoles) -> None:
        self._paths = paths
        self._store = store
        self._consoles = consoles
        self._buttons = MenuButtons(paths)
        self._log = Audit(paths)

    def run(self, seconds: float, lines: tuple[str, ...]) -> None:
        """Returns when the NVR shall start."""
        mode = self._store.load().record.mode
        menu = machine.begin(mode, version_text(mode), time.monotonic(), seconds, lines)
        log.info("The boot menu is shown.")
        self._consoles.show(draw(menu, time.monotonic()))
        self._buttons.listen()
        while self._consoles.handles:  # the last one may die: then nobody can choose
            power.notify(f"EXTEND_TIMEOUT_USEC={power.ALIVE}000000")
            self._consoles.show(draw(menu, time.monotonic()))
            for step in self._steps():
                menu, effect = step(menu)
                if effect is Effect.LEAVE:
                    self._buttons.close()
                    self._consoles.show(draw(menu, time.monotonic()))
                    return
                if effect is not None:
                    menu = self._perform(effect, menu)

    def _steps(self) -> list[Callable[[Menu], machine.Step]]:
        """Waits a little; then what was typed, and the time."""
        poll = select.poll()
        for handle in self._consoles.handles:
            poll.register(handle, select.POLLIN)
        ready = [handle for handle, _ in poll.poll(250)]
        now = time.monotonic()
        keys = [key for handle in ready for key in self._consoles.read(handle, now)]
        keys += self._consoles.pass_time(now)
        steps: list[Callable[[Menu], machine.Step]] = []
        asked = self._buttons.take()
        if asked is not None:
            steps.append(partial(machine.by_button, asked=asked.value))
        steps += [partial(machine.press, key=key, now=now) for key in keys]
        return [*steps, partial(machine.tick, now=now)]

    def _perform(self, effect: Effect, menu: Menu) -> Menu:
        """Does what was chosen. An error is something to read, never the end of the menu."""
        power.notify(f"EXTEND_TIMEOUT_USEC={power.PATIENT}000000")
        self._consoles.show(draw(menu, time.monotonic()))
        try:
            return self._performed(effect, menu)
        except RackeyeError as error:
            log.error(f"[{error.code}] {error.sentence}")
            return machine.notice(menu, (error.sentence, error.hint, f"({error.code})"), time.monotonic())

    def _performed(self, effect: Effect, menu: Menu) -> Menu:
        match effect:
            case Effect.CHECK:
                return self._check(menu)
            case Effect.PLAN:
                return machine.planned(menu, self._plan(), time.monotonic())
            case Effect.SWITCH:
                redundant.convert(self._paths, self._store)
                log.info("The appliance was switched to Failover Mode at the boot menu.")
                self._audit(menu, "switched to Failover Mode")
                self._reboot()
            case Effect.RESTORE | Effect.RESTORE_AND_ERASE:
                also = effect is Effect.RESTORE_AND_ERASE
                restore.intend(self._store, erase=also)
                log.info(f"{menu.user} asked for a restore to default{', with video,' if also else ''} at the menu.")
                try:
                    restore.finish(self._paths, self._store)
                finally:  # the restore resets the log, too
                    self._audit(menu, f"asked for a restore to default{', with video' if also else ''}")
                self._reboot()
            case Effect.REBOOT:
                log.info("Reboot was asked for at the boot menu.")
                self._audit(menu, "reboot")
                self._reboot()
            case Effect.SHUTDOWN:
                log.info("Shutdown was asked for at the boot menu.")
                self._audit(menu, "shutdown")
                power.shutdown()
                _wait_for_the_end()
            case Effect.OFF:
                self._audit(menu, "power off")
                power.off()
                _wait_for_the_end()
            case Effect.LEAVE:
                pass
        return menu

    def _audit(self, menu: Menu, what: str) -> None:
        who, where = (PANEL, CHASSIS) if menu.button else (menu.user or "boot menu", CONSOLE)
        self._log.write(who, what, where)

    def _reboot(self) -> None:
        power.reboot()
        _wait_for_the_end()

    def _check(self, menu: Menu) -> Menu:
        """Raises AccountsBroken: it says nothing of the password, and nobody gets past it."""
        from core.accounts import Accounts  # noqa: PLC0415 -- SQLite and argon2 are slow to load

        accounts = Accounts(self._paths)
        try:
            account = accounts.authenticate(menu.user, menu.typed, CONSOLE)
            if account.role is not Role.ADMINISTRATOR:
                raise NotPermitted(f"{account.name} is no administrator.", hint="Ask an administrator.")
        except (WrongLogin, AccountLocked, NotPermitted) as error:
            log.warning(f"Restore to default at the boot menu was refused for {menu.user!r}: {error.sentence}")
            self._consoles.bell()
            answer = machine.wrong_password(menu, error.sentence, time.monotonic())
            self._consoles.show(draw(answer, time.monotonic()))
            power.beep_once()
            self._audit(menu, f"restore to default refused: {error.sentence}")
            return answer
        return machine.proved(menu, time.monotonic())

    def _plan(self) -> SwitchPlan:
        try:
            run(["udevadm", "settle", "--timeout=20"], ok=(0, 1))  # drives that are still being looked at
            return redundant.plan(self._paths, self._store)
        except RackeyeError as error:
            return SwitchPlan((), (Refusal(error.code, error.sentence, error.hint),))


def _wait_for_the_end() -> None:
    """systemd ends this process on its way down; until then the NVR must not start."""
    time.sleep(POWER_WAIT)
