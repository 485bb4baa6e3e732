"""raidd on a real kernel: one life of two virtual drives, in the order in which it befalls them."""

import pytest

from raid.model import CheckVerdict, ClearDriveRequest, Done, DriveState, VdRequest, VdState, Work
from raid.model_foreign import ImportPlan, ImportRequest
from raid.model_plan import CreateSimpleReply, CreateSimpleRequest, PlanSimpleRequest
from raid.model_recover import RecoverPlan, RecoverRequest
from rig.drives import DriveKind
from rig.rack import Rack
from tests.rig.raid_rig import (
    Refused,
    all_sums,
    checksum,
    command,
    create,
    file_digest,
    hurry,
    in_bay,
    is_whole,
    job_units,
    jobs_of,
    kill_raidd,
    snapshot,
    until,
    vd,
    write_file,
)

pytestmark = [pytest.mark.rig]

kept: dict[str, str] = {}
"""Checksums of files that later tests read again."""


def test_the_bays_hold_blank_drives_and_the_system_drive_is_told_apart(rack: Rack) -> None:
    hurry(rack, resync=False)
    told = until(rack, lambda s: sum(d.state is DriveState.BLANK for d in s.drives) == 8, "eight blank drives")
    assert [d.bay for d in told.drives if d.state is DriveState.BLANK] == list(range(8))
    assert len({d.serial for d in told.drives if d.bay is not None}) == 8
    (system,) = [d for d in told.drives if d.bay is None]
    assert (system.state, system.device) == (DriveState.SYSTEM, "/dev/ubda")
    assert "/run/system" in system.detail


def test_mdadm_missing_is_said_and_nothing_is_begun(rack: Rack) -> None:
    rack.sh("mount --bind /dev/null /usr/sbin/mdadm; systemctl reload rackeye-raidd")
    try:
        until(rack, lambda s: any("apt-get install mdadm" in p for p in s.problems), "the problem is said")
        with pytest.raises(Refused, match="mdadm"):
            create(rack)
    finally:
        rack.sh("umount /usr/sbin/mdadm; systemctl reload rackeye-raidd")
    until(rack, lambda s: not s.problems, "the problem is gone")


def test_a_plan_of_other_drives_is_refused(rack: Rack) -> None:
    with pytest.raises(Refused, match="not those of the plan"):
        command(rack, "CreateSimple", CreateSimpleRequest(PlanSimpleRequest(), "0" * 16), CreateSimpleReply)
    with pytest.raises(Refused, match="no drive"):
        command(rack, "ClearDrive", ClearDriveRequest(9, "X"), Done)
    assert snapshot(rack).virtual_drives == ()


def test_two_virtual_drives_are_made_though_raidd_is_killed_meanwhile(rack: Rack) -> None:
    assert create(rack) == ("vd0", "vd1")
    rack.wait_until(lambda: job_units(rack) == 2, 20, "both jobs run")
    kill_raidd(rack)
    told = until(rack, lambda s: [bool(v.mountpoint) for v in s.virtual_drives] == [True] * 2, "two volumes", 120)
    assert [v.bays for v in told.virtual_drives] == [(0, 1, 2, 3), (4, 5, 6, 7)]
    assert [(record["id"], record["state"]) for record in jobs_of(rack, "create")] == [
        ("vd0-create-1", "Done"), ("vd1-create-1", "Done"),
    ]
    geometry = rack.sh("xfs_info /srv/rackeye/vd0")
    assert "sunit=64     swidth=192 blks" in geometry
    identity = "/srv/rackeye/vd1/rackeye-volume.json"
    rack.wait_until(lambda: rack.exec(["test", "-e", identity]).rc == 0, 30, "it is prepared")
    assert rack.sh(f"cat {identity}").startswith('{"volume":"vd1"')
    assert rack.sh("stat -c '%U %a' /srv/rackeye/vd0/recordings").split() == ["rackeye", "750"]
    for name in ("vd0", "vd1"):
        kept[name] = write_file(rack, f"/srv/rackeye/{name}/kept")


def test_both_survive_a_pull_during_initialization(rack: Rack) -> None:
    told = snapshot(rack)
    busy = [v.progress.kind for v in told.virtual_drives if v.progress is not None]
    assert busy == [Work.INITIALIZING] * 2, "too late: initialized already"
    rack.pull(2)
    rack.pull(5)
    told = until(
        rack, lambda s: all(v.state is VdState.DEGRADED for v in s.virtual_drives), "both are degraded", 20
    )
    for bay in (2, 5):
        (missing,) = in_bay(told, bay)
        assert (missing.state, missing.device) == (DriveState.MISSING, None)
    for name in ("vd0", "vd1"):
        assert checksum(rack, f"/srv/rackeye/{name}/kept") == kept[name]


