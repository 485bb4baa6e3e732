"""What drives say of themselves, in words and tables: for `rackeye drive show` and `rackeye drive smart`."""

from collections.abc import Iterable

from rich.console import Group, RenderableType

from core.units import utc_text
from nvr.cli.output import UNKNOWN, ago, clean, known, pairs, remarks, styled, table
from raid.model import Drive
from raid.smart_model import Figures, Smart, SmartHealth, SmartHistory


def health_text(health: SmartHealth) -> RenderableType:
    """??? for Unknown."""
    return styled(None if health is SmartHealth.UNKNOWN else health)


def verdict_text(passed: bool | None) -> str:
    """The drive's own word, as smartctl prints it."""
    return UNKNOWN if passed is None else "PASSED" if passed else "FAILED"


def _read_text(smart: Smart, now: float) -> str:
    when = "never" if smart.read is None else f"{utc_text(smart.read)}, {ago(smart.read, now)}"
    return f"{when}; it sleeps and was not woken" if smart.asleep else when


def _unit(value: int | None, unit: str) -> str:
    return UNKNOWN if value is None else f"{value} {unit}"


def rows(smart: Smart, now: float) -> list[tuple[str, RenderableType]]:
    """All that is known, for a list of facts; figures that a drive of this kind does not have are left out."""
    figures = smart.figures
    found: list[tuple[str, RenderableType]] = [
        ("S.M.A.R.T.", health_text(smart.health)),
        ("Because", smart.detail or "-"),
        ("Its own verdict", verdict_text(figures.passed)),
        ("Temperature", _unit(figures.temperature, "°C")),
        ("Powered on", _unit(figures.hours, "h")),
        ("Reallocated", known(figures.reallocated)),
        ("Pending", known(figures.pending)),
        ("Uncorrectable", known(figures.uncorrectable)),
        ("Grown defects", known(figures.grown_defects)),
        ("Endurance used", _unit(figures.wear, "%")),
        ("Spare blocks left", _unit(figures.spare, "%")),
        ("Firmware", known(figures.firmware or None)),
        ("Read", _read_text(smart, now)),
    ]
    return [row for row in found if row[0] not in _ABSENT.get(figures.protocol, ())]


_ABSENT = {
    "ATA": ("Grown defects", "Spare blocks left"),
    "NVMe": ("Reallocated", "Pending", "Grown defects"),
    "SCSI": ("Reallocated", "Spare blocks left"),
}
_COLUMNS = ("Verdict", "°C", "Hours", "Used %", "Reallocated", "Pending", "Uncorrectable", "Grown")


def _cells(figures: Figures) -> list[RenderableType]:
    values = (
        figures.temperature, figures.hours, figures.wear, figures.reallocated, figures.pending, figures.uncorrectable,
        figures.grown_defects,
    )
    return [verdict_text(figures.passed), *(known(value) for value in values)]


def overview(drives: Iterable[Drive], now: float) -> RenderableType:
    """One row a drive."""
    there = [drive for drive in drives if drive.device is not None]
    made = table(
        ("Bay", "S.M.A.R.T.", *_COLUMNS, "Read"),
        (
            [
                "-" if drive.bay is None else str(drive.bay), health_text(drive.smart.health),
                *_cells(drive.smart.figures),
                "never" if drive.smart.read is None else ago(drive.smart.read, now),
            ]
            for drive in there
        ),
        right=("Bay", *_COLUMNS[1:]),
    )
    return Group(made, *remarks((_place(drive), drive.smart.detail) for drive in there))


def one(drive: Drive, now: float) -> RenderableType:
    """One drive."""
    return pairs([("Drive", f"{_place(drive)}: {clean(drive.model)} {clean(drive.serial)}"), *rows(drive.smart, now)])


def past(drive: Drive, history: SmartHistory) -> RenderableType:
    """The kept readings, the newest first."""
    if not history.records:
        return f"No reading of the drive with serial {clean(history.serial)} is kept yet."
    made = table(
        ("When", "S.M.A.R.T.", *_COLUMNS),
        (
            [utc_text(record.at), health_text(record.health), *_cells(record.figures)]
            for record in history.records
        ),
        right=_COLUMNS[1:],
    )
    return Group(f"{_place(drive)}: {clean(history.model)} {clean(history.serial)}", made)


def _place(drive: Drive) -> str:
    return (drive.device or "A drive on no bay") if drive.bay is None else f"Bay {drive.bay}"
