"""What boxd does by itself, pure: a damaged copy of the record is mended, and the mode decides which target runs."""

from dataclasses import dataclass
from enum import Enum, auto

from boot.model import BoxSnapshot, Interface, InterfaceSettings, Mode, TimeView
from boot.network_set import Undo, overdue
from boot.state import Loaded
from core.daemon import Decision

UNFINISHED = "A restore to default was begun; it is finished at the next start."


@dataclass(frozen=True, slots=True)
class BoxLook:
    """failover_runs: failover.target is active; None is unknown. going_down: a reboot or shutdown is under way.

    erase_runs: recordings are being erased.
    undo: a change of the network that waits to be confirmed. boot: id of this start; uptime: CLOCK_MONOTONIC.
    """

    state: Loaded
    version: str
    hostname: str
    interfaces: tuple[Interface, ...] = ()
    time: TimeView = TimeView()
    failover_runs: bool | None = None
    going_down: bool = False
    problems: tuple[str, ...] = ()
    networks: tuple[InterfaceSettings, ...] = ()
    undo: Undo | None = None
    boot: str = ""
    uptime: float = 0.0
    erase_runs: bool | None = None


class Action(Enum):
    """What boxd does without being asked."""

    MEND = auto()
    START_FAILOVER = auto()
    UNDO_NETWORK = auto()


@dataclass(frozen=True, slots=True)
class BoxMemory:
    """mended: a sentence about a copy that was damaged and is whole again; told until somebody has seen it (KeepMode),
    or the next start."""

    mended: str = ""


def decide(look: BoxLook, memory: BoxMemory) -> Decision[BoxMemory, Action]:
    """Pure."""
    actions: list[Action] = []
    if look.state.uneven:
        actions.append(Action.MEND)
        memory = BoxMemory(look.state.problem or memory.mended)
    failover = look.state.record.mode is Mode.FAILOVER
    if failover and look.failover_runs is False and not look.going_down:
        actions.append(Action.START_FAILOVER)  # the boot menu did so, unless it had crashed
    if overdue(look.undo, look.boot, look.uptime):
        actions.append(Action.UNDO_NETWORK)
        return Decision(tuple(actions), memory)
    return Decision(tuple(actions), memory, None if look.undo is None else look.undo.until - look.uptime + 0.1)


def show(look: BoxLook, memory: BoxMemory, problems: tuple[str, ...], now: float = 0.0) -> BoxSnapshot:
    """What is published. now: UTC."""
    record = look.state.record
    lost = look.state.problem if look.state.lost else ""
    unfinished = UNFINISHED if record.intent.restores else ""
    if record.intent.erases and look.erase_runs is not True:
        unfinished = "Recordings were to be erased, and not all are; it is tried again at the next start."
    said = (*look.problems, *(one for one in (lost, memory.mended, unfinished) if one))
    return BoxSnapshot(
        record.mode, record.generation, record.intent, look.version, look.hostname, look.interfaces, look.time,
        look.state.lost, (*said, *problems), look.failover_runs, look.going_down, lost, memory.mended, unfinished,
        look.networks, None if look.undo is None else round(now + look.undo.until - look.uptime),
        "" if look.undo is None else look.undo.interface,
    )
