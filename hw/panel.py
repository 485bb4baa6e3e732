"""What the front panel is to show (pure): looks, memory, and the light of each bay."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from core.daemon import Decision
from hw import beeps, buttons
from hw.bays import Occupant
from hw.beeps import BeepMemory, Hush, Play
from hw.buttons import Buttons, press
from hw.chassis import Bay, Button, Led, PanelRole, Profile
from hw.information import INFORMATION, information_light, information_shown, warning
from hw.leds import OFF, ON, TRAY, Lamp, light_shown, tray_light
from hw.model import BayView, Conditions, LedView, PanelSnapshot, Sound, TrayCondition, TrayLight, Uid

ACTIVE_RATE = 100_000.0
"""Bytes/s from which a drive is active: above what looking at it costs (superblocks, S.M.A.R.T.), below any camera."""

ACTIVITY_LOOK = 10.0
"""Seconds between looks at how busy the drives are."""

PULLED = 30.0
"""Seconds for which the kernel's word that a drive has gone outweighs a look that still saw it."""

LAMP_TEST = 10.0
"""Seconds that a lamp test lasts: long enough to walk round the rack, and to see a dead one."""


@dataclass(frozen=True, slots=True)
class PanelLook:
    """The front of the chassis, as one look finds it.

    occupants: None when udev cannot be read. lamps: by LED name; an LED that cannot be read is not in it.
    rates: bytes/s by device. sound: what the beeper does, None when there is none or it cannot be read.
    policy_silent: policyd has said nothing for too long. problems: sentences about this look.
    uptime: CLOCK_MONOTONIC.
    """

    profile: Profile
    occupants: tuple[Occupant, ...] | None = ()
    lamps: Mapping[str, Lamp] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    sound: Sound | None = None
    policy_silent: bool = False
    problems: tuple[str, ...] = ()
    uptime: float = 0.0

    def in_bay(self, number: int) -> tuple[Occupant, ...]:
        """The drives in a bay: none, one, or more when the profile's place is too wide."""
        return tuple(drive for drive in self.occupants or () if drive.bay == number)


@dataclass(frozen=True, slots=True)
class PanelMemory:
    """What the chassis cannot tell: what policyd said, what blinks to be found, and what was to be heard.

    chassis: the conditions of the whole box. lamp_test: until when all LEDs are on (UTC).
    pulled: drives that are gone but that the last look still saw, and since when.
    """

    conditions: Mapping[int, TrayCondition] = field(default_factory=dict)
    locate: tuple[int, ...] = ()
    uid: Uid = Uid.OFF
    chassis: Conditions = Conditions()
    beeps: BeepMemory = BeepMemory()
    lamp_test: float = 0.0
    buttons: Buttons = Buttons()
    pulled: Mapping[str, float] = field(default_factory=dict)

    def with_drive(self, device: str, here: bool, now: float) -> "PanelMemory":
        """The kernel told at `now` (CLOCK_MONOTONIC) that a drive has come or gone; the looks learn it later."""
        rest = {name: at for name, at in self.pulled.items() if name != device}
        return replace(self, pulled=rest if here else {**rest, device: now})

    def with_conditions(self, conditions: Mapping[int, TrayCondition]) -> "PanelMemory":
        """Policyd's word replaces all that it said before."""
        kept = {bay: said for bay, said in sorted(conditions.items()) if said is not TrayCondition.NONE}
        return replace(self, conditions=kept)

    def with_locate(self, bay: int, on: bool) -> "PanelMemory":
        """One bay more, or less, that blinks to be found."""
        rest = {other for other in self.locate if other != bay}
        return replace(self, locate=tuple(sorted(rest | {bay} if on else rest)))

    def with_uid(self, *, on: bool, button: bool) -> "PanelMemory":
        """The button toggles, whoever set it; a command sets and clears."""
        if button:
            return replace(self, uid=Uid.PRESSED if self.uid is Uid.OFF else Uid.OFF)
        if not on:
            return replace(self, uid=Uid.OFF)
        return self if self.uid is Uid.PRESSED else replace(self, uid=Uid.REMOTE)

    def with_silence(self, policy_silent: bool) -> "PanelMemory":
        """What is to be heard now is not, until something new is."""
        return replace(self, beeps=beeps.silence(self.asked_for(policy_silent)))

    def with_button(self, button: Button, down: bool, now: float, *, policy_silent: bool = False) -> "PanelMemory":
        """A button went down or up; UID toggles and sound ends at once."""
        state = press(self.buttons, button, down, now)
        changed = self.with_uid(on=True, button=True) if state.uid else self
        changed = changed.with_silence(policy_silent) if state.silence else changed
        return replace(changed, buttons=replace(state, uid=0, silence=False))

    def asked_for(self, policy_silent: bool) -> tuple[str, ...]:
        """All alarms that shall be heard unless they are silenced."""
        return (*beeps.asked_for(self.chassis, policy_silent), *self.buttons.alarms)


