"""`rackeye check schedule`: when checks and patrol reads come by themselves; show it, set it."""

import re

import click
from rich.console import Group, RenderableType

from core.units import utc_text
from nvr.cli.client import RAID, View
from nvr.cli.output import notes, origin, pairs, remarks, say, show, table
from nvr.cli.session import Session
from nvr.cli.shape import examples, json_option, pass_session
from raid.model import Done, RaidSnapshot
from raid.model_care import Schedule, ScheduleRequest

HOURS = re.compile(r"(\d{1,2})-(\d{1,2})")


def _hours(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    found = HOURS.fullmatch(value)
    if found is None or not all(int(hour) <= 24 for hour in found.groups()):
        raise click.BadParameter("hours as 1-5 or 22-6; 0-0 is always.")
    return int(found[1]) % 24, int(found[2]) % 24


@click.command(epilog=examples(
    "rackeye check schedule", "rackeye check schedule --days 7 --quiet 1-5", "rackeye check schedule --days 0",
))
@click.option("--days", type=click.FloatRange(0, 365), help="Check every so many days; 0: only by hand.")
@click.option("--patrol-days", type=click.FloatRange(0, 365), help="The same for the patrol read over all drives.")
@click.option("--quiet", callback=_hours, metavar="FROM-UNTIL", help="Hours, such as 1-5; 0-0: always.")
@json_option
@pass_session
def command(
    session: Session, *, days: float | None, patrol_days: float | None, quiet: tuple[int, int] | None
) -> None:
    """When consistency checks and patrol reads come by themselves. Without an option it is only shown."""
    if days is None and patrol_days is None and quiet is None:
        show(session, (RAID,), _render, _json, watch=False)
        return
    begin, end = quiet if quiet is not None else (None, None)
    request = ScheduleRequest(days, patrol_days, begin, end)
    say(session, session.client.call(RAID, "SetSchedule", request, Done).sentence)


def every(days: float) -> str:
    """ "every 7 days" """
    return "only by hand" if days <= 0 else f"every {days:g} days"


def hours(schedule: Schedule) -> str:
    """ "from 1:00 to 5:00" """
    if schedule.quiet_from == schedule.quiet_until:
        return "always"
    return f"from {schedule.quiet_from}:00 to {schedule.quiet_until}:00"


def next_text(at: float | None) -> str:
    """When, or never."""
    return "never by itself" if at is None else utc_text(at)


def _render(view: View) -> RenderableType:
    answer = view.of(RAID)
    data: RaidSnapshot = answer.data
    rows = [[one.vd, next_text(one.next_check)] for one in data.upkeep]
    parts: list[RenderableType] = [*notes(RAID, answer, view.at), pairs([
        ("Consistency check", every(data.schedule.check_days)),
        ("Patrol read", every(data.schedule.patrol_days)),
        ("Quiet hours", f"{hours(data.schedule)} (local time)"),
    ])]
    if rows:
        parts += [table(("VD", "Next check"), rows), *remarks((one.vd, one.why) for one in data.upkeep)]
    return Group(*parts)


def _json(view: View) -> dict[str, object]:
    answer = view.of(RAID)
    return {"schedule": answer.data.schedule, "next": answer.data.upkeep, "raid": origin(answer, view.at)}
