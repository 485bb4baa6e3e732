"""Two missing members: one after the other in a RAID6, at the same time in a span of RAID60 (spec/raid.md)."""

from dataclasses import replace

import pytest

from core.jobs import Job, JobState
from raid.actions import StartJob
from raid.decide import decide
from raid.memory import KnownVd, Memory, Slot, Spare, Stage
from raid.spans import span_name, span_uuid, split
from raid.sysfs import Member
from raid.world import Disk, Probe, Running, World
from tests.unit.raid import worlds as w
from tests.unit.raid.spare_worlds import drive, good, spare

SLOTS = tuple(Slot(bay, w.serial(bay), "RACK DRIVE", w.SIZE) for bay in range(8))
SPARES = (spare(8), spare(9))


def array(number: int, *gone: int, spans: int = 2) -> Running:
    bays = range((number - 1) * 4, number * 4)
    members = (w.member(bay, slot) for slot, bay in enumerate(bays) if slot not in gone)
    md = w.array(*members, device=f"md12{number}", level=6, degraded=len(gone))
    if not spans:
        return w.running(md)
    return Running(md, span_uuid(w.UUID, number), span_name("vd0", number, 2), "rackeye", 120)


def raid60(*gone: int, more: tuple[Disk, ...] = ()) -> World:
    """Two spans of four; gone: slots of the second."""
    upper = tuple(Member(f"md12{number}", number - 1, frozenset({"in_sync"}), True, 0) for number in (1, 2))
    top = w.running(w.array(*upper, device="md127", level=0, raid_disks=2, degraded=0))
    disks = tuple(w.disk(bay) for bay in range(8) if bay - 4 not in gone)
    return w.world((*disks, *more), top, array(1), array(2, *gone), spare_reads=good(*more))


def raid6(*gone: int, more: tuple[Disk, ...] = ()) -> World:
    disks = tuple(w.disk(bay) for bay in range(4) if bay not in gone)
    return w.world((*disks, *more), array(1, *gone, spans=0), spare_reads=good(*more))


def memory(*spares: Spare, level: int = 60) -> Memory:
    if level == 6:
        return w.memory(w.known(level=6), spares=spares)
    vds = split(KnownVd("vd0", w.UUID, 60, w.STRIP, SLOTS, Stage.READY, w.FS, spans=2))
    return w.memory(vds[0], vds=tuple(replace(one, initialized=True) for one in vds), spares=spares)


def begun(of: World, known: Memory) -> tuple[list[StartJob], Memory]:
    decision = decide(of, known, w.SETTINGS, w.NOW)
    return [action for action in decision.actions if isinstance(action, StartJob)], decision.memory


def tried(job: StartJob) -> tuple[Job, ...]:
    ended = Job(job.id, job.kind, job.vd, job.steps, JobState.FAILED, w.BOOT, w.NOW - 60, ended=w.NOW - 50)
    return (ended,)


def test_two_blank_drives_go_into_a_span_in_one_command() -> None:
    of = raid60(1, 2, more=(w.newcomer(5, w.BLANK), w.newcomer(6, w.BLANK)))
    (job,), _ = begun(of, memory())
    assert (job.vd, job.kind) == ("vd0.2of2", "add")
    assert job.steps == (("mdadm", "/dev/md122", "--add", "/dev/sdp", "/dev/sdq"),)
    assert [expected.serial for expected in job.drives] == ["NEW0005", "NEW0006"], "both are read again before it"
    assert "bay 5 (serial NEW0005) and bay 6 (serial NEW0006), at the same time" in job.why
    (alone,), _ = begun(replace(of, jobs=tried(job)), memory())
    assert alone.steps == (("mdadm", "/dev/md122", "--add", "/dev/sdp"),), "they did not go in together"


