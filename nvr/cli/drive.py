"""`rackeye drive`: drives by bay; what they say of themselves; clear, rebuild on, or replace one."""

import click
from rich.console import Group, RenderableType
from rich.text import Text

from core.errors import DriveInUse, NoSuchDrive, SystemDrive
from nvr.cli import confirm, replace, smart
from nvr.cli.client import RAID, View
from nvr.cli.drive_dismiss import dismiss
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
    say,
    show,
    size,
    styled,
    table,
)
from nvr.cli.session import Session
from nvr.cli.shape import NounGroup, examples, json_option, pass_session, watch_option, yes_option
from raid.model import ClearDriveRequest, Done, Drive, DriveState, RaidSnapshot
from raid.model_clear import ClearPlan
from raid.smart_model import ReadSmartRequest, SmartHistory, SmartHistoryRequest
from raid.spare_model import RebuildOnRequest


def place(drive: Drive) -> str:
    """Where a drive is, in words for a row."""
    return "-" if drive.bay is None else str(drive.bay)


def _name(drive: Drive) -> str:
    return drive.device or "A drive on no bay" if drive.bay is None else f"Bay {drive.bay}"


def state_text(drive: Drive) -> RenderableType:
    """Its state; ??? for Unknown."""
    return styled(None if drive.state is DriveState.UNKNOWN else drive.state)


def drive_table(drives: tuple[Drive, ...]) -> RenderableType:
    """One row a drive, by bay; drives on no bay last; below it what is to be said of them."""

    def cells(drive: Drive) -> list[RenderableType]:
        return [
            place(drive), state_text(drive), drive.vd or "-", "-" if drive.slot is None else str(drive.slot),
            size(drive.size), known(drive.model), known(drive.serial), drive.device or "-",
        ]

    columns = ("Bay", "State", "VD", "Slot", "Capacity", "Model", "Serial", "Device")
    ordered = sorted(drives, key=lambda drive: (drive.bay is None, drive.bay or 0, drive.device is None))
    said = ((f"{_name(drive)}, {drive.state}", drive.detail) for drive in ordered)
    return Group(table(columns, map(cells, ordered), right=("Bay", "Slot", "Capacity")), *remarks(said))


def in_bay(data: RaidSnapshot, bay: int) -> tuple[Drive, ...]:
    """The drives of a bay: the one that is there, and the missing one. Raises NoSuchDrive."""
    found = tuple(drive for drive in data.drives if drive.bay == bay)
    if not found:
        with_drives = ", ".join(str(drive.bay) for drive in data.drives if drive.bay is not None) or "none"
        raise NoSuchDrive(f"No drive is known in bay {bay}; drives are in: {with_drives}.", hint="rackeye bay")
    return found


def _render(view: View) -> RenderableType:
    answer = view.of(RAID)
    data = answer.data
    body = drive_table(data.drives) if data.drives else "No drives are seen."
    return Group(*notes(RAID, answer, view.at), body, *problems(data.problems))


def _json(view: View) -> dict[str, object]:
    answer = view.of(RAID)
    return {"drives": answer.data.drives, "problems": answer.data.problems, "raid": origin(answer, view.at)}


def facts(drive: Drive) -> RenderableType:
    """All that is known of one drive."""
    erred = [("Read errors", f"{drive.read_errors}, made good by md from the others")] if drive.read_errors else []
    return pairs([
        ("Bay", place(drive)),
        ("State", state_text(drive)),
        ("Model", known(drive.model)),
        ("Serial", known(drive.serial)),
        ("Capacity", size(drive.size)),
        ("Device", drive.device or "-"),
        ("Virtual drive", "-" if drive.vd is None else f"{drive.vd}, slot {known(drive.slot)}"),
        *erred,
        ("Found", drive.detail or "-"),
    ])


@click.group(cls=NounGroup)
def command() -> None:
    """Drives, named by their bay."""


command.add_command(dismiss)
command.add_command(replace.command, "replace")


@command.command("list", epilog=examples("rackeye drive", "rackeye drive --watch", "rackeye drive --json"))
@json_option
@watch_option
@pass_session
def list_(session: Session, *, watch: bool) -> None:
    """All drives and their states (this is what `rackeye drive` alone does)."""
    show(session, (RAID,), _render, _json, watch=watch)


@command.command("show", epilog=examples("rackeye drive show 3"))
@click.argument("bay", type=click.IntRange(min=0))
@json_option
@watch_option
@pass_session
def show_(session: Session, *, bay: int, watch: bool) -> None:
    """What is known of the drive in BAY."""

    def render(view: View) -> RenderableType:
        answer = view.of(RAID)
        drives = in_bay(answer.data, bay)
        told = [pairs(smart.rows(drive.smart, view.at)) for drive in drives if drive.device is not None]
        return Group(*notes(RAID, answer, view.at), *map(facts, drives), *told)

    def to_json(view: View) -> dict[str, object]:
        answer = view.of(RAID)
        return {"drives": in_bay(answer.data, bay), "raid": origin(answer, view.at)}

    show(session, (RAID,), render, to_json, watch=watch)


