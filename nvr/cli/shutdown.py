"""`rackeye shutdown`."""

import click

from boot.model import PowerRequest
from core.accounts_model import COMMAND_LINE, person
from core.bus import Sentence
from nvr.cli.confirm import agreed
from nvr.cli.mode import BOX
from nvr.cli.output import say
from nvr.cli.session import Session
from nvr.cli.shape import examples, json_option, pass_session, yes_option


@click.command(epilog=examples("rackeye shutdown", "rackeye shutdown --yes"))
@yes_option
@json_option
@pass_session
def command(session: Session, *, yes: bool) -> None:
    """Shut down in good order, and switch the power off."""
    agreed(session, "Shut down now?", yes=yes)
    say(session, session.client.call(BOX, "Shutdown", PowerRequest(person(), COMMAND_LINE), Sentence).text)
