"""Drives that are neither blank nor at work: chosen for a virtual drive that is still being made, not readable, and a
stale member that md holds in an array which does not run."""

import pytest

from raid.model import Drive, DriveState, RaidSnapshot, VdState
from rig.drives import DriveKind
from rig.rack import Rack
from tests.rig.raid_rig import (
    alarms,
    checksum,
    hurry,
    in_bay,
    is_whole,
    jobs_of,
    make_vd,
    parity_is_clean,
    rackeye,
    snapshot,
    states,
    until,
    vd,
    write_file,
)

pytestmark = [
    pytest.mark.rig,
    pytest.mark.rack(drives=4, bay_mib=340, spoilable=True, without=("rackeye-web.service",)),
]
WAITS = """#!/bin/sh
case "$*" in *--create*) until test -e /var/tmp/go; do sleep 0.2; done ;; esac
exec /var/tmp/mdadm "$@"
"""
kept: dict[str, str] = {}


def here(told: RaidSnapshot, bay: int) -> Drive:
    """The drive that is in a bay."""
    return next(drive for drive in in_bay(told, bay) if drive.device is not None)


def gone(told: RaidSnapshot, bay: int) -> list[DriveState]:
    """Of the drives of a bay that are not there."""
    return [drive.state for drive in in_bay(told, bay) if drive.device is None]


def device(rack: Rack, bay: int) -> str:
    return rack.sh(f"readlink -f /dev/disk/by-bay/{bay}").strip()


def test_a_drive_is_unconfigured_good_while_it_is_made_a_member(rack: Rack) -> None:
    hurry(rack)
    until(rack, lambda s: states(s, *range(4)) == [DriveState.BLANK] * 4, "four blank drives")
    rack.exec(["tee", "/var/tmp/waits"], stdin=WAITS, check=True)
    rack.sh("cp /usr/sbin/mdadm /var/tmp/mdadm; chmod 755 /var/tmp/waits; mount --bind /var/tmp/waits /usr/sbin/mdadm")
    try:
        make_vd(rack, "vd0", "5", "0-2", "--strip", "64K")
        told = until(rack, lambda s: states(s, 0, 1, 2) == [DriveState.UNCONFIGURED_GOOD] * 3, "chosen", 30)
        assert [(here(told, bay).vd, "vd0" in here(told, bay).detail) for bay in (0, 1, 2)] == [("vd0", True)] * 3
        assert (states(told, 3), vd(told, "vd0").state) == ([DriveState.BLANK], VdState.OFFLINE)
        refused = rackeye(rack, "vd", "create", "--level", "1", "--bays", "2,3", "--yes")
        assert "Bay 2 holds a drive that is Unconfigured Good" in refused
        assert "RAID-041" in rackeye(rack, "spare", "add", "--bay", "1")
        assert rack.led("bay1:amber:status") == "off"
    finally:
        rack.sh("touch /var/tmp/go; umount --lazy /usr/sbin/mdadm")
    told = until(rack, lambda s: is_whole(s, "vd0"), "it is whole", 240)
    assert states(told, 0, 1, 2) == [DriveState.ONLINE] * 3
    kept["before"] = write_file(rack, "/srv/rackeye/vd0/before")


def test_a_drive_that_cannot_be_read_is_unconfigured_bad_and_used_for_nothing(rack: Rack) -> None:
    """One in a bay of nobody's, and one in the bay of a missing member."""
    rack.pull(1)
    rack.pull(3)
    until(rack, lambda s: vd(s, "vd0").state is VdState.DEGRADED, "bay 1 is out", 20)
    told = until(rack, lambda s: gone(s, 3) == [DriveState.MISSING], "a blank drive that went is not forgotten", 20)
    assert (in_bay(told, 3)[0].vd, rack.led("bay3:amber:status")) == (None, "off")
    assert "bay 3" not in alarms(rack), "nobody misses it"
    rack.sh("udevadm control --stop-exec-queue")  # raidd reads a drive when udev has come to its end with it
    for bay in (1, 3):
        rack.insert(bay, DriveKind.BLANK)
        rack.spoil(bay, 0, 16)
    rack.sh("udevadm control --start-exec-queue")
    told = until(rack, lambda s: states(s, 1, 3) == [DriveState.UNCONFIGURED_BAD] * 2, "they cannot be read", 60)
    assert here(told, 3).detail.startswith("It cannot be read")
    assert "So vd0 is not rebuilt on it. Put another drive into bay 1" in here(told, 1).detail
    rack.wait_until(lambda: [rack.led(f"bay{bay}:amber:status") for bay in (1, 3)] == ["on"] * 2, 20, "both amber")
    rack.wait_until(lambda: "ALARM-104" in alarms(rack), 30, "the replacement is refused")
    assert "RAID-041" in rackeye(rack, "spare", "add", "--bay", "3")
    assert "RAID-041" in rackeye(rack, "drive", "rebuild", "--bay", "3", "--for", "vd0")
    assert jobs_of(rack, "add") == []
    for bay in (1, 3):
        rack.pull(bay)
        rack.insert(bay, DriveKind.BLANK)
    told = until(rack, lambda s: is_whole(s, "vd0") and states(s, 3) == [DriveState.BLANK], "good ones", 180)
    assert states(told, 1) == [DriveState.ONLINE]
    assert checksum(rack, "/srv/rackeye/vd0/before") == kept["before"]
    rack.wait_until(lambda: not alarms(rack), 60, "no alarm is left")
    rack.pull(3)
    until(rack, lambda s: gone(s, 3) == [DriveState.MISSING], "it went", 20)
    rack.sh("systemctl restart rackeye-raidd")
    until(rack, lambda s: gone(s, 3) == [DriveState.MISSING], "that is not forgotten either", 30)
    rackeye(rack, "drive", "dismiss", "--bay", "3", "--yes")
    until(rack, lambda s: in_bay(s, 3) == [], "until it is dismissed", 20)
    rack.insert(3, DriveKind.BLANK)
    until(rack, lambda s: states(s, 3) == [DriveState.BLANK], "another one", 30)


