"""Without a memory the arrays of ours come up from their superblocks alone."""

from dataclasses import replace

from raid.actions import StartJob
from raid.decide import decide
from raid.memory import Fleeting, Memory
from raid.world import Volume
from tests.unit.raid import worlds as w
from tests.unit.raid.test_decide import jobs


def test_without_a_memory_arrays_of_ours_are_taken_over() -> None:
    of = w.asleep(*(w.probe(slot) for slot in range(4)))
    decision = decide(of, Memory(adopting=True), w.SETTINGS, w.NOW)
    (vd,) = decision.memory.vds
    assert (vd.name, vd.uuid, [slot.serial for slot in vd.slots]) == ("vd0", w.UUID, [w.serial(b) for b in range(4)])
    assert isinstance(decision.actions[0], StartJob)


def test_what_is_taken_over_was_half_assembled_by_somebody_else() -> None:
    """A system that was installed anew: mdadm in its initramfs, as Debian has it, began before ours masked that."""
    of = w.world(tuple(w.disk(b) for b in range(4)), w.running(w.half_assembled(0, 1, 2, 3), volume=Volume()))
    old = Memory(adopting=True, fleeting=Fleeting(w.NOW - 61))
    assert jobs(of, old) == [("mdadm", "--stop", "/dev/md127")]
    assert decide(of, old, w.SETTINGS, w.NOW).memory.adopting, "until its members were read"
    assert jobs(replace(of, arrays=(replace(of.arrays[0], homehost="other"),)), old) == []
    assert jobs(of, replace(old, adopting=False)) == []


def test_taking_over_ends() -> None:
    decision = decide(w.asleep(), Memory(adopting=True, fleeting=Fleeting(w.NOW - 61)), w.SETTINGS, w.NOW)
    assert not decision.memory.adopting
