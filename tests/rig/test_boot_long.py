"""The long tier: ten power cuts at random moments of a restore to default, ten of a switch to Failover Mode."""

import random

import pytest

from rig.rack import Rack
from tests.rig.boot_rig import VIDEO, make_video, open_menu, restore_with_a_cut, switch_with_a_cut, up

pytestmark = [
    pytest.mark.rig, pytest.mark.long, pytest.mark.rack(drives=3, consoles=1, menu_seconds=2, bay_mib=384),
]
MOMENTS = random.Random(20261121)


@pytest.mark.parametrize("seconds", [round(MOMENTS.uniform(0.05, 2.5), 2) for _ in range(10)])
def test_restore(rack: Rack, seconds: float, record_property: pytest.FixtureRequest) -> None:
    up(rack)
    if rack.exec(["test", "-e", VIDEO]).rc:
        make_video(rack)
    record_property("ended", restore_with_a_cut(rack, seconds))  # type: ignore[operator]


@pytest.mark.parametrize("seconds", [round(MOMENTS.uniform(0.0, 2.0), 2) for _ in range(10)])
def test_switch(rack: Rack, seconds: float, record_property: pytest.FixtureRequest) -> None:
    if rack.exec(["test", "-e", VIDEO]).rc == 0:
        clear(rack)
    record_property("ended", switch_with_a_cut(rack, seconds))  # type: ignore[operator]


def clear(rack: Rack) -> None:
    """New drives in all bays."""
    open_menu(rack)
    for bay in range(3):
        rack.pull(bay)
        rack.insert(bay)
