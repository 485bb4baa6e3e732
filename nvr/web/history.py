"""The sensors' last minutes, kept here so that a page that is just opened has a plot."""

from collections import deque
from dataclasses import dataclass, field

from hw.model import FanSnapshot

SPAN = 600.0
STEP = 4.0
"""Seconds between two points at the least; 150 points are enough for a small plot."""


@dataclass(slots=True)
class History:
    """Points (UTC seconds, value or None) of each sensor."""

    sensors: dict[str, deque[tuple[float, float | None]]] = field(default_factory=dict)
    _last: float = 0.0

    def add(self, snapshot: FanSnapshot | None, now: float) -> None:
        """None: the daemon is gone, which is a hole in every plot."""
        if snapshot is not None and 0 <= now - self._last < STEP:
            return
        self._last = now
        values = dict.fromkeys(self.sensors) | {
            sensor.name: sensor.value for sensor in (snapshot.sensors if snapshot else ())}
        for name, value in values.items():
            points = self.sensors.setdefault(name, deque())
            points.append((now, value))
            while points and (points[0][0] < now - SPAN or points[0][0] > now):
                points.popleft()
        for name in [name for name, points in self.sensors.items() if all(value is None for _, value in points)]:
            del self.sensors[name]
