"""Each rule of spec/raid.md as a row: a world, and what is done about it."""

from dataclasses import replace

import pytest

from core.jobs import Job, JobState
from raid.actions import Action, AskSmart, FailMember, Mount, Prepare, Probe, RemoveMember, SetActive, StartJob, Unmount
from raid.decide import decide
from raid.memory import FailedDrive, Fleeting, Memory, Stage
from raid.teardown import stop_argv
from raid.world import Disk, Filesystem, Volume, World
from raid.world import Probe as OnDisk
from tests.unit.raid import worlds as w

AWAY = Unmount("vd0", "/srv/rackeye/vd0", "vd0 has failed: it is no volume any more.")


def actions(of: World, memory: Memory | None = None) -> tuple[Action, ...]:
    return decide(of, memory or w.memory(), w.SETTINGS, w.NOW).actions


def jobs(of: World, memory: Memory | None = None) -> list[tuple[str, ...]]:
    return [step for action in actions(of, memory) if isinstance(action, StartJob) for step in action.steps]


def only_job(of: World, memory: Memory | None = None) -> StartJob:
    (action,) = actions(of, memory)
    assert isinstance(action, StartJob)
    return action


# -- members out


def test_nothing_is_done_about_a_healthy_array() -> None:
    assert actions(w.healthy()) == ()


def test_a_member_whose_drive_is_gone_is_put_out_though_md_calls_it_whole() -> None:
    md = w.array(*(w.member(bay, present=bay != 2) for bay in range(4)))
    assert actions(w.world(tuple(w.disk(b) for b in (0, 1, 3)), w.running(md))) == (
        FailMember("md127", "sdc", "vd0", 2, "SN0002"),
        RemoveMember("md127", "sdc", "vd0"),
    )


def test_a_member_that_md_has_failed_and_whose_drive_is_gone_is_removed() -> None:
    md = w.array(w.member(0), w.member(1), w.member(2, states="faulty", present=False), w.member(3))
    of = w.world(tuple(w.disk(b) for b in (0, 1, 3)), w.running(md))
    assert actions(of) == (RemoveMember("md127", "sdc", "vd0"),)


def test_a_failed_member_whose_drive_is_there_stays_for_people_to_see() -> None:
    md = w.array(w.member(0), w.member(1), w.member(2, states="faulty"), w.member(3))
    decision = decide(w.world(tuple(w.disk(b) for b in range(4)), w.running(md)), w.memory(), w.SETTINGS, w.NOW)
    assert decision.actions == (AskSmart("sdc", 2, "SN0002", "was put out by md"),)
    assert decision.memory.failed == (FailedDrive("SN0002", "vd0", 12, w.BOOT),)


def test_two_gone_at_once_are_more_than_it_bears_and_md_is_not_told() -> None:
    md = w.array(*(w.member(bay, present=bay not in (1, 2)) for bay in range(4)))
    found = actions(w.world((w.disk(0), w.disk(3)), w.running(md)))
    assert found == (AWAY,)


def test_a_failed_array_is_stopped_once_it_is_unmounted() -> None:
    md = w.array(w.member(0), w.member(3), w.member(1, present=False), degraded=1)
    of = w.world((w.disk(0), w.disk(3)), w.running(md, volume=Volume()))
    assert jobs(of) == [stop_argv("/dev/md127", w.UUID)]


def test_a_broken_array_is_unmounted_even_when_its_drives_are_back() -> None:
    md = w.array(*(w.member(bay) for bay in range(4)), state="broken")
    assert AWAY in actions(w.world(tuple(w.disk(b) for b in range(4)), w.running(md)))


# -- members in


def test_a_blank_drive_in_the_same_bay_is_rebuilt_on() -> None:
    job = only_job(w.pulled(2, w.newcomer(2, w.BLANK)))
    assert job.steps == (("mdadm", "/dev/md127", "--add", "/dev/sdm"),)
    assert job.drives[0].serial == "NEW0002"


