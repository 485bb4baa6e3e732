"""core.journal: what arrives at the journal's socket, by its native protocol."""

import logging
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.journal import JournalHandler, Logger, fields_of


@dataclass(frozen=True)
class Fail:
    """An action."""

    array: str
    vd: str
    bay: int | None
    serial: str


def test_an_actions_fields() -> None:
    assert fields_of(Fail("md127", "vd0", 2, "SN2")) == {"array": "vd0", "bay": 2, "serial": "SN2"}
    assert fields_of(Fail("md127", "vd0", None, "")) == {"array": "vd0"}
    assert fields_of("anything") == {}


@pytest.mark.parametrize("text", ["Bay 2 failed.", "two\nlines", "Ünï"])
def test_a_line_with_its_fields(tmp_path: Path, text: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(tmp_path / "socket"))
        logger = logging.Logger("rackeye-test")
        logger.addHandler(JournalHandler(str(tmp_path / "socket")))
        Logger(logger, {}).error(text, bay=2, array="vd0")
        entry = journal.recv(4096)
    data = text.encode()
    message = b"MESSAGE=" + data + b"\n"
    if b"\n" in data:
        message = b"MESSAGE\n" + len(data).to_bytes(8, "little") + data + b"\n"
    assert entry == message + b"PRIORITY=3\nSYSLOG_IDENTIFIER=rackeye-test\nBAY=2\nARRAY=vd0\n"
