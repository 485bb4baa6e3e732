"""policyd beside the box of a story: it hears raidd's word after each look, and no alarm may be lost."""

from nvr.policy.decide import Memory, decide
from nvr.policy.world import Word, World
from raid.model import RaidSnapshot
from tests.stories.toy_array import Md

VD = ("vd-degraded/vd0", "vd-failed/vd0", "vd-offline/vd0")


class Policy:
    """The alarms, by the product's own decision. Its memory is on the disk: it outlives policyd and the power."""

    def __init__(self) -> None:
        self.memory = Memory()

    @property
    def open(self) -> set[str]:
        return {alarm.same for alarm in self.memory.open}

    def hear(self, told: RaidSnapshot, now: float) -> set[str]:
        """Returns which alarms ended by it."""
        before = self.open
        world = World(
            Word("raidd", told, 0.0), Word("paneld", None, now), Word("fand", None, now), Word("recorder", None, now),
            Word("boxd", None, now),
        )
        self.memory = decide(world, self.memory, now).memory
        return before - self.open

    def says_what_is(self, md: Md | None, ended: set[str]) -> None:
        """The truth is md's: what is out is an alarm, and none ends before its place is whole again."""
        waiting = {same for same, _ in self.memory.pending}
        good = good_slots(md)
        if len(good) < 4 or md is None or md.broken:
            assert (self.open | waiting) & set(VD), f"no word of the virtual drive: {self.open}"
            assert not ended & set(VD) or self.open & set(VD), f"{ended} ended, and slots {good} are all that is good"
        if md is not None and not md.broken:
            early = {f"drive-failed/vd0/{slot}" for slot in set(range(4)) - good} & ended
            assert not early, f"{early} ended too early"


def good_slots(md: Md | None) -> set[int]:
    """Those whose member is there and has all that was written."""
    parts = [] if md is None else md.parts
    return {p.slot for p in parts if p.slot is not None and p.in_sync and not p.faulty and p.drive.bay is not None}
