"""The simulated LED against the kernel's rules (led-class.c, ledtrig-timer.c)."""

import errno

import pytest

from rig.guest.leds import Led, LedBook


class Clock:
    """Time by hand, in seconds."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book() -> LedBook:
    return LedBook()


@pytest.fixture
def led(clock: Clock, book: LedBook) -> Led:
    return Led("bay0:amber:status", book, clock)


def test_starts_dark_without_delays(led: Led) -> None:
    assert led.state == "off"
    assert led.read("trigger") == "[none] timer\n"
    assert led.attributes == ("brightness", "max_brightness", "trigger")
    with pytest.raises(OSError, match="delay_on") as error:
        led.read("delay_on")
    assert error.value.errno == errno.ENOENT


def test_timer_starts_at_one_hertz_lit(led: Led, clock: Clock) -> None:
    led.write("trigger", "timer\n")
    assert led.state == "blink 1.00 Hz"
    assert led.read("brightness") == "1\n"
    clock.now += 0.6
    assert led.read("brightness") == "0\n"
    clock.now += 0.5
    assert led.read("brightness") == "1\n"


def test_rate_comes_from_both_delays(led: Led) -> None:
    led.write("trigger", "timer")
    led.write("delay_on", "125")
    led.write("delay_off", "125")
    assert led.state == "blink 4.00 Hz"


@pytest.mark.parametrize(("name", "expected"), [("delay_on", "off"), ("delay_off", "on")])
def test_one_delay_zero_is_steady(led: Led, name: str, expected: str) -> None:
    led.write("trigger", "timer")
    led.write(name, "0")
    assert led.state == expected


def test_brightness_zero_ends_the_trigger_and_one_does_not(led: Led) -> None:
    led.write("trigger", "timer")
    led.write("brightness", "1")
    assert led.state == "blink 1.00 Hz"
    led.write("brightness", "0")
    assert led.read("trigger") == "[none] timer\n"
    assert led.state == "off"


def test_trigger_none_darkens(led: Led) -> None:
    led.write("brightness", "1")
    led.write("trigger", "timer")
    led.write("trigger", "none")
    assert led.state == "off"


@pytest.mark.parametrize(
    ("attribute", "text", "number"),
    [
        ("brightness", "x", errno.EINVAL),
        ("brightness", "-1", errno.EINVAL),
        ("trigger", "heartbeat", errno.EINVAL),
        ("max_brightness", "1", errno.EACCES),
        ("delay_on", "1", errno.ENOENT),
    ],
)
def test_refuses_as_the_kernel(led: Led, attribute: str, text: str, number: int) -> None:
    with pytest.raises(OSError) as error:  # noqa: PT011 -- its number is looked at
        led.write(attribute, text)
    assert error.value.errno == number


def test_book_has_each_change_once_with_its_time(led: Led, clock: Clock, book: LedBook) -> None:
    led.write("brightness", "1")
    clock.now = 101.5
    led.write("brightness", "1")
    led.write("brightness", "0")
    assert [(change.at, change.state) for change in book.changes] == [(100.0, "on"), (101.5, "off")]
    assert led.since == 101.5
