"""Every level of spec/raid.md on a real kernel, in one boot: made in full, pulled from, rolled up, started again.

The drives are used again and again: each test deletes what the one before it made.
"""

import pytest

from raid.model import DriveState, RaidSnapshot, VdState
from raid.model_plan import PlanSimpleRequest
from rig.drives import DriveKind
from rig.rack import Rack
from tests.rig.raid_rig import (
    Refused,
    all_blank,
    checksum,
    command,
    hurry,
    in_bay,
    is_whole,
    snapshot,
    until,
    vd,
    write_file,
)

pytestmark = [pytest.mark.rig]

kept: dict[str, str] = {}


def make(rack: Rack, name: str, level: str, bays: str, *more: str) -> None:
    """As a person does it; begun, not finished."""
    words = ["rackeye", "vd", "create", "--level", level, "--bays", bays, "--name", name, "--yes", "--no-wait", *more]
    rack.exec(words, 60, check=True)


def whole(rack: Rack, *names: str) -> RaidSnapshot:
    """Waits until all of them are, and keeps a file on each."""
    told = until(rack, lambda s: is_whole(s, *names), f"{names} are whole", 200)
    for name in names:
        kept[name] = write_file(rack, f"/srv/rackeye/{name}/kept")
    return told


def still_there(rack: Rack, *names: str) -> None:
    for name in names:
        assert checksum(rack, f"/srv/rackeye/{name}/kept") == kept[name]


def delete_all(rack: Rack) -> None:
    """And every bay is blank again."""
    for one in snapshot(rack).virtual_drives:
        rack.wait_until(lambda name=one.name: _delete(rack, name), 60, f"{one.name} is deleted")  # type: ignore[misc]
    until(rack, lambda s: not s.virtual_drives and all_blank(s), "blank", 300)


def _delete(rack: Rack, name: str) -> bool:
    return rack.exec(["rackeye", "vd", "delete", name, "--yes", "--no-wait"], 60).rc == 0


def back(rack: Rack, *bays: int) -> None:
    for bay in bays:
        rack.insert(bay, DriveKind.SAME)


def sunit(rack: Rack, name: str) -> str:
    """Stripe unit and width in 4 KiB blocks, as XFS has them."""
    text = rack.sh(f"xfs_info /srv/rackeye/{name}")
    return " ".join(word for word in text.replace("= ", "=").split() if word.startswith(("sunit=", "swidth=")))


def test_0_1_and_10_are_made_aligned_and_told_apart(rack: Rack) -> None:
    hurry(rack)
    until(rack, all_blank, "blank drives")
    plan = rack.exec(["rackeye", "vd", "create", "--level", "60", "--bays", "0-7", "--spans", "2", "--strip", "128K",
                      "--dry-run"], 60, check=True).stdout
    assert "vd0: RAID60 over 8 drives in 2 spans" in plan
    assert "survives the loss of 2 drives in each span (4 in all at most)" in plan
    refused = rack.exec(["rackeye", "vd", "create", "--level", "6", "--bays", "0-2", "--yes"])
    assert refused.rc == 1
    assert "at least 4 drives" in refused.stdout + refused.stderr
    make(rack, "none", "0", "0,1", "--strip", "64K")
    make(rack, "pair", "1", "2-3")
    make(rack, "mirrors", "10", "4-7", "--strip", "128K")
    told = whole(rack, "none", "pair", "mirrors")
    assert [vd(told, name).tolerance for name in ("none", "pair", "mirrors")] == [0, 1, 1]
    assert [(one.bays, one.tolerance) for one in vd(told, "mirrors").mirrors] == [((4, 5), 1), ((6, 7), 1)]
    assert vd(told, "pair").mirrors == vd(told, "none").mirrors == ()
    assert "sunit=16 swidth=32" in sunit(rack, "none")
    assert "sunit=32 swidth=64" in sunit(rack, "mirrors")
    bitmaps = rack.sh("cd /sys/block; for md in md*; do echo $(cat $md/md/level $md/md/bitmap/location 2>&-); done")
    assert sorted(line.split()[0] for line in bitmaps.splitlines()) == ["raid0", "raid1", "raid10"]
    assert all("+" in line for line in bitmaps.splitlines() if not line.startswith("raid0")), bitmaps


