"""raid/act.py: the last look before a job."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from core.clock import ManualClock
from core.errors import DriveInUse
from core.jobs import Jobs
from core.paths import Paths
from core.ready_runner import ReadyRunner
from raid.act import Actor
from raid.actions import Expected, StartJob
from raid.drives import Identity, Inventory
from raid.observe import Observer
from raid.sysfs import Sysfs
from raid.world import Disk, Probe


def test_a_drive_that_is_in_use_is_refused_and_not_read_anew_at_each_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else reading it and refusing it took turns, and the looks never backed off: seen on the rack, four a second."""
    block = tmp_path / "sys/block/sda"
    for folder in ("device", "holders/md9"):
        (block / folder).mkdir(parents=True)
    for name, text in {"dev": "8:0", "diskseq": "7", "size": "32768"}.items():
        (block / name).write_text(text + "\n")
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/sda").write_bytes(bytes(32768 * 512))
    inventory = Inventory(Sysfs(tmp_path / "sys"), Paths(tmp_path))
    monkeypatch.setattr(inventory, "_identity", lambda _: Identity(4, "S", "M", settled=True))

    def look() -> Disk:
        (disk,) = inventory.disks((), frozenset(), frozenset())
        return disk

    def again(name: str, ours: frozenset[str]) -> Disk:
        inventory.forget(name)
        return look()

    observer = cast("Observer", SimpleNamespace(inventory=inventory, again=again, sysfs=None))
    jobs = Jobs.of("raid", Paths(tmp_path))
    actor = Actor(observer, jobs, Paths(tmp_path), ManualClock(), cast("ReadyRunner", None))
    job = StartJob("vd0-assemble-1", "assemble", "vd0", (("true",),), (Expected("sda", 7, 4, "S", ()),), "why")
    with pytest.raises(DriveInUse, match="in use by md9"):
        actor.act(job)
    assert look().probe == Probe()
    assert jobs.list() == ()
