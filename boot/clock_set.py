"""Setting the time: the zone, the NTP servers (systemd-timesyncd), the clock by hand."""

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from boot import power
from boot.network_set import open_folder
from core.config import write_atomic
from core.errors import RackeyeError, TimeRefused
from core.paths import Paths
from core.run import run

ZONES = "usr/share/zoneinfo"
ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")
SERVER = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?")
DROP_IN = "etc/systemd/timesyncd.conf.d/rackeye.conf"
UNIT = "systemd-timesyncd.service"
EARLIEST, LATEST = 1_577_836_800.0, 4_102_444_800.0
"""2020 and 2100: what lies outside is a slip of the hand."""
FACTORY_ZONE = "Etc/UTC"


def check(paths: Paths, zone: str | None, wanted: tuple[str, ...] | None, now: float | None) -> None:
    """Before anything is set: of what is asked for together, all is done or nothing. Raises TimeRefused."""
    if zone is not None:
        check_zone(paths, zone)
    if wanted is not None:
        check_servers(paths, wanted)
    if now is not None and wanted:
        raise TimeRefused("NTP servers would set the clock at once.", hint="Give either NTP servers or a time.")
    if now is not None:
        check_clock(now, servers(paths) if wanted is None else ())


def check_zone(paths: Paths, zone: str) -> None:
    """Raises TimeRefused."""
    if not ZONE.fullmatch(zone) or not (paths.root / ZONES / zone).is_file():
        raise TimeRefused(f"There is no time zone {zone!r}.", hint="Such as Europe/Berlin: timedatectl list-timezones")


def check_servers(paths: Paths, wanted: tuple[str, ...]) -> None:
    """Raises TimeRefused."""
    for server in wanted:
        if not SERVER.fullmatch(server):
            raise TimeRefused(f"{server!r} is no NTP server.", hint="Give names or addresses.")
    places = ("usr/lib/systemd/system", "lib/systemd/system")
    if wanted and not any((paths.root / place / UNIT).exists() for place in places):
        raise TimeRefused("systemd-timesyncd is not installed.", hint="apt-get install systemd-timesyncd")


def check_clock(now: float, by: tuple[str, ...]) -> None:
    """by: the NTP servers that are set. Raises TimeRefused."""
    if not EARLIEST <= now < LATEST:
        raise TimeRefused("The time must be from 2020 to 2099.")
    if by and power.is_active(UNIT) is not False:
        raise TimeRefused("The clock is set by NTP.", hint="First: rackeye time set --no-ntp")


def set_zone(paths: Paths, zone: str) -> None:
    """/etc/localtime and /etc/timezone; daemons of ours work in UTC anyway. Raises TimeRefused, OSError."""
    check_zone(paths, zone)
    link = paths.root / "etc/localtime"
    part = link.with_name(".localtime.part")
    part.unlink(missing_ok=True)
    part.symlink_to(f"/{ZONES}/{zone}")
    part.rename(link)
    folder = os.open(link.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    write_atomic(paths.root / "etc/timezone", f"{zone}\n".encode(), 0o644)


def set_servers(paths: Paths, servers: tuple[str, ...]) -> None:
    """Without servers the clock is not set by NTP. Raises TimeRefused, RunError, OSError."""
    check_servers(paths, servers)
    file = paths.root / DROP_IN
    if not servers:
        file.unlink(missing_ok=True)
        with suppress(RackeyeError):  # not installed: then it does not run either
            run(["systemctl", "disable", "--now", UNIT])
        return
    open_folder(file.parent)
    write_atomic(file, f"[Time]\nNTP={' '.join(servers)}\nFallbackNTP=\n".encode(), 0o644)
    run(["systemctl", "enable", UNIT])
    run(["systemctl", "restart", UNIT])


def servers(paths: Paths) -> tuple[str, ...]:
    """The NTP servers that were set by us."""
    with suppress(OSError):
        for line in (paths.root / DROP_IN).read_text().splitlines():
            if line.startswith("NTP="):
                return tuple(line.removeprefix("NTP=").split())
    return ()


def set_clock(paths: Paths, now: float, put: Callable[[float], None] | None = None) -> None:
    """The system's clock, and the machine's where it has one. Raises TimeRefused, OSError."""
    check_clock(now, servers(paths))
    (put or _put)(now)


def _put(now: float) -> None:
    time.clock_settime(time.CLOCK_REALTIME, now)
    if Path("/dev/rtc0").exists():
        with suppress(RackeyeError):
            run(["hwclock", "--systohc", "--utc"])


def forget(paths: Paths) -> None:
    """For restore to default: the factory's zone, no NTP servers of ours. In force with the next start."""
    (paths.root / DROP_IN).unlink(missing_ok=True)
    if (paths.root / ZONES / FACTORY_ZONE).is_file():
        set_zone(paths, FACTORY_ZONE)
