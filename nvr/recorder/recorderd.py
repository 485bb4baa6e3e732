"""rackeye-recorder: cameras to video on the volumes.

    rackeye-recorder            the daemon, on the bus as org.rackeye.Recorder1
    rackeye-recorder rebuild    builds the index anew from the files of all volumes, and ends
"""

import sys
from typing import Any

from core import journal
from core.clock import SystemClock
from core.daemon import Daemon, run_daemon
from core.errors import RackeyeError
from core.paths import Paths
from nvr.recorder import files
from nvr.recorder.admin import Admin
from nvr.recorder.engine import Recorder, index_file, load_memory
from nvr.recorder.index import open_index
from nvr.recorder.model import VolumeState
from nvr.recorder.volumes import find_volumes, open_volume

BUS_NAME = "org.rackeye.Recorder1"
MACHINE = Paths()
INTERVAL = 10.0  # seconds: what is published of bit rates and last pictures is not older


def make_daemon(paths: Paths = MACHINE) -> Daemon[Any, Any, Any]:
    """The daemon. Raises IndexBroken when the system drive does not give the index."""
    recorder = Recorder(paths, SystemClock())
    return Daemon(
        "rackeye-recorder",
        recorder,
        load_memory(paths),
        BUS_NAME,
        Admin(paths, recorder.wake).commands(),
        (recorder.live,),
        INTERVAL,
        memory_first=False,  # a full system drive ends no recording
    )


def rebuild(paths: Paths) -> list[str]:
    """Forgets what the index says of the volumes that are there, and reads it from their files. Raises RackeyeError."""
    index, said = open_index(index_file(paths))
    sentences = [said] if said else []
    for volume in find_volumes(paths):
        if volume.state is not VolumeState.READY:
            sentences.append(f"Volume {volume.name} is left out: {volume.detail}")
            continue
        recordings = open_volume(volume, paths)
        index.forget_volume(volume.name)
        added, bad = files.adopt_all(index, recordings, volume.name)
        index.know_volume(volume.name, volume.uuid)
        sentences.append(f"Volume {volume.name}: {added} files are in the index, {bad} cannot be read.")
    index.close()
    return sentences


def main() -> int:
    """The command. Exit status 0: ended well, 1: failed, 2: misuse."""
    match sys.argv[1:]:
        case []:
            return run_daemon(make_daemon)
        case ["rebuild"]:
            journal.set_up()
            try:
                sys.stdout.write("\n".join(rebuild(MACHINE)) + "\n")
            except RackeyeError as error:
                sys.stderr.write(f"[{error.code}] {error.sentence} {error.hint}\n")
                return 1
            return 0
        case _:
            sys.stderr.write((__doc__ or "") + "\n")
            return 2


if __name__ == "__main__":
    sys.exit(main())
