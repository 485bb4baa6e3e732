"""The simulated hwmon chip."""

import errno

import pytest

from rig.guest.climate import FULL_SPEED, Climate


class Clock:
    """Time by hand, in seconds."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def value(climate: Climate, attribute: str) -> int:
    return int(climate.read(attribute))


def test_temperature_glides() -> None:
    clock = Clock()
    climate = Climate(clock)
    climate.set_temperature(70)
    assert value(climate, "temp1_input") == 35_000
    clock.now = 1.5
    assert 55_000 < value(climate, "temp1_input") < 60_000
    clock.now = 30.0
    assert value(climate, "temp1_input") == 70_000


def test_fan_follows_pwm_and_a_block() -> None:
    clock = Clock()
    climate = Climate(clock)
    climate.write("pwm1", "255\n")
    clock.now = 20.0
    assert value(climate, "fan1_input") == FULL_SPEED
    climate.stop_fan(True)
    climate.write("pwm1", "200")
    clock.now = 40.0
    assert value(climate, "fan1_input") == 0
    climate.stop_fan(False)
    climate.write("pwm1_enable", "0")  # the chip's own full speed
    clock.now = 60.0
    assert value(climate, "fan1_input") == FULL_SPEED


@pytest.mark.parametrize(
    ("attribute", "text", "number"),
    [
        ("pwm1", "256", errno.EINVAL),
        ("pwm1", "fast", errno.EINVAL),
        ("pwm1_enable", "2", errno.EINVAL),
        ("temp1_input", "1", errno.EACCES),
    ],
)
def test_refuses_as_the_kernel(attribute: str, text: str, number: int) -> None:
    with pytest.raises(OSError) as error:  # noqa: PT011 -- its number is looked at
        Climate(Clock()).write(attribute, text)
    assert error.value.errno == number


def test_every_file_reads() -> None:
    climate = Climate(Clock())
    assert all(climate.read(name).endswith("\n") for name in climate.attributes)
    with pytest.raises(OSError, match="fan2"):
        climate.read("fan2_input")
