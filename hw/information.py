"""The Information LED (red and blue) and the warning LED: what they show, and why (pure; spec/panel.md)."""

from dataclasses import dataclass

from hw.leds import OFF, ON, Lamp, blink
from hw.model import Conditions, InformationLight, Uid


@dataclass(frozen=True, slots=True)
class Information:
    """The two colours of the one LED."""

    red: Lamp = OFF
    blue: Lamp = OFF


INFORMATION: dict[InformationLight, Information] = {
    InformationLight.OFF: Information(),
    InformationLight.PSU: Information(red=blink(0.25)),
    InformationLight.FAN: Information(red=blink(1.0)),
    InformationLight.OVERHEAT: Information(red=ON),
    InformationLight.UID_REMOTE: Information(blue=blink(1.0)),
    InformationLight.UID_PRESSED: Information(blue=ON),
}

RED_RATES = tuple(sorted({look.red.hz for look in INFORMATION.values() if look.red.hz}))
BLUE_RATES = tuple(sorted({look.blue.hz for look in INFORMATION.values() if look.blue.hz}))


def information_light(uid: Uid, conditions: Conditions) -> InformationLight:
    """UID wins, because a person stands at the rack and looks for this box; then overheat, fan, PSU."""
    holding = (
        (uid is Uid.PRESSED, InformationLight.UID_PRESSED),
        (uid is Uid.REMOTE, InformationLight.UID_REMOTE),
        (conditions.overheat, InformationLight.OVERHEAT),
        (conditions.fan, InformationLight.FAN),
        (conditions.psu, InformationLight.PSU),
    )
    return next((light for holds, light in holding if holds), InformationLight.OFF)


def warning(conditions: Conditions, policy_silent: bool) -> bool:
    """Any of overheat, fan and power, whatever the Information LED shows; and when nobody watches them."""
    return conditions.overheat or conditions.fan or conditions.psu or policy_silent


def information_shown(red: Lamp | None, blue: Lamp | None) -> InformationLight | None:
    """Which light two LEDs show; None when one is not known or they show nothing of ours."""
    if red is None or blue is None:
        return None
    for light, look in INFORMATION.items():
        if look.red.agrees(red) and look.blue.agrees(blue):
            return light
    return None
