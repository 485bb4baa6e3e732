"""Single bad sectors (dm-dust and dm-error below the bay, `rack.spoil`) met by a copyback and by a reconstruction."""

import pytest

from raid.model import DriveState, Work
from raid.spare_model import SpareState
from rig.drives import DriveKind
from rig.rack import Rack
from tests.rig.raid_rig import (
    alarms,
    checksum,
    hurry,
    is_whole,
    parity_is_clean,
    place_of,
    states,
    until,
    vd,
    works,
    write_file,
)

pytestmark = [
    pytest.mark.rig, pytest.mark.rack(drives=6, bay_mib=340, spoilable=True, without=("rackeye-web.service",)),
]
STRIP = 64 * 1024
SPARE, ADDED = 4, 5
BEHIND = 3000
"""A stripe that no file has."""


@pytest.fixture(scope="module")
def kept(rack: Rack) -> str:
    hurry(rack)
    until(rack, lambda s: sum(drive.state is DriveState.BLANK for drive in s.drives) == 6, "six blank drives")
    words = ["--level", "5", "--bays", "0-3", "--strip", "64K", "--name", "vd0", "--yes", "--no-wait"]
    rack.exec(["rackeye", "vd", "create", *words], 60, check=True)
    until(rack, lambda s: bool(s.virtual_drives) and is_whole(s, "vd0"), "it is whole", 240)
    rack.exec(["rackeye", "spare", "add", "--bay", str(SPARE)], check=True)
    until(rack, lambda s: states(s, SPARE) == [DriveState.HOT_SPARE], "a spare", 60)
    return write_file(rack, "/srv/rackeye/vd0/kept", mib=64)


def test_a_copyback_takes_what_its_source_cannot_read_from_the_other_drives(rack: Rack, kept: str) -> None:
    rack.pull(1)
    until(rack, lambda s: is_whole(s, "vd0") and s.spares[0].state is SpareState.IN_USE, "the spare stands in", 240)
    rack.spoil(SPARE, place_of(rack, SPARE, 100 * STRIP))
    rack.insert(1, DriveKind.BLANK)
    told = until(
        rack, lambda s: is_whole(s, "vd0") and s.spares[0].state in (SpareState.READY, SpareState.FAILED), "back", 300,
    )
    assert (states(told, 1), vd(told, "vd0").bad_blocks) == ([DriveState.ONLINE], ())
    assert checksum(rack, "/srv/rackeye/vd0/kept") == kept
    parity_is_clean(rack)


@pytest.mark.long
def test_a_reconstruction_takes_it_from_the_other_drives_too(rack: Rack, kept: str) -> None:
    rack.spoil(2, place_of(rack, 2, 200 * STRIP))
    rack.exec(["rackeye", "vd", "grow", "vd0", "--add", str(ADDED), "--yes", "--no-wait"], 120, check=True)
    until(rack, lambda s: works(s, "vd0", Work.RECONSTRUCTION), "it grows", 120)
    told = until(rack, lambda s: is_whole(s, "vd0") and len(vd(s, "vd0").bays) == 5, "it has five drives", 400)
    assert (states(told, 2), states(told, ADDED)) == ([DriveState.ONLINE], [DriveState.ONLINE])
    assert vd(told, "vd0").bad_blocks == ()
    assert checksum(rack, "/srv/rackeye/vd0/kept") == kept
    parity_is_clean(rack)
    assert "ALARM-132" not in alarms(rack)


@pytest.mark.long
def test_what_a_reconstruction_can_take_from_nowhere_is_told_and_the_rest_is_kept(rack: Rack, kept: str) -> None:
    """Two drives that cannot read the same stripe: it is lost, and nothing says that it is good."""
    rack.exec(["rackeye", "spare", "remove", "--bay", str(SPARE)], check=True)
    until(rack, lambda s: states(s, SPARE) == [DriveState.BLANK], "no spare any more", 60)
    for bay in (0, 2):
        rack.spoil(bay, place_of(rack, bay, BEHIND * STRIP), dead=True)
    rack.exec(["rackeye", "vd", "grow", "vd0", "--add", str(SPARE), "--yes", "--no-wait"], 120, check=True)
    told = until(rack, lambda s: is_whole(s, "vd0") and len(vd(s, "vd0").bays) == 6, "it has six drives", 400)
    assert vd(told, "vd0").bad_blocks != ()
    rack.wait_until(lambda: "ALARM-132" in alarms(rack), 60, "an alarm says so")
    found = rack.exec(["rackeye", "check", "start", "vd0", "--watch"], timeout=300)
    assert found.rc == 1, "never told as clean"
    assert checksum(rack, "/srv/rackeye/vd0/kept") == kept
