"""The Information LED by spec/panel.md: conditions, colours, rates, priority."""

import itertools
from dataclasses import replace

import pytest

from core.paths import Paths
from hw import panel, profile
from hw.bays import Occupant
from hw.chassis import Bay, Led, LedDriver, Match, PanelLed, PanelRole, Profile
from hw.information import INFORMATION, information_light, information_shown, warning
from hw.leds import OFF, ON, Lamp, LampMode, blink
from hw.model import Conditions, InformationLight, LedView, Uid
from hw.panel import LAMP_TEST, PanelLook, PanelMemory, SetLamps, SetTray

RACK = profile.load("virtual-8", Paths())
NOW = 1_000_000.0
LIGHTS = InformationLight
DARK = {led.name: OFF for led, _, _ in panel.all_leds(RACK)}
SPEC = [
    (Conditions(overheat=True), Uid.OFF, ON, OFF),
    (Conditions(fan=True), Uid.OFF, blink(1.0), OFF),
    (Conditions(psu=True), Uid.OFF, blink(0.25), OFF),
    (Conditions(), Uid.PRESSED, OFF, ON),
    (Conditions(), Uid.REMOTE, OFF, blink(1.0)),
    (Conditions(), Uid.OFF, OFF, OFF),
]


@pytest.mark.parametrize(("conditions", "uid", "red", "blue"), SPEC)
def test_the_table_of_the_specification(conditions: Conditions, uid: Uid, red: Lamp, blue: Lamp) -> None:
    look = INFORMATION[information_light(uid, conditions)]
    assert (look.red, look.blue) == (red, blue)


def test_uid_then_overheat_then_fan_then_psu() -> None:
    order = (LIGHTS.OVERHEAT, LIGHTS.FAN, LIGHTS.PSU)
    for overheat, fan, psu in itertools.product((True, False), repeat=3):
        holding = Conditions(overheat=overheat, fan=fan, psu=psu)
        first = next((light for light, on in zip(order, (overheat, fan, psu), strict=True) if on), LIGHTS.OFF)
        assert information_light(Uid.OFF, holding) is first, "it returns to the next one when the first clears"
        assert information_light(Uid.REMOTE, holding) is LIGHTS.UID_REMOTE
        assert information_light(Uid.PRESSED, holding) is LIGHTS.UID_PRESSED
        assert warning(holding, policy_silent=False) is (overheat or fan or psu), "the warning LED goes on with UID"


def test_the_warning_led_tells_that_nobody_watches() -> None:
    assert warning(Conditions(), policy_silent=True)


@pytest.mark.parametrize("light", LIGHTS)
def test_what_is_shown_is_read_back(light: InformationLight) -> None:
    assert information_shown(INFORMATION[light].red, INFORMATION[light].blue) is light
    assert information_shown(None, INFORMATION[light].blue) is None
    assert information_shown(ON, ON) is None


@pytest.mark.parametrize(
    ("before", "on", "button", "after"),
    [
        (Uid.OFF, True, False, Uid.REMOTE), (Uid.REMOTE, False, False, Uid.OFF), (Uid.OFF, False, False, Uid.OFF),
        (Uid.OFF, True, True, Uid.PRESSED), (Uid.PRESSED, True, True, Uid.OFF), (Uid.REMOTE, True, True, Uid.OFF),
        (Uid.PRESSED, True, False, Uid.PRESSED), (Uid.PRESSED, False, False, Uid.OFF),
    ],
)
def test_uid(before: Uid, on: bool, button: bool, after: Uid) -> None:
    assert PanelMemory(uid=before).with_uid(on=on, button=button).uid is after


def lamps(look: PanelLook, memory: PanelMemory, now: float = NOW) -> dict[str, Lamp]:
    actions = panel.decide(look, memory, now).actions
    return {
        led.name: lamp for action in actions if isinstance(action, SetTray | SetLamps) for led, lamp in action.changes
    }


