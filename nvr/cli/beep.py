"""`rackeye beep`: play a beep code, or explain one that somebody heard."""

import click

from core.bus import Sentence
from hw.beeps import CODES
from hw.model import BeepRequest
from nvr.cli.client import PANEL
from nvr.cli.output import document, print_json, say
from nvr.cli.session import Session
from nvr.cli.shape import examples, json_option, pass_session

ALARM = "Long tones that do not end are no code: an alarm. `rackeye alarm` says which; `rackeye panel silence` ends it."


def explain(count: int) -> str:
    """What so many short tones mean."""
    tones = "1 beep" if count == 1 else f"{count} beeps"
    return f"{tones}: {CODES.get(count, 'no code. Count again: a code is short tones, then 2 s of silence.')}"


@click.command(epilog=examples("rackeye beep", "rackeye beep 5", "rackeye beep explain 5"))
@click.argument("words", nargs=-1, metavar="[explain] [COUNT]")
@json_option
@pass_session
def command(session: Session, words: tuple[str, ...]) -> None:
    """Play the code COUNT; or explain COUNT short tones that somebody heard; all codes when nothing is given."""
    explaining = bool(words) and words[0] == "explain"
    counts = words[1:] if explaining else words
    if len(counts) > 1 or not all(count.isdecimal() for count in counts):
        raise click.UsageError("Say `rackeye beep COUNT` or `rackeye beep explain COUNT`, with a number.")
    if counts and not explaining:
        say(session, session.client.call(PANEL, "Beep", BeepRequest(int(counts[0])), Sentence).text)
        return
    asked = [int(count) for count in counts] or list(CODES)
    if session.as_json:
        print_json(document(session, {"codes": [{"beeps": count, "meaning": CODES.get(count)} for count in asked]}))
        return
    for count in asked:
        click.echo(explain(count))
    click.echo(ALARM)