def test_a_pull_from_each_and_two_from_different_pairs(rack: Rack) -> None:
    for bay in (2, 4, 7):
        rack.pull(bay)
    until(rack, lambda s: {vd(s, n).state for n in ("pair", "mirrors")} == {VdState.DEGRADED}, "degraded", 20)
    told = until(rack, lambda s: len([d for d in s.drives if d.state is DriveState.MISSING]) == 3, "three are gone", 20)
    assert vd(told, "none").state is VdState.OPTIMAL
    assert vd(snapshot(rack), "mirrors").tolerance == 0
    assert [(one.bays, one.tolerance) for one in vd(told, "mirrors").mirrors] == [((4, 5), 0), ((6, 7), 0)]
    still_there(rack, "pair", "mirrors")
    rack.exec(["rackeye", "drive", "dismiss", "--bay", "7", "--yes"], check=True)
    told = until(rack, lambda s: not in_bay(s, 7), "bay 7 is out of the picture", 10)
    assert vd(told, "mirrors").state is VdState.DEGRADED
    refused = rack.exec(["rackeye", "drive", "dismiss", "--bay", "7", "--yes"])
    assert "No drive is missing from bay 7" in refused.stdout + refused.stderr
    rack.pull(1)
    told = until(rack, lambda s: vd(s, "none").state is VdState.FAILED, "RAID0 has failed", 20)
    assert vd(told, "none").mountpoint is None
    back(rack, 1, 2, 4, 7)
    until(rack, lambda s: is_whole(s, "none", "pair", "mirrors"), "all are whole again", 120)
    still_there(rack, "none", "pair", "mirrors")


@pytest.mark.long
def test_a_power_cut_brings_all_of_them_back_and_both_of_a_pair_is_failed(rack: Rack) -> None:
    rack.power_cut()
    rack.boot()
    until(rack, lambda s: is_whole(s, "none", "pair", "mirrors"), "all are whole", 120)
    rack.pull(4)
    until(rack, lambda s: vd(s, "mirrors").state is VdState.DEGRADED, "one of a pair", 20)
    shown = rack.exec(["rackeye", "drive", "replace", "--bay", "5"]).stderr
    assert "cannot lose this drive" in shown, "the only one that has the data of bay 4"
    rack.pull(5)
    until(rack, lambda s: vd(s, "mirrors").state is VdState.FAILED and vd(s, "mirrors").device is None, "the other", 60)
    back(rack, 4, 5)
    until(rack, lambda s: bool(vd(s, "mirrors").device) or bool(in_bay(s, 5)[0].device), "they are back", 30)
    still_there(rack, "none", "pair")


@pytest.mark.long
def test_raid60_is_rolled_up_and_a_lost_span_is_not_called_clean(rack: Rack) -> None:
    hurry(rack)
    delete_all(rack)
    make(rack, "sixty", "60", "0-7", "--spans", "2", "--strip", "64K")
    told = whole(rack, "sixty")
    assert (vd(told, "sixty").bays, vd(told, "sixty").tolerance) == (tuple(range(8)), 2)
    assert [span.bays for span in vd(told, "sixty").spans] == [(0, 1, 2, 3), (4, 5, 6, 7)]
    assert "sunit=16 swidth=64" in sunit(rack, "sixty")
    shown = rack.exec(["rackeye", "vd", "show", "sixty"], check=True).stdout
    assert "RAID60" in shown
    assert "4 5 6 7" in shown
    rack.pull(0)
    until(rack, lambda s: vd(s, "sixty").state is VdState.PARTIALLY_DEGRADED, "one is out", 20)
    rack.pull(5)
    rack.pull(6)
    until(rack, lambda s: vd(s, "sixty").state is VdState.DEGRADED, "two of the other span are out", 20)
    still_there(rack, "sixty")
    rack.pull(7)
    told = until(rack, lambda s: vd(s, "sixty").state is VdState.FAILED, "a span is lost", 20)
    assert "Span 2" in vd(told, "sixty").detail
    told = until(rack, lambda s: all(span.device is None for span in vd(s, "sixty").spans[1:]), "it is stopped", 90)
    assert vd(told, "sixty").device is None
    assert "/srv/rackeye/sixty" not in rack.sh("cat /proc/mounts")
    back(rack, 7)
    until(rack, lambda s: any(d.device for d in in_bay(s, 7)), "the last one is back", 20)
    rack.sh("sleep 4")
    if vd(snapshot(rack), "sixty").state is VdState.FAILED:  # md had noted its end: only a person may start it
        rack.exec(["rackeye", "vd", "recover", "sixty", "--yes"], 60, check=True)
    until(rack, lambda s: vd(s, "sixty").mountpoint is not None, "the last one pulled starts it", 240)
    back(rack, 0, 5, 6)
    until(rack, lambda s: is_whole(s, "sixty"), "it is whole", 200)
    still_there(rack, "sixty")


