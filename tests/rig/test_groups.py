"""Several virtual drives in one drive group, on a real kernel, in one boot: made, degraded together, rebuilt together,
deleted one by one, back after a power cut and from superblocks and table alone.
"""

import pytest

from raid.model import DriveState, RaidSnapshot, VdState
from rig.drives import DriveKind
from rig.rack import Rack
from tests.rig.raid_rig import checksum, hurry, in_bay, is_whole, snapshot, until, vd, write_file

pytestmark = [pytest.mark.rig, pytest.mark.rack(drives=4, bay_mib=512, without=("rackeye-web.service",))]

kept: dict[str, str] = {}


def both(told: RaidSnapshot, state: VdState) -> bool:
    return [one.state for one in told.virtual_drives] == [state] * 2  # whichever was made first


def still_there(rack: Rack, *names: str) -> None:
    for name in names:
        assert checksum(rack, f"/srv/rackeye/{name}/kept") == kept[name]


def test_two_are_made_in_one_group_and_a_third_finds_no_room(rack: Rack) -> None:
    hurry(rack)
    until(rack, lambda s: [d.state for b in range(4) for d in in_bay(s, b)] == [DriveState.BLANK] * 4, "blank drives")
    refused = rack.exec(["rackeye", "vd", "create", "--level", "50", "--bays", "0-3", "--size", "1G", "--yes"])
    assert refused.rc
    plan = rack.exec(
        ["rackeye", "vd", "create", "--level", "5", "--bays", "0-3", "--size", "700MiB", "--dry-run"], 60, check=True
    ).stdout
    assert "in drive group dg0" in plan
    assert not snapshot(rack).virtual_drives
    first = ["rackeye", "vd", "create", "--level", "5", "--bays", "0-3", "--size", "700MiB", "--yes", "--no-wait"]
    rack.exec(first, 60, check=True)
    until(rack, lambda s: len(s.virtual_drives) == 1 and is_whole(s, "vd0"), "vd0 is whole", 400)
    kept["vd0"] = write_file(rack, "/srv/rackeye/vd0/kept")
    refused = rack.exec(["rackeye", "vd", "create", "--group", "dg0", "--level", "6", "--size", "rest", "--yes"])
    assert "All virtual drives of dg0 are RAID5" in " ".join((refused.stdout + refused.stderr).split())
    rack.exec(["rackeye", "vd", "create", "--group", "dg0", "--size", "rest", "--yes", "--no-wait"], 60, check=True)
    told = until(rack, lambda s: len(s.virtual_drives) == 2 and is_whole(s, "vd0", "vd1"), "vd1 is whole", 400)
    kept["vd1"] = write_file(rack, "/srv/rackeye/vd1/kept")
    (group,) = told.groups
    assert (group.name, group.vds, group.bays, group.free) == ("dg0", ("vd0", "vd1"), (0, 1, 2, 3), 0)
    assert vd(told, "vd0").size >= 700 * 1024**2
    assert len(rack.sh("ls -d /sys/block/md*/md").split()) == 1, "one array"
    assert {d.vd for b in range(4) for d in in_bay(told, b)} == {"dg0"}
    shown = rack.exec(["rackeye", "group"], check=True).stdout
    assert "vd0, vd1" in shown
    text = rack.sh("xfs_info /srv/rackeye/vd1").replace("= ", "=")
    assert "sunit=64" in text
    assert "swidth=192" in text
    full = rack.exec(["rackeye", "vd", "create", "--group", "dg0", "--size", "rest", "--yes"])
    assert full.rc == 1
    assert "nothing free" in full.stdout + full.stderr


