"""From the bytes of a console to keys, and line noise kept out. Pure: time is given.

A serial line without a plug, or at another speed, makes bytes that nobody typed. Nobody types more than some 20 keys a
second for long, and a keyboard sends no bytes that are not text or a known key: both end what a console says for a
while, and a console that does it again and again is no console.
"""

from dataclasses import dataclass, field
from enum import Enum, auto


class Special(Enum):
    """Keys that are not a character."""

    ENTER = auto()
    UP = auto()
    DOWN = auto()
    ERASE = auto()
    ESCAPE = auto()


Key = Special | str

ARROWS = {b"\x1b[A": Special.UP, b"\x1b[B": Special.DOWN, b"\x1bOA": Special.UP, b"\x1bOB": Special.DOWN}
OTHERS = {0x0D: Special.ENTER, 0x0A: Special.ENTER, 0x7F: Special.ERASE, 0x08: Special.ERASE}
LONE_ESCAPE = 0.3
"""Seconds after which an escape that nothing followed was the key of that name."""
WINDOW, MOST = 1.0, 40
"""More bytes than this within so many seconds are noise."""
QUIET = 10.0
"""Seconds for which a console that made noise is not heard."""
STRIKES = 3
"""Times after which a console that makes noise is dropped."""


@dataclass(slots=True)
class KeyReader:
    """What one console says. strikes: how often it made noise."""

    strikes: int = 0
    _rest: bytes = b""
    _since: float = 0.0
    _deaf_until: float = float("-inf")
    _recent: list[tuple[float, int]] = field(default_factory=list)

    @property
    def hopeless(self) -> bool:
        """It made noise too often."""
        return self.strikes >= STRIKES

    def feed(self, data: bytes, now: float) -> list[Key]:
        """The keys in what was read (b"" when time alone went by)."""
        if now < self._deaf_until:
            return []
        self._recent = [(at, count) for at, count in self._recent if now - at < WINDOW]
        if data:
            self._recent.append((now, len(data)))
            self._since = now
        keys = self._parse(self._rest + data, now)
        if keys is None or sum(count for _, count in self._recent) > MOST:
            self.strikes += 1
            self._rest, self._recent, self._deaf_until = b"", [], now + QUIET
            return []
        return keys

    def _parse(self, data: bytes, now: float) -> list[Key] | None:
        """None when there is a byte that no keyboard sends."""
        keys: list[Key] = []
        self._rest = b""
        while data:
            if data[:3] in ARROWS:
                keys.append(ARROWS[data[:3]])
                data = data[3:]
            elif data[0] == 0x1B:
                if any(known.startswith(data) for known in ARROWS) and now - self._since < LONE_ESCAPE:
                    self._rest = data  # the rest of an arrow may be on its way
                    return keys
                keys.append(Special.ESCAPE)
                tail = _sequence(data)
                data = data[tail:]
            elif data[0] in OTHERS:
                size = 2 if data[:2] == b"\r\n" else 1
                keys.append(OTHERS[data[0]])
                data = data[size:]
            elif 0x20 <= data[0] < 0x7F:
                keys.append(chr(data[0]))
                data = data[1:]
            elif data[0] in (0x09, 0x03, 0x04):  # tab, Ctrl-C, Ctrl-D: typed by people, and mean nothing here
                data = data[1:]
            else:
                return None
        return keys


def _sequence(data: bytes) -> int:
    """Length of an escape sequence of a key that means nothing here (F5, Home), so that its digits choose nothing."""
    if data[1:2] not in (b"[", b"O"):
        return 1
    for index in range(2, len(data)):
        if 0x40 <= data[index] <= 0x7E:
            return index + 1
    return len(data)
