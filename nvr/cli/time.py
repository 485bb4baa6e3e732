"""`rackeye time`: time zone, NTP servers, the clock."""

from datetime import UTC, datetime

import click
from rich.console import Group, RenderableType

from boot.model import BoxSnapshot, SetTimeRequest
from core.accounts_model import COMMAND_LINE, person
from core.bus import Sentence
from core.units import utc_text
from nvr.cli.client import View
from nvr.cli.confirm import agreed
from nvr.cli.mode import BOX
from nvr.cli.output import clean, known, notes, origin, pairs, say, show
from nvr.cli.session import Session
from nvr.cli.shape import NounGroup, examples, json_option, pass_session, watch_option, yes_option


class TimeGroup(NounGroup):
    """`rackeye time` alone shows it."""

    default = "show"


@click.group(cls=TimeGroup)
def command() -> None:
    """Time zone, NTP servers, the clock."""


def _facts(box: BoxSnapshot, now: float) -> RenderableType:
    said = {True: "yes", False: "no", None: "not known"}
    return pairs([
        ("Now", utc_text(now)),
        ("Time zone", known(box.time.zone)),
        ("Synchronized", said[box.time.synchronized]),
        ("NTP servers", clean(" ".join(box.time.servers) or "none were set")),
    ])


@command.command("show", epilog=examples("rackeye time", "rackeye time show --json"))
@json_option
@watch_option
@pass_session
def show_(session: Session, *, watch: bool) -> None:
    """The clock, the zone, and by whom it is set (`rackeye time` alone does this)."""

    def render(view: View) -> RenderableType:
        answer = view.of(BOX)
        return Group(*notes(BOX, answer, view.at), _facts(answer.data, view.at))

    def to_json(view: View) -> dict[str, object]:
        return {"time": view.of(BOX).data.time, "box": origin(view.of(BOX), view.at)}

    show(session, (BOX,), render, to_json, watch=watch)


@command.command("set", epilog=examples(
    "rackeye time set --zone Europe/Berlin", "rackeye time set --ntp 192.168.1.1 --ntp pool.ntp.org",
    "rackeye time set --no-ntp --utc 2026-11-21T14:00:00",
))
@click.option("--zone", help="Time zone, such as Europe/Berlin.")
@click.option("--ntp", multiple=True, help="An NTP server; may be given several times.")
@click.option("--no-ntp", is_flag=True, help="Do without NTP.")
@click.option("--utc", type=click.DateTime(["%Y-%m-%dT%H:%M:%S"]), help="Set the clock by hand, in UTC.")
@yes_option
@json_option
@pass_session
def set_(
    session: Session, *, zone: str | None, ntp: tuple[str, ...], no_ntp: bool, utc: datetime | None, yes: bool
) -> None:
    """Set what is given; the rest stays. A clock that is set back makes recordings overlap in time."""
    if ntp and no_ntp:
        raise click.UsageError("Give either --ntp or --no-ntp.")
    now = None if utc is None else utc.replace(tzinfo=UTC).timestamp()
    if now is not None and now < session.clock.now():
        agreed(session, "Set the clock back? Recordings will overlap in time.", yes=yes)
    request = SetTimeRequest(zone, ntp if ntp or no_ntp else None, now, person(), COMMAND_LINE)
    say(session, session.client.call(BOX, "SetTime", request, Sentence).text)
