"""`rackeye`: one command, nouns before verbs. Exit 0 done, 1 failed, 2 misuse (`health`: 0 to 3 as plug-ins do)."""

import os
import sys
from contextlib import suppress
from io import TextIOWrapper

import click

from core.errors import RackeyeError
from core.paths import Paths
from nvr.cli.session import Session
from nvr.cli.shape import LazyGroup, examples

PATHS = Paths()
NOUNS = {
    "status": ("nvr.cli.status", "The whole appliance on one page."),
    "health": ("nvr.cli.health", "One line for monitoring: exit 0 OK, 1 warning, 2 critical, 3 unknown."),
    "bay": ("nvr.cli.bay", "Bays as they are seen from the front; locate one."),
    "drive": ("nvr.cli.drive", "Drives: list, show, smart, clear, rebuild, dismiss, replace."),
    "spare": ("nvr.cli.spare", "Hot spares: list, add, remove."),
    "vd": ("nvr.cli.vd", "Virtual drives: list, show, create, recover, import."),
    "group": ("nvr.cli.group", "Drive groups: their virtual drives, and what is free."),
    "check": ("nvr.cli.check", "Consistency checks: show, start, stop, repair, schedule."),
    "rate": ("nvr.cli.rate", "Rates of rebuild, initialization, check, reconstruction, patrol: show, set."),
    "patrol": ("nvr.cli.patrol", "Patrol read over all drives: show, start, stop."),
    "camera": ("nvr.cli.camera", "Cameras and recording volumes: list, show, add, remove."),
    "panel": ("nvr.cli.panel", "Information LED, warning LED, beeper: show, lamp-test, silence, uid."),
    "beep": ("nvr.cli.beep", "Play a beep code; explain beeps that were heard."),
    "alarm": ("nvr.cli.alarm", "Alarms: list, show, acknowledge."),
    "account": ("nvr.cli.account", "Accounts and API tokens of the console; the log of who did what."),
    "mode": ("nvr.cli.mode", "Standard or Failover Mode: show, switch; restore to default."),
    "network": ("nvr.cli.network", "Addresses and the name of the appliance: show, set, confirm."),
    "time": ("nvr.cli.time", "Time zone, NTP servers, the clock: show, set."),
    "reboot": ("nvr.cli.reboot", "Reboot in good order."),
    "shutdown": ("nvr.cli.shutdown", "Shut down in good order."),
    "explain": ("nvr.cli.explain", "What a code of an error or an alarm means, and what to do."),
    "completion": ("nvr.cli.completion", "The completion script of a shell."),
}


def version(session: Session) -> str:
    """With the R of Failover Mode: by the record of the mode, which is root's, or else by boxd's word."""
    from boot.state import StateStore  # noqa: PLC0415 -- slow, and needed for --version only
    from boot.version import version_text  # noqa: PLC0415

    loaded = StateStore(PATHS).load()
    mode = loaded.record.mode
    if loaded.lost:
        from nvr.cli.mode import BOX  # noqa: PLC0415

        with suppress(RackeyeError):  # no bus, or no boxd
            mode = session.client.look(BOX).of(BOX).data.mode
        session.close()
    return version_text(mode)


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"rackeye {version(ctx.ensure_object(Session))}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    nouns=NOUNS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "rackeye status --watch", "rackeye bay 3 locate on", "rackeye vd create --simple --level 5 --dry-run",
        "rackeye explain RAID-006",
    ),
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Show the version."
)
def cli() -> None:
    """Rackeye: drives, virtual drives, cameras and alarms of this recorder.

    Drives are named by their bay. Reading is open to all; what changes something needs root.
    Exit codes: 0 done, 1 failed, 2 misuse.
    """


def main() -> None:
    """The program `rackeye`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Unicode still gets its words
    try:
        cli.main(prog_name="rackeye", obj=Session())
    except OSError as error:  # errors of the bus are RackeyeErrors: this is the output, such as a full disk
        print(f"rackeye: The output cannot be written: {error.strerror}.", file=sys.stderr)  # noqa: T201
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left in the buffer goes nowhere
        sys.exit(1)
