"""`rackeye account`: who may use the console and the API. As root, straight on the accounts' file: it works without
any daemon, so that somebody who has lost every password can mend it on the machine."""

import os
import sys

import click

from core.accounts import Accounts
from core.accounts_model import COMMAND_LINE, Role, person
from core.errors import NotAllowed
from core.paths import Paths
from core.units import utc_text
from nvr.cli import confirm
from nvr.cli.output import ago, console, document, plain, print_json, say, table
from nvr.cli.session import Session
from nvr.cli.shape import NounGroup, examples, json_option, pass_session, yes_option

PATHS = Paths()
ROLES = click.Choice([role.value for role in Role])


def accounts(session: Session) -> Accounts:
    """The accounts of this machine. Raises NotAllowed for who is not root."""
    if os.geteuid() != 0 and Paths() == PATHS:
        raise NotAllowed("Accounts are shown and changed by root only.", hint="sudo rackeye account ...")
    return Accounts(PATHS, session.clock)


def done(session: Session, known: Accounts, sentence: str) -> None:
    """Writes it down and says it."""
    known.audit(person(), sentence, COMMAND_LINE)
    say(session, sentence)


def typed(stdin: bool) -> str:
    """A new password: asked twice without showing it, or the first line of the standard input."""
    if stdin:
        return sys.stdin.readline().rstrip("\n")
    return str(click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True))


stdin_option = click.option("--stdin", is_flag=True, help="Read the password from the standard input, do not ask.")
name_argument = click.argument("name", metavar="NAME")


@click.group(cls=NounGroup)
def command() -> None:
    """Accounts and API tokens of the console, and the log of who did what. Needs root."""


@command.command("list", epilog=examples("rackeye account", "rackeye account list --json"))
@json_option
@pass_session
def list_(session: Session) -> None:
    """Accounts and API tokens."""
    known = accounts(session)
    people, tokens = known.list(), known.tokens()
    if session.as_json:
        print_json(document(session, {"accounts": plain(people), "tokens": plain(tokens)}))
        return
    now = session.clock.now()
    console().print(table(("Account", "Role", "Password", "Last login"), (
        [one.name, one.role.value, "to be changed" if one.must_change else "set",
         "never" if one.last_login is None else ago(one.last_login, now)] for one in people)))
    if tokens:
        console().print(table(("API token", "Account", "Made", "Last used"), (
            [one.name, one.account, ago(one.created, now),
             "never" if one.last_used is None else ago(one.last_used, now)] for one in tokens)))


@command.command(epilog=examples("rackeye account add guard --role viewer"))
@name_argument
@click.option("--role", type=ROLES, default=Role.VIEWER.value, show_default=True, help="What it may do.")
@stdin_option
@json_option
@pass_session
def add(session: Session, *, name: str, role: str, stdin: bool) -> None:
    """Add an account; its password must be changed at the first login."""
    known = accounts(session)
    known.add(name, Role(role), typed(stdin))
    done(session, known, f"Account {name} ({role}) is added; its password must be changed at the first login.")


@command.command(epilog=examples("rackeye account password admin"))
@name_argument
@stdin_option
@json_option
@pass_session
def password(session: Session, *, name: str, stdin: bool) -> None:
    """Set a new password; it must be changed at the next login, and every session of the account ends."""
    known = accounts(session)
    known.set_password(name, typed(stdin))
    done(session, known, f"Account {name} has a new password, to be changed at the next login.")


@command.command(epilog=examples("rackeye account role guard administrator"))
@name_argument
@click.argument("role", type=ROLES)
@json_option
@pass_session
def role(session: Session, *, name: str, role: str) -> None:
    """Make an account an administrator or a viewer."""
    known = accounts(session)
    known.set_role(name, Role(role))
    done(session, known, f"Account {name} is {role} now.")


@command.command(epilog=examples("rackeye account remove guard"))
@name_argument
@yes_option
@json_option
@pass_session
def remove(session: Session, *, name: str, yes: bool) -> None:
    """Remove an account, its sessions and its API tokens."""
    known = accounts(session)
    confirm.agreed(session, f"Remove the account {name}?", yes=yes)
    known.remove(name)
    done(session, known, f"Account {name} is removed.")


@command.command(epilog=examples("rackeye account token prometheus --account guard"))
@name_argument
@click.option("--account", default="admin", show_default=True, help="Whose rights it has.")
@json_option
@pass_session
def token(session: Session, *, name: str, account: str) -> None:
    """Make an API token called NAME; its text is shown this once."""
    known = accounts(session)
    text = known.add_token(name, account)
    known.audit(person(), f"API token {name} for {account} is made.", COMMAND_LINE)
    if session.as_json:
        print_json(document(session, {"token": text}))
    else:
        click.echo(text)


@command.command("token-remove", epilog=examples("rackeye account token-remove prometheus"))
@name_argument
@json_option
@pass_session
def token_remove(session: Session, *, name: str) -> None:
    """Remove the API token NAME: it is of no use from now on."""
    known = accounts(session)
    known.remove_token(name)
    done(session, known, f"API token {name} is removed.")


@command.command(epilog=examples("rackeye account log", "rackeye account log --lines 500"))
@click.option("--lines", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many.")
@json_option
@pass_session
def log(session: Session, *, lines: int) -> None:
    """Who did what, newest first."""
    entries = accounts(session).audit_list(lines)
    if session.as_json:
        print_json(document(session, {"entries": plain(entries)}))
        return
    console().print(table(("When", "Who", "What", "From"), (
        [utc_text(one.at), one.who, one.what, one.where or "-"] for one in entries)))
