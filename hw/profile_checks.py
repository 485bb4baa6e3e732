"""What a profile must be besides well-typed: no bay, place or LED twice, nothing named that is not there, no blink rate
that a chip cannot do. Each refusal is a `BadValue` with file, line, path and what was expected.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NoReturn

from core.config import Source
from core.errors import BadValue
from hw.chassis import Bay, BeeperDriver, ButtonRole, Fan, Led, LedDriver, Match, PanelRole, Profile, Temperature
from hw.chips import refusal
from hw.information import BLUE_RATES, RED_RATES
from hw.leds import ACTIVITY_RATES, STATUS_RATES

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]*")
UDEV_WORD = re.compile(r"[A-Za-z0-9:._+@-]+")
"""What may stand in a udev match: no quotes, no patterns (* ? [ |), which would match more than one place."""

HCTL = re.compile(r"\d+:\d+:\d+:\d+")

PANEL_RATES = {
    PanelRole.INFORMATION_RED: RED_RATES, PanelRole.INFORMATION_BLUE: BLUE_RATES, PanelRole.ACTIVITY: ACTIVITY_RATES,
}
"""Blink rates of the panel's own LEDs, Hz; the others do not blink."""


def check(profile: Profile, source: Source) -> None:
    """Raises BadValue for the first thing that is wrong."""
    _Check(profile, source).run()


class _Check:
    def __init__(self, profile: Profile, source: Source) -> None:
        self.profile = profile
        self.source = source

    def run(self) -> None:
        if not NAME.fullmatch(self.profile.name):
            self.refuse("name", f"{self.profile.name!r} is no name; expected letters, digits, dot, space and -")
        if not self.profile.title.isprintable():
            self.refuse("title", "expected one line of text")
        self.bays()
        self.front()
        self.leds()
        self.chips()
        self.buttons()
        self.sensors()

    def refuse(self, path: str, sentence: str, hint: str = "Mend the value.") -> NoReturn:
        raise BadValue(f"{self.source.place(path)}: `{path}`: {sentence}.", hint=hint)

    # -- bays

    def bays(self) -> None:
        numbers: dict[int, int] = {}
        places: dict[str, Bay] = {}
        for index, bay in enumerate(self.profile.bays):
            path = f"bays[{index}]"
            if not 0 <= bay.number <= 999:
                self.refuse(f"{path}.number", f"bay {bay.number} is out of range; expected 0 to 999")
            if bay.backplane and not UDEV_WORD.fullmatch(bay.backplane):
                self.refuse(f"{path}.backplane", f"{bay.backplane!r} is no name; expected one word")
            if bay.number in numbers:
                self.refuse(
                    f"{path}.number",
                    f"bay {bay.number} is already bays[{numbers[bay.number]}]; expected a number of its own",
                )
            numbers[bay.number] = index
            self.match(f"{path}.match", bay.match)
            for place, other in places.items():
                if _overlap(place, bay.match.place()):
                    self.refuse(
                        f"{path}.match",
                        f"bay {bay.number} is on the same slot as bay {other.number} ({place}); "
                        "expected a slot of its own for each bay",
                    )
            places[bay.match.place()] = bay

    def match(self, path: str, match: Match) -> None:
        given = [key for key in ("id_path", "hctl", "scsi_host", "parent") if getattr(match, key) is not None]
        if len(given) != 1:
            said = " and ".join(given) if given else "nothing"
            self.refuse(path, f"{said} given; expected exactly one of id_path, hctl, scsi_host, parent")
        value = str(getattr(match, given[0]))
        pattern, expected = {
            "hctl": (HCTL, '"host:channel:target:lun" in numbers, such as "2:0:1:0"'),
            "scsi_host": (re.compile(r"\d+"), "the number of a SCSI host, 0 or more"),
        }.get(given[0], (UDEV_WORD, "one exact name without spaces, quotes or the patterns * ? [ |"))
        if not pattern.fullmatch(value):
            self.refuse(f"{path}.{given[0]}", f"{value!r} cannot be matched; expected {expected}")

    def front(self) -> None:
        known = {bay.number for bay in self.profile.bays}
        seen: set[int] = set()
        for number in (number for row in self.profile.front for number in row):
            if number not in known:
                self.refuse("front", f"bay {number} is in the front view and is no bay; expected one of {_list(known)}")
            if number in seen:
                self.refuse("front", f"bay {number} is twice in the front view; expected each bay once")
            seen.add(number)
        if known - seen:
            self.refuse("front", f"bay {_list(known - seen)} is not in the front view; expected every bay there once")

    # -- LEDs

    def each_led(self) -> Iterator[tuple[str, Led, tuple[float, ...]]]:
        """Path, LED and the rates it must blink at."""
        for index, bay in enumerate(self.profile.bays):
            if bay.activity is not None:
                yield f"bays[{index}].activity", bay.activity, ACTIVITY_RATES
            if bay.status is not None:
                yield f"bays[{index}].status", bay.status, STATUS_RATES
        for index, panel in enumerate(self.profile.panel):
            yield f"panel[{index}].led", panel.led, PANEL_RATES.get(panel.role, ())

    def leds(self) -> None:
        chips = {chip.name for chip in self.profile.chips}
        lines: dict[tuple[str, str], str] = {}
        for path, led, _ in self.each_led():
            if not led.name or "/" in led.name or led.name.startswith("."):
                self.refuse(f"{path}.name", f"{led.name!r} is no LED; expected a name under class/leds")
            if led.chip is not None and led.chip not in chips:
                self.refuse(f"{path}.chip", f"there is no chip {led.chip!r}; expected one of {_list(chips)}")
            line = (led.driver.value, led.name)
            if line in lines:
                self.refuse(
                    f"{path}.name",
                    f"{led.name} is already the LED of {lines[line]}; expected a line of its own for each LED",
                )
            lines[line] = path
        beeper = self.profile.beeper
        if beeper is not None and (not beeper.name.isprintable() or not beeper.name.strip()):
            self.refuse("beeper.name", f"{beeper.name!r} is no name; expected the name of an LED or of an input device")
        if beeper is not None and beeper.driver is BeeperDriver.LED_PATTERN:
            if "/" in beeper.name or beeper.name.startswith("."):
                self.refuse("beeper.name", f"{beeper.name!r} is no LED; expected a name under class/leds")
            if (LedDriver.SYSFS_LED.value, beeper.name) in lines:
                self.refuse("beeper.name", f"{beeper.name} is already an LED; expected a line of its own")
        self.once("panel", "role", [panel.role.value for panel in self.profile.panel])

    def chips(self) -> None:
        self.once("chips", "name", [chip.name for chip in self.profile.chips])
        for index, chip in enumerate(self.profile.chips):
            rates = {rate for _, led, wanted in self.each_led() if led.chip == chip.name for rate in wanted}
            why = refusal(chip.kind, rates)
            if why is not None:
                self.refuse(
                    f"chips[{index}].kind",
                    f"the LEDs on chip {chip.name!r} ({chip.kind.value}) must blink, but {why}",
                    hint='Put some of the LEDs on another chip, or use kind = "timer" if the kernel blinks them.',
                )

    # -- buttons

    def buttons(self) -> None:
        self.once("buttons", "role", [button.role.value for button in self.profile.buttons])
        keys: dict[tuple[str, int], str] = {}
        for index, button in enumerate(self.profile.buttons):
            path = f"buttons[{index}]"
            if not button.name.isprintable() or not button.name.strip():
                self.refuse(f"{path}.name", f"{button.name!r} is no name; expected that of an input device")
            if not 1 <= button.key <= 0x2FF:
                self.refuse(f"{path}.key", f"{button.key} is no key; expected a code from 1 to 767")
            if button.role in (ButtonRole.POWER, ButtonRole.RESET) and not 1 <= button.hold <= 60:
                self.refuse(f"{path}.hold", f"{button.hold:g} s; expected from 1 to 60")
            if (button.name, button.key) in keys:
                other = keys[button.name, button.key]
                self.refuse(f"{path}.key", f"{button.key} is already the button {other}; expected one of its own")
            keys[button.name, button.key] = button.role.value

    # -- sensors

    def sensors(self) -> None:
        profile = self.profile
        self.once("temperatures", "name", [sensor.name for sensor in profile.temperatures])
        self.once("fans", "name", [sensor.name for sensor in profile.fans])
        self.inputs("temperatures", profile.temperatures)
        self.inputs("fans", profile.fans)
        self.supplies()
        for index, sensor in enumerate(profile.temperatures):
            path = f"temperatures[{index}]"
            if not sensor.low < sensor.limit < sensor.high:
                expected = f"expected more than {sensor.low:g} and less than {sensor.high:g}"
                self.refuse(f"{path}.limit", f"{sensor.limit:g} °C can never be reached or is always; {expected}")
            if not 0 <= sensor.hysteresis < sensor.limit - sensor.low:
                self.refuse(
                    f"{path}.hysteresis", f"{sensor.hysteresis:g} °C; expected 0 or more, and less than the limit"
                )
        for index, fan in enumerate(profile.fans):
            if not 0 < fan.minimum < fan.high:
                self.refuse(
                    f"fans[{index}].minimum", f"{fan.minimum:g} rpm; expected more than 0 and less than {fan.high:g}"
                )

    def supplies(self) -> None:
        supplies = self.profile.power_supplies
        self.once("power_supplies", "name", [supply.name for supply in supplies])
        seen: dict[tuple[str, int], str] = {}
        for index, supply in enumerate(supplies):
            path = f"power_supplies[{index}]"
            if not supply.bus.strip():
                self.refuse(f"{path}.bus", "expected how the name of its I2C adapter begins")
            if not 0x08 <= supply.address <= 0x77:
                self.refuse(f"{path}.address", f"{supply.address}; expected an I2C address from 0x08 to 0x77")
            if supply.readings < 1:
                self.refuse(f"{path}.readings", f"{supply.readings}; expected 1 or more")
            if (supply.bus, supply.address) in seen:
                other = seen[supply.bus, supply.address]
                self.refuse(f"{path}.address", f"0x{supply.address:02x} is {other}; expected an address of its own")
            seen[supply.bus, supply.address] = supply.name

    def inputs(self, table: str, sensors: Sequence[Temperature | Fan]) -> None:
        seen: dict[tuple[object, ...], str] = {}
        for index, sensor in enumerate(sensors):
            path = f"{table}[{index}]"
            if (sensor.label is None) == (sensor.index is None):
                self.refuse(path, "expected exactly one of label and index")
            if sensor.index is not None and sensor.index < 1:
                self.refuse(f"{path}.index", f"{sensor.index}; expected 1 or more")
            if sensor.readings < 1:
                self.refuse(f"{path}.readings", f"{sensor.readings}; expected 1 or more")
            line = (sensor.chip, sensor.device, sensor.label, sensor.index)
            if line in seen:
                self.refuse(path, f"{sensor.name} reads the same input as {seen[line]}; expected an input of its own")
            seen[line] = sensor.name

    def once(self, table: str, key: str, values: list[str]) -> None:
        for index, value in enumerate(values):
            if value in values[:index]:
                self.refuse(f"{table}[{index}].{key}", f"{value!r} is there twice; expected each once")


def _overlap(one: str, other: str) -> bool:
    """Two places that can hold the same drive: equal, or an address on a SCSI host that is a bay by itself."""
    if one == other:
        return True
    hosts = {place.removeprefix("host") for place in (one, other) if re.fullmatch(r"host\d+", place)}
    addresses = {place.split(":")[0] for place in (one, other) if HCTL.fullmatch(place)}
    return bool(hosts & addresses)


def _list(values: set[int] | set[str]) -> str:
    return ", ".join(str(value) for value in sorted(values)) or "none"
