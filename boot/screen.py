"""What the menu looks like: lines of text, the last of which is where the person types. Pure."""

import math
import textwrap
from typing import assert_never

from boot.erase import PHRASE
from boot.menu import Entry, Menu, Screen
from boot.model import Mode
from boot.restore import GOES, STAYS

WIDTH = 76


def title(entry: Entry, mode: Mode) -> str:
    """An entry as it is read on the screen."""
    match entry:
        case Entry.NVR:
            return "Enter NVR (failover)" if mode is Mode.FAILOVER else "Enter NVR"
        case Entry.RESTORE:
            return "Restore to default"
        case Entry.REBOOT:
            return "Reboot"
        case Entry.SHUTDOWN:
            return "Shutdown"
        case Entry.FAILOVER:
            return "Failover Mode"
        case _:
            assert_never(entry)


def draw(menu: Menu, now: float) -> tuple[str, ...]:
    """The whole screen, 80 columns at most."""
    head = f"Rackeye {menu.version}"
    body = [head + menu.mode.value.rjust(WIDTH - len(head)), "-" * WIDTH, ""]
    if menu.screen is Screen.MAIN:
        body += [*_wrapped(menu.lines), *([""] if menu.lines else [])]
        body += [
            f"{'  >' if entry is menu.chosen else '   '} {entry.value}  {title(entry, menu.mode)}"
            for entry in menu.entries
        ]
    else:
        body += _wrapped(menu.lines or _about(menu))
    return (*body, "", _prompt(menu, now))


def _about(menu: Menu) -> tuple[str, ...]:
    name = title(menu.chosen, menu.mode)
    match menu.screen:
        case Screen.CONFIRM:
            return (f"{name}: recording has not started yet.",)
        case Screen.USER | Screen.PASSWORD:
            return (f"{name} needs an administrator of this appliance.",)
        case Screen.RESTORE:
            return (f"{name}.", f"Goes: {GOES}.", f"Stays: {STAYS}.",
                    "Then the appliance reboots, in Standard Mode. The factory's account is admin, password admin.",
                    f"To lose all video, too, type in full: {PHRASE}")
        case Screen.ERASE:
            return (f"{name}, and all recordings of all volumes are erased. Nobody can bring them back.",
                    "Virtual drives and drive groups stay.")
        case _:
            return ()


def _prompt(menu: Menu, now: float) -> str:
    left = max(0, math.ceil(menu.deadline - now))
    name = title(menu.chosen, menu.mode)
    main = "Arrows or a digit choose, Enter confirms."
    if menu.counting:
        main = f"{title(Entry.NVR, menu.mode)} in {left} s. Any key stops the countdown."
    return {
        Screen.MAIN: main,
        Screen.CONFIRM: f"{name}? y and Enter for yes: {menu.typed}",
        Screen.USER: f"User name: {menu.typed}",
        Screen.PASSWORD: f"Password of {menu.user}: {'*' * len(menu.typed)}",
        Screen.DELAY: f"Please wait {left} s.",
        Screen.RESTORE: f"Restore now? y and Enter for yes: {menu.typed}",
        Screen.ERASE: f"Erase all recordings? y and Enter for yes: {menu.typed}",
        Screen.SWITCH: f"This is one-way. Switch to Failover Mode? y and Enter for yes: {menu.typed}",
        Screen.NOTICE: "Any key goes back to the menu.",
        Screen.BUSY: "Please wait.",
        Screen.OVER: f"{title(Entry.NVR, menu.mode)}.",
    }[menu.screen]


def _wrapped(lines: tuple[str, ...]) -> list[str]:
    return [part for line in lines for part in (textwrap.wrap(line, WIDTH, subsequent_indent="  ") or [""])]
