"""Odd shapes meet the real md and mkfs.xfs: numbers of drives, spans and strips that no other test uses. Each is made,
aligned, mounted, written, checked and deleted."""

import pytest

from raid.members import data_drives
from raid.model import RaidSnapshot
from rig.rack import Rack
from tests.rig.raid_rig import all_blank, checksum, hurry, is_whole, make_vd, parity_is_clean, until, vd, write_file

pytestmark = [
    pytest.mark.rig, pytest.mark.long, pytest.mark.rack(bay_mib=340, without=("rackeye-web.service",)),
]
KIB_OF_A_BLOCK = 4


@pytest.fixture(scope="module")
def box(rack: Rack) -> Rack:
    hurry(rack)
    until(rack, all_blank, "eight blank drives")
    return rack


def aligned(rack: Rack, name: str) -> tuple[int, int]:
    """Stripe unit and width that XFS has, KiB."""
    words = rack.sh(f"xfs_info /srv/rackeye/{name}").replace("= ", "=").split()
    found = [int(word.partition("=")[2]) for word in words if word.startswith(("sunit=", "swidth="))]
    return found[0] * KIB_OF_A_BLOCK, found[1] * KIB_OF_A_BLOCK


def bays_of(told: RaidSnapshot, name: str) -> int:
    return len(vd(told, name).bays)


@pytest.mark.parametrize(
    ("level", "drives", "strip", "spans"),
    [
        (10, 6, 64, 0), (1, 6, 256, 0), (5, 4, 512, 0), (5, 3, 1024, 0), (6, 7, 1024, 0), (0, 6, 128, 3),
        (50, 8, 1024, 2), (60, 8, 512, 2),
    ],
    ids=str,
)
def test_it_is_made_written_checked_and_deleted(box: Rack, level: int, drives: int, strip: int, spans: int) -> None:
    more = ["--strip", f"{strip}K", *(["--spans", str(spans)] if spans else [])]
    make_vd(box, "odd", str(level) if level else "00", f"0-{drives - 1}", *more)
    told = until(box, lambda s: bool(s.virtual_drives) and is_whole(s, "odd"), "it is whole", 300)
    assert (bays_of(told, "odd"), vd(told, "odd").strip, len(vd(told, "odd").spans)) == (drives, strip * 1024, spans)
    parts = max(1, spans)
    data = parts * data_drives({50: 5, 60: 6}.get(level, level), drives // parts)
    assert aligned(box, "odd") == (strip, strip * data)
    assert told.problems == ()
    kept = write_file(box, "/srv/rackeye/odd/kept", mib=100)
    if level:
        parity_is_clean(box, "odd")
    assert checksum(box, "/srv/rackeye/odd/kept") == kept
    box.exec(["rackeye", "vd", "delete", "odd", "--yes"], 120, check=True)
    until(box, lambda s: not s.virtual_drives and all_blank(s), "blank again", 120)
