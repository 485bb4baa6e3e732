"""policyd's heartbeat: when its silence counts."""

import asyncio

from core.clock import ManualClock
from hw.heartbeat import ASK_EVERY, SILENT_AFTER, START_GRACE, Heartbeat


class Menu:
    """A boot menu that a person stands at."""

    def __init__(self) -> None:
        self.shown = True
        self.asked = 0

    def __call__(self) -> bool:
        self.asked += 1
        return self.shown


def test_a_long_stay_in_the_boot_menu_is_no_silence() -> None:
    clock, menu = ManualClock(0.0, 100.0), Menu()
    heart = Heartbeat(clock, menu)
    for _ in range(60):
        clock.advance(ASK_EVERY)
        assert not heart.silent
        heart.wait_longer()
    menu.shown = False
    clock.advance(START_GRACE - 1)
    heart.wait_longer()
    assert not heart.silent, "policyd has its whole time once the menu is left"
    clock.advance(1)
    assert heart.silent, "and no longer"


def test_without_a_menu_the_time_begins_with_paneld() -> None:
    clock, menu = ManualClock(0.0, 100.0), Menu()
    menu.shown = False
    heart = Heartbeat(clock, menu)
    clock.advance(START_GRACE)
    heart.wait_longer()
    assert heart.silent


def test_after_its_first_word_no_menu_excuses_it() -> None:
    clock, menu = ManualClock(0.0, 100.0), Menu()
    heart = Heartbeat(clock, menu)
    heart.hear()
    clock.advance(SILENT_AFTER - 0.1)
    assert not heart.silent
    clock.advance(0.1)
    heart.wait_longer()
    assert heart.silent
    assert menu.asked == 0


def test_paneld_looks_when_it_falls_silent_and_when_it_speaks_again() -> None:
    clock, woken = ManualClock(0.0, 100.0), asyncio.Event()

    async def story() -> None:
        heart = Heartbeat(clock, lambda: False)
        clock.advance(START_GRACE)
        task = asyncio.create_task(heart.watch(woken.set))
        await asyncio.wait_for(woken.wait(), 5)
        assert heart.silent
        woken.clear()
        heart.hear()
        await asyncio.wait_for(woken.wait(), 5)
        assert not heart.silent
        task.cancel()

    asyncio.run(story())
