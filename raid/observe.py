"""One look: sysfs, udev, mounts and jobs into one World. Nothing here runs a program or reads a drive that works."""

import asyncio
from contextlib import suppress
from dataclasses import replace

from core.clock import Clock
from core.jobs import Job, Jobs, boot_id
from core.paths import Paths
from core.ready_runner import ReadyRunner
from raid import check, cutting, filesystem, mdadm, patrol_result, superblock
from raid.derive_drives import shown
from raid.drives import Inventory
from raid.mdadm import HOMEHOST
from raid.model import CheckResult
from raid.mounts import Mount, parse_mountinfo, read_mountinfo
from raid.patrol_result import PatrolFile
from raid.smart_keeper import SmartKeeper
from raid.spans import GROUP, SPAN
from raid.spare_poll import SparePoll
from raid.superblock import Superblock
from raid.sysfs import Array, Member, Sysfs
from raid.world import CheckRun, Cut, Disk, Running, Slice, Volume, World

FULL = 30.0
"""Seconds after which what events should have told is read anew."""


class Observer:
    """Looks, with the caches that make a look cheap."""

    def __init__(
        self, paths: Paths, sysfs: Sysfs, jobs: Jobs, clock: Clock, *, smart: SmartKeeper, runner: ReadyRunner
    ) -> None:
        self.sysfs = sysfs
        self.smart = smart
        self.runner = runner
        self._clock = clock
        self._full = clock.monotonic()
        self._mount_text = ""
        self._mount_list: tuple[Mount, ...] = ()
        self.inventory = Inventory(sysfs, paths, clock)
        self._paths = paths
        self._jobs = jobs
        self._boot = boot_id()
        self._named: dict[tuple[str, int], Superblock] = {}
        """Who an array is, by kernel name and diskseq."""
        self._tables = cutting.Tables()
        self._stale_work = True
        self._vds: tuple[tuple[str, str], ...] = ()
        self._job_list: tuple[Job, ...] = ()
        self._checks: tuple[tuple[str, CheckRun], ...] = ()
        self._results: tuple[CheckResult, ...] = ()
        self._patrol: PatrolFile | None = None
        self._prepared: set[tuple[str, str]] = set()
        self._built_on: frozenset[str] = frozenset()
        self._spares = SparePoll(paths.dev, clock)

    def look(self, vds: tuple[tuple[str, str], ...]) -> World:
        """vds: name and UUID of each virtual drive that should exist. Raises OSError."""
        if self._clock.monotonic() - self._full > FULL:
            self.inventory.forget_all()
            self._tables.read_anew()
            self._full = self._clock.monotonic()
        if any(job.alive for job in self._job_list):  # it may be the one that writes there, or have just ended
            self._tables.read_anew()
        self._work(vds)  # before md: an array that is seen half made has its job, and one whose job has ended is whole
        mounts = self._mounts()
        arrays = self.sysfs.arrays()
        standing = {(array.device, array.diskseq) for array in arrays}
        self._named = {key: own for key, own in self._named.items() if key in standing}
        self._tables.keep(standing)
        named = [(array, self._name(array)) for array in arrays]
        ours = frozenset(array.device for array, own in named if own is not None and own.homehost == HOMEHOST)
        self._built_on = frozenset(member.device for array in arrays for member in array.members)
        members = frozenset(member.device for array in arrays for member in array.members if member.present)
        disks = self.inventory.disks(mounts, ours, members)
        named = [(self._without_gone(array, disks), own) for array, own in named]
        smart, smart_problems = self.smart.know(shown(disks))
        return World(
            boot=self._boot,
            disks=disks,
            arrays=tuple(self._running(array, own, mounts, disks) for array, own in named),
            jobs=self._job_list,
            checks=self._checks,
            results=self._results,
            spare_reads=self._spares.reads(frozenset(disk.diskseq for disk in disks)),
            patrol=self._patrol,
            mdadm=mdadm.available(),
            smart=smart,
            smart_problems=smart_problems,
            appearing=self.inventory.appearing,
            runner=self.runner.waits(),
        )

    def _without_gone(self, array: Array, disks: tuple[Disk, ...]) -> Array:
        """A drive that went after md was read is gone for md, too: else it would be in no list for one look."""
        here = {disk.name for disk in disks}
        gone = {m.device for m in array.members if m.present and m.device not in here and not self.sysfs.has(m.device)}
        members = tuple(replace(m, present=False) if m.device in gone else m for m in array.members)
        return replace(array, members=members)

    def clock_set(self, seconds: float) -> None:
        """UTC was set forward by so many seconds, or back."""
        self._spares.clock_set(seconds)

    def poll_spare(self, device: str, diskseq: int) -> None:
        """Begins to read a spare; a later look has the result. Raises OSError."""
        self._spares.start(device, diskseq, self.sysfs.disk(device).size)

    async def reads(self, device: str, diskseq: int, patience: float) -> str:
        """Reads a drive as a spare is read: why it is none to rely on, within so many seconds; empty for a good one.
        Raises OSError when it is gone."""
        self.poll_spare(device, diskseq)
        end = self._clock.monotonic() + patience
        while (read := self._spares.last(diskseq)) is not None and read.pending:
            if self._clock.monotonic() > end:
                return "It does not answer."
            await asyncio.sleep(0.05)
        return "" if read is None else read.error

    def _mounts(self) -> tuple[Mount, ...]:
        """Parsed anew only when the text has changed."""
        text = read_mountinfo(self._paths)
        if text != self._mount_text:
            self._mount_text, self._mount_list = text, parse_mountinfo(text)
        return self._mount_list

    def again(self, name: str, ours: frozenset[str]) -> Disk | None:
        """One drive read anew, past the caches: the last look before something is done to it. Raises OSError."""
        self.inventory.forget(name)
        arrays = self.sysfs.arrays()
        members = frozenset(member.device for array in arrays for member in array.members if member.present)
        disks = self.inventory.disks(self._mounts(), ours, members)
        return next((disk for disk in disks if disk.name == name), None)

    def _name(self, array: Array) -> Superblock | None:
        """UUID and name from any member's superblock, kept while the array stands: they never change."""
        key = (array.device, array.diskseq)
        if key not in self._named:
            found = self._superblock(array.members)
            if found is None:
                return None
            self._named[key] = found
        return self._named[key]

    def _work(self, vds: tuple[tuple[str, str], ...]) -> None:
        """Jobs and checks; read again only while one runs, has just been started, or a virtual drive is new."""
        if not self._stale_work and vds == self._vds and not any(job.alive for job in self._job_list):
            return
        self._stale_work, self._vds = False, vds
        jobs = self._job_list = self._jobs.list()
        found = [(vd, check.read(self._paths, vd, uuid, check.running(jobs, vd))) for vd, uuid in vds]
        self._checks = tuple((vd, last.run) for vd, last in found if last.run is not None)
        self._patrol = patrol_result.load(check.patrol_file(self._paths))
        self._results = tuple(last.result for _, last in found if last.result is not None)

    def job_started(self) -> None:
        """Jobs are to be read again."""
        self._stale_work = True
        self._tables.read_anew()

    def _superblock(self, members: tuple[Member, ...]) -> Superblock | None:
        for member in sorted(members, key=lambda member: not member.in_sync):
            if member.present and not member.faulty:
                with suppress(OSError):
                    found = superblock.read(self._paths.dev / member.device)
                    if found is not None:
                        return found
        return None

    def _running(
        self, array: Array, own: Superblock | None, mounts: tuple[Mount, ...], disks: tuple[Disk, ...]
    ) -> Running:
        if own is None:
            return Running(array, None, array.device, "", None)
        events = None
        if any(d.probe and d.probe.superblock and d.probe.superblock.array_uuid == own.array_uuid for d in disks):
            fresh = self._superblock(array.members)  # a former member waits: is it behind the array?
            events = None if fresh is None else fresh.events
        running = Running(array, own.array_uuid, own.label, own.homehost, events)
        if own.homehost != HOMEHOST:
            return running
        if SPAN.fullmatch(own.label):
            return replace(running, carries=self._carries(array))
        if GROUP.fullmatch(own.label):
            return replace(running, cut=self._cut(array, own, mounts))
        number, started = array.devnum, array.started
        return replace(running, volume=self._volume(array.device, number, started, own.array_uuid, mounts))

    def _carries(self, span: Array) -> str:
        """Whose superblock lies on a span; not asked while that array runs."""
        if not span.started or span.device in self._built_on:
            return ""
        try:
            found = superblock.read(self._paths.dev / span.device)
        except OSError:
            return ""
        return "" if found is None else found.array_uuid

    def _cut(self, group: Array, own: Superblock, mounts: tuple[Mount, ...]) -> Cut | None:
        """How a drive group's array is divided; the table is read when the array is new, after jobs, and now and then.
        """
        key, device = (group.device, group.diskseq), self._paths.dev / group.device
        try:
            table = self._tables.of(key, device, started=group.started)
        except KeyError:
            return None
        if table is None or table.owner != own.array_uuid:
            return Cut()
        here = {(place.start, place.size): place for place in cutting.places(group.device, self._paths.sys)}
        slices, others = [], []
        for entry in table.entries:
            place = here.get((entry.start, entry.size))
            if not entry.ours:
                others.append((entry.start, entry.size))
            elif place is None:
                slices.append(Slice(entry.uuid, entry.name, entry.start, entry.size))
            else:
                volume = self._volume(place.device, place.devnum, group.started, entry.uuid, mounts)
                slices.append(
                    Slice(entry.uuid, entry.name, entry.start, entry.size, place.device, place.devnum, volume)
                )
        return Cut(ours=True, slices=tuple(slices), others=tuple(others))

    def _volume(self, device: str, devnum: str, started: bool, uuid: str, mounts: tuple[Mount, ...]) -> Volume:
        under = str(self._paths.volumes) + "/"
        places = (m.mountpoint for m in mounts if m.devnum == devnum)
        place = next((place for place in places if place.startswith(under)), None)
        if place is not None:
            return Volume(mountpoint=place, prepared=self._is_prepared(uuid, place))
        self._prepared = {known for known in self._prepared if known[0] != uuid}
        if not started:
            return Volume()
        try:
            found, blank = filesystem.read_xfs(self._paths.dev / device)
        except OSError:
            return Volume()
        return Volume(read=True, blank=blank, filesystem=found)

    def _is_prepared(self, uuid: str, place: str) -> bool:
        """Asked of the file system until it is so once: a volume under load, or dying, answers late."""
        if (uuid, place) not in self._prepared:
            try:
                if not filesystem.prepared(place):
                    return False
            except OSError:
                return True  # it does not answer: nothing is written there now
            self._prepared.add((uuid, place))
        return True
