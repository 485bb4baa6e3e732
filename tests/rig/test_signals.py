"""Information LED, warning LED and beeper on a rack: what policyd and paneld do with them, and without each other."""

import contextlib
import itertools
import json

import pytest

from hw.model import InformationLight, Sound
from rig.daemons import open_alarms, panel
from rig.rack import Rack

pytestmark = [pytest.mark.rig]

RED, BLUE, WARNING = "panel:red:information", "panel:blue:information", "panel:amber:warning"


def cli(rack: Rack, *words: str) -> str:
    return rack.exec(["rackeye", *words], 30, check=True).stdout


def shows(rack: Rack, red: str, blue: str, warning: str, within: float = 20) -> None:
    wanted = {RED: red, BLUE: blue, WARNING: warning}

    def holds() -> bool:
        leds = rack.state()["leds"]
        return all(leds[name]["state"] == state for name, state in wanted.items())

    rack.wait_until(holds, within, str(wanted))


def now(rack: Rack) -> float:
    return float(rack.state()["monotonic"])


def long_tones(rack: Rack, since: float) -> int:
    """Tones of the alarm that came to their end."""
    return sum(end is not None and 0.9 < end - start < 1.1 for start, end in rack.tones(since))


def heard(rack: Rack, since: float, count: int) -> list[float]:
    """Waits for so many tones, then for the silence after them; their lengths."""
    rack.wait_until(lambda: len(rack.tones(since)) >= count, 30, f"{count} tones")
    rack.wait_until(lambda: panel(rack).beeper.code is None and not panel(rack).beeper.queue, 30, "the end")
    return [round((end or 0) - start, 2) for start, end in rack.tones(since)]


@pytest.fixture(scope="module")
def front(rack: Rack) -> Rack:
    """A rack on which all is quiet: policyd has said so once."""
    rack.wait_until(lambda: not panel(rack).problems, 30, "a panel without problems")
    rack.wait_until(lambda: not panel(rack).conditions.alarms, 30, "nothing to be heard")
    shows(rack, "off", "off", "off")
    return rack


@pytest.mark.parametrize("code", [1, 4, 5, 6, 7, 8])
def test_codes_are_counted_exactly(front: Rack, code: int) -> None:
    since = now(front)
    assert f"Beep code {code}" in cli(front, "beep", str(code))
    assert heard(front, since, code) == [0.2] * code


def test_codes_wait_for_each_other(front: Rack) -> None:
    since = now(front)
    for code in (1, 4):
        cli(front, "beep", str(code))
    assert heard(front, since, 5) == [0.2] * 5
    starts = [start for start, _ in front.tones(since)]
    assert starts[1] - starts[0] > 2, "two codes are not one"
    assert max(after - before for before, after in itertools.pairwise(starts[1:])) < 0.5


def test_a_count_that_means_nothing_is_refused(front: Rack) -> None:
    done = front.exec(["rackeye", "beep", "3"])
    assert done.rc == 1
    assert "There is no beep code 3" in done.stderr
    assert front.exec(["rackeye", "beep", "explain", "5"]).stdout.startswith("5 beeps: No console")


def test_overheat_is_red_and_heard_and_silence_lasts_until_something_new(front: Rack) -> None:
    since = now(front)
    with contextlib.ExitStack() as undo:
        undo.callback(front.set_temperature, 35)
        undo.callback(front.stop_fan, False)
        front.set_temperature(70)
        shows(front, "on", "off", "on")
        assert panel(front).information is InformationLight.OVERHEAT
        front.wait_until(lambda: long_tones(front, since) >= 3, 20, "three long tones")
        cli(front, "panel", "silence")
        quiet = now(front)
        front.wait_until(lambda: panel(front).beeper.sound is Sound.SILENT, 5, "silence")
        shows(front, "on", "off", "on")
        front.stop_fan()  # something new
        front.wait_until(lambda: long_tones(front, quiet) >= 1, 30, "the alarm again")
        shows(front, "on", "off", "on")  # overheat outranks the fan
        since = now(front)
        cli(front, "beep", "5")  # a code in the midst of it
        front.wait_until(lambda: sum(end is not None and end - start < 0.3 for start, end in front.tones(since)) == 5,
                         20, "five short tones")
        front.wait_until(lambda: long_tones(front, now(front) - 2.5) >= 1, 20, "then the alarm goes on")
        cli(front, "panel", "uid", "on")
        shows(front, "off", "blink 1.00 Hz", "on")
        cli(front, "panel", "uid", "off")
        front.set_temperature(35)
        shows(front, "blink 1.00 Hz", "off", "on", within=30)
        assert panel(front).information is InformationLight.FAN
    shows(front, "off", "off", "off", within=30)
    front.wait_until(lambda: panel(front).beeper.sound is Sound.SILENT, 10, "silence at the end")


