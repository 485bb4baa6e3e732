"""The boot menu as a pure state machine: keys and time in, screens and effects out (spec/boot.md, "Boot menu").

Nothing here touches a console or a clock. Whatever is typed or not typed, it ends: with the countdown, after a minute
without a key, after ten minutes in any case, and always with entry 0.
"""

from dataclasses import dataclass, replace
from enum import Enum, IntEnum, auto
from typing import assert_never

from boot.erase import PHRASE
from boot.keys import Key, Special
from boot.model import Mode, SwitchPlan

IDLE = 60.0
LONGEST = 600.0
"""Seconds from the first screen to entry 0, whatever is typed: slow noise must not keep the recorder from starting."""
FIRST_DELAY, LONGEST_DELAY = 2.0, 60.0
"""Seconds after the first wrong password; doubled by each further one."""
TYPED_MOST = 64
RESTORING = "Restoring to default. Should the power go, the next start finishes it."


class Entry(IntEnum):
    """The entries, by their digits."""

    NVR = 0
    RESTORE = 1
    REBOOT = 2
    SHUTDOWN = 3
    FAILOVER = 4


class Screen(Enum):
    """What is on the consoles."""

    MAIN = auto()
    CONFIRM = auto()  # reboot, shutdown
    USER = auto()
    PASSWORD = auto()
    DELAY = auto()  # after a wrong password
    RESTORE = auto()  # what goes, what stays: y
    ERASE = auto()  # the recordings, too: y once more
    SWITCH = auto()  # the plan: y
    NOTICE = auto()  # something was refused or failed; any key
    BUSY = auto()  # an effect is at work
    OVER = auto()


class Effect(Enum):
    """What the program has to do. CHECK: user and password are in the menu."""

    LEAVE = auto()
    REBOOT = auto()
    SHUTDOWN = auto()
    CHECK = auto()
    RESTORE = auto()
    RESTORE_AND_ERASE = auto()
    PLAN = auto()
    SWITCH = auto()
    OFF = auto()


BUTTONS = {
    "SHUTDOWN": (Effect.SHUTDOWN, "The power button was pressed: the appliance shuts down."),
    "OFF": (Effect.OFF, "The power button was held: the power goes off."),
    "REBOOT": (Effect.REBOOT, "The reset button was pressed: the appliance reboots."),
    "RESTORE": (Effect.RESTORE, f"The reset button was held at power-on. {RESTORING}"),
}
"""By what a button of the chassis asks for (boot.panel_buttons.Asked)."""


@dataclass(frozen=True, slots=True)
class Menu:
    """deadline: when the screen ends by itself. last: when the menu ends in any case (monotonic seconds)."""

    mode: Mode
    version: str
    deadline: float
    last: float
    screen: Screen = Screen.MAIN
    counting: bool = True
    chosen: Entry = Entry.NVR
    user: str = ""
    typed: str = ""
    lines: tuple[str, ...] = ()
    wrong: int = 0
    button: bool = False  # a button of the chassis asked for what is done now

    @property
    def entries(self) -> tuple[Entry, ...]:
        """In Failover Mode there is no entry 4."""
        return tuple(entry for entry in Entry if entry is not Entry.FAILOVER or self.mode is Mode.STANDARD)


Step = tuple[Menu, Effect | None]


def begin(mode: Mode, version: str, now: float, seconds: float, lines: tuple[str, ...] = ()) -> Menu:
    """The first screen. seconds: of the countdown. lines: what happened before, such as a restore that was finished."""
    return Menu(mode, version, now + seconds, now + max(LONGEST, seconds), lines=lines)


def tick(menu: Menu, now: float) -> Step:
    """Time went by."""
    if menu.screen in (Screen.BUSY, Screen.OVER):
        return menu, None
    if now >= menu.last:
        return _leave(menu)
    if now < menu.deadline:
        return menu, None
    if menu.screen is Screen.DELAY:
        return _stay(replace(menu, screen=Screen.USER, user="", typed="", lines=()), now), None
    return _leave(menu)


def by_button(menu: Menu, asked: str) -> Step:
    """A button of the chassis: it needs no `y`, as it needs none while the appliance runs. Not while the menu does, or
    has done, something."""
    if menu.screen in (Screen.BUSY, Screen.OVER):
        return menu, None
    effect, line = BUTTONS[asked]
    who = "Whoever held the reset button" if effect is Effect.RESTORE else menu.user
    return replace(
        menu, screen=Screen.BUSY, counting=False, user=who, typed="", lines=(line,), button=True,
    ), effect


