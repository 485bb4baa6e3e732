"""What a repair did, and what it left alone, as data and as sentences."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum, unique

from raid.scrub_result import WrongMember


@unique
class Outcome(StrEnum):
    """How it ended for one stripe. RIGHT: it agreed when it was read again, so nothing was written."""

    REPAIRED = "repaired"
    RIGHT = "right"
    LEFT = "left alone"


@dataclass(frozen=True, slots=True)
class RepairedStripe:
    """A stripe that was to be repaired. wrong: the members written (none: RAID5, whose parity was computed anew).

    why: of what was left alone. span: of RAID50 and 60, from 1, else 0.
    """

    number: int
    outcome: Outcome
    pages: int
    wrong: tuple[WrongMember, ...] = ()
    why: str = ""
    span: int = 0


@dataclass(frozen=True, slots=True)
class RepairResult:
    """What a repair did. of: stripes that were to be repaired; fewer are in `stripes` when it was stopped."""

    array: str
    level: int
    stripes: tuple[RepairedStripe, ...]
    of: int
    seconds: float

    def count(self, outcome: Outcome) -> int:
        """So many ended that way."""
        return sum(stripe.outcome is outcome for stripe in self.stripes)

    @property
    def whole(self) -> bool:
        """All of it is right now."""
        return len(self.stripes) == self.of and not self.count(Outcome.LEFT)


def summary(result: RepairResult) -> str:
    """In one sentence."""
    said = [f"{result.count(Outcome.REPAIRED)} of {result.of} stripes were repaired and read again"]
    if right := result.count(Outcome.RIGHT):
        said.append(f"{right} were right by themselves")
    if left := result.count(Outcome.LEFT):
        said.append(f"{left} were left alone")
    if len(result.stripes) < result.of:
        said.append(f"{result.of - len(result.stripes)} were not come to")
    return ", ".join(said) + "."


def sentences(result: RepairResult) -> Iterator[str]:
    """For people."""
    yield f"{result.array}: {summary(result)}"
    for stripe in result.stripes:
        members = ", ".join(f"{wrong.device} (slot {wrong.slot}, {wrong.role})" for wrong in stripe.wrong)
        what = stripe.why or members or ("parity computed anew" if stripe.outcome is Outcome.REPAIRED else "")
        span = f"span {stripe.span}, " if stripe.span else ""
        yield f"{span}stripe {stripe.number}: {stripe.outcome}; {stripe.pages} pages{'; ' + what if what else ''}."
