"""`rackeye vd grow`: drives are added to a virtual drive, or its level changes; with what is on it."""

import click
from rich.console import Group, RenderableType
from rich.text import Text

from core.errors import WorkFailed
from core.units import human_bytes, human_seconds
from nvr.cli import confirm
from nvr.cli.client import RAID
from nvr.cli.output import clean, console, document, known, pairs, plain, print_json, size, table
from nvr.cli.progress import Step, follow
from nvr.cli.session import Session
from nvr.cli.shape import examples, json_option, pass_session, yes_option
from nvr.cli.vd_create import Bays
from raid.grow_model import GrowPlan, GrowRequest, PlanGrowRequest
from raid.model import Done, JobState, RaidSnapshot, VdState, Work

LEVELS = ("1", "5", "6")


def plan_text(plan: GrowPlan) -> RenderableType:
    """Before and after, side by side, and the drives that come in."""
    rows = ([known(drive.bay), known(drive.model), known(drive.serial), size(drive.size)] for drive in plan.added)
    more = plan.new_capacity - plan.capacity
    parts: list[RenderableType] = [
        pairs([
            ("Virtual drive", plan.name),
            ("Now", f"{plan.level} over {plan.drives} drives, {human_bytes(plan.capacity)}, {_bears(plan.tolerance)}"),
            (
                "Afterwards",
                f"{plan.new_level} over {plan.new_drives} drives, {human_bytes(plan.new_capacity)}, "
                f"{_bears(plan.new_tolerance)}",
            ),
            ("More room", human_bytes(more) if more > 0 else "none: the drives bear another loss"),
            ("Strip", f"{plan.strip // 1024} KiB"),
            ("Takes", f"about {human_seconds(plan.seconds)} when nothing is recorded, longer beside cameras"),
        ]),
        Text("These drives come in:"),
        table(("Bay", "Model", "Serial", "Capacity"), rows, right=("Bay", "Capacity")),
    ]
    parts += [Text(f"Warning: {clean(warning)}", "yellow") for warning in plan.warnings]
    return Group(*parts)


def _bears(drives: int) -> str:
    return f"survives the loss of {drives} drive{'' if drives == 1 else 's'}"


def judge(plan: GrowPlan, data: RaidSnapshot) -> tuple[Step, ...]:
    """How it stands: done when it has the new shape, and nothing is left to do."""
    vd = next((vd for vd in data.virtual_drives if vd.name == plan.name), None)
    if vd is None or vd.state in (VdState.FAILED, VdState.OFFLINE):
        why = "it is gone" if vd is None else f"{vd.state}. {vd.detail}"
        return (Step(plan.name, "stopped", failed=why),)
    if vd.progress is not None and vd.progress.kind is Work.RECONSTRUCTION:
        return (Step(plan.name, str(vd.progress.kind), vd.progress),)
    if len(vd.bays) != plan.new_drives:
        said = next((job.error for job in data.jobs if job.vd == plan.name and job.state is JobState.FAILED), vd.detail)
        return (Step(plan.name, "given up", failed=f"It was given up before it began. {said}".strip()),)
    return (Step(plan.name, f"{plan.new_level} over {len(vd.bays)} drives, {human_bytes(vd.size)}", done=True),)


@click.command(epilog=examples(
    "rackeye vd grow vd0 --add 4 --dry-run", "rackeye vd grow vd0 --add 4,5", "rackeye vd grow vd0 --add 4 --level 6",
))
@click.argument("name")
@click.option("--add", "bays", type=Bays(), required=True, help="Bays of the blank drives that come in, such as 4,5.")
@click.option("--level", type=click.Choice(LEVELS), help="RAID level afterwards.  [default: as it is]")
@click.option("--dry-run", is_flag=True, help="Only show what comes out.")
@click.option("--no-wait", is_flag=True, help="Return at once; `rackeye vd --watch` shows how far it is.")
@yes_option
@json_option
@pass_session
def grow(
    session: Session, *, name: str, bays: tuple[int, ...], level: str | None, dry_run: bool, no_wait: bool, yes: bool,
) -> None:
    """Add drives to the virtual drive NAME, or change its level; what is recorded stays, and recording goes on.

    Shows what comes out and wants the name typed: it cannot be undone. RAID5 and 6 grow;
    RAID0, a RAID1 of two and RAID5 get more parity (0 to 5 or 6, 1 to 5 or 6, 5 to 6; a RAID0 of one drive becomes a
    RAID1 of two). It goes on by itself after a power cut.
    """
    wish = PlanGrowRequest(name, bays, None if level is None else int(level))
    plan = session.client.call(RAID, "PlanGrow", wish, GrowPlan)
    if not session.as_json:
        console().print(plan_text(plan))
    if not dry_run:
        confirm.typed(session, "the name of the virtual drive", name, yes=yes)
    done = None if dry_run else _grow(session, wish, plan, no_wait=no_wait)
    if session.as_json:
        print_json(document(session, {"plan": plain(plan), "done": done}))


def _grow(session: Session, wish: PlanGrowRequest, plan: GrowPlan, *, no_wait: bool) -> str:
    said = session.client.call(RAID, "GrowVd", GrowRequest(wish, plan.fingerprint), Done).sentence
    if not session.as_json:
        click.echo(clean(said))
    if not no_wait:
        for step in follow(session, lambda data: judge(plan, data)) or ():
            if step.failed:
                raise WorkFailed(f"{step.name}: {step.failed}", hint=f"rackeye vd show {plan.name}")
    return said