@pytest.mark.long
def test_one_is_deleted_while_the_other_lives_and_its_place_is_used_again_over_a_power_cut(rack: Rack) -> None:
    plan = rack.exec(["rackeye", "vd", "delete", "vd0", "--dry-run"], 60, check=True).stdout
    assert "the other virtual drives there stay" in plan
    rack.exec(["rackeye", "vd", "delete", "vd0", "--yes", "--no-wait"], 60, check=True)
    told = until(rack, lambda s: [one.name for one in s.virtual_drives] == ["vd1"], "vd0 is gone", 200)
    assert vd(told, "vd1").mountpoint == "/srv/rackeye/vd1"
    still_there(rack, "vd1")
    told = until(rack, lambda s: s.groups[0].free >= 700 * 1024**2, "its part is free", 60)
    assert told.groups[0].vds == ("vd1",)
    # The power goes while another one is made in the hole: it is there afterwards, or made then.
    again = ["rackeye", "vd", "create", "--group", "dg0", "--size", "rest", "--name", "vd0", "--yes", "--no-wait"]
    rack.exec(again, 60, check=True)
    rack.power_cut()
    rack.boot()
    until(rack, lambda s: len(s.virtual_drives) == 2 and is_whole(s, "vd0", "vd1"), "both are there", 400)
    still_there(rack, "vd1")
    kept["vd0"] = write_file(rack, "/srv/rackeye/vd0/kept")


def test_a_pull_degrades_both_and_a_blank_drive_makes_both_whole(rack: Rack) -> None:
    rack.pull(2)
    until(rack, lambda s: both(s, VdState.DEGRADED), "both are degraded", 60)
    still_there(rack, "vd0", "vd1")
    rack.insert(2, DriveKind.BLANK)
    until(rack, lambda s: is_whole(s, "vd0", "vd1"), "both are whole", 400)
    still_there(rack, "vd0", "vd1")


@pytest.mark.long
def test_a_power_cut_and_a_start_without_memory_bring_both_back_degraded(rack: Rack) -> None:
    before = {one.name: one.uuid for one in snapshot(rack).virtual_drives}
    rack.sh("systemctl stop rackeye-raidd; rm /var/lib/rackeye/raid/memory.json; sync")
    rack.power_cut()
    rack.pull(1)
    rack.boot()
    told = until(
        rack, lambda s: len(s.virtual_drives) == 2 and all(one.mountpoint for one in s.virtual_drives), "they run", 150
    )
    assert {one.name: one.uuid for one in told.virtual_drives} == before
    assert both(told, VdState.DEGRADED)
    still_there(rack, "vd0", "vd1")
    rack.insert(1, DriveKind.SAME)
    until(rack, lambda s: is_whole(s, "vd0", "vd1"), "both are whole", 400)


@pytest.mark.long
def test_two_pulled_is_failed_for_both_and_the_last_one_brings_them_back(rack: Rack) -> None:
    rack.pull(0)
    until(rack, lambda s: both(s, VdState.DEGRADED), "degraded", 30)
    rack.pull(3)
    until(rack, lambda s: both(s, VdState.FAILED) and not any(one.device for one in s.virtual_drives), "failed", 200)
    rack.wait_until(lambda: "/srv/rackeye/vd" not in rack.sh("cat /proc/mounts"), 60, "no volume any more")
    rack.insert(3, DriveKind.SAME)
    until(rack, lambda s: any(d.device for d in in_bay(s, 3)), "the last one is back", 30)
    rack.sh("sleep 4")
    until(rack, lambda s: not both(s, VdState.UNKNOWN), "its drives are read", 60)
    if both(snapshot(rack), VdState.FAILED):  # md had noted its end: only a person may start it
        recover = ["rackeye", "vd", "recover", "vd1", "--yes"]
        rack.wait_until(lambda: rack.exec(recover, 60).rc == 0, 60, "it has been stopped, and is recovered")
    until(rack, lambda s: all(one.mountpoint for one in s.virtual_drives), "both run", 300)
    still_there(rack, "vd0", "vd1")
    rack.insert(0, DriveKind.SAME)
    until(rack, lambda s: is_whole(s, "vd0", "vd1"), "both are whole", 400)


@pytest.mark.long
def test_the_last_one_that_is_deleted_frees_the_drives(rack: Rack) -> None:
    for name in ("vd1", "vd0"):
        rack.wait_until(
            lambda name=name: rack.exec(["rackeye", "vd", "delete", name, "--yes", "--no-wait"], 60).rc == 0,  # type: ignore[misc]
            60, f"{name} is deleted",
        )
    until(rack, lambda s: not s.virtual_drives and not s.groups, "all is gone", 240)
    until(rack, lambda s: [d.state for b in range(4) for d in in_bay(s, b)] == [DriveState.BLANK] * 4, "blank", 60)
