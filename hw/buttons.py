"""What a press of a button means (pure; spec/panel.md, "Buttons", and spec/boot.md: who has lost the password).

UID toggles at the press, silence ends the sound. Power: let go early it is a shutdown, held for `hold` it is off.
Reset: let go it is a reboot; held for `hold` from power-on it is a restore to default, after a minute's beeping that
another press ends. Times are CLOCK_MONOTONIC, which begins with the power and which all processes share.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hw.chassis import Button, ButtonRole
from hw.model import ButtonAct, Pressed

POWER_ON = 60.0
"""A button that was pressed this many seconds after the kernel's start, or before, was pressed at power-on."""
WARNING = 60.0
"""Seconds of beeping before a restore by the button."""
KEPT = 8
RESTORE_ALARM = "restore-by-button"
"""The alarm that paneld raises by itself in that minute."""


@dataclass(frozen=True, slots=True)
class Buttons:
    """held: since when each is down. restore_at: when the minute ends. pressed: what was asked for, newest last.

    uid: times that UID was pressed and nobody has acted on yet. silence: so was the one that ends the sound.
    """

    held: Mapping[ButtonRole, float] = field(default_factory=dict)
    restore_at: float | None = None
    pressed: tuple[Pressed, ...] = ()
    uid: int = 0
    silence: bool = False

    @property
    def alarms(self) -> tuple[str, ...]:
        """What shall be heard because of a button."""
        return () if self.restore_at is None else (RESTORE_ALARM,)

    def _asks(self, act: ButtonAct, now: float) -> "Buttons":
        return replace(self, pressed=(*self.pressed, Pressed(act, now))[-KEPT:])


def press(state: Buttons, button: Button, down: bool, now: float) -> Buttons:
    """A button went down or up."""
    since = state.held.get(button.role)
    if down:
        if state.restore_at is not None:  # somebody thinks better of it; the press does nothing else
            return replace(state, restore_at=None)
        if since is not None:
            return state
        if button.role is ButtonRole.UID:
            state = replace(state, uid=state.uid + 1)
        if button.role is ButtonRole.SILENCE:
            state = replace(state, silence=True)
        return replace(state, held={**state.held, button.role: now})
    if since is None:  # pressed before we looked, cancelled, or what it meant has happened
        return state
    state = replace(_ripe(state, button, now), held=_without(state.held, button.role))
    if now - since >= button.hold and _holds(button, since):
        return state
    match button.role:
        case ButtonRole.POWER:
            return state._asks(ButtonAct.SHUTDOWN, now)
        case ButtonRole.RESET:
            return state._asks(ButtonAct.REBOOT, now)
        case ButtonRole.UID | ButtonRole.SILENCE:
            return state


def pass_time(state: Buttons, buttons: tuple[Button, ...], now: float) -> Buttons:
    """Time went by: a button is held long enough, the minute is over."""
    for button in buttons:
        state = _ripe(state, button, now)
    if state.restore_at is not None and now >= state.restore_at:
        state = replace(state, restore_at=None)._asks(ButtonAct.RESTORE, now)
    return state


def due(state: Buttons, buttons: tuple[Button, ...], now: float) -> float | None:
    """Seconds until `pass_time` has something to do."""
    times = [since + button.hold for button in buttons
             if (since := state.held.get(button.role)) is not None and _holds(button, since)]
    times += [] if state.restore_at is None else [state.restore_at]
    return min((max(0.0, at - now) for at in times), default=None)


def _holds(button: Button, since: float) -> bool:
    """Whether holding it means something of its own."""
    return button.role is ButtonRole.POWER or (button.role is ButtonRole.RESET and since <= POWER_ON)


def _ripe(state: Buttons, button: Button, now: float) -> Buttons:
    since = state.held.get(button.role)
    if since is None or now - since < button.hold or not _holds(button, since):
        return state
    state = replace(state, held=_without(state.held, button.role))
    if button.role is ButtonRole.POWER:
        return state._asks(ButtonAct.OFF, now)
    return replace(state, restore_at=now + WARNING)


def _without(held: Mapping[ButtonRole, float], role: ButtonRole) -> dict[ButtonRole, float]:
    return {other: since for other, since in held.items() if other is not role}
