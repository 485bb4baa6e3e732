"""The shape that all commands share: nouns loaded when they are used, `list` where no verb is given, common options.

The command line, its help, the completion, the man page and docs/ref/cli.md are all made from these click objects.
"""

import importlib
from collections.abc import Callable
from typing import Any, TypeVar

import click

from core.errors import RackeyeError
from nvr.cli.session import Session

F = TypeVar("F", bound=Callable[..., Any])

pass_session = click.make_pass_decorator(Session, ensure=True)


class LazyGroup(click.Group):
    """A group whose commands stand in modules that are imported when they are used.

    nouns: name -> (module, line of help). Each module has a `command`.
    """

    def __init__(self, *args: Any, nouns: dict[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.nouns = nouns

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        return list(self.nouns)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self.nouns:
            return None
        command = importlib.import_module(self.nouns[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.nouns.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; the one place where an error becomes words and exit code 1."""
        session = ctx.ensure_object(Session)
        try:
            return super().invoke(ctx)
        except RackeyeError as error:
            report(session, error)
            ctx.exit(1)
        finally:
            session.close()


def report(session: Session, error: RackeyeError) -> None:
    """A sentence, what to do, where to read more: on stderr; with --json also as a document on stdout."""
    from nvr.cli.output import clean, error_table, print_json  # noqa: PLC0415 -- only when something went wrong

    if session.as_json:
        print_json({"error": error_table(error), "now": session.clock.now()})
    click.echo(f"rackeye: {clean(error.sentence)}", err=True)
    if error.hint:
        click.echo(f"  {clean(error.hint)}", err=True)
    if error.code:
        click.echo(f"  More: rackeye explain {error.code}", err=True)


class NounGroup(click.Group):
    """A noun: without a verb it lists, so that `rackeye vd` and `rackeye vd list` are the same."""

    default = "list"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        verbless = not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names)
        if verbless and not ctx.resilient_parsing:  # a shell that completes wants the verbs
            args = [self.default, *args]
        return super().parse_args(ctx, args)


def _remember_json(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Session).as_json = True


def json_option(function: F) -> F:
    """--json"""
    return click.option(
        "--json", is_flag=True, expose_value=False, is_eager=True, callback=_remember_json,
        help="Print one JSON document; its keys are always there.",
    )(function)


def watch_option(function: F) -> F:
    """--watch"""
    return click.option(
        "--watch", is_flag=True, help="Stay, and show it again at each change, until Ctrl-C (with --json a line each)."
    )(function)


def yes_option(function: F) -> F:
    """--yes"""
    return click.option("--yes", is_flag=True, help="Do not ask (for scripts).")(function)


def examples(*lines: str) -> str:
    """The foot of a help text."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
