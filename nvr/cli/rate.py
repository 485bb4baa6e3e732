"""`rackeye rate`: how much of the drives rebuilds, checks and the like may use."""

import click
from rich.console import Group, RenderableType

from nvr.cli.client import RAID, View
from nvr.cli.output import notes, origin, say, show, table
from nvr.cli.session import Session
from nvr.cli.shape import NounGroup, examples, json_option, pass_session, watch_option
from raid.model import Done
from raid.spare_model import RateKind, SetRateRequest


@click.group(cls=NounGroup)
def command() -> None:
    """Rates of rebuild, initialization, check, reconstruction, patrol: per cent of what the drives can do."""


command.default = "show"


@command.command("show", epilog=examples("rackeye rate", "rackeye rate --json"))
@json_option
@watch_option
@pass_session
def show_(session: Session, *, watch: bool) -> None:
    """The rates in force.

    A rate is what the work keeps while cameras are recorded; on drives that nobody else uses it runs as fast as it can.
    """

    def render(view: View) -> RenderableType:
        answer = view.of(RAID)
        rows = ([str(rate.kind), f"{rate.percent} %"] for rate in answer.data.rates)
        return Group(*notes(RAID, answer, view.at), table(("Work", "Rate"), rows, right=("Rate",)))

    def to_json(view: View) -> dict[str, object]:
        answer = view.of(RAID)
        return {"rates": answer.data.rates, "raid": origin(answer, view.at)}

    show(session, (RAID,), render, to_json, watch=watch)


@command.command("set", epilog=examples("rackeye rate set rebuild 50", "rackeye rate set check 10"))
@click.argument("kind", type=click.Choice([kind.value for kind in RateKind]))
@click.argument("percent", type=click.IntRange(1, 100))
@json_option
@pass_session
def set_(session: Session, *, kind: str, percent: int) -> None:
    """Set the rate of KIND to PERCENT; it holds at once, also for work that runs."""
    say(session, session.client.call(RAID, "SetRate", SetRateRequest(RateKind(kind), percent), Done).sentence)
