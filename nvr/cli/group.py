"""`rackeye group`: drive groups, which virtual drives lie on them, and what is free."""

import click
from rich.console import Group, RenderableType

from nvr.cli.client import RAID, View
from nvr.cli.output import notes, origin, remarks, show, size, table
from nvr.cli.session import Session
from nvr.cli.shape import NounGroup, examples, json_option, pass_session, watch_option
from nvr.cli.vd import bays_text
from raid.model import DriveGroup, level_text


def _table(groups: tuple[DriveGroup, ...]) -> RenderableType:
    def cells(group: DriveGroup) -> list[RenderableType]:
        return [
            group.name, level_text(group.level, group.spans), bays_text(group.bays), ", ".join(group.vds) or "none",
            size(group.size), size(group.free) if group.shared else "0 B",
        ]

    columns = ("Group", "Level", "Bays", "Virtual drives", "Capacity", "Free")
    pieces = (
        (group.name, f"The largest free piece has {size(group.largest)}.")
        for group in groups if group.free > group.largest
    )
    return Group(table(columns, map(cells, groups), right=("Capacity", "Free")), *remarks(pieces))


@click.group(cls=NounGroup)
def command() -> None:
    """Drive groups: drives that one or several virtual drives lie on."""


@command.command("list", epilog=examples("rackeye group", "rackeye group --json"))
@json_option
@watch_option
@pass_session
def list_(session: Session, *, watch: bool) -> None:
    """All drive groups (this is what `rackeye group` alone does).

    In one that was made with a size (dg0), more virtual drives can be made: rackeye vd create --group dg0 --size rest
    """

    def render(view: View) -> RenderableType:
        answer = view.of(RAID)
        none = "There is no drive group: rackeye vd create --simple --level 5"
        return Group(*notes(RAID, answer, view.at), _table(answer.data.groups) if answer.data.groups else none)

    def to_json(view: View) -> dict[str, object]:
        answer = view.of(RAID)
        return {"groups": answer.data.groups, "raid": origin(answer, view.at)}

    show(session, (RAID,), render, to_json, watch=watch)
