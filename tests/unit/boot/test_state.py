"""The record of the mode: whatever happens to its files, a start is defined, and nothing is wiped by a damage."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boot.model import Intent, Mode
from boot.state import Loaded, Record, StateStore, decode, encode
from core.errors import StateUnwritable
from core.paths import Paths

FAILOVER = Record(Mode.FAILOVER, 7, Intent.RESTORE)
records = st.builds(Record, st.sampled_from(Mode), st.integers(0, 1 << 40), st.sampled_from(Intent))
damages = st.one_of(
    st.none(),  # gone
    st.binary(max_size=200),  # something else
    st.integers(0, 90).map(lambda size: ("cut", size)),
    st.tuples(st.just("flip"), st.integers(0, 1000), st.integers(0, 7)),
)


def damaged(data: bytes, damage: object) -> bytes | None:
    match damage:
        case ("cut", int(size)):
            return data[: min(size, len(data) - 1)]
        case ("flip", int(place), int(bit)):
            place %= len(data)
            return data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]
        case bytes():
            return damage
        case _:
            return None


def store_with(folder: Path, *records: Record) -> StateStore:
    store = StateStore(Paths(folder))
    store.folder.mkdir(parents=True, exist_ok=True)
    for copy, record in zip(store.copies, records, strict=True):
        copy.write_bytes(encode(record))
    return store


def spoil(copy: Path, damage: object) -> None:
    data = damaged(copy.read_bytes(), damage)
    if data is None:
        copy.unlink()
    else:
        copy.write_bytes(data)


@given(records)
def test_a_record_survives_its_bytes(record: Record) -> None:
    assert decode(encode(record)) == record


@given(records, damages)
def test_damaged_bytes_are_never_a_different_record(record: Record, damage: object) -> None:
    data = damaged(encode(record), damage)
    assert decode(data or b"") in (None, record)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(damages, st.booleans())
def test_damage_of_either_copy_changes_nothing(tmp_path: Path, damage: object, first: bool) -> None:
    store = store_with(tmp_path, FAILOVER, FAILOVER)
    spoil(store.copies[0 if first else 1], damage)
    assert store.load().record == FAILOVER
    store.mend()
    assert store.load() == Loaded(FAILOVER)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(damages, damages)
def test_damage_of_both_is_standard_mode_and_said_and_wipes_nothing(tmp_path: Path, one: object, two: object) -> None:
    store = store_with(tmp_path, FAILOVER, FAILOVER)
    spoil(store.copies[0], one)
    spoil(store.copies[1], two)
    if store.load().record == FAILOVER:
        return  # a flip may have hit nothing that counts, e.g. the end of line
    loaded = store.load()
    assert loaded.record == Record()
    assert loaded.lost == any(copy.exists() for copy in store.copies)
    assert bool(loaded.problem) == loaded.lost


def test_factory_fresh_is_standard_mode_without_a_word(tmp_path: Path) -> None:
    assert StateStore(Paths(tmp_path)).load() == Loaded(Record())


def test_a_change_is_on_both_copies_and_counts_up(tmp_path: Path) -> None:
    store = StateStore(Paths(tmp_path))
    store.change(lambda record: replace(record, intent=Intent.RESTORE))
    store.change(lambda record: replace(record, mode=Mode.FAILOVER, intent=Intent.NONE))
    assert [decode(copy.read_bytes()) for copy in store.copies] == [Record(Mode.FAILOVER, 2, Intent.NONE)] * 2


@pytest.mark.parametrize("newer", [0, 1])
def test_a_cut_between_the_copies_leaves_the_newer_whole(tmp_path: Path, newer: int) -> None:
    new = Record(Mode.FAILOVER, 8, Intent.NONE)
    pair = [FAILOVER, FAILOVER]
    pair[newer] = new
    store = store_with(tmp_path, *pair)
    loaded = store.load()
    assert (loaded.record, loaded.uneven, loaded.problem) == (new, True, "")


def test_the_worse_copy_is_written_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_with(tmp_path, FAILOVER, FAILOVER)
    spoil(store.copies[1], None)
    written: list[Path] = []

    def cut(file: Path, data: bytes) -> None:
        written.append(file)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("boot.state.write_atomic", cut)
    with pytest.raises(StateUnwritable, match="No space left"):
        store.change(lambda record: record)
    assert written == [store.copies[1]]
    assert store.load().record == FAILOVER


def test_a_record_of_a_later_version_is_unreadable_not_a_crash(tmp_path: Path) -> None:
    store = store_with(tmp_path, FAILOVER, FAILOVER)
    for copy in store.copies:
        copy.write_bytes(encode(Record("Other Mode", 9, Intent.NONE)))  # type: ignore[arg-type]
    assert store.load().lost
