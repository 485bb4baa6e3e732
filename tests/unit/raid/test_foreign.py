"""Virtual drives from elsewhere, and those that could not be made: what is told, and what taking them over would do."""

from dataclasses import replace

from core.jobs import Job, JobState
from raid.foreign import arrays_from_elsewhere, plan_abandon, plan_import, to_import, unmade
from raid.memory import Memory, Stage
from raid.world import Probe
from tests.unit.raid.worlds import (
    BLANK,
    BOOT,
    COMPONENT,
    EXT4,
    NOW,
    UUID,
    array,
    asleep,
    disk,
    healthy,
    known,
    member,
    memory,
    probe,
    running,
    scene,
    world,
)

NOBODY = Memory()
HERE = tuple(probe(bay) for bay in range(4))


def test_all_drives_of_another_rackeye_are_here() -> None:
    here = asleep(*HERE)
    assert arrays_from_elsewhere(here, NOBODY) == {"vd0": (UUID,)}
    plan = plan_import("vd0", here, NOBODY)
    assert plan is not None
    assert (plan.level, plan.size, plan.missing, plan.refusal) == ("RAID5", 3 * COMPONENT, 0, "")
    assert [drive.bay for drive in plan.drives] == [0, 1, 2, 3]
    assert "Degraded" not in plan.means
    assert [vd.uuid for vd in to_import("vd0", here, NOBODY)] == [UUID]


def test_one_that_is_not_here_or_behind_is_said() -> None:
    plan = plan_import("vd0", asleep(*HERE[:3]), NOBODY)
    assert plan is not None
    assert (plan.missing, plan.refusal) == (1, "")
    assert "1 of its drives is not here" in plan.means
    behind = plan_import("vd0", asleep(*HERE[:3], probe(3, events=50)), NOBODY)
    assert behind is not None
    assert behind.missing == 1
    assert "bays 3 missed writes" in behind.means
    assert behind.fingerprint != plan.fingerprint


def test_too_few_a_name_that_is_taken_and_two_of_one_name_are_refused() -> None:
    few = plan_import("vd0", asleep(*HERE[:2]), NOBODY)
    assert few is not None
    assert few.refusal.startswith("Too few of its drives are here")
    own = known(uuid="aaaaaaaa:bbbbbbbb:cccccccc:dddddddd")
    taken = plan_import("vd0", asleep(*HERE), memory(own))
    assert taken is not None
    assert "has a virtual drive vd0 of its own" in taken.refusal
    other = tuple(probe(bay, array_uuid="aaaaaaaa:bbbbbbbb:cccccccc:dddddddd") for bay in range(4))
    two = plan_import("vd0", asleep(*HERE, *other), NOBODY)
    assert two is not None
    assert two.refusal == "Two arrays 'vd0' are here. Pull the drives of one."


def test_a_spanned_one_needs_all_its_spans() -> None:
    def span(number: int) -> tuple[Probe, ...]:
        uuid = f"{UUID[:27]}{int(UUID[27:], 16) ^ number:08x}"
        return tuple(probe(slot, name=f"rackeye:vd0.{number}of2", array_uuid=uuid) for slot in range(4))

    whole = plan_import("vd0", asleep(*span(1), *span(2)), NOBODY)
    assert whole is not None
    assert (whole.level, whole.size, len(whole.drives), whole.refusal) == ("RAID50", 6 * COMPONENT, 8, "")
    half = plan_import("vd0", asleep(*span(1)), NOBODY)
    assert half is not None
    assert (half.missing, half.refusal[:7]) == (4, "Too few")


def test_what_is_ours_protected_or_of_somebody_else_is_not_told() -> None:
    assert arrays_from_elsewhere(asleep(*HERE), memory()) == {}
    others = tuple(probe(bay, name="elsewhere:vd0") for bay in range(4))
    assert arrays_from_elsewhere(asleep(*others, EXT4, None), NOBODY) == {}
    guarded = world(tuple(disk(bay, one, protected="It is the system drive.") for bay, one in enumerate(HERE)))
    assert arrays_from_elsewhere(guarded, NOBODY) == {}
    assert plan_import("vd0", guarded, NOBODY) is None


def test_one_that_cannot_be_made_is_told_with_what_keeps_it() -> None:
    wished = known(stage=Stage.CREATING)
    lacking = scene(asleep(BLANK, BLANK, BLANK), memory(wished))
    assert unmade(lacking) == ("vd0",)
    plan = plan_abandon(wished, lacking)
    assert "the drive of bay 3 (serial SN0003) is not there" in plan.why
    assert (plan.refusal, len(plan.drives)) == ("", 4)
    assert "cleared" not in plan.means
    begun = plan_abandon(wished, scene(asleep(probe(0), probe(1), BLANK), memory(wished)))
    assert "Those in bays 0, 1 bear the marks" in begun.means


def test_one_that_is_about_to_be_made_or_failed_or_is_made() -> None:
    wished = known(stage=Stage.CREATING)
    blank = asleep(*[BLANK] * 4)
    assert unmade(scene(blank, memory(wished))) == ()  # nothing keeps it
    failed = Job("vd0-create-1", "create", "vd0", (), JobState.FAILED, BOOT, NOW - 5, 0, NOW - 1, "no such device")
    told = scene(replace(blank, jobs=(failed,)), memory(wished))
    assert unmade(told) == ("vd0",)
    assert "no such device" in plan_abandon(wished, told).why
    runs = replace(failed, state=JobState.RUNNING, ended=None)
    assert "made already" in plan_abandon(wished, scene(replace(blank, jobs=(runs,)), memory(wished))).refusal
    up = world(healthy().disks, running(array(*(member(bay) for bay in range(4)))))
    assert "made already" in plan_abandon(wished, scene(up, memory(wished))).refusal
    assert "made already" in plan_abandon(known(), scene(blank)).refusal
