import itertools

import pytest

from hw.leds import ACTIVITY_RATES, OFF, ON, STATUS_RATES, TRAY, Lamp, LampMode, Tray, blink, light_shown, tray_light
from hw.model import TrayCondition, TrayLight

NONE, FAILED, REBUILD = TrayCondition.NONE, TrayCondition.FAILED, TrayCondition.REBUILD


def test_the_table_of_the_spec() -> None:
    table = {
        TrayLight.ABSENT: Tray(OFF, OFF),
        TrayLight.PRESENT: Tray(ON, OFF),
        TrayLight.ACTIVE: Tray(blink(4), OFF),
        TrayLight.LOCATE: Tray(OFF, blink(4)),
        TrayLight.FAILED: Tray(OFF, ON),
        TrayLight.REBUILD: Tray(OFF, blink(1)),
    }
    assert table == TRAY
    assert ACTIVITY_RATES == (4.0,)
    assert STATUS_RATES == (1.0, 4.0)


@pytest.mark.parametrize(
    ("present", "active", "locate", "condition", "light"),
    [
        (False, False, False, NONE, TrayLight.ABSENT),
        (True, False, False, NONE, TrayLight.PRESENT),
        (True, True, False, NONE, TrayLight.ACTIVE),
        (True, True, False, REBUILD, TrayLight.REBUILD),
        (True, True, False, FAILED, TrayLight.FAILED),
        (False, False, False, FAILED, TrayLight.FAILED),
        (False, False, False, REBUILD, TrayLight.REBUILD),
        (False, False, True, NONE, TrayLight.LOCATE),
        (True, True, True, FAILED, TrayLight.LOCATE),
        (True, True, True, REBUILD, TrayLight.LOCATE),
    ],
)
def test_light(present: bool, active: bool, locate: bool, condition: TrayCondition, light: TrayLight) -> None:
    assert tray_light(present=present, active=active, locate=locate, condition=condition) is light


def test_every_light_is_told_apart() -> None:
    for light, tray in TRAY.items():
        assert light_shown(tray.activity, tray.status) is light
    for one, other in itertools.combinations(TRAY.values(), 2):
        assert not (one.activity.agrees(other.activity) and one.status.agrees(other.status))


@pytest.mark.parametrize(("hz", "same"), [(4.0, True), (3.81, True), (3.77, True), (3.75, False), (4.3, False)])
def test_rates_hold_to_six_per_cent(hz: float, same: bool) -> None:
    assert blink(4).agrees(blink(hz)) is same


def test_what_we_never_set_is_no_light() -> None:
    other = Lamp(LampMode.OTHER)
    assert not other.agrees(other)
    assert light_shown(other, OFF) is None
    assert light_shown(None, ON) is None
    assert light_shown(ON, ON) is None
