"""Setting the network: addresses by systemd-networkd's files, with an automatic undo, and the host name.

What was there before is on the drive before anything is changed. Unless somebody confirms the new addresses in time,
boxd puts the old ones back (also after a power cut: then at once), so that nobody locks himself out. Each file is
replaced as a whole.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from boot.model import InterfaceSettings
from core.config import write_atomic
from core.errors import NetworkBusy, NetworkRefused, NoNetworkPending, RackeyeError
from core.paths import Paths
from core.run import run

FOLDER = "etc/systemd/network"
SHORTEST, LONGEST = 10.0, 600.0
"""Seconds in which a new address is confirmed."""
HOSTNAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,14}")
HEAD = "# Written by rackeye-boxd (rackeye network set); changes made here are lost.\n"


@dataclass(frozen=True, slots=True)
class Undo:
    """What was before. boot: the kernel's boot id; until: CLOCK_MONOTONIC. files: text by path below / (None: none)."""

    interface: str
    boot: str
    until: float
    files: dict[str, str | None]


def check(wanted: InterfaceSettings) -> None:
    """Raises NetworkRefused for what cannot be meant. Pure."""
    if not INTERFACE.fullmatch(wanted.name):
        raise NetworkRefused(f"{wanted.name!r} is no network interface.", hint="See: rackeye network")
    if wanted.dhcp and (wanted.address or wanted.gateway):
        raise NetworkRefused("DHCP gives address and gateway by itself.", hint="Give either DHCP or an address.")
    if not wanted.dhcp and not wanted.address:
        raise NetworkRefused("An address is missing.", hint="Give one such as 192.168.1.10/24, or DHCP.")
    for server in wanted.dns:
        _address(server, "DNS server")
    if wanted.address:
        if "/" not in wanted.address:
            raise NetworkRefused(f"{wanted.address} has no prefix length.", hint=f"For instance {wanted.address}/24.")
        try:
            own = ipaddress.ip_interface(wanted.address)
        except ValueError as error:
            raise NetworkRefused(f"{wanted.address!r} is no address.", hint="Such as 192.168.1.10/24.") from error
        ends = (own.network.network_address, own.network.broadcast_address) if own.network.num_addresses > 2 else ()
        if own.ip in ends or own.is_multicast or own.is_loopback or own.is_unspecified:
            raise NetworkRefused(f"{wanted.address} is no address that a machine can have.")
        if wanted.gateway:
            gateway = _address(wanted.gateway, "gateway")
            if gateway not in own.network or gateway == own.ip:
                raise NetworkRefused(f"The gateway {gateway} is not reached from {own.network}.",
                                     hint="It must be another address of the same network.")