def test_a_psu_is_a_quarter_of_a_hertz(front: Rack) -> None:
    """No sensor reads power supplies yet: policyd's word is given by hand, and it corrects it within 2 s."""
    front.sh("systemctl kill -s STOP rackeye-policyd")
    try:
        request = json.dumps({"conditions": {"psu": True}})
        name = "org.rackeye.Panel1"
        front.exec(
            ["busctl", "call", name, "/org/rackeye/Panel1", f"{name}.Admin", "SetConditions", "s", request], check=True
        )
        shows(front, "blink 0.25 Hz", "off", "on", within=5)
        assert panel(front).information is InformationLight.PSU
    finally:
        front.sh("systemctl kill -s CONT rackeye-policyd")
    shows(front, "off", "off", "off")


@pytest.mark.parametrize("how", ["hung", "gone"])
def test_policyd_hung_or_gone_is_noticed_in_5_s(front: Rack, how: str) -> None:
    front.wait_until(lambda: not panel(front).policy_silent, 20, "policyd is heard")
    since = now(front)
    if how == "hung":
        front.sh("systemctl kill -s STOP rackeye-policyd")
    else:
        front.sh("systemctl stop rackeye-policyd")
    try:
        shows(front, "off", "off", "on", within=10)
        lit = next(change["at"] for change in front.led_history(since) if change["led"] == WARNING)
        assert 2.5 < lit - since < 7.5, "5 s after its last word, which comes each 2 s"
        assert panel(front).policy_silent
        front.wait_until(lambda: long_tones(front, since) >= 2, 15, "the alarm")
        assert "policyd-silent" in panel(front).beeper.heard
    finally:
        front.sh("systemctl kill -s CONT rackeye-policyd; systemctl start rackeye-policyd", 60)
    shows(front, "off", "off", "off")
    front.wait_until(lambda: panel(front).beeper.sound is Sound.SILENT, 10, "silence")


def test_the_alarm_sounds_on_when_paneld_is_killed_and_paneld_takes_it_over(front: Rack) -> None:
    with contextlib.ExitStack() as undo:
        undo.callback(front.set_temperature, 35)
        front.set_temperature(70)
        front.wait_until(lambda: "ALARM-301" in open_alarms(front), 20, "the alarm")
        since = now(front)
        front.wait_until(lambda: long_tones(front, since) >= 1, 10, "a tone")
        front.sh("systemctl kill -s KILL --kill-whom=main rackeye-paneld")
        killed = now(front)
        front.wait_until(lambda: long_tones(front, killed) >= 2, 10, "the kernel plays on")
        front.wait_until(lambda: panel(front).beeper.sound is Sound.ALARM, 20, "paneld knows it")
    front.wait_until(lambda: panel(front).beeper.sound is Sound.SILENT, 30, "silence, said by the new paneld")


def test_a_lamp_test_lights_every_led(front: Rack) -> None:
    assert "Every LED is on for 10 s" in cli(front, "panel", "lamp-test")
    front.wait_until(lambda: {led["state"] for led in front.state()["leds"].values()} == {"on"}, 8, "all on")
    shows(front, "off", "off", "off")


def test_panel_show(front: Rack) -> None:
    said = cli(front, "panel", "show")
    assert "Information LED" in said
    document = json.loads(cli(front, "panel", "show", "--json"))
    assert document["panel"]["information"] == "OFF"
    assert document["panel"]["beeper"]["sound"] == "SILENT"