@pytest.mark.parametrize("probe", [None, w.BLANK], ids=["unread", "settling"])
def test_the_first_waits_for_one_that_came_a_moment_later_but_not_for_ever(probe: Probe | None) -> None:
    late = replace(w.newcomer(6, w.BLANK), probe=probe)
    of, known = raid60(1, 2, more=(w.newcomer(5, w.BLANK), late)), memory()

    def since(seconds: float) -> list[StartJob]:
        seen = tuple((seq, at) for seq, at in known.fleeting.seen if seq != late.diskseq)
        fleeting = replace(known.fleeting, seen=(*seen, (late.diskseq, w.NOW - seconds)))
        return begun(of, replace(known, fleeting=fleeting))[0]

    assert since(3) == []
    (job,) = since(25)
    assert ("/dev/sdq" in job.steps[0]) is (probe is not None)


def test_a_former_member_that_cannot_be_trusted_goes_in_beside_a_blank_drive() -> None:
    own = replace(w.superblock(1, events=3, level=6, array_uuid=span_uuid(w.UUID, 2)), bitmap=False)
    back = w.disk(5, Probe(("linux_raid_member",), own))
    (job,), _ = begun(raid60(1, 2, more=(back, w.newcomer(6, w.BLANK))), memory())
    assert (job.kind, job.steps) == ("rebuild", (
        ("mdadm", "--zero-superblock", "/dev/sdf"), ("mdadm", "/dev/md122", "--add", "/dev/sdf", "/dev/sdq"),
    ))


def test_two_spares_go_into_a_span_in_one_command_and_each_is_remembered() -> None:
    of = raid60(1, 2, more=(drive(8), drive(9)))
    (job,), after = begun(of, memory(*SPARES))
    assert job.steps == (("mdadm", "/dev/md122", "--add", "/dev/sds", "/dev/sdt"),)
    assert job.at_once
    served = [(one.serial, one.serving.slot, one.serving.home.bay) for one in after.spares if one.serving is not None]
    assert served == [("NEW0008", 1, 5), ("NEW0009", 2, 6)]
    (alone,), after = begun(replace(of, jobs=tried(job)), memory(*SPARES))
    assert alone.steps == (("mdadm", "/dev/md122", "--add", "/dev/sds"),)
    assert [one.serving is not None for one in after.spares] == [True, False]


def test_whichever_of_the_places_md_gives_to_which_spare_each_goes_back_to_its_bay() -> None:
    of = raid60(1, 2, more=(drive(8), drive(9)))
    _, known = begun(of, memory(*SPARES))
    (second,) = [running for running in of.arrays if running.md.device == "md122"]
    onto = (replace(w.member(8, 2, "spare"), device="sds"), replace(w.member(9, 1, "spare"), device="sdt"))
    md = replace(second.md, members=(*second.md.members, *onto), sync_action="recover", sync_total=100)
    going = replace(of, arrays=(*(one for one in of.arrays if one != second), replace(second, md=md)))
    jobs, after = begun(going, known)
    assert jobs == []
    served = {one.serial: (one.serving.slot, one.serving.home.bay) for one in after.spares if one.serving is not None}
    assert served == {"NEW0008": (2, 6), "NEW0009": (1, 5)}


@pytest.mark.parametrize(("gone", "spares"), [((1,), SPARES), ((1, 2), SPARES[:1])])
def test_one_goes_in_where_one_is_missing_or_there_is_but_one(gone: tuple[int, ...], spares: tuple[Spare, ...]) -> None:
    here = tuple(drive(one.bay or 0) for one in spares)
    (job,), _ = begun(raid60(*gone, more=here), memory(*spares))
    assert job.steps == (("mdadm", "/dev/md122", "--add", "/dev/sds"),)


def test_in_a_raid6_one_goes_in_after_the_other() -> None:
    (job,), _ = begun(raid6(1, 2, more=(w.newcomer(1, w.BLANK), w.newcomer(2, w.BLANK))), memory(level=6))
    assert job.steps == (("mdadm", "/dev/md121", "--add", "/dev/sdl"),)
    (job,), after = begun(raid6(1, 2, more=(drive(8), drive(9))), memory(*SPARES, level=6))
    assert job.steps == (("mdadm", "/dev/md121", "--add", "/dev/sds"),)
    assert [one.serving is not None for one in after.spares] == [True, False]
