"""Worlds with a hot spare in bay 5 (sdp), at rest or standing in for bay 2."""

from dataclasses import replace

from raid.actions import StartJob
from raid.decide import decide
from raid.derive import derive
from raid.memory import Memory, Serving, Slot, Spare
from raid.model import RaidSnapshot
from raid.world import Disk, SpareRead, World
from raid.world import Probe as OnDisk
from tests.unit.raid import worlds as w

GIB = 1024**3
HOME = Slot(2, "SN0002", "RACK DRIVE", w.SIZE)
SERVING = Serving(w.UUID, 2, HOME)


def spare(bay: int = 5, **changes: object) -> Spare:
    made = Spare(f"NEW{bay:04}", "RACK DRIVE", w.SIZE, bay)
    return replace(made, **changes)  # type: ignore[arg-type]


def drive(bay: int = 5, probe: OnDisk | None = w.BLANK, **changes: object) -> Disk:
    """The drive of a spare: sdp in bay 5."""
    made = replace(w.newcomer(bay, w.BLANK), probe=probe)
    return replace(made, **changes)  # type: ignore[arg-type]


def good(*disks: Disk) -> tuple[SpareRead, ...]:
    return tuple(SpareRead(disk.diskseq, w.NOW - 5) for disk in disks)


def with_reads(of: World, *disks: Disk) -> World:
    return replace(of, spare_reads=good(*disks))


def remembered(*spares: Spare, **changes: object) -> Memory:
    return replace(w.memory(), spares=spares, **changes)  # type: ignore[arg-type]


def jobs(of: World, memory: Memory) -> list[StartJob]:
    return [action for action in decide(of, memory, w.SETTINGS, w.NOW).actions if isinstance(action, StartJob)]


def told(of: World, memory: Memory) -> RaidSnapshot:
    after = decide(of, memory, w.SETTINGS, w.NOW).memory
    return derive(w.scene(of, after))


def stands_in(*more: Disk, states: str = "in_sync", **changes: object) -> World:
    """The spare in bay 5 (sdp) has slot 2."""
    onto = replace(w.member(2, states=states), device="sdp")
    md = w.array(w.member(0), w.member(1), onto, w.member(3), **changes)
    return w.world((*(w.disk(b) for b in (0, 1, 3)), drive(probe=None), *more), w.running(md))


def serving(**changes: object) -> Memory:
    slots = list(w.known().slots)
    slots[2] = Slot(5, "NEW0005", "RACK DRIVE", w.SIZE)
    return replace(remembered(spare(serving=SERVING), **changes), vds=(w.known(slots=tuple(slots)),))


def going_back(old: str = "in_sync,want_replacement", new: str = "replacement,spare", *more: Disk) -> World:
    source = replace(w.member(2, states=old), device="sdp")
    target = replace(w.member(2, states=new), device="sdm")
    md = w.array(w.member(0), w.member(1), source, target, w.member(3), degraded=0, sync_action="recover",
                 sync_total=100, sync_done=25)  # fmt: skip
    disks = (*(w.disk(b) for b in (0, 1, 3)), drive(probe=None), replace(w.newcomer(2, w.BLANK), probe=None), *more)
    return w.world(disks, w.running(md))