@pytest.mark.parametrize(
    "newcomer",
    [
        pytest.param(w.newcomer(2, w.BLANK, size=w.COMPONENT + w.OFFSET - 1), id="smaller"),
        pytest.param(w.newcomer(2, w.EXT4), id="foreign"),
        pytest.param(w.newcomer(5, w.BLANK), id="another bay"),
        pytest.param(replace(w.newcomer(2, w.BLANK), protected="It carries the system."), id="system"),
        pytest.param(replace(w.newcomer(2, w.BLANK), bay=None, protected="No bay."), id="no bay"),
        pytest.param(w.newcomer(2, replace(w.probe(1), superblock=replace(w.superblock(1), array_uuid="x"))), id="md"),
        pytest.param(replace(w.newcomer(2, w.BLANK), diskseq=1000), id="not settled"),
    ],
)
def test_nothing_else_is_rebuilt_on(newcomer: Disk) -> None:
    assert jobs(w.pulled(2, newcomer)) == []


def test_an_unread_drive_is_read_first() -> None:
    newcomer = replace(w.newcomer(2, w.BLANK), probe=None)
    assert actions(w.pulled(2, newcomer)) == (Probe("sdm", 52),)


def test_a_new_drive_is_used_as_soon_as_it_has_settled() -> None:
    memory = w.memory(fleeting=Fleeting(w.NOW - 600, ((52, w.NOW - 4.0),)))
    decision = decide(w.pulled(2, w.newcomer(2, w.BLANK)), memory, w.SETTINGS, w.NOW)
    assert decision.actions == ()
    assert decision.again == pytest.approx(6.0)


def test_the_old_member_is_brought_up_to_date_by_the_bitmap() -> None:
    back = w.disk(2, w.probe(2), name="sdm", diskseq=52)
    assert jobs(w.pulled(2, back)) == [("mdadm", "/dev/md127", "--re-add", "/dev/sdm")]


@pytest.mark.parametrize(
    "probe",
    [
        pytest.param(w.probe(2, events=121), id="ahead of the array"),
        pytest.param(w.probe(2, out=(1,)), id="was started elsewhere without another"),
        pytest.param(w.probe(2, bitmap=False), id="no bitmap"),
        pytest.param(w.probe(2, recovering=True), id="was half rebuilt"),
    ],
)
def test_an_old_member_that_cannot_be_trusted_is_written_anew(probe: OnDisk) -> None:
    back = w.disk(2, probe, name="sdm", diskseq=52)
    assert jobs(w.pulled(2, back)) == [
        ("mdadm", "--zero-superblock", "/dev/sdm"),
        ("mdadm", "/dev/md127", "--add", "/dev/sdm"),
    ]


def test_an_old_member_is_written_anew_when_the_re_add_failed() -> None:
    back = w.disk(2, w.probe(2), name="sdm", diskseq=52)
    steps = (("mdadm", "/dev/md127", "--re-add", "/dev/sdm"),)
    failed = Job("vd0-re-add-1", "re-add", "vd0", steps, JobState.FAILED, w.BOOT, w.NOW - 2, ended=w.NOW - 1)
    assert ("mdadm", "--zero-superblock", "/dev/sdm") in jobs(replace(w.pulled(2, back), jobs=(failed,)))


def test_an_old_member_whose_place_is_taken_is_left_alone() -> None:
    md = w.array(*(w.member(bay) for bay in range(4)))
    old = w.disk(5, w.probe(2), name="sdm", serial="OLD")
    assert actions(w.world((*(w.disk(b) for b in range(4)), old), w.running(md))) == ()


def test_a_drive_that_failed_is_not_taken_back() -> None:
    memory = w.memory(failed=(FailedDrive("SN0002", "vd0", 52, w.BOOT),))
    back = w.disk(2, w.probe(2), name="sdm", diskseq=52)
    assert jobs(w.pulled(2, back), memory) == []


def test_a_drive_that_failed_and_was_pulled_and_put_back_is_taken_back() -> None:
    memory = w.memory(failed=(FailedDrive("SN0002", "vd0", 12, w.BOOT),))
    back = w.disk(2, w.probe(2), name="sdm", diskseq=52)
    assert jobs(w.pulled(2, back), memory) == [("mdadm", "/dev/md127", "--re-add", "/dev/sdm")]


def test_no_second_rebuild_beside_one() -> None:
    md = w.array(w.member(0), w.member(1), w.member(2, states="spare"), level=6, sync_action="recover", sync_total=1)
    of = w.world((w.disk(0), w.disk(1), w.disk(2), w.newcomer(3, w.BLANK)), w.running(md))
    assert jobs(of, w.memory(w.known(level=6))) == []


