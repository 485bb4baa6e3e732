"""Terminals: flushed when opened, drawn with what changed, dropped when dead. On pseudo-terminals."""

import os
import select
import tty
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from boot.consoles import Consoles
from boot.keys import Special
from core.paths import Paths


class Line:
    """A terminal with a person (the master's end)."""

    def __init__(self, dev: Path, name: str) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        (dev / name).symlink_to(os.ttyname(slave))
        self.slave = slave

    def seen(self) -> str:
        if not select.select([self.master], [], [], 1.0)[0]:
            return ""
        return os.read(self.master, 65536).decode()

    def close(self) -> None:
        os.close(self.slave)
        os.close(self.master)


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[tuple[Paths, Line, Line]]:
    (tmp_path / "dev").mkdir()
    one, two = (Line(tmp_path / "dev", name) for name in ("ttyS0", "ttyS1"))
    yield Paths(tmp_path), one, two
    for line in (one, two):
        with suppress(OSError):  # a test hung it up
            line.close()


def typed(consoles: Consoles) -> list[object]:
    ready = select.select(consoles.handles, [], [], 1.0)[0]
    return [key for handle in ready for key in consoles.read(handle, 1.0)]


def test_what_was_typed_before_the_menu_is_not_heard(lines: tuple[Paths, Line, Line]) -> None:
    paths, one, _ = lines
    os.write(one.master, b"2\ry\r")
    consoles = Consoles(paths, ("ttyS0",))
    assert select.select(consoles.handles, [], [], 0.05)[0] == []
    os.write(one.master, b"2\r")
    assert typed(consoles) == ["2", Special.ENTER]
    consoles.close()


def test_every_console_shows_the_same_and_only_what_changed(lines: tuple[Paths, Line, Line]) -> None:
    paths, one, two = lines
    consoles = Consoles(paths, ("ttyS0", "ttyS1"))
    consoles.show(("Rackeye", "in 10 s"))
    assert one.seen() == two.seen() == "\x1b[H\x1b[2JRackeye\r\nin 10 s"
    consoles.show(("Rackeye", "in 9 s"))
    assert one.seen() == two.seen() == "\rin 9 s\x1b[K"
    consoles.close()


def test_dead_and_missing_consoles_leave_the_others(lines: tuple[Paths, Line, Line]) -> None:
    paths, one, two = lines
    consoles = Consoles(paths, ("ttyS9", "ttyS0", "ttyS1"))
    assert len(consoles.handles) == 2
    one.close()
    assert typed(consoles) == []
    consoles.show(("Rackeye", ""))
    assert len(consoles.handles) == 1
    os.write(two.master, b"\x1b[B")
    assert typed(consoles) == [Special.DOWN]
    consoles.close()


def test_a_console_that_takes_nothing_does_not_stop_the_menu(lines: tuple[Paths, Line, Line]) -> None:
    paths, one, two = lines
    consoles = Consoles(paths, ("ttyS0", "ttyS1"))
    for number in range(1000):  # nobody reads the first
        consoles.show(("x" * 70, str(number)))
        two.seen()
    consoles.show(("end", ""))
    assert len(consoles.handles) == 2
    assert "end" in two.seen()
    assert one.seen()
    consoles.close()


def test_a_file_is_no_console(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/ttyS0").write_text("")
    assert Consoles(Paths(tmp_path), ("ttyS0",)).handles == ()
