"""What `decide` can ask for. Each action names what it touches, so that `act` can read it again before it touches."""

from dataclasses import dataclass

from raid.patrol_result import ToRead


@dataclass(frozen=True, slots=True)
class Probe:
    """Read what lies on a drive."""

    device: str
    diskseq: int


@dataclass(frozen=True, slots=True)
class FailMember:
    """The drive of this member is gone: tell md. bay, serial: what is known of it, for the journal."""

    array: str
    device: str
    vd: str
    bay: int | None
    serial: str


@dataclass(frozen=True, slots=True)
class RemoveMember:
    """Take a failed member off its array: its drive is gone, or another drive has its place."""

    array: str
    device: str
    vd: str


@dataclass(frozen=True, slots=True)
class AskSmart:
    """A drive erred: read what it says of itself before its turn. what: how it erred, for the journal."""

    device: str
    bay: int | None
    serial: str
    what: str


@dataclass(frozen=True, slots=True)
class SetActive:
    """End auto-read-only."""

    array: str
    vd: str


@dataclass(frozen=True, slots=True)
class SetSpeed:
    """Lower limit of md's resync speed, KiB/s a member."""

    array: str
    kib_per_second: int


@dataclass(frozen=True, slots=True)
class PollSpare:
    """Read a hot spare here and there, beside everything else: does it still read?"""

    device: str
    diskseq: int
    bay: int | None
    serial: str


@dataclass(frozen=True, slots=True)
class Expected:
    """A drive as it was when it was decided to touch it. signatures: what lay on it."""

    device: str
    diskseq: int
    bay: int | None
    serial: str
    signatures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StartJob:
    """A mutation by mdadm or mkfs. drives: read again before it starts; why: the sentence for the journal."""

    id: str
    kind: str
    vd: str
    steps: tuple[tuple[str, ...], ...]
    drives: tuple[Expected, ...]
    why: str
    at_once: bool = False
    """By the runner that is loaded already: nothing is redundant until it has begun."""


@dataclass(frozen=True, slots=True)
class DropRecovery:
    """A recovery that was confirmed is forgotten: nothing is done, and the journal says why."""

    vd: str
    why: str


@dataclass(frozen=True, slots=True)
class PrepareRunner:
    """Have a runner of jobs loaded, so that a hot spare is taken without a wait (core/ready_runner.py)."""


@dataclass(frozen=True, slots=True)
class Mount:
    """Mount a virtual drive as a volume. shape: stripe unit and width in bytes that XFS is to be told, when it was made
    on fewer drives."""

    vd: str
    device: str
    shape: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Prepare:
    """Write the identity of a mounted volume."""

    vd: str
    uuid: str
    mountpoint: str


@dataclass(frozen=True, slots=True)
class Unmount:
    """Take a volume away. why: the sentence for the journal; discard: its mount point goes too."""

    vd: str
    mountpoint: str
    why: str
    discard: bool = False


@dataclass(frozen=True, slots=True)
class TellParts:
    """The kernel's partitions of a drive group's array become those of its table. uuid: the array's."""

    array: str
    uuid: str
    group: str


@dataclass(frozen=True, slots=True)
class StartCheck:
    """A consistency check that is due. uuid: of the virtual drive; arrays: kernel names of what holds its parity."""

    vd: str
    uuid: str
    arrays: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class StopCheck:
    """Stop a check; it goes on from there later. job: its id."""

    vd: str
    job: str
    why: str


@dataclass(frozen=True, slots=True)
class StartPatrol:
    """A patrol read that is due. again: only what the last one could not read."""

    drives: tuple[ToRead, ...]
    why: str
    again: bool = False


Action = (
    Probe | FailMember | RemoveMember | SetActive | SetSpeed | PollSpare | StartJob | Mount | Prepare | Unmount
    | StartCheck | StopCheck | StartPatrol | PrepareRunner | TellParts | DropRecovery | AskSmart
)
