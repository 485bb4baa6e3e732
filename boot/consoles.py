"""All consoles of the appliance at one time: raw, non-blocking, each dropped when it dies. No decisions here.

Which there are: those that the kernel uses (/sys/class/tty/console/active), the screen only with a keyboard; or those
that the setting `boot.consoles` names.
"""

import os
import termios
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from boot.keys import Key, KeyReader
from core.journal import get_logger
from core.paths import Paths

log = get_logger("rackeye-boot-menu")
EV_REP = 1 << 20
"""Keys that repeat: a keyboard and not a power button (linux/input-event-codes.h)."""


def names(paths: Paths, named: tuple[str, ...]) -> tuple[str, ...]:
    """The consoles' names below /dev; none when nobody could see or type anything."""
    if named:
        return named
    try:
        active = (paths.sys / "class/tty/console/active").read_text().split()
    except OSError:
        return ()
    found = []
    for name in active:
        if name.startswith("tty") and name[3:].isdigit():
            if has_keyboard(paths):
                found.append("tty1" if name == "tty0" else name)
        else:
            found.append(name)
    return tuple(dict.fromkeys(found))


def has_keyboard(paths: Paths) -> bool:
    """Whether the kernel knows an input device that is a keyboard."""
    with suppress(OSError, ValueError):
        for line in (paths.proc / "bus/input/devices").read_text().splitlines():
            if line.startswith("B: EV=") and int(line.removeprefix("B: EV="), 16) & EV_REP:
                return True
    return False


@dataclass(slots=True)
class Console:
    """One open terminal. frame: what it shows."""

    name: str
    handle: int
    before: list[object]
    reader: KeyReader = field(default_factory=KeyReader)
    frame: tuple[str, ...] = ()


class Consoles:
    """Those that live."""

    def __init__(self, paths: Paths, wanted: tuple[str, ...]) -> None:
        self._alive: dict[int, Console] = {}
        for name in wanted:
            try:
                console = _open(paths.dev / name)
            except (OSError, termios.error) as error:
                log.warning(f"The console {name} cannot be used: {error}.")
            else:
                self._alive[console.handle] = console

    @property
    def handles(self) -> tuple[int, ...]:
        """To wait for."""
        return tuple(self._alive)

    def read(self, handle: int, now: float) -> list[Key]:
        """The keys of a console that has something to say; a dead one is dropped."""
        console = self._alive.get(handle)
        if console is None:
            return []
        try:
            data = os.read(handle, 256)
        except BlockingIOError:
            return []
        except OSError as error:
            self._drop(console, f"it died: {error.strerror}")
            return []
        if not data:
            self._drop(console, "its line was hung up")
            return []
        return self._heard(console, data, now)

    def pass_time(self, now: float) -> list[Key]:
        """A lone escape becomes a key when nothing follows."""
        return [key for console in list(self._alive.values()) for key in self._heard(console, b"", now)]

    def show(self, frame: tuple[str, ...]) -> None:
        """Draws what changed; a console that takes nothing now is tried again at the next change."""
        for console in list(self._alive.values()):
            if console.frame == frame:
                continue
            if console.frame[:-1] == frame[:-1]:
                text = "\r" + frame[-1] + "\x1b[K"
            else:
                text = "\x1b[H\x1b[2J" + "\r\n".join(frame)
            if self._write(console, text):
                console.frame = frame

    def bell(self) -> None:
        """One beep by the terminals themselves."""
        for console in list(self._alive.values()):
            self._write(console, "\a")

    def close(self) -> None:
        """Gives the terminals back as they were."""
        for console in self._alive.values():
            self._write(console, "\r\n")
            with suppress(termios.error, OSError):
                termios.tcsetattr(console.handle, termios.TCSANOW, console.before)  # type: ignore[arg-type]
            os.close(console.handle)
        self._alive.clear()

    def _heard(self, console: Console, data: bytes, now: float) -> list[Key]:
        keys = console.reader.feed(data, now)
        if console.reader.hopeless:
            self._drop(console, "it makes noise")
        return keys

    def _write(self, console: Console, text: str) -> bool:
        data = text.encode("ascii", errors="replace")
        try:
            return os.write(console.handle, data) == len(data)
        except BlockingIOError:
            console.frame = ()
        except OSError as error:
            self._drop(console, f"it died: {error.strerror}")
        return False

    def _drop(self, console: Console, why: str) -> None:
        log.warning(f"The console {console.name} is dropped: {why}.")
        self._alive.pop(console.handle, None)
        with suppress(OSError):
            os.close(console.handle)


def _open(path: Path) -> Console:
    """Raw, and without what was typed before anybody could see the menu. Raises OSError, termios.error."""
    handle = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        before = termios.tcgetattr(handle)
        raw = termios.tcgetattr(handle)
        raw[0] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.ISTRIP | termios.BRKINT)
        raw[0] |= termios.IGNBRK | termios.IGNPAR
        raw[1] &= ~termios.OPOST
        raw[2] |= termios.CLOCAL | termios.CREAD
        raw[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
        raw[6][termios.VMIN], raw[6][termios.VTIME] = 1, 0
        termios.tcsetattr(handle, termios.TCSANOW, raw)
        termios.tcflush(handle, termios.TCIFLUSH)
    except BaseException:
        os.close(handle)
        raise
    return Console(path.name, handle, before)