def test_one_mutation_at_a_time() -> None:
    busy = Job("vd0-add-1", "add", "vd0", (), JobState.RUNNING, w.BOOT, w.NOW - 1)
    assert jobs(replace(w.pulled(2, w.newcomer(2, w.BLANK)), jobs=(busy,))) == []


def test_a_job_that_failed_is_tried_again_later_under_a_new_name() -> None:
    steps = (("mdadm", "/dev/md127", "--add", "/dev/sdm"),)
    failed = Job("vd0-add-1", "add", "vd0", steps, JobState.FAILED, w.BOOT, w.NOW - 50, ended=w.NOW - 20)
    of = replace(w.pulled(2, w.newcomer(2, w.BLANK)), jobs=(failed,))
    assert jobs(of) == []
    later = replace(of, jobs=(replace(failed, ended=w.NOW - 31),))
    assert only_job(later).id == "vd0-add-2"


def test_without_mdadm_nothing_is_started_but_the_gone_are_put_out() -> None:
    assert jobs(replace(w.pulled(2, w.newcomer(2, w.BLANK)), mdadm=False)) == []
    md = w.array(*(w.member(bay, present=bay != 2) for bay in range(4)))
    of = w.world(tuple(w.disk(b) for b in (0, 1, 3)), w.running(md), mdadm=False)
    assert FailMember("md127", "sdc", "vd0", 2, "SN0002") in actions(of)


def test_auto_read_only_is_ended_so_that_recovery_begins() -> None:
    md = w.array(*(w.member(bay) for bay in range(4)), state="read-auto")
    found = actions(w.world(tuple(w.disk(b) for b in range(4)), w.running(md)))
    assert found == (SetActive("md127", "vd0"),)


# -- starting


def devices_of(job: StartJob) -> list[str]:
    return [word for word in job.steps[0] if word.startswith("/dev/sd")]


def test_a_whole_array_is_started() -> None:
    job = only_job(w.asleep(*(w.probe(slot) for slot in range(4))))
    assert job.kind == "assemble"
    assert devices_of(job) == ["/dev/sda", "/dev/sdb", "/dev/sdc", "/dev/sdd"]
    assert "--force" not in job.steps[0]


def test_counters_one_apart_are_equal() -> None:
    job = only_job(w.asleep(w.probe(0, 101), w.probe(1, 100), w.probe(2, 101), w.probe(3, 101)))
    assert len(devices_of(job)) == 4


def test_the_stale_member_after_a_power_cut_is_left_out() -> None:
    fresh = [w.probe(slot, 120, out=(2,)) for slot in (0, 1, 3)]
    job = only_job(w.asleep(fresh[0], fresh[1], w.probe(2, 100), fresh[2]))
    assert devices_of(job) == ["/dev/sda", "/dev/sdb", "/dev/sdd"]


def test_a_member_that_was_put_out_is_stale_even_when_its_counter_is_close() -> None:
    fresh = [w.probe(slot, 101, out=(2,)) for slot in (0, 1, 3)]
    job = only_job(w.asleep(fresh[0], fresh[1], w.probe(2, 100), fresh[2]))
    assert "/dev/sdc" not in devices_of(job)


def test_force_only_when_it_was_dirty_and_is_degraded() -> None:
    dirty = [w.probe(slot, 120, out=(2,), clean=False) for slot in (0, 1, 3)]
    job = only_job(w.asleep(dirty[0], dirty[1], w.probe(2, 100), dirty[2]))
    assert "--force" in job.steps[0]
    whole = only_job(w.asleep(*(w.probe(slot, clean=False) for slot in range(4))))
    assert "--force" not in whole.steps[0]


def test_a_degraded_start_waits_for_drives_that_still_appear() -> None:
    of = w.asleep(w.probe(0), w.probe(1), w.probe(2))
    just_started = w.memory(fleeting=Fleeting(w.NOW - 5))
    assert jobs(of, just_started) == []
    assert len(devices_of(only_job(of))) == 3


