"""The check of RAID4, 5 and 6: does the parity of each stripe agree with its data, and which member is wrong if not."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from raid.geometry import Geometry, read_geometry
from raid.layout import Row
from raid.parity import PAGE, BadPage, Engine, aligned, bad_pages, consistent, reconstruct
from raid.readers import Opener, Piece, Readers, Unread
from raid.scrub_result import BadExtent, WrongMember
from raid.scrub_run import Scrub, piece_size


class ParityScrub(Scrub):
    """One run."""

    def __init__(self, array: str, sysfs: Path, opener: Opener, by: Engine) -> None:
        """Raises CannotCheck."""
        self._geometry: Geometry = read_geometry(array, sysfs)
        piece = piece_size(len(self._geometry.members))
        super().__init__(self._geometry, Readers(self._geometry.members, piece, opener), by, sysfs)
        self._rows = self._geometry.rows
        self._step = min(piece, self._geometry.chunk)
        self._zeros = aligned(1, piece)[0]
        self._blind: set[int] = set()

    def _look_again(self) -> Geometry:
        return read_geometry(self._array, self._sysfs)

    def _note_unread(self, unread: Unread) -> None:
        self._blind.update(unread.pages)
        super()._note_unread(unread)

    def _judge(self, piece: Piece) -> None:
        blind = {page for unread in piece.unread for page in unread.pages}
        suspects: list[range] = []
        for at in range(0, piece.length, self._step):
            start = piece.start + at
            pages = range(start // PAGE, (start + self._step) // PAGE) if blind else ()
            if not blind.isdisjoint(pages) or not self._agrees(piece, at):
                suspects.append(range(at, at + self._step))
        for run in joined(suspects):
            self._second_look(piece.start + run.start, len(run))

    def _agrees(self, piece: Piece, at: int) -> bool:
        row, blocks = self._stripe(piece, at)
        return consistent(self._by, row, blocks, self._zeros)

    def _examine(self, piece: Piece) -> None:
        for at in range(0, piece.length, self._step):
            self._examine_step(piece, at)

    def _examine_step(self, piece: Piece, at: int) -> None:
        """Page by page, leaving out what could not be read."""
        row, blocks = self._stripe(piece, at)
        first = (piece.start + at) // PAGE
        found = [BadPage(first + bad.page, bad.wrong) for bad in bad_pages(row, blocks, self._zeros)]
        found = [bad for bad in found if bad.page not in self._blind]
        if self._geometry.missing is not None:
            found = [BadPage(bad.page, None) for bad in found]  # what is left detects, and cannot locate
        if found:
            self._note_bad((piece.start + at) // self._geometry.chunk, tuple(self._extents(row, found)))

    def _stripe(self, piece: Piece, at: int) -> tuple[Row, list[memoryview]]:
        """The blocks to compare at one place. A RAID6 without one member is checked by the redundancy it has left."""
        row = self._rows[(piece.start + at) // self._geometry.chunk % len(self._rows)]
        blocks = [block[at : at + self._step] for block in piece.blocks]
        missing = self._geometry.missing
        if missing is None:
            return row, blocks
        if missing == row.q:
            return Row(row.p, None, row.data, ()), [block for slot, block in enumerate(blocks) if slot != missing]
        reconstruct(self._by, row, blocks, missing)
        return row, blocks

    def _extents(self, row: Row, pages: Sequence[BadPage]) -> Iterator[BadExtent]:
        runs = itertools.groupby(enumerate(pages), key=lambda item: (item[1].page - item[0], item[1].wrong))
        for (_, slot), run in runs:
            members = [page for _, page in run]
            wrong = None
            if slot is not None:
                role = {row.p: "P", row.q: "Q"}.get(slot, "data")
                wrong = WrongMember(slot, self._device(slot), role)
            yield BadExtent(members[0].page * PAGE, len(members), wrong)


def joined(spans: Sequence[range]) -> Iterator[range]:
    """Neighbouring ones as one."""
    whole: range | None = None
    for span in spans:
        if whole is not None and whole.stop == span.start:
            whole = range(whole.start, span.stop)
            continue
        if whole is not None:
            yield whole
        whole = span
    if whole is not None:
        yield whole
