"""rackeye-erase: the recordings go after a restore to default that asked for it in full (`also erase recordings`).

A oneshot between raidd, which mounts the volumes, and the recorder; it runs when the boot menu's program found the
intent. On each recording volume of ours (a mount point below /srv/rackeye with our identity file) `recordings` is moved
aside, which takes no time, and the recorder may start; then what was moved is deleted. A cut before all is moved moves
again, while nothing new is recorded; a cut after it only deletes. Virtual drives, file systems and md superblocks stay.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from boot import power
from boot.model import Intent
from boot.state import StateStore
from core import journal
from core.errors import NotPermitted, RackeyeError
from core.paths import Paths
from core.run import run

PHRASE = "also erase recordings"
IDENTITY, RECORDINGS, ASIDE = "rackeye-volume.json", "recordings", ".erased-"
MARK = "erase-recordings"
"""Below /run/rackeye: the unit's condition. Not on the drive: the record alone says what is to be done."""
PATIENCE, NONE_PATIENCE = 90.0, 30.0
"""Seconds for volumes that are known and not mounted yet; and until a box without virtual drives is taken for one."""
log = journal.get_logger("rackeye-erase")


@dataclass(frozen=True, slots=True)
class Volume:
    """A virtual drive as raidd tells it."""

    name: str
    mounted: bool


def check(phrase: str) -> bool:
    """Whether recordings shall go. Raises NotPermitted for anything but nothing or the phrase in full."""
    if phrase not in ("", PHRASE):
        raise NotPermitted("To erase the recordings, too, the phrase must be typed in full.", hint=f"Type: {PHRASE}")
    return bool(phrase)


def mark(paths: Paths, intent: Intent) -> None:
    """For the unit's condition; at each start anew."""
    if intent.erases:
        paths.run.mkdir(parents=True, exist_ok=True)
        (paths.run / MARK).touch()


def volumes_of(told: str) -> tuple[Volume, ...]:
    """raidd's snapshot. Pure. Raises ValueError, KeyError, TypeError."""
    drives = json.loads(told)["data"]["virtual_drives"]
    return tuple(Volume(one["name"], bool(one["mountpoint"])) for one in drives)


def ask_raidd() -> tuple[Volume, ...] | None:
    """None while raidd does not answer."""
    try:
        said = run(["busctl", "--timeout=5", "--json=short", "call", "org.rackeye.Raid1", "/org/rackeye/Raid1",
                    "org.rackeye.Raid1", "Snapshot"], timeout=8.0).stdout
        return volumes_of(json.loads(said)["data"][0])
    except (RackeyeError, ValueError, KeyError, TypeError, IndexError):
        return None


def wait_for_volumes(ask: Callable[[], tuple[Volume, ...] | None], pause: Callable[[float], None],
                     patience: float = PATIENCE) -> None:
    """Until raidd has mounted all. One that stays away, such as a failed one, is named: its recordings stay."""
    waited, volumes = 0.0, ask()
    while waited < (NONE_PATIENCE if volumes == () else patience):
        if volumes and all(one.mounted for one in volumes):
            break
        pause(1.0)
        waited += 1.0
        volumes = ask()
    away = [one.name for one in volumes or () if not one.mounted]
    if volumes is None or away:
        log.error(f"Not all volumes are there ({', '.join(away) or 'raidd does not answer'}): what is on them stays.")


def ours(paths: Paths, is_mount: Callable[[Path], bool] = os.path.ismount) -> Iterator[Path]:
    """Mount points of recording volumes of ours, and of nobody else."""
    for folder in sorted(paths.volumes.glob("*")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            named = json.loads((folder / IDENTITY).read_text())["volume"]
            if not folder.is_symlink() and is_mount(folder) and named == folder.name:
                yield folder


def move_aside(volume: Path) -> None:
    """May be done twice. Raises OSError."""
    folder = volume / RECORDINGS
    if folder.is_dir() and not folder.is_symlink():
        was = folder.stat()
        taken = {entry.name for entry in volume.iterdir()}
        folder.rename(volume / next(name for number in range(1000) if (name := f"{ASIDE}{number}") not in taken))
        folder.mkdir(mode=0o700)
        os.chown(folder, was.st_uid, was.st_gid)
        folder.chmod(was.st_mode & 0o7777)
    handle = os.open(volume, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def delete(volume: Path) -> None:
    """What was moved aside goes. Raises OSError."""
    for folder in sorted(volume.glob(f"{ASIDE}*")):
        shutil.rmtree(folder)


def erase(paths: Paths, store: StateStore, ready: Callable[[], None],
          is_mount: Callable[[Path], bool] = os.path.ismount) -> None:
    """Both steps, from where it stands. ready: the recorder may start. Raises OSError, StateUnwritable."""
    volumes = list(ours(paths, is_mount))
    names = ", ".join(volume.name for volume in volumes) or "no volume"
    if store.load().record.intent is Intent.ERASE:
        for volume in volumes:
            move_aside(volume)
        store.change(lambda record: replace(record, intent=Intent.ERASING))
    ready()
    for volume in volumes:
        delete(volume)
    os.sync()
    store.change(lambda record: replace(record, intent=Intent.NONE))
    log.warning(f"The recordings of {names} are erased.")


def main() -> int:
    """The program. 0 done or nothing to do, 1 failed: it is tried again at the next start."""
    journal.set_up()
    paths = Paths()
    store = StateStore(paths)
    if store.load().record.intent.erases:
        wait_for_volumes(ask_raidd, time.sleep)
        try:
            erase(paths, store, lambda: power.notify("READY=1"))
        except (OSError, RackeyeError) as error:
            log.error(f"The recordings could not be erased: {error}. It is tried again at the next start.")
            return 1
    power.notify("READY=1")
    return 0


if __name__ == "__main__":
    sys.exit(main())