def test_a_whole_one_waits_for_the_drive_that_its_data_goes_back_to() -> None:
    """Else the copyback begins anew: slot 2 has two members, and the second one is not seen yet."""
    of = w.asleep(*(w.probe(slot, roles=(0, 1, 2, 3, 2)) for slot in range(4)))
    just_started = w.memory(fleeting=Fleeting(w.NOW - 5))
    assert jobs(of, just_started) == []
    assert len(devices_of(only_job(of))) == 4, "it does not come"
    target = w.newcomer(2, w.probe(2, roles=(0, 1, 2, 3, 2), device_number=4, recovering=True))
    assert len(devices_of(only_job(replace(of, disks=(*of.disks, target)), just_started))) == 5


def test_two_stale_members_are_never_forced_without_a_word() -> None:
    fresh = [w.probe(slot, 130, out=(1, 2)) for slot in (0, 3)]
    of = w.asleep(fresh[0], w.probe(1, 120), w.probe(2, 100), fresh[1])
    assert jobs(of) == []
    told = w.memory(fleeting=Fleeting(w.NOW - 600, recover=(w.wish(of),)))
    job = only_job(of, told)
    assert job.kind == "recover"
    assert "--force" in job.steps[0]
    assert sorted(devices_of(job)) == ["/dev/sda", "/dev/sdb", "/dev/sdd"]


def test_two_copies_of_a_member_are_ambiguous() -> None:
    of = w.asleep(*(w.probe(slot) for slot in range(4)))
    copy = replace(w.newcomer(2, w.probe(2)), bay=6)
    assert jobs(replace(of, disks=(*of.disks, copy))) == []


def test_an_inactive_array_is_stopped_first() -> None:
    of = w.world(tuple(w.disk(b) for b in range(4)), w.running(w.half_assembled(0, 1, 2, 3), volume=Volume()))
    assert jobs(of) == [("mdadm", "--stop", "/dev/md127")]


def test_a_foreign_array_is_not_started() -> None:
    of = w.asleep(*(w.probe(slot) for slot in range(4)))
    assert actions(of, Memory(fleeting=Fleeting(w.NOW - 600))) == ()


# -- making


def making(**changes: object) -> Memory:
    return w.memory(w.known(stage=Stage.CREATING, initialized=False, **changes))


def test_a_virtual_drive_is_made_of_its_blank_drives() -> None:
    job = only_job(w.asleep(*[w.BLANK] * 4), making())
    assert job.kind == "create"
    assert {"--force", "--bitmap=internal", f"--uuid={w.UUID}", "--chunk=256", "--level=5"} <= set(job.steps[0])
    assert "--assume-clean" not in job.steps[0]


def test_a_creation_cut_off_in_the_middle_is_done_over() -> None:
    job = only_job(w.asleep(w.probe(0, 0), w.BLANK, w.BLANK, w.BLANK), making())
    assert job.kind == "create"


def test_a_creation_cut_off_at_the_end_is_started() -> None:
    assert only_job(w.asleep(*(w.probe(slot, 0) for slot in range(4))), making()).kind == "assemble"


def test_nothing_is_made_over_data_that_came_meanwhile() -> None:
    assert jobs(w.asleep(w.BLANK, w.BLANK, w.EXT4, w.BLANK), making()) == []


def test_the_stages_follow_what_is_seen() -> None:
    md = w.array(*(w.member(bay) for bay in range(4)), parity_complete=False)
    disks = tuple(w.disk(bay) for bay in range(4))
    fresh = w.world(disks, w.running(md, volume=Volume(read=True, blank=True)))
    made = decide(fresh, making(), w.SETTINGS, w.NOW)
    assert made.memory.vds[0].stage is Stage.FORMATTING
    (job,) = made.actions
    assert isinstance(job, StartJob)
    assert job.steps[0] == ("wipefs", "--all", "--quiet", "/dev/md127")
    assert "su=262144,sw=3" in job.steps[1]
    formatted = w.world(disks, w.running(md, volume=w.UNMOUNTED))
    assert decide(formatted, made.memory, w.SETTINGS, w.NOW).actions == (Mount("vd0", "/dev/md127"),)
    mounted = w.world(disks, w.running(md, volume=Volume(mountpoint="/srv/rackeye/vd0")))
    assert decide(mounted, made.memory, w.SETTINGS, w.NOW).actions == (Prepare("vd0", w.UUID, "/srv/rackeye/vd0"),)
    ready = decide(w.world(disks, w.running(md)), made.memory, w.SETTINGS, w.NOW)
    assert ready.memory.vds[0].stage is Stage.READY
    assert not ready.memory.vds[0].initialized


