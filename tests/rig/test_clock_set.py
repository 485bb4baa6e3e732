"""The clock is set, back and forward, as by NTP after a start with an empty clock battery: nothing waits by that, and
no good drive is told as one that does not answer."""

import re

import pytest

from raid.model import DriveState
from raid.spare_model import SpareState
from rig.drives import DriveKind
from rig.rack import Rack
from tests.rig.raid_rig import alarms, checksum, hurry, is_whole, states, until, write_file

pytestmark = [
    pytest.mark.rig, pytest.mark.long, pytest.mark.rack(drives=4, bay_mib=340, without=("rackeye-web.service",)),
]

KEPT = "/srv/rackeye/vd0/kept"


def set_clock(rack: Rack, by: str) -> None:
    rack.sh(f"date -s \"$(date -d '{by}')\"")


def test_a_spare_takes_over_and_the_data_goes_back_whatever_the_clock_says(rack: Rack) -> None:
    hurry(rack)
    until(rack, lambda s: sum(drive.state is DriveState.BLANK for drive in s.drives) == 4, "four blank drives")
    words = ["--level", "5", "--bays", "0-2", "--strip", "64K", "--name", "vd0", "--yes", "--no-wait"]
    rack.exec(["rackeye", "vd", "create", *words], 60, check=True)
    until(rack, lambda s: bool(s.virtual_drives) and is_whole(s, "vd0"), "it is whole", 240)
    rack.exec(["rackeye", "spare", "add", "--bay", "3"], check=True)
    until(rack, lambda s: [one.state for one in s.spares] == [SpareState.READY], "the spare is ready", 60)
    kept = write_file(rack, KEPT)
    set_clock(rack, "2 hours ago")
    rack.pull(0)
    until(rack, lambda s: is_whole(s, "vd0") and s.spares[0].state is SpareState.IN_USE, "it stands in", 120)
    assert checksum(rack, KEPT) == kept
    set_clock(rack, "4 hours")
    rack.insert(0, DriveKind.BLANK)
    told = until(rack, lambda s: is_whole(s, "vd0") and s.spares[0].state is SpareState.READY, "it went back", 120)
    assert states(told, 0, 3) == [DriveState.ONLINE, DriveState.HOT_SPARE]
    assert "does not answer" not in alarms(rack)
    journal = rack.sh("journalctl -u rackeye-raidd --no-pager")
    by = re.findall(r"The clock was set by ([+-]\d+) s", journal)
    assert [round(int(seconds) / 60) for seconds in by] == [-120, 240]  # `date -s` drops a fraction, and takes its time
    assert "its S.M.A.R.T. is read" not in journal, "a pull is no error, nor is md's word for the end of a copyback"
    assert checksum(rack, KEPT) == kept
