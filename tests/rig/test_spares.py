"""Hot spares and copyback on a real kernel: one life of a virtual drive with a spare, in the order it befalls them."""

import json
from collections.abc import Callable

import pytest

from raid.model import CheckVerdict, DriveState, RaidSnapshot, VdState, Work
from raid.spare_model import SpareState
from rig.drives import DriveKind
from rig.rack import Rack
from tests.rig.raid_rig import (
    checksum,
    hurry,
    in_bay,
    is_whole,
    jobs_of,
    parity_is_clean,
    rackeye,
    snapshot,
    until,
    vd,
    works,
    write_file,
)

pytestmark = [pytest.mark.rig, pytest.mark.rack(bay_mib=256, without=("rackeye-web.service",))]

kept: dict[str, str] = {}
SPARE = 7


def slow(rack: Rack) -> None:
    hurry(rack, resync=False)


def spare(told: RaidSnapshot) -> SpareState:
    (one,) = told.spares
    return one.state


def state(told: RaidSnapshot, bay: int) -> set[DriveState]:
    return {drive.state for drive in in_bay(told, bay)}


def write_on(rack: Rack) -> None:
    """Writes until the power goes, or /run/noise is killed."""
    rack.sh("(while :; do dd if=/dev/urandom of=/srv/rackeye/vd0/noise bs=1M count=32 conv=fsync status=none; done)"
            " >/dev/null 2>&1 & echo $! > /run/noise; sleep 1")


def cut(rack: Rack) -> None:
    rack.power_cut()
    rack.boot()


def alarms(rack: Rack, *, ever: bool = False) -> list[dict[str, str]]:
    """Those that are open, or all that were."""
    said = json.loads(rackeye(rack, "alarm", "list", "--json", *(["--all"] if ever else [])))
    return list(said["alarms"])


def recovery_after(rack: Rack, bay: int) -> float:
    """Pulls a drive; seconds until md rebuilds on the spare, by the guest's clock."""
    watch = (
        "import glob,time\n"
        "def on(f):\n"
        "    try: return 'spare' in open(f).read()\n"
        "    except OSError: return False\n"
        "end=time.monotonic()+120\n"
        "while time.monotonic()<end and not any(map(on,glob.glob('/sys/block/md*/md/dev-*/state'))): time.sleep(0.01)\n"
        "print(time.monotonic())\n"
    )
    rack.sh(f"cat > /run/watch.py <<'E'\n{watch}E\n(python3 -I /run/watch.py > /run/began) >/dev/null 2>&1 & sleep 0.5")
    pulled = rack.pull(bay)
    rack.wait_until(lambda: bool(rack.sh("cat /run/began").strip()), 120, "the rebuild begins")
    return float(rack.sh("cat /run/began")) - pulled


def test_a_blank_drive_becomes_a_spare_and_others_are_refused(rack: Rack) -> None:
    hurry(rack)
    until(rack, lambda s: sum(d.state is DriveState.BLANK for d in s.drives) == 8, "eight blank drives")
    wish = ["vd", "create", "--simple", "--count", "1", "--bays", f"0-3,{SPARE}", "--spares", "1", "--yes", "--no-wait"]
    assert f"Hot spare: bay {SPARE}" in rackeye(rack, *wish)
    until(rack, lambda s: bool(s.virtual_drives) and is_whole(s, "vd0"), "vd0 is whole", 240)
    until(rack, lambda s: state(s, SPARE) == {DriveState.HOT_SPARE}, "simple configuration kept one", 120)
    rackeye(rack, "spare", "remove", "--bay", str(SPARE))
    until(rack, lambda s: state(s, SPARE) == {DriveState.BLANK}, "it is blank again", 120)
    kept["before"] = write_file(rack, "/srv/rackeye/vd0/before")
    assert "is a global hot spare" in rackeye(rack, "spare", "add", "--bay", str(SPARE))
    told = until(rack, lambda s: state(s, SPARE) == {DriveState.HOT_SPARE}, "it is a spare", 120)
    assert spare(told) is SpareState.READY
    assert "RAID-002" in rackeye(rack, "spare", "add", "--bay", "0"), "a member"
    assert "several backplanes" in rackeye(rack, "spare", "add", "--bay", "6", "--affinity")
    rack.pull(5)
    rack.insert(5, DriveKind.FOREIGN)
    until(rack, lambda s: state(s, 5) == {DriveState.FOREIGN}, "a foreign drive", 120)
    assert "RAID-041" in rackeye(rack, "spare", "add", "--bay", "5"), "it holds data"
    assert "misses no drive" in rackeye(rack, "drive", "rebuild", "--bay", "6", "--for", "vd0")