def press(menu: Menu, key: Key, now: float) -> Step:
    """A key on any console."""
    match menu.screen:
        case Screen.BUSY | Screen.OVER | Screen.DELAY:
            return menu, None
        case Screen.MAIN:
            return _on_main(_stay(replace(menu, lines=()), now), key)
        case Screen.NOTICE:
            return _main(menu, now), None
        case Screen.CONFIRM | Screen.RESTORE | Screen.ERASE | Screen.SWITCH | Screen.USER | Screen.PASSWORD:
            menu = _stay(menu, now)
            match key:
                case Special.ESCAPE:
                    return _main(menu, now), None
                case Special.ENTER:
                    return _entered(menu, now)
                case Special.ERASE:
                    return replace(menu, typed=menu.typed[:-1]), None
                case Special.UP | Special.DOWN:
                    return menu, None
                case str():
                    return replace(menu, typed=(menu.typed + key)[:TYPED_MOST]), None
                case _:
                    assert_never(key)
        case _:
            assert_never(menu.screen)


def _on_main(menu: Menu, key: Key) -> Step:
    match key:
        case Special.ENTER:
            return _choose(menu)
        case Special.UP | Special.DOWN:
            step = 1 if key is Special.DOWN else -1
            place = (menu.entries.index(menu.chosen) + step) % len(menu.entries)
            return replace(menu, chosen=menu.entries[place]), None
        case str() if key in {str(entry.value) for entry in menu.entries}:
            return replace(menu, chosen=Entry(int(key))), None
        case _:
            return menu, None


def _choose(menu: Menu) -> Step:
    match menu.chosen:
        case Entry.NVR:
            return _leave(menu)
        case Entry.RESTORE:
            return replace(menu, screen=Screen.USER, user="", typed=""), None
        case Entry.REBOOT | Entry.SHUTDOWN:
            return replace(menu, screen=Screen.CONFIRM, typed=""), None
        case Entry.FAILOVER:
            return _busy(menu, "Looking at drives, services and settings."), Effect.PLAN
        case _:
            assert_never(menu.chosen)


def _entered(menu: Menu, now: float) -> Step:  # noqa: PLR0911 -- a table of screens
    """Enter where something is typed."""
    yes = menu.typed.strip().lower() in ("y", "yes")
    match menu.screen:
        case Screen.USER:
            if not menu.typed:
                return _main(menu, now), None
            return replace(menu, screen=Screen.PASSWORD, user=menu.typed, typed=""), None
        case Screen.PASSWORD:
            return _busy(menu, "Looking at the password."), Effect.CHECK
        case Screen.CONFIRM if yes:
            effect = Effect.REBOOT if menu.chosen is Entry.REBOOT else Effect.SHUTDOWN
            return _busy(menu, "Rebooting." if effect is Effect.REBOOT else "Shutting down."), effect
        case Screen.RESTORE if yes:
            return _busy(menu, RESTORING), Effect.RESTORE
        case Screen.RESTORE if menu.typed == PHRASE:
            return replace(menu, screen=Screen.ERASE, typed=""), None
        case Screen.ERASE if yes:
            return _busy(menu, RESTORING), Effect.RESTORE_AND_ERASE
        case Screen.SWITCH if yes:
            return _busy(menu, "Switching to Failover Mode."), Effect.SWITCH
        case _:
            return _main(menu, now), None


# -- answers to effects ----------------------------------------------------------------------------------------------


def proved(menu: Menu, now: float) -> Menu:
    """The password is an administrator's."""
    return _stay(replace(menu, screen=Screen.RESTORE, typed="", lines=(), wrong=0), now)


def wrong_password(menu: Menu, sentence: str, now: float) -> Menu:
    """It is not: wait, longer each time, also when the menu was left in between."""
    delay = min(FIRST_DELAY * 2.0**menu.wrong, LONGEST_DELAY)
    return replace(menu, screen=Screen.DELAY, typed="", wrong=menu.wrong + 1, lines=(sentence,), deadline=now + delay)


def planned(menu: Menu, plan: SwitchPlan, now: float) -> Menu:
    """What the switch would do, or why it is refused."""
    if plan.refusals:
        lines = ["The switch to Failover Mode is refused:"]
        for refusal in plan.refusals:
            lines += [f"- {refusal.sentence}", f"  {refusal.hint} ({refusal.code})"]
        return notice(menu, tuple(lines), now)
    return _stay(replace(menu, screen=Screen.SWITCH, typed="", lines=plan.steps), now)


def notice(menu: Menu, lines: tuple[str, ...], now: float) -> Menu:
    """Something to read, then back to the entries."""
    return _stay(replace(menu, screen=Screen.NOTICE, typed="", lines=lines), now)


# -- helpers ---------------------------------------------------------------------------------------------------------


def _stay(menu: Menu, now: float) -> Menu:
    return replace(menu, counting=False, deadline=now + IDLE)


def _main(menu: Menu, now: float) -> Menu:
    return _stay(replace(menu, screen=Screen.MAIN, chosen=Entry.NVR, user="", typed="", lines=()), now)


def _busy(menu: Menu, sentence: str) -> Menu:
    return replace(menu, screen=Screen.BUSY, lines=(sentence,))


def _leave(menu: Menu) -> Step:
    return replace(menu, screen=Screen.OVER, chosen=Entry.NVR, user="", typed="", lines=()), Effect.LEAVE
