"""A plan waits for drives that are being read, and not for ever."""

import asyncio

from raid.once_read import once_read
from raid.scene import Scene
from tests.unit.raid import worlds as w

READ = w.scene(w.world((w.disk(0, w.BLANK),)))
BEING_READ = w.scene(w.world((w.disk(0),)))


def test_it_waits_until_all_are_read() -> None:
    looks = iter([BEING_READ, BEING_READ, READ])

    def look() -> Scene:
        return next(looks)

    assert asyncio.run(once_read(look)) == READ


def test_one_that_hangs_is_not_waited_for() -> None:
    assert asyncio.run(once_read(lambda: BEING_READ, patience=0.3)) == BEING_READ
