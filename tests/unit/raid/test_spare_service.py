"""AddSpare beside what a look does meanwhile: the drive is read for a second, and a failure does not wait for it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from core.daemon import Daemon
from core.errors import NotNow, SpareUnfit
from core.paths import Paths
from raid.act import Actor
from raid.actions import Action
from raid.memory import Memory
from raid.smart_model import Smart, SmartHealth
from raid.spare_model import AddSpareRequest
from raid.spare_service import SpareService
from raid.world import Disk, Probe, World
from tests.unit.raid import worlds as w
from tests.unit.raid.spare_worlds import SERVING, drive, remembered, spare


class Unwritten:
    """A cycle whose memory goes nowhere."""

    def save(self, memory: Memory) -> None:
        pass


class Reads:
    """What the actor reads again; while it does, `meanwhile` happens."""

    def __init__(self, disk: Disk, meanwhile: Callable[[], None], error: str = "") -> None:
        self._disk, self._meanwhile = disk, meanwhile
        self.error = error
        self.observer = self.inventory = self

    def read_again(self, _name: str) -> Disk:
        self._meanwhile()
        return self._disk

    def probe(self, _name: str, _diskseq: int) -> Probe:
        return w.BLANK

    async def reads(self, _name: str, _diskseq: int, _patience: float) -> str:
        return self.error


def nothing(memory: Memory) -> Memory:
    return memory


def add(
    of: World, memory: Memory, disk: Disk, meanwhile: Callable[[Memory], Memory] = nothing, error: str = ""
) -> Memory:
    daemon: Daemon[World, Memory, Action] = Daemon("raidd", cast(Any, Unwritten()), memory, "org.rackeye.Test1")
    daemon.snapshot = of

    def happens() -> None:
        daemon.memory = meanwhile(daemon.memory)

    actor = cast(Actor, Reads(disk, happens, error))
    service = SpareService(daemon, actor, Paths(Path("/nowhere")), lambda: w.SETTINGS, lambda: None, one=asyncio.Lock())
    asyncio.run(service.add(AddSpareRequest(disk.bay or 0, disk.serial)))
    return daemon.memory


def test_another_spare_that_is_taken_meanwhile_keeps_its_place() -> None:
    new = drive(6)
    of = w.world((*(w.disk(bay) for bay in range(4)), drive(), new))
    after = add(of, remembered(spare()), new, lambda m: replace(m, spares=(spare(serving=SERVING),)))
    assert {one.serial: one.serving for one in after.spares} == {"NEW0005": SERVING, "NEW0006": None}


def test_one_that_is_taken_meanwhile_is_not_changed() -> None:
    of = w.world((*(w.disk(bay) for bay in range(4)), drive()))
    with pytest.raises(NotNow, match="in use"):
        add(of, remembered(spare()), drive(), lambda m: replace(m, spares=(spare(serving=SERVING),)))


def test_a_drive_that_is_expected_to_fail_becomes_none() -> None:
    doomed = (("sdp", Smart(health=SmartHealth.FAILING, detail="It has 900 bad sectors.")),)
    of = replace(w.world((*(w.disk(bay) for bay in range(4)), drive())), smart=doomed)
    with pytest.raises(SpareUnfit, match="expected to fail: It has 900"):
        add(of, remembered(), drive(), lambda memory: memory)


def test_one_that_does_not_read_is_refused() -> None:
    of = w.world((*(w.disk(bay) for bay in range(4)), drive()))
    with pytest.raises(SpareUnfit, match="It does not read: Input/output error"):
        add(of, remembered(spare(fault="It was bad.")), drive(), error="It does not read: Input/output error.")


def test_one_that_reads_again_is_a_good_one() -> None:
    of = w.world((*(w.disk(bay) for bay in range(4)), drive()))
    (after,) = add(of, remembered(spare(fault="It does not read.")), drive()).spares
    assert after.fault == ""