@dataclass(frozen=True, slots=True)
class SetTray:
    """Make a bay show `light`, by the LEDs that do not show it yet."""

    bay: int
    light: TrayLight
    changes: tuple[tuple[Led, Lamp], ...]


@dataclass(frozen=True, slots=True)
class SetLamps:
    """Make LEDs of the panel, or all in a lamp test, show something; why: in words."""

    why: str
    changes: tuple[tuple[Led, Lamp], ...]


Action = SetTray | SetLamps | Play | Hush


def decide(look: PanelLook, memory: PanelMemory, now: float) -> Decision[PanelMemory, Action]:
    """Only what differs is set; an LED that cannot be read is not written to (its problem is in the snapshot)."""
    actions: list[Action] = []
    memory = replace(memory, pulled=_still_seen(look, memory))
    look = _without_pulled(look, memory)
    memory = replace(memory, buttons=buttons.pass_time(memory.buttons, look.profile.buttons, look.uptime))
    due = [ACTIVITY_LOOK] if any(bay.activity is not None for bay in look.profile.bays) else []
    held = buttons.due(memory.buttons, look.profile.buttons, look.uptime)
    due += [held + 0.01] if held is not None else []
    testing = tests_lamps(memory, now)
    if testing:
        due.append(memory.lamp_test - now)
        changes = _differing(look, ((led, ON) for led, _, _ in all_leds(look.profile)))
        actions += [SetLamps("Lamp test", changes)] if changes else []
    else:
        actions += [action for bay in look.profile.bays if (action := _tray(look, memory, bay)) is not None]
        changes = _differing(look, _panel(look, memory))
        light = information_light(memory.uid, memory.chassis)
        actions += [SetLamps(f"The panel shows {light.value}", changes)] if changes else []
    if look.sound is not None:
        beeping = beeps.decide(memory.beeps, memory.asked_for(look.policy_silent), look.sound, now)
        memory = replace(memory, beeps=beeping.memory)
        actions += [beeping.action] if beeping.action is not None else []
        due += [beeping.again + 0.01] if beeping.again is not None else []
    return Decision(tuple(actions), memory, min(due, default=None))


def tests_lamps(memory: PanelMemory, now: float) -> bool:
    """Whether a lamp test is on; a clock that was set back does not make it last."""
    return 0 < memory.lamp_test - now <= LAMP_TEST


def all_leds(profile: Profile) -> Iterator[tuple[Led, str, int | None]]:
    """Every LED of the chassis, with its role and its bay."""
    for bay in profile.bays:
        pairs = ((bay.activity, "activity"), (bay.status, "status"))
        yield from ((led, role, bay.number) for led, role in pairs if led is not None)
    yield from ((panel.led, panel.role.value, None) for panel in profile.panel)


def panel_led(profile: Profile, role: PanelRole) -> Led | None:
    """The LED of the panel that has this role."""
    return next((panel.led for panel in profile.panel if panel.role is role), None)


