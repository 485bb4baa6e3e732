"""A box in memory: drives that come and go, and md as facts/raid.md and drivers/md/md.c say that it behaves.

It is no stand-in for the kernel (tests/rig has that): it is the model by which a machine of hypothesis knows, after any
number of pulls, inserts, errors and power cuts, what lies on which drive. A stripe's contents are one number, the count
of writes to it; a member holds for each stripe the number that it last got.
"""

from dataclasses import dataclass, field, replace

from core.jobs import Job, JobState
from raid.actions import (
    Action,
    AskSmart,
    FailMember,
    Mount,
    Prepare,
    Probe,
    RemoveMember,
    SetActive,
    SetSpeed,
    StartJob,
    Unmount,
)
from raid.memory import KnownVd
from raid.superblock import ROLE_FAULTY, ROLE_SPARE
from raid.sysfs import Member
from raid.world import Disk, Filesystem, Running, Volume, World
from raid.world import Probe as Found
from tests.stories.toy_array import LAYOUTS, STRIPES, Drive, Md, Part
from tests.unit.raid import worlds as w


class Refused(Exception):
    """mdadm or the kernel said no."""


@dataclass
class Box:
    """The appliance's kernel and drives. known: what raidd's inventory has read, by diskseq."""

    now: float = w.NOW
    boot: int = 1
    drives: list[Drive] = field(default_factory=list)
    arrays: list[Md] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    known: dict[int, Found] = field(default_factory=dict)
    told: dict[str, list[int]] = field(default_factory=dict)
    """How often each stripe of an array was written: what its data must be when it runs again."""
    bitmaps: dict[str, set[int]] = field(default_factory=dict)
    """The write-intent bitmap of each array, which lies on its members."""
    trusted: dict[str, set[str]] = field(default_factory=dict)
    """Serials of the members that were in sync when an array's superblocks were last written."""
    ended: dict[str, int] = field(default_factory=dict)
    """The last event counter of each array, on whichever drives it may be."""
    looked: dict[str, int] = field(default_factory=dict)
    """The event counter of each array when raidd last looked at it running."""
    count: int = 10

    # -- hands

    def insert(self, drive: Drive, bay: int) -> None:
        self.count += 1
        drive.bay, drive.diskseq, drive.name = bay, self.count, f"sd{self.count}"

    def pull(self, bay: int) -> Drive:
        drive = self.in_bay(bay)
        assert drive is not None
        drive.bay = None
        self.known.pop(drive.diskseq, None)
        return drive

    def in_bay(self, bay: int) -> Drive | None:
        return next((drive for drive in self.drives if drive.bay == bay), None)

    def write(self, md: Md, stripe: int) -> None:
        """A write that is acknowledged, or that breaks the array."""
        for part in md.parts:
            if not self._there(part) and not part.faulty:
                self._fault(md, part)
        if md.broken:
            return
        md.truth[stripe] += 1
        if not md.whole:
            md.dirty.add(stripe)
        for part in md.parts:
            if part.slot is not None and not part.faulty and (part.in_sync or stripe not in md.todo):
                part.drive.content[stripe] = md.truth[stripe]
        self.told[md.uuid] = list(md.truth)

    def may_err(self, drive: Drive) -> bool:
        """A write to it may fail, and its array goes on."""
        parts = [(md, part) for md in self.arrays for part in md.parts if part.drive is drive]
        return self.part_of(drive) and all(md.bears_to_lose(part) for md, part in parts)

    def error(self, md: Md, drive: Drive) -> None:
        """A write to a member that is there failed."""
        part = next(part for part in md.parts if part.drive is drive)
        if not part.faulty:
            self._fault(md, part)

    def cut_power(self) -> None:
        self.boot += 1
        self.now += 30
        self.arrays, self.known = [], {}
        self.jobs = [
            replace(job, state=JobState.INTERRUPTED, ended=self.now) if job.alive else job for job in self.jobs
        ]
        for drive in self.drives:
            if drive.bay is not None:
                self.insert(drive, drive.bay)

    # -- time

    def sync(self) -> None:
        """One stripe of each rebuild."""
        for md in self.arrays:
            part = next((p for p in md.parts if not p.in_sync and not p.faulty and p.slot is not None), None)
            if md.broken or md.resync:
                md.resync = False
            elif part is not None and self._there(part):
                if md.todo:
                    stripe = md.todo.pop()
                    part.drive.content[stripe] = md.truth[stripe]
                if not md.todo:
                    part.in_sync = True
                    if md.whole:
                        md.dirty.clear()
                    self._note(md)
                    self._next_spare(md)

    def run_jobs(self) -> None:
        """All that wait, to their end."""
        for number, job in enumerate(self.jobs):
            if not job.alive:
                continue
            try:
                for step in job.steps:
                    self._step(step)
            except Refused as error:
                self.jobs[number] = replace(job, state=JobState.FAILED, ended=self.now, error=str(error))
            else:
                self.jobs[number] = replace(job, state=JobState.DONE, ended=self.now)

    # -- raidd's eyes

    def world(self) -> World:
        here = [drive for drive in self.drives if drive.bay is not None]
        return World(
            f"boot-{self.boot}",
            tuple(
                Disk(d.name, d.diskseq, d.bay, d.serial, "RACK DRIVE", d.size, probe=self._probe(d)) for d in here
            ),
            tuple(self._running(md) for md in self.arrays),
            tuple(self.jobs),
        )

    def _probe(self, drive: Drive) -> Found | None:
        """md writes to a member without an event, so that what was read of it is dropped (raid/drives.py)."""
        if self.part_of(drive):
            self.known.pop(drive.diskseq, None)
        return self.known.get(drive.diskseq)

    def _running(self, md: Md) -> Running:
        members = tuple(
            Member(
                p.name, p.slot, frozenset({"faulty"} if p.faulty else {"in_sync"} if p.in_sync else {"spare"}),
                self._there(p), w.OFFSET,
            )
            for p in md.parts
        )
        busy = any(not p.in_sync and not p.faulty and p.slot is not None for p in md.parts) and not md.broken
        array = w.array(
            *members, level=md.level, layout=LAYOUTS[md.level], raid_disks=md.disks,
            state="broken" if md.broken else "clean",
            sync_action="recover" if busy else "resync" if md.resync else "idle", parity_complete=not md.resync,
            sync_total=w.COMPONENT if busy else 0,
        )
        volume = w.MOUNTED if md.mounted else Volume(
            read=not md.broken, filesystem=Filesystem(w.FS, complete=True, unit=w.STRIP, width=3 * w.STRIP),
        )
        return Running(array, md.uuid, "vd0", "rackeye", md.events, volume)

    # -- raidd's hands

    def act(self, action: Action) -> None:  # noqa: PLR0912 -- one branch an action
        """Raises Refused."""
        match action:
            case Probe():
                drive = next((d for d in self.drives if d.diskseq == action.diskseq and d.bay is not None), None)
                if drive is not None:
                    self.known[drive.diskseq] = read(drive)
            case FailMember():
                self._fault(self.arrays[0], self._part(self.arrays[0], action.device))
            case RemoveMember():
                part = self._part(self.arrays[0], action.device)
                if not part.faulty:
                    raise Refused("busy")
                self.arrays[0].parts.remove(part)
                self._note(self.arrays[0])
                self._next_spare(self.arrays[0])
            case StartJob():
                for expected in action.drives:
                    drive = self._device(f"/dev/{expected.device}")
                    if (drive.diskseq, drive.serial) != (expected.diskseq, expected.serial) or self.part_of(drive):
                        raise Refused("changed")
                    if read(drive).signatures != expected.signatures:
                        raise Refused("changed")
                boot, running = f"boot-{self.boot}", JobState.RUNNING
                self.jobs.append(Job(action.id, action.kind, action.vd, action.steps, running, boot, self.now))
            case Mount():
                self.arrays[0].mounted = True
            case Unmount():
                self.arrays[0].mounted = False
            case SetActive() | SetSpeed() | Prepare() | AskSmart():
                pass
            case _:
                raise AssertionError(f"the toy cannot {action}")

    def _step(self, argv: tuple[str, ...]) -> None:
        match argv:
            case ("mdadm", "--assemble", _, "--run", *rest):
                drives = [self._device(word) for word in rest if word.startswith("/dev/sd")]
                self._assemble(drives, force="--force" in rest)
            case (_, "-m", "raid.teardown", "stop", _, _):
                if self.arrays[0].mounted:
                    raise Refused("busy")
                self.arrays.clear()
            case ("mdadm", "--zero-superblock", device):
                drive = self._device(device)
                if self.part_of(drive):
                    raise Refused("busy")
                drive.superblock, drive.content = None, []
            case ("mdadm", _, "--add", device):
                self._add(self._device(device))
            case ("mdadm", _, "--re-add", device):
                self._re_add(self._device(device))
            case (_, "-m", "raid.mend", _):
                if not self.arrays:
                    raise Refused("nothing to mend")
            case _:
                raise AssertionError(f"the toy cannot {argv}")

    # -- md

    def make(self, vd: KnownVd, drives: list[Drive]) -> None:
        """A virtual drive as it is when its initialization has ended."""
        for drive in drives:
            drive.content = [1] * STRIPES
        parts = [Part(d, d.name, d.diskseq, number, number) for number, d in enumerate(drives)]
        md = Md(vd.uuid, vd.level, len(drives), parts, [1] * STRIPES, 10, mounted=True)
        self.bitmaps[md.uuid] = md.dirty
        self.arrays.append(md)
        self.told[md.uuid] = list(md.truth)
        self._note(md)

    def part_of(self, drive: Drive) -> bool:
        return any(p.drive is drive and p.diskseq == drive.diskseq for md in self.arrays for p in md.parts)

    def _there(self, part: Part) -> bool:
        return part.drive.bay is not None and part.drive.diskseq == part.diskseq

    def _part(self, md: Md, name: str) -> Part:
        part = next((part for part in md.parts if part.name == name), None)
        if part is None:
            raise Refused("no such member")
        return part

    def _device(self, device: str) -> Drive:
        found = next((d for d in self.drives if f"/dev/{d.name}" == device and d.bay is not None), None)
        if found is None:
            raise Refused(f"{device}: no such device")
        return found

    def _fault(self, md: Md, part: Part) -> None:
        if md.level == 10 and part.in_sync and not md.bears_to_lose(part):
            md.broken = True  # and it stays in its slot (raid10_error in drivers/md/raid10.c)
            return
        rebuilding = not part.in_sync
        part.faulty, part.in_sync = True, False
        part.slot = None if rebuilding else part.slot
        if rebuilding:
            md.todo = []
            self._next_spare(md)
        md.broken = md.broken or md.spares_left() < 0
        self._note(md)

    def _note(self, md: Md) -> None:
        """Writes the superblocks of the members; one that cannot be written is put out."""
        for part in md.parts:
            if part.faulty or self._there(part):
                continue
            if md.level == 10 and part.in_sync and not md.bears_to_lose(part):
                md.broken = True  # as in _fault
            else:
                part.faulty, part.in_sync = True, False
        md.broken = md.broken or md.spares_left() < 0
        md.events += 1
        self.ended[md.uuid] = md.events
        size = max([md.disks, *(part.number + 1 for part in md.parts)])
        roles = [ROLE_FAULTY] * size
        for part in md.parts:
            if not part.faulty:
                roles[part.number] = ROLE_SPARE if part.slot is None else part.slot
        self.trusted[md.uuid] = {p.drive.serial for p in md.parts if p.in_sync and not p.faulty}
        for part in md.parts:
            if not part.faulty and self._there(part):
                part.drive.superblock = w.superblock(
                    part.slot, md.events, array_uuid=md.uuid,
                    level=md.level, layout=LAYOUTS[md.level], raid_disks=md.disks,
                    device_number=part.number, roles=tuple(roles), recovering=not part.in_sync,
                    clean=True, device_uuid=part.drive.serial,
                )

    def _next_spare(self, md: Md) -> None:
        """A spare takes the first empty slot when no rebuild runs."""
        if md.broken or any(not p.in_sync and not p.faulty and p.slot is not None for p in md.parts):
            return
        filled = {part.slot for part in md.parts if not part.faulty}
        empty = [slot for slot in range(md.disks) if slot not in filled]
        spare = next((p for p in md.parts if p.slot is None and not p.faulty and self._there(p)), None)
        if spare is not None and empty:
            spare.slot, md.todo = empty[0], list(range(STRIPES))
            self._note(md)

    def _add(self, drive: Drive) -> None:
        if not self.arrays or self.arrays[0].broken or self.part_of(drive):
            raise Refused("cannot add")
        md = self.arrays[0]
        used = {part.number for part in md.parts}
        number = next(n for n in range(md.disks, 99) if n not in used)
        drive.content, drive.signatures = [-1] * STRIPES, ()
        md.parts.append(Part(drive, drive.name, drive.diskseq, number, None, in_sync=False))
        self._note(md)
        self._next_spare(md)

    def _re_add(self, drive: Drive) -> None:
        """What the bitmap names is copied, and nothing else."""
        own, md = drive.superblock, self.arrays[0] if self.arrays else None
        if md is None or md.broken or own is None or own.role is None or self.part_of(drive):
            raise Refused("cannot re-add")
        if any(part.slot == own.role and not part.faulty for part in md.parts) or own.recovering:
            raise Refused("cannot re-add")
        part = Part(drive, drive.name, drive.diskseq, own.device_number, own.role, in_sync=False)
        if any(other.number == part.number for other in md.parts):
            raise Refused("cannot re-add")
        md.parts.append(part)
        md.todo = sorted(md.dirty)
        self._note(md)

    def _assemble(self, drives: list[Drive], *, force: bool) -> None:
        """As mdadm --assemble of exactly these: those that missed events stay out, but with force."""
        if self.arrays:
            raise Refused("runs already")
        supers = [(drive, drive.superblock) for drive in drives if drive.superblock is not None]
        best = max(own.events for _, own in supers)
        freshest = next(own for _, own in supers if own.events == best)
        parts = []
        for drive, own in supers:
            if own.role is not None and (force or own.events + 1 >= best):
                parts.append(
                    Part(drive, drive.name, drive.diskseq, own.device_number, own.role, in_sync=not own.recovering)
                )
        truth = self.told[freshest.array_uuid]
        md = Md(freshest.array_uuid, freshest.level, freshest.raid_disks, parts, list(truth), best)
        if md.spares_left() < 0:
            raise Refused("not enough to start")
        md.dirty = self.bitmaps[md.uuid]
        unknowable = best < self.ended[md.uuid] and self.looked[md.uuid] < self.ended[md.uuid]
        if force or unknowable:  # raidd never saw what the drives that are elsewhere know
            self._accept(md)
        md.todo = list(range(STRIPES))
        self.arrays.append(md)
        self._note(md)


    def _accept(self, md: Md) -> None:
        """A forced start makes true what its members hold."""
        for stripe in range(STRIPES):
            if any(part.drive.content[stripe] != md.truth[stripe] for part in md.parts if part.in_sync):
                md.truth[stripe] += 1
                for part in md.parts:
                    part.drive.content[stripe] = md.truth[stripe]
        self.told[md.uuid] = list(md.truth)


def read(drive: Drive) -> Found:
    """What a probe finds."""
    if drive.superblock is not None:
        return Found(("linux_raid_member",), drive.superblock)
    return Found(drive.signatures)