def test_a_foreign_drive_is_named_and_not_touched(rack: Rack) -> None:
    serial = rack.insert(2, DriveKind.FOREIGN)
    before = file_digest(rack.drive_file(2))
    told = until(rack, lambda s: any(d.state is DriveState.FOREIGN for d in in_bay(s, 2)), "it is foreign")
    (here,) = [d for d in in_bay(told, 2) if d.device]
    assert here.serial == serial
    assert "gpt" in here.detail
    assert "rackeye drive clear" in vd(told, "vd0").detail
    rack.sh("sleep 3")
    assert jobs_of(rack, "add") == []
    assert file_digest(rack.drive_file(2)) == before


def test_a_drive_is_never_taken_for_the_one_before_it(rack: Rack) -> None:
    """udev keeps its facts by device number: until it has come to the new drive, the old one's stand there."""
    first = next(d.serial for d in in_bay(snapshot(rack), 2) if d.device)
    rack.sh("udevadm control --stop-exec-queue")
    try:
        rack.pull(2)
        second = rack.insert(2, DriveKind.FOREIGN)
        rack.sh("sleep 3")
        assert f"ID_SCSI_SERIAL={first}" in rack.sh("cat /run/udev/data/b8:*"), "udev still says so"
        assert [d.serial for d in in_bay(snapshot(rack), 2) if d.device] == []
    finally:
        rack.sh("udevadm control --start-exec-queue")
    told = until(rack, lambda s: any(d.state is DriveState.FOREIGN for d in in_bay(s, 2)), "udev has come to it")
    assert [d.serial for d in in_bay(told, 2) if d.device] == [second]


def test_a_smaller_drive_is_not_used_and_it_is_said_why(rack: Rack) -> None:
    rack.insert(5, DriveKind.SMALL)
    told = until(rack, lambda s: any("not used" in d.detail for d in in_bay(s, 5)), "it is too small")
    assert {d.state for d in in_bay(told, 5)} == {DriveState.BLANK, DriveState.MISSING}
    assert vd(told, "vd1").state is VdState.DEGRADED


def test_a_cleared_and_a_new_drive_are_rebuilt_on_though_raidd_is_killed(rack: Rack) -> None:
    (foreign,) = [d for d in in_bay(snapshot(rack), 2) if d.device]
    with pytest.raises(Refused, match="serial"):
        command(rack, "ClearDrive", ClearDriveRequest(2, "ANOTHER"), Done)
    member = in_bay(snapshot(rack), 0)[0]
    with pytest.raises(Refused, match="in use"):
        command(rack, "ClearDrive", ClearDriveRequest(0, member.serial), Done)
    command(rack, "ClearDrive", ClearDriveRequest(2, foreign.serial), Done)
    rack.pull(5)
    rack.insert(5, DriveKind.BLANK)
    until(rack, lambda s: any(d.state is DriveState.REBUILD for d in in_bay(s, 2)), "vd0 rebuilds by itself", 60)
    kill_raidd(rack)
    until(rack, lambda s: bool(s.drives), "it is back", 30)  # systemctl refuses a reload before that
    hurry(rack)
    told = until(rack, lambda s: is_whole(s, "vd0", "vd1"), "both are whole", 300)
    assert {d.state for d in told.drives if d.bay is not None} == {DriveState.ONLINE}
    assert told.problems == ()
    ended = sorted(job["state"] for job in jobs_of(rack, "add"))
    assert ended in (["Done", "Done"], ["Done", "Done", "Interrupted"]), "killed between a job's record and its start"
    for name in ("vd0", "vd1"):
        assert checksum(rack, f"/srv/rackeye/{name}/kept") == kept[name]


def test_the_parity_check_runs_and_is_clean(rack: Rack) -> None:
    command(rack, "StartCheck", VdRequest("vd0"), Done)
    told = until(rack, lambda s: bool(s.checks) and is_whole(s, "vd0"), "the check has ended", 120)
    assert (told.checks[0].vd, told.checks[0].verdict) == ("vd0", CheckVerdict.CLEAN)


