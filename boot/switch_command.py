"""nr-switch-to-redundant: checks everything, asks `y`, switches to Failover Mode, reboots (spec/boot.md, "Modes").

boxd does it, which alone writes the mode while the appliance runs; where boxd is not there (rescue, or stopped) this
program does it itself. Exit 0 switched (or nothing stands against it, with --dry-run), 1 refused, 2 misuse.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from boot import power, redundant
from boot.audit import Audit
from boot.model import BUS_NAME, SwitchPlan, SwitchRequest
from boot.state import StateStore
from core.accounts_model import COMMAND_LINE, person
from core.bus import BusClient, Nothing, Sentence
from core.errors import BusMissing, DaemonGone, RackeyeError
from core.paths import Paths

R = TypeVar("R")


def main(argv: Sequence[str] | None = None, ask: Callable[[str], str] = input) -> int:
    """The program."""
    parser = argparse.ArgumentParser(
        prog="nr-switch-to-redundant", description="Makes this appliance a redundant server."
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)  # another root's boxd is not on this bus
    args = parser.parse_args(argv)
    if os.geteuid() != 0:
        return _end("nr-switch-to-redundant: Run it as root: sudo nr-switch-to-redundant")
    paths = Paths(args.root or Path("/"))
    try:
        plan = _boxds_plan() if args.root is None else None
        if plan is None:
            return _switch(redundant.plan(paths, StateStore(paths)), lambda: _alone(paths), ask, dry_run=args.dry_run)
        return _switch(plan, _by_boxd, ask, dry_run=args.dry_run)
    except RackeyeError as error:
        return _end(f"[{error.code}] {error.sentence}\n  {error.hint}")


def _switch(plan: SwitchPlan, convert: Callable[[], str], ask: Callable[[str], str], *, dry_run: bool) -> int:
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
    sys.stdout.write(f"{convert()}\n")
    return 0


def _boxds_plan() -> SwitchPlan | None:
    """None when boxd is not there. Raises what boxd raised."""
    try:
        return _boxd("PlanSwitch", Nothing(), SwitchPlan)
    except (BusMissing, DaemonGone):
        return None


def _by_boxd() -> str:
    """boxd had made the plan: should it fall silent now, nobody knows what it did, and nothing is done beside it."""
    return _boxd("SwitchToRedundant", SwitchRequest("y", person(), COMMAND_LINE), Sentence).text


def _boxd(command: str, request: object, reply: type[R]) -> R:
    async def ask() -> R:
        async with BusClient() as client:
            return await client.call(BUS_NAME, command, request, reply)

    return asyncio.run(ask())


def _alone(paths: Paths) -> str:
    redundant.convert(paths, StateStore(paths))
    Audit(paths).write(person(), "switched to Failover Mode", COMMAND_LINE)
    power.reboot()
    return "The appliance is in Failover Mode, and reboots."


def _end(text: str) -> int:
    sys.stderr.write(text + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
