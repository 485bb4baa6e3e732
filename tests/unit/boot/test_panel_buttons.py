"""boxd and the chassis' buttons: which press is acted on, and that it is once."""

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
    paths = Paths(tmp_path)
    paths.run.mkdir(parents=True)
    pressed = (Press(Asked.REBOOT, 99.0),)
    done = [PanelButtons(paths, ManualClock(0.0, 100.0)).take(pressed) for _ in range(2)]
    assert done == [Asked.REBOOT, None]
    assert PanelButtons(paths, ManualClock(0.0, 100.0 + FRESH)).missed(pressed) == ""


def test_a_press_that_nobody_heard_in_time_is_told_once(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.run.mkdir(parents=True)
    pressed = (Press(Asked.SHUTDOWN, 60.0),)
    clock = ManualClock(0.0, 60.0 + FRESH)
    early = PanelButtons(paths, clock)
    assert early.take(pressed) is Asked.SHUTDOWN  # the last moment
    (paths.run / "box-buttons").unlink()
    clock.advance(0.5)
    late = PanelButtons(paths, clock)
    assert late.take(pressed) is None
    assert "asked for shutdown, 30 s before anything could hear it" in late.missed(pressed)
    assert late.missed(pressed) == ""


def test_what_cannot_be_noted_is_done_all_the_same(tmp_path: Path) -> None:
    pressed = (Press(Asked.SHUTDOWN, 99.0),)
    (tmp_path / "run").write_text("no folder")
    assert PanelButtons(Paths(tmp_path), ManualClock(0.0, 100.0)).take(pressed) is Asked.SHUTDOWN
