"""What boxd tells the others: mode, version, name, network and time; and the commands of org.rackeye.Box1.

Frozen dataclasses that travel as msgspec JSON.
"""

from dataclasses import dataclass, field
from enum import StrEnum, unique

BUS_NAME = "org.rackeye.Box1"


@unique
class Mode(StrEnum):
    """What the appliance is (spec/boot.md, "Modes")."""

    STANDARD = "Standard Mode"
    FAILOVER = "Failover Mode"


@unique
class Intent(StrEnum):
    """What was begun and must be finished at the next start."""

    NONE = "None"
    RESTORE = "Restore to default"
    RESTORE_AND_ERASE = "Restore to default, also erase recordings"
    ERASE = "Erase recordings"
    ERASING = "Erasing recordings"

    @property
    def restores(self) -> bool:
        """Whether settings are to be wiped still."""
        return self in (Intent.RESTORE, Intent.RESTORE_AND_ERASE)

    @property
    def erases(self) -> bool:
        """Whether the restore is done, and recordings are to be erased still."""
        return self in (Intent.ERASE, Intent.ERASING)


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface. up: None is unknown. addresses: with prefix length, e.g. 10.0.2.15/24."""

    name: str
    mac: str
    up: bool | None
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InterfaceSettings:
    """What was set for an interface: DHCP, or address with prefix length, gateway; DNS servers."""

    name: str
    dhcp: bool = False
    address: str = ""
    gateway: str = ""
    dns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TimeView:
    """zone: e.g. Europe/Berlin. synchronized: None when nothing says so. servers: NTP servers that were set."""

    zone: str = ""
    synchronized: bool | None = None
    servers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BoxSnapshot:
    """All that boxd knows. version: `V0.1.0`, in Failover Mode `V0.1.0R`; computed, never stored.

    generation: of the record of the mode. state_damaged: the record could not be read, so Standard Mode is assumed.
    failover_runs: failover.target is active, None is unknown. going_down: a reboot or shutdown is under way.
    networks: what was set, by interface. undo_at: UTC, when the change of undo_of is undone unless it is confirmed.
    state_lost, state_mended, unfinished: those of the problems that have an alarm of their own, in a sentence each.
    """

    mode: Mode = Mode.STANDARD
    generation: int = 0
    intent: Intent = Intent.NONE
    version: str = ""
    hostname: str = ""
    interfaces: tuple[Interface, ...] = ()
    time: TimeView = TimeView()
    state_damaged: bool = False
    problems: tuple[str, ...] = ()
    failover_runs: bool | None = None
    going_down: bool = False
    state_lost: str = ""
    state_mended: str = ""
    unfinished: str = ""
    networks: tuple[InterfaceSettings, ...] = ()
    undo_at: float | None = None
    undo_of: str = ""


# Commands (org.rackeye.Box1.Admin). who, where: for the log of who did what.


@dataclass(frozen=True, slots=True)
class PowerRequest:
    """Reboot, Shutdown: orderly, by systemd. The reply is core.bus.Sentence."""

    who: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class KeepModeRequest:
    """KeepMode: the record of the mode is written anew as it is shown now. The reply is core.bus.Sentence."""

    who: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class SetNetworkRequest:
    """SetNetwork: in force at once, undone after `seconds` unless ConfirmNetwork comes. Reply: core.bus.Sentence."""

    interface: InterfaceSettings
    seconds: float = 60.0
    who: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class NetworkRequest:
    """ConfirmNetwork, UndoNetwork. Reply: core.bus.Sentence."""

    who: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class SetHostnameRequest:
    """SetHostname. Reply: core.bus.Sentence."""

    name: str
    who: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class SetTimeRequest:
    """SetTime: what is not None. servers: of NTP, none to do without. now: UTC seconds. Reply: core.bus.Sentence."""

    zone: str | None = None
    servers: tuple[str, ...] | None = None
    now: float | None = None
    who: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """Restore: user name and password of an administrator. The reply is core.bus.Sentence; then the box reboots.

    erase: empty, or boot.erase.PHRASE in full, and the recordings go, too.
    """

    user: str
    password: str = field(repr=False)
    where: str = ""
    erase: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the switch is not made, and what to do."""

    code: str
    sentence: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class SwitchPlan:
    """Reply of PlanSwitch: what would be done, and what stands against it (empty: nothing)."""

    steps: tuple[str, ...]
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class SwitchRequest:
    """SwitchToRedundant. answer: the `y` to the question. The reply is core.bus.Sentence; then the box reboots."""

    answer: str = ""
    who: str = ""
    where: str = ""
