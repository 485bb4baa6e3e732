"""A recovery is done from the drives that a person was shown, once, or not at all."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from core.daemon import Daemon
from core.errors import PlanChanged
from core.jobs import Job, JobState
from raid.actions import Action, DropRecovery, StartJob
from raid.decide import decide
from raid.memory import Fleeting, Memory, Wish
from raid.model import VdRequest
from raid.model_recover import RecoverPlan, RecoverRequest
from raid.service import Service
from raid.spans import spans_of
from raid.world import Disk, Probe, World
from tests.unit.raid import worlds as w
from tests.unit.raid.test_spans import known as nested

FRESH = tuple(w.probe(slot, 130, out=(1, 2)) for slot in (0, 3))


def failed(*others: Disk) -> World:
    """Slots 0 and 3 are current; others: what is in the bays between."""
    return w.world((w.disk(0, FRESH[0]), *others, w.disk(3, FRESH[1])))


NEWER, OLDER = w.disk(1, w.probe(1, 120)), w.disk(2, w.probe(2, 100))
SHOWN = failed(NEWER)
GONE = w.disk(1, diskseq=77)
"""Bay 1's drive has just been put in again and is not read yet."""


def told(*wishes: Wish) -> Memory:
    return w.memory(fleeting=Fleeting(w.NOW - 600, recover=wishes or (w.wish(SHOWN),)))


def look(of: World, memory: Memory) -> tuple[Memory, list[StartJob], list[DropRecovery]]:
    """What is remembered, begun, and said to be forgotten."""
    done = decide(of, memory, w.SETTINGS, w.NOW)
    jobs = [action for action in done.actions if isinstance(action, StartJob)]
    return done.memory, jobs, [action for action in done.actions if isinstance(action, DropRecovery)]


def job(state: JobState, number: int = 1) -> Job:
    ended = None if state is JobState.RUNNING else w.NOW - 40
    return Job(f"vd0-recover-{number}", "recover", "vd0", (), state, w.BOOT, w.NOW - 50, ended=ended)


def test_it_is_done_from_what_was_shown() -> None:
    memory, (start,), dropped = look(SHOWN, told())
    assert (start.kind, [one.bay for one in start.drives], dropped) == ("recover", [0, 3, 1], [])
    assert memory.fleeting.recover


@pytest.mark.parametrize("now", [
    failed(OLDER),  # the chosen one was pulled, and an older one put in
    failed(w.disk(1, w.probe(1, 125))),  # it was written elsewhere meanwhile
    failed(w.disk(1, w.probe(1, 120, device_uuid="another"))),
    failed(),
], ids=["older", "written", "another", "none"])
def test_other_drives_are_not_taken_and_the_wish_is_dropped_with_a_word(now: World) -> None:
    memory, jobs, (dropped,) = look(now, told())
    assert (jobs, memory.fleeting.recover) == ([], ())
    assert "not those that were shown and confirmed" in dropped.why
    assert "rackeye vd recover vd0" in dropped.why
    assert look(SHOWN, memory)[1:] == ([], []), "nor later, when they are back"


def test_a_better_one_that_comes_is_not_taken_unseen_either() -> None:
    memory, jobs, dropped = look(failed(w.disk(1, w.probe(1, 120)), w.disk(2, w.probe(2, 125))), told())
    assert (jobs, len(dropped), memory.fleeting.recover) == ([], 1, ())


def test_a_drive_that_is_just_read_is_waited_for() -> None:
    memory, jobs, dropped = look(failed(GONE), told())
    assert (jobs, dropped, memory.fleeting.recover) == ([], [], told().fleeting.recover)
    assert look(failed(replace(GONE, probe=w.probe(1, 120))), memory)[1]


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.INTERRUPTED])
def test_what_failed_is_not_tried_again_by_itself(state: JobState) -> None:
    memory, jobs, (dropped,) = look(replace(SHOWN, jobs=(job(state),)), told())
    assert (jobs, memory.fleeting.recover) == ([], ())
    assert "The recovery of vd0 failed" in dropped.why
    again = told(w.wish(SHOWN, after="vd0-recover-1"))
    assert look(replace(SHOWN, jobs=(job(state),)), again)[1], "a person told it once more"