def inactive(rack: Rack, *bays: int) -> None:
    """As udev's `mdadm -I` leaves it (facts/boot.md): members that md has taken, and an array that does not run."""
    for bay in bays:
        rack.sh(f"mdadm --incremental --config=none {device(rack, bay)} 2>&1 || true; udevadm settle")
    said = rack.sh("cat /proc/mdstat")
    assert "inactive" in said, said
    assert said.count("(S)") == len(bays), said


def only_one_array(rack: Rack) -> None:
    """Nothing is left of the inactive one."""
    said = rack.sh("cat /proc/mdstat")
    assert [line.split()[2] for line in said.splitlines() if line.startswith("md")] == ["active"], said
    assert "(S)" not in said, said


def test_a_stale_member_in_an_inactive_array_is_let_go_and_the_current_ones_start(rack: Rack) -> None:
    rack.pull(2)
    until(rack, lambda s: vd(s, "vd0").state is VdState.DEGRADED, "bay 2 is out", 20)
    kept["newer"] = write_file(rack, "/srv/rackeye/vd0/newer")
    rack.sh("systemctl stop rackeye-raidd rackeye-recorder; umount /srv/rackeye/vd0; mdadm --stop /dev/md/vd0")
    rack.insert(2, DriveKind.SAME)
    rack.sh("udevadm settle")
    inactive(rack, 2)
    rack.sh("systemctl start rackeye-raidd rackeye-recorder")
    until(rack, lambda s: vd(s, "vd0").mountpoint is not None, "it runs", 60)
    (start,) = jobs_of(rack, "assemble")[-1]["steps"]
    assert [word for word in start if word.startswith("/dev/sd")] == [device(rack, bay) for bay in (0, 1)]
    assert checksum(rack, "/srv/rackeye/vd0/newer") == kept["newer"]
    until(rack, lambda s: is_whole(s, "vd0"), "the stale one has followed", 180)
    assert jobs_of(rack, "re-add"), "by the bitmap"
    only_one_array(rack)
    for name, before_it in kept.items():
        assert checksum(rack, f"/srv/rackeye/vd0/{name}") == before_it


def test_after_a_power_cut_all_members_lie_in_an_inactive_array_as_spares(rack: Rack) -> None:
    """A drive was pulled and put back, then the power went in the middle of a write: md starts it no more by itself."""
    rack.pull(2)
    until(rack, lambda s: vd(s, "vd0").state is VdState.DEGRADED, "bay 2 is out", 20)
    kept["latest"] = write_file(rack, "/srv/rackeye/vd0/latest")
    rack.sh("systemctl mask rackeye-raidd; systemctl stop rackeye-raidd; sync")
    rack.insert(2, DriveKind.SAME)
    rack.sh("dd if=/dev/urandom of=/srv/rackeye/vd0/torn bs=1M count=200 oflag=direct status=none > /dev/null 2>&1 &")
    rack.sh("until grep -q '^active$' /sys/block/md*/md/array_state; do :; done; sleep 0.3", 60)
    rack.power_cut()
    rack.boot()
    inactive(rack, 2, 0, 1)
    assert rack.exec(["mdadm", "--assemble", "--scan"]).rc != 0
    rack.sh("systemctl unmask rackeye-raidd; systemctl start rackeye-raidd")
    until(rack, lambda s: vd(s, "vd0").mountpoint is not None, "it runs", 90)
    assert checksum(rack, "/srv/rackeye/vd0/latest") == kept["latest"]
    rack.wait_until(lambda: "ALARM-136" in alarms(rack), 30, "a stripe may be torn")
    hurry(rack)
    until(rack, lambda s: is_whole(s, "vd0"), "the stale one has followed", 180)
    only_one_array(rack)
    for name, before_it in kept.items():
        assert checksum(rack, f"/srv/rackeye/vd0/{name}") == before_it
    parity_is_clean(rack)
    assert vd(snapshot(rack), "vd0").tolerance == 1
    rack.wait_until(lambda: not alarms(rack), 60, "no alarm is left")
