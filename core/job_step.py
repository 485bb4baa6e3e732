"""What the little programs that are steps of a job have in common (docs/design/jobs.md)."""

import sys
from collections.abc import Callable

from core.errors import RackeyeError


def exit_code(step: Callable[[], object]) -> int:
    """Does the step: 0 when done; else 1, and the sentence on stderr, which the runner puts into the job's record."""
    try:
        step()
    except RackeyeError as error:
        why = f"{error.sentence} {error.hint}"
    except OSError as error:
        why = f"{error.filename}: {error.strerror}." if error.filename else f"{error}."
    else:
        return 0
    sys.stderr.write(f"{why.strip()}\n")
    return 1


def misused(usage: str | None) -> int:
    """The code for words that the step does not know. usage: its docstring."""
    sys.stderr.write(usage or "")
    return 2
