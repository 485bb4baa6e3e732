"""A stripe that a power cut may have torn is told of until the virtual drive is whole and was checked since."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from raid import memory as remembered
from raid.actions import StartJob
from raid.decide import decide
from raid.derive import derive
from raid.memory import Fleeting, Growth, KnownVd, Memory
from raid.model import CheckResult, CheckVerdict
from raid.world import World
from tests.unit.raid import worlds as w
from tests.unit.raid.test_groups import BOTH, DISKS, GROUP
from tests.unit.raid.test_groups import running as shared
from tests.unit.raid.test_spans import disks, span, upper
from tests.unit.raid.test_spans import known as nested

SAID = "A stripe may be torn: it was being written when the power went"


def cut(*, out: tuple[int, ...] = (2,), clean: bool = False, level: int = 5) -> World:
    """After a power cut; out: slots that had no drive by then."""
    left = [slot for slot in range(4) if slot not in out]
    return w.world(tuple(w.disk(slot, w.probe(slot, 120, out, clean=clean, level=level)) for slot in left))


def start(of: World, memory: Memory) -> tuple[KnownVd, StartJob | None]:
    decision = decide(of, memory, w.SETTINGS, w.NOW)
    return decision.memory.vds[0], next((a for a in decision.actions if isinstance(a, StartJob)), None)


def check(finished: float, verdict: CheckVerdict = CheckVerdict.CLEAN, percent: float = 100.0) -> CheckResult:
    return CheckResult("vd0", verdict, finished, 9, (), 0, "", percent, finished)


def test_a_start_by_force_is_remembered_before_it() -> None:
    vd, job = start(cut(), w.memory())
    assert job is not None
    assert "the last stripe may be torn" in job.why
    assert vd.torn == w.NOW


@pytest.mark.parametrize(("of", "vd"), [
    (cut(out=()), w.known()),
    (cut(clean=True), w.known()),
    (cut(level=10), w.known(level=10)),
], ids=["whole", "clean", "mirror"])
def test_what_cannot_have_torn_is_not_told(of: World, vd: KnownVd) -> None:
    started, job = start(of, w.memory(vd))
    assert job is not None
    assert "torn" not in job.why
    assert started.torn == 0.0


def test_one_that_is_about_to_have_parity_can_tear() -> None:
    vd, _ = start(cut(level=5), w.memory(w.known(level=0, growth=Growth("t", 5, 4, begun=True))))
    assert vd.torn == w.NOW


def test_nothing_is_remembered_while_its_drives_may_still_come() -> None:
    three = w.world(cut(out=()).disks[:3])
    vd, job = start(three, w.memory(fleeting=Fleeting(w.NOW - 5)))
    assert (job, vd.torn) == (None, 0.0)
    assert start(three, w.memory())[0].torn == w.NOW


def test_a_clock_that_is_behind_after_the_cut_does_not_end_it() -> None:
    vd, _ = start(replace(cut(), results=(check(w.NOW + 500),)), w.memory())
    assert vd.torn == w.NOW + 500


def whole(*results: CheckResult) -> World:
    return replace(w.healthy(), results=results)


@pytest.mark.parametrize(("of", "told"), [
    (w.pulled(2), True),
    (replace(w.pulled(2), results=(check(w.NOW + 9),)), True),
    (whole(), True),
    (whole(check(w.NOW - 9)), True),
    (whole(check(w.NOW + 9, CheckVerdict.STOPPED, 40.0)), True),
    (whole(check(w.NOW + 9, CheckVerdict.FAILED)), True),
    (whole(check(w.NOW + 9)), False),
    (whole(check(w.NOW + 9, CheckVerdict.WRONG)), False),
])
def test_it_is_told_until_it_is_whole_and_was_checked_since(of: World, told: bool) -> None:
    memory = decide(of, w.memory(w.known(torn=w.NOW)), w.SETTINGS, w.NOW + 20).memory
    (vd,) = derive(w.scene(of, memory)).virtual_drives
    assert (vd.torn > 0, SAID in vd.detail) == (told, told)


def test_of_a_span_it_is_told_of_the_virtual_drive_and_ends_with_its_check() -> None:
    """Also when that span is whole again, and another one is worse."""
    memory = nested(60)
    spans = [replace(vd, torn=w.NOW) if vd.name == "vd0.1of2" else vd for vd in memory.vds]
    memory = replace(memory, vds=tuple(spans))
    of = w.world(disks(5), span(60, 1), span(60, 2, 1), upper())
    (vd,) = derive(w.scene(of, decide(of, memory, w.SETTINGS, w.NOW).memory)).virtual_drives
    assert vd.torn == w.NOW
    assert f"Span 1: {SAID}" in vd.detail
    of = replace(w.world(disks(), span(60, 1), span(60, 2), upper()), results=(check(w.NOW + 9),))
    assert [vd.torn for vd in decide(of, memory, w.SETTINGS, w.NOW + 20).memory.vds] == [0.0, 0.0, 0.0]


def test_of_a_span_it_is_remembered_with_the_span() -> None:
    memory = nested(60)
    probes = (w.probe(slot, 120, (2,), level=6, array_uuid=memory.vds[1].uuid, clean=False) for slot in (0, 1, 3))
    done = decide(w.asleep(*probes), memory, w.SETTINGS, w.NOW)
    assert [vd.torn for vd in done.memory.vds] == [0.0, w.NOW, 0.0]


def test_in_a_shared_drive_group_each_virtual_drive_tells_it() -> None:
    memory = BOTH.with_vd(replace(GROUP, torn=w.NOW))
    of = w.world(DISKS, shared())
    told = derive(w.scene(of, memory)).virtual_drives
    assert [(vd.name, vd.torn, SAID in vd.detail) for vd in told] == [("vd0", w.NOW, True), ("vd1", w.NOW, True)]
    checked = replace(of, results=(replace(check(w.NOW + 9), vd=GROUP.name),))
    after = decide(checked, memory, w.SETTINGS, w.NOW + 20).memory.by_uuid(GROUP.uuid)
    assert after is not None
    assert after.torn == 0.0


def test_a_memory_of_the_version_before_is_read(tmp_path: Path) -> None:
    file = tmp_path / "memory.json"
    written = json.loads(remembered.encode(w.memory(w.known(torn=w.NOW))))
    assert written["vds"][0].pop("torn") == w.NOW
    file.write_text(json.dumps(written))
    assert remembered.load(file).vds == (w.known(),)


@pytest.mark.parametrize(
    ("level", "out", "initialized", "torn"),
    [(5, (2,), True, True), (5, (2,), False, False), (5, (), True, False), (6, (2,), True, True), (6, (), True, False)],
)
def test_a_drive_that_goes_during_the_resync_after_a_cut(
    level: int, out: tuple[int, ...], *, initialized: bool, torn: bool
) -> None:
    """What it held in a stripe that was being written is computed from what may not belong together."""
    members = (w.member(slot, present=slot not in out) for slot in range(4))
    md = w.array(*members, level=level, sync_action="resync", sync_total=9, parity_complete=False, degraded=len(out))
    of = w.world(tuple(w.disk(slot) for slot in range(4) if slot not in out), w.running(md))
    vd = decide(of, w.memory(w.known(level=level, initialized=initialized)), w.SETTINGS, w.NOW).memory.vds[0]
    assert bool(vd.torn) is torn
