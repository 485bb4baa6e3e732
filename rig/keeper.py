"""Owns a rack for `rackeye-rack up`, which itself returns: prints one JSON line when the rack is up or could not be."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from typing import NoReturn

from rig.rack import Rack
from rig.wire import failure


def main() -> None:
    """Until the rack ends by itself, by `down`, or by SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--no-daemons", action="store_true")
    parser.add_argument("--drives", type=int, default=8)
    parser.add_argument("--bay-mib", type=int, default=512)
    parser.add_argument("--memory-mib", type=int, default=768)
    args = parser.parse_args()
    rack = Rack(
        args.name, daemons=not args.no_daemons, drives=args.drives, bay_mib=args.bay_mib, memory_mib=args.memory_mib
    )
    signal.signal(signal.SIGTERM, _leave)
    try:
        answer = {"ok": True, "seconds": rack.up(), "path": str(rack.path)}
    except Exception as error:
        print(json.dumps(failure(error)), flush=True)  # noqa: T201
        sys.exit(1)
    print(json.dumps(answer), flush=True)  # noqa: T201
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the one who waited has gone
    try:
        rack.wait()
    finally:
        rack.down()


def _leave(_number: int, _frame: object) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    main()
