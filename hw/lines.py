"""Line numbers for profiles, whose tables mostly stand in lists: `bays[5].status` is in the sixth [[bays]]."""

import re
from dataclasses import dataclass

from core.config import Source

_STEP = re.compile(r"(?P<name>[^.\[]+)(?:\[(?P<index>\d+)\])?")


@dataclass(frozen=True, slots=True)
class Lines(Source):
    """A source that finds keys in the right one of several tables of a name."""

    def place(self, path: str) -> str:
        """`file:line` of the last key of `path`; failing that, of its table, or of the first line with that name."""
        lines = self.text.splitlines()
        steps = [(match["name"], match["index"]) for match in _STEP.finditer(path)]
        if not steps:
            return str(self.file)
        (table, index), keys = steps[0], [name for name, _ in steps[1:]]
        if index is None:
            return self._first(lines, 0, len(lines), steps[-1][0])
        heads = [n for n, line in enumerate(lines) if re.match(rf"\s*\[\[\s*{re.escape(table)}\s*\]\]", line)]
        if int(index) >= len(heads):
            return self._first(lines, 0, len(lines), table)
        start = heads[int(index)]
        end = next((n for n in range(start + 1, len(lines)) if re.match(r"\s*\[", lines[n])), len(lines))
        for key in reversed(keys):
            place = self._first(lines, start, end, key)
            if place != str(self.file):
                return place
        return f"{self.file}:{start + 1}"

    def _first(self, lines: list[str], start: int, end: int, key: str) -> str:
        """The line that sets `key` as its own key, else inside an inline table."""
        name = re.escape(key)
        for pattern in (
            rf"\s*[\"']?{name}[\"']?\s*=",
            rf"\s*\[+\s*{name}\s*\]+",
            rf"[^#]*[{{,]\s*[\"']?{name}[\"']?\s*=",
        ):
            for number in range(start, end):
                if re.match(pattern, lines[number]):
                    return f"{self.file}:{number + 1}"
        return str(self.file)