def test_the_panel_of_the_rack() -> None:
    look, hot = PanelLook(RACK, (), DARK), Conditions(overheat=True)
    assert lamps(look, PanelMemory()) == {}
    assert lamps(look, PanelMemory(chassis=hot)) == {"panel:red:information": ON, "panel:amber:warning": ON}
    assert lamps(look, PanelMemory(chassis=hot, uid=Uid.REMOTE)) == {
        "panel:blue:information": blink(1.0), "panel:amber:warning": ON,
    }
    alone = PanelLook(RACK, (), DARK, policy_silent=True)
    assert lamps(alone, PanelMemory()) == {"panel:amber:warning": ON}
    shown = panel.show(PanelLook(RACK, (), DARK | {"panel:red:information": ON}), PanelMemory(chassis=hot), NOW, ())
    assert (shown.information, shown.warning, shown.conditions) == (LIGHTS.OVERHEAT, False, hot)


def test_a_lamp_test_lights_all_and_ends() -> None:
    look, memory = PanelLook(RACK, (), DARK), PanelMemory(lamp_test=NOW + LAMP_TEST)
    assert lamps(look, memory) == dict.fromkeys(DARK, ON)
    assert panel.decide(look, memory, NOW + 9).again == pytest.approx(1)
    lit = PanelLook(RACK, (), dict.fromkeys(DARK, ON))
    assert lamps(lit, memory, NOW + LAMP_TEST + 0.1) == DARK
    assert lamps(lit, memory, NOW - 3600) == DARK, "a clock that was set back does not make it last"


def an_led(name: str) -> Led:
    return Led(LedDriver.SYSFS_LED, name)


SMALL = Profile(
    "small", "Small", ((0,),), bays=(Bay(0, Match(hctl="0:0:0:0"), an_led("bay0:green"), an_led("bay0:amber")),),
    panel=tuple(PanelLed(role, an_led(f"panel:{role.value}")) for role in PanelRole),
)
BUSY = PanelLook(SMALL, (Occupant(0, "/dev/sda", "SN0", "DISK"),), {}, {"/dev/sda": 4e6})
LIT = {
    "bay0:green": blink(4.0), "bay0:amber": OFF, "panel:power": ON, "panel:activity": blink(4.0), "panel:warning": ON,
    "panel:information-red": blink(0.25), "panel:information-blue": OFF, "panel:system": ON, "panel:power-failure": ON,
}
NO_POWER = PanelMemory(chassis=Conditions(psu=True))


def test_power_system_activity_and_power_failure_are_set() -> None:
    dark = replace(BUSY, lamps=dict.fromkeys(LIT, OFF))
    assert lamps(dark, NO_POWER) == {name: lamp for name, lamp in LIT.items() if lamp != OFF}
    idle = replace(BUSY, lamps=LIT, rates={})
    assert lamps(idle, PanelMemory()) == {
        "bay0:green": ON, "panel:activity": OFF, "panel:warning": OFF, "panel:information-red": OFF,
        "panel:power-failure": OFF,
    }


def test_every_led_is_shown_as_it_is_and_one_that_cannot_be_read_as_unknown() -> None:
    read = {name: lamp for name, lamp in LIT.items() if name not in ("panel:system", "bay0:amber")}
    shown = panel.show(replace(BUSY, lamps=read), NO_POWER, NOW, ()).leds
    assert shown == (
        LedView("bay0:green", "activity", 0, LampMode.BLINK, 4.0), LedView("bay0:amber", "status", 0),
        LedView("panel:power", "power", None, LampMode.ON),
        LedView("panel:activity", "activity", None, LampMode.BLINK, 4.0),
        LedView("panel:warning", "warning", None, LampMode.ON),
        LedView("panel:information-red", "information-red", None, LampMode.BLINK, 0.25),
        LedView("panel:information-blue", "information-blue", None, LampMode.OFF),
        LedView("panel:system", "system"), LedView("panel:power-failure", "power-failure", None, LampMode.ON),
    )


def test_in_a_lamp_test_every_led_is_shown_on() -> None:
    memory = PanelMemory(lamp_test=NOW + LAMP_TEST)
    shown = panel.show(replace(BUSY, lamps=dict.fromkeys(LIT, ON)), memory, NOW, ())
    assert (shown.lamp_test, shown.information, shown.bays[0].light) == (True, None, None)
    assert {led.lamp for led in shown.leds} == {LampMode.ON}
