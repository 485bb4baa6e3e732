"""Work folders belong to the living."""

import os
from pathlib import Path

import pytest

from core.errors import RackAbsent, RackExists
from rig import workdir


@pytest.fixture(autouse=True)
def _own_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def test_found_while_owned_and_gone_after() -> None:
    mine = workdir.claim("one")
    assert workdir.find("one") == mine.path
    with pytest.raises(RackExists):
        workdir.claim("one")
    mine.remove()
    assert not mine.path.exists()
    with pytest.raises(RackAbsent):
        workdir.find("one")


def test_the_dead_are_swept_and_the_living_are_not() -> None:
    living = workdir.claim("living")
    dead = workdir.claim("dead")
    (dead.path / "drives").mkdir()
    os.close(dead.lock)  # what the kernel does when the owner dies
    unlocked = workdir.base() / "torn-1"
    unlocked.mkdir()
    assert workdir.sweep() == [living.path]
    assert not dead.path.exists()
    assert not unlocked.exists()
    living.remove()


def test_racks_are_spread_over_the_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5})
    racks = [workdir.claim(name) for name in ("one", "two", "three")]
    assert [rack.cpu for rack in racks] == [3, 5, 3]
    racks[1].remove()
    again = workdir.claim("again")
    assert again.cpu == 5
    for rack in (racks[0], racks[2], again):
        rack.remove()
