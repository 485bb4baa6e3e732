"""`rackeye vd delete`, `stop` and `start`: a virtual drive goes, rests, and comes back."""

import click
from rich.console import Group, RenderableType
from rich.text import Text

from core.errors import NotNow, WorkFailed
from nvr.cli import confirm
from nvr.cli.client import RAID
from nvr.cli.output import clean, console, document, known, pairs, plain, print_json, say, size, table
from nvr.cli.progress import Step, follow
from nvr.cli.session import Session
from nvr.cli.shape import examples, json_option, pass_session, yes_option
from raid.model import DeleteVdRequest, Done, JobState, RaidSnapshot, VdRequest
from raid.model_plan import DeletePlan


def plan_text(plan: DeletePlan) -> RenderableType:
    """What would be lost, and which drives become blank."""
    rows = ([known(drive.bay), known(drive.model), known(drive.serial), size(drive.size)] for drive in plan.drives)
    parts: list[RenderableType] = [
        pairs([
            ("Virtual drive", f"{plan.name}, {plan.level}"),
            ("Capacity", size(plan.size)),
            ("Mounted", plan.mountpoint or "not mounted"),
            ("In use", "???" if plan.used is None else size(plan.used)),
        ]),
        Text(f"WOULD BE LOST: {clean(plan.loses)}", "bold red"),
    ]
    if plan.drives:
        parts += [
            Text("These drives become blank:"),
            table(("Bay", "Model", "Serial", "Capacity"), rows, right=("Bay", "Capacity")),
        ]
    else:
        parts.append(Text("Its part of the drive group becomes free; the other virtual drives there stay."))
    if plan.refusal:
        parts.append(Text(f"Not now: {clean(plan.refusal)}", "yellow"))
    return Group(*parts)


def judge(name: str, uuid: str, data: RaidSnapshot) -> tuple[Step, ...]:
    """How the deletion stands: done when the virtual drive is gone."""
    vd = next((vd for vd in data.virtual_drives if vd.uuid == uuid), None)
    if vd is None:
        return (Step(name, "deleted", done=True),)
    failed = next((job for job in data.jobs if job.vd == name and job.state is JobState.FAILED), None)
    return (Step(name, "" if failed is None else f"tried again: {failed.error}", vd.progress),)


@click.command(epilog=examples("rackeye vd delete vd1 --dry-run", "rackeye vd delete vd1"))
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only show what would be lost.")
@click.option("--no-wait", is_flag=True, help="Return at once; `rackeye vd --watch` shows how far it is.")
@yes_option
@json_option
@pass_session
def delete(session: Session, *, name: str, dry_run: bool, no_wait: bool, yes: bool) -> None:
    """Delete the virtual drive NAME with all recordings on it; its drives become blank.

    Shows what would be lost and wants the name typed. Refused while anything but the recorder uses it.
    """
    plan = session.client.call(RAID, "PlanDelete", VdRequest(name), DeletePlan)
    if not session.as_json:
        console().print(plan_text(plan))
    if not dry_run:
        if plan.refusal:
            raise NotNow(plan.refusal, hint="rackeye vd shows its state.")
        confirm.typed(session, "the name of the virtual drive", name, yes=yes)
    done = None if dry_run else _delete(session, plan, no_wait=no_wait)
    if session.as_json:
        print_json(document(session, {"plan": plain(plan), "done": done}))


def _delete(session: Session, plan: DeletePlan, *, no_wait: bool) -> str:
    said = session.client.call(RAID, "DeleteVd", DeleteVdRequest(plan.name, plan.uuid), Done).sentence
    if not session.as_json:
        click.echo(clean(said))
    if not no_wait:
        for step in follow(session, lambda data: judge(plan.name, plan.uuid, data)) or ():
            if step.failed:
                raise WorkFailed(f"{step.name}: {step.failed}", hint="It goes on by itself; rackeye vd shows how.")
    return said


@click.command(epilog=examples("rackeye vd stop vd1"))
@click.argument("name")
@yes_option
@json_option
@pass_session
def stop(session: Session, *, name: str, yes: bool) -> None:
    """Take the virtual drive NAME offline: nothing is recorded on it and its drives rest, until it is started again.

    Nothing is lost. It stays so over a reboot. Refused while anything but the recorder uses it.
    """
    confirm.agreed(session, f"Stop {name}? Nothing is recorded on it until it is started.", yes=yes)
    say(session, session.client.call(RAID, "StopVd", VdRequest(name), Done).sentence)


@click.command(epilog=examples("rackeye vd start vd1"))
@click.argument("name")
@json_option
@pass_session
def start(session: Session, *, name: str) -> None:
    """Start the virtual drive NAME that was stopped."""
    say(session, session.client.call(RAID, "StartVd", VdRequest(name), Done).sentence)
