"""`rackeye vd`: virtual drives: list, show, recover (vd_create.py, vd_delete.py, vd_grow.py, vd_import.py: the
others)."""

import click
from rich.console import Group, RenderableType
from rich.text import Text

from core.errors import NoSuchVd
from nvr.cli import confirm
from nvr.cli.client import RAID, View
from nvr.cli.drive import drive_table
from nvr.cli.output import (
    clean,
    console,
    document,
    known,
    notes,
    origin,
    pairs,
    plain,
    print_json,
    problems,
    remarks,
    show,
    size,
    styled,
    table,
)
from nvr.cli.progress import work_text
from nvr.cli.session import Session
from nvr.cli.shape import NounGroup, examples, json_option, pass_session, watch_option, yes_option
from nvr.cli.vd_create import create
from nvr.cli.vd_delete import delete, start, stop
from nvr.cli.vd_grow import grow
from nvr.cli.vd_import import abandon, import_
from raid.model import (
    Done,
    JobState,
    JobView,
    RaidSnapshot,
    Span,
    VdRequest,
    VdState,
    VirtualDrive,
    level_text,
)
from raid.model_recover import RecoverPlan, RecoverRequest


def bays_text(bays: tuple[int | None, ...]) -> str:
    """Bays in slot order; ??? where no bay is known."""
    return " ".join(known(bay) for bay in bays) or "-"


def moving(data: RaidSnapshot) -> bool:
    """True when figures must change at each look."""
    return any(vd.progress is not None for vd in data.virtual_drives)


def state_text(vd: VirtualDrive) -> Text:
    """Its state; ??? for Unknown."""
    return styled(None if vd.state is VdState.UNKNOWN else vd.state)


def find(data: RaidSnapshot, name: str) -> VirtualDrive:
    """Raises NoSuchVd."""
    for vd in data.virtual_drives:
        if vd.name == name:
            return vd
    there = ", ".join(vd.name for vd in data.virtual_drives) or "none"
    raise NoSuchVd(f"There is no virtual drive {name}; there is: {there}.", hint="rackeye vd")


