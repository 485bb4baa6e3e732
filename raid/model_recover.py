"""What is said and asked of the recovery of a failed virtual drive. Travels as raid.model does."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecoverPlan:
    """PlanRecover: from which drives a failed virtual drive would be started, and what that may lose.

    fingerprint: goes into RecoverVd, which is refused when other drives, or these as they are no more, would be taken.
    """

    name: str
    bays: tuple[int | None, ...]
    left_out: tuple[int | None, ...]
    loses: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class RecoverRequest:
    """RecoverVd: do what PlanRecover showed."""

    name: str
    fingerprint: str
