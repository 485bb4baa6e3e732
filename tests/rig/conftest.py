"""A virtual rack for a module of tests: `rack`, and its `cameras`.

    pytestmark = [pytest.mark.rig]                                   # with Rackeye's daemons
    pytestmark = [pytest.mark.rig, pytest.mark.rack(daemons=False)]  # a bare rack; takes arguments of rig.rack.Rack

A failed test shows the end of the guest's journal.
"""

import os
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from core.errors import RackeyeError
from rig.rack import Rack, RackClient


def pytest_configure(config: pytest.Config) -> None:
    """Tells pytest of the marker."""
    config.addinivalue_line("markers", "rack(**arguments): how the module's rack shall be, arguments of rig.rack.Rack")


@pytest.fixture(scope="module")
def rack(request: pytest.FixtureRequest) -> Iterator[Rack]:
    """A fresh rack for this module."""
    mark = request.node.get_closest_marker("rack")
    arguments: dict[str, Any] = mark.kwargs if mark else {}
    name = f"{request.module.__name__.rpartition('.')[2]}_{os.getpid()}"
    with Rack(name, **arguments) as made:
        yield made


@pytest.fixture(scope="module")
def cameras(rack: Rack) -> dict[str, str]:
    """Test cameras in the rack's network: URLs by name (cam1 to cam4, secure, liar1, liar2)."""
    return rack.start_cameras()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows what the guest said when a test failed."""
    report = yield
    used = getattr(item, "funcargs", {}).get("rack")
    if report.failed and isinstance(used, RackClient):
        try:
            report.sections.append(("journal of the rack", used.journal(60)))
        except RackeyeError as error:
            report.sections.append(("journal of the rack", f"not there: {error}"))
    return report
