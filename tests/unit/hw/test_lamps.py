"""What the LEDs show between two looks: on files as the kernel's, without a kernel that would blink them."""

from pathlib import Path

import pytest

from core.errors import LedGone
from core.paths import Paths
from hw import profile
from hw.lamps import Lamps
from hw.leds import OFF, ON
from hw.panel import all_leds
from hw.profile import InForce

RACK = profile.load("virtual-8", Paths())
AMBER = RACK.bays[2].status


@pytest.fixture
def chassis(tmp_path: Path) -> InForce:
    for led, _, _ in all_leds(RACK):
        folder = tmp_path / "class/leds" / led.name
        folder.mkdir(parents=True)
        for name, text in (("trigger", "[none] timer"), ("brightness", "0"), ("max_brightness", "255")):
            (folder / name).write_text(text)
    return InForce(RACK, tmp_path)


def test_what_was_set_counts_until_a_look_has_read_it(chassis: InForce) -> None:
    lamps = Lamps()
    assert AMBER is not None
    look, problems = lamps.read(chassis)
    assert problems == ()
    assert look[AMBER.name] == OFF
    lamps.write(chassis, AMBER, ON)
    assert lamps.now(look) == look | {AMBER.name: ON}
    assert lamps.now({}) == {}, "what a look could not read is not known"
    assert lamps.read(chassis)[0][AMBER.name] == ON
    assert lamps.now(look) == look, "an older look is not changed by what a newer one knows"


def test_what_could_not_be_set_is_not_known(chassis: InForce) -> None:
    lamps = Lamps()
    assert AMBER is not None
    look, _ = lamps.read(chassis)
    lamps.write(chassis, AMBER, ON)
    for file in (chassis.sysfs / "class/leds" / AMBER.name).iterdir():
        file.unlink()
    with pytest.raises(LedGone):
        lamps.write(chassis, AMBER, OFF)
    assert lamps.now(look) == look
    known, problems = lamps.read(chassis)
    assert AMBER.name not in known
    assert len(problems) == 1
