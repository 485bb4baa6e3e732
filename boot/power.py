"""Reboot, shutdown, and what else is asked of systemd. As root, by its private socket: the bus need not be up."""

import os
import socket
from contextlib import suppress

from core.errors import RackeyeError
from core.run import run

FAILOVER_TARGET = "failover.target"
ERASE = "rackeye-erase.service"
ALIVE, PATIENT = 20, 180
"""Seconds until systemd takes the boot menu for hung: while it is shown, and while it does what was chosen."""


def reboot() -> None:
    """Orderly: recording stops, volumes are unmounted, arrays are stopped. Returns at once. Raises RunError."""
    run(["systemctl", "--no-block", "reboot"], timeout=None)


def shutdown() -> None:
    """Orderly, then the power goes off. Returns at once. Raises RunError."""
    run(["systemctl", "--no-block", "poweroff"], timeout=None)


def off() -> None:
    """At once, without waiting for services: their processes are killed, volumes unmounted. Raises RunError."""
    run(["systemctl", "--force", "--no-block", "poweroff"], timeout=None)


def start(unit: str) -> None:
    """Returns at once. Raises RunError."""
    run(["systemctl", "--no-block", "start", unit], timeout=None)


def is_active(unit: str) -> bool | None:
    """None when systemd cannot say."""
    try:
        said = run(["systemctl", "is-active", unit], ok=(0, 3, 4)).stdout.strip()
    except RackeyeError:
        return None
    return {"active": True, "activating": True, "deactivating": True, "reloading": True, "inactive": False,
            "failed": False, "unknown": False}.get(said)


def notify(text: str) -> None:
    """sd_notify(3) without the daemons' imports: the menu must be there at once."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out, suppress(OSError):
            out.sendto(text.encode(), "\0" + address[1:] if address.startswith("@") else address)


def beep_once() -> None:
    """Asks paneld for one beep (a wrong password, spec/panel.md); nothing happens when it is not there."""
    beep(1)


def beep(code: int) -> bool:
    """Asks paneld for a code of spec/panel.md; whether it took it."""
    name = "org.rackeye.Panel1"
    try:
        run(["busctl", "--timeout=2", "call", name, "/org/rackeye/Panel1", f"{name}.Admin", "Beep", "s",
             f'{{"code":{code}}}'], timeout=4.0)
    except RackeyeError:
        return False
    return True
