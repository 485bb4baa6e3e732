"""rackeye-boot-menu: finishes a restore that was cut off, shows the menu on all consoles, and lets the NVR start.

A oneshot before nvr.target, which wants it and never requires it: when this crashes or hangs, systemd ends it and the
NVR starts all the same. In Failover Mode it asks for failover.target at once, before anything here can go wrong.
Every start of the appliance waits for this, so that what only a menu needs is loaded when there is one.
"""

import sys
import time
from contextlib import suppress

from boot import erase, power
from boot.consoles import Consoles, names
from boot.model import Mode
from boot.state import StateStore
from core import journal
from core.config import load_settings
from core.errors import RackeyeError
from core.paths import Paths
from core.settings import Boot, Settings

log = journal.get_logger("rackeye-boot-menu")
NO_CONSOLE, BEEP_TRIES = 5, 30


def main() -> int:
    """The program."""
    journal.set_up()
    paths = Paths()
    store = StateStore(paths)
    lines = _resume(paths, store)
    loaded = store.load()
    if loaded.problem:
        log.error(loaded.problem)
        lines += (loaded.problem,)
    if loaded.record.mode is Mode.FAILOVER:
        try:
            power.start(power.FAILOVER_TARGET)
        except RackeyeError as error:
            log.error(f"[{error.code}] {error.sentence}")
    with suppress(OSError):
        erase.mark(paths, loaded.record.intent)
    settings = _settings(paths)
    consoles = Consoles(paths, names(paths, settings.consoles))
    shown = bool(consoles.handles)
    if settings.menu_seconds > 0 and shown:
        from boot.loop import MenuLoop  # noqa: PLC0415 -- see above

        MenuLoop(paths, store, consoles).run(settings.menu_seconds, lines)
    consoles.close()
    power.notify("READY=1")
    if settings.menu_seconds > 0 and not shown:
        beep_without_console()
    return 0


def beep_without_console() -> None:
    """5 beeps (spec/panel.md): nobody could see or choose anything. The NVR starts meanwhile, and paneld may, too."""
    log.warning("There is no console: no screen with a keyboard, no serial line. The NVR starts.")
    for _ in range(BEEP_TRIES):
        if power.beep(NO_CONSOLE):
            return
        time.sleep(1.0)
    log.warning("The front panel did not take the 5 beeps for it.")


def _settings(paths: Paths) -> Boot:
    """Broken settings must not keep the NVR from starting."""
    try:
        return load_settings(Settings, paths).settings.boot
    except (RackeyeError, OSError) as error:
        log.error(f"The settings cannot be read, the menu uses the factory's: {error}")
        return Boot()


def _resume(paths: Paths, store: StateStore) -> tuple[str, ...]:
    """Finishes a restore whose intent is on record; what happened, in words."""
    if not store.load().record.intent.restores:
        return ()
    from boot import restore  # noqa: PLC0415 -- see above
    from boot.audit import Audit  # noqa: PLC0415
    from core.accounts_model import CONSOLE  # noqa: PLC0415

    power.notify(f"EXTEND_TIMEOUT_USEC={power.PATIENT}000000")
    log.info("A restore to default was begun; it is finished now.")
    said, hint = "Restore to default is done.", ""
    try:
        restore.finish(paths, store)
    except RackeyeError as error:
        log.error(f"[{error.code}] {error.sentence}")
        said, hint = error.sentence, error.hint
    Audit(paths).write("boot menu", said, CONSOLE)  # in the new log: who had asked was in the old one
    return (f"{said} {hint}".strip(),)


if __name__ == "__main__":
    sys.exit(main())