def complete_vd(ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    """Names for the shell; nothing when raidd cannot be asked."""
    answer = ctx.ensure_object(Session).client.look(RAID).of(RAID)
    names = [vd.name for vd in answer.envelope.data.virtual_drives] if answer.envelope else []
    return [name for name in names if name.startswith(begun)]


def vd_table(drives: tuple[VirtualDrive, ...]) -> RenderableType:
    """One row a virtual drive; below it the work on them and what is to be said."""

    def cells(vd: VirtualDrive) -> list[RenderableType]:
        return [
            vd.name, level_text(vd.level, len(vd.spans)), state_text(vd), size(vd.size), bays_text(vd.bays),
            str(vd.tolerance), vd.mountpoint or "not mounted",
        ]

    columns = ("Name", "Level", "State", "Capacity", "Bays", "May lose", "Mounted")
    work = remarks((vd.name, work_text(vd.progress)) for vd in drives)
    said = remarks((vd.name, vd.detail) for vd in drives)
    return Group(table(columns, map(cells, drives), right=("Capacity", "May lose")), *work, *said)


def span_table(vd: VirtualDrive) -> RenderableType:
    """One row a span."""

    def cells(span: Span) -> list[RenderableType]:
        state = styled(None if span.state is VdState.UNKNOWN else span.state)
        return [str(span.number), state, bays_text(span.bays), str(span.tolerance), span.device or "not assembled"]

    return table(("Span", "State", "Bays", "May lose", "Device"), map(cells, vd.spans), right=("Span", "May lose"))


def job_lines(jobs: tuple[JobView, ...]) -> list[Text]:
    """Jobs that run or did not end well."""
    return [
        Text(clean(f"Job: {job.kind} of {job.vd}: {job.state}. {job.error}".strip()))
        for job in jobs if job.state is not JobState.DONE
    ]


def _render(view: View) -> RenderableType:
    answer = view.of(RAID)
    data = answer.data
    empty = "There is no virtual drive: nothing is recorded. Make one: rackeye vd create --simple --level 5"
    body = vd_table(data.virtual_drives) if data.virtual_drives else empty
    stale = notes(RAID, answer, view.at, moving=moving(data))
    return Group(*stale, body, *job_lines(data.jobs), *problems(data.problems))


def _json(view: View) -> dict[str, object]:
    answer = view.of(RAID)
    data = answer.data
    return {
        "virtual_drives": data.virtual_drives,
        "jobs": data.jobs,
        "problems": data.problems,
        "raid": origin(answer, view.at, moving=moving(data)),
    }


def _render_one(view: View, name: str) -> RenderableType:
    answer = view.of(RAID)
    vd = find(answer.data, name)
    members = tuple(drive for drive in answer.data.drives if drive.vd in (name, vd.group or name))
    check = next((check for check in answer.data.checks if check.vd == name), None)
    return Group(
        *notes(RAID, answer, view.at, moving=moving(answer.data)),
        pairs([
            ("Name", vd.name),
            ("Level", level_text(vd.level, len(vd.spans))),
            ("State", state_text(vd)),
            ("Work", work_text(vd.progress) or "-"),
            ("Capacity", size(vd.size)),
            ("Strip", f"{vd.strip // 1024} KiB"),
            ("May lose", f"{vd.tolerance} more drive(s) without losing data"),
            *([("Write hole", "closed by a partial parity log")] if vd.ppl else []),
            ("Bays", bays_text(vd.bays)),
            ("Device", vd.device or "not assembled"),
            ("Mounted", vd.mountpoint or "not mounted: no volume"),
            ("UUID", known(vd.uuid)),
            ("Last check", "none" if check is None else f"{check.verdict}. {check.detail}"),
            ("Detail", vd.detail or "-"),
        ]),
        *([span_table(vd)] if vd.spans else []),
        drive_table(members),
        *job_lines(tuple(job for job in answer.data.jobs if job.vd == name)),
    )


def _json_one(view: View, name: str) -> dict[str, object]:
    answer = view.of(RAID)
    data = answer.data
    return {
        "virtual_drive": find(data, name),
        "drives": tuple(drive for drive in data.drives if drive.vd in (name, find(data, name).group or name)),
        "jobs": tuple(job for job in data.jobs if job.vd == name),
        "check": next((check for check in data.checks if check.vd == name), None),
        "raid": origin(answer, view.at, moving=moving(data)),
    }


@click.group(cls=NounGroup)
def command() -> None:
    """Virtual drives: what the recordings are kept on."""


for _command in (create, delete, grow, stop, start, import_, abandon):
    command.add_command(_command)


@command.command("list", epilog=examples("rackeye vd", "rackeye vd --watch", "rackeye vd --json"))
@json_option
@watch_option
@pass_session
def list_(session: Session, *, watch: bool) -> None:
    """All virtual drives, and the work on them (this is what `rackeye vd` alone does)."""
    show(session, (RAID,), _render, _json, watch=watch)


@command.command("show", epilog=examples("rackeye vd show vd0", "rackeye vd show vd0 --watch"))
@click.argument("name", shell_complete=complete_vd)
@json_option
@watch_option
@pass_session
def show_(session: Session, *, name: str, watch: bool) -> None:
    """All that is known of the virtual drive NAME, and its drives."""
    show(session, (RAID,), lambda view: _render_one(view, name), lambda view: _json_one(view, name), watch=watch)


@command.command(epilog=examples("rackeye vd recover vd0 --dry-run", "rackeye vd recover vd0"))
@click.argument("name", shell_complete=complete_vd)
@click.option("--dry-run", is_flag=True, help="Only show from which drives, and what it may lose.")
@yes_option
@json_option
@pass_session
def recover(session: Session, *, name: str, dry_run: bool, yes: bool) -> None:
    """Start the failed virtual drive NAME again from the drives that are there.

    Shows from which drives, and what that may lose; wants the name typed. Put pulled drives back first.
    """
    plan = session.client.call(RAID, "PlanRecover", VdRequest(name), RecoverPlan)
    if not session.as_json:
        console().print(pairs([
            ("Virtual drive", plan.name),
            ("Started from bays", bays_text(plan.bays)),
            ("Left out", bays_text(plan.left_out)),
            ("May lose", plan.loses or UNSAID),
        ]))
    if not dry_run:
        confirm.typed(session, "the name of the virtual drive", name, yes=yes)
    wish = RecoverRequest(name, plan.fingerprint)
    done = None if dry_run else session.client.call(RAID, "RecoverVd", wish, Done).sentence
    if session.as_json:
        print_json(document(session, {"plan": plain(plan), "done": done}))
    elif done:
        click.echo(clean(done))


UNSAID = "raidd does not say; count with the writes of the last seconds"
