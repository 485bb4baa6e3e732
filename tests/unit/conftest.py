"""Unit tests write into memory: on a drive, the file system took a third of their time."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty folder, in memory where there is such a place; gone after the test."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path_factory.mktemp("unit")
        return
    with tempfile.TemporaryDirectory(prefix="rackeye-unit-", dir=MEMORY) as folder:
        yield Path(folder)
