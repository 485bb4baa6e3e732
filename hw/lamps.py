"""The LEDs of a chassis, read back; an event of a drive does not wait until all are read again."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from core.clock import Clock, SystemClock
from core.errors import LedGone
from hw.chassis import Led, Profile
from hw.drivers.sysfs_led import SysfsFiles, SysfsLeds
from hw.leds import Lamp
from hw.profile import InForce

FRESH = 9.0
"""Seconds that what was read counts: less than between two looks without an event. Another hand is seen within 10 s."""


@dataclass(slots=True)
class Lamps:
    """What each LED shows. Safe to use from two threads: a look may read while a command sets."""

    clock: Clock = field(default_factory=SystemClock)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _of: InForce | None = None
    _at: float = 0.0
    _known: dict[str, Lamp] = field(default_factory=dict)
    _problems: tuple[str, ...] = ()
    _writes: int = 0
    _set: dict[str, Lamp] = field(default_factory=dict)

    def now(self, read: Mapping[str, Lamp]) -> dict[str, Lamp]:
        """What a look has read, and what was set after it."""
        with self._lock:
            return {name: self._set.get(name, lamp) for name, lamp in read.items()}

    def read(self, chassis: InForce) -> tuple[dict[str, Lamp], tuple[str, ...]]:
        """Lamps by LED name, and a sentence for each LED that cannot be read, which is not among them."""
        with self._lock:
            writes = self._writes
            if self._of is chassis and not self._problems and self.clock.monotonic() - self._at < FRESH:
                self._set.clear()
                return dict(self._known), ()
        at = self.clock.monotonic()
        known, problems = _read(chassis)
        with self._lock:
            if writes == self._writes:  # else what was read first may be older than what was set meanwhile
                self._of, self._at, self._known, self._problems = chassis, at, dict(known), problems
                self._set.clear()
            else:
                self._of = None
        return known, problems

    def write(self, chassis: InForce, led: Led, lamp: Lamp) -> None:
        """Sets one LED and reads it back. Raises LedGone, LedStuck."""
        try:
            SysfsLeds(SysfsFiles(chassis.sysfs)).write(led.name, lamp)
        except BaseException:
            with self._lock:
                self._writes, self._of = self._writes + 1, None
                self._set.pop(led.name, None)
            raise
        with self._lock:
            self._writes += 1
            self._known[led.name] = self._set[led.name] = lamp


def _read(chassis: InForce) -> tuple[dict[str, Lamp], tuple[str, ...]]:
    leds = SysfsLeds(SysfsFiles(chassis.sysfs))
    lamps: dict[str, Lamp] = {}
    problems = []
    for place, led in _leds(chassis.profile):
        try:
            lamps[led.name] = leds.read(led.name)
        except LedGone as error:
            problems.append(f"{place}: {error.sentence}")
    return lamps, tuple(problems)


def _leds(profile: Profile) -> Iterator[tuple[str, Led]]:
    for bay in profile.bays:
        for led in (bay.activity, bay.status):
            if led is not None:
                yield f"Bay {bay.number}", led
    for panel in profile.panel:
        yield f"Panel ({panel.role.value})", panel.led
