"""rackeye-failover: what runs in Failover Mode in place of the recorder.

Today it says what this appliance is, and waits: a redundant server is configured from the CMS, not from its own console
(spec/boot.md, "Modes").
"""

import sys
from dataclasses import dataclass

from boot.failover_model import BUS_NAME, NAME, FailoverSnapshot, FailoverState
from boot.model import Mode
from boot.version import version_text
from core.daemon import Daemon, Decision, run_daemon

SENTENCE = "This is a redundant server in Failover Mode. It waits for a CMS to configure it."


@dataclass(frozen=True, slots=True)
class Nought:
    """There is nothing to remember and nothing to see yet."""


class FailoverCycle:
    """The three steps."""

    def observe(self) -> Nought:
        return Nought()

    def decide(self, snapshot: Nought, memory: Nought, now: float) -> Decision[Nought, None]:  # noqa: ARG002 -- the shape of every daemon
        return Decision((), memory)

    def act(self, action: None) -> str:  # noqa: ARG002 -- the shape of every daemon
        return "Nothing to do."

    def save(self, memory: Nought) -> None:
        """Nothing to remember."""

    def show(self, snapshot: Nought, memory: Nought, problems: tuple[str, ...]) -> FailoverSnapshot:  # noqa: ARG002 -- the shape of every daemon
        return FailoverSnapshot(FailoverState.WAITING, version_text(Mode.FAILOVER), SENTENCE, problems)

    def reload(self) -> None:
        """Nothing to read again."""


def make() -> Daemon[Nought, Nought, None]:
    """The daemon, ready to run."""
    daemon = Daemon(NAME, FailoverCycle(), Nought(), BUS_NAME)
    daemon.log.info(SENTENCE)
    return daemon


def main() -> int:
    """Entry point."""
    return run_daemon(make)


if __name__ == "__main__":
    sys.exit(main())
