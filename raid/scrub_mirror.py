"""The check of RAID1 and RAID10: do the copies of each place agree, and which one is wrong if not.

With two copies nobody can know which is right. With three or more a majority names the one that is wrong. On a mirror
that is in use a difference may be harmless: the kernel writes a page to one drive after the other, and a program may
have changed it in between and then thrown it away (facts/raid.md, "Reading state"). It is told all the same.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from raid.mirror import Mirror, read_mirror
from raid.parity import PAGE, Engine
from raid.readers import Opener, Piece, Readers, Unread
from raid.scrub_parity import joined
from raid.scrub_result import BadExtent, Copy, ScrubResult, WrongMember
from raid.scrub_run import Scrub, piece_size

_MAJORITY = 3
"""Copies from which on more than half can be of one mind."""


@dataclass(frozen=True, slots=True)
class _Place:
    """The same bytes of the array on all its members that are there. at: in the array, bytes.

    copies: slot, byte in the member's data, and the block that was read.
    """

    at: int
    row: int
    copies: tuple[tuple[int, int, memoryview], ...]


class MirrorScrub(Scrub):
    """One run."""

    def __init__(self, array: str, sysfs: Path, opener: Opener, by: Engine) -> None:
        """Raises CannotCheck."""
        self._mirror: Mirror = read_mirror(array, sysfs)
        mirror = self._mirror
        sections = tuple(step * mirror.stride for step in range(mirror.far)) if not mirror.offset else (0,)
        scale = mirror.far if mirror.offset else 1
        piece = piece_size(mirror.disks * mirror.far)
        rows = mirror.period * mirror.chunk
        if mirror.whole_rows:
            piece = max(1, piece // rows) * rows
        self._step = rows if mirror.whole_rows else min(piece, mirror.chunk)
        readers = Readers(mirror.members, piece, opener, sections=sections, scale=scale)
        super().__init__(mirror, readers, by, sysfs)
        self._sections, self._scale = sections, scale
        self._blind: dict[int, set[int]] = {}

    def _look_again(self) -> Mirror:
        return read_mirror(self._array, self._sysfs)

    def _note_unread(self, unread: Unread) -> None:
        self._blind.setdefault(unread.slot, set()).update(unread.pages)
        super()._note_unread(unread)

    def _judge(self, piece: Piece) -> None:
        chunk = self._mirror.chunk
        blind = {self._mirror.row_of(page * PAGE) for unread in piece.unread for page in unread.pages}
        if not blind and self._all_agree(piece):
            return
        suspects: list[range] = []
        for at in range(0, piece.length, self._step):
            size = min(self._step, piece.length - at)
            start = piece.start + at
            rows = range(start // chunk, -(-(start + size) // chunk))
            if not blind.isdisjoint(rows) or not all(map(self._agrees, self._places(piece, at, size))):
                suspects.append(range(at, at + size))
        for run in joined(suspects):
            self._second_look(piece.start + run.start, len(run))

    def _all_agree(self, piece: Piece) -> bool:
        """At once, where the copies lie side by side."""
        mirror = self._mirror
        if mirror.far > 1 or mirror.whole_rows:
            return False
        for first in range(0, mirror.disks, mirror.near):
            there = [slot for slot in range(first, first + mirror.near) if mirror.members[slot] is not None]
            if not all(self._by.xor_check([piece.blocks[there[0]], piece.blocks[slot]]) for slot in there[1:]):
                return False
        return True

    def _result(self, done: int, seconds: float) -> ScrubResult:
        result = super()._result(done, seconds)
        return replace(result, bytes=result.bytes * self._mirror.far)

    def _places(self, piece: Piece, at: int, size: int) -> Iterator[_Place]:
        """What of the array lies in [at, at+size) of a piece; each chunk that begins there, or its part."""
        mirror, start = self._mirror, piece.start + at
        for row in range(start // mirror.chunk, -(-(start + size) // mirror.chunk)):
            inside = range(max(start, row * mirror.chunk), min(start + size, (row + 1) * mirror.chunk))
            within = inside.start - row * mirror.chunk
            for chunk in mirror.chunks_from(row):
                copies = tuple(
                    (slot, place + within, self._block(piece, slot, place + within, number % mirror.far, len(inside)))
                    for number, (slot, place) in enumerate(mirror.places(chunk)) if mirror.members[slot] is not None
                )
                yield _Place(chunk * mirror.chunk + within, row, copies)

    def _block(self, piece: Piece, slot: int, place: int, step: int, size: int) -> memoryview:
        """Of what was read of a member: `size` bytes from its byte `place`, a copy of the kind `step`."""
        section = step if len(self._sections) > 1 else 0
        begin = place - self._sections[section] - piece.start * self._scale + section * piece.length * self._scale
        return piece.blocks[slot][begin : begin + size]

    def _agrees(self, place: _Place) -> bool:
        first, *others = (block for _, _, block in place.copies)
        return all(self._by.xor_check([first, other]) for other in others)

    def _examine(self, piece: Piece) -> None:
        for place in self._places(piece, 0, piece.length):
            found = tuple(self._extents(place, self._verdicts(place)))
            if found:
                self._note_bad(place.row, found)

    def _verdicts(self, place: _Place) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Pages whose copies differ, and for each copy which others it is alike to (-1: it could not be read)."""
        size = len(place.copies[0][2])
        for at in range(0, size, PAGE):
            contents: dict[bytes, int] = {}
            alike = tuple(
                -1 if (offset + at) // PAGE in self._blind.get(slot, ())
                else contents.setdefault(bytes(block[at : at + PAGE]), len(contents))
                for slot, offset, block in place.copies
            )
            if len(contents) > 1:
                yield at // PAGE, alike

    def _extents(self, place: _Place, pages: Iterator[tuple[int, tuple[int, ...]]]) -> Iterator[BadExtent]:
        for (_, alike), run in itertools.groupby(
            enumerate(pages), key=lambda item: (item[1][0] - item[0], item[1][1])
        ):
            numbers = [page for _, (page, _) in run]
            first = numbers[0] * PAGE
            copies = tuple(
                Copy(slot, self._device(slot), offset + first, number)
                for (slot, offset, _), number in zip(place.copies, alike, strict=True) if number >= 0
            )
            yield BadExtent(copies[0].offset, len(numbers), odd_one(copies), copies, place.at + first)


def odd_one(copies: Sequence[Copy]) -> WrongMember | None:
    """The one copy that differs from all others, where they are enough to say so; None: nobody can know."""
    if len(copies) < _MAJORITY:
        return None
    counts = {number: [copy for copy in copies if copy.alike == number] for number in {copy.alike for copy in copies}}
    alone = [found[0] for found in counts.values() if len(found) == 1]
    if len(counts) != 2 or len(alone) != 1:
        return None
    return WrongMember(alone[0].slot, alone[0].device, "copy")
