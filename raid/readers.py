"""Reads the members of an array side by side, past every cache, and says exactly what could not be read.

O_DIRECT always: a buffered read of a member gave old data after md had written (facts/raid.md). The kernel's own
asynchronous I/O (io_submit(2)): one call asks all members for a piece, one waits for it. With a thread a member, which
have to wake each other at each read, the rack took half as long again.
"""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from libaio import AIOBLOCK_MODE_READ, AIOBlock, AIOContext

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


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a part of a member's block comes from: its open file, and the byte of its data where this part begins."""

    member: Member
    fd: int
    section: int


class _Place:
    """Room for one piece of all members, and what is on its way there."""

    def __init__(self, room: Sequence[memoryview], sources: Sequence[_Source], sections: int, scale: int) -> None:
        self._room, self._sources, self._sections, self._scale = room, sources, sections, scale
        self._parts: list[memoryview] = []
        self._reads: list[AIOBlock] = []
        self._short: list[int] = []
        self.start = self.length = self.awaited = 0
        self.blocks: tuple[memoryview, ...] = ()

    def reads(self, start: int, length: int) -> list[AIOBlock]:
        """What to ask the kernel for."""
        if length != self.length:
            self._cut(length)
        self.start, self.length, self.awaited, self._short = start, length, len(self._reads), []
        for read, source in zip(self._reads, self._sources, strict=True):
            read.offset = source.member.offset + source.section + start * self._scale
        return self._reads

    def came(self, number: int, got: int) -> None:
        """A read has ended. got: its bytes; of one that failed, a number that no length is."""
        self.awaited -= 1
        if got != len(self._parts[number]):
            self._short.append(number)

    def piece(self) -> Piece:
        """Once nothing of it is awaited. Reads what did not come page by page."""
        unread: list[Unread] = []
        for number in sorted(self._short):
            source = self._sources[number]
            at = source.section + self.start * self._scale
            unread += _by_pages(source.fd, source.member, at, self._parts[number])
        return Piece(self.start, self.length, self.blocks, tuple(unread))

    def _cut(self, length: int) -> None:
        size = length * self._scale
        self.blocks = tuple(block[: size * self._sections] for block in self._room)
        self._parts = [
            self.blocks[source.member.slot][number % self._sections * size :][:size]
            for number, source in enumerate(self._sources)
        ]
        self._reads = [
            AIOBlock(AIOBLOCK_MODE_READ, source.fd, [part])
            for source, part in zip(self._sources, self._parts, strict=True)
        ]


class Readers:
    """Open members. A context manager: leaves no read under way and no open file."""

    def __init__(
        self, members: Sequence[Member | None], piece: int, opener: Opener = open_direct, *,
        sections: tuple[int, ...] = (0,), scale: int = 1,
    ) -> None:
        """`piece`: bytes that are gone through at once. Raises CannotCheck when a member cannot be opened.

        Of each member are read the same bytes times `scale`, in each of the sections, whose beginnings these are; a
        block has them one behind the other.
        """
        self._piece, self._sections, self._scale, self._count = piece, len(sections), scale, len(members)
        self._fds: list[int] = []
        self._kernel: AIOContext | None = None
        self._awaited: dict[AIOBlock, tuple[_Place, int]] = {}
        sources: list[_Source] = []
        for member in filter(None, members):
            try:
                self._fds.append(opener(member))
            except (OSError, CannotCheck) as error:
                self.close()
                if isinstance(error, CannotCheck):
                    raise
                sentence = f"/dev/{member.name} (slot {member.slot}) cannot be opened: {error.strerror}."
                raise CannotCheck(sentence, hint="Look at its bay; replace the drive if it is dead.") from error
            sources += [_Source(member, self._fds[-1], section) for section in sections]
        self._sources = tuple(sources)
        self._look = self._place()
        try:
            self._kernel = AIOContext(len(sources) * (_DEPTH + 1))
        except OSError as error:
            self.close()
            raise CannotCheck(
                f"The kernel grants no more asynchronous I/O: {os.strerror(error.errno or errno.EAGAIN)}.",
                hint="Another program has them all: raise fs.aio-max-nr (sysctl).",
            ) from error

    def __enter__(self) -> "Readers":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Waits for the reads under way, and closes."""
        if self._kernel is not None:
            self._kernel.close()
            self._kernel = None
        for fd in self._fds:
            os.close(fd)
        self._fds = []

    def stream(self, component: int, begin: int = 0) -> Iterator[Piece]:
        """All of [begin, component) in order, read ahead. A piece's blocks are valid until the next is asked for."""
        ring = [self._place() for _ in range(_DEPTH)]
        starts = range(begin, component, self._piece)
        for i in range(len(starts)):
            for j in range(i + _DEPTH - 1 if i else 0, min(i + _DEPTH, len(starts))):
                self._ask(ring[j % _DEPTH], starts[j], min(self._piece, component - starts[j]))
            yield self._wait(ring[i % _DEPTH])

    def again(self, start: int, length: int) -> Piece:
        """Reads one stretch of at most a piece now, for a second look."""
        self._ask(self._look, start, length)
        return self._wait(self._look)

    def settle(self) -> None:
        """Waits for the reads ahead, so that `again` is served at once while writes are made to wait."""
        while self._awaited:
            self._events(len(self._awaited))

    def _ask(self, place: _Place, start: int, length: int) -> None:
        assert self._kernel is not None
        reads = place.reads(start, length)
        self._awaited.update({read: (place, number) for number, read in enumerate(reads)})
        while reads:
            reads = reads[self._kernel.submit(reads) :]

    def _wait(self, place: _Place) -> Piece:
        while place.awaited:
            self._events(place.awaited)
        return place.piece()

    def _events(self, fewest: int) -> None:
        """Waits for so many reads to end, whichever; less long when a signal comes."""
        assert self._kernel is not None
        try:
            ended = self._kernel.getEvents(fewest)
        except InterruptedError:  # a signal, such as that to stop
            return
        for read, got, _ in ended:
            place, number = self._awaited.pop(read)
            place.came(number, got)

    def _place(self) -> _Place:
        room = aligned(self._count, self._piece * self._scale * self._sections)
        return _Place(room, self._sources, self._sections, self._scale)


def _by_pages(fd: int, member: Member, start: int, block: memoryview) -> list[Unread]:
    """Fills a block that could not be read as a whole, so that only what is bad is reported."""
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
    return unread


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
