"""What a chassis is: the types that a profile file is read into. The reference of the file is docs/ref/profile.md."""

from dataclasses import dataclass
from enum import StrEnum

from hw.chips import ChipKind


class LedDriver(StrEnum):
    """How an LED is driven: `hw.drivers.sysfs_led`."""

    SYSFS_LED = "sysfs_led"


class SensorDriver(StrEnum):
    """How a sensor is read: `hw.drivers.hwmon`."""

    HWMON = "hwmon"


class PowerDriver(StrEnum):
    """How a power supply is read: `hw.drivers.pmbus`."""

    PMBUS = "pmbus"


class BeeperDriver(StrEnum):
    """How a beeper is played: `hw.drivers.beepers`."""

    LED_PATTERN = "led_pattern"
    EVDEV = "evdev"


class ButtonDriver(StrEnum):
    """How a button is read: `hw.drivers.buttons`."""

    EVDEV = "evdev"


class ButtonRole(StrEnum):
    """What a button of the chassis is for (hw/buttons.py)."""

    POWER = "power"
    RESET = "reset"
    UID = "uid"
    SILENCE = "silence"


class PanelRole(StrEnum):
    """LEDs of the panel besides the trays. power and system are on as long as paneld sees to them."""

    POWER = "power"
    ACTIVITY = "activity"
    WARNING = "warning"
    INFORMATION_RED = "information-red"
    INFORMATION_BLUE = "information-blue"
    SYSTEM = "system"
    POWER_FAILURE = "power-failure"


@dataclass(frozen=True, slots=True)
class Chip:
    """What blinks a set of LEDs. Two LEDs on one chip share its blink rates."""

    name: str
    kind: ChipKind


@dataclass(frozen=True, slots=True)
class Led:
    """One LED: for `sysfs_led` its name under class/leds. Without `chip` it blinks by the kernel's timer trigger."""

    driver: LedDriver
    name: str
    chip: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """The place a bay is, in udev's words; exactly one of them.

    id_path: the drive's ID_PATH, as `udevadm info` shows it: SATA port, SAS phy, NVMe slot.
    hctl: the SCSI address "host:channel:target:lun".
    scsi_host: number of a SCSI host that has this bay alone. Host numbers go by probe order: not for real hardware.
    parent: kernel name of a device above the drive, such as a PCI root port "0000:00:1c.4".
    """

    id_path: str | None = None
    hctl: str | None = None
    scsi_host: int | None = None
    parent: str | None = None

    def place(self) -> str:
        """The one string that says where this is, the same for two ways to say it."""
        if self.id_path is not None:
            return self.id_path.removesuffix(".0") if "-ata-" in self.id_path else self.id_path
        if self.scsi_host is not None:
            return f"host{self.scsi_host}"
        return self.hctl or self.parent or ""


@dataclass(frozen=True, slots=True)
class Bay:
    """A place for a drive, with the number that is printed on the chassis. backplane: its side, where there are several
    (a hot spare with affinity takes its own side first)."""

    number: int
    match: Match
    activity: Led | None = None
    status: Led | None = None
    backplane: str = ""


@dataclass(frozen=True, slots=True)
class PanelLed:
    """An LED of the panel and what it is for."""

    role: PanelRole
    led: Led


@dataclass(frozen=True, slots=True)
class Beeper:
    """The beeper. name: for led_pattern that under class/leds, for evdev that of the input device ("PC Speaker")."""

    driver: BeeperDriver
    name: str


@dataclass(frozen=True, slots=True)
class Button:
    """A button. name: of the input device; key: its code there (linux/input-event-codes.h).

    hold: seconds of a long press: power off, or restore at power-on.
    """

    role: ButtonRole
    driver: ButtonDriver
    name: str
    key: int
    hold: float


@dataclass(frozen=True, slots=True)
class Temperature:
    """A temperature, in degrees Celsius.

    chip: the hwmon chip's own name (its `name` file), never hwmonN; device: a part of its device path, where two chips
    have one name. label: the text of tempN_label, or index: the N.
    limit: alarm at or above it; hysteresis: it ends below limit - hysteresis.
    low, high: a value outside cannot be meant, and counts as a bad reading. readings: bad ones before it is
    believed.
    """

    name: str
    driver: SensorDriver
    chip: str
    limit: float
    device: str = ""
    label: str | None = None
    index: int | None = None
    hysteresis: float = 3.0
    low: float = -40.0
    high: float = 150.0
    readings: int = 3


@dataclass(frozen=True, slots=True)
class Fan:
    """A fan, in revolutions a minute.

    minimum: below it for `readings` readings, the fan has failed. high: a value above cannot be meant.
    chip, device, label, index: as for a temperature (fanN_label, fanN_input).
    """

    name: str
    driver: SensorDriver
    chip: str
    minimum: float
    device: str = ""
    label: str | None = None
    index: int | None = None
    high: float = 30_000.0
    readings: int = 3


@dataclass(frozen=True, slots=True)
class PowerSupply:
    """A power supply that the chassis should have; in an empty slot it is missed.

    bus: how the name of its I2C adapter begins, never i2c-N. address: its PMBus address there.
    readings: bad ones, or ones with a fault, before it is believed.
    """

    name: str
    driver: PowerDriver
    bus: str
    address: int
    readings: int = 3


@dataclass(frozen=True, slots=True)
class Profile:
    """One chassis. front: rows of bay numbers as a person stands before it, top row first."""

    name: str
    title: str
    front: tuple[tuple[int, ...], ...] = ()
    chips: tuple[Chip, ...] = ()
    bays: tuple[Bay, ...] = ()
    panel: tuple[PanelLed, ...] = ()
    temperatures: tuple[Temperature, ...] = ()
    fans: tuple[Fan, ...] = ()
    power_supplies: tuple[PowerSupply, ...] = ()
    beeper: Beeper | None = None
    buttons: tuple[Button, ...] = ()

    def bay(self, number: int) -> Bay | None:
        """The bay of that number, or None."""
        return next((bay for bay in self.bays if bay.number == number), None)
