"""`rackeye patrol`: the patrol read over all drives: how it is, start, stop."""

import click
from rich.console import Group, RenderableType

from core.bus import Nothing
from core.units import human_bytes, human_seconds, percent, utc_text
from nvr.cli.check_schedule import every, hours, next_text
from nvr.cli.client import RAID, View
from nvr.cli.output import UNKNOWN, notes, origin, pairs, remarks, say, show, styled, table
from nvr.cli.session import Session
from nvr.cli.shape import NounGroup, examples, json_option, pass_session, watch_option
from raid.model import Done
from raid.model_care import BadPlace, PatrolView, UnreadDrive


def _running(patrol: PatrolView) -> str:
    if patrol.percent is None:
        return "no"
    done = percent(patrol.percent)
    if not patrol.running:
        return f"no; it was left at {done} and goes on from there"
    speed = UNKNOWN if patrol.speed is None else f"{human_bytes(patrol.speed)}/s"
    left = UNKNOWN if patrol.seconds_left is None else human_seconds(patrol.seconds_left)
    return f"{done}, {speed}, {left} left"


def _last(patrol: PatrolView) -> str:
    if patrol.finished is None:
        return "none"
    return f"{utc_text(patrol.finished)}{', but not of every drive' if patrol.unread else ''}"


def _none(patrol: PatrolView) -> str:
    return "none found on what was read" if patrol.unread else "none found"


def _who(drive: UnreadDrive) -> str:
    place = "not here" if drive.bay is None else f"bay {drive.bay}"
    return f"Not read: {place} (serial {drive.serial or UNKNOWN})"


def _render(view: View) -> RenderableType:
    answer = view.of(RAID)
    patrol, schedule = answer.data.patrol, answer.data.schedule
    facts = pairs([
        ("Running", _running(patrol)),
        ("Last whole read", _last(patrol)),
        ("Next by itself", next_text(patrol.next)),
        ("Schedule", f"{every(schedule.patrol_days)}, {hours(schedule)}"),
        ("Unreadable places", str(len(patrol.bad)) if patrol.bad else _none(patrol)),
        ("Drives not read", str(len(patrol.unread)) if patrol.unread else "none"),
    ])

    def cells(place: BadPlace) -> list[RenderableType]:
        return [
            "-" if place.bay is None else str(place.bay), styled("Rewritten" if place.rewritten else "Unreadable"),
            place.vd or "-", "-" if place.stripe is None else str(place.stripe), str(place.lba), str(place.sectors),
            place.serial,
        ]

    parts: list[RenderableType] = [*notes(RAID, answer, view.at, moving=patrol.running), facts]
    if patrol.bad:
        columns = ("Bay", "Is", "VD", "Stripe", "LBA", "Sectors", "Serial")
        parts += [table(columns, map(cells, patrol.bad)), *remarks(("Found", place.detail) for place in patrol.bad)]
    parts += remarks((_who(drive), drive.why) for drive in patrol.unread)
    return Group(*parts)


def _json(view: View) -> dict[str, object]:
    answer = view.of(RAID)
    return {"patrol": answer.data.patrol, "raid": origin(answer, view.at, moving=answer.data.patrol.running)}


@click.group(cls=NounGroup)
def command() -> None:
    """Patrol read: every drive is read, spares too, so that bad sectors are known before they are needed."""


command.default = "show"


@command.command("show", epilog=examples("rackeye patrol", "rackeye patrol --watch", "rackeye patrol --json"))
@json_option
@watch_option
@pass_session
def show_(session: Session, *, watch: bool) -> None:
    """How far it is, when it comes next, and the unreadable places with what to do."""
    show(session, (RAID,), _render, _json, watch=watch)


@command.command(epilog=examples("rackeye patrol start"))
@json_option
@pass_session
def start(session: Session) -> None:
    """Read all drives now. A place that cannot be read is written anew by the array's own code where that is safe."""
    say(session, session.client.call(RAID, "StartPatrol", Nothing(), Done).sentence)


@command.command(epilog=examples("rackeye patrol stop"))
@json_option
@pass_session
def stop(session: Session) -> None:
    """Stop it; the next one goes on from there."""
    say(session, session.client.call(RAID, "StopPatrol", Nothing(), Done).sentence)
