from pathlib import Path

import pytest

from core.errors import LedGone, LedStuck
from hw.drivers.sysfs_led import SysfsFiles, SysfsLeds
from hw.leds import OFF, ON, Lamp, LampMode, blink
from tests.unit.hw.kernel_leds import KernelLed, KernelLeds

BLINKING = KernelLed(trigger="timer", delay_on=500, delay_off=500)


@pytest.mark.parametrize(
    ("before", "lamp", "writes"),
    [
        (KernelLed(), ON, ["a/brightness=255"]),
        (KernelLed(max_brightness=1), ON, ["a/brightness=1"]),
        (KernelLed(brightness=255), OFF, ["a/brightness=0"]),
        (KernelLed(), blink(4), ["a/trigger=timer", "a/delay_on=125", "a/delay_off=125"]),
        (KernelLed(), blink(1), ["a/trigger=timer", "a/delay_on=500", "a/delay_off=500"]),
        (KernelLed(trigger="heartbeat"), blink(0.25), ["a/trigger=timer", "a/delay_on=2000", "a/delay_off=2000"]),
        (BLINKING, blink(4), ["a/delay_on=125", "a/delay_off=125"]),
        (BLINKING, ON, ["a/trigger=none", "a/brightness=255"]),
        (BLINKING, OFF, ["a/trigger=none", "a/brightness=0"]),
        (KernelLed(trigger="heartbeat"), OFF, ["a/trigger=none", "a/brightness=0"]),
    ],
)
def test_order_of_writes_and_what_is_read_back(before: KernelLed, lamp: Lamp, writes: list[str]) -> None:
    files = KernelLeds({"a": KernelLed(**vars(before))})
    leds = SysfsLeds(files)
    leds.write("a", lamp)
    assert files.writes == writes
    assert leds.read("a") == lamp


@pytest.mark.parametrize(
    ("led", "lamp"),
    [
        (KernelLed(), OFF),
        (KernelLed(brightness=3), ON),
        (KernelLed(trigger="heartbeat", brightness=255), Lamp(LampMode.OTHER)),
        (KernelLed(trigger="timer", delay_on=0, delay_off=500), OFF),
        (KernelLed(trigger="timer", delay_on=500, delay_off=0), ON),
        (KernelLed(trigger="timer", delay_on=100, delay_off=900), Lamp(LampMode.OTHER)),
        (KernelLed(trigger="timer", delay_on=131, delay_off=131), blink(1000 / 262)),
    ],
)
def test_what_is_read(led: KernelLed, lamp: Lamp) -> None:
    assert SysfsLeds(KernelLeds({"a": led})).read("a") == lamp


def test_an_off_of_the_kernel_that_comes_late_is_mended_by_a_second_write() -> None:
    files = KernelLeds({"a": KernelLed()}, lost_writes=1)
    SysfsLeds(files).write("a", ON)
    assert files.writes == ["a/brightness=255"] * 2


def test_an_led_that_takes_nothing_is_said() -> None:
    files = KernelLeds({"a": KernelLed()}, lost_writes=99)
    with pytest.raises(LedStuck, match="LED a was set to on and reads off"):
        SysfsLeds(files).write("a", ON)


def test_no_timer_trigger_in_the_kernel() -> None:
    with pytest.raises(LedGone, match="timer: Invalid argument"):
        SysfsLeds(KernelLeds({"a": KernelLed()}, triggers=("none",))).write("a", blink(4))


def test_a_gone_led_is_named_and_its_file_is_not_made(tmp_path: Path) -> None:
    files = SysfsFiles(tmp_path)
    with pytest.raises(LedGone, match="LED bay1:amber:status cannot be read: trigger: No such file"):
        files.get("bay1:amber:status", "trigger")
    (tmp_path / "class/leds/bay1:amber:status").mkdir(parents=True)
    with pytest.raises(LedGone, match="cannot be set: brightness to 1: No such file"):
        files.put("bay1:amber:status", "brightness", "1")
    assert not list((tmp_path / "class/leds/bay1:amber:status").iterdir())


def test_garbage_in_an_attribute_is_said(tmp_path: Path) -> None:
    led = tmp_path / "class/leds/a"
    led.mkdir(parents=True)
    (led / "trigger").write_text("[none] timer\n")
    (led / "brightness").write_bytes(b"\xff\xfe\n")
    with pytest.raises(LedGone, match="which is no number"):
        SysfsLeds(SysfsFiles(tmp_path)).read("a")
