"""What boxd does by itself, pure: a damaged copy of the record is mended, and the mode decides which target runs."""

import ipaddress
from dataclasses import dataclass, replace
from enum import Enum, auto

from boot.model import BoxSnapshot, Interface, InterfaceSettings, Mode, TimeView
from boot.network_set import Undo, overdue
from boot.state import Loaded
from core.daemon import Decision

DHCP_SECONDS = 15.0
"""A server that is there has answered by then."""
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
    or the next start. unanswered: interfaces that wait for a DHCP server, and since when (CLOCK_MONOTONIC)."""

    mended: str = ""
    unanswered: tuple[tuple[str, float], ...] = ()


def decide(look: BoxLook, memory: BoxMemory) -> Decision[BoxMemory, Action]:
    """Pure."""
    actions: list[Action] = []
    if look.state.uneven:
        actions.append(Action.MEND)
        memory = replace(memory, mended=look.state.problem or memory.mended)
    memory = replace(memory, unanswered=_unanswered(look, memory))
    failover = look.state.record.mode is Mode.FAILOVER
    if failover and look.failover_runs is False and not look.going_down:
        actions.append(Action.START_FAILOVER)  # the boot menu did so, unless it had crashed
    if overdue(look.undo, look.boot, look.uptime):
        actions.append(Action.UNDO_NETWORK)
        return Decision(tuple(actions), memory)
    times = [since + DHCP_SECONDS for _, since in memory.unanswered if since + DHCP_SECONDS > look.uptime]
    times += [] if look.undo is None else [look.undo.until]
    return Decision(tuple(actions), memory, min(times) - look.uptime + 0.1 if times else None)


def _unanswered(look: BoxLook, memory: BoxMemory) -> tuple[tuple[str, float], ...]:
    """Interfaces that are to have their address by DHCP, have a cable, and have none but what they gave themselves."""
    since, here = dict(memory.unanswered), {one.name: one for one in look.interfaces}
    without = [
        one.name for one in look.networks
        if one.dhcp and (found := here.get(one.name)) is not None and found.up is not False
        and not any(not _own(address) for address in found.addresses)
    ]
    return tuple((name, since.get(name, look.uptime)) for name in without)


def _own(address: str) -> bool:
    """One that a machine gives itself: link-local."""
    return ipaddress.ip_interface(address).is_link_local


def show(look: BoxLook, memory: BoxMemory, problems: tuple[str, ...], now: float = 0.0) -> BoxSnapshot:
    """What is published. now: UTC."""
    record = look.state.record
    lost = look.state.problem if look.state.lost else ""
    unfinished = UNFINISHED if record.intent.restores else ""
    if record.intent.erases and look.erase_runs is not True:
        unfinished = "Recordings were to be erased, and not all are; it is tried again at the next start."
    silent = tuple(
        f"{name} gets its address by DHCP, and no DHCP server answers: it has no address. Look at the cable and the "
        "server, or set an address."
        for name, since in memory.unanswered if look.uptime - since >= DHCP_SECONDS
    )
    said = (*look.problems, *silent, *(one for one in (lost, memory.mended, unfinished) if one))
    return BoxSnapshot(
        record.mode, record.generation, record.intent, look.version, look.hostname, look.interfaces, look.time,
        look.state.lost, (*said, *problems), look.failover_runs, look.going_down, lost, memory.mended, unfinished,
        look.networks, None if look.undo is None else round(now + look.undo.until - look.uptime),
        "" if look.undo is None else look.undo.interface,
    )
