"""Which hot spare takes over, one that does not read any more, and the setting that leaves it in the place."""

import pytest

from raid.model import DriveState, RaidSnapshot, VdState
from raid.spare_model import SpareState
from rig.drives import DriveKind
from rig.rack import Rack
from tests.rig.raid_rig import (
    alarms,
    checksum,
    hurry,
    is_whole,
    jobs_of,
    rackeye,
    states,
    until,
    vd,
    write_file,
)

pytestmark = [
    pytest.mark.rig, pytest.mark.rack(drives=5, bay_mib=480, spoilable=True, without=("rackeye-web.service",)),
]
SETTINGS = "/var/lib/rackeye/settings.toml"
ANY, DEDICATED, SMALLEST = 2, 3, 5
"""Bays of the spares: the first is large enough for all, and has the lowest number."""


def spare(told: RaidSnapshot, bay: int) -> SpareState | None:
    """None when it is no spare."""
    return next((one.state for one in told.spares if one.bay == bay), None)


def _in_use(told: RaidSnapshot) -> int:
    return sum(one.state is SpareState.IN_USE for one in told.spares)


@pytest.fixture(scope="module")
def kept(rack: Rack) -> str:
    """Two mirrors, `large` in bays 0 and 1 and `small` in 6 and 7, and three spares."""
    hurry(rack)
    for bay in (5, 6, 7):
        rack.insert(bay, DriveKind.SMALL)
    until(rack, lambda s: states(s, *range(8)) == [DriveState.BLANK] * 8, "eight blank drives", 120)
    for name, bays in (("large", "0,1"), ("small", "6,7")):
        words = ["--level", "1", "--bays", bays, "--name", name, "--yes", "--no-wait"]
        rack.exec(["rackeye", "vd", "create", *words], 60, check=True)
    until(rack, lambda s: is_whole(s, "large", "small"), "both are whole", 240)
    rackeye(rack, "spare", "add", "--bay", str(ANY))
    rackeye(rack, "spare", "add", "--bay", str(DEDICATED), "--dedicated", "large")
    rackeye(rack, "spare", "add", "--bay", str(SMALLEST))
    spares = (ANY, DEDICATED, SMALLEST)
    until(rack, lambda s: all(spare(s, bay) is SpareState.READY for bay in spares), "three are ready", 120)
    return write_file(rack, "/srv/rackeye/large/kept")


def test_differences_are_pointed_out_and_not_refused(rack: Rack, kept: str) -> None:
    assert kept
    rackeye(rack, "spare", "remove", "--bay", str(SMALLEST))
    until(rack, lambda s: states(s, 4, SMALLEST) == [DriveState.BLANK] * 2, "two blank drives", 60)
    shown = rack.exec(["rackeye", "vd", "create", "--level", "1", "--bays", f"4,{SMALLEST}", "--dry-run"], 60)
    assert shown.rc == 0, shown
    assert "mixes" in shown.stdout, shown.stdout
    assert "RACK-480M" in shown.stdout
    assert "RACK-360M" in shown.stdout
    rackeye(rack, "spare", "add", "--bay", str(SMALLEST))
    until(rack, lambda s: spare(s, SMALLEST) is SpareState.READY, "it is a spare again", 60)


def test_a_dedicated_one_comes_before_a_global_one(rack: Rack, kept: str) -> None:
    rack.pull(0)
    told = until(rack, lambda s: is_whole(s, "large") and _in_use(s) == 1, "large is whole", 240)
    assert spare(told, DEDICATED) is SpareState.IN_USE
    assert states(told, ANY, SMALLEST) == [DriveState.HOT_SPARE] * 2
    assert checksum(rack, "/srv/rackeye/large/kept") == kept


def test_of_two_global_ones_the_smallest_that_is_large_enough(rack: Rack) -> None:
    rack.pull(6)
    told = until(rack, lambda s: is_whole(s, "small") and _in_use(s) == 2, "small is whole", 240)
    assert (spare(told, SMALLEST), spare(told, ANY)) == (SpareState.IN_USE, SpareState.READY)
    rack.pull(7)
    told = until(rack, lambda s: is_whole(s, "small") and _in_use(s) == 3, "whole by a larger drive", 240)
    assert spare(told, ANY) is SpareState.IN_USE


def test_without_copyback_the_spare_stays_and_the_new_drive_is_left_alone(rack: Rack, kept: str) -> None:
    rack.sh(f"sed -i '/settle_seconds/a copyback = false' {SETTINGS}; systemctl reload rackeye-raidd")
    until(rack, lambda s: not s.spares, "what stood in is a member for good", 60)
    rack.insert(0, DriveKind.BLANK)
    until(rack, lambda s: states(s, 0) == [DriveState.BLANK], "a blank drive", 60)
    rack.sh("sleep 6")
    told = until(rack, lambda s: is_whole(s, "large", "small"), "nothing has begun", 10)
    assert (states(told, 0), states(told, DEDICATED)) == ([DriveState.BLANK], [DriveState.ONLINE])
    assert jobs_of(rack, "copyback") == []
    assert checksum(rack, "/srv/rackeye/large/kept") == kept


def test_a_spare_that_does_not_read_is_failed_and_not_chosen_until_it_reads(rack: Rack, kept: str) -> None:
    assert "is a global hot spare" in rackeye(rack, "spare", "add", "--bay", "0")
    until(rack, lambda s: spare(s, 0) is SpareState.READY, "it is a spare", 60)
    last = 480 * 2048 - 8
    rack.spoil(0, last)
    told = until(rack, lambda s: spare(s, 0) is SpareState.FAILED, "it is read within a minute", 90)
    assert states(told, 0) == [DriveState.FAILED]
    rack.wait_until(lambda: "ALARM-107" in alarms(rack), 30, "an alarm says so")
    rack.pull(1)
    until(rack, lambda s: vd(s, "large").state is VdState.DEGRADED, "large misses a drive", 60)
    rack.sh("sleep 6")
    told = until(rack, lambda s: spare(s, 0) is SpareState.FAILED, "it is still Failed", 10)
    assert vd(told, "large").progress is None, "nothing is rebuilt on it"
    assert "It does not read" in rackeye(rack, "spare", "add", "--bay", "0")
    device = rack.sh("readlink -f /dev/disk/by-bay/0").strip()
    rack.sh(f"dd if=/dev/zero of={device} bs=512 seek={last} count=8 oflag=direct status=none")
    assert "is a global hot spare" in rackeye(rack, "spare", "add", "--bay", "0")
    told = until(rack, lambda s: is_whole(s, "large"), "it reads again, and takes over", 240)
    assert states(told, 0) == [DriveState.ONLINE]
    rack.wait_until(lambda: "ALARM-107" not in alarms(rack), 60, "the alarm is over")
    assert checksum(rack, "/srv/rackeye/large/kept") == kept