def test_it_takes_over_from_an_idle_array_and_goes_on_after_a_power_cut(
    rack: Rack, record_property: Callable[[str, object], None]
) -> None:
    slow(rack)
    waits = "systemctl is-active 'rackeye-runner-raid-*' && ! flock -n /var/lib/rackeye/jobs/raid/runner.lock true"
    rack.wait_until(lambda: rack.sh(waits), 120, "a runner is loaded and waits")
    record_property("seconds_to_rebuild", recovery_after(rack, 2))
    assert "rackeye-job-vd0-spare" not in rack.sh("journalctl -q -o cat -t systemd"), "it had to be loaded first"
    told = until(rack, lambda s: works(s, "vd0", Work.REBUILD), "it rebuilds", 120)
    assert state(told, SPARE) == {DriveState.REBUILD}
    assert state(told, 2) == {DriveState.MISSING}
    assert spare(told) is SpareState.IN_USE
    assert rack.led("bay2:amber:status") == "on"
    cut(rack)
    until(rack, lambda s: vd(s, "vd0").mountpoint is not None and spare(s) is SpareState.IN_USE, "it goes on", 120)
    hurry(rack)
    told = until(rack, lambda s: is_whole(s, "vd0") and state(s, 2) != {DriveState.UNKNOWN}, "it is whole", 240)
    assert (state(told, SPARE), state(told, 2)) == ({DriveState.ONLINE}, {DriveState.MISSING})
    assert len(jobs_of(rack, "spare")) == 1
    assert checksum(rack, "/srv/rackeye/vd0/before") == kept["before"]
    assert {alarm["code"] for alarm in alarms(rack)} >= {"ALARM-101"}


def test_the_data_goes_back_to_the_bay_though_the_power_is_cut(rack: Rack) -> None:
    slow(rack)
    rack.insert(2, DriveKind.BLANK)
    told = until(rack, lambda s: works(s, "vd0", Work.COPYBACK, 3), "the copyback runs", 120)
    assert (state(told, 2), vd(told, "vd0").state) == ({DriveState.COPYBACK}, VdState.OPTIMAL)
    kept["during"] = write_file(rack, "/srv/rackeye/vd0/during")
    write_on(rack)
    cut(rack)
    rack.wait_until(lambda: vd(snapshot(rack), "vd0").mountpoint is not None, 120, "it is back")
    hurry(rack)
    told = until(rack, lambda s: is_whole(s, "vd0") and spare(s) is SpareState.READY, "the spare is free", 240)
    assert (state(told, 2), state(told, SPARE)) == ({DriveState.ONLINE}, {DriveState.HOT_SPARE})
    assert len(jobs_of(rack, "copyback")) == 1
    assert checksum(rack, "/srv/rackeye/vd0/during") == kept["during"]
    whole_again(rack)
    rack.wait_until(lambda: not alarms(rack), 120, "no alarm is left")
    serial = told.spares[0].serial
    ever = alarms(rack, ever=True)
    assert len(ever) >= 2
    assert [alarm["title"] for alarm in ever if serial in alarm["text"]] == [], "no false alarm of the spare"


def whole_again(rack: Rack) -> None:
    """After such a cut md may leave parity that disagrees (docs/design/spares.md): it is looked for by itself."""
    told = until(rack, lambda s: bool(s.checks) and vd(s, "vd0").progress is None, "it was checked by itself", 240)
    (seen,) = told.checks
    assert (seen.percent, seen.verdict in (CheckVerdict.CLEAN, CheckVerdict.WRONG)) == (100.0, True), seen
    if seen.verdict is CheckVerdict.WRONG:
        rack.wait_until(lambda: any("stripes" in alarm["text"] for alarm in alarms(rack)), 30, "an alarm says so")
        rack.exec(["rackeye", "check", "repair", "vd0", "--yes", "--watch"], 240, check=True)
    parity_is_clean(rack)


def test_the_spare_dies_during_the_copyback(rack: Rack, record_property: Callable[[str, object], None]) -> None:
    write_on(rack)
    record_property("seconds_to_rebuild_busy", recovery_after(rack, 1))
    until(rack, lambda s: is_whole(s, "vd0") and spare(s) is SpareState.IN_USE, "the spare stands in", 360)
    slow(rack)
    rack.insert(1, DriveKind.BLANK)
    until(rack, lambda s: works(s, "vd0", Work.COPYBACK, 2), "the copyback runs", 120)
    rack.pull(SPARE)
    told = until(rack, lambda s: vd(s, "vd0").state is VdState.DEGRADED, "it is degraded", 120)
    assert vd(told, "vd0").mountpoint is not None
    until(rack, lambda s: state(s, 1) == {DriveState.REBUILD}, "it is rebuilt in its bay", 120)
    rack.sh("kill $(cat /run/noise)")
    hurry(rack)
    told = until(rack, lambda s: is_whole(s, "vd0"), "it is whole", 360)
    assert spare(told) is SpareState.MISSING
    assert checksum(rack, "/srv/rackeye/vd0/during") == kept["during"]
    rack.insert(SPARE, DriveKind.SAME)
    told = until(rack, lambda s: spare(s) is SpareState.READY, "it is a spare again", 120)
    assert state(told, SPARE) == {DriveState.HOT_SPARE}
    assert is_whole(told, "vd0")


