"""nr-switch-to-redundant: checks everything, asks `y`, switches to Failover Mode, reboots (spec/boot.md, "Modes").

Exit 0 switched (or nothing stands against it, with --dry-run), 1 refused, 2 misuse.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from boot import power, redundant
from boot.state import StateStore
from core.errors import RackeyeError
from core.paths import Paths


def main(argv: Sequence[str] | None = None, ask: Callable[[str], str] = input) -> int:
    """The program."""
    parser = argparse.ArgumentParser(
        prog="nr-switch-to-redundant", description="Makes this appliance a redundant server."
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument("--root", type=Path, default=Path("/"), help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    paths = Paths(args.root)
    if os.geteuid() != 0:
        return _end("nr-switch-to-redundant: Run it as root: sudo nr-switch-to-redundant")
    store = StateStore(paths)
    try:
        return _switch(paths, store, ask, dry_run=args.dry_run)
    except RackeyeError as error:
        return _end(f"[{error.code}] {error.sentence}\n  {error.hint}")


def _switch(paths: Paths, store: StateStore, ask: Callable[[str], str], *, dry_run: bool) -> int:
    plan = redundant.plan(paths, store)
    if plan.refusals:
        lines = [f"[{refusal.code}] {refusal.sentence}\n  {refusal.hint}" for refusal in plan.refusals]
        return _end("\n".join(("The switch to Failover Mode is refused:", *lines)))
    sys.stdout.write("".join(f"- {step}\n" for step in plan.steps))
    if dry_run:
        return 0
    sys.stdout.write(f"{redundant.QUESTION} ")
    sys.stdout.flush()
    try:
        answer = ask("")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        return _end("Not confirmed. Nothing was changed.")
    redundant.convert(paths, store)
    sys.stdout.write("The appliance is in Failover Mode, and reboots.\n")
    sys.stdout.flush()
    power.reboot()
    return 0


def _end(text: str) -> int:
    sys.stderr.write(text + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
