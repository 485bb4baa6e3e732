"""`rackeye explain`: what a code means."""

from dataclasses import dataclass

import click

from core.errors import UnknownCode, all_errors
from nvr.alarms.kinds import all_kinds
from nvr.cli.session import Session
from nvr.cli.shape import examples, json_option, pass_session


@dataclass(frozen=True, slots=True)
class Entry:
    """A code that can be explained. kind: error or alarm. level: of an alarm."""

    code: str
    kind: str
    title: str
    level: str | None
    meaning: str


def entries() -> tuple[Entry, ...]:
    """All of them, by code."""
    errors = [Entry(kind.code, "error", _words(kind.__name__), None, kind.meaning) for kind in all_errors()]
    alarms = [Entry(kind.code, "alarm", kind.title, str(kind.level), kind.meaning) for kind in all_kinds()]
    return tuple(sorted(errors + alarms, key=lambda entry: entry.code))


def _words(name: str) -> str:
    """DaemonGone -> "Daemon gone" """
    words = "".join(f" {char.lower()}" if char.isupper() else char for char in name).strip()
    return words[:1].upper() + words[1:]


def _complete(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    return [entry.code for entry in entries() if entry.code.startswith(begun.upper())]


@click.command(epilog=examples("rackeye explain", "rackeye explain RAID-006", "rackeye explain alarm-101"))
@click.argument("code", required=False, shell_complete=_complete)
@json_option
@pass_session
def command(session: Session, code: str | None) -> None:
    """What CODE means and what to do about it; all codes when none is given."""
    found = [entry for entry in entries() if code is None or entry.code == code.strip().upper()]
    if not found:
        raise UnknownCode(f"There is no code {code}.", hint="`rackeye explain` lists them all.")
    if session.as_json:
        from nvr.cli.output import document, print_json  # noqa: PLC0415 -- without it explain needs no bus

        print_json(document(session, {"codes": found}))
        return
    for entry in found:
        level = f" ({entry.level})" if entry.level else ""
        if code is None:
            click.echo(f"{entry.code:<10} {entry.kind:<6} {entry.title}{level}")
        else:
            click.echo(f"{entry.code}: {entry.title}{level}\n")
            click.echo(click.wrap_text(entry.meaning, width=100))
