"""A member with single bad sectors (dm-dust and dm-error below the bay, `rack.spoil`) under check, patrol read and
rebuild, as a person has it: what is said, what is done, and that no fault is reported as good."""

import pytest

from raid.model import CheckResult, CheckVerdict, DriveState, VdState
from rig.drives import DriveKind
from rig.rack import Rack, SmartMood
from tests.rig.raid_rig import (
    alarms,
    checksum,
    hurry,
    in_bay,
    is_whole,
    patrol,
    place_of,
    snapshot,
    states,
    until,
    vd,
    write_file,
)

pytestmark = [pytest.mark.rig, pytest.mark.rack(drives=5, bay_mib=340, spoilable=True)]

STRIP = 64 * 1024


def result(rack: Rack) -> CheckResult:
    (one,) = snapshot(rack).checks
    return one


@pytest.fixture(scope="module")
def kept(rack: Rack) -> str:
    hurry(rack)
    until(rack, lambda s: sum(d.state is DriveState.BLANK for d in s.drives) == 5, "five blank drives")
    rack.exec(["rackeye", "vd", "create", "--level", "5", "--bays", "0-2", "--strip", "64K", "--name", "vd0", "--yes",
               "--no-wait"], 60, check=True)
    until(rack, lambda s: bool(s.virtual_drives) and is_whole(s, "vd0"), "it is whole", 200)
    rack.sh("rackeye rate set check 100; rackeye rate set patrol 100")
    return write_file(rack, "/srv/rackeye/vd0/kept", mib=32)


def test_a_check_names_the_drive_and_a_patrol_read_has_it_written_anew(rack: Rack, kept: str) -> None:
    bad, spare = place_of(rack, 1, 300 * STRIP), 100_000
    rack.spoil(1, bad)
    rack.spoil(4, spare)
    found = rack.exec(["rackeye", "check", "start", "vd0", "--watch"], timeout=300)
    told = result(rack)
    assert (found.rc, told.verdict) == (1, CheckVerdict.FAILED)
    assert f"bay 1 at LBA {bad}" in told.detail
    assert vd(snapshot(rack), "vd0").state is VdState.OPTIMAL, "a check costs no member"
    rack.smart(1, SmartMood.FAILING)
    patrol(rack)
    places = {place.bay: place for place in snapshot(rack).patrol.bad}
    assert (places[1].lba, places[1].rewritten, places[1].vd) == (bad, True, "vd0")
    assert (places[4].lba, places[4].rewritten) == (spare, False)
    rack.wait_until(lambda: alarms(rack).count("ALARM-131") >= 2, 20, "both alarms")
    told_of = until(rack, lambda s: states(s, 1) == [DriveState.SHIELD], "asked at once what it says of itself", 30)
    assert in_bay(told_of, 1)[0].read_errors >= 1
    assert "made good by md" in rack.sh("rackeye drive show 1")
    rack.smart(1, SmartMood.GOOD)
    rack.exec(["rackeye", "drive", "smart", "--bay", "1", "--read"], check=True)
    until(rack, lambda s: states(s, 1) == [DriveState.ONLINE], "it is well after all", 30)
    again = rack.exec(["rackeye", "check", "start", "vd0", "--watch"], timeout=300)
    assert again.rc == 0, again.stdout + again.stderr
    assert checksum(rack, "/srv/rackeye/vd0/kept") == kept


def test_a_source_with_a_bad_sector_ends_no_rebuild_and_what_is_lost_is_told(rack: Rack, kept: str) -> None:
    free = 1500  # behind the file
    bad = place_of(rack, 0, free * STRIP)
    rack.pull(2)
    until(rack, lambda s: vd(s, "vd0").state is VdState.DEGRADED, "bay 2 is out", 30)
    rack.spoil(0, bad, dead=True)
    rack.insert(2, DriveKind.BLANK)
    told = until(rack, lambda s: is_whole(s, "vd0"), "rebuilt", 300)
    assert {bad.bay for bad in vd(told, "vd0").bad_blocks} >= {0}, told
    assert "The drive in bay 0 lacks" in vd(told, "vd0").detail
    found = rack.exec(["rackeye", "check", "start", "vd0", "--watch"], timeout=300)
    assert found.rc == 1, "never told as clean"
    assert f"bay 0 at LBA {bad}" in result(rack).detail
    rack.wait_until(lambda: "ALARM-132" in alarms(rack), 20, "the alarm")
    assert checksum(rack, "/srv/rackeye/vd0/kept") == kept
