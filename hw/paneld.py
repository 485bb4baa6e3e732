"""rackeye-paneld: bays and their LEDs. What they show is decided in `hw.panel`; the kernel blinks on when this dies.

Also at installation: `rackeye-paneld --udev-rules [PROFILE]` and `rackeye-paneld --check FILE`.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from core import config
from core.bus import Command, Sentence
from core.daemon import Daemon, Decision, run_daemon
from core.errors import BayUnknown, BayWithoutLeds, RackeyeError, UdevSilent
from core.paths import Paths
from core.settings import Settings
from hw import bays, panel, profile
from hw.chassis import Led
from hw.drivers.block_io import BlockIo
from hw.events import drive_events
from hw.lamps import Lamps
from hw.model import LocateRequest, PanelSnapshot, SetTraysRequest
from hw.panel import PanelLook, PanelMemory, SetTray

BUS_NAME = "org.rackeye.Panel1"


class PanelCycle:
    """The three steps of paneld. udev: where drives come from."""

    def __init__(self, paths: Paths, udev: bays.DriveSource) -> None:
        self._paths = paths
        self._udev = udev
        self._io = BlockIo(paths.sys)
        self._lamps = Lamps()
        self._chassis = profile.in_force(paths)

    def observe(self) -> PanelLook:
        chassis = self._chassis
        problems = list(chassis.problems)
        rules = bays.rules_problem(chassis.profile, self._paths.root)
        if rules is not None:
            problems.append(rules)
        occupants: tuple[bays.Occupant, ...] | None = None
        try:
            occupants = bays.occupants(self._udev)
        except UdevSilent as error:
            problems.append(f"{error.sentence} Which bays hold a drive is not known.")
        lamps, dark = self._lamps.read(chassis)
        problems += dark
        rates = self._io.rates(drive.device for drive in occupants or ())
        return PanelLook(chassis.profile, occupants, lamps, rates, tuple(problems))

    def decide(self, snapshot: PanelLook, memory: PanelMemory, now: float) -> Decision[PanelMemory, SetTray]:  # noqa: ARG002 -- the shape of every daemon
        return panel.decide(snapshot, memory)

    def act(self, action: SetTray) -> str:
        """Sets each LED, also when another one fails. Raises LedGone, LedStuck."""
        failed: RackeyeError | None = None
        for led, lamp in action.changes:
            try:
                self._lamps.write(self._chassis, led, lamp)
            except RackeyeError as error:
                failed = error
        if failed is not None:
            raise failed
        said = ", ".join(f"{_short(led)} {lamp}" for led, lamp in action.changes)
        return f"Bay {action.bay} shows {action.light.value}: {said}."

    def save(self, memory: PanelMemory) -> None:
        config.write_atomic(memory_file(self._paths), msgspec.json.encode(memory))

    def show(self, snapshot: PanelLook, memory: PanelMemory, problems: tuple[str, ...]) -> PanelSnapshot:
        return panel.show(snapshot, memory, problems)

    def reload(self) -> None:
        self._chassis = profile.in_force(self._paths, self._chassis.profile)


def memory_file(paths: Paths) -> Path:
    """Under /run: it outlives the daemon, not the power; after that policyd says it anew."""
    return paths.run / "panel.json"


def remembered(paths: Paths) -> PanelMemory:
    """What was said before the daemon ended; nothing when there is no such file or it cannot be read."""
    with suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode(memory_file(paths).read_bytes(), type=PanelMemory)
    return PanelMemory()


def make(paths: Paths) -> Daemon[PanelLook, PanelMemory, SetTray]:
    """The daemon with its two commands."""
    cycle = PanelCycle(paths, bays.Udev())
    daemon: Daemon[PanelLook, PanelMemory, SetTray] = Daemon(
        "rackeye-paneld", cycle, remembered(paths), BUS_NAME, sources=(drive_events,), at_once=True
    )

    async def set_trays(request: SetTraysRequest) -> Sentence:
        await daemon.change(lambda memory: memory.with_conditions(request.conditions))
        said = ", ".join(f"bay {bay} {word.value}" for bay, word in sorted(daemon.memory.conditions.items()))
        return Sentence(f"Trays: {said or 'nothing to show'}.")

    async def locate(request: LocateRequest) -> Sentence:
        said = locate_sentence(daemon.snapshot or cycle.observe(), request)
        await daemon.change(lambda memory: memory.with_locate(request.bay, request.on))
        return Sentence(said)

    daemon.commands = (
        Command("SetTrays", SetTraysRequest, Sentence, set_trays),
        Command("Locate", LocateRequest, Sentence, locate),
    )
    return daemon


def locate_sentence(look: PanelLook, request: LocateRequest) -> str:
    """What a locate command does, naming the drive. Raises BayUnknown, BayWithoutLeds."""
    bay = look.profile.bay(request.bay)
    if bay is None:
        known = ", ".join(str(bay.number) for bay in look.profile.bays) or "none"
        raise BayUnknown(f"There is no bay {request.bay}.", hint=f"Bays of {look.profile.name}: {known}.")
    if bay.status is None:
        raise BayWithoutLeds(f"Bay {bay.number} has no status LED to blink.", hint="Find it by its serial number.")
    drives = look.in_bay(bay.number)
    holds = " and ".join(f"{drive.model or 'drive'}, serial {drive.serial or 'unknown'}" for drive in drives)
    what = holds or ("no drive" if look.occupants is not None else "not known what it holds")
    return f"Bay {bay.number} ({what}) {'blinks amber' if request.on else 'no longer blinks'}."


def _short(led: Led) -> str:
    """bay2:amber:status -> status"""
    return led.name.rsplit(":", 1)[-1]


def main(argv: Sequence[str] | None = None) -> int:
    """The program. 0 done, 1 failed, 2 misuse."""
    parser = argparse.ArgumentParser(prog="rackeye-paneld", description="Bays and LEDs of the chassis.")
    parser.add_argument(
        "--udev-rules",
        nargs="?",
        const="",
        metavar="PROFILE",
        help=f"print udev's rules for the bays ({bays.RULES_FILE}) of a profile, or of the one in the settings",
    )
    parser.add_argument("--check", type=Path, metavar="FILE", help="say whether a profile file is good")
    parser.add_argument("--root", type=Path, default=Path("/"), help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    paths = Paths(args.root)
    if args.check is not None:
        return _say(lambda: f"{args.check}: profile {profile.read(args.check).name} is good.\n")
    if args.udev_rules is not None:
        return _say(lambda: _rules(args.udev_rules, paths))
    return run_daemon(lambda: make(paths))


def _rules(name: str, paths: Paths) -> str:
    settings = config.load_settings(Settings, paths).settings
    return bays.udev_rules(profile.load(name or settings.chassis.profile, paths))


def _say(text: Callable[[], str]) -> int:
    try:
        sys.stdout.write(text())
    except RackeyeError as error:
        sys.stderr.write(f"[{error.code}] {error.sentence} {error.hint}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