def test_a_recovery_that_runs_is_not_judged_and_one_that_came_to_its_end_is_forgotten_without_a_word() -> None:
    running = replace(failed(), jobs=(job(JobState.RUNNING),))
    memory, jobs, dropped = look(running, told())
    assert (jobs, dropped, memory.fleeting.recover) == ([], [], told().fleeting.recover)
    for ended in (replace(failed(), jobs=(job(JobState.DONE),)), w.pulled(2)):
        memory, _, dropped = look(ended, told())
        assert (dropped, memory.fleeting.recover) == ([], ())


def test_spans_are_judged_one_by_one() -> None:
    """The second one's drives are others: the first is started, the second is not."""
    memory = nested(60)
    spans = spans_of(memory.vds[0], memory)

    def of(last: int) -> World:
        return w.asleep(*(
            Probe(("linux_raid_member",), w.superblock(
                slot, events, level=6, array_uuid=span.uuid, device_uuid=f"{span.name} {slot}",
            ))
            for span, oldest in zip(spans, (80, last), strict=True) for slot, events in enumerate((100, 90, oldest))
        ))

    wishes = tuple(w.wish(of(80), span) for span in spans)
    memory = replace(memory, fleeting=replace(memory.fleeting, recover=wishes))
    # Of a RAID6 of four two are enough: the oldest is left out, and may be any.
    assert [job.vd for job in look(of(70), memory)[1]] == [span.name for span in spans]
    changed = replace(of(80), disks=tuple(disk for disk in of(80).disks if disk.bay != 4))
    left, jobs, dropped = look(changed, memory)
    assert [job.vd for job in jobs] == [spans[0].name]
    assert [(one.vd, "rackeye vd recover vd0" in one.why) for one in dropped] == [(spans[1].name, True)]
    assert left.fleeting.recover == wishes[:1]


# -- the command


class Still:
    """A cycle of which only the memory's way to the disk is asked."""

    def save(self, memory: Memory) -> None:
        pass


def service(of: World, memory: Memory) -> tuple[Service, Daemon[World, Memory, Action]]:
    nobody: Any = None
    still: Any = Still()
    daemon: Daemon[World, Memory, Action] = Daemon("raidd", still, memory, "org.rackeye.Raid1", snapshot=of)
    return Service(daemon, nobody, nobody, nobody, lambda: w.SETTINGS, one=asyncio.Lock()), daemon


def test_the_plan_is_confirmed_by_its_fingerprint_and_refused_when_the_drives_have_changed() -> None:
    made, daemon = service(SHOWN, w.memory())

    async def story() -> RecoverPlan:
        plan = await made.plan_recover(VdRequest("vd0"))
        daemon.snapshot = failed(OLDER)
        with pytest.raises(PlanChanged, match="not those of the plan"):
            await made.recover_vd(RecoverRequest("vd0", plan.fingerprint))
        assert daemon.memory.fleeting.recover == ()
        daemon.snapshot = replace(SHOWN, jobs=(job(JobState.FAILED),))
        for _ in range(2):  # told twice is told once
            await made.recover_vd(RecoverRequest("vd0", plan.fingerprint))
        return plan

    plan = asyncio.run(story())
    assert (plan.bays, plan.left_out) == ((0, 3, 1), ())
    assert daemon.memory.fleeting.recover == (w.wish(SHOWN, after="vd0-recover-1"),)
    assert look(SHOWN, daemon.memory)[1]


def test_a_plan_of_two_spans_has_one_fingerprint_for_both() -> None:
    memory = nested(60)
    spans = spans_of(memory.vds[0], memory)
    of = w.asleep(*(
        Probe(("linux_raid_member",), w.superblock(slot, events, level=6, array_uuid=span.uuid))
        for span in spans for slot, events in enumerate((100, 90))
    ))
    made, daemon = service(of, memory)

    async def story() -> None:
        plan = await made.plan_recover(VdRequest("vd0"))
        await made.recover_vd(RecoverRequest("vd0", plan.fingerprint))

    asyncio.run(story())
    assert daemon.memory.fleeting.recover == tuple(w.wish(of, span) for span in spans)
