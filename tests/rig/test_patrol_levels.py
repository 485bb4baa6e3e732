"""The long tier: a patrol read over arrays of every level, in each of which a sector of a drive has gone bad."""

from dataclasses import dataclass

import pytest

from raid.model import DriveState, VdState
from rig.rack import Rack
from tests.rig.raid_rig import (
    alarms,
    all_blank,
    checksum,
    hurry,
    is_whole,
    patrol,
    place_of,
    snapshot,
    until,
    vd,
    write_file,
)

pytestmark = [pytest.mark.rig, pytest.mark.long, pytest.mark.rack(bay_mib=340, spoilable=True)]

BEHIND = 280 * 1024**2
"""Bytes into a member's data: behind the file."""


@dataclass(frozen=True)
class Made:
    """A virtual drive. bad: the bay of the drive with a bad sector; mended: md has it written anew."""

    name: str
    level: str
    bays: str
    bad: int
    mended: bool = True

    def make(self, rack: Rack) -> None:
        spans = ["--spans", "2"] if self.level in ("50", "60", "00") else []
        strip = ["--strip", "64K"] if self.level != "1" else []
        wanted = ["--level", self.level, "--bays", self.bays, "--name", self.name, *strip, *spans]
        rack.exec(["rackeye", "vd", "create", *wanted, "--yes", "--no-wait"], 60, check=True)


@pytest.fixture(scope="module")
def quick(rack: Rack) -> None:
    hurry(rack)
    rack.sh("rackeye rate set patrol 100; rackeye rate set initialization 100")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "made",
    [
        (
            Made("none", "0", "0-1", 0, mended=False), Made("pair", "1", "2-3", 2),
            Made("mirrors", "10", "4-7", 5, mended=False),
        ),
        (Made("fifty", "50", "0-5", 1),),
        (Made("sixty", "60", "0-7", 6),),
        (Made("striped", "00", "0-3", 1, mended=False), Made("six", "6", "4-7", 7)),
    ],
    ids=lambda made: "-".join(one.name for one in made),
)
def test_every_level(rack: Rack, made: tuple[Made, ...]) -> None:
    """It is written anew, or named only, and is an alarm in any case."""
    until(rack, all_blank, "blank drives", 120)
    for one in made:
        one.make(rack)
    until(rack, lambda s: len(s.virtual_drives) == len(made), "they are known", 60)
    until(rack, lambda s: is_whole(s, *(one.name for one in made)), "they are whole", 300)
    kept = {one: write_file(rack, f"/srv/rackeye/{one.name}/kept") for one in made}
    bad = {one.bad: place_of(rack, one.bad, BEHIND) for one in made}
    for bay, lba in bad.items():
        rack.spoil(bay, lba)
    patrol(rack)
    told = snapshot(rack)
    found = {(place.bay, place.lba): place for place in told.patrol.bad}
    for one in made:
        place = found[one.bad, bad[one.bad]]
        assert (place.vd, place.rewritten) == (one.name, one.mended)
        assert vd(told, one.name).state is VdState.OPTIMAL
        assert next(drive.state for drive in told.drives if drive.bay == one.bad) is DriveState.ONLINE
        reads = f"dd if=/dev/disk/by-bay/{one.bad} of=/dev/null iflag=direct bs=4096 count=1 skip={place.lba // 8}"
        assert (rack.exec(["sh", "-c", reads], 60).rc == 0) is one.mended, "what was written anew reads"
        assert checksum(rack, f"/srv/rackeye/{one.name}/kept") == kept[one]
    rack.wait_until(lambda: alarms(rack).count("ALARM-131") >= len(made), 20, "an alarm for each")
    for one in made:
        rack.exec(["rackeye", "vd", "delete", one.name, "--yes"], 120, check=True)
