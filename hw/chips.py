"""What LED chips can blink (facts/hardware.md): a profile is held against this before a lamp is ever set.

A chip with its own blink registers has few of them, shared by all its LEDs: asked for one rate more, the kernel's
driver silently changes the rate of another LED or gives the work back to a timer, which dies with nobody noticing.
"""

from collections.abc import Collection
from enum import StrEnum

from hw.leds import RATE_TOLERANCE


class ChipKind(StrEnum):
    """timer: any rate, by the kernel's timer trigger; static: on and off only; others: the chip of that name."""

    TIMER = "timer"
    STATIC = "static"
    PCA9552 = "pca9552"
    PCA9532 = "pca9532"


_CLOCK_HZ = {ChipKind.PCA9552: 44.0, ChipKind.PCA9532: 152.0}
"""Blink rate = clock / (PSC + 1), PSC 0 to 255."""

_BLINK_REGISTERS = 2


def refusal(kind: ChipKind, rates: Collection[float]) -> str | None:
    """Why a chip cannot blink its LEDs at all of `rates` (Hz), or None when it can."""
    wanted = sorted(set(rates))
    if kind is ChipKind.TIMER or not wanted:
        return None
    if kind is ChipKind.STATIC:
        return f"it cannot blink; wanted: {_hz(wanted)}"
    for rate in wanted:
        nearest = _nearest(kind, rate)
        if abs(nearest - rate) > RATE_TOLERANCE * rate:
            return f"it cannot blink at {rate:g} Hz: the nearest is {nearest:.3g} Hz"
    if len(wanted) > _BLINK_REGISTERS:
        return f"it has {_BLINK_REGISTERS} blink rates for all its LEDs; wanted: {_hz(wanted)}"
    return None


def _nearest(kind: ChipKind, rate: float) -> float:
    clock = _CLOCK_HZ[kind]
    prescaler = min(max(round(clock / rate) - 1, 0), 255)
    return clock / (prescaler + 1)


def _hz(rates: list[float]) -> str:
    return ", ".join(f"{rate:g}" for rate in rates) + " Hz"
