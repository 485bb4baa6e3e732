"""Hot spares on the other levels, and a span of RAID60 that lost two: long, one rack, the drives are used again."""

import pytest

from raid.model import DriveState, RaidSnapshot, VdState
from raid.spare_model import SpareState
from rig.daemons import open_alarms
from rig.drives import DriveKind
from rig.layer import CHECKOUT
from rig.rack import Rack
from tests.rig.raid_rig import checksum, hurry, is_whole, parity_is_clean, snapshot, states, until, vd, write_file

pytestmark = [
    pytest.mark.rig, pytest.mark.long, pytest.mark.rack(bay_mib=384, without=("rackeye-web.service",)),
]
SPARE = 7
FILE = "/srv/rackeye/vd0/kept"


def make(rack: Rack, level: str, bays: str, *more: str) -> str:
    """One virtual drive of blank drives, whole, with a file on it."""
    for one in snapshot(rack).virtual_drives:
        rack.exec(["rackeye", "vd", "delete", one.name, "--yes"], 120, check=True)
    free = {DriveState.BLANK, DriveState.HOT_SPARE}
    until(rack, lambda s: not s.virtual_drives and set(states(s, *range(8))) <= free, "blank drives", 120)
    words = ["--level", level, "--bays", bays, "--name", "vd0", "--strip", "64K", "--yes", "--no-wait", *more]
    rack.exec(["rackeye", "vd", "create", *words], 60, check=True)
    until(rack, lambda s: bool(s.virtual_drives) and is_whole(s, "vd0"), "it is whole", 240)
    return write_file(rack, FILE)


def spare(told: RaidSnapshot) -> SpareState:
    (one,) = told.spares
    return one.state


@pytest.fixture(scope="module")
def box(rack: Rack) -> Rack:
    hurry(rack)
    until(rack, lambda s: states(s, *range(8)) == [DriveState.BLANK] * 8, "eight blank drives")
    rack.exec(["rackeye", "spare", "add", "--bay", str(SPARE)], check=True)
    return rack


@pytest.mark.parametrize(
    ("level", "bays", "more"),
    [("1", "0-1", ()), ("6", "0-3", ()), ("10", "0-3", ()), ("50", "0-5", ("--spans", "2"))],
    ids=["raid1", "raid6", "raid10", "raid50"],
)
def test_a_spare_takes_over_and_the_data_goes_back(box: Rack, level: str, bays: str, more: tuple[str, ...]) -> None:
    kept = make(box, level, bays, *more)
    until(box, lambda s: spare(s) is SpareState.READY, "the spare is ready", 120)
    box.pull(1)
    until(box, lambda s: is_whole(s, "vd0") and spare(s) is SpareState.IN_USE, "the spare stands in", 240)
    assert checksum(box, FILE) == kept
    box.wait_until(lambda: "ALARM-101" in open_alarms(box), 30, "the failed drive is told, though all is redundant")
    box.insert(1, DriveKind.BLANK)
    told = until(box, lambda s: is_whole(s, "vd0") and spare(s) is SpareState.READY, "the data went back", 240)
    assert states(told, 1, SPARE) == [DriveState.ONLINE, DriveState.HOT_SPARE]
    assert checksum(box, FILE) == kept
    parity_is_clean(box)
    box.wait_until(lambda: not open_alarms(box) & {"ALARM-101", "ALARM-102"}, 30, "no alarm is left")


def test_two_of_a_span_of_raid60_are_rebuilt_at_the_same_time(box: Rack) -> None:
    box.exec(["rackeye", "spare", "remove", "--bay", str(SPARE)], check=True)
    kept = make(box, "60", "0-7", "--spans", "2")
    hurry(box, resync=False)
    box.pull(1)
    box.pull(2)
    until(box, lambda s: vd(s, "vd0").state is VdState.DEGRADED, "two are out", 30)
    box.insert(1, DriveKind.BLANK)
    box.insert(2, DriveKind.BLANK)
    until(box, lambda s: states(s, 1, 2) == [DriveState.REBUILD] * 2, "both are rebuilt", 120)
    assert box.sh("cat /sys/block/md*/md/sync_action").split().count("recover") == 1, "by one recovery"
    hurry(box)
    until(box, lambda s: is_whole(s, "vd0"), "it is whole", 240)
    assert checksum(box, FILE) == kept
    parity_is_clean(box)


def sides(rack: Rack) -> None:
    """The rack's profile with two backplanes: bays 0 to 3 and 4 to 7."""
    own = "/etc/rackeye/profiles/virtual-8.toml"
    lines = rack.sh(f"mkdir -p /etc/rackeye/profiles; cat {CHECKOUT}/hw/profiles/virtual-8.toml").splitlines()
    text = "\n".join(
        f'{line}\nbackplane = "{"left" if line[-1] < "4" else "right"}"' if line.startswith("number = ") else line
        for line in lines
    )
    rack.exec(["tee", own], stdin=text, check=True)
    rules = "/etc/udev/rules.d/60-rackeye-bays.rules"
    rack.sh(f"/usr/lib/rackeye/bin/rackeye-paneld --udev-rules {own} > {rules}; udevadm control --reload")
    rack.sh("udevadm trigger --settle --action=change --subsystem-match=block; systemctl restart rackeye-raidd")


def test_of_two_spares_that_ask_for_it_the_one_of_the_same_side_takes_over(box: Rack) -> None:
    sides(box)
    make(box, "5", "4-6")
    for bay in (3, 7):
        until(box, lambda s, bay=bay: states(s, bay) == [DriveState.BLANK], "blank", 60)  # type: ignore[misc]
        box.exec(["rackeye", "spare", "add", "--bay", str(bay), "--affinity"], check=True)
    until(box, lambda s: [one.state for one in s.spares] == [SpareState.READY] * 2, "both are ready", 120)
    box.pull(5)
    chosen = {3: SpareState.READY, 7: SpareState.IN_USE}
    until(box, lambda s: is_whole(s, "vd0") and {one.bay: one.state for one in s.spares} == chosen, "bay 7's", 240)
