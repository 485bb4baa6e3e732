"""Network and time as they are, to be shown. Reads only; set by boot/network_set.py and boot/clock_set.py."""

import json
import os
from pathlib import Path

from boot.clock_set import servers
from boot.model import Interface, TimeView
from core.errors import RackeyeError
from core.paths import Paths
from core.run import run


def interfaces(paths: Paths) -> tuple[Interface, ...]:
    """All but loopback. Raises OSError when the kernel's list cannot be read."""
    addresses = _addresses()
    found = []
    for entry in sorted((paths.sys / "class/net").iterdir()):
        if entry.name != "lo":
            carrier = _text(entry / "carrier")  # cannot be read while the interface is down
            state = {"1": True, "0": False}.get(carrier, False if _text(entry / "operstate") == "down" else None)
            found.append(Interface(entry.name, _text(entry / "address"), state, addresses.get(entry.name, ())))
    return tuple(found)


def time_view(paths: Paths) -> TimeView:
    """The zone by /etc/localtime; synchronized by systemd-timesyncd's mark, None without that daemon."""
    zone = ""
    local = paths.root / "etc/localtime"
    if local.is_symlink():
        zone = str(local.readlink()).rpartition("zoneinfo/")[2]
    folder = paths.root / "run/systemd/timesync"
    synchronized = (folder / "synchronized").exists() if folder.is_dir() else None
    return TimeView(zone or "UTC", synchronized, servers(paths))


def hostname(paths: Paths) -> str:
    """The name of this machine, by the kernel."""
    return _text(paths.proc / "sys/kernel/hostname") or os.uname().nodename


def _addresses() -> dict[str, tuple[str, ...]]:
    try:
        told = json.loads(run(["ip", "-json", "address"], timeout=5.0).stdout)
    except (RackeyeError, ValueError):
        return {}
    return {
        one["ifname"]: tuple(f"{a['local']}/{a['prefixlen']}" for a in one.get("addr_info", ()) if a.get("local"))
        for one in told
    }


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
