"""Drives that fail by errors, in their bays, where a hot spare stands ready: what is left of them in the picture, how
the data goes back, and what becomes of a spare that fails as the source of it. One life of a RAID5, in order."""

import json

import pytest

from raid.model import Drive, DriveState, RaidSnapshot, VdState, Work
from raid.spare_model import SpareState, SpareView
from rig.drives import DriveKind
from rig.rack import Rack, SmartMood
from tests.rig.raid_rig import (
    DEAD,
    NO_WRITES,
    WELL,
    alarms,
    becomes,
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
    works,
    write_file,
)

pytestmark = [
    pytest.mark.rig, pytest.mark.long,
    pytest.mark.rack(drives=4, bay_mib=340, spoilable=True, without=("rackeye-web.service",)),
]
SPARE = 3
KEPT = "/srv/rackeye/vd0/kept"
life: dict[str, tuple[str, float]] = {}
"""Of a drive that failed: its serial, and when by the guest's clock."""


def spare(told: RaidSnapshot) -> SpareView:
    """The only one. Raises StopIteration while there is none."""
    return next(iter(told.spares))


def is_spare_again(told: RaidSnapshot) -> bool:
    """Ready, of the virtual drive that it was dedicated to."""
    view = spare(told)
    return (view.state, view.dedicated, view.serving) == (SpareState.READY, "vd0", None)


def here(told: RaidSnapshot, bay: int) -> Drive:
    """The drive that is in a bay. Raises StopIteration while it is empty."""
    return next(drive for drive in in_bay(told, bay) if drive.device is not None)


def in_md(rack: Rack, drive: Drive) -> bool:
    name = str(drive.device).rpartition("/")[2]
    return rack.exec(["sh", "-c", f"ls -d /sys/block/md*/md/dev-{name}"]).rc == 0


def fails(rack: Rack, bay: int, how: str) -> None:
    """The drive errs from now on, and something meets it."""
    becomes(rack, bay, how)
    rack.exec(["sh", "-c", "timeout 20 dd if=/dev/urandom of=/srv/rackeye/vd0/noise bs=1M count=4 conv=fsync"], 40)


def amber(rack: Rack, bay: int, state: str) -> None:
    rack.wait_until(lambda: rack.led(f"bay{bay}:amber:status") == state, 20, f"amber of bay {bay} is {state}")


def no_alarm_is_left(rack: Rack) -> None:
    rack.wait_until(lambda: not alarms(rack), 60, f"no alarm is left: {alarms(rack)}")


@pytest.fixture(scope="module")
def kept(rack: Rack) -> str:
    """A RAID5 in bays 0 to 2, and its dedicated hot spare."""
    hurry(rack)
    until(rack, lambda s: sum(drive.state is DriveState.BLANK for drive in s.drives) == 4, "four blank drives")
    make_vd(rack, "vd0", "5", "0-2", "--strip", "64K")
    until(rack, lambda s: bool(s.virtual_drives) and is_whole(s, "vd0"), "it is whole", 240)
    rack.exec(["rackeye", "spare", "add", "--bay", str(SPARE), "--dedicated", "vd0"], check=True)
    until(rack, is_spare_again, "a dedicated spare", 60)
    return write_file(rack, KEPT, mib=32)


def test_a_drive_that_errs_leaves_its_place_at_once_and_may_be_pulled(rack: Rack, kept: str) -> None:
    hurry(rack, resync=False)
    before = here(snapshot(rack), 1)
    fails(rack, 1, NO_WRITES)
    told = until(rack, lambda s: works(s, "vd0", Work.REBUILD), "the spare takes over", 60)
    assert (here(told, SPARE).state, spare(told).state) == (DriveState.REBUILD, SpareState.IN_USE)
    rack.wait_until(lambda: not in_md(rack, before), 20, "it has left the array, which is still rebuilt")
    told = until(rack, lambda s: [drive.state for drive in in_bay(s, 1)] == [DriveState.FAILED], "read again", 20)
    assert works(told, "vd0", Work.REBUILD)
    failed = here(told, 1)
    assert (failed.serial, failed.vd) == (before.serial, "vd0")
    assert failed.detail == "md put it out of vd0 for its errors, and another drive has its place. Pull it."
    amber(rack, 1, "on")
    amber(rack, SPARE, "blink 1.00 Hz")
    hurry(rack)
    told = until(rack, lambda s: is_whole(s, "vd0"), "the spare stands in", 240)
    assert (here(told, 1).state, here(told, SPARE).state) == (DriveState.FAILED, DriveState.ONLINE)
    assert before.serial in alarms(rack), "the alarm goes on: its bay wants a new drive"
    assert rack.led("bay1:amber:status") == "on"
    assert checksum(rack, KEPT) == kept


