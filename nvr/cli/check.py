"""`rackeye check`: consistency checks of the parity; repair, schedule."""

import click
from rich.console import Group, RenderableType

from core.errors import DaemonGone, WorkFailed
from core.units import utc_text
from nvr.cli import check_repair, check_schedule
from nvr.cli.check_schedule import next_text
from nvr.cli.checked import judge, result_of
from nvr.cli.client import RAID, View
from nvr.cli.output import clean, document, notes, origin, pairs, print_json, say, show, styled
from nvr.cli.progress import follow, work_text
from nvr.cli.session import Session
from nvr.cli.shape import NounGroup, examples, json_option, pass_session, watch_option
from nvr.cli.vd import complete_vd, find, moving
from raid.model import CheckResult, CheckVerdict, Done, RaidSnapshot, VdRequest, VirtualDrive, Work

RUNNING = (Work.CHECK, Work.REPAIR)


def stripes_text(result: CheckResult) -> str:
    """The numbers of the wrong stripes, and how many more there are."""
    if not result.wrong_count:
        return "none"
    shown = ", ".join(place.text for place in result.places if not place.why) or ", ".join(map(str, result.wrong))
    more = result.wrong_count - len(result.wrong)
    return f"{shown} and {more} more" if more > 0 else shown


def _facts(vd: VirtualDrive, data: RaidSnapshot) -> RenderableType:
    name, result = vd.name, result_of(data, vd.name)
    running = work_text(vd.progress) if vd.progress is not None and vd.progress.kind in RUNNING else ""
    rows: list[tuple[str, RenderableType]] = [("Virtual drive", name), ("Running", running or "no")]
    due = next((one for one in data.upkeep if one.vd == name), None)
    if due is not None:
        rows.append(("Next by itself", " ".join(filter(None, (next_text(due.next_check), due.why)))))
    if result is None:
        return pairs([*rows, ("Last check", "none: nothing is known of its redundancy")])
    return pairs([
        *rows,
        ("Last check", styled(result.verdict)),
        ("Ended", utc_text(result.finished)),
        ("Stripes looked at", str(result.stripes)),
        ("Wrong stripes", stripes_text(result)),
        ("Detail", result.detail or "-"),
        ("", ""),
    ])


def _chosen(data: RaidSnapshot, name: str | None) -> tuple[VirtualDrive, ...]:
    return data.virtual_drives if name is None else (find(data, name),)


class CheckGroup(NounGroup):
    """`rackeye check vd0` shows it, `rackeye check vd0 --repair` repairs it."""

    default = "show"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-") and args[0] not in self.commands and not ctx.resilient_parsing:
            verb = "repair" if "--repair" in args else "show"
            args = [verb, *(word for word in args if word != "--repair")]
        return super().parse_args(ctx, args)


@click.group(cls=CheckGroup)
def command() -> None:
    """Consistency checks: does the parity agree with the data, or each copy of a mirror with the others?"""


command.add_command(check_repair.command, "repair")
command.add_command(check_schedule.command, "schedule")


@command.command("show", epilog=examples("rackeye check", "rackeye check show vd0", "rackeye check show vd0 --json"))
@click.argument("name", required=False, shell_complete=complete_vd)
@json_option
@watch_option
@pass_session
def show_(session: Session, *, name: str | None, watch: bool) -> None:
    """The last check of each virtual drive, or of NAME, with the exact wrong stripes."""

    def render(view: View) -> RenderableType:
        answer = view.of(RAID)
        data = answer.data
        facts = [_facts(vd, data) for vd in _chosen(data, name)]
        return Group(*notes(RAID, answer, view.at, moving=moving(data)), *(facts or ["There is no virtual drive."]))

    def to_json(view: View) -> dict[str, object]:
        answer = view.of(RAID)
        data = answer.data
        checks = [
            {"vd": vd.name, "running": vd.progress if vd.progress and vd.progress.kind in RUNNING else None,
             "last": result_of(data, vd.name), "next": next((one for one in data.upkeep if one.vd == vd.name), None)}
            for vd in _chosen(data, name)
        ]
        return {"checks": checks, "raid": origin(answer, view.at, moving=moving(data))}

    show(session, (RAID,), render, to_json, watch=watch)


@command.command(epilog=examples("rackeye check start vd0", "rackeye check start vd0 --watch"))
@click.argument("name", shell_complete=complete_vd)
@click.option("--watch", is_flag=True, help="Wait for the end, with a bar; exit 1 when not every stripe is clean.")
@json_option
@pass_session
@click.pass_context
def start(ctx: click.Context, session: Session, *, name: str, watch: bool) -> None:
    """Check the virtual drive NAME, all its spans. It is used meanwhile; nothing is repaired."""
    before = result_of(session.client.look(RAID).of(RAID).data, name)
    said = session.client.call(RAID, "StartCheck", VdRequest(name), Done).sentence
    if not watch:
        say(session, said)
        return
    steps = follow(session, lambda data: (judge(name, Work.CHECK, before, data),))
    if steps is None:
        return
    if steps[0].failed:
        raise WorkFailed(f"{name}: {steps[0].failed}", hint=f"rackeye vd show {name}")
    view = session.client.look(RAID)
    result = result_of(view.of(RAID).data, name)
    if result is None:
        raise DaemonGone(f"The result of the check of {name} is not there.", hint="rackeye check show")
    if session.as_json:
        print_json(document(session, {"check": result}))
    else:
        click.echo(clean(result.detail))
        if result.wrong_count:
            click.echo(f"Wrong stripes: {stripes_text(result)}")
    if result.verdict is not CheckVerdict.CLEAN:
        ctx.exit(1)


@command.command(epilog=examples("rackeye check stop vd0"))
@click.argument("name", shell_complete=complete_vd)
@json_option
@pass_session
def stop(session: Session, *, name: str) -> None:
    """Stop the check of the virtual drive NAME; what it has seen is told as Stopped."""
    say(session, session.client.call(RAID, "StopCheck", VdRequest(name), Done).sentence)
