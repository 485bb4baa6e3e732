"""`rackeye mode`: what this appliance is; restore to default; the switch to Failover Mode."""

import click
from rich.console import Group, RenderableType

from boot.erase import PHRASE
from boot.model import BUS_NAME, BoxSnapshot, Interface, KeepModeRequest, RestoreRequest, SwitchPlan, SwitchRequest
from boot.redundant import QUESTION
from boot.restore import GOES, STAYS
from core.accounts_model import COMMAND_LINE, person
from core.bus import Nothing, Sentence
from core.errors import InternalError, error_class
from nvr.cli.client import Source, View
from nvr.cli.confirm import agreed, typed
from nvr.cli.output import clean, document, known, notes, origin, pairs, print_json, problems, say, show
from nvr.cli.session import Session
from nvr.cli.shape import NounGroup, examples, json_option, pass_session, watch_option, yes_option

BOX = Source(BUS_NAME, BoxSnapshot, "rackeye-boxd")


def _network(interface: Interface) -> str:
    state = {True: "up", False: "down", None: "???"}[interface.up]
    return f"{interface.name} {state} {' '.join(interface.addresses)}".strip()


def _facts(data: BoxSnapshot) -> RenderableType:
    clock = {True: "synchronized", False: "not synchronized", None: "not known whether synchronized"}
    return pairs([
        ("Mode", data.mode.value if not data.state_damaged else f"{data.mode.value} (its record cannot be read)"),
        ("Version", known(data.version)),
        ("Name", known(data.hostname)),
        ("Network", clean("; ".join(map(_network, data.interfaces)) or "none")),
        ("Time", clean(f"{data.time.zone}, {clock[data.time.synchronized]}")),
    ])


@click.group(cls=NounGroup)
def command() -> None:
    """Standard Mode or Failover Mode; restore to default; the switch."""


@command.command("list", epilog=examples("rackeye mode", "rackeye mode --json"))
@json_option
@watch_option
@pass_session
def list_(session: Session, *, watch: bool) -> None:
    """Mode, version, name, network and time (this is what `rackeye mode` alone does)."""

    def render(view: View) -> RenderableType:
        answer = view.of(BOX)
        return Group(*notes(BOX, answer, view.at), *problems(answer.data.problems), _facts(answer.data))

    def to_json(view: View) -> dict[str, object]:
        return {"mode": view.of(BOX).data, "box": origin(view.of(BOX), view.at)}

    show(session, (BOX,), render, to_json, watch=watch)


@command.command(epilog=examples("rackeye mode switch --dry-run", "rackeye mode switch"))
@click.option("--dry-run", is_flag=True, help="Say what would be done and what stands against it; do nothing.")
@yes_option
@json_option
@pass_session
def switch(session: Session, *, dry_run: bool, yes: bool) -> None:
    """Switch to Failover Mode, one-way, and reboot (the same as nr-switch-to-redundant)."""
    plan = session.client.call(BOX, "PlanSwitch", Nothing(), SwitchPlan)
    if dry_run and session.as_json:
        print_json(document(session, {"plan": plan}))
        return
    if not session.as_json:
        for refusal in plan.refusals:
            click.echo(clean(f"Refused: {refusal.sentence} {refusal.hint}"))
        for step in plan.steps if not plan.refusals else ():
            click.echo(clean(f"- {step}"))
    if plan.refusals:
        first = plan.refusals[0]
        raise (error_class(first.code) or InternalError)(first.sentence, hint=first.hint)
    if not dry_run:
        agreed(session, QUESTION.removesuffix(" [y]"), yes=yes)
        request = SwitchRequest("y", person(), COMMAND_LINE)
        say(session, session.client.call(BOX, "SwitchToRedundant", request, Sentence).text)


@command.command(epilog=examples("rackeye mode keep"))
@json_option
@pass_session
def keep(session: Session) -> None:
    """Write the record of the mode anew as it is in force, after it was damaged (ALARM-411, ALARM-412)."""
    say(session, session.client.call(BOX, "KeepMode", KeepModeRequest(person(), COMMAND_LINE), Sentence).text)


@command.command(epilog=examples("rackeye mode restore", "rackeye mode restore --user admin"))
@click.option("--user", prompt="User name of an administrator", help="An administrator of this appliance.")
@click.option("--also-erase-recordings", "erase", is_flag=True, help="All video of all volumes goes, too.")
@yes_option
@pass_session
def restore(session: Session, *, user: str, erase: bool, yes: bool) -> None:
    """Restore to default, and reboot. Video and drive groups stay, unless the video is to go, too."""
    password = str(click.prompt("Password", hide_input=True))
    goes, stays = (f"{GOES}, all video", "virtual drives and drive groups") if erase else (GOES, STAYS)
    click.echo(f"Goes: {goes}.\nStays: {stays}.")
    if erase:
        typed(session, "in full", PHRASE, yes=yes)
    agreed(session, "Restore to default now?", yes=yes)
    request = RestoreRequest(user, password, COMMAND_LINE, PHRASE if erase else "")
    say(session, session.client.call(BOX, "Restore", request, Sentence).text)
