"""boxd and the chassis' buttons: which press is acted on, and that it is once."""

import asyncio
from pathlib import Path

import pytest

from boot.panel_buttons import FRESH, Asked, PanelButtons, Press, wanted
from core.clock import ManualClock
from core.paths import Paths
from hw.model import ButtonAct


def test_both_rooms_use_the_same_words() -> None:
    assert {one.value for one in Asked} == {one.value for one in ButtonAct}


@pytest.mark.parametrize(
    ("pressed", "done", "acted"),
    [
        ((), 0.0, None),
        ((Press(Asked.SHUTDOWN, 99.0),), 0.0, Asked.SHUTDOWN),
        ((Press(Asked.SHUTDOWN, 99.0),), 99.0, None),
        ((Press(Asked.REBOOT, 100.0 - FRESH - 1),), 0.0, None),  # who pressed has gone
        ((Press(Asked.RESTORE, 1.0),), 0.0, Asked.RESTORE),  # somebody stood at the boot menu meanwhile
        ((Press(Asked.RESTORE, 98.0), Press(Asked.SHUTDOWN, 99.0)), 0.0, Asked.RESTORE),
        ((Press(Asked.REBOOT, 98.0), Press(Asked.OFF, 99.0)), 0.0, Asked.OFF),
        ((Press(Asked.REBOOT, 101.0),), 0.0, None),  # not of this start
    ],
)
def test_which_press_is_acted_on(pressed: tuple[Press, ...], done: float, acted: Asked | None) -> None:
    press = wanted(pressed, done, 100.0)
    assert (press and press.act) == acted


def test_a_restart_of_boxd_does_not_do_it_again(tmp_path: Path) -> None:
    done: list[Asked] = []

    async def act(asked: Asked) -> None:
        done.append(asked)

    paths = Paths(tmp_path)
    paths.run.mkdir(parents=True)
    for _ in range(2):
        buttons = PanelButtons(paths, ManualClock(0.0, 100.0), act)
        asyncio.run(buttons.hear((Press(Asked.REBOOT, 99.0),)))
    assert done == [Asked.REBOOT]
