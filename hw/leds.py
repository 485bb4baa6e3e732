"""What the LEDs of a bay show, and why (pure). To change the amber LED's rate, change it in `TRAY`.

Table, priority and tolerance: spec/panel.md, "Tray LEDs".
"""

from dataclasses import dataclass

from hw.model import LampMode as LampMode  # noqa: PLC0414 -- the drivers have it from here, with Lamp
from hw.model import TrayCondition, TrayLight

RATE_TOLERANCE = 0.06
"""Rates hold to 6 %: the kernel's own timer trigger gives 3.81 Hz for 4 at HZ=250 (facts/hardware.md)."""


@dataclass(frozen=True, slots=True)
class Lamp:
    """One LED: off, on, or blinking at `hz` with equal times on and off."""

    mode: LampMode
    hz: float = 0.0

    def agrees(self, other: "Lamp") -> bool:
        """The same to the eye: chips that blink by themselves round the rate to what they can do."""
        if self.mode is not other.mode or self.mode is LampMode.OTHER:
            return False
        return abs(self.hz - other.hz) <= RATE_TOLERANCE * max(self.hz, other.hz)

    def __str__(self) -> str:
        return f"{self.hz:g} Hz" if self.mode is LampMode.BLINK else self.mode.value.lower()


OFF = Lamp(LampMode.OFF)
ON = Lamp(LampMode.ON)


def blink(hz: float) -> Lamp:
    """An LED that blinks at `hz`."""
    return Lamp(LampMode.BLINK, hz)


@dataclass(frozen=True, slots=True)
class Tray:
    """The two LEDs of a bay: green Activity and amber Status."""

    activity: Lamp
    status: Lamp


TRAY: dict[TrayLight, Tray] = {
    TrayLight.ABSENT: Tray(activity=OFF, status=OFF),
    TrayLight.PRESENT: Tray(activity=ON, status=OFF),
    TrayLight.ACTIVE: Tray(activity=blink(4.0), status=OFF),
    TrayLight.REBUILD: Tray(activity=OFF, status=blink(1.0)),
    TrayLight.FAILED: Tray(activity=OFF, status=ON),
    TrayLight.LOCATE: Tray(activity=OFF, status=blink(4.0)),
}

ACTIVITY_RATES = tuple(sorted({t.activity.hz for t in TRAY.values() if t.activity.mode is LampMode.BLINK}))
STATUS_RATES = tuple(sorted({t.status.hz for t in TRAY.values() if t.status.mode is LampMode.BLINK}))


def tray_light(*, present: bool | None, active: bool, locate: bool, condition: TrayCondition) -> TrayLight:
    """The light of a bay: locate outranks failed, failed outranks rebuilding, so that a person sent to it finds it.

    present: None when it is not known."""
    if locate:
        return TrayLight.LOCATE
    if condition is TrayCondition.FAILED or (condition is TrayCondition.MEMBER and present is False):
        return TrayLight.FAILED
    if condition is TrayCondition.REBUILD:
        return TrayLight.REBUILD
    if present:
        return TrayLight.ACTIVE if active else TrayLight.PRESENT
    return TrayLight.ABSENT


def light_shown(activity: Lamp | None, status: Lamp | None) -> TrayLight | None:
    """Which light two LEDs show; None when one of them is not known or they show nothing of ours."""
    if activity is None or status is None:
        return None
    for light, tray in TRAY.items():
        if tray.activity.agrees(activity) and tray.status.agrees(status):
            return light
    return None
