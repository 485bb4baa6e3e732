"""`rackeye spare`: hot spares: list, add, remove."""

import click
from rich.console import Group, RenderableType

from core.errors import NoSuchDrive, NotASpare
from nvr.cli.client import RAID, View
from nvr.cli.drive import in_bay
from nvr.cli.output import known, notes, origin, remarks, say, show, size, styled, table
from nvr.cli.session import Session
from nvr.cli.shape import NounGroup, examples, json_option, pass_session, watch_option
from nvr.cli.vd import complete_vd
from raid.model import Done, RaidSnapshot
from raid.spare_model import AddSpareRequest, RemoveSpareRequest, SpareState, SpareView


def _table(spares: tuple[SpareView, ...]) -> RenderableType:
    def cells(spare: SpareView) -> list[RenderableType]:
        stands = "-" if spare.serving is None else f"{spare.serving}, bay {known(spare.home_bay)}"
        return [
            known(spare.bay), styled(None if spare.state is SpareState.UNKNOWN else spare.state),
            spare.dedicated or "global", "yes" if spare.affinity else "no", stands,
            size(spare.size), known(spare.model), known(spare.serial),
        ]

    columns = ("Bay", "State", "For", "Affinity", "Stands in", "Capacity", "Model", "Serial")
    said = ((f"Bay {known(spare.bay)}, {spare.state}", spare.detail) for spare in spares)
    return Group(table(columns, map(cells, spares), right=("Bay", "Capacity")), *remarks(said))


@click.group(cls=NounGroup)
def command() -> None:
    """Hot spares: drives that take the place of one that fails, by themselves."""


@command.command("list", epilog=examples("rackeye spare", "rackeye spare --json"))
@json_option
@watch_option
@pass_session
def list_(session: Session, *, watch: bool) -> None:
    """All hot spares (this is what `rackeye spare` alone does)."""

    def render(view: View) -> RenderableType:
        answer = view.of(RAID)
        body = _table(answer.data.spares) if answer.data.spares else "There is no hot spare: rackeye spare add --bay N"
        return Group(*notes(RAID, answer, view.at), body)

    def to_json(view: View) -> dict[str, object]:
        answer = view.of(RAID)
        return {"spares": answer.data.spares, "raid": origin(answer, view.at)}

    show(session, (RAID,), render, to_json, watch=watch)


@command.command(epilog=examples(
    "rackeye spare add --bay 7", "rackeye spare add --bay 7 --dedicated vd0", "rackeye spare add --bay 7 --affinity",
))
@click.option("--bay", type=click.IntRange(min=0), required=True, help="The bay of a blank drive.")
@click.option("--dedicated", metavar="NAME", shell_complete=complete_vd, help="Only for this virtual drive.")
@click.option("--affinity", is_flag=True, help="Its own backplane comes first (chassis with several).")
@json_option
@pass_session
def add(session: Session, *, bay: int, dedicated: str | None, affinity: bool) -> None:
    """Make the blank drive in a bay a hot spare, global or of one virtual drive.

    A drive with data is refused: `rackeye drive clear` makes it blank. Said again of a spare, it changes it.
    """
    here = [drive for drive in in_bay(session.client.look(RAID).of(RAID).data, bay) if drive.device is not None]
    if not here:
        raise NoSuchDrive(f"The drive of bay {bay} is not there.", hint="rackeye bay shows what is.")
    request = AddSpareRequest(bay, here[0].serial, dedicated, affinity)
    say(session, session.client.call(RAID, "AddSpare", request, Done).sentence)


@command.command(epilog=examples("rackeye spare remove --bay 7", "rackeye spare remove --serial RK000008"))
@click.option("--bay", type=click.IntRange(min=0), help="The bay it sits in, or sat in last.")
@click.option("--serial", help="Its serial.")
@json_option
@pass_session
def remove(session: Session, *, bay: int | None, serial: str | None) -> None:
    """A drive is no hot spare any more. Nothing on it is touched; one that stands in stays where it is, for good."""
    if (bay is None) == (serial is None):
        raise click.UsageError("Name the spare by --bay or by --serial.")
    found = _find(session.client.look(RAID).of(RAID).data, bay, serial)
    say(session, session.client.call(RAID, "RemoveSpare", RemoveSpareRequest(found.serial), Done).sentence)


def _find(data: RaidSnapshot, bay: int | None, serial: str | None) -> SpareView:
    """In a bay the one that is there before the one that was. Raises NotASpare."""
    fitting = [spare for spare in data.spares if serial in (None, spare.serial) and bay in (None, spare.bay)]
    fitting.sort(key=lambda spare: spare.state is SpareState.MISSING)
    if not fitting:
        there = ", ".join(known(spare.bay) for spare in data.spares) or "none"
        raise NotASpare(f"No hot spare is known there; spares are in bays: {there}.", hint="rackeye spare")
    return fitting[0]
