"""rackeye-fand: reads temperatures, fans and power supplies every 2 s and says what they are.

What a reading means is in `hw.sensors`. It does not control fans yet: the chassis' own firmware does. Power supplies
are read here and not by paneld: a bus that hangs holds up a reading, and no light.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from core.daemon import Daemon, Decision, run_daemon
from core.paths import Paths
from hw import profile, sensors
from hw.drivers.hwmon import Hwmon, Reading
from hw.drivers.pmbus import Pmbus
from hw.model import FanSnapshot, SensorKind
from hw.sensors import Key, SensorLook, SensorMemory

BUS_NAME = "org.rackeye.Fan1"

READ_EVERY = 2.0
"""Seconds (shared/DESIGN.md: the one loop that looks more often than every 10 s)."""


class FanCycle:
    """The three steps of fand."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._chassis = profile.in_force(paths)
        self._believed = frozenset[str]()
        """Power supplies whose fault is known: what they have kept of it is cleared at the next look."""

    def observe(self) -> SensorLook:
        chassis = self._chassis
        hwmon = Hwmon(chassis.sysfs)
        chips = hwmon.chips()
        readings: dict[Key, Reading] = {}
        for temperature in chassis.profile.temperatures:
            readings[SensorKind.TEMPERATURE, temperature.name] = hwmon.temperature(temperature, chips)
        for fan in chassis.profile.fans:
            readings[SensorKind.FAN, fan.name] = hwmon.fan(fan, chips)
        pmbus = Pmbus(self._paths.sys, self._paths.dev)
        for supply in chassis.profile.power_supplies:
            readings[SensorKind.POWER, supply.name] = pmbus.supply(supply, clear=supply.name in self._believed)
        return SensorLook(chassis.profile, readings, chassis.problems)

    def decide(self, snapshot: SensorLook, memory: SensorMemory, now: float) -> Decision[SensorMemory, None]:
        return sensors.decide(snapshot, memory, now)

    def act(self, action: None) -> str:  # noqa: ARG002 -- the shape of every daemon
        return "Nothing to do."

    def save(self, memory: SensorMemory) -> None:
        """Nothing outlives a restart: three readings later all is known again."""
        self._believed = frozenset(
            name for (kind, name), past in memory.past.items() if kind is SensorKind.POWER and past.alarm
        )

    def show(self, snapshot: SensorLook, memory: SensorMemory, problems: tuple[str, ...]) -> FanSnapshot:
        return sensors.show(snapshot, memory, problems)

    def reload(self) -> None:
        self._chassis = profile.in_force(self._paths, self._chassis.profile)


def make(paths: Paths) -> Daemon[SensorLook, SensorMemory, None]:
    """The daemon; it takes no commands yet."""
    return Daemon("rackeye-fand", FanCycle(paths), SensorMemory(), BUS_NAME, interval=READ_EVERY)


def main(argv: Sequence[str] | None = None) -> int:
    """The program."""
    parser = argparse.ArgumentParser(prog="rackeye-fand", description="Temperatures, fans, power supplies.")
    parser.add_argument("--root", type=Path, default=Path("/"), help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    return run_daemon(lambda: make(Paths(args.root)))


if __name__ == "__main__":
    sys.exit(main())
