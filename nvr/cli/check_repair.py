"""`rackeye check repair`: the wrong stripes that the last check found, planned, confirmed by name, then written."""

import click

from core.errors import WorkFailed
from core.units import utc_text
from nvr.cli import confirm
from nvr.cli.checked import judge, result_of
from nvr.cli.client import RAID
from nvr.cli.output import clean, console, document, print_json, say, table
from nvr.cli.progress import follow
from nvr.cli.session import Session
from nvr.cli.shape import examples, json_option, pass_session, yes_option
from nvr.cli.vd import complete_vd
from raid.model import Done, VdRequest, Work
from raid.model_care import PlannedRepair, RepairPlan, RepairRequest


@click.command(epilog=examples(
    "rackeye check repair vd0 --dry-run", "rackeye check repair vd0 --watch",
))
@click.argument("name", shell_complete=complete_vd)
@click.option("--dry-run", is_flag=True, help="Only show what would be written.")
@click.option("--watch", is_flag=True, help="Wait for the end, with a bar; exit 1 when something was left wrong.")
@yes_option
@json_option
@pass_session
@click.pass_context
def command(
    ctx: click.Context, session: Session, *, name: str, dry_run: bool, watch: bool, yes: bool
) -> None:
    """Repair the wrong stripes of the virtual drive NAME that its last check found.

    RAID6: the drive that is wrong in a stripe is known; its data are computed from the others. Where two are wrong
    nothing is written. RAID5: nobody knows which is wrong; the parity is computed anew from the data as they are.
    Mirrors: with two copies nobody knows which is right, so nothing is written.
    Each stripe is read again before and after; everything is written by the kernel's own array code.
    `rackeye check NAME --repair` is the same.
    """
    plan = session.client.call(RAID, "PlanRepair", VdRequest(name), RepairPlan)
    if session.as_json and dry_run:
        print_json(document(session, {"would_repair": plan}))
        return
    if not session.as_json:
        _show(plan)
    if dry_run:
        return
    confirm.typed(session, "the name of the virtual drive", name, yes=yes)
    before = result_of(session.client.look(RAID).of(RAID).data, name)
    said = session.client.call(RAID, "StartRepair", RepairRequest(name, plan.fingerprint), Done).sentence
    if not watch:
        say(session, said)
        return
    steps = follow(session, lambda data: (judge(name, Work.REPAIR, before, data),))
    if steps is None:
        return
    if steps[0].failed:
        raise WorkFailed(f"{name}: {steps[0].failed}", hint=f"rackeye check show {name}")
    result = result_of(session.client.look(RAID).of(RAID).data, name)
    if session.as_json:
        print_json(document(session, {"check": result}))
    elif result is not None:
        click.echo(clean(result.detail))
    if result is None or result.wrong_count:
        ctx.exit(1)


def _show(plan: RepairPlan) -> None:
    click.echo(f"{plan.name} (RAID{plan.level}), as its check of {utc_text(plan.checked)} found it:")

    def cells(step: PlannedRepair) -> list[str]:
        wrong = ", ".join(f"bay {bay}" if bay is not None else "a drive on no bay" for bay in step.members)
        stripe = str(step.stripe) if step.span is None else f"span {step.span}: {step.stripe}"
        return [stripe, str(step.pages), wrong or "not known", step.left or "is written"]

    rows = map(cells, plan.stripes)
    console().print(table(("Stripe", "Wrong pages", "Wrong drive", "What is done"), rows, right=("Stripe",)))
    if plan.count > len(plan.stripes):
        click.echo(f"and more: {plan.count} stripes in all are written.")
    click.echo(clean(plan.means))