def _panel(look: PanelLook, memory: PanelMemory) -> Iterator[tuple[Led, Lamp]]:
    """The LEDs of the panel, and what each is to show."""
    information = INFORMATION[information_light(memory.uid, memory.chassis)]
    lit = ON if warning(memory.chassis, look.policy_silent) else OFF
    wanted = {
        PanelRole.INFORMATION_RED: information.red, PanelRole.INFORMATION_BLUE: information.blue,
        PanelRole.WARNING: lit, PanelRole.POWER_FAILURE: ON if memory.chassis.psu else OFF,
        PanelRole.POWER: ON, PanelRole.SYSTEM: ON, PanelRole.ACTIVITY: _activity(look),
    }
    for panel in look.profile.panel:
        yield panel.led, wanted[panel.role]


def _activity(look: PanelLook) -> Lamp:
    """HDD activity: any bay that is active."""
    busy = any(rate >= ACTIVE_RATE for rate in look.rates.values())
    return TRAY[TrayLight.ACTIVE].activity if busy else OFF


def _differing(look: PanelLook, wanted: Iterable[tuple[Led, Lamp]]) -> tuple[tuple[Led, Lamp], ...]:
    return tuple(
        (led, lamp) for led, lamp in wanted if led.name in look.lamps and not look.lamps[led.name].agrees(lamp)
    )


def _still_seen(look: PanelLook, memory: PanelMemory) -> dict[str, float]:
    """A word about a drive that came back may be lost: so none counts for long."""
    seen = {drive.device for drive in look.occupants or ()}
    return {name: at for name, at in memory.pulled.items() if name in seen and look.uptime - at < PULLED}


def _without_pulled(look: PanelLook, memory: PanelMemory) -> PanelLook:
    if look.occupants is None or not memory.pulled:
        return look
    return replace(look, occupants=tuple(drive for drive in look.occupants if drive.device not in memory.pulled))


def _tray(look: PanelLook, memory: PanelMemory, bay: Bay) -> SetTray | None:
    light = wanted(look, memory, bay.number)
    if light is None:
        return None
    tray = TRAY[light]
    pairs = ((bay.status, tray.status), (bay.activity, tray.activity))  # amber is waited for
    changes = _differing(look, ((led, lamp) for led, lamp in pairs if led is not None))
    return SetTray(bay.number, light, changes) if changes else None


def wanted(look: PanelLook, memory: PanelMemory, number: int) -> TrayLight | None:
    """The light that a bay should show; None: leave it, since presence is not known and nothing outranks it."""
    drives = look.in_bay(number)
    light = tray_light(
        present=None if look.occupants is None else bool(drives),
        active=any(look.rates.get(drive.device, 0.0) >= ACTIVE_RATE for drive in drives),
        locate=number in memory.locate,
        condition=memory.conditions.get(number, TrayCondition.NONE),
    )
    return None if look.occupants is None and light is TrayLight.ABSENT else light


def show(look: PanelLook, memory: PanelMemory, now: float, problems: Iterable[str]) -> PanelSnapshot:
    """What other programs see."""
    look = _without_pulled(look, memory)
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
        information=information_shown(
            _lamp(look, panel_led(look.profile, PanelRole.INFORMATION_RED)),
            _lamp(look, panel_led(look.profile, PanelRole.INFORMATION_BLUE)),
        ),
        warning=None if (lit := _lamp(look, panel_led(look.profile, PanelRole.WARNING))) is None else lit.agrees(ON),
        uid=memory.uid,
        conditions=memory.chassis,
        policy_silent=look.policy_silent,
        beeper=beeps.view(memory.beeps, memory.asked_for(look.policy_silent), look.sound),
        lamp_test=tests_lamps(memory, now),
        problems=(*look.problems, *crowded, *problems),
        pressed=memory.buttons.pressed,
        restoring=memory.buttons.restore_at is not None,
        leds=tuple(_led(look, *one) for one in all_leds(look.profile)),
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


def _led(look: PanelLook, led: Led, role: str, bay: int | None) -> LedView:
    lamp = _lamp(look, led)
    return LedView(led.name, role, bay) if lamp is None else LedView(led.name, role, bay, lamp.mode, lamp.hz)


def _lamp(look: PanelLook, led: Led | None) -> Lamp | None:
    return look.lamps.get(led.name) if led is not None else None
