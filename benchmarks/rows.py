"""A row of the bench, its JSON line, and benchmarks/results.md."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

RESULTS = Path(__file__).with_name("results.md")
HEAD = """# Results of `make bench`

Made by the run, do not edit. A section is replaced when its bench is run; ratios count, the machine is shared.
How each row is measured: [docs/design/bench.md](../docs/design/bench.md).
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. ratio: ours / peer. goal: a sentence such as `ratio <= 0.333`, about `ours` or `ratio`."""

    name: str
    unit: str
    ours: float
    peer: float | None
    peer_name: str
    ratio: float | None
    goal: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Section:
    """What a bench leaves. notes: what was done, and why a row is red."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


Tell = Callable[[str], None]
"""Takes a line for the person who waits."""


def against(
    name: str, unit: str, figures: tuple[float, float], peer_name: str, goal: str, *, ratio: float | None = None,
) -> Row:
    """A row whose goal is about the ratio. figures: ours, the peer's. ratio: where it is not simply theirs."""
    ours, peer = figures
    ratio = ours / peer if ratio is None else ratio
    return Row(name, unit, _short(ours), _short(peer), peer_name, _short(ratio), f"ratio {goal}", _holds(ratio, goal))


def alone(name: str, unit: str, ours: float, goal: str) -> Row:
    """A row without a peer."""
    return Row(name, unit, _short(ours), None, "", None, f"ours {goal}", _holds(ours, goal))


def line(row: Row) -> str:
    """The row as JSON."""
    return msgspec.json.encode(row).decode()


def keep(bench: str, section: Section, when: str, file: Path = RESULTS) -> None:
    """Puts a section into the file, in the place of the bench's older one."""
    old = dict(_sections(file.read_text())) if file.exists() else {}
    old[bench] = _text(section, when)
    file.write_text(HEAD + "".join(f"\n## {name}\n{text}" for name, text in sorted(old.items())))


def _text(section: Section, when: str) -> str:
    table = ["| row | unit | ours | peer | ratio | goal | |", "|---|---|---|---|---|---|---|"]
    for row in section.rows:
        peer = "" if row.peer is None else f"{row.peer:g} ({row.peer_name})"
        ratio = "" if row.ratio is None else f"{row.ratio:g}"
        verdict = "holds" if row.holds else "**RED**"
        table.append(f"| {row.name} | {row.unit} | {row.ours:g} | {peer} | {ratio} | {row.goal} | {verdict} |")
    notes = [f"- {note}" for note in section.notes]
    lines = ["```", *map(line, section.rows), "```"]
    return "\n".join([f"{when}\n", *table, "", *notes, "", *lines, ""])


def _sections(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"\n## ", text)[1:]:
        name, _, rest = part.partition("\n")
        yield name, rest


def _holds(value: float, goal: str) -> bool:
    sign, number = goal.split()
    return value <= float(number) if sign == "<=" else value >= float(number)


def _short(value: float) -> float:
    return float(f"{value:.3g}")
