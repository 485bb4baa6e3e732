"""From which figures on a drive is expected to fail, and from which it is worth an eye. Pure.

The drive's own verdict comes first: FAILED is failing, whatever the figures are. But drives say PASSED for long after
they have begun to lose sectors, so these limits stand beside it. A drive with a few reallocated sectors may live for
years; one with a pending sector cannot read something now; a person decides about those, so they are WATCH only.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from raid.smart_model import Figures


@dataclass(frozen=True, slots=True)
class Limit:
    """watch, failing: reached when the figure is at least that. words: `{}` is the figure."""

    figure: str
    watch: int
    failing: int
    words: str


LIMITS = (
    Limit("reallocated", 1, 100, "{} sectors were reallocated"),
    Limit("pending", 1, 50, "{} sectors cannot be read and wait to be reallocated"),
    Limit("uncorrectable", 1, 50, "{} errors could not be corrected"),
    Limit("grown_defects", 10, 200, "{} defects have grown since it was made"),
    Limit("wear", 90, 100, "{} % of its rated endurance is used"),
)
HOT, HOT_SSD = 60, 70
"""°C from which an ATA drive is worth an eye: what most makers allow for drives in 24-hour use. SCSI drives tell a
limit of their own, NVMe drives say themselves when they are too hot."""


def found(figures: Figures) -> Iterator[tuple[bool, str]]:
    """What the figures give away: (is it failing, in words)."""
    for limit in LIMITS:
        value = getattr(figures, limit.figure)
        if value is not None and value >= limit.watch:
            yield value >= limit.failing, limit.words.format(value)
