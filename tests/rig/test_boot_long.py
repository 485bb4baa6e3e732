"""The long tier: ten power cuts at random moments of a restore to default, ten of a switch to Failover Mode."""

import random
import time

import pytest

from boot.model import Mode
from hw.heartbeat import START_GRACE
from rig.rack import Rack
from tests.rig.boot_rig import (
    VIDEO,
    at_menu,
    back_to_standard,
    make_video,
    open_menu,
    restore_with_a_cut,
    state_of,
    switch_with_a_cut,
    up,
)

pytestmark = [
    pytest.mark.rig, pytest.mark.long, pytest.mark.rack(drives=3, consoles=1, menu_seconds=2, bay_mib=384),
]
MOMENTS = random.Random(20261121)


def video(rack: Rack) -> str:
    """The sum of the video, once its volume is mounted."""
    rack.wait_until(lambda: rack.sh(f"test -e {VIDEO}; echo yes"), 120, "the volume")
    return rack.sh(f"sha256sum {VIDEO}")


@pytest.fixture(scope="module")
def made(rack: Rack) -> str:
    """The sum of the video as it was made."""
    up(rack)
    make_video(rack)
    return video(rack)


@pytest.mark.parametrize("seconds", [round(MOMENTS.uniform(0.05, 2.5), 2) for _ in range(10)])
def test_restore(rack: Rack, made: str, seconds: float, record_property: pytest.FixtureRequest) -> None:
    record_property("ended", restore_with_a_cut(rack, seconds))  # type: ignore[operator]
    rack.console().send("0\r")
    up(rack)
    assert video(rack) == made


@pytest.fixture(scope="module")
def clear(rack: Rack) -> None:
    """New drives in all bays, and the factory's settings."""
    at_menu(rack)
    rack.sh("rm -f /var/lib/rackeye/settings.toml")
    for bay in range(3):
        rack.pull(bay)
        rack.insert(bay)


@pytest.mark.parametrize("seconds", [round(MOMENTS.uniform(0.0, 2.0), 2) for _ in range(10)])
@pytest.mark.usefixtures("clear")
def test_switch(rack: Rack, seconds: float, record_property: pytest.FixtureRequest) -> None:
    mode = switch_with_a_cut(rack, seconds)
    record_property("ended", mode)  # type: ignore[operator]
    rack.console().send("0\r")
    target = "failover.target" if mode is Mode.FAILOVER else "nvr.target"
    rack.wait_until(lambda: state_of(rack, target) == "active", 180, f"all of {target}")
    assert up(rack).mode is mode
    open_menu(rack)
    if mode is Mode.FAILOVER:
        back_to_standard(rack)


def test_a_long_stay_in_the_menu_is_no_alarm(rack: Rack) -> None:
    """Longer than paneld gives policyd: nobody has started it yet."""
    open_menu(rack)
    rack.wait_until(lambda: state_of(rack, "rackeye-paneld") == "active", 60, "paneld")
    began = float(rack.state()["monotonic"])
    rack.console().send("3")  # the menu leaves by itself after a minute without a key
    time.sleep(START_GRACE / 2)
    rack.console().send("0")
    time.sleep(START_GRACE / 2 + 15)
    assert state_of(rack, "rackeye-boot-menu") == "activating"
    assert state_of(rack, "rackeye-policyd") == "inactive"
    assert rack.tones(began) == []
    assert rack.led("panel:amber:warning") == "off"
