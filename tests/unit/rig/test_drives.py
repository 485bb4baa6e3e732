"""Which drive goes into which bay; files are really made, file systems are the rig test's matter."""

from pathlib import Path

import pytest

from core.errors import RackRefused
from rig.clips import access_units, is_key
from rig.drives import MIB, DriveKind, DriveStore


@pytest.fixture
def store(tmp_path: Path) -> DriveStore:
    made = DriveStore(tmp_path / "drives", 64 * MIB)
    for bay in range(2):
        made.put(bay, made.fresh(DriveKind.BLANK))
    return made


def test_new_drives_are_sparse_and_of_their_own_serial(store: DriveStore) -> None:
    first, second = store.drives.values()
    assert first.serial != second.serial
    assert first.path.stat().st_size == 64 * MIB
    assert first.path.stat().st_blocks == 0


def test_same_is_what_was_pulled_from_this_bay(store: DriveStore) -> None:
    pulled = store.take(1)
    assert store.choose(1, DriveKind.SAME) == pulled


def test_small_is_smaller(store: DriveStore) -> None:
    store.take(1)
    assert store.choose(1, DriveKind.SMALL).size == 48 * MIB


def test_a_drive_can_move(store: DriveStore) -> None:
    pulled = store.take(1)
    assert store.choose(5, DriveKind.BLANK, pulled.serial) == pulled


@pytest.mark.parametrize(
    ("bay", "kind", "serial", "words"),
    [
        (0, DriveKind.BLANK, None, "has a drive already"),
        (5, DriveKind.SAME, None, "No drive was pulled"),
        (5, DriveKind.BLANK, "RK000001", "is in bay 0"),
        (5, DriveKind.BLANK, "RK999999", "no drive RK999999"),
    ],
)
def test_refusals(store: DriveStore, bay: int, kind: DriveKind, serial: str | None, words: str) -> None:
    with pytest.raises(RackRefused, match=words):
        store.choose(bay, kind, serial)


def test_clip_is_cut_at_access_unit_delimiters() -> None:
    key = b"\0\0\0\1\x09\xf0" + b"\0\0\1\x67abc" + b"\0\0\1\x65slice"
    other = b"\0\0\0\1\x09\xf0" + b"\0\0\1\x41slice"
    units = access_units(key + other)
    assert units == (key, other)
    assert [is_key(unit) for unit in units] == [True, False]
