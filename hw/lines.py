"""Line numbers for profiles, whose tables mostly stand in lists: `bays[5].status` is in the sixth [[bays]]."""

import re
from dataclasses import dataclass

from core.config import Source

_STEP = re.compile(r"(?P<name>[^.\[]+)(?:\[(?P<index>\d+)\])?")


@dataclass(frozen=True, slots=True)
class Lines(Source):
    """A source that finds keys in the right one of several tables of a name."""

    def place(self, path: str) -> str:
        """`file:line` of `path`, or of the nearest thing above it that has a line."""
        steps = [(match["name"], match["index"]) for match in _STEP.finditer(path)]
        if not steps:
            return str(self.file)
        lines = self.text.splitlines()
        (table, index), keys = steps[0], [name for name, _ in steps[1:]]
        heads = [n for n, line in enumerate(lines) if re.match(rf"\s*\[\[\s*{re.escape(table)}\s*\]\]", line)]
        if index is not None and int(index) < len(heads):
            position = heads[int(index)]
        else:
            found = _find(lines, 0, len(lines), table, inline=False)
            if found is None:
                return str(self.file)
            position = found
        end = _end(lines, position, table)
        for depth, key in enumerate(keys):
            found = _find(lines, position, end, key, inline=depth > 0)
            if found is None:
                break
            position = found
        return f"{self.file}:{position + 1}"


def _end(lines: list[str], start: int, table: str) -> int:
    """Where the table that begins at `start` ends; its own [table.sub] belong to it."""
    head = re.compile(rf"\s*\[(?!\[?\s*{re.escape(table)}\s*\.)")
    return next((n for n in range(start + 1, len(lines)) if head.match(lines[n])), len(lines))


def _find(lines: list[str], start: int, end: int, key: str, *, inline: bool) -> int | None:
    """The first line that sets `key`, opens a table of that name or, with `inline`, has it in a { table }."""
    name = re.escape(key)
    patterns = [rf"\s*[\"']?{name}[\"']?\s*=", rf"\s*\[+[^\]]*\b{name}\s*\]"]
    if inline:
        patterns.append(rf"[^#]*[{{,]\s*[\"']?{name}[\"']?\s*=")
    return next((n for n in range(start, end) if any(re.match(pattern, lines[n]) for pattern in patterns)), None)
