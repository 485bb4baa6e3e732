"""raidd and power cuts: what was committed stays, what was begun goes on."""

import pytest

from raid.model import DriveState, VdState, Work
from rig.daemons import open_alarms
from rig.drives import DriveKind
from rig.rack import Rack
from tests.rig.raid_rig import (
    checksum,
    create,
    hurry,
    in_bay,
    is_whole,
    job_units,
    jobs_of,
    snapshot,
    until,
    vd,
    write_file,
)

pytestmark = [pytest.mark.rig]

kept: dict[str, str] = {}


def cut(rack: Rack) -> None:
    rack.power_cut()
    rack.boot()


@pytest.mark.parametrize("delay", [0.2, 2.0])
def test_a_cut_during_the_making_is_followed_by_the_rest(rack: Rack, delay: float) -> None:
    hurry(rack)
    bays = (0, 1, 2, 3) if delay < 1 else (4, 5, 6, 7)
    until(rack, lambda s: all(in_bay(s, b) and in_bay(s, b)[0].state is DriveState.BLANK for b in bays), "blank drives")
    (name,) = create(rack, bays=bays)
    rack.wait_until(lambda: job_units(rack) == 1, 20, "the job runs")
    rack.sh(f"sleep {delay}")
    cut(rack)
    told = until(rack, lambda s: vd(s, name).mountpoint is not None, "it is made", 120)
    assert vd(told, name).bays == bays
    kept[name] = write_file(rack, f"/srv/rackeye/{name}/kept")


def test_a_stale_member_after_a_power_cut_is_not_trusted(rack: Rack) -> None:
    until(rack, lambda s: is_whole(s, "vd0", "vd1"), "both are initialized", 180)
    rack.pull(2)
    until(rack, lambda s: vd(s, "vd0").state is VdState.DEGRADED, "it is seen", 10)
    kept["newer"] = write_file(rack, "/srv/rackeye/vd0/newer")
    rack.sh("systemctl stop rackeye-raidd")
    rack.insert(2, DriveKind.SAME)
    rack.sh("dd if=/dev/urandom of=/srv/rackeye/vd0/torn bs=1M count=64 status=none & sleep 0.5")
    cut(rack)
    told = until(rack, lambda s: vd(s, "vd0").mountpoint is not None, "it runs", 60)
    assert vd(told, "vd0").state is not VdState.UNKNOWN
    first = jobs_of(rack, "assemble")[-1]
    assert checksum(rack, "/srv/rackeye/vd0/newer") == kept["newer"]
    until(rack, lambda s: is_whole(s, "vd0", "vd1"), "it is whole again", 180)
    assembled = [step for record in jobs_of(rack, "assemble") for step in record["steps"] if "/dev/md/vd0" in step]
    assert len([word for word in assembled[-1] if word.startswith("/dev/sd")]) == 3, first
    rack.pull(0)  # what was written while bay 2 was out is read from it
    until(rack, lambda s: vd(s, "vd0").state is VdState.DEGRADED, "bay 0 is out", 10)
    assert checksum(rack, "/srv/rackeye/vd0/newer") == kept["newer"]
    assert checksum(rack, "/srv/rackeye/vd0/kept") == kept["vd0"]


def test_a_rebuild_goes_on_after_a_cut(rack: Rack) -> None:
    rack.insert(0, DriveKind.BLANK)

    def rebuilding(name: str) -> bool:
        progress = vd(snapshot(rack), name).progress
        return progress is not None and progress.kind is Work.REBUILD and progress.percent > 5

    rack.wait_until(lambda: rebuilding("vd0"), 60, "vd0 rebuilds")
    cut(rack)
    until(rack, lambda s: is_whole(s, "vd0", "vd1"), "it is whole", 180)
    for name in ("vd0", "vd1"):
        assert checksum(rack, f"/srv/rackeye/{name}/kept") == kept[name]


def test_without_its_memory_raidd_takes_the_arrays_over(rack: Rack) -> None:
    before = snapshot(rack)
    rack.sh("systemctl stop rackeye-raidd; printf '{\"vds\": [{' > /var/lib/rackeye/raid/memory.json; sync")
    cut(rack)
    told = until(rack, lambda s: len(s.virtual_drives) == 2 and is_whole(s, "vd0", "vd1"), "both are back", 120)
    assert [(v.name, v.uuid, v.bays) for v in told.virtual_drives] == [
        (v.name, v.uuid, v.bays) for v in before.virtual_drives
    ]
    assert any("memory.json cannot be read" in p for p in told.problems)
    assert checksum(rack, "/srv/rackeye/vd0/kept") == kept["vd0"]


def test_drives_that_are_gone_at_boot_are_missing_by_name(rack: Rack) -> None:
    serial = in_bay(snapshot(rack), 6)[0].serial
    rack.power_cut()
    rack.pull(6)
    rack.boot()
    told = until(rack, lambda s: vd(s, "vd1").state is VdState.DEGRADED, "it runs without bay 6", 60)
    (missing,) = in_bay(told, 6)
    assert (missing.state, missing.serial) == (DriveState.MISSING, serial)
    rack.wait_until(lambda: open_alarms(rack) >= {"ALARM-101", "ALARM-102"}, 30, "a degraded start is an alarm")
