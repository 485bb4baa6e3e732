"""How fast work goes and what goes first: rates that are changed while it runs, and two virtual drives at once."""

import pytest

from raid.model import DriveState, Work
from raid.rates import ABLE, GIVES_WAY
from rig.drives import DriveKind
from rig.rack import Rack
from tests.rig.raid_rig import hurry, is_whole, rackeye, snapshot, states, until, vd, works

pytestmark = [pytest.mark.rig, pytest.mark.rack(drives=6, bay_mib=340, without=("rackeye-web.service",))]


def most(rack: Rack, kib: int) -> None:
    """The system's upper limit, KiB/s of each drive."""
    rack.sh(f"echo {kib} > /proc/sys/dev/raid/speed_limit_max")


def least(rack: Rack, name: str) -> int:
    """md's lower limit of a virtual drive, KiB/s of each drive."""
    device = vd(snapshot(rack), name).device
    return int(rack.sh(f"cat /sys/block/$(basename $(readlink -f {device}))/md/sync_speed_min").split()[0])


def make(rack: Rack, name: str, bays: str) -> None:
    words = ["--level", "5", "--bays", bays, "--name", name, "--yes", "--no-wait"]
    rack.exec(["rackeye", "vd", "create", *words], 60, check=True)


def test_the_rate_of_an_initialization_changes_while_it_runs(rack: Rack) -> None:
    hurry(rack)
    until(rack, lambda s: sum(drive.state is DriveState.BLANK for drive in s.drives) == 6, "six blank drives")
    rack.sh("sed -i /sync_speed_min/d /var/lib/rackeye/settings.toml; systemctl reload rackeye-raidd")
    rackeye(rack, "check", "schedule", "--days", "0", "--patrol-days", "0")
    assert "1 %" in rackeye(rack, "rate", "set", "initialization", "1")
    most(rack, 4000)
    make(rack, "vd0", "0-2")
    told = until(rack, lambda s: works(s, "vd0", Work.INITIALIZING), "it initializes", 120)
    rack.wait_until(lambda: least(rack, "vd0") == ABLE // 100, 60, "at one per cent")
    assert not is_whole(told, "vd0")
    until(rack, lambda s: (p := vd(s, "vd0").progress) is not None and bool(p.speed and p.seconds_left), "speed", 60)
    refused = rackeye(rack, "check", "start", "vd0")
    assert "vd0 is being initialized" in refused, refused
    assert "40 %" in rackeye(rack, "rate", "set", "initialization", "40")
    rack.wait_until(lambda: least(rack, "vd0") == ABLE * 40 // 100, 60, "at forty")
    most(rack, 500_000)
    until(rack, lambda s: is_whole(s, "vd0"), "it is whole", 240)


def test_a_rebuild_goes_before_what_another_virtual_drive_does_by_itself(rack: Rack) -> None:
    rackeye(rack, "rate", "set", "rebuild", "1")
    most(rack, 1600)  # little more than one per cent of ABLE: more than three minutes
    rack.pull(1)
    rack.insert(1, DriveKind.BLANK)
    until(rack, lambda s: works(s, "vd0", Work.REBUILD), "vd0 is rebuilt", 120)
    make(rack, "vd1", "3-5")
    until(rack, lambda s: works(s, "vd1", Work.INITIALIZING), "vd1 initializes", 120)
    rack.wait_until(lambda: least(rack, "vd1") == ABLE * GIVES_WAY // 100, 60, "vd1 gives way")
    assert least(rack, "vd0") == ABLE // 100
    assert "Rebuild" in rackeye(rack, "vd", "show", "vd0")
    rack.wait_until(lambda: _to_its_end(rack, "vd1"), 240, "vd1 is initialized meanwhile")
    rackeye(rack, "check", "schedule", "--days", "7", "--quiet", "0-0")
    told = until(rack, lambda s: any("goes first" in one.why for one in s.upkeep if one.vd == "vd1"), "it waits", 60)
    rack.sh("sleep 5")
    told = snapshot(rack)
    assert works(told, "vd0", Work.REBUILD), "too fast to see anything"
    assert vd(told, "vd1").progress is None, "no check beside a rebuild"
    most(rack, 500_000)
    rackeye(rack, "rate", "set", "rebuild", "100")
    until(rack, lambda s: bool(s.checks) or works(s, "vd0", Work.CHECK) or works(s, "vd1", Work.CHECK),
          "the check comes once the rebuild has ended", 240)
    told = snapshot(rack)
    assert states(told, 1) == [DriveState.ONLINE]


def _to_its_end(rack: Rack, name: str) -> bool:
    """md gives way to nobody below its lower limit: this one is let go as fast as it can."""
    device = vd(snapshot(rack), name).device
    rack.sh(f"echo 500000 > /sys/block/$(basename $(readlink -f {device}))/md/sync_speed_max")
    return is_whole(snapshot(rack), name)
