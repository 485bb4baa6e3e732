"""What the front panel is to show (pure): looks, memory, and the light of each bay."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.daemon import Decision
from hw.bays import Occupant
from hw.chassis import Bay, Led, Profile
from hw.leds import TRAY, Lamp, light_shown, tray_light
from hw.model import BayView, PanelSnapshot, TrayCondition, TrayLight

ACTIVE_RATE = 100_000.0
"""Bytes/s from which a drive is active: above what looking at it costs (superblocks, S.M.A.R.T.), below any camera."""

ACTIVITY_LOOK = 10.0
"""Seconds between looks at how busy the drives are."""


@dataclass(frozen=True, slots=True)
class PanelLook:
    """The front of the chassis, as one look finds it.

    occupants: None when udev cannot be read. lamps: by LED name; an LED that cannot be read is not in it.
    rates: bytes/s by device. problems: sentences about this look.
    """

    profile: Profile
    occupants: tuple[Occupant, ...] | None = ()
    lamps: Mapping[str, Lamp] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def in_bay(self, number: int) -> tuple[Occupant, ...]:
        """The drives in a bay: none, one, or more when the profile's place is too wide."""
        return tuple(drive for drive in self.occupants or () if drive.bay == number)


@dataclass(frozen=True, slots=True)
class PanelMemory:
    """What the chassis cannot tell: what policyd said of the bays, and which ones blink to be found."""

    conditions: Mapping[int, TrayCondition] = field(default_factory=dict)
    locate: tuple[int, ...] = ()

    def with_conditions(self, conditions: Mapping[int, TrayCondition]) -> "PanelMemory":
        """Policyd's word replaces all that it said before."""
        kept = {bay: said for bay, said in sorted(conditions.items()) if said is not TrayCondition.NONE}
        return PanelMemory(kept, self.locate)

    def with_locate(self, bay: int, on: bool) -> "PanelMemory":
        """One bay more, or less, that blinks to be found."""
        rest = {other for other in self.locate if other != bay}
        return PanelMemory(self.conditions, tuple(sorted(rest | {bay} if on else rest)))


@dataclass(frozen=True, slots=True)
class SetTray:
    """Make a bay show `light`, by the LEDs that do not show it yet."""

    bay: int
    light: TrayLight
    changes: tuple[tuple[Led, Lamp], ...]


def decide(look: PanelLook, memory: PanelMemory) -> Decision[PanelMemory, SetTray]:
    """Only what differs is set; an LED that cannot be read is not written to (its problem is in the snapshot)."""
    actions = tuple(action for bay in look.profile.bays if (action := _tray(look, memory, bay)) is not None)
    green = any(bay.activity is not None for bay in look.profile.bays)
    return Decision(actions, memory, ACTIVITY_LOOK if green else None)


def _tray(look: PanelLook, memory: PanelMemory, bay: Bay) -> SetTray | None:
    light = wanted(look, memory, bay.number)
    if light is None:
        return None
    tray = TRAY[light]
    changes = tuple(
        (led, lamp)
        for led, lamp in ((bay.status, tray.status), (bay.activity, tray.activity))  # amber is waited for
        if led is not None and led.name in look.lamps and not look.lamps[led.name].agrees(lamp)
    )
    return SetTray(bay.number, light, changes) if changes else None


def wanted(look: PanelLook, memory: PanelMemory, number: int) -> TrayLight | None:
    """The light that a bay should show; None: leave it, since presence is not known and nothing outranks it."""
    drives = look.in_bay(number)
    light = tray_light(
        present=bool(drives),
        active=any(look.rates.get(drive.device, 0.0) >= ACTIVE_RATE for drive in drives),
        locate=number in memory.locate,
        condition=memory.conditions.get(number, TrayCondition.NONE),
    )
    return None if look.occupants is None and light is TrayLight.ABSENT else light


def show(look: PanelLook, memory: PanelMemory, problems: Iterable[str]) -> PanelSnapshot:
    """What other programs see."""
    crowded = tuple(
        f"Bay {bay.number} holds {len(drives)} drives ({', '.join(drive.device for drive in drives)}): "
        "the profile's match is too wide."
        for bay in look.profile.bays
        if len(drives := look.in_bay(bay.number)) > 1
    )
    return PanelSnapshot(
        profile=look.profile.name,
        title=look.profile.title,
        front=look.profile.front,
        bays=tuple(_view(look, memory, bay) for bay in sorted(look.profile.bays, key=lambda bay: bay.number)),
        problems=(*look.problems, *crowded, *problems),
    )


def _view(look: PanelLook, memory: PanelMemory, bay: Bay) -> BayView:
    drives = look.in_bay(bay.number)
    drive = drives[0] if len(drives) == 1 else None  # of two drives none is "the" drive of the bay
    return BayView(
        bay=bay.number,
        present=None if look.occupants is None else bool(drives),
        device=drive.device if drive else None,
        serial=drive.serial if drive else None,
        model=drive.model if drive else None,
        light=light_shown(_lamp(look, bay.activity), _lamp(look, bay.status)),
        locate=bay.number in memory.locate,
        condition=memory.conditions.get(bay.number, TrayCondition.NONE),
    )


def _lamp(look: PanelLook, led: Led | None) -> Lamp | None:
    return look.lamps.get(led.name) if led is not None else None