@command.command("smart", epilog=examples(
    "rackeye drive smart", "rackeye drive smart --bay 3", "rackeye drive smart --bay 3 --history",
    "rackeye drive smart --bay 3 --read",
))
@click.option("--bay", type=click.IntRange(min=0), help="Only the drive of this bay, with all that it says.")
@click.option("--history", is_flag=True, help="What it said earlier, the newest first (needs root).")
@click.option("--read", is_flag=True, help="Ask the drive now (needs root); else each is asked every half hour.")
@json_option
@watch_option
@pass_session
def smart_(session: Session, *, bay: int | None, history: bool, read: bool, watch: bool) -> None:
    """What drives say of themselves (S.M.A.R.T.): health, temperature, wear, bad sectors.

    A figure that a drive does not tell is shown as ???. A drive that sleeps is not woken.
    """
    if bay is None:
        if history or read:
            raise click.UsageError("--history and --read need --bay.")
        show(
            session, (RAID,),
            lambda view: Group(
                *notes(RAID, view.of(RAID), view.at), smart.overview(view.of(RAID).data.drives, view.at),
                *problems(view.of(RAID).data.problems),
            ),
            _json, watch=watch,
        )
        return
    chosen = bay
    if read:
        say(session, session.client.call(RAID, "ReadSmart", ReadSmartRequest(chosen), Done).sentence)
        return
    if history:
        _history(session, chosen)
        return

    def render(view: View) -> RenderableType:
        answer = view.of(RAID)
        drives = in_bay(answer.data, chosen)
        return Group(*notes(RAID, answer, view.at), *(smart.one(drive, view.at) for drive in drives))

    def to_json(view: View) -> dict[str, object]:
        answer = view.of(RAID)
        return {"drives": in_bay(answer.data, chosen), "raid": origin(answer, view.at)}

    show(session, (RAID,), render, to_json, watch=watch)


def _history(session: Session, bay: int) -> None:
    drive = in_bay(session.client.look(RAID).of(RAID).data, bay)[0]
    if not drive.serial:
        raise NoSuchDrive(f"The drive in bay {bay} has no serial, so nothing is kept of it.")
    kept = session.client.call(RAID, "SmartHistory", SmartHistoryRequest(drive.serial), SmartHistory)
    if session.as_json:
        print_json(document(session, {"history": kept}))
    else:
        console().print(smart.past(drive, kept))


@command.command(epilog=examples(
    "rackeye bay 3 locate on", "rackeye drive clear --bay 3", "rackeye drive clear --bay 3 --dry-run",
))
@click.option("--bay", type=click.IntRange(min=0), required=True, help="The bay of the drive.")
@click.option("--dry-run", is_flag=True, help="Only show what would be destroyed, or why it is refused.")
@yes_option
@json_option
@pass_session
def clear(session: Session, *, bay: int, dry_run: bool, yes: bool) -> None:
    """Destroy what is on a drive that is in no use, so that it is blank and can be used.

    Shows the drive and what was found on it, and wants its serial typed. The system drive and drives of a virtual
    drive are refused.
    """
    confirm.answerable(session, yes=yes or dry_run)
    here = [drive for drive in in_bay(session.client.look(RAID).of(RAID).data, bay) if drive.device is not None]
    if not here:
        raise NoSuchDrive(f"The drive of bay {bay} is not there.", hint="rackeye bay shows what is.")
    drive = here[0]
    if drive.state is DriveState.BLANK and not dry_run:
        say(session, f"The drive in bay {bay} is blank already. Nothing was changed.")
        return
    request = ClearDriveRequest(bay, drive.serial)
    plan = session.client.call(RAID, "PlanClear", request, ClearPlan)
    if not session.as_json:
        console().print(Group(facts(drive), _plan_text(plan)))
    done = None
    if not dry_run:
        if plan.refusal:
            refused = SystemDrive if drive.state is DriveState.SYSTEM else DriveInUse
            raise refused(plan.refusal, hint="rackeye drive shows what it belongs to.")
        confirm.typed(session, "the serial of the drive" if drive.serial else "its place", drive.serial or f"bay {bay}",
                      yes=yes)  # fmt: skip
        done = session.client.call(RAID, "ClearDrive", request, Done).sentence
    if session.as_json:
        print_json(document(session, {"plan": plain(plan), "done": done}))
    elif done:
        click.echo(clean(done))


def _plan_text(plan: ClearPlan) -> RenderableType:
    """What raidd answers: what would be lost, or why nothing is done."""
    if plan.refusal:
        return Text(f"It cannot be cleared: {clean(plan.refusal)}", "yellow")
    name = f"{clean(plan.model)} {clean(plan.serial)}"
    lost = f"Everything on the drive in bay {plan.bay} ({name}) will be lost for good. {clean(plan.loses)}"
    return Text(lost, "bold red")


@command.command(epilog=examples("rackeye drive rebuild --bay 5 --for vd0"))
@click.option("--bay", type=click.IntRange(min=0), required=True, help="The bay of a blank drive that is no spare.")
@click.option("--for", "vd", metavar="NAME", required=True, help="The degraded virtual drive.")
@json_option
@pass_session
def rebuild(session: Session, *, bay: int, vd: str) -> None:
    """Rebuild a degraded virtual drive on the blank drive in a bay, whichever bay that is; it stays there for good."""
    here = [drive for drive in in_bay(session.client.look(RAID).of(RAID).data, bay) if drive.device is not None]
    if not here:
        raise NoSuchDrive(f"The drive of bay {bay} is not there.", hint="rackeye bay shows what is.")
    say(session, session.client.call(RAID, "RebuildOn", RebuildOnRequest(bay, here[0].serial, vd), Done).sentence)