def test_a_pull_from_an_idle_array_is_seen_and_the_old_drive_is_brought_up_to_date(rack: Rack) -> None:
    serial = in_bay(snapshot(rack), 1)[0].serial
    at = rack.pull(1)
    told = until(rack, lambda s: vd(s, "vd0").state is VdState.DEGRADED, "it is seen", 10)
    rack.sh("sleep 1")
    amber = [change["state"] for change in rack.led_history(at) if change["led"] == "bay1:amber:status"]
    assert amber == ["on"], "once, and it stays"
    assert in_bay(told, 1)[0].serial == serial
    assert rack.sh("cat /sys/block/md*/md/degraded | sort -n | tail -1").strip() == "1"
    with pytest.raises(Refused, match="whole"):
        command(rack, "StartCheck", VdRequest("vd0"), Done)
    kept["later"] = write_file(rack, "/srv/rackeye/vd0/later")
    rack.insert(1, DriveKind.SAME)
    until(rack, lambda s: is_whole(s, "vd0"), "it is whole again", 60)
    assert len(jobs_of(rack, "re-add")) == 1
    assert jobs_of(rack, "rebuild") == []
    rack.pull(0)  # so that what was written while bay 1 was out is read from it
    until(rack, lambda s: vd(s, "vd0").state is VdState.DEGRADED, "bay 0 is out", 10)
    assert checksum(rack, "/srv/rackeye/vd0/later") == kept["later"]
    rack.insert(0, DriveKind.SAME)
    until(rack, lambda s: is_whole(s, "vd0"), "it is whole again", 60)


def test_two_pulled_is_failed_and_nothing_is_overwritten(rack: Rack) -> None:
    rack.pull(4)
    until(rack, lambda s: vd(s, "vd1").state is VdState.DEGRADED, "one is out", 10)
    kept["alone"] = write_file(rack, "/srv/rackeye/vd1/alone")
    rack.pull(6)
    told = until(rack, lambda s: vd(s, "vd1").state is VdState.FAILED, "two are out", 10)
    assert vd(told, "vd1").mountpoint is None
    until(rack, lambda s: vd(s, "vd1").device is None, "it is stopped", 60)
    assert "/srv/rackeye/vd1" not in rack.sh("cat /proc/mounts")
    rack.insert(4, DriveKind.SAME)
    told = until(rack, lambda s: any(d.state is DriveState.STALE for d in in_bay(s, 4)), "the first is stale", 20)
    assert vd(told, "vd1").state is VdState.FAILED
    with pytest.raises(Refused, match="needed by"):
        command(rack, "ClearDrive", ClearDriveRequest(4, in_bay(told, 4)[0].serial), Done)
    rack.insert(6, DriveKind.SAME)
    until(rack, lambda s: any(d.device for d in in_bay(s, 6)), "the last one is back", 20)
    rack.sh("sleep 4")
    if vd(snapshot(rack), "vd1").state is VdState.FAILED:  # md had noted its end: only a person may start it
        plan = command(rack, "PlanRecover", VdRequest("vd1"), RecoverPlan)
        assert sorted(bay or 0 for bay in plan.bays) == [5, 6, 7]
        assert plan.left_out == (4,)
        command(rack, "RecoverVd", RecoverRequest("vd1", plan.fingerprint), Done)
    until(rack, lambda s: is_whole(s, "vd1"), "it is whole again", 180)
    assert checksum(rack, "/srv/rackeye/vd1/kept") == kept["vd1"]
    assert checksum(rack, "/srv/rackeye/vd1/alone") == kept["alone"]


