"""`make bench [ONLY=name]`: one JSON line a row, and benchmarks/results.md. Exit 0 also when a goal does not hold."""

import argparse
import importlib
import os
import signal
import sys
import time

from benchmarks.rows import Section, keep, line

BENCHES = ("parity", "check", "recorder", "latency", "spare", "idle", "sixteen", "web")


def main() -> int:
    """The command. 1: something could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=BENCHES, action="append", help="run this one; may be given again")
    parser.add_argument("--quick", action="store_true", help="fewer turns and pulls; results.md is left as it is")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))  # what was started is ended, too
    failed = False
    for name in args.only or BENCHES:
        began = time.monotonic()
        try:
            section: Section = importlib.import_module(f"benchmarks.{name}").bench(tell, quick=args.quick)
        except Exception as error:
            tell(f"{name} could not be measured: {type(error).__name__}: {error}")
            failed = True
            continue
        for row in section.rows:
            sys.stdout.write(line(row) + "\n")
        sys.stdout.flush()
        if not args.quick:
            when = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
            keep(name, section, f"{when} UTC, {time.monotonic() - began:.0f} s, {os.cpu_count()} cores, load "
                                f"{os.getloadavg()[0]:.1f} at the end.")
    return int(failed)


def tell(text: str) -> None:
    """To the person who waits; the rows alone go to stdout."""
    sys.stderr.write(f"# {text}\n")


if __name__ == "__main__":
    sys.exit(main())