@pytest.mark.parametrize("left", [
    Filesystem(w.FS, complete=False, unit=0, width=0), Filesystem("of an array that is no more", True, 0, 0), None,
])
def test_what_lies_on_a_fresh_array_is_formatted_and_what_lies_on_a_finished_one_is_not(left: Filesystem) -> None:
    md = w.array(*(w.member(bay) for bay in range(4)))
    of = w.world(tuple(w.disk(bay) for bay in range(4)), w.running(md, volume=Volume(read=True, filesystem=left)))
    assert [step[0] for step in jobs(of, w.memory(w.known(stage=Stage.FORMATTING)))] == ["wipefs", "mkfs.xfs"]
    assert actions(of) == ()


def test_another_file_system_is_never_mounted() -> None:
    other = Volume(read=True, filesystem=Filesystem("other", complete=True, unit=0, width=0))
    md = w.array(*(w.member(bay) for bay in range(4)))
    assert actions(w.world(tuple(w.disk(b) for b in range(4)), w.running(md, volume=other))) == ()


def test_memory_follows_the_drives() -> None:
    md = w.array(w.member(0), w.member(1), w.member(3), replace(w.member(2, states="spare"), device="sdm"))
    of = w.world((w.disk(0), w.disk(1), w.disk(3), w.newcomer(2, w.BLANK)), w.running(md))
    assert decide(of, w.memory(), w.SETTINGS, w.NOW).memory.vds[0].slots[2].serial == "NEW0002"


# -- a recovery that was cut off


def test_a_recovery_that_was_cut_off_is_ended_before_anything_is_mounted() -> None:
    md = w.array(*(w.member(bay) for bay in range(4)))
    of = w.world(tuple(w.disk(bay) for bay in range(4)), w.running(md, volume=w.UNMOUNTED))
    assert actions(of) == (Mount("vd0", "/dev/md127"),)
    cut = Job("vd0-recover-1", "recover", "vd0", (), JobState.INTERRUPTED, "boot-0", w.NOW - 90, ended=w.NOW - 80)
    assert only_job(replace(of, jobs=(cut,))).kind == "mend"
    failed = Job("vd0-mend-1", "mend", "vd0", (), JobState.FAILED, w.BOOT, w.NOW - 70, ended=w.NOW - 60)
    assert only_job(replace(of, jobs=(cut, failed))).kind == "mend"
    mended = replace(failed, state=JobState.DONE)
    assert actions(replace(of, jobs=(cut, mended))) == (Mount("vd0", "/dev/md127"),)
    whole = replace(cut, state=JobState.DONE)
    assert actions(replace(of, jobs=(whole,))) == (Mount("vd0", "/dev/md127"),)


# -- drives that missed writes, alone


def test_drives_that_were_put_out_do_not_start_it_without_those_that_know_better() -> None:
    old = w.known(level=6, out=(w.serial(0), w.serial(2)))
    blocks = {bay: w.probe(bay, level=6) for bay in range(4)}
    alone = w.asleep(blocks[0], None, blocks[2], None)
    alone = replace(alone, disks=tuple(disk for disk in alone.disks if disk.bay in (0, 2)))
    assert actions(alone, w.memory(old)) == ()
    together = w.asleep(*(blocks[bay] for bay in range(4)))
    assert only_job(together, w.memory(old)).kind == "assemble"  # what is current is seen, whatever was remembered


def test_what_md_has_put_out_is_remembered_and_a_pulled_drive_that_it_does_not_miss_yet_is_not() -> None:
    md = w.array(w.member(0), w.member(1, states="faulty"), w.member(2, present=False), w.member(3), level=6)
    of = w.world(tuple(w.disk(bay) for bay in (0, 1, 3)), w.running(md))
    known = decide(of, w.memory(w.known(level=6)), w.SETTINGS, w.NOW).memory.vds[0]
    assert known.out == (w.serial(1),)
