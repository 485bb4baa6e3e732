"""The log of who did what, written beside the work: a log that cannot be written keeps nobody from a reboot.

A line that cannot be written, or not soon enough, stands in the journal with the reason.
"""

import threading

from core import journal
from core.errors import RackeyeError
from core.paths import Paths

PANEL, CHASSIS = "front panel", "chassis"
"""`who` and `where` of a press of a button."""
PATIENCE = 5.0
"""Seconds that a line is waited for: a drive that hangs must not hold up who wants the power off."""
log = journal.get_logger("rackeye-audit")


class Audit:
    """problem: a sentence while the last line could not be written."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self.problem = ""

    def write(self, who: str, what: str, where: str) -> None:
        """One line. Never raises."""
        thread = threading.Thread(target=self._write, args=(who, what, where), name="audit", daemon=True)
        thread.start()
        thread.join(PATIENCE)
        if thread.is_alive():
            self._failed(f"no answer in {PATIENCE:g} s", who, what, where)

    def _write(self, who: str, what: str, where: str) -> None:
        try:
            from core.accounts import Accounts  # noqa: PLC0415 -- SQLite and argon2 are slow to load at boot

            Accounts(self._paths).audit(who, what, where)
        except Exception as error:  # whatever it is, what was asked for is done
            self._failed(error.sentence if isinstance(error, RackeyeError) else repr(error), who, what, where)
        else:
            self.problem = ""

    def _failed(self, why: str, who: str, what: str, where: str) -> None:
        self.problem = f"The log of who did what cannot be written: {why}"
        log.error(f"{self.problem} Not written: {who} ({where}): {what}")
