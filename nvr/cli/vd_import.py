"""`rackeye vd import` and `abandon`: a virtual drive comes from elsewhere; one that could not be made is given up."""

import click
from rich.console import Group, RenderableType
from rich.text import Text

from core.errors import NotNow
from nvr.cli import confirm
from nvr.cli.client import RAID
from nvr.cli.output import clean, console, document, known, pairs, plain, print_json, size, table
from nvr.cli.session import Session
from nvr.cli.shape import examples, json_option, pass_session, yes_option
from raid.model import Done, VdRequest
from raid.model_foreign import AbandonPlan, AbandonRequest, ImportPlan, ImportRequest
from raid.model_plan import PlannedDrive


def _drives(drives: tuple[PlannedDrive, ...]) -> RenderableType:
    rows = ([known(drive.bay), known(drive.model), known(drive.serial), size(drive.size)] for drive in drives)
    return table(("Bay", "Model", "Serial", "Capacity"), rows, right=("Bay", "Capacity"))


def _print(facts: list[tuple[str, str]], plan: ImportPlan | AbandonPlan) -> None:
    parts = [pairs(facts), _drives(plan.drives), Text(clean(plan.means))]
    parts += [Text(f"Not now: {clean(plan.refusal)}", "yellow")] if plan.refusal else []
    console().print(Group(*parts))


@click.command("import", epilog=examples("rackeye drive", "rackeye vd import vd0 --dry-run", "rackeye vd import vd0"))
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only show what would be taken over.")
@yes_option
@json_option
@pass_session
def import_(session: Session, *, name: str, dry_run: bool, yes: bool) -> None:
    """Take over the virtual drive NAME of another Rackeye, whose drives were put in here. Nothing is overwritten."""
    plan = session.client.call(RAID, "PlanImport", VdRequest(name), ImportPlan)
    if not session.as_json:
        lacking = str(plan.missing) if plan.missing else "none"
        _print([("Virtual drive", f"{plan.name}, {plan.level}"), ("Capacity", size(plan.size)),
                ("Drives not here or behind", lacking)], plan)
    wish = ("ImportVd", ImportRequest(name, plan.fingerprint))
    _go(session, plan, f"Take over {name}?", wish, dry_run=dry_run, yes=yes)


@click.command(epilog=examples("rackeye vd abandon vd1 --dry-run", "rackeye vd abandon vd1"))
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only show what would be given up.")
@yes_option
@json_option
@pass_session
def abandon(session: Session, *, name: str, dry_run: bool, yes: bool) -> None:
    """Give up the virtual drive NAME that was asked for and could not be made. Refused for one that is made."""
    plan = session.client.call(RAID, "PlanAbandon", VdRequest(name), AbandonPlan)
    if not session.as_json:
        _print([("Virtual drive", f"{plan.name}, {plan.level}, asked for"), ("Not made", plan.why or "???")], plan)
    _go(session, plan, f"Give up {name}?", ("AbandonVd", AbandonRequest(name, plan.uuid)), dry_run=dry_run, yes=yes)


def _go(
    session: Session, plan: ImportPlan | AbandonPlan, question: str,
    command: tuple[str, ImportRequest | AbandonRequest], *, dry_run: bool, yes: bool,
) -> None:
    done = None
    if not dry_run:
        if plan.refusal:
            raise NotNow(plan.refusal, hint="rackeye vd and rackeye drive show how things stand.")
        confirm.agreed(session, question, yes=yes)
        done = session.client.call(RAID, command[0], command[1], Done).sentence
    if session.as_json:
        print_json(document(session, {"plan": plain(plan), "done": done}))
    elif done:
        click.echo(clean(done))
