"""What raidd sees at one look: the input of `decide` and `derive`. Frozen, nothing in it is a judgement."""

from dataclasses import dataclass

from core.jobs import Job
from raid.model import CheckResult, Work
from raid.patrol_result import PatrolFile
from raid.smart_model import Smart
from raid.superblock import Superblock
from raid.sysfs import Array, Member


@dataclass(frozen=True, slots=True)
class Probe:
    """What lies on a drive: read once, and again after each event of the drive, and now and then while that fails.

    signatures: their kinds as wipefs names them ("ext4", "gpt", "linux_raid_member"); empty on a blank drive.
    error: why it could not be read.
    """

    signatures: tuple[str, ...] = ()
    superblock: Superblock | None = None
    error: str = ""

    @property
    def blank(self) -> bool:
        """No signature of any kind, and it could be read."""
        return not self.signatures and not self.error and self.superblock is None


@dataclass(frozen=True, slots=True)
class Disk:
    """One drive that is there.

    protected: why it is never touched (it carries the system, it sits in no bay); empty when it is ours to use.
    system: it carries the system.
    probe: None while it has not been read yet (reads that failed in the last few seconds are none), or while it is a
    member of a running array.
    backplane: the side of the chassis it hangs on, where the profile names several.
    retry: seconds until it is read again, because reads of it failed; None when none has.
    """

    name: str
    diskseq: int
    bay: int | None
    serial: str
    model: str
    size: int
    protected: str = ""
    system: bool = False
    held_by: tuple[str, ...] = ()
    probe: Probe | None = None
    backplane: str = ""
    rotational: bool = False
    retry: float | None = None

    @property
    def device(self) -> str:
        return f"/dev/{self.name}"


@dataclass(frozen=True, slots=True)
class Filesystem:
    """The XFS on an array, from its superblock. unit, width: its stripe unit and width in bytes, 0 when not set."""

    uuid: str
    complete: bool
    unit: int
    width: int


@dataclass(frozen=True, slots=True)
class Volume:
    """An array's place among the file systems.

    filesystem: what was read from the array; None when it is no XFS. read: False when it was not looked at, because
    it is mounted or cannot be read. blank: nothing is known to lie on it.
    mountpoint: under /srv/rackeye. prepared: the identity file and the recordings folder are there.
    """

    read: bool = False
    blank: bool = False
    filesystem: Filesystem | None = None
    mountpoint: str | None = None
    prepared: bool = False


@dataclass(frozen=True, slots=True)
class Slice:
    """A virtual drive in the table of a drive group's array. device: kernel name, empty while the kernel has none."""

    uuid: str
    name: str
    start: int
    size: int
    device: str = ""
    devnum: str = ""
    volume: Volume = Volume()


@dataclass(frozen=True, slots=True)
class Cut:
    """The table of a drive group's array. ours: there is one, made for this array. others: places that are not ours."""

    ours: bool = False
    slices: tuple[Slice, ...] = ()
    others: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Running:
    """A running array with what sysfs does not tell: its UUID and name (None when no member could be read)."""

    md: Array
    uuid: str | None
    name: str
    homehost: str
    events: int | None
    """Of a current member; read while a member is out, else None."""
    volume: Volume = Volume()
    carries: str = ""
    """UUID of the array whose superblock lies on this one (a span's), while that does not run."""
    cut: Cut | None = None
    """Of a drive group's: how it is divided; None while that could not be read."""

    @property
    def device(self) -> str:
        return f"/dev/{self.md.device}"


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A consistency check, or a repair, that runs: how far it is."""

    percent: float
    speed: int | None = None
    seconds_left: float | None = None
    work: Work = Work.CHECK


@dataclass(frozen=True, slots=True)
class SpareRead:
    """A spare drive was read, or is being read (pending). at: UTC seconds of the begin; error: empty when it reads."""

    diskseq: int
    at: float
    error: str = ""
    pending: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """One look."""

    boot: str
    disks: tuple[Disk, ...] = ()
    arrays: tuple[Running, ...] = ()
    jobs: tuple[Job, ...] = ()
    checks: tuple[tuple[str, CheckRun], ...] = ()
    """Those that run, by virtual drive."""
    results: tuple[CheckResult, ...] = ()
    """The last one of each virtual drive."""
    spare_reads: tuple[SpareRead, ...] = ()
    """The last one of each spare."""
    patrol: PatrolFile | None = None
    """The patrol read that runs, or ran last."""
    mdadm: bool = True
    """mdadm is there and may be run."""
    smart: tuple[tuple[str, Smart], ...] = ()
    """What drives say of themselves, by kernel name."""
    smart_problems: tuple[str, ...] = ()
    """Why some cannot be asked."""
    appearing: int = 0
    """Drives that udev has not come to its end with: they are in none of the lists yet."""
    runner: bool = True
    """A runner of jobs is loaded and waits, or will in a moment."""

    def array(self, uuid: str) -> Running | None:
        """The array of that UUID; a started one before one that is not."""
        found = [running for running in self.arrays if running.uuid == uuid]
        return next((running for running in found if running.md.started), found[0] if found else None)

    def disk(self, name: str) -> Disk | None:
        """By kernel name."""
        return next((disk for disk in self.disks if disk.name == name), None)

    def smart_of(self, disk: Disk) -> Smart:
        """What this drive says of itself; unknown until it was read."""
        return next((smart for name, smart in self.smart if name == disk.name), Smart())

    def by_serial(self, serial: str) -> Disk | None:
        """By serial number; None for the empty one, and when two drives claim it."""
        found = [disk for disk in self.disks if serial and disk.serial == serial]
        return found[0] if len(found) == 1 else None

    @property
    def unread(self) -> tuple[Disk, ...]:
        """Drives of which it is not known yet what lies on them."""
        return tuple(disk for disk in self.disks if disk.probe is None and self._is_read_by_us(disk))

    @property
    def to_read(self) -> tuple[Disk, ...]:
        """Drives that are to be read now: not read yet, or in vain and long enough ago."""
        return tuple(
            disk for disk in self.disks
            if (disk.probe is None if disk.retry is None else disk.retry <= 0) and self._is_read_by_us(disk)
        )

    def _is_read_by_us(self, disk: Disk) -> bool:
        """What lies on a member of a running array is md's."""
        return not disk.protected and self.running_array_of(disk) is None

    def upper(self, running: Running) -> Running | None:
        """The array that is built on this one."""
        return next((a for a in self.arrays if any(m.device == running.md.device for m in a.md.members)), None)

    def running_array_of(self, disk: Disk) -> Running | None:
        """The array that has this drive as a member."""
        return next((a for a in self.arrays if any(m.device == disk.name and m.present for m in a.md.members)), None)

    def member_of(self, disk: Disk) -> Member | None:
        """What this drive is in the array that has it."""
        running = self.running_array_of(disk)
        return None if running is None else next(m for m in running.md.members if m.device == disk.name)

    def job_on(self, vd: str) -> Job | None:
        """The mutation that runs on a virtual drive."""
        return next((job for job in self.jobs if job.array == vd and job.alive), None)

    def last_job(self, vd: str, kind: str) -> Job | None:
        """The latest job of a kind on a virtual drive, running or ended."""
        return next((job for job in reversed(self.jobs) if job.array == vd and job.kind == kind), None)
