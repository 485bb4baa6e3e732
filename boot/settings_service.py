"""boxd's commands that set the network and the time. Each is written down before it is done."""

from datetime import UTC, datetime

from boot import clock_set, network_set
from boot.audit import Audit
from boot.model import InterfaceSettings, NetworkRequest, SetHostnameRequest, SetNetworkRequest, SetTimeRequest
from boot.network_set import Network
from core.bus import Sentence
from core.clock import Clock, SystemClock
from core.errors import RackeyeError, SettingsUnwritable, TimeRefused
from core.paths import Paths


class SettingsService:
    """Each handler runs in a worker thread. Raises BootError, RunError."""

    def __init__(self, paths: Paths, network: Network, audit: Audit, clock: Clock | None = None) -> None:
        self._paths = paths
        self._network = network
        self._log = audit
        self._clock = clock or SystemClock()

    def set_network(self, asked: SetNetworkRequest) -> Sentence:
        network_set.check(asked.interface)
        self._audit(asked.who, f"sets the network: {words(asked.interface)}", asked.where)
        try:
            self._network.set(asked.interface, asked.seconds, self._clock.monotonic())
        except OSError as error:
            raise _unwritable(error) from error
        return Sentence(f"{words(asked.interface)}. Unless it is confirmed within {asked.seconds:g} s it is undone.")

    def confirm_network(self, asked: NetworkRequest) -> Sentence:
        interface = self._network.confirm()
        self._audit(asked.who, f"confirmed the network of {interface}", asked.where)
        return Sentence(f"The network of {interface} stays as it is now.")

    def undo_network(self, asked: NetworkRequest) -> Sentence:
        interface = self._network.undo()
        self._audit(asked.who, f"undid the change of the network of {interface}", asked.where)
        return Sentence(f"The network of {interface} is again what it was before.")

    def set_hostname(self, asked: SetHostnameRequest) -> Sentence:
        self._audit(asked.who, f"sets the host name {asked.name!r}", asked.where)
        try:
            network_set.set_hostname(self._paths, asked.name)
        except OSError as error:
            raise _unwritable(error) from error
        return Sentence(f"The name is {asked.name}.")

    def set_time(self, asked: SetTimeRequest) -> Sentence:
        said = []
        clock_set.check(self._paths, asked.zone, asked.servers, asked.now)
        self._audit(asked.who, f"sets the time: {_asked(asked)}", asked.where)
        try:
            if asked.zone is not None:
                clock_set.set_zone(self._paths, asked.zone)
                said.append(f"The time zone is {asked.zone}.")
            if asked.servers is not None:
                clock_set.set_servers(self._paths, asked.servers)
                said.append(f"NTP servers: {', '.join(asked.servers) or 'none'}.")
            if asked.now is not None:
                clock_set.set_clock(self._paths, asked.now)
                said.append(f"It is {datetime.fromtimestamp(asked.now, UTC):%Y-%m-%d %H:%M:%S} UTC.")
        except OSError as error:
            raise _unwritable(error) from error
        if not said:
            raise TimeRefused("Nothing was asked for.", hint="Give a zone, NTP servers, or a time.")
        return Sentence(" ".join(said))

    def _audit(self, who: str, what: str, where: str) -> None:
        self._log.write(who or "root", what, where)


def words(one: InterfaceSettings) -> str:
    """For people and the log."""
    parts = ["DHCP"] if one.dhcp else [one.address, *([f"gateway {one.gateway}"] if one.gateway else [])]
    return f"{one.name}: {', '.join([*parts, *(f'DNS {server}' for server in one.dns)])}"


def _asked(asked: SetTimeRequest) -> str:
    parts = [] if asked.zone is None else [f"zone {asked.zone!r}"]
    parts += [] if asked.servers is None else [f"NTP {list(asked.servers)}"]
    parts += [] if asked.now is None else [f"clock {asked.now:.0f}"]
    return ", ".join(parts) or "nothing"


def _unwritable(error: OSError) -> RackeyeError:
    return SettingsUnwritable(f"The setting cannot be written: {error.strerror or error}.",
                              hint="Look at the system drive.")