def test_a_source_fails_during_the_rebuild_and_the_spare_is_a_spare_again(rack: Rack) -> None:
    slow(rack)
    rack.pull(3)
    until(rack, lambda s: works(s, "vd0", Work.REBUILD, 2), "it rebuilds", 120)
    rack.pull(0)
    told = until(rack, lambda s: vd(s, "vd0").state is VdState.FAILED and spare(s) is SpareState.READY, "free", 120)
    assert state(told, SPARE) == {DriveState.HOT_SPARE}
    assert told.spares[0].dedicated is None
    hurry(rack)
    rack.insert(0, DriveKind.SAME)
    until(rack, lambda s: any(d.device for d in in_bay(s, 0)), "it is back", 120)
    rack.sh("sleep 4")
    if vd(snapshot(rack), "vd0").state is VdState.FAILED:
        rackeye(rack, "vd", "recover", "vd0", "--yes")
    told = until(rack, lambda s: is_whole(s, "vd0") and spare(s) is SpareState.IN_USE, "the spare stands in", 360)
    assert checksum(rack, "/srv/rackeye/vd0/before") == kept["before"]


def test_a_rebuild_onto_a_drive_that_a_person_names(rack: Rack) -> None:
    assert "stays a member of vd0" in rackeye(rack, "spare", "remove", "--bay", str(SPARE))
    told = until(rack, lambda s: not s.spares, "no spare", 120)
    assert state(told, 3) == set(), "the bay is free"
    rack.pull(2)
    until(rack, lambda s: vd(s, "vd0").state is VdState.DEGRADED, "degraded", 120)
    assert "RAID-041" in rackeye(rack, "drive", "rebuild", "--bay", "5", "--for", "vd0")
    assert "is rebuilt on" in rackeye(rack, "drive", "rebuild", "--bay", "6", "--for", "vd0")
    told = until(rack, lambda s: is_whole(s, "vd0"), "it is whole", 240)
    assert state(told, 6) == {DriveState.ONLINE}
    assert checksum(rack, "/srv/rackeye/vd0/before") == kept["before"]


def test_a_rate_holds_at_once(rack: Rack) -> None:
    rack.sh("sed -i /sync_speed_min/d /var/lib/rackeye/settings.toml; systemctl reload rackeye-raidd")
    limit = "cat /sys/block/md*/md/sync_speed_min"
    rack.wait_until(lambda: rack.sh(limit).split()[1:] == ["(local)"], 120, "a limit by the rate")
    before = int(rack.sh(limit).split()[0])
    assert "50 %" in rackeye(rack, "rate", "set", "rebuild", "50")
    rack.wait_until(lambda: abs(int(rack.sh(limit).split()[0]) * 30 // 50 - before) <= 1, 120, "half of it")
    assert rack.sh("stat -c %U /var/lib/rackeye/settings.toml").strip() == "rackeye"
    assert {rate.kind.value: rate.percent for rate in snapshot(rack).rates}["rebuild"] == 50


def test_what_a_member_lacks_is_an_alarm_until_it_is_written_anew(rack: Rack) -> None:
    told = snapshot(rack)
    member = next(drive for drive in told.drives if drive.bay == 1 and drive.state is DriveState.ONLINE)
    name = str(member.device).rpartition("/")[2]
    md = f"/sys/block/$(basename $(readlink -f /sys/block/{name}/holders/md*))/md"
    rack.sh(f"echo $(( $(cat {md}/dev-{name}/offset) + 4096 )) 8 > {md}/dev-{name}/bad_blocks")
    rack.wait_until(lambda: "ALARM-132" in {alarm["code"] for alarm in alarms(rack)}, 120, "an alarm")
    (bad,) = vd(snapshot(rack), "vd0").bad_blocks
    assert (bad.bay, bad.serial, bad.places, bad.size, bad.lost) == (1, member.serial, 1, 4096, 0)
    assert "lacks 4.1 kB in 1 place" in rackeye(rack, "vd", "show", "vd0")
    hurry(rack)
    rack.sh(f"echo repair > {md}/sync_action")
    rack.wait_until(lambda: "ALARM-132" not in {alarm["code"] for alarm in alarms(rack)}, 240, "written anew")
    assert vd(snapshot(rack), "vd0").bad_blocks == ()