def _address(text: str, what: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise NetworkRefused(f"{text!r} is no address of a {what}.") from error


def text_of(wanted: InterfaceSettings) -> str:
    """systemd.network(5). Pure."""
    lines = [f"{HEAD}[Match]", f"Name={wanted.name}", "", "[Network]"]
    lines += ["DHCP=yes"] if wanted.dhcp else [f"Address={wanted.address}"]
    lines += [f"Gateway={wanted.gateway}"] if wanted.gateway else []
    lines += [f"DNS={server}" for server in wanted.dns]
    return "\n".join(lines) + "\n"


def settings_of(text: str) -> InterfaceSettings | None:
    """What `text_of` wrote; None for anything else. Pure."""
    if not text.startswith(HEAD):
        return None
    pairs = [line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#")]
    table = dict(pairs)
    return InterfaceSettings(
        table.get("Name", ""), "DHCP" in table, table.get("Address", ""), table.get("Gateway", ""),
        tuple(value for key, value in pairs if key == "DNS"),
    )


def file_of(name: str) -> str:
    """Below /. It goes before what a distribution or another program put there."""
    return f"{FOLDER}/05-rackeye-{name}.network"


def settings(paths: Paths) -> Iterator[InterfaceSettings]:
    """Of every interface that was set by us."""
    for file in sorted((paths.root / FOLDER).glob("05-rackeye-*.network")):
        with suppress(OSError):
            found = settings_of(file.read_text())
            if found is not None:
                yield found


class Network:
    """Sets, confirms, undoes. reload: makes systemd-networkd take the files of an interface."""

    def __init__(self, paths: Paths, reload: Callable[[str], None] | None = None) -> None:
        self._paths = paths
        self._reload = reload or take_over
        self._file = paths.state / "network" / "undo.json"

    def pending(self) -> Undo | None:
        """What waits to be confirmed. One that cannot be read is none: then nothing can be put back."""
        with suppress(OSError, msgspec.MsgspecError):
            return msgspec.json.decode(self._file.read_bytes(), type=Undo)
        return None

    def set(self, wanted: InterfaceSettings, seconds: float, now: float) -> Undo:
        """In force when this returns, for so many seconds. Raises NetworkRefused, NetworkBusy, RunError, OSError."""
        check(wanted)
        if not SHORTEST <= seconds <= LONGEST:
            raise NetworkRefused(f"{seconds:g} s to confirm; give from {SHORTEST:g} to {LONGEST:g}.")
        if not (self._paths.sys / "class/net" / wanted.name).exists():
            raise NetworkRefused(f"There is no network interface {wanted.name}.", hint="See: rackeye network")
        if self.pending() is not None:
            raise NetworkBusy("Another change of the network waits to be confirmed.",
                              hint="rackeye network confirm, or: rackeye network undo")
        name = file_of(wanted.name)
        before = Undo(wanted.name, boot_id(self._paths), now + seconds, {name: _read(self._paths.root / name)})
        self._file.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(self._file, msgspec.json.encode(before), 0o600)
        try:
            _put(self._paths.root / name, text_of(wanted))
            self._reload(wanted.name)
        except (OSError, RackeyeError):
            self.undo()
            raise
        return before

    def confirm(self) -> str:
        """The new addresses stay; returns the interface. Raises NoNetworkPending."""
        undo = self.pending()
        if undo is None:
            raise NoNetworkPending("No change of the network waits to be confirmed.",
                                   hint="It may have been undone already; see: rackeye network")
        self._file.unlink(missing_ok=True)
        return undo.interface

    def undo(self) -> str:
        """The old files are back; may be done twice. Raises NoNetworkPending, OSError."""
        undo = self.pending()
        if undo is None:
            raise NoNetworkPending("There is no change of the network to undo.", hint="See: rackeye network")
        for name, text in undo.files.items():
            _put(self._paths.root / name, text)
        with suppress(RackeyeError):  # the files are right, and networkd reads them at its next start at the latest
            self._reload(undo.interface)
        self._file.unlink(missing_ok=True)
        return undo.interface


def overdue(undo: Undo | None, boot: str, now: float) -> bool:
    """Nobody confirmed: the time is over, or the power was cut meanwhile. Pure."""
    return undo is not None and (undo.boot != boot or now >= undo.until)


def take_over(interface: str) -> None:
    """systemd-networkd runs, has read its files, and sets this interface anew. Raises RunError."""
    run(["systemctl", "enable", "--now", "systemd-networkd.service"])
    run(["networkctl", "reload"])
    run(["networkctl", "reconfigure", interface])


def set_hostname(paths: Paths, name: str) -> None:
    """On the drive and in the kernel. Raises NetworkRefused, OSError."""
    if not HOSTNAME.fullmatch(name):
        raise NetworkRefused(f"{name!r} is no host name.", hint="1 to 63 of a-z, 0-9 and -, no - at the ends.")
    write_atomic(paths.root / "etc/hostname", f"{name}\n".encode(), 0o644)
    if paths.root == Path("/"):
        socket.sethostname(name)


def forget(paths: Paths) -> None:
    """For restore to default: no setting of ours is left. In force with the next start."""
    for file in (paths.root / FOLDER).glob("05-rackeye-*.network"):
        file.unlink(missing_ok=True)


def boot_id(paths: Paths) -> str:
    """Of this start of the kernel."""
    return (_read(paths.proc / "sys/kernel/random/boot_id") or "").strip()


def _read(file: Path) -> str | None:
    with suppress(FileNotFoundError):
        return file.read_text()
    return None


def _put(file: Path, text: str | None) -> None:
    if text is None:
        file.unlink(missing_ok=True)
    else:
        open_folder(file.parent)
        write_atomic(file, text.encode(), 0o644)


def open_folder(folder: Path) -> None:
    """A folder below /etc/systemd that its daemon can read: boxd's umask would hide it. Raises OSError."""
    if not folder.is_dir():
        folder.mkdir(parents=True)
        folder.chmod(0o755)