def test_when_the_last_pulled_is_lost_only_a_person_starts_it_from_an_older_member(rack: Rack) -> None:
    # XFS puts a new folder into another allocation group: no stripe of it is written while bay 4 is out. What shares
    # a stripe with what was written then can be lost.
    rack.sh("mkdir /srv/rackeye/vd1/elsewhere")
    safe = write_file(rack, "/srv/rackeye/vd1/elsewhere/safe")
    rack.pull(4)
    until(rack, lambda s: vd(s, "vd1").state is VdState.DEGRADED, "one is out", 10)
    for number in range(3):
        write_file(rack, f"/srv/rackeye/vd1/meanwhile{number}", 1)  # bay 4 misses these
    rack.pull(6)
    until(rack, lambda s: vd(s, "vd1").device is None, "two are out, it is stopped", 60)
    with pytest.raises(Refused, match="Too few drives"):
        command(rack, "PlanRecover", VdRequest("vd1"), RecoverPlan)  # two of four: nothing to start it from
    rack.insert(4, DriveKind.SAME)
    until(rack, lambda s: any(d.state is DriveState.STALE for d in in_bay(s, 4)), "the older one is stale", 20)
    rack.sh("sleep 4")
    told = snapshot(rack)
    assert (vd(told, "vd1").state, vd(told, "vd1").device) == (VdState.FAILED, None)
    assert "rackeye vd recover vd1" in vd(told, "vd1").detail
    plan = command(rack, "PlanRecover", VdRequest("vd1"), RecoverPlan)
    assert (sorted(bay or 0 for bay in plan.bays), plan.left_out) == ([4, 5, 7], ())
    assert "may be lost or damaged" in plan.loses
    command(rack, "RecoverVd", RecoverRequest("vd1", plan.fingerprint), Done)
    told = until(rack, lambda s: vd(s, "vd1").state is VdState.DEGRADED and bool(vd(s, "vd1").mountpoint), "run", 90)
    job = jobs_of(rack, "recover")[-1]
    assert (len(job["steps"]), job["state"]) == (2, "Done")
    assert safe in all_sums(rack, "/srv/rackeye/vd1")
    rack.insert(6, DriveKind.SAME)  # it has newer data than the array now: it must follow the array
    until(rack, lambda s: is_whole(s, "vd1"), "it is whole again", 180)
    command(rack, "StartCheck", VdRequest("vd1"), Done)
    told = until(
        rack, lambda s: any(c.vd == "vd1" for c in s.checks) and is_whole(s, "vd1"), "the check has ended", 120
    )
    assert [c.verdict for c in told.checks if c.vd == "vd1"] == [CheckVerdict.CLEAN]
    assert safe in all_sums(rack, "/srv/rackeye/vd1")
    kept["vd1"] = write_file(rack, "/srv/rackeye/vd1/kept")


def test_a_drive_that_md_put_out_for_errors_is_not_taken_back(rack: Rack) -> None:
    device = in_bay(snapshot(rack), 3)[0].device
    assert device is not None
    rack.sh(f"for f in /sys/block/md*/md/dev-{device.removeprefix('/dev/')}/state; do echo faulty > $f; done")
    until(rack, lambda s: in_bay(s, 3)[0].state is DriveState.FAILED, "it has failed", 10)
    kill_raidd(rack)
    rack.sh("sleep 3")
    told = until(rack, lambda s: vd(s, "vd0").state is VdState.DEGRADED, "raidd is back", 20)
    assert in_bay(told, 3)[0].state is DriveState.FAILED
    rack.power_cut()
    rack.boot()
    until(rack, lambda s: in_bay(s, 3)[0].state is DriveState.FAILED, "it has failed still after a power cut", 60)
    rack.sh("sleep 15")  # drives no longer appear: raidd does all that it will do
    told = snapshot(rack)
    assert (in_bay(told, 3)[0].state, vd(told, "vd0").state) == (DriveState.FAILED, VdState.DEGRADED)
    rack.pull(3)
    rack.insert(3, DriveKind.BLANK)
    until(rack, lambda s: is_whole(s, "vd0"), "it is rebuilt on the new drive", 90)
    assert checksum(rack, "/srv/rackeye/vd0/kept") == kept["vd0"]


def test_an_array_from_elsewhere_is_foreign_until_it_is_imported(rack: Rack) -> None:
    rack.sh("systemctl stop rackeye-raidd rackeye-recorder; umount /srv/rackeye/vd1; mdadm --stop /dev/md/vd1")
    forget = "import json; f='/var/lib/rackeye/raid/memory.json'; m=json.load(open(f)); "
    forget += "m['vds']=[v for v in m['vds'] if v['name']!='vd1']; json.dump(m,open(f,'w'))"
    rack.exec(["python3", "-c", forget], check=True)
    rack.sh("systemctl start rackeye-raidd rackeye-recorder")
    foreign = [DriveState.FOREIGN] * 4
    told = until(rack, lambda s: [d.state for b in (4, 5, 6, 7) for d in in_bay(s, b)] == foreign, "four foreign ones")
    assert [v.name for v in told.virtual_drives] == ["vd0"]
    assert told.foreign == ("vd1",)
    with pytest.raises(Refused, match="No drives hold"):
        command(rack, "PlanImport", VdRequest("vd7"), ImportPlan)
    plan = command(rack, "PlanImport", VdRequest("vd1"), ImportPlan)
    assert ([drive.bay for drive in plan.drives], plan.missing, plan.refusal) == ([4, 5, 6, 7], 0, "")
    command(rack, "ImportVd", ImportRequest("vd1", plan.fingerprint), Done)
    until(rack, lambda s: is_whole(s, "vd0", "vd1"), "it runs", 60)
    assert checksum(rack, "/srv/rackeye/vd1/kept") == kept["vd1"]
