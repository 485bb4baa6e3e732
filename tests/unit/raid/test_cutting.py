"""raid/cutting.py: what is known of how a drive group is divided."""

import os
from pathlib import Path

import pytest

from raid import gpt
from raid.cutting import Tables
from raid.gpt import Table
from tests.unit.raid import worlds as w

KEY = ("md127", 9)
SIZE = 16 * 1024**2


def divided(device: Path) -> Table:
    table = Table(w.UUID)
    with device.open("wb") as file:
        file.truncate(SIZE)
    handle = os.open(device, os.O_RDWR | os.O_DIRECT)
    try:
        gpt.write(handle, table, SIZE, 512)
    finally:
        os.close(handle)
    return table


def test_a_table_that_cannot_be_read_any_more_is_known_still(tmp_path: Path) -> None:
    """Of an array that has failed: else its volumes would never be unmounted, and it would never stop."""
    tables, device = Tables(), tmp_path / "md127"
    with pytest.raises(KeyError):
        tables.of(KEY, device, started=True)
    table = divided(device)
    assert tables.of(KEY, device, started=True) == table
    tables.read_anew()
    device.unlink()
    assert tables.of(KEY, device, started=True) == table
    tables.read_anew()
    assert tables.of(KEY, device, started=False) == table
    tables.keep(set())
    with pytest.raises(KeyError):
        tables.of(KEY, device, started=True)


def test_what_was_changed_is_read_when_that_is_asked_for(tmp_path: Path) -> None:
    tables, device = Tables(), tmp_path / "md127"
    device.write_bytes(bytes(SIZE))
    assert tables.of(KEY, device, started=True) is None, "not divided"
    table = divided(device)
    assert tables.of(KEY, device, started=True) is None
    tables.read_anew()
    assert tables.of(KEY, device, started=False) is None, "one that does not run is not read"
    assert tables.of(KEY, device, started=True) == table
