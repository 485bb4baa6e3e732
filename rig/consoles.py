"""The rack's consoles: /dev/tty1 and on in the guest, each a terminal that tests type on and read.

Here is the host's side (in the sandbox): a pseudo-terminal a console, what it shows kept in /rack/console-N.log; and
`picture`, which makes of that what a person would see.
"""

from __future__ import annotations

import asyncio
import os
import re
import tty
from dataclasses import dataclass
from pathlib import Path

from core.errors import RackRefused

TOKEN = re.compile(r"\x1b\[(\d*(?:;\d*)*)([A-Za-z])|(\r)|(\n)|([^\r\n\x1b\x07]+)|.", re.DOTALL)


@dataclass
class Terminal:
    """One console. slave: the end that the kernel has, kept open so that the line is not hung up between boots."""

    number: int
    master: int
    slave: int
    log: Path

    @property
    def path(self) -> str:
        """The terminal's name in the sandbox."""
        return os.ttyname(self.slave)


class Terminals:
    """All of them."""

    def __init__(self, count: int, folder: Path) -> None:
        self._folder = folder
        self._terminals: dict[int, Terminal] = {}
        for number in range(1, count + 1):
            self._terminals[number] = self._make(number)

    @property
    def arguments(self) -> tuple[str, ...]:
        """For the kernel's command line."""
        return tuple(f"con{number}=tty:{terminal.path}" for number, terminal in self._terminals.items())

    def send(self, number: int, data: bytes) -> None:
        """Types. Raises RackRefused."""
        os.write(self._of(number).master, data)

    def hang_up(self, number: int) -> None:
        """Pulls the plug: the guest's side is hung up. Raises RackRefused."""
        terminal = self._of(number)
        asyncio.get_running_loop().remove_reader(terminal.master)
        os.close(terminal.master)
        os.close(terminal.slave)
        del self._terminals[number]

    def clear(self) -> None:
        """The screens are dark when the power comes on."""
        for terminal in self._terminals.values():
            terminal.log.write_bytes(b"")

    def _of(self, number: int) -> Terminal:
        if number not in self._terminals:
            raise RackRefused(f"The rack has no console {number}.", hint="Rack(consoles=2) has 1 and 2.")
        return self._terminals[number]

    def _make(self, number: int) -> Terminal:
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        terminal = Terminal(number, master, slave, self._folder / f"console-{number}.log")
        terminal.log.write_bytes(b"")
        asyncio.get_running_loop().add_reader(master, _read, terminal)
        return terminal


def _read(terminal: Terminal) -> None:
    try:
        data = os.read(terminal.master, 65536)
    except OSError:
        return
    with terminal.log.open("ab") as log:
        log.write(data)


def picture(data: bytes) -> str:
    """What stands on the screen after all of this was shown: the lines, without what is empty below."""
    lines: list[str] = [""]
    row = column = 0
    for code, letter, back, down, text in TOKEN.findall(data.decode("ascii", errors="replace")):
        if letter == "J" and code == "2":
            lines = [""] * (row + 1)
        elif letter == "H":
            row = column = 0
        elif letter == "K":
            lines[row] = lines[row][:column]
        elif back:
            column = 0
        elif down:
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif text:
            lines[row] = lines[row][:column].ljust(column) + text + lines[row][column + len(text) :]
            column += len(text)
    return "\n".join(line.rstrip() for line in lines).rstrip("\n")
