"""The long tier: a patrol read over arrays of every level, in each of which a sector of a drive has gone bad."""

import pytest

from raid.model import DriveState, VdState
from rig.rack import Rack
from tests.rig.raid_rig import all_blank, checksum, hurry, is_whole, patrol, place_of, snapshot, until, vd, write_file

pytestmark = [pytest.mark.rig, pytest.mark.long, pytest.mark.rack(bay_mib=340, spoilable=True)]

BEHIND = 280 * 1024**2
"""Bytes into a member's data: behind the file."""


@pytest.fixture(scope="module")
def quick(rack: Rack) -> None:
    hurry(rack)
    rack.sh("rackeye rate set patrol 100; rackeye rate set initialization 100")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("level", "bays", "redundant"),
    [
        ("0", "0-1", False), ("1", "0-1", True), ("1", "0-3", True), ("10", "0-3", True), ("5", "0-2", True),
        ("6", "0-3", True), ("50", "0-5", True), ("60", "0-7", True), ("00", "0-3", False),
    ],
)
def test_every_level(rack: Rack, level: str, bays: str, redundant: bool) -> None:
    """Where the others hold what is lost md writes it anew; elsewhere it is named, and an alarm."""
    until(rack, all_blank, "blank drives", 120)
    spans = ["--spans", "2"] if level in ("50", "60", "00") else []
    wanted = ["--level", level, "--bays", bays, "--strip", "64K", "--name", "vd0", "--yes", "--no-wait", *spans]
    rack.exec(["rackeye", "vd", "create", *wanted], 60, check=True)
    until(rack, lambda s: bool(s.virtual_drives) and is_whole(s, "vd0"), "it is whole", 300)
    kept = write_file(rack, "/srv/rackeye/vd0/kept")
    bad = place_of(rack, 1, BEHIND)
    rack.spoil(1, bad)
    patrol(rack)
    told = snapshot(rack)
    found = [place for place in told.patrol.bad if (place.bay, place.lba) == (1, bad)]
    assert [(place.vd, place.rewritten) for place in found] == [("vd0", redundant)]
    assert told.patrol.drives == 8, "those that are no members, too"
    assert vd(told, "vd0").state is VdState.OPTIMAL
    assert next(drive.state for drive in told.drives if drive.bay == 1) is DriveState.ONLINE
    rack.wait_until(lambda: "ALARM-131" in rack.sh("rackeye alarm --json"), 20, "the alarm")
    patrol(rack)
    again = [place for place in snapshot(rack).patrol.bad if (place.bay, place.lba) == (1, bad)]
    assert len(again) == (0 if redundant else 1), "what was written anew reads now"
    assert checksum(rack, "/srv/rackeye/vd0/kept") == kept
    rack.exec(["rackeye", "vd", "delete", "vd0", "--yes"], 120, check=True)
