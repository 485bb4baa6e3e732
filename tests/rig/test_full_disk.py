"""A full system drive: what must be remembered is not begun, what must be seen is shown, and it goes on after."""

import pytest

from raid.model import Done, DriveState, JobState, VdState
from raid.spare_model import AddSpareRequest, SpareState
from rig.rack import Rack
from tests.rig.raid_rig import Refused, alarms, command, create, hurry, in_bay, is_whole, snapshot, until, vd

pytestmark = [pytest.mark.rig, pytest.mark.rack(drives=5, bay_mib=352, without=("rackeye-web.service",))]

# As root, who may use what is kept back for him, down to the last block.
FILL = "for size in 1G 256M 64M 16M 4M 1M 256K 64K 16K 4K; do n=0; " \
       "while fallocate -l $size /var/fill-$size-$n 2> /dev/null; do n=$((n+1)); done; done; sync"


def test_nothing_begins_that_could_not_be_remembered_and_the_light_comes_all_the_same(rack: Rack) -> None:
    hurry(rack)
    create(rack, bays=(0, 1, 2))
    until(rack, lambda s: is_whole(s, "vd0"), "it is whole", 180)
    serial = in_bay(snapshot(rack), 4)[0].serial
    command(rack, "AddSpare", AddSpareRequest(4, serial), Done)
    until(rack, lambda s: [one.state for one in s.spares] == [SpareState.READY], "the spare is ready")
    rack.sh(FILL, 120)
    rack.pull(1)
    told = until(rack, lambda s: any("cannot be written" in one for one in s.problems), "raidd says what it cannot do")
    rack.wait_until(lambda: rack.led("bay1:amber:status") == "on", 30, "amber")
    rack.wait_until(lambda: "cannot be written" in alarms(rack) and "bay 1" in alarms(rack), 60, "the alarms")
    told = snapshot(rack)
    assert (vd(told, "vd0").state, told.spares[0].state) == (VdState.DEGRADED, SpareState.READY)
    assert not any(job.state is JobState.RUNNING for job in told.jobs)
    another = AddSpareRequest(3, in_bay(told, 3)[0].serial)
    with pytest.raises(Refused, match="cannot be written"):
        command(rack, "AddSpare", another, Done)


def test_with_room_again_the_rebuild_begins_by_itself(rack: Rack) -> None:
    rack.sh("rm -f /var/fill-*; sync")
    told = until(rack, lambda s: is_whole(s, "vd0") and vd(s, "vd0").bays.count(4) == 1, "rebuilt on the spare", 180)
    assert [one.state for one in told.spares] == [SpareState.IN_USE]
    assert in_bay(told, 3)[0].state is DriveState.BLANK
    assert not any("cannot be written" in one for one in told.problems)
    rack.wait_until(lambda: "cannot be written" not in alarms(rack), 60, "the alarm has ended")
