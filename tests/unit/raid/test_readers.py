"""What raid/readers.py reads of plain files: all of it, what is not there, and what the kernel does not grant."""

import errno
import os
from pathlib import Path

import pytest
from libaio import AIOContext

from core.errors import CannotCheck
from raid import readers
from raid.geometry import Member
from raid.parity import PAGE
from raid.readers import Readers

PIECE, LENGTH = 8 * PAGE, 8 * 5 * PAGE + PAGE  # five pieces and a shorter one


@pytest.fixture
def drives(tmp_path: Path) -> tuple[Path, tuple[Member | None, ...]]:
    members = tuple(Member(slot, f"disk{slot}", f"8:{slot}", PAGE * slot) for slot in range(3))
    for member in members:
        pages = b"".join(bytes([member.slot, page]) * (PAGE // 2) for page in range(LENGTH // PAGE))
        (tmp_path / member.name).write_bytes(bytes(member.offset) + pages)
    return tmp_path, (*members, None)


def opened(root: Path, members: tuple[Member | None, ...]) -> Readers:
    return Readers(members, PIECE, lambda member: os.open(root / member.name, os.O_RDONLY))


def open_files() -> set[str]:
    return {file.name for file in Path("/proc/self/fd").iterdir()}


def seen(block: memoryview) -> list[tuple[int, int]]:
    """Of each page the member and the page that it says it is."""
    return [(block[at], block[at + 1]) for at in range(0, len(block), PAGE)]


def pages(slot: int, start: int, length: int) -> list[tuple[int, int]]:
    return [(slot, page) for page in range(start // PAGE, (start + length) // PAGE)]


def test_all_of_it_comes_in_order_whatever_is_looked_at_again(drives: tuple[Path, tuple[Member | None, ...]]) -> None:
    files_before = open_files()
    with opened(*drives) as three:
        lengths = []
        for piece in three.stream(LENGTH):
            lengths.append((piece.start, piece.length))
            assert piece.unread == ()
            three.settle()
            again = three.again(PAGE, PAGE)
            for slot in range(3):
                assert seen(piece.blocks[slot]) == pages(slot, piece.start, piece.length)
                assert seen(again.blocks[slot]) == [(slot, 1)]
    assert lengths == [*((start, PIECE) for start in range(0, 5 * PIECE, PIECE)), (5 * PIECE, PAGE)]
    assert open_files() == files_before


def test_what_is_not_there_is_named_and_the_rest_is_read(drives: tuple[Path, tuple[Member | None, ...]]) -> None:
    root, members = drives
    os.truncate(root / "disk1", PAGE + 12 * PAGE)  # in the middle of the second piece
    with opened(root, members) as three:
        found = list(three.stream(2 * PIECE))
    assert found[0].unread == ()
    assert {(bad.slot, bad.offset, bad.why) for bad in found[1].unread} == {
        (1, page * PAGE, "I/O error") for page in range(12, 16)
    }
    assert seen(found[1].blocks[1][: 4 * PAGE]) == pages(1, PIECE, 4 * PAGE)


def test_one_that_is_left_early_waits_for_what_is_under_way(drives: tuple[Path, tuple[Member | None, ...]]) -> None:
    with opened(*drives) as three:
        assert next(three.stream(LENGTH)).start == 0
    three.close()


def test_a_member_that_cannot_be_opened_closes_the_others(drives: tuple[Path, tuple[Member | None, ...]]) -> None:
    root, members = drives
    (root / "disk2").unlink()
    files_before = open_files()
    with pytest.raises(CannotCheck, match=r"/dev/disk2 \(slot 2\) cannot be opened: No such file"):
        opened(root, members)
    assert open_files() == files_before


def test_a_kernel_without_room_for_it_is_said(
    drives: tuple[Path, tuple[Member | None, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(most: int) -> None:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(readers, "AIOContext", full)
    files_before = open_files()
    with pytest.raises(CannotCheck, match="no more asynchronous I/O") as refused:
        opened(*drives)
    assert "fs.aio-max-nr" in refused.value.hint
    assert open_files() == files_before


def test_a_signal_ends_nothing(
    drives: tuple[Path, tuple[Member | None, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """io_getevents(2) ends with EINTR when there is a handler, such as the check's for SIGTERM."""
    waits = iter(range(1000))

    class Interrupted(AIOContext):  # type: ignore[misc]
        def getEvents(self, least: int) -> object:  # noqa: N802 -- its name there
            if next(waits) % 2 == 0:
                raise OSError(errno.EINTR, "io_getevents")
            return super().getEvents(least)

    monkeypatch.setattr(readers, "AIOContext", Interrupted)
    with opened(*drives) as three:
        came = [(piece.start, piece.unread, seen(piece.blocks[2])) for piece in three.stream(2 * PIECE)]
    assert came == [(start, (), pages(2, start, PIECE)) for start in (0, PIECE)]
    assert next(waits) >= 2
