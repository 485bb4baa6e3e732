"""Long work as bars in a terminal, as plain lines elsewhere. It can be left with Ctrl-C and goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import click

from core.errors import DaemonGone
from core.units import human_bytes, human_seconds, percent
from nvr.cli.client import RAID, Answer
from nvr.cli.output import UNKNOWN, can_redraw, clean, console
from nvr.cli.session import Session
from raid.model import Progress, RaidSnapshot

if TYPE_CHECKING:
    from rich.progress import TaskID

GONE_LIMIT = 120.0
"""Seconds that raidd may be away before it is said that nobody knows how the work goes."""
STUCK_LIMIT = 180.0
"""Seconds without any work under way after which what was asked for is held to have come to nothing."""


@dataclass(frozen=True, slots=True)
class Step:
    """How one piece of work stands. failed: why it ended badly, empty while it has not."""

    name: str
    text: str
    progress: Progress | None = None
    done: bool = False
    failed: str = ""

    @property
    def ended(self) -> bool:
        return self.done or bool(self.failed)


Judge = Callable[[RaidSnapshot], tuple[Step, ...]]


def work_text(progress: Progress | None) -> str:
    """"Rebuild 42 %, 120.0 MB/s, 1 h 05 min left"; empty when there is no work."""
    if progress is None:
        return ""
    speed = UNKNOWN if progress.speed is None else human_bytes(progress.speed)
    left = UNKNOWN if progress.seconds_left is None else human_seconds(progress.seconds_left)
    return f"{progress.kind} {percent(progress.percent)}, {speed}/s, {left} left"


def follow(session: Session, judge: Judge) -> tuple[Step, ...] | None:
    """Shows the work until all of it has ended; None when the person left it with Ctrl-C.

    Raises DaemonGone when raidd stays away too long; the work may go on all the same.
    """
    gone_since: float | None = None
    stuck = _Stuck(session.clock.monotonic)
    try:
        with shower(session) as shown:
            for view in session.client.watch(RAID):
                answer = view.of(RAID)
                gone_since = None if answer.error is None else gone_since or session.clock.monotonic()
                give_up(session, answer, gone_since)
                if answer.error is not None or answer.envelope is None:
                    shown.note("rackeye-raidd is not there. The work goes on without it; waiting.")
                    continue
                steps = stuck.told(judge(answer.data))
                shown.show(steps)
                if all(step.ended for step in steps):
                    return steps
    except KeyboardInterrupt:
        click.echo("\nThe work goes on. To find it again: rackeye vd --watch", err=True)
    return None


def give_up(session: Session, answer: Answer[RaidSnapshot], gone_since: float | None) -> None:
    """Raises when raidd has been away too long."""
    if gone_since is not None and session.clock.monotonic() - gone_since > GONE_LIMIT:
        raise answer.error or DaemonGone("rackeye-raidd does not answer.")


class _Stuck:
    """Ends what waits for nothing: no work under way, and nothing new for long."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._before: tuple[Step, ...] = ()
        self._since = now()

    def told(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        if steps != self._before or any(step.progress for step in steps):
            self._before, self._since = steps, self._now()
        if self._now() - self._since < STUCK_LIMIT:
            return steps
        waited = f"nothing has happened for {human_seconds(STUCK_LIMIT)}"
        return tuple(step if step.ended else replace(step, failed=f"{step.text}; {waited}.") for step in steps)


class Shower(Protocol):
    """Shows how pieces of work stand."""

    def show(self, steps: tuple[Step, ...]) -> None: ...

    def note(self, sentence: str) -> None: ...


class _Silent:
    def show(self, steps: tuple[Step, ...]) -> None: ...

    def note(self, sentence: str) -> None: ...


class _Lines:
    """A line when the kind of work changes, and each ten per cent."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[str, int]] = {}

    def show(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            tens = int(step.progress.percent // 10) if step.progress else -1
            kind = step.failed or (step.progress.kind if step.progress else step.text)
            if self._said.get(step.name) != (kind, tens):
                self._said[step.name] = (kind, tens)
                click.echo(f"{clean(step.name)}: {clean(step.failed or work_text(step.progress) or step.text)}")

    def note(self, sentence: str) -> None:
        if self._said.get("") != (sentence, 0):
            self._said[""] = (sentence, 0)
            click.echo(sentence)


class _Bars:
    """A bar for each piece of work."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415 -- only in a terminal

        self.bars = Progress(
            TextColumn("{task.fields[label]}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[state]}", markup=False),
            console=console(),
        )
        self._tasks: dict[str, TaskID] = {}

    def show(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            if step.name not in self._tasks:
                self._tasks[step.name] = self.bars.add_task("", total=100, label=clean(step.name), state="")
            done = 100.0 if step.done else step.progress.percent if step.progress else 0.0
            state = clean(step.failed or work_text(step.progress) or step.text)
            self.bars.update(self._tasks[step.name], completed=done, state=state)

    def note(self, sentence: str) -> None:
        for task in self._tasks.values():
            self.bars.update(task, state=sentence)


@contextmanager
def shower(session: Session) -> Iterator[Shower]:
    """Bars, lines, or nothing, by where the output goes."""
    if session.as_json:
        yield _Silent()
    elif can_redraw():
        bars = _Bars()
        with bars.bars:
            yield bars
    else:
        yield _Lines()
