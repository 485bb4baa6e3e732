"""Reads the members of an array side by side, past every cache, and says exactly what could not be read.

O_DIRECT always: a buffered read of a member gave old data after md had written (facts/raid.md). One thread a member
(preadv releases the GIL), so that each drive streams at its own pace through a short ring of aligned buffers.
"""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from core.errors import CannotCheck
from raid.geometry import Member
from raid.parity import PAGE, aligned

Opener = Callable[[Member], int]

_DEPTH = 3  # pieces in memory: one is judged, two are on their way
_GONE = frozenset({errno.ENXIO, errno.ENODEV})
_WHY = {errno.ENODATA: "medium error", errno.EIO: "I/O error"}
_PATIENCE = 8  # failed pages of one piece after which the rest of it is not tried: each may cost seconds


@dataclass(frozen=True, slots=True)
class Unread:
    """Pages of a member that could not be read. `offset` and `length` in bytes of the member's data area."""

    slot: int
    offset: int
    length: int
    why: str

    @property
    def pages(self) -> range:
        return range(self.offset // PAGE, -(-(self.offset + self.length) // PAGE))


@dataclass(frozen=True, slots=True)
class Piece:
    """The same stretch of all members. `blocks` by slot; a missing member has a block too, of no meaning."""

    start: int
    length: int
    blocks: tuple[memoryview, ...]
    unread: tuple[Unread, ...]


def open_direct(member: Member, dev: Path = Path("/dev")) -> int:
    """Opens a member past the page cache. Raises CannotCheck when the name now belongs to another drive."""
    fd = os.open(dev / member.name, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC)
    number = os.fstat(fd).st_rdev
    if f"{os.major(number)}:{os.minor(number)}" != member.number:
        os.close(fd)
        raise CannotCheck(f"/dev/{member.name} is another drive than md's member.", hint="Check again.")
    return fd


class Readers:
    """Open members with a thread each. A context manager: leaves no thread and no open file."""

    def __init__(
        self, members: Sequence[Member | None], piece: int, opener: Opener = open_direct, *,
        sections: tuple[int, ...] = (0,), scale: int = 1,
    ) -> None:
        """`piece`: bytes that are gone through at once. Raises CannotCheck when a member cannot be opened.

        Of each member are read the same bytes times `scale`, in each of the sections, whose beginnings these are; a
        block has them one behind the other.
        """
        self._piece, self._sections, self._scale = piece, sections, scale
        self._members = [member for member in members if member is not None]
        self._count = len(members)
        self._fds: dict[int, int] = {}
        self._threads: dict[int, ThreadPoolExecutor] = {}
        self._pending: list[Future[tuple[Unread, ...]]] = []
        self._look = self._buffers()
        for member in self._members:
            try:
                self._fds[member.slot] = opener(member)
            except (OSError, CannotCheck) as error:
                self.close()
                if isinstance(error, CannotCheck):
                    raise
                sentence = f"/dev/{member.name} (slot {member.slot}) cannot be opened: {error.strerror}."
                raise CannotCheck(sentence, hint="Look at its bay; replace the drive if it is dead.") from error
            self._threads[member.slot] = ThreadPoolExecutor(1, thread_name_prefix=f"read-{member.name}")

    def __enter__(self) -> "Readers":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Waits for the reads under way, and closes."""
        for thread in self._threads.values():
            thread.shutdown(wait=True, cancel_futures=True)
        for fd in self._fds.values():
            os.close(fd)
        self._threads, self._fds = {}, {}

    def stream(self, component: int, begin: int = 0) -> Iterator[Piece]:
        """All of [begin, component) in order, read ahead. A piece's blocks are valid until the next is asked for."""
        ring = [self._buffers() for _ in range(_DEPTH)]
        starts = range(begin, component, self._piece)
        ahead: list[tuple[list[memoryview], list[Future[tuple[Unread, ...]]]]] = []
        for i, start in enumerate(starts):
            for j in range(i + len(ahead), min(i + _DEPTH, len(starts))):
                length = min(self._piece, component - starts[j])
                blocks = self._cut(ring[j % _DEPTH], length)
                ahead.append((blocks, self._start(starts[j], length, blocks)))
            blocks, reads = ahead.pop(0)
            unread = tuple(item for read in reads for item in read.result())
            self._pending = [read for _, later in ahead for read in later]
            yield Piece(start, min(self._piece, component - start), tuple(blocks), unread)

    def again(self, start: int, length: int) -> Piece:
        """Reads one stretch of at most a piece now, for a second look."""
        blocks = self._cut(self._look, length)
        reads = self._start(start, length, blocks)
        return Piece(start, length, tuple(blocks), tuple(item for read in reads for item in read.result()))

    def settle(self) -> None:
        """Waits for the reads ahead, so that `again` is served at once while writes are made to wait."""
        for read in self._pending:
            read.result()

    def _start(self, start: int, length: int, blocks: Sequence[memoryview]) -> list[Future[tuple[Unread, ...]]]:
        size = length * self._scale
        return [
            self._threads[member.slot].submit(
                _read, self._fds[member.slot], member, start * self._scale + section,
                blocks[member.slot][i * size : (i + 1) * size],
            )
            for member in self._members for i, section in enumerate(self._sections)
        ]

    def _buffers(self) -> list[memoryview]:
        return aligned(self._count, self._piece * self._scale * len(self._sections))

    def _cut(self, blocks: Sequence[memoryview], length: int) -> list[memoryview]:
        return [block[: length * self._scale * len(self._sections)] for block in blocks]


def _read(fd: int, member: Member, start: int, block: memoryview) -> tuple[Unread, ...]:
    """Fills the block; after an error page by page, so that only what is bad is reported."""
    if _fill(fd, member.offset + start, block) is None:
        return ()
    unread: list[Unread] = []
    for at in range(0, len(block), PAGE):
        page = block[at : at + PAGE]
        why = _fill(fd, member.offset + start + at, page)
        if why is None:
            continue
        if why in _GONE:
            raise CannotCheck(
                f"/dev/{member.name} (slot {member.slot}) went away during the check.",
                hint="Mend the array, then check again.",
            )
        unread.append(Unread(member.slot, start + at, len(page), _WHY.get(why) or os.strerror(why)))
        if len(unread) == _PATIENCE and at + PAGE < len(block):
            unread.append(
                Unread(member.slot, start + at + PAGE, len(block) - at - PAGE, f"not tried after {_PATIENCE} errors")
            )
            break
    return tuple(unread)


def _fill(fd: int, offset: int, block: memoryview) -> int | None:
    """None when the whole block was read, else the errno (EIO for a read beyond the end)."""
    done = 0
    while done < len(block):
        try:
            got = os.preadv(fd, [block[done:]], offset + done)
        except OSError as error:
            return error.errno or errno.EIO
        if got == 0:
            return errno.EIO
        done += got
    return None
