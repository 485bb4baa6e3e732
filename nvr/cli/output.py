"""How things are said: sentences, tables, JSON, errors; once, and again at each change."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click
import msgspec
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from core.errors import RackeyeError
from core.units import human_bytes, human_seconds, utc_text
from nvr.cli.client import Answer, Source, View
from nvr.cli.session import Session

UNKNOWN = "???"
STALE_AFTER = 90.0
"""Seconds: a daemon looks every 30 s, so figures that must move and do not for three looks are stale."""
PIPE_WIDTH = 250
"""Columns when the output is no terminal: lines are not broken for a program."""

_COLOURS = {
    "green": "Online, Optimal, Unconfigured Good, Hot Spare, Clean, Good, OK, recording, ready, running, "
    "PRESENT, ACTIVE",
    "yellow": "Watch, Rebuild, Copyback, Foreign, Stale, Shield, Stopped, Warning, connecting, REBUILD, FAILED",
    "bold yellow": "Degraded, Partially Degraded, LOCATE",
    "red": "Unconfigured Bad, unreachable, refused, wrong password, bad stream, frozen, unmounted, no identity, "
    "system drive, read-only",
    "bold red": "Failed, Failing, Missing, Offline, Critical, ALARM, Wrong stripes, no volume, failed, gone",
    "bold magenta": f"Unknown, UNKNOWN, MISSING, {UNKNOWN}",
}
STYLES = {word: colour for colour, words in _COLOURS.items() for word in words.split(", ")}


def console() -> Console:
    """The console of stdout; wide where it is no terminal."""
    plain = Console(highlight=False, markup=False, emoji=False)
    if plain.is_terminal:
        return plain
    return Console(highlight=False, markup=False, emoji=False, width=PIPE_WIDTH)


def can_redraw() -> bool:
    """True when stdout is a terminal that can write over what it showed."""
    out = console()
    return out.is_terminal and not out.is_dumb_terminal


def clean(text: object) -> str:
    """Text from drives, cameras and daemons without what a terminal would obey."""
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in str(text))


def known(value: object | None) -> str:
    """A value in words; ??? for what is not known."""
    return UNKNOWN if value is None or value == "" else clean(value)


def styled(value: object | None) -> Text:
    """A state in its colour."""
    text = known(value)
    return Text(text, STYLES.get(text, ""))


def size(count: int | None) -> str:
    """Bytes; ??? when they are not known (0 of a drive that is not there)."""
    return human_bytes(count) if count else UNKNOWN


def ago(at: float | None, now: float) -> str:
    """The age of a moment; ??? when there is none."""
    return UNKNOWN if at is None else f"{human_seconds(now - at)} ago"


def table(columns: Sequence[str], rows: Iterable[Sequence[RenderableType]], right: Sequence[str] = ()) -> Table:
    """A table of plain cells (their text is taken as it is)."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(clean(cell)) if isinstance(cell, str) else cell for cell in row))
    return made


def remarks(rows: Iterable[tuple[str, str]]) -> list[Text]:
    """Sentences about rows of the table above, a line each: in a column they would be too narrow to read."""
    return [Text(clean(f"{name}: {text}")) for name, text in rows if text]


def pairs(rows: Iterable[tuple[str, RenderableType]]) -> Table:
    """Names and values."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        made.add_row(name, Text(clean(value)) if isinstance(value, str) else value)
    return made


# -- age -------------------------------------------------------------------------------------------------------------


def age(answer: Answer[Any], now: float) -> float | None:
    """Seconds since the daemon last had something new to say; None when it said nothing."""
    return None if answer.envelope is None else max(0.0, now - answer.envelope.at)


def is_stale(answer: Answer[Any], now: float, *, moving: bool = False) -> bool:
    """The daemon is gone, or `moving` figures (a rebuild, a recording) have stood still too long."""
    old = age(answer, now)
    return answer.error is not None or (moving and old is not None and old > STALE_AFTER)


def notes(source: Source[Any], answer: Answer[Any], now: float, *, moving: bool = False) -> list[Text]:
    """What must be said of an answer's age; nothing when it is fresh."""
    if answer.envelope is None or not is_stale(answer, now, moving=moving):
        return []
    when = f"from {utc_text(answer.envelope.at)}, {ago(answer.envelope.at, now)}"
    why = answer.error.sentence if answer.error else f"{source.unit} has said nothing new since."
    return [Text(f"STALE: this is {when}. {clean(why)}", "bold magenta")]


