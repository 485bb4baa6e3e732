"""The console on loopback, with one loop for the whole module: `house`, and `run` to do something in its loop."""

import asyncio
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest

from tests.peers.house import House, open_house
from tests.private_bus import Bus

T = TypeVar("T")


class Run(Protocol):
    """Runs something in the console's loop."""

    def __call__(self, work: Coroutine[Any, Any, T], /) -> T: ...


@pytest.fixture
def run(bus: Bus) -> Iterator[Run]:
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture
def house(run: Run, tmp_path: Path) -> Iterator[House]:
    opened = open_house(tmp_path)
    yield run(opened.__aenter__())
    run(opened.__aexit__(None, None, None))
