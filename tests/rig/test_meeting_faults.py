"""Faults that meet: a former member is expected to fail, a new drive takes no writes, a drive goes while parity is made
right after a power cut."""

import pytest

from raid.model import DriveState, VdState, Work
from raid.spare_model import SpareState
from rig.rack import DriveKind, Rack, SmartMood
from tests.rig.raid_rig import (
    alarms,
    checksum,
    hurry,
    in_bay,
    is_whole,
    jobs_of,
    rackeye,
    states,
    until,
    vd,
    works,
    write_file,
)

pytestmark = [
    pytest.mark.rig, pytest.mark.long,
    pytest.mark.rack(drives=5, bay_mib=340, spoilable=True, without=("rackeye-web.service",)),
]

KEPT = "/srv/rackeye/vd0/kept"


@pytest.fixture(scope="module")
def kept(rack: Rack) -> str:
    """A RAID5 without the write-intent bitmap, as one from elsewhere may be: nothing is made right by it alone."""
    hurry(rack)
    until(rack, lambda s: sum(drive.state is DriveState.BLANK for drive in s.drives) == 5, "five blank drives")
    words = ["--level", "5", "--bays", "0-2", "--strip", "64K", "--name", "vd0", "--yes", "--no-wait"]
    rack.exec(["rackeye", "vd", "create", *words], 60, check=True)
    told = until(rack, lambda s: bool(s.virtual_drives) and is_whole(s, "vd0"), "it is whole", 240)
    rack.sh(f"mdadm --grow --bitmap=none {vd(told, 'vd0').device}")
    return write_file(rack, KEPT, mib=64)


def test_a_former_member_that_is_expected_to_fail_is_left_and_the_hot_spare_takes_over(rack: Rack, kept: str) -> None:
    rack.smart(1, SmartMood.FAILING)
    rack.pull(1)
    until(rack, lambda s: vd(s, "vd0").state is VdState.DEGRADED, "it is seen", 20)
    newer = write_file(rack, "/srv/rackeye/vd0/newer")
    rack.insert(1, DriveKind.SAME)
    told = until(
        rack, lambda s: any("is not rebuilt on it" in drive.detail for drive in in_bay(s, 1)), "what it is told", 60,
    )
    assert any("It is expected to fail, so vd0 is not rebuilt on it" in drive.detail for drive in in_bay(told, 1))
    assert vd(told, "vd0").state is VdState.DEGRADED
    rack.exec(["rackeye", "spare", "add", "--bay", "4"], check=True)
    told = until(rack, lambda s: is_whole(s, "vd0"), "the spare stands in", 240)
    assert set(vd(told, "vd0").bays) == {0, 2, 4}
    assert checksum(rack, KEPT) == kept
    assert checksum(rack, "/srv/rackeye/vd0/newer") == newer


def test_a_drive_that_goes_while_parity_is_made_right_after_a_cut_leaves_a_warning(rack: Rack, kept: str) -> None:
    rack.exec(["rackeye", "rate", "set", "rebuild", "1"], check=True)
    rack.sh("dd if=/dev/urandom of=/srv/rackeye/vd0/cut bs=1M count=300 status=none >/dev/null 2>&1 & sleep 1")
    rack.power_cut()
    rack.boot()
    until(rack, lambda s: works(s, "vd0", Work.RESYNC), "parity is made right", 60)
    assert "ALARM-136" not in alarms(rack)
    rack.pull(2)
    until(rack, lambda s: vd(s, "vd0").state is VdState.DEGRADED, "it is seen", 20)
    rack.wait_until(lambda: "ALARM-136" in alarms(rack), 30, "an alarm says so")
    assert "A stripe may be torn" in alarms(rack)
    assert checksum(rack, KEPT) == kept
    hurry(rack)
    rack.insert(2, DriveKind.BLANK)
    until(rack, lambda s: is_whole(s, "vd0") and states(s, 2) == [DriveState.ONLINE], "it is rebuilt", 240)
    assert "ALARM-136" in alarms(rack), "until all is known that ever will be"
    done = rack.exec(["rackeye", "check", "start", "vd0", "--watch"], timeout=240)
    assert done.rc == 0, done.stdout + done.stderr
    rack.wait_until(lambda: "ALARM-136" not in alarms(rack), 60, f"it ends: {rackeye(rack, 'vd', 'show', 'vd0')}")
    assert checksum(rack, KEPT) == kept


def takes_no_writes(rack: Rack, bay: int) -> None:
    """The layer under a spoilable drive refuses each write from now on (dm-flakey)."""
    name = f"dust-{rack.state()['inserted'][str(bay)]}"
    rack.sh(
        f"modprobe dm_flakey; set -- $(dmsetup table {name}); below=$(dmsetup deps -o devname {name}); "
        "below=${below##*(}; table=\"0 $2 flakey /dev/${below%)} 0 0 3600 1 error_writes\"; "
        f"dmsetup suspend --noudevsync {name}; echo \"$table\" | dmsetup reload {name}; "
        f"dmsetup resume --noudevrules --noudevsync {name}"
    )


def test_a_new_drive_that_cannot_be_added_leaves_the_place_to_a_hot_spare(rack: Rack, kept: str) -> None:
    # the power cut has ended what bay 1 said of itself, so it has its place again
    until(rack, lambda s: is_whole(s, "vd0") and s.spares[0].state is SpareState.READY, "the spare is free again", 240)
    rack.sh("systemctl stop rackeye-raidd")
    rack.pull(0)
    rack.insert(0, DriveKind.BLANK)
    takes_no_writes(rack, 0)
    rack.sh("systemctl start rackeye-raidd")
    told = until(rack, lambda s: is_whole(s, "vd0") and 4 in vd(s, "vd0").bays, "the spare stands in", 240)
    assert set(vd(told, "vd0").bays) == {1, 2, 4}
    assert [job["state"] for job in jobs_of(rack, "add")][-1:] == ["Failed"]
    rack.wait_until(lambda: rack.led("bay0:amber:status") == "on", 60, "amber: this one is no good")
    assert checksum(rack, KEPT) == kept
