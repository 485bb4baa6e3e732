"""Destructive commands need a name typed, or --yes (spec/raid.md, "Safety")."""

import click

from core.errors import NotConfirmed
from nvr.cli.output import clean
from nvr.cli.session import Session


def typed(session: Session, what: str, name: str, *, yes: bool) -> None:
    """Goes on only when `name` was typed. what: such as "the serial". Raises NotConfirmed."""
    if _settled(session, yes=yes):
        return
    try:
        answer = click.prompt(f"To go on type {what} ({clean(name)})", default="", show_default=False)
    except click.Abort as abort:
        raise _refusal() from abort
    if answer.strip() != name:
        raise _refusal()


def agreed(session: Session, question: str, *, yes: bool) -> None:
    """Goes on after a yes; for what destroys nothing. Raises NotConfirmed."""
    if _settled(session, yes=yes):
        return
    try:
        go_on = click.confirm(question)
    except click.Abort as abort:
        raise _refusal() from abort
    if not go_on:
        raise _refusal()


def answerable(session: Session, *, yes: bool) -> None:
    """Raises UsageError where nobody can be asked; for commands that ask raidd for a plan first."""
    if session.as_json and not yes:
        raise click.UsageError("--json does not ask: add --yes.")


def _settled(session: Session, *, yes: bool) -> bool:
    answerable(session, yes=yes)
    return yes


def _refusal() -> NotConfirmed:
    return NotConfirmed("It was not confirmed. Nothing was changed.", hint="In scripts: --yes.")
