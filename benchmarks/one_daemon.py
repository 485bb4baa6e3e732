"""One of the daemons as it is, with its files below another root:

    python -m benchmarks.one_daemon NAME ROOT [PORT of the console]
"""

import asyncio
import importlib
import sys
from pathlib import Path

from core.daemon import run_daemon
from core.paths import Paths

MAKERS = {
    "raidd": ("raid.raidd", "make"),
    "fand": ("hw.fand", "make"),
    "paneld": ("hw.paneld", "make"),
    "boxd": ("boot.boxd", "make"),
    "policyd": ("nvr.policy.policyd", "make"),
    "recorder": ("nvr.recorder.recorderd", "make_daemon"),
}


def main(name: str, root: str, port: str = "0") -> int:
    """Until SIGTERM."""
    paths = Paths(Path(root))
    if name == "web":
        asyncio.run(importlib.import_module("nvr.web.webd").serve(paths, "127.0.0.1", int(port)))
        return 0
    module, maker = MAKERS[name]
    make = getattr(importlib.import_module(module), maker)
    return run_daemon(lambda: make(paths))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