def problems(sentences: Iterable[str]) -> list[Text]:
    """What is in a daemon's way."""
    return [Text(f"Problem: {clean(sentence)}", "yellow") for sentence in sentences]


# -- JSON ------------------------------------------------------------------------------------------------------------


def plain(value: object) -> Any:
    """Dataclasses as tables with all their keys."""
    return msgspec.to_builtins(value, str_keys=True)


def document(session: Session, parts: dict[str, object]) -> dict[str, Any]:
    """A JSON document; `error` is always the first key. now: UTC seconds."""
    return {"error": None, "now": session.clock.now(), **plain(parts)}


def origin(answer: Answer[Any], now: float, *, moving: bool = False) -> dict[str, object]:
    """Where an answer came from: keys generation, at, age, stale, gone."""
    envelope = answer.envelope
    return {
        "generation": None if envelope is None else envelope.generation,
        "at": None if envelope is None else envelope.at,
        "age": age(answer, now),
        "stale": is_stale(answer, now, moving=moving),
        "gone": error_table(answer.error) if answer.error else None,
    }


def error_table(error: RackeyeError) -> dict[str, str]:
    """An error as JSON shows it."""
    return {"code": error.code, "sentence": error.sentence, "hint": error.hint}


def print_json(value: object, *, line: bool = False) -> None:
    """line: all in one line, as a watch prints them."""
    click.echo(json.dumps(value, ensure_ascii=True, indent=None if line else 2))


# -- once, or again and again ----------------------------------------------------------------------------------------

Render = Callable[[View], RenderableType]
ToJson = Callable[[View], dict[str, object]]


def show(session: Session, sources: Sequence[Source[Any]], render: Render, to_json: ToJson, *, watch: bool) -> View:
    """Looks and prints; with `watch` until Ctrl-C. Returns the last view."""
    if not watch:
        view = session.client.look(*sources)
        if session.as_json:
            print_json(document(session, to_json(view)))
        else:
            console().print(render(view))
        return view
    view = View(session.clock.now(), {})
    try:
        if session.as_json:
            for view in session.client.watch(*sources):
                print_json(_document_or_error(session, to_json, view), line=True)
        elif can_redraw():
            view = _live(session, sources, render)
        else:
            view = _again_and_again(session, sources, render)
    except KeyboardInterrupt:  # the way to end a watch
        pass
    return view


def _document_or_error(session: Session, to_json: ToJson, view: View) -> dict[str, Any]:
    try:
        return document(session, to_json(view))
    except RackeyeError as error:
        return {"error": error_table(error), "now": session.clock.now()}


def _picture(render: Render, view: View) -> RenderableType:
    try:
        return render(view)
    except RackeyeError as error:
        return Text(f"{UNKNOWN} {clean(error.sentence)} [{error.code}] {clean(error.hint)}", "bold magenta")


def _live(session: Session, sources: Sequence[Source[Any]], render: Render) -> View:
    from rich.live import Live  # noqa: PLC0415 -- only a watch in a terminal needs it

    view = View(session.clock.now(), {})
    with Live(console=console(), auto_refresh=False) as live:
        for view in session.client.watch(*sources):
            foot = Text(f"{utc_text(view.at)}   Ctrl-C ends the watch", "dim")
            live.update(Group(_picture(render, view), foot), refresh=True)
    return view


def _again_and_again(session: Session, sources: Sequence[Source[Any]], render: Render) -> View:
    out, before = console(), ""
    view = View(session.clock.now(), {})
    for view in session.client.watch(*sources):
        with out.capture() as capture:
            out.print(_picture(render, view))
        if capture.get() != before:
            before = capture.get()
            click.echo(f"-- {utc_text(view.at)}\n{before}", nl=False)
    return view


def complain(view: View, *sources: Source[Any]) -> bool:
    """Says on stderr which daemons did not answer; True when one did not."""
    gone = [answer.error for answer in map(view.of, sources) if answer.error is not None]
    for error in gone:
        click.echo(f"rackeye: {clean(error.sentence)} {clean(error.hint)} [{error.code}]", err=True)
    return bool(gone)


# -- what was done, and what could not be ----------------------------------------------------------------------------


def say(session: Session, sentence: str) -> None:
    """What a command did: a sentence, or a document with the key `done`."""
    if session.as_json:
        print_json(document(session, {"done": sentence}))
    else:
        click.echo(clean(sentence))
