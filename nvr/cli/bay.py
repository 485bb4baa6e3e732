"""`rackeye bay`: the bays as a person sees them from the front, and locate."""

from dataclasses import dataclass

import click
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from core.bus import Sentence
from core.errors import BayUnknown
from hw.model import BayView, LocateRequest, PanelSnapshot, TrayLight
from nvr.cli.client import PANEL, RAID, View
from nvr.cli.output import (
    STYLES,
    UNKNOWN,
    clean,
    complain,
    known,
    notes,
    origin,
    pairs,
    problems,
    remarks,
    say,
    show,
    size,
    styled,
    table,
)
from nvr.cli.session import Session
from nvr.cli.shape import examples, json_option, pass_session, watch_option
from raid.model import Drive, RaidSnapshot

CELL = 16
"""Width of a bay in the picture, in characters."""


@dataclass(frozen=True, slots=True)
class BayRow:
    """A bay as panel and storage see it together.

    state: of the drive in it, else of the drive that is missing there; Empty; Unknown when one of the two is not known.
    light: what the LEDs show, None when that is not known.
    """

    bay: int
    present: bool | None
    state: str
    light: TrayLight | None
    locate: bool | None
    vd: str | None
    serial: str | None
    model: str | None
    size: int | None
    device: str | None
    detail: str


def bay_rows(panel: PanelSnapshot | None, raid: RaidSnapshot | None) -> tuple[BayRow, ...]:
    """All bays, by number; None for a side that does not answer."""
    views = {} if panel is None else {view.bay: view for view in panel.bays}
    drives: dict[int, list[Drive]] = {}
    for drive in () if raid is None else raid.drives:
        if drive.bay is not None:
            drives.setdefault(drive.bay, []).append(drive)
    numbers = sorted({*views, *drives})
    return tuple(_row(number, views.get(number), drives.get(number, []), raid is not None) for number in numbers)


def _row(number: int, view: BayView | None, drives: list[Drive], raid_answers: bool) -> BayRow:
    here = sorted(drives, key=lambda drive: drive.device is None)  # the one that is there before the missing one
    drive = here[0] if here else None
    present = view.present if view else (drive is not None and drive.device is not None) or None
    others = [f"{other.state}: {other.model} {other.serial} of {other.vd or 'no virtual drive'}." for other in here[1:]]
    if drive is not None:
        state: str = drive.state
    elif present is False:
        state = "Empty"
    else:
        state = "Unknown"
        others = ["rackeye-raidd does not know this drive (yet)."] if raid_answers else others
    return BayRow(
        bay=number,
        present=present,
        state=state,
        light=view.light if view else None,
        locate=view.locate if view else None,
        vd=drive.vd if drive else None,
        serial=(drive.serial if drive else None) or (view.serial if view else None),
        model=(drive.model if drive else None) or (view.model if view else None),
        size=drive.size if drive else None,
        device=(drive.device if drive else None) or (view.device if view else None),
        detail=" ".join(filter(None, [drive.detail if drive else "", *others])),
    )


def picture(front: tuple[tuple[int, ...], ...], rows: tuple[BayRow, ...]) -> RenderableType:
    """The front view: rows of bays, each with its light, state, virtual drive and size."""
    by_bay = {row.bay: row for row in rows}
    grid = Table(box=box.SQUARE, show_header=False, show_lines=True, padding=(0, 1))
    for _ in range(max(map(len, front), default=0)):
        grid.add_column(width=CELL, no_wrap=True, overflow="ellipsis")
    for line in front:
        grid.add_row(*(_cell(bay, by_bay.get(bay)) for bay in line))
    return grid


def _cell(bay: int, row: BayRow | None) -> Text:
    light = UNKNOWN if row is None or row.light is None else str(row.light)
    state = UNKNOWN if row is None or row.state == "Unknown" else row.state
    foot = "" if row is None else " ".join(filter(None, [row.vd or "", size(row.size) if row.size else ""]))
    head = Text(f"{bay}".ljust(CELL - len(light)), "bold") + Text(light, STYLES.get(light, "dim"))
    return Text("\n").join([head, Text(clean(state), STYLES.get(state, "")), Text(clean(foot), "dim")])


def _rows_of(view: View) -> tuple[BayRow, ...]:
    panel, raid = view.of(PANEL), view.of(RAID)
    if panel.envelope is None and raid.envelope is None:
        raise panel.error or BayUnknown("Nothing is known of the bays.")
    return bay_rows(
        panel.envelope.data if panel.envelope else None, raid.envelope.data if raid.envelope else None
    )


