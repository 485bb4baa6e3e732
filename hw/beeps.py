"""What the beeper plays, and when (pure; spec/panel.md, "Beeps"). To change a tone's length, change it here.

A code is so many short tones, once. The alarm is tones five times as long, without end: who counts a code never meets a
long tone, and an alarm never stops to be counted. Between the two lies a silence that is longer than any in them.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from hw.model import BeeperView, Conditions, Sound

CODES: dict[int, str] = {
    1: "Invalid password.",
    4: "A required early-boot protocol is not available (development).",
    5: "No console input or output device was found.",
    6: "The flash (firmware) update failed.",
    7: "The platform cannot be reset: the reset protocol is not available (development).",
    8: "The platform's PCI resource requirements cannot be met.",
}

POLICY_SILENT = "policyd-silent"
"""The alarm that paneld raises by itself."""

QUEUE = 8
"""So many codes wait at most; more would still sound when nobody remembers why."""


@dataclass(frozen=True, slots=True)
class Tune:
    """Steps of (tone on, milliseconds), played once or without end."""

    steps: tuple[tuple[bool, int], ...]
    endless: bool = False

    @property
    def seconds(self) -> float:
        """Of one pass."""
        return sum(length for _, length in self.steps) / 1000


SHORT, LONG, BREAK, PAUSE = 200, 1000, 500, 2000
"""Milliseconds: tone and gap of a code, tone and gap of the alarm, silence before and after a code."""

ALARM = Tune(((True, LONG), (False, BREAK)), endless=True)


def code_tune(code: int, *, after_alarm: bool) -> Tune:
    """So many short tones. after_alarm: with the silence before it that sets it off from an alarm."""
    lead = ((False, PAUSE),) if after_alarm else ()
    return Tune((*lead, *((True, SHORT), (False, SHORT)) * code))


@dataclass(frozen=True, slots=True)
class BeepMemory:
    """silenced: alarms that were there when somebody asked for silence. code: being played, until `until` (UTC)."""

    silenced: tuple[str, ...] = ()
    queue: tuple[int, ...] = ()
    code: int | None = None
    until: float = 0.0

    def with_code(self, code: int) -> "BeepMemory":
        """One more to play; dropped when too many wait."""
        return replace(self, queue=(*self.queue, code)[:QUEUE])


@dataclass(frozen=True, slots=True)
class Play:
    """Action: begin with a tune, whatever sounds now. code: None for the alarm."""

    tune: Tune
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Hush:
    """Action: no sound."""


@dataclass(frozen=True, slots=True)
class Beeping:
    """What is decided. again: seconds until something is due."""

    memory: BeepMemory
    action: Play | Hush | None = None
    again: float | None = field(default=None)


def asked_for(conditions: Conditions, policy_silent: bool) -> tuple[str, ...]:
    """All alarms that shall be heard unless they are silenced."""
    own = (POLICY_SILENT,) if policy_silent else ()
    return (*conditions.alarms, *own)


def heard(memory: BeepMemory, asked: Collection[str]) -> tuple[str, ...]:
    """The alarms that sound: once one is new, all do, so that silence lasts until the next new condition."""
    return () if set(asked) <= set(memory.silenced) else tuple(asked)


def decide(memory: BeepMemory, asked: tuple[str, ...], sound: Sound, now: float) -> Beeping:
    """Codes first, one after the other; then the alarm; then silence. sound: what the beeper does, read back."""
    memory = replace(memory, silenced=tuple(name for name in memory.silenced if name in asked))
    # A clock that was set back must not hold the queue for ever.
    left = memory.until - now
    if memory.code is not None and 0 < left < 60:
        return Beeping(memory, again=left)
    if memory.queue:
        code, *rest = memory.queue
        tune = code_tune(code, after_alarm=sound is Sound.ALARM)
        until = now + tune.seconds + PAUSE / 1000
        playing = replace(memory, queue=tuple(rest), code=code, until=until)
        return Beeping(playing, Play(tune, code), until - now)
    memory = replace(memory, code=None, until=0.0)
    if heard(memory, asked):
        return Beeping(memory, None if sound is Sound.ALARM else Play(ALARM))
    return Beeping(memory, None if sound is Sound.SILENT else Hush())


def silence(asked: tuple[str, ...]) -> BeepMemory:
    """Somebody pressed the button: what holds now is silent, and so are the codes that wait."""
    return BeepMemory(silenced=asked)


def view(memory: BeepMemory, asked: tuple[str, ...], sound: Sound | None) -> BeeperView:
    """What other programs see."""
    audible = heard(memory, asked)
    quiet = tuple(name for name in asked if name not in audible)
    return BeeperView(sound, memory.code, memory.queue, audible, quiet)
