"""The stories of test_any_story.py in a box with hot spares: none is ever lost, none is called failed that is not, and
none lies idle beside a place that it fits."""

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import consumes, initialize, rule, run_state_machine_as_test

from raid.candidates import judge
from raid.memory import Memory, Spare
from raid.model import DriveState, VdState
from raid.spare_model import SpareState
from tests.stories.test_any_story import Story
from tests.stories.toy_array import Drive
from tests.stories.toy_policy import Policy
from tests.stories.toy_spares import SpareBox
from tests.unit.raid import worlds as w

SPARE_BAYS = (4, 5, 6)


class SpareStory(Story):
    """One virtual drive in bays 0 to 3, spares in bays 4 to 6."""

    @initialize(level=st.sampled_from([5, 6, 10]), dedicated=st.booleans())
    def begin(self, level: int, dedicated: bool) -> None:
        self.box, self.policy = SpareBox(), Policy()
        vd = w.known(level=level)
        drives = [Drive(w.serial(bay)) for bay in range(4)]
        self.box.drives += drives
        for bay, drive in enumerate(drives):
            self.box.insert(drive, bay)
        self.box.make(vd, drives)
        self.memory = Memory((vd,))
        self.others = {}
        self.erred: set[str] = set()
        self.spare(4, dedicated)
        self.settle()

    @rule(bay=st.sampled_from(SPARE_BAYS), dedicated=st.booleans())
    def spare(self, bay: int, dedicated: bool) -> None:
        """A person puts a blank drive in and makes it one."""
        if self.box.in_bay(bay) is not None:
            return
        drive = Drive(f"SPARE{len(self.box.drives)}")
        self.box.drives.append(drive)
        self.box.insert(drive, bay)
        disk = next(disk for disk in self.box.world().disks if disk.serial == drive.serial)
        if not judge(replace(disk, probe=w.BLANK), self.scene()).vd:
            made = Spare(drive.serial, "RACK DRIVE", drive.size, bay, w.UUID if dedicated else "")
            self.memory = replace(self.memory, spares=(*self.memory.spares, made))

    @rule()
    def a_new_drive_for_each_empty_bay(self) -> None:
        for bay in range(4):
            if self.box.in_bay(bay) is None:
                self.box.drives.append(Drive(f"fresh{len(self.box.drives)}"))
                self.box.insert(self.box.drives[-1], bay)

    @rule(first=st.integers(0, 3), second=st.integers(0, 3))
    def a_source_goes_during_a_rebuild_and_comes_back(self, first: int, second: int) -> None:
        if first == second or self.box.in_bay(first) is None or self.box.in_bay(second) is None:
            return
        self.box.pull(first)
        for _ in range(2):
            self.cycle(2.0)
            self.box.run_jobs()
        self.cycle(2.0)
        source = self.box.pull(second)
        self.settle()
        self.box.insert(source, second)
        self.settle()

    @rule(target=Story.outside, bay=st.sampled_from(SPARE_BAYS))
    def pull_a_spare(self, bay: int) -> Drive | None:
        return self.box.pull(bay) if self.box.in_bay(bay) else None

    @rule(drive=consumes(Story.outside), bay=st.sampled_from(SPARE_BAYS))
    def put_a_spare_back(self, drive: Drive | None, bay: int) -> None:
        if drive is not None and drive.bay is None and self.box.in_bay(bay) is None:
            self.box.insert(drive, bay)

    @rule(bay=st.integers(0, 6))
    def any_error(self, bay: int) -> None:
        drive = self.box.in_bay(bay)
        if drive is not None and self.box.may_err(drive):
            self.erred.add(drive.serial)
            self.box.error(self.box.arrays[0], drive)

    def cycle(self, seconds: float) -> bool:
        before = self.memory
        acted = super().cycle(seconds)
        for spare in before.spares:
            now = self.memory.spare(spare.serial)
            if now is not None:
                assert now.dedicated == spare.dedicated
                continue
            place = [p.slot for md in self.box.arrays for p in md.parts if p.drive.serial == spare.serial]
            assert place not in ([], [None]), f"{spare} is lost"
            bay = next(drive.bay for drive in self.box.drives if drive.serial == spare.serial)
            home = None if spare.serving is None else spare.serving.home.bay
            if bay == home:
                continue  # a person put it into the bay that it stood in for
            places = [slot for vd in before.vds for slot in vd.slots if slot.bay == bay]
            homes = [one.serving.home for one in before.spares if one.serving is not None]
            places += [home for home in homes if home.bay == bay]  # the data went back onto it
            assert [place for place in places if place.serial != spare.serial], f"{spare} took only its own place"
        bad = self.erred | {drive.serial for drive in self.box.drives if drive.bay is None}
        for failed in self.memory.failed:
            pulled = {p.drive.serial for md in self.box.arrays for p in md.parts if p.faulty}
            assert failed.serial in bad | pulled, f"{failed} never had an error"
        return acted

    def error(self, bay: int) -> None:
        """The story's own; any_error counts."""

    def at_rest(self) -> None:
        super().at_rest()
        told = self.told()
        if not self.box.arrays or self.box.arrays[0].broken or self.box.arrays[0].spares_left() < 0:
            return
        md = self.box.arrays[0]
        here = [p for p in md.parts if p.slot is not None and not p.faulty and p.drive.bay is not None]
        states = [(spare.serial, spare.state) for spare in told.spares]
        if len({p.slot for p in here}) < 4:
            assert not [serial for serial, state in states if state is SpareState.READY], f"idle spares: {states}"
        else:
            assert not [serial for serial, state in states if state is SpareState.RETURNING], f"stuck: {states}"


def test_a_spare_that_is_moved_into_a_members_bay_leaves_the_bay_that_it_stood_in_for_to_that_member() -> None:
    """It stood in for bay 2 and sits in bay 1 now: a drive for bay 1's place is asked for, and taken, in bay 2.

    One story in a thousand came by here: the place was looked for in the spare's old bay.
    """
    story = SpareStory()
    story.begin(6, dedicated=False)
    story.box.pull(2)
    story.settle()
    assert story.memory.spares[0].serving is not None
    moved = story.box.pull(4)
    story.box.pull(1)
    story.settle()
    story.box.insert(moved, 1)
    story.settle()
    assert story.memory.spares == ()
    assert [drive.bay for drive in story.told().drives if drive.state is DriveState.MISSING] == [2]
    story.box.drives.append(Drive("new"))
    story.box.insert(story.box.drives[-1], 2)
    story.settle()
    assert sorted(slot.bay or 0 for slot in story.memory.vds[0].slots) == [0, 1, 2, 3]
    assert story.told().virtual_drives[0].state is VdState.OPTIMAL


def test_a_spare_that_is_put_into_the_bay_that_another_stands_in_for_gets_the_data_back() -> None:
    story = SpareStory()
    story.begin(5, dedicated=False)
    story.spare(5, dedicated=False)
    story.box.pull(2)
    story.settle()
    second = story.box.pull(5)
    story.box.insert(second, 2)
    story.settle()
    (left,) = story.memory.spares
    assert (left.bay, left.serving) == (4, None)
    assert story.memory.vds[0].slots[2].serial == second.serial


def test_a_few_stories_with_spares() -> None:
    run_state_machine_as_test(SpareStory, settings=settings(max_examples=60, stateful_step_count=30, deadline=None))


@pytest.mark.long
@pytest.mark.parametrize("tenth", range(10))
def test_many_stories_with_spares(tenth: int) -> None:
    """In parts, so that it says where it is."""
    run_state_machine_as_test(SpareStory, settings=settings(max_examples=500, stateful_step_count=50, deadline=None))