def _render(view: View) -> RenderableType:
    rows = _rows_of(view)
    panel, raid = view.of(PANEL), view.of(RAID)
    parts: list[RenderableType] = [*notes(PANEL, panel, view.at), *notes(RAID, raid, view.at)]
    if panel.envelope is not None:
        data = panel.envelope.data
        parts += [Text(clean(f"{data.title or data.profile}, seen from the front"), "bold")]
        parts += [picture(data.front, rows)] if data.front else []
    parts.append(_table(rows) if rows else Text("The chassis profile names no bays; `rackeye drive` lists the drives."))
    parts += problems(panel.envelope.data.problems if panel.envelope else ())
    return Group(*parts)


def _table(rows: tuple[BayRow, ...]) -> RenderableType:
    def cells(row: BayRow) -> list[RenderableType]:
        empty = row.state == "Empty"
        facts = ["", "", "", ""] if empty else [size(row.size), known(row.model), known(row.serial), row.device or "-"]
        return [
            str(row.bay), styled(None if row.state == "Unknown" else row.state), styled(row.light), row.vd or "-",
            *facts,
        ]

    columns = ("Bay", "State", "Light", "VD", "Capacity", "Model", "Serial", "Device")
    said = ((f"Bay {row.bay}", row.detail) for row in rows)
    return Group(table(columns, map(cells, rows), right=("Bay", "Capacity")), *remarks(said))


def _find(rows: tuple[BayRow, ...], bay: int) -> BayRow:
    for row in rows:
        if row.bay == bay:
            return row
    known_bays = ", ".join(str(row.bay) for row in rows) or "none"
    raise BayUnknown(f"There is no bay {bay}; there is: {known_bays}.", hint="rackeye bay shows them.")


def _render_one(view: View, bay: int) -> RenderableType:
    row = _find(_rows_of(view), bay)
    return Group(*notes(PANEL, view.of(PANEL), view.at), *notes(RAID, view.of(RAID), view.at), pairs([
        ("Bay", str(row.bay)),
        ("State", styled(None if row.state == "Unknown" else row.state)),
        ("Light", styled(row.light)),
        ("Locate", UNKNOWN if row.locate is None else "on" if row.locate else "off"),
        ("Virtual drive", row.vd or "-"),
        ("Model", known(row.model) if row.state != "Empty" else "-"),
        ("Serial", known(row.serial) if row.state != "Empty" else "-"),
        ("Capacity", size(row.size) if row.state != "Empty" else "-"),
        ("Device", row.device or "-"),
        ("Detail", row.detail or "-"),
    ]))


def _json(view: View, bay: int | None) -> dict[str, object]:
    rows = _rows_of(view)
    panel = view.of(PANEL)
    return {
        "front": panel.envelope.data.front if panel.envelope else (),
        "bays": rows if bay is None else (_find(rows, bay),),
        "problems": panel.envelope.data.problems if panel.envelope else (),
        "panel": origin(panel, view.at),
        "raid": origin(view.of(RAID), view.at),
    }


@click.command(epilog=examples(
    "rackeye bay", "rackeye bay 3", "rackeye bay 3 locate on", "rackeye bay --watch", "rackeye bay --json",
))
@click.argument("bay", type=click.IntRange(min=0), required=False)
@click.argument("verb", type=click.Choice(["locate"]), required=False, metavar="[locate]")
@click.argument("switch", type=click.Choice(["on", "off"]), required=False, metavar="[on|off]")
@json_option
@watch_option
@pass_session
@click.pass_context
def command(
    ctx: click.Context, session: Session, *, bay: int | None, verb: str | None, switch: str | None, watch: bool
) -> None:
    """The bays as they are seen from the front; one BAY; or blink BAY's tray so that a person finds it."""
    if verb is not None:
        if switch is None:
            raise click.UsageError("Say `locate on` or `locate off`.")
        assert bay is not None
        reply = session.client.call(PANEL, "Locate", LocateRequest(bay, switch == "on"), Sentence)
        say(session, reply.text)
        return
    view = show(
        session, (PANEL, RAID), lambda view: _render(view) if bay is None else _render_one(view, bay),
        lambda view: _json(view, bay), watch=watch,
    )
    if not watch and complain(view, PANEL, RAID):
        ctx.exit(1)
