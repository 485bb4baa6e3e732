"""Chassis, LEDs, beeper, sensors."""

from core.errors.base import RackeyeError


class HwError(RackeyeError):
    """Bays, LEDs and sensors."""


class LedGone(HwError):
    code = "HW-001"
    meaning = (
        "An LED that the chassis profile names cannot be read or set: its file is gone or its chip does not answer. "
        "The other LEDs go on. Check the profile (`rackeye-paneld --check FILE`), the LED's driver module, the cable."
    )


class LedStuck(HwError):
    code = "HW-002"
    meaning = (
        "An LED was set and reads back as something else: another program drives it too, or its chip cannot do the "
        "blink rate. The profile's `chips` say what a chip can do (docs/ref/profile.md)."
    )


class BayUnknown(HwError):
    code = "HW-003"
    meaning = "The chassis profile names no bay of this number. `rackeye bay` lists them."


class BayWithoutLeds(HwError):
    code = "HW-004"
    meaning = "The chassis profile names no status LED for this bay, so that it cannot blink to be found."


class UdevSilent(HwError):
    code = "HW-005"
    meaning = (
        "udev's database cannot be read, so that it is not known which bay holds a drive. Every bay is shown as "
        "unknown, not as empty. `systemctl status systemd-udevd` says why."
    )


class BeeperGone(HwError):
    code = "HW-006"
    meaning = (
        "The beeper that the chassis profile names is not there, or the kernel does not take what is written to it. "
        "Alarms are then not heard; LEDs, mail and the page go on. The sentence says which file or device it is."
    )


class NoBeeper(HwError):
    code = "HW-007"
    meaning = "The chassis profile names no beeper: nothing can be played. The table [beeper] of a profile names one."


class NoSuchBeep(HwError):
    code = "HW-008"
    meaning = (
        "There is no beep code of that number. Codes are short tones of one length; long tones that do not end are an "
        "alarm, which `rackeye alarm` explains."
    )


class ButtonsGone(HwError):
    code = "HW-009"
    meaning = (
        "An input device that the chassis profile names for a button is not there or cannot be read. Presses are not "
        "seen; it is tried again every 30 s. Check the profile and the driver (gpio-keys, ACPI's button)."
    )
