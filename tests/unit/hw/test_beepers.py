"""The drivers of beepers: the LED class against the model of the kernel's trigger, evdev by the bytes it writes."""

import os
import struct
import threading
import time
from pathlib import Path

import pytest

from core.errors import BeeperGone
from hw.beeps import ALARM, CODES, Tune, code_tune
from hw.drivers.beepers import EvdevBeeper, PatternBeeper
from hw.model import Sound
from rig.guest.beeper import Beeper


class Clock:
    """Time by hand, in seconds."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Files:
    """The model as files."""

    def __init__(self, beeper: Beeper) -> None:
        self.beeper = beeper

    def get(self, name: str, attribute: str) -> str:  # noqa: ARG002 -- the driver's shape
        return self.beeper.read(attribute).strip()

    def put(self, name: str, attribute: str, value: str) -> None:  # noqa: ARG002
        self.beeper.write(attribute, value)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def model(clock: Clock) -> Beeper:
    return Beeper("panel::beeper", clock)


@pytest.fixture
def driver(model: Beeper) -> PatternBeeper:
    return PatternBeeper(Files(model), model.name)


@pytest.mark.parametrize("code", CODES)
def test_codes_are_counted_exactly_by_the_kernel(driver: PatternBeeper, model: Beeper, clock: Clock, code: int) -> None:
    driver.play(code_tune(code, after_alarm=False))
    clock.now += 3600
    tones = model.tones()
    assert len(tones) == code
    assert {round((tone.end or 0) - tone.start, 6) for tone in tones} == {0.2}
    assert tones[0].start == 100.0
    assert driver.sound() is Sound.CODE
    driver.hush()
    assert driver.sound() is Sound.SILENT


def test_an_alarm_goes_on_until_it_is_silenced(driver: PatternBeeper, model: Beeper, clock: Clock) -> None:
    driver.play(ALARM)
    clock.now += 15
    assert driver.sound() is Sound.ALARM
    assert len(model.tones()) == 11  # one each 1.5 s, the eleventh has just begun
    driver.hush()
    clock.now += 15
    assert len(model.tones()) == 11
    assert driver.sound() is Sound.SILENT


def test_a_code_follows_an_alarm_after_a_silence(driver: PatternBeeper, model: Beeper, clock: Clock) -> None:
    driver.play(ALARM)
    clock.now += 0.5
    driver.play(code_tune(5, after_alarm=True))
    clock.now += 60
    first, *rest = model.tones()
    assert (first.end, rest[0].start, len(rest)) == (100.5, 102.5, 5)


def test_what_another_hand_set_is_not_ours(driver: PatternBeeper, model: Beeper) -> None:
    model.write("brightness", "1")
    assert driver.sound() is Sound.OTHER
    model.write("trigger", "pattern")
    model.write("pattern", "1 50 1 0 0 50 0 0")
    assert driver.sound() is Sound.OTHER


def test_a_beeper_that_is_gone_says_so(driver: PatternBeeper) -> None:
    gone = PatternBeeper(Files(Beeper("x")), "x")
    gone.files.put = lambda *_: (_ for _ in ()).throw(OSError("gone"))  # type: ignore[method-assign]
    with pytest.raises(BeeperGone, match="cannot be set"):
        gone.play(ALARM)


EVENT = struct.Struct("@llHHi")


@pytest.fixture
def input_device(tmp_path: Path) -> Path:
    """An input device as the kernel shows it; its node is a pipe that can be read."""
    for number, name in enumerate(("Power Button", "PC Speaker")):
        device = tmp_path / f"sys/class/input/event{number}/device"
        device.mkdir(parents=True)
        (device / "name").write_text(name + "\n")
    (tmp_path / "dev/input").mkdir(parents=True)
    os.mkfifo(tmp_path / "dev/input/event1")
    return tmp_path


def sounds(data: bytes) -> list[int]:
    """Values of SND_TONE; each must be followed by a SYN."""
    events = list(EVENT.iter_unpack(data))
    assert {event[2:] for event in events[1::2]} <= {(0, 0, 0)}
    assert {event[2:4] for event in events[0::2]} <= {(0x12, 0x02)}
    return [event[4] for event in events[0::2]]


def test_evdev_writes_tones_and_ends_them(input_device: Path) -> None:
    heard = os.open(input_device / "dev/input/event1", os.O_RDONLY | os.O_NONBLOCK)
    beeper = EvdevBeeper("PC Speaker", input_device / "sys", input_device / "dev")
    assert beeper.sound() is Sound.OTHER, "it is not known what a predecessor left on"
    beeper.play(Tune(((True, 1), (False, 1)) * 5))
    deadline = time.monotonic() + 5
    while any(thread.name.endswith("(_perform)") for thread in threading.enumerate()) and time.monotonic() < deadline:
        threading.Event().wait(0.005)
    assert sounds(os.read(heard, 65536)) == [2400, 0] * 5 + [0]
    beeper.play(ALARM)
    assert beeper.sound() is Sound.ALARM
    beeper.hush()
    assert sounds(os.read(heard, 65536)) == [2400, 0, 0]
    assert beeper.sound() is Sound.SILENT
    os.close(heard)


def test_evdev_without_the_device(tmp_path: Path) -> None:
    with pytest.raises(BeeperGone, match="no input device 'PC Speaker'"):
        EvdevBeeper("PC Speaker", tmp_path, tmp_path).hush()