def test_a_blank_drive_in_its_bay_gets_the_data_and_the_spare_is_dedicated_again(rack: Rack, kept: str) -> None:
    rack.pull(1)
    until(rack, lambda s: [drive.state for drive in in_bay(s, 1)] == [DriveState.MISSING], "it is pulled", 20)
    amber(rack, 1, "on")
    rack.insert(1, DriveKind.BLANK)
    told = until(rack, lambda s: is_whole(s, "vd0") and is_spare_again(s), "the data went back", 240)
    assert states(told, 1, SPARE) == [DriveState.ONLINE, DriveState.HOT_SPARE]
    assert here(told, SPARE).detail == "Dedicated to vd0."
    assert checksum(rack, KEPT) == kept
    parity_is_clean(rack)
    amber(rack, 1, "off")
    no_alarm_is_left(rack)


def test_for_a_drive_that_does_not_answer_any_more_the_spare_stands_in_too(rack: Rack, kept: str) -> None:
    before, since = here(snapshot(rack), 1), rack.state()["monotonic"]
    fails(rack, 1, DEAD)
    until(rack, lambda s: is_whole(s, "vd0") and spare(s).state is SpareState.IN_USE, "the spare stands in", 240)
    assert not in_md(rack, before)
    amber(rack, 1, "on")
    rack.wait_until(lambda: "ALARM-101" in alarms(rack) and before.serial in alarms(rack), 30, "an alarm names it")
    assert checksum(rack, KEPT) == kept
    life["dead"] = (before.serial, since)


def test_it_is_shown_as_failed_in_its_bay_and_not_as_another_drive_that_was_put_in(rack: Rack, kept: str) -> None:
    serial, _ = life["dead"]
    rack.sh("sleep 20")  # raidd has tried to read it again, and gives up
    told = snapshot(rack)
    assert [(drive.serial, drive.state) for drive in in_bay(told, 1)] == [(serial, DriveState.FAILED)], in_bay(told, 1)
    assert here(told, 1).detail.endswith("Pull it.")
    assert "ALARM-104" not in alarms(rack), "nobody has put in a new drive"
    assert f"{serial}) is failed" in alarms(rack)


def test_its_amber_light_is_on_from_the_failure_on_without_a_break(rack: Rack, kept: str) -> None:
    """Also while it leaves its array and is read."""
    changes = rack.led_history(life["dead"][1])
    assert [change["state"] for change in changes if change["led"] == "bay1:amber:status"] == ["on"]


def test_a_source_that_errs_during_the_copyback_fails_and_the_new_drive_is_rebuilt(rack: Rack, kept: str) -> None:
    hurry(rack, resync=False)
    source = spare(snapshot(rack))
    rack.pull(1)
    new = rack.insert(1, DriveKind.BLANK)
    until(rack, lambda s: works(s, "vd0", Work.COPYBACK, 2), "the copyback runs", 120)
    fails(rack, SPARE, NO_WRITES)
    told = until(rack, lambda s: vd(s, "vd0").state is VdState.DEGRADED and works(s, "vd0", Work.REBUILD), "seen", 60)
    assert vd(told, "vd0").mountpoint is not None
    told = until(rack, lambda s: here(s, SPARE).state is DriveState.FAILED, "the source", 20)
    assert (here(told, 1).serial, here(told, 1).state) == (new, DriveState.REBUILD)
    assert checksum(rack, KEPT) == kept
    hurry(rack)
    told = until(rack, lambda s: is_whole(s, "vd0"), "it is whole", 240)
    assert (states(told, 1), spare(told).state) == ([DriveState.ONLINE], SpareState.FAILED)
    assert checksum(rack, KEPT) == kept
    parity_is_clean(rack)
    rack.wait_until(lambda: "ALARM-107" in alarms(rack), 30, "the spare is lost")
    rack.wait_until(lambda: "ALARM-101" not in alarms(rack), 30, "no drive of vd0 is failed")
    ever = json.loads(rackeye(rack, "alarm", "list", "--json", "--all"))["alarms"]
    assert [one["text"] for one in ever if new in one["text"] and "failed" in one["text"]] == []
    rack.exec(["rackeye", "spare", "remove", "--serial", source.serial], check=True)
    rack.pull(SPARE)
    rack.insert(SPARE, DriveKind.BLANK)
    until(rack, lambda s: states(s, SPARE) == [DriveState.BLANK], "a new drive", 60)
    rack.exec(["rackeye", "spare", "add", "--bay", str(SPARE), "--dedicated", "vd0"], check=True)
    until(rack, is_spare_again, "a spare again", 60)
    no_alarm_is_left(rack)


