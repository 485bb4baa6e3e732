"""The version wherever it is shown: V<version>, in Failover Mode V<version>R."""

from dataclasses import replace
from pathlib import Path

import pytest

from boot.model import BUS_NAME, BoxSnapshot, Mode
from boot.state import StateStore
from boot.version import version_text
from core.clock import ManualClock
from core.paths import Paths
from nvr.cli import main
from tests.unit.nvr.cli.fakes import FakeClient, rackeye


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateStore:
    monkeypatch.setattr(main, "PATHS", Paths(tmp_path))
    return StateStore(Paths(tmp_path))


def said(snapshot: BoxSnapshot | None = None) -> str:
    client = FakeClient(ManualClock())
    if snapshot is not None:
        client.said = {BUS_NAME: snapshot}
    return rackeye(client, "--version").stdout


def test_the_command_line_says_the_version_as_all_others_do(store: StateStore) -> None:
    assert said() == f"rackeye {version_text(Mode.STANDARD)}\n"
    store.change(lambda record: replace(record, mode=Mode.FAILOVER))
    assert said() == f"rackeye {version_text(Mode.FAILOVER)}\n"
    assert said().startswith("rackeye V")
    assert said().endswith("R\n")


def test_who_may_not_read_the_record_hears_it_from_boxd(store: StateStore) -> None:
    store.change(lambda record: record)
    for copy in store.copies:  # for root nothing is forbidden: a folder stands for a file that cannot be read
        copy.unlink()
        copy.mkdir()
    assert said(BoxSnapshot(Mode.FAILOVER)) == f"rackeye {version_text(Mode.FAILOVER)}\n"
    assert said() == f"rackeye {version_text(Mode.STANDARD)}\n"
