"""Any story of pulls, inserts, errors, writes, deaths of raidd and power cuts, told to the real decisions.

After each of them: no drive with data of others was touched, no member that md trusts is behind, no alarm is lost; and
when all has come to rest the virtual drive is what its drives allow, and is said to be no better than it is.
"""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from raid.actions import DropRecovery, StartJob
from raid.assemble import fingerprint, recovery
from raid.decide import decide
from raid.derive import derive
from raid.memory import Fleeting, Memory, Wish
from raid.model import DriveState, RaidSnapshot, VdState
from raid.scene import Scene
from tests.stories.toy_array import STRIPES, Drive, Md, bears
from tests.stories.toy_md import Box, Refused
from tests.stories.toy_policy import VD, Policy, good_slots
from tests.unit.raid import worlds as w

BAYS = 5
ENOUGH = 60  # looks after which everything has come to rest, or never does


class Story(RuleBasedStateMachine):
    """One virtual drive in bays 0 to 3 of a box of five."""

    outside = Bundle("outside")

    @initialize(level=st.sampled_from([5, 6, 10]))
    def begin(self, level: int) -> None:
        self.box, self.policy = Box(), Policy()
        vd = w.known(level=level)
        drives = [Drive(w.serial(bay)) for bay in range(4)]
        self.box.drives += drives
        for bay, drive in enumerate(drives):
            self.box.insert(drive, bay)
        self.box.make(vd, drives)
        self.memory = Memory((vd,))
        self.others: dict[str, tuple[object, ...]] = {}
        self.settle()

    # -- what befalls it

    @rule(target=outside, bay=st.integers(0, BAYS - 1))
    def pull(self, bay: int) -> Drive | None:
        return self.box.pull(bay) if self.box.in_bay(bay) else None

    @rule(target=outside, kind=st.sampled_from(["blank", "blank", "foreign", "small"]))
    def buy(self, kind: str) -> Drive:
        return self.new(kind)

    @rule(target=outside, bay=st.integers(0, 3), kind=st.sampled_from(["blank", "blank", "foreign", "small"]))
    def swap(self, bay: int, kind: str) -> Drive | None:
        old = self.box.pull(bay) if self.box.in_bay(bay) else None
        self.box.insert(self.new(kind), bay)
        return old

    def new(self, kind: str) -> Drive:
        drive = Drive(f"{kind}{len(self.box.drives)}", w.SIZE // 2 if kind == "small" else w.SIZE)
        if kind == "foreign":
            drive.signatures = ("ext4",)
            self.others[drive.serial] = drive.written
        self.box.drives.append(drive)
        return drive

    @rule(drive=consumes(outside), bay=st.integers(0, BAYS - 1))
    def insert(self, drive: Drive | None, bay: int) -> None:
        if drive is not None and drive.bay is None and self.box.in_bay(bay) is None:
            self.box.insert(drive, bay)

    @rule(drive=consumes(outside))
    def put_back(self, drive: Drive | None) -> None:
        """Into the bay that it came from."""
        slots = {slot.serial: slot.bay for vd in self.memory.vds for slot in vd.slots}
        bay = slots.get(drive.serial) if drive else None
        if drive is not None and drive.bay is None and bay is not None and self.box.in_bay(bay) is None:
            self.box.insert(drive, bay)

    @rule(drive=consumes(outside), kind=st.sampled_from(["blank", "foreign"]))
    def put_back_as_another(self, drive: Drive | None, kind: str) -> None:
        """It was wiped, or formatted, elsewhere."""
        if drive is None or drive.bay is not None or drive.serial in self.others:
            return
        other = Drive(drive.serial, drive.size, ("ext4",) if kind == "foreign" else ())
        self.box.drives[self.box.drives.index(drive)] = other  # md still has the one that was pulled
        if kind == "foreign":
            self.others[other.serial] = other.written
        self.put_back(other)

    @rule(stripe=st.integers(0, STRIPES - 1))
    def write(self, stripe: int) -> None:
        for md in self.box.arrays:
            if md.mounted:
                self.box.write(md, stripe)

    @rule(bay=st.integers(0, 3))
    def error(self, bay: int) -> None:
        drive = self.box.in_bay(bay)
        if drive is not None and self.box.may_err(drive):
            self.box.error(self.box.arrays[0], drive)

    @rule()
    def raidd_dies(self) -> None:
        self.memory = replace(self.memory, fleeting=Fleeting())

    @rule()
    def power_goes(self) -> None:
        self.box.cut_power()
        self.raidd_dies()

    @rule()
    def rebuild_goes_on(self) -> None:
        self.box.sync()

    @rule()
    def jobs_end(self) -> None:
        self.box.run_jobs()

    @precondition(lambda self: not self.box.arrays)
    @rule()
    def a_person_recovers(self) -> None:
        (vd,) = self.memory.vds
        plan, last = recovery(vd, self.scene()), self.box.world().last_job("vd0", "recover")
        if plan is not None and (last is None or not last.alive):
            wish = Wish("vd0", fingerprint(vd, plan), "" if last is None else last.id)
            self.memory = replace(self.memory, fleeting=replace(self.memory.fleeting, recover=(wish,)))
            self.confirmed = {(member.disk.serial, member.superblock.events) for member in plan.chosen}

    @rule(seconds=st.sampled_from([0.1, 2.0, 15.0]))
    def look(self, seconds: float) -> None:
        self.cycle(seconds)

    def cycle(self, seconds: float) -> bool:
        """raidd looks once, and does what it decided. True when it had something to do."""
        self.box.now += seconds
        decision = decide(self.box.world(), self.memory, w.SETTINGS, self.box.now)
        self.memory = decision.memory
        self.box.looked |= {md.uuid: md.events for md in self.box.arrays}
        for action in decision.actions:
            self.never_without_a_word(action)
            if isinstance(action, DropRecovery):  # a word only
                continue
            with suppress(Refused):
                self.box.act(action)
        ended = self.policy.hear(self.told(), self.box.now)
        self.policy.says_what_is(next(iter(self.box.arrays), None), ended)
        return bool(decision.actions)

    @rule()
    def settle(self) -> None:
        """Until nothing happens any more; then all is as well as it can be, and told as it is."""
        quiet = 0
        for _ in range(ENOUGH):
            acted = self.cycle(5.0)
            busy = any(job.alive for job in self.box.jobs)
            self.box.run_jobs()
            syncing = any(not p.in_sync and not p.faulty for md in self.box.arrays for p in md.parts)
            self.box.sync()
            quiet = 0 if acted or busy or syncing else quiet + 1
            if quiet == 3:
                break
        self.at_rest()

    # -- what holds

    def scene(self) -> Scene:
        return Scene(self.box.world(), self.memory, w.SETTINGS, self.box.now)

    def told(self) -> RaidSnapshot:
        return derive(self.scene())

    def never_without_a_word(self, action: object) -> None:
        if isinstance(action, StartJob) and action.kind in {"add", "rebuild", "re-add", "create"}:
            words = {word for step in action.steps for word in step}
            touched = [drive for drive in self.box.drives if drive.bay is not None and f"/dev/{drive.name}" in words]
            assert not [drive.serial for drive in touched if drive.serial in self.others]
        if isinstance(action, StartJob) and action.kind == "recover":
            taken = [drive for drive in self.box.drives if drive.serial in {one.serial for one in action.drives}]
            assert {(one.serial, one.superblock.events) for one in taken if one.superblock} == self.confirmed

    @invariant()
    def nothing_of_others_is_touched(self) -> None:
        for drive in self.box.drives if hasattr(self, "box") else ():
            if drive.serial in self.others:
                assert drive.written == self.others[drive.serial]

    @invariant()
    def no_member_that_is_trusted_is_behind(self) -> None:
        for md in self.box.arrays if hasattr(self, "box") else ():
            for part in md.parts:
                if part.in_sync and not part.faulty and part.drive.bay is not None and not md.broken:
                    assert part.drive.content == md.truth, f"{part.drive.serial}: {part.drive.content} {md.truth}"

    @invariant()
    def no_fault_is_told_as_good(self) -> None:
        if not hasattr(self, "box"):
            return
        told = self.told()
        (vd,) = told.virtual_drives
        for drive in told.drives:
            if drive.state is DriveState.ONLINE:
                part = next(p for md in self.box.arrays for p in md.parts if p.drive.serial == drive.serial)
                assert part.in_sync
                assert not part.faulty
        if vd.state is VdState.OPTIMAL:
            assert [drive.state for drive in told.drives if drive.vd].count(DriveState.ONLINE) == 4

    def at_rest(self) -> None:
        told = self.told()
        (vd,) = told.virtual_drives
        self.alarms_at_rest()
        (known,) = self.memory.vds
        here = {drive.superblock.role for drive in self.current() if drive.superblock is not None} - {None}
        if bears(known.level, {role for role in here if role is not None}) >= 0:
            assert self.box.arrays, f"enough members are here and it does not run: {vd}"
            assert self.box.arrays[0].mounted
        if not self.box.arrays:
            assert vd.state in (VdState.FAILED, VdState.UNKNOWN, VdState.OFFLINE)
            return
        md = self.box.arrays[0]
        good = good_slots(md)
        more = bears(known.level, good)
        if len(good) == 4:
            expected = VdState.OPTIMAL
        elif more < 0:
            expected = VdState.FAILED
        else:
            expected = VdState.PARTIALLY_DEGRADED if more else VdState.DEGRADED
        assert vd.state is expected, f"{vd} with {good} good"
        assert vd.tolerance == max(0, more)
        if len(good) < 4:
            self.nothing_fitting_is_left_unused(md)

    def alarms_at_rest(self) -> None:
        """Every place that is out has its alarm, and a whole array has none."""
        md = next(iter(self.box.arrays), None)
        good = good_slots(md)
        about = {same for same in self.policy.open if same.startswith(("vd-", "drive-failed"))}
        if len(good) == 4 and md is not None and not md.broken:
            out = (DriveState.MISSING, DriveState.FAILED, DriveState.STALE)  # a spare may stand in
            left = {f"drive-failed/vd0/{drive.slot}" for drive in self.told().drives if drive.state in out}
            assert about <= left, f"all is well, and told is {about}"
        elif md is not None and not md.broken:
            gone = {f"drive-failed/vd0/{slot}" for slot in set(range(4)) - good}
            assert gone <= about, f"{gone - about} is not told"

    def nothing_fitting_is_left_unused(self, md: Md) -> None:
        (known,) = self.memory.vds
        assert md.broken or all(part.in_sync or part.faulty for part in md.parts), f"one waits for ever: {md.parts}"
        filled = {part.slot for part in md.parts if not part.faulty and part.drive.bay is not None}
        for slot in set(range(4)) - filled if md.spares_left() >= 0 and not md.broken else ():
            drive = self.box.in_bay(known.slots[slot].bay or 0)
            if drive is not None and not self.box.part_of(drive):
                blank = not drive.signatures and drive.superblock is None
                assert not (blank and drive.size == w.SIZE), f"{drive.serial} waits beside the empty slot {slot}"

    def current(self) -> list[Drive]:
        """Members that md trusted at the end, and that are here and hold everything that was written."""
        truth, trusted = self.box.told[w.UUID], self.box.trusted[w.UUID]
        return [
            drive for drive in self.box.drives
            if drive.bay is not None and drive.serial in trusted and drive.content == truth
        ]


def test_a_member_in_the_bay_of_another_leaves_the_other_one_missing() -> None:
    """It was told as missing itself, though it worked, and the drive that was gone was told nowhere."""
    story = Story()
    story.begin(6)
    first = story.box.pull(1)
    story.box.pull(0)
    story.box.insert(first, 0)
    story.settle()
    assert [(d.serial, d.bay) for d in story.told().drives if d.state is DriveState.MISSING] == [(w.serial(0), 1)]


@pytest.mark.parametrize("kind", ["blank", "foreign"])
def test_a_member_that_comes_back_as_another_drive_is_still_missing(kind: str) -> None:
    """It was wiped elsewhere: the same serial is no member of ours any more."""
    story = Story()
    story.begin(5)
    story.put_back_as_another(story.box.pull(2), kind)
    story.cycle(1.0)
    story.cycle(1.0)
    assert "drive-failed/vd0/2" in story.policy.open
    states = {drive.state for drive in story.told().drives if drive.bay == 2}
    assert states == {DriveState.MISSING, DriveState.FOREIGN if kind == "foreign" else DriveState.BLANK}
    story.settle()
    assert ("drive-failed/vd0/2" in story.policy.open) is (kind == "foreign")


def test_an_alarm_goes_on_while_an_array_is_stopped_and_started() -> None:
    story = Story()
    story.begin(5)
    first = story.box.pull(0)
    story.put_back(first)
    story.box.pull(1)
    story.cycle(5.0)
    assert "vd-failed/vd0" in story.policy.open
    story.settle()
    assert {"vd-degraded/vd0", "drive-failed/vd0/1"} == story.policy.open & {*VD, "drive-failed/vd0/1"}


def test_a_few_stories() -> None:
    run_state_machine_as_test(Story, settings=settings(max_examples=40, stateful_step_count=30, deadline=None))


@pytest.mark.long
@pytest.mark.parametrize("tenth", range(10))
def test_many_stories(tenth: int) -> None:
    """In parts, so that it says where it is."""
    run_state_machine_as_test(Story, settings=settings(max_examples=500, stateful_step_count=50, deadline=None))