@pytest.mark.long
def test_nested_ones_come_up_from_their_superblocks_alone_and_degraded(rack: Rack) -> None:
    before = snapshot(rack)
    rack.sh("systemctl stop rackeye-raidd; rm /var/lib/rackeye/raid/memory.json; sync")
    rack.power_cut()
    rack.pull(3)
    rack.boot()
    told = until(rack, lambda s: bool(s.virtual_drives) and s.virtual_drives[0].mountpoint is not None, "it runs", 120)
    (now,) = told.virtual_drives
    assert (now.name, now.uuid, now.level) == ("sixty", before.virtual_drives[0].uuid, 60)
    assert now.state is VdState.PARTIALLY_DEGRADED
    still_there(rack, "sixty")
    back(rack, 3)
    until(rack, lambda s: is_whole(s, "sixty"), "it is whole", 120)


@pytest.mark.long
def test_50_and_00_and_four_mirrored(rack: Rack) -> None:
    delete_all(rack)
    make(rack, "fifty", "50", "0-7", "--spans", "2", "--strip", "64K")
    told = whole(rack, "fifty")
    assert vd(told, "fifty").tolerance == 1
    assert "sunit=16 swidth=96" in sunit(rack, "fifty")
    upper = rack.sh("cat /sys/block/md*/md/chunk_size").split()
    assert sorted(map(int, upper)) == [64 * 1024, 64 * 1024, 3 * 64 * 1024], "a full stripe of a span at a time"
    rack.pull(1)
    rack.pull(4)
    until(rack, lambda s: [span.tolerance for span in vd(s, "fifty").spans] == [0, 0], "one of each span", 20)
    assert vd(snapshot(rack), "fifty").state is VdState.DEGRADED
    still_there(rack, "fifty")
    for bay in (1, 4):
        rack.insert(bay, DriveKind.BLANK)
    until(rack, lambda s: is_whole(s, "fifty"), "rebuilt, both spans", 200)
    still_there(rack, "fifty")
    delete_all(rack)
    make(rack, "striped", "00", "0-3", "--spans", "2")
    make(rack, "four", "1", "4-7")
    told = whole(rack, "striped", "four")
    assert rack.exec(["rackeye", "vd"], check=True).stdout.count("RAID00") == 1
    assert (vd(told, "four").level, vd(told, "four").tolerance) == (1, 1)
    size = vd(told, "four").size
    assert 1.8 < size / in_bay(told, 4)[0].size < 2.0, "half of the drives"
    delete_all(rack)


def test_what_cannot_be_made_is_refused_by_the_daemon_too(rack: Rack) -> None:
    for request in (
        PlanSimpleRequest(5, bays=(0, 1), full=True), PlanSimpleRequest(6, bays=(0, 1, 2), full=True),
        PlanSimpleRequest(10, bays=(0, 1, 2), full=True),
        PlanSimpleRequest(50, bays=(0, 1, 2, 3, 4), full=True),
    ):
        with pytest.raises(Refused, match="RAID-006"):
            command(rack, "PlanSimple", request, object)