def test_a_source_that_is_expected_to_fail_gives_all_back_and_is_not_taken_again(rack: Rack, kept: str) -> None:
    rack.pull(2)
    until(rack, lambda s: is_whole(s, "vd0") and not is_spare_again(s), "the spare stands in", 240)
    hurry(rack, resync=False)
    rack.insert(2, DriveKind.BLANK)
    until(rack, lambda s: works(s, "vd0", Work.COPYBACK, 2), "the copyback runs", 120)
    rack.smart(SPARE, SmartMood.FAILING)
    rack.exec(["rackeye", "drive", "smart", "--bay", str(SPARE), "--read"], check=True)
    told = until(rack, lambda s: here(s, SPARE).state is DriveState.SHIELD, "it is shielded", 60)
    assert (vd(told, "vd0").state, works(told, "vd0", Work.COPYBACK)) == (VdState.OPTIMAL, True)
    hurry(rack)
    told = until(rack, lambda s: is_whole(s, "vd0") and spare(s).state is SpareState.FAILED, "it went back", 240)
    assert (states(told, 2), here(told, SPARE).state) == ([DriveState.ONLINE], DriveState.SHIELD)
    assert checksum(rack, KEPT) == kept
    taken = len(jobs_of(rack, "spare"))
    rack.pull(0)
    until(rack, lambda s: vd(s, "vd0").state is VdState.DEGRADED, "bay 0 is out", 20)
    rack.sh("sleep 6")
    assert len(jobs_of(rack, "spare")) == taken, "nothing is rebuilt on it"
    rack.insert(0, DriveKind.SAME)
    until(rack, lambda s: is_whole(s, "vd0"), "bay 0 is back", 120)
    rack.smart(SPARE, SmartMood.GOOD)
    rack.exec(["rackeye", "drive", "smart", "--bay", str(SPARE), "--read"], check=True)
    until(rack, is_spare_again, "a good one again", 60)
    no_alarm_is_left(rack)


def test_a_source_that_errs_during_the_rebuild_is_offline_and_a_person_gets_the_data_back(
    rack: Rack, kept: str
) -> None:
    hurry(rack, resync=False)
    rack.pull(0)
    until(rack, lambda s: works(s, "vd0", Work.REBUILD, 2), "it rebuilds on the spare", 120)
    fails(rack, 1, NO_WRITES)
    told = until(rack, lambda s: vd(s, "vd0").state is VdState.FAILED and is_spare_again(s), "a spare again", 120)
    assert (here(told, 1).state, here(told, SPARE).state) == (DriveState.OFFLINE, DriveState.HOT_SPARE)
    assert "It failed when vd0 could not bear it any more" in here(told, 1).detail
    assert states(told, 2) == [DriveState.OFFLINE]
    assert rack.led("bay1:amber:status") == "off", "it may be the last hope: nobody is led to pull it"
    rack.wait_until(lambda: "ALARM-103" in alarms(rack), 30, "an alarm says so")
    hurry(rack)
    becomes(rack, 1, WELL)
    rack.insert(0, DriveKind.SAME)
    until(rack, lambda s: here(s, 0).state is DriveState.STALE, "the one that was pulled first is behind", 60)
    plan = json.loads(rackeye(rack, "vd", "recover", "vd0", "--dry-run", "--json"))["plan"]
    assert (sorted(plan["bays"]), plan["left_out"]) == ([1, 2], [0]), "the freshest two"
    rackeye(rack, "vd", "recover", "vd0", "--yes")
    until(rack, lambda s: is_whole(s, "vd0"), "it is whole", 300)
    assert checksum(rack, KEPT) == kept
    parity_is_clean(rack)
