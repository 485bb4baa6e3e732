"""rackeye-paneld: bays, LEDs and beeper. What they show is decided in `hw.panel`; the kernel goes on when this dies.

Also at installation: `rackeye-paneld --udev-rules [PROFILE]` and `rackeye-paneld --check FILE`.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, assert_never

import msgspec

from core import config
from core.bus import Command, Nothing, Sentence
from core.clock import Clock, SystemClock
from core.daemon import Daemon, Decision, run_daemon
from core.errors import (
    BayUnknown,
    BayWithoutLeds,
    BeeperGone,
    NoBeeper,
    NoSuchBeep,
    RackeyeError,
    UdevSilent,
)
from core.journal import get_logger
from core.paths import Paths
from core.settings import Settings
from core.urgency import before_all_others
from hw import bays, beeps, panel, profile
from hw.beeps import Hush, Play
from hw.chassis import BeeperDriver, Button, Led
from hw.drivers.beepers import Beeper, EvdevBeeper, PatternBeeper
from hw.drivers.block_io import BlockIo
from hw.drivers.sysfs_led import SysfsFiles
from hw.events import drive_events
from hw.front_buttons import FrontButtons
from hw.heartbeat import Heartbeat
from hw.lamps import Lamps
from hw.leds import Lamp
from hw.model import (
    BeepRequest,
    LocateRequest,
    PanelSnapshot,
    SetConditionsRequest,
    SetTraysRequest,
    Sound,
    UidRequest,
)
from hw.panel import Action, PanelLook, PanelMemory, SetLamps, SetTray

BUS_NAME = "org.rackeye.Panel1"


class PanelCycle:
    """The three steps of paneld. udev: where drives come from."""

    def __init__(self, paths: Paths, udev: bays.DriveSource, clock: Clock | None = None) -> None:
        self._paths = paths
        self._udev = udev
        self.clock = clock or SystemClock()
        self._io = BlockIo(paths.sys)
        self._lamps = Lamps()
        self._chassis = profile.in_force(paths)
        self._beeper = beeper_of(self._chassis)
        self.heartbeat = Heartbeat(self.clock)
        self.front = FrontButtons(lambda: self._chassis, paths.dev, self.clock)

    @property
    def policy_silent(self) -> bool:
        """policyd is gone or hung."""
        return self.heartbeat.silent

    @property
    def beeper(self) -> Beeper | None:
        return self._beeper

    def observe(self) -> PanelLook:
        chassis = self._chassis
        problems = [*chassis.problems, *self.front.problems]
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
        sound: Sound | None = None
        try:
            sound = self._beeper.sound() if self._beeper is not None else None
        except BeeperGone as error:
            problems.append(error.sentence)
        return PanelLook(
            chassis.profile, occupants, lamps, rates, sound, self.policy_silent, tuple(dict.fromkeys(problems)),
            self.clock.monotonic(),
        )

    def decide(self, snapshot: PanelLook, memory: PanelMemory, now: float) -> Decision[PanelMemory, Action]:
        return panel.decide(self._as_set(snapshot), memory, now)

    def act(self, action: Action) -> str:
        """Raises LedGone, LedStuck, BeeperGone."""
        match action:
            case SetTray(bay, light, changes):
                return f"Bay {bay} shows {light.value}: {self._set(changes)}."
            case SetLamps(why, changes):
                return f"{why}: {self._set(changes)}."
            case Play(tune, code):
                self._on_beeper(lambda beeper: beeper.play(tune))
                return "Alarm sounds." if code is None else f"Beeps {code} times: {beeps.CODES[code]}"
            case Hush():
                self._on_beeper(lambda beeper: beeper.hush())
                return "No sound."
            case _:
                assert_never(action)

    def _on_beeper(self, do: Callable[[Beeper], None]) -> None:
        if self._beeper is not None:
            do(self._beeper)

    def _set(self, changes: tuple[tuple[Led, Lamp], ...]) -> str:
        """Sets each LED, also when another one fails. Raises LedGone, LedStuck."""
        failed: RackeyeError | None = None
        for led, lamp in changes:
            try:
                self._lamps.write(self._chassis, led, lamp)
            except RackeyeError as error:
                failed = error
        if failed is not None:
            raise failed
        return ", ".join(f"{_short(led)} {lamp}" for led, lamp in changes)

    def save(self, memory: PanelMemory) -> None:
        config.write_atomic(memory_file(self._paths), msgspec.json.encode(memory))

    def show(self, snapshot: PanelLook, memory: PanelMemory, problems: tuple[str, ...]) -> PanelSnapshot:
        return panel.show(self._as_set(snapshot), memory, self.clock.now(), problems)

    def _as_set(self, look: PanelLook) -> PanelLook:
        """A command is decided on a look from before what the last one set."""
        return replace(look, lamps=self._lamps.now(look.lamps))

    def reload(self) -> None:
        before = self._chassis
        self._chassis = profile.in_force(self._paths, before.profile)
        if (before.profile.beeper, before.sysfs) != (self._chassis.profile.beeper, self._chassis.sysfs):
            self.hush()
            self._beeper = beeper_of(self._chassis)

    def hush(self) -> None:
        """At an orderly end nothing sounds on that nobody could silence. A crash leaves the alarm sounding."""
        with suppress(BeeperGone):
            self._on_beeper(lambda beeper: beeper.hush())


def beeper_of(chassis: profile.InForce) -> Beeper | None:
    """The beeper that the profile names."""
    beeper = chassis.profile.beeper
    match None if beeper is None else beeper.driver:
        case None:
            return None
        case BeeperDriver.LED_PATTERN:
            return PatternBeeper(SysfsFiles(chassis.sysfs), beeper.name if beeper else "")
        case BeeperDriver.EVDEV:
            return EvdevBeeper(beeper.name if beeper else "", chassis.sysfs)


def memory_file(paths: Paths) -> Path:
    """Under /run: it outlives the daemon, not the power; after that policyd says it anew."""
    return paths.run / "panel.json"


def remembered(paths: Paths) -> PanelMemory:
    """What was said before the daemon ended; nothing when there is no such file or it cannot be read."""
    with suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode(memory_file(paths).read_bytes(), type=PanelMemory)
    return PanelMemory()


def make(paths: Paths, cycle: PanelCycle | None = None) -> Daemon[PanelLook, PanelMemory, Action]:
    """The daemon with its commands."""
    cycle = cycle or PanelCycle(paths, bays.Udev())

    async def moved(device: str, here: bool) -> None:
        if here == (device not in daemon.memory.pulled):
            return
        await daemon.change(lambda memory: memory.with_drive(device, here, cycle.clock.monotonic()))

    daemon: Daemon[PanelLook, PanelMemory, Action] = Daemon(
        "rackeye-paneld", cycle, remembered(paths), BUS_NAME,
        sources=(partial(drive_events, moved), cycle.heartbeat.watch, cycle.front.watch),
        memory_first=False, at_once=True,
    )
    daemon.commands = commands(daemon, cycle)

    async def heard(button: Button, down: bool, at: float) -> None:
        await daemon.change(lambda memory: memory.with_button(
            button, down, at, policy_silent=cycle.policy_silent,
        ))

    cycle.front.tell = heard
    return daemon


def commands(
    daemon: Daemon[PanelLook, PanelMemory, Action], cycle: PanelCycle
) -> tuple[Command[Any, Sentence], ...]:
    """org.rackeye.Panel1.Admin."""

    async def set_trays(request: SetTraysRequest) -> Sentence:
        await daemon.change(lambda memory: memory.with_conditions(request.conditions))
        said = ", ".join(f"bay {bay} {word.value}" for bay, word in sorted(daemon.memory.conditions.items()))
        return Sentence(f"Trays: {said or 'nothing to show'}.")

    async def set_conditions(request: SetConditionsRequest) -> Sentence:
        cycle.heartbeat.hear()
        if request.conditions != daemon.memory.chassis:
            await daemon.change(lambda memory: replace(memory, chassis=request.conditions))
        return Sentence("Heard.")

    async def locate(request: LocateRequest) -> Sentence:
        said = locate_sentence(daemon.snapshot or cycle.observe(), request)
        await daemon.change(lambda memory: memory.with_locate(request.bay, request.on))
        return Sentence(said)

    async def uid(request: UidRequest) -> Sentence:
        await daemon.change(lambda memory: memory.with_uid(on=request.on, button=request.button))
        return Sentence(f"UID is {daemon.memory.uid.value}.")

    async def silence(_request: Nothing) -> Sentence:
        asked = daemon.memory.asked_for(cycle.policy_silent)
        await daemon.change(lambda memory: memory.with_silence(cycle.policy_silent))
        return Sentence(f"Silent until something new happens: {len(asked)} alarm(s) go on without a sound.")

    async def beep(request: BeepRequest) -> Sentence:
        meaning = beeps.CODES.get(request.code)
        if cycle.beeper is None:
            raise NoBeeper("This chassis has no beeper.", hint="A profile names one in its table [beeper].")
        if meaning is None:
            known = ", ".join(map(str, beeps.CODES))
            raise NoSuchBeep(f"There is no beep code {request.code}.", hint=f"Codes: {known}. See: rackeye beep")
        await daemon.change(lambda memory: replace(memory, beeps=memory.beeps.with_code(request.code)))
        return Sentence(f"Beep code {request.code}: {meaning}")

    async def lamp_test(_request: Nothing) -> Sentence:
        until = time.time() + panel.LAMP_TEST
        await daemon.change(lambda memory: replace(memory, lamp_test=until))
        return Sentence(f"Every LED is on for {panel.LAMP_TEST:g} s: one that is dark is broken.")

    return (
        Command("SetTrays", SetTraysRequest, Sentence, set_trays),
        Command("SetConditions", SetConditionsRequest, Sentence, set_conditions),
        Command("Locate", LocateRequest, Sentence, locate),
        Command("Uid", UidRequest, Sentence, uid),
        Command("Silence", Nothing, Sentence, silence),
        Command("Beep", BeepRequest, Sentence, beep),
        Command("LampTest", Nothing, Sentence, lamp_test),
    )


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
    cycle = PanelCycle(paths, bays.Udev())
    # The light of a pulled drive waits neither for what raidd does about the pull nor for the cameras. Only this
    # thread, which hears events and sets lights: the looks, in others, wait their turn.
    if refused := before_all_others(priority=10):
        get_logger("rackeye-paneld").warning(f"No real time for the lights ({refused}): they come later on a busy box.")
    code = run_daemon(lambda: make(paths, cycle))
    if code == 0:
        cycle.hush()
    return code


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
