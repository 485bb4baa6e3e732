"""What the commands that only look print: pictures, tables, JSON; gone, stale and unknown parts."""

import json
from dataclasses import replace
from typing import Any

import pytest

from boot.failover import SENTENCE
from core.bus import Envelope
from core.errors import BadReply, BusMissing, DaemonGone
from hw.model import BayView, LampMode, LedView, PanelSnapshot, TrayLight
from nvr.alarms.model import Health, PolicySnapshot
from nvr.cli.client import FAILOVER, FAN, PANEL, POLICY, RAID, RECORDER, Answer
from nvr.cli.mode import BOX
from nvr.recorder.model import CameraState, CameraView, RecorderSnapshot
from raid.model import CheckResult, CheckVerdict, DriveState, RaidSnapshot, VdState
from tests.unit.nvr.cli.fakes import (
    ALARM,
    PANEL_GOOD,
    PANEL_PULLED,
    PULLED,
    RAID_GOOD,
    RECORDER_GOOD,
    REDUNDANT,
    FakeClient,
    client,
    drive,
    rackeye,
    virtual_drive,
)

LOOKS: tuple[tuple[str, ...], ...] = (
    ("status",), ("bay",), ("bay", "3"), ("drive",), ("drive", "show", "3"), ("vd",), ("vd", "show", "vd0"), ("check",),
    ("check", "show", "vd1"), ("camera",), ("camera", "show", "gate"), ("alarm",), ("alarm", "list", "--all"),
    ("health",),
)


def pulled(**other: Any) -> FakeClient:
    """Bay 2 was pulled and has another drive with data now."""
    made = client(**other)
    bad = PolicySnapshot(Health.CRITICAL, (ALARM,), (), {"rackeye-raidd": True})
    made.said |= {RAID.name: PULLED, PANEL.name: PANEL_PULLED, POLICY.name: bad}
    return made


def keys(value: Any) -> Any:
    """The shape of a document: tables by their keys, lists by the shape of what is in them."""
    if isinstance(value, dict):
        return {key: keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [keys(item) for item in value[:1]]
    return None


@pytest.mark.parametrize("words", LOOKS, ids=" ".join)
def test_every_look_ends_well_when_all_is_well(words: tuple[str, ...]) -> None:
    result = rackeye(client(), *words)
    assert (result.exit_code, result.stderr) == (0, "")
    document = json.loads(rackeye(client(), *words, "--json").stdout)
    assert list(document)[:2] == ["error", "now"]
    assert document["error"] is None


@pytest.mark.parametrize("words", LOOKS, ids=" ".join)
def test_no_look_says_good_when_nothing_answers(words: tuple[str, ...]) -> None:
    for said in ({}, {name: BadReply("Versions differ.") for name in client().said}):
        result = rackeye(client(said=said), *words)
        assert result.exit_code == (3 if words == ("health",) else 1)
        for good in ("Optimal", "Online", "OK", "Good", "No alarm", "PRESENT"):
            assert good not in result.stdout


@pytest.mark.parametrize("words", LOOKS, ids=" ".join)
def test_no_bus_is_one_sentence_and_a_hint(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    def no_bus(*_: object) -> None:
        raise BusMissing("The system bus cannot be reached.", hint="Start dbus.")

    monkeypatch.setattr(FakeClient, "look", no_bus)
    result = rackeye(client(), *words)
    if words == ("health",):
        assert result.exit_code == 3
        return
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "rackeye: The system bus cannot be reached.", "  Start dbus.", "  More: rackeye explain BUS-005",
    ]


def test_the_picture_stands_as_the_front_does() -> None:
    lines = rackeye(pulled(), "bay").stdout.splitlines()
    top, bottom = (next(line for line in lines if line.startswith(f"│ {bay} ")) for bay in (4, 0))
    assert [cell.split()[0] for cell in top.strip("│").split("│")] == ["4", "5", "6", "7"]
    assert [cell.split()[0] for cell in bottom.strip("│").split("│")] == ["0", "1", "2", "3"]
    assert bottom.split("│")[3].split() == ["2", "FAILED"]
    assert lines[lines.index(bottom) + 1].split("│")[3].strip() == "Foreign"
    assert max(map(len, lines[:8])) <= 80


def test_a_bay_with_a_missing_member_and_another_drive_tells_both() -> None:
    result = rackeye(pulled(), "bay", "2", "--json")
    (bay,) = json.loads(result.stdout)["bays"]
    assert (bay["state"], bay["serial"], bay["light"], bay["present"]) == ("Foreign", "OTHER", "FAILED", True)
    assert bay["detail"] == "It holds an ext4 file system. Missing: RACK 6TB SN2 of vd0."


def test_half_of_a_bay_is_unknown_while_one_daemon_is_gone() -> None:
    without_raid = client()
    del without_raid.said[RAID.name]
    result = rackeye(without_raid, "bay")
    assert result.exit_code == 1
    assert "org.rackeye.Raid1 is not running" in result.stderr
    assert "Online" not in result.stdout
    assert "???" in result.stdout
    assert "PRESENT" in result.stdout
    without_panel = client()
    del without_panel.said[PANEL.name]
    bays = json.loads(rackeye(without_panel, "bay", "--json").stdout)["bays"]
    assert [(bay["state"], bay["light"], bay["locate"]) for bay in bays] == [("Online", None, None)] * 8


def test_a_bay_that_nobody_knows_is_neither_empty_nor_good() -> None:
    views = (
        BayView(0, present=None), BayView(1, present=False, light=TrayLight.ABSENT),
        BayView(2, present=True, serial="X"),
    )
    some = client()
    some.said |= {PANEL.name: PanelSnapshot("p", front=((0, 1, 2),), bays=views), RAID.name: RaidSnapshot()}
    bays = json.loads(rackeye(some, "bay", "--json").stdout)["bays"]
    assert [(bay["state"], bay["serial"]) for bay in bays] == [("Unknown", None), ("Empty", None), ("Unknown", "X")]


def test_json_has_the_same_keys_whatever_is_known() -> None:
    nothing = client(said={POLICY.name: PolicySnapshot(Health.UNKNOWN, (), (), {})})
    full, empty = (json.loads(rackeye(who, "status", "--json").stdout) for who in (client(), nothing))
    assert list(full) == list(empty) == [
        "error", "now", "host", "box", "policy", "raid", "recorder", "failover", "panel", "fan"]
    assert full["failover"] is empty["failover"] is None
    for part in ("box", "policy", "raid", "recorder", "panel", "fan"):
        assert list(full[part]) == list(empty[part]) == ["generation", "at", "age", "stale", "gone", "data"]
    assert empty["raid"]["gone"]["code"] == "BUS-001"
    assert (empty["raid"]["data"], empty["raid"]["stale"]) == (None, True)
    good, bad = (json.loads(rackeye(who, "bay", "--json").stdout) for who in (client(), pulled()))
    assert keys(good) == {**keys(bad), "error": None}


def test_status_shows_the_rest_when_one_part_is_gone() -> None:
    some = pulled()
    del some.said[FAN.name]
    result = rackeye(some, "status")
    assert result.exit_code == 1
    for text in (
        "??? org.rackeye.Fan1 is not running. systemctl status says why. [BUS-001]", "Health Critical", "ALARM-101",
        "Rebuild 42 %, 120.0 MB/s, 1 h 05 min left", "Drives: 1 Foreign, 1 Missing, 7 Online", "Cameras: 1 recording",
        "Virtual rack, 8 bays: bays 1 failed, 7 present",
    ):
        assert text in result.stdout
    assert rackeye(client(), "status").exit_code == 0


def test_a_redundant_server_says_what_it_is_and_misses_no_recorder() -> None:
    result = rackeye(client(said=dict(REDUNDANT)), "status")
    assert (result.exit_code, result.stderr) == (0, "")
    for text in ("Failover Mode, version V0.1.0R", f"Waiting for a CMS. {SENTENCE}", "No virtual drive.\n"):
        assert text in result.stdout
    for text in ("Recorder", "Recording", "nothing is recorded", "???"):
        assert text not in result.stdout
    told = json.loads(rackeye(client(said=dict(REDUNDANT)), "status", "--json").stdout)
    assert (told["recorder"], told["failover"]["data"]["sentence"]) == (None, SENTENCE)
    assert (told["failover"]["gone"], told["box"]["data"]["mode"]) == (None, "Failover Mode")


def test_a_redundant_server_whose_service_is_gone_is_not_well() -> None:
    some = client(said={name: said for name, said in REDUNDANT.items() if name != FAILOVER.name})
    result = rackeye(some, "status")
    assert result.exit_code == 1
    assert "??? org.rackeye.Failover1 is not running." in result.stdout
    assert "Recorder1" not in result.stdout


def test_while_boxd_is_silent_the_failover_service_tells_the_mode() -> None:
    some = client(said={name: said for name, said in REDUNDANT.items() if name != BOX.name})
    result = rackeye(some, "status")
    assert result.exit_code == 1
    assert "??? org.rackeye.Box1 is not running." in result.stdout
    assert SENTENCE in result.stdout
    assert "Recorder1" not in result.stdout


def test_in_a_lamp_test_the_bays_are_not_unknown_but_an_led_that_cannot_be_read_is() -> None:
    bays = tuple(BayView(bay, present=True) for bay in (0, 1))
    leds = [LedView(f"bay{bay}:{role}", role, bay, LampMode.ON) for bay in (0, 1) for role in ("activity", "status")]
    leds[3] = replace(leds[3], lamp=None)
    leds += [LedView(f"panel:{role}", role, None, LampMode.ON) for role in ("information-red", "information-blue")]
    some = client()
    some.said[PANEL.name] = PanelSnapshot("p", "P", ((0, 1),), bays, lamp_test=True, leds=tuple(leds))
    assert "P: bays 1 ???, 1 all on; a lamp test is on" in rackeye(some, "status").stdout
    assert "red and blue" in rackeye(some, "panel").stdout


def test_what_only_paneld_knows_is_an_alarm_too() -> None:
    some = client()
    some.said[PANEL.name] = replace(PANEL_GOOD, policy_silent=True, restoring=True)
    for words in (("alarm",), ("status",)):
        shown = rackeye(some, *words).stdout
        assert "rackeye-policyd is silent: nobody watches over the chassis." in shown
        assert "Restore to default by the reset button begins within a minute." in shown
    assert "No alarm is open" not in rackeye(some, "alarm").stdout
    assert len(json.loads(rackeye(some, "alarm", "--json").stdout)["panel"]) == 2
    assert json.loads(rackeye(client(), "alarm", "--json").stdout)["panel"] == []


def test_figures_that_should_move_and_do_not_are_stale() -> None:
    old = pulled(old=95.0)
    text = rackeye(old, "vd").stdout
    assert "STALE: this is from 2027-01-15" in text
    assert "1 min 35 s ago. rackeye-raidd has said nothing new since." in text
    assert json.loads(rackeye(old, "vd", "--json").stdout)["raid"]["stale"] is True
    assert "STALE" in rackeye(old, "camera").stdout
    assert "STALE" not in rackeye(client(old=95.0), "vd").stdout  # nothing moves: no news is right
    assert "STALE" not in rackeye(pulled(old=60.0), "vd").stdout


def test_a_watch_shows_the_last_word_of_a_daemon_that_goes_as_stale() -> None:
    last = Answer(Envelope(3, 1_800_000_000.0 - 12, RAID_GOOD), DaemonGone("rackeye-raidd is not running."))
    watched = client(told=[{}, {}, {RAID.name: last}, {RAID.name: PULLED}])
    result = rackeye(watched, "vd", "--watch")
    assert result.exit_code == 0
    pictures = result.stdout.split("-- ")[1:]
    assert len(pictures) == 3  # the second was like the first
    assert "STALE" not in pictures[0]
    assert "12 s ago. rackeye-raidd is not running." in pictures[1]
    assert "Degraded" in pictures[2]


def test_a_watch_of_a_daemon_that_is_not_there_waits_for_it() -> None:
    watched = client(said={}, told=[{}, {RAID.name: RAID_GOOD}])
    assert "??? org.rackeye.Raid1 is not running." in rackeye(watched, "vd", "--watch").stdout
    watched = client(said={}, told=[{}, {RAID.name: RAID_GOOD}])
    lines = [json.loads(line) for line in rackeye(watched, "vd", "--watch", "--json").stdout.splitlines()]
    assert lines[0]["error"]["code"] == "BUS-001"
    assert [vd["name"] for vd in lines[1]["virtual_drives"]] == ["vd0", "vd1"]


def test_unknown_states_are_question_marks() -> None:
    unknown = RaidSnapshot(
        drives=(drive(0, DriveState.UNKNOWN, serial="", model="", size=0),),
        virtual_drives=(virtual_drive(0, state=VdState.UNKNOWN, size=0, bays=(0, None), mountpoint=None, device=None),),
    )
    some = client()
    some.said[RAID.name] = unknown
    row = rackeye(some, "drive").stdout.splitlines()[2].split()
    assert row == ["0", "???", "vd0", "0", "???", "???", "???", "/dev/sda"]
    assert rackeye(some, "vd").stdout.splitlines()[2].split()[:6] == ["vd0", "RAID5", "???", "???", "0", "???"]
    assert "1 ???" in rackeye(some, "status").stdout


def test_a_terminal_obeys_nothing_that_a_drive_or_camera_says() -> None:
    evil = "\x1b]0;owned\x07\x1b[2J[bold red]x[/]"
    some = client()
    some.said[RAID.name] = RaidSnapshot(drives=(drive(0, model=evil, serial=evil, detail=evil),))
    camera = CameraView("gate", "rtsp://x/" + evil, CameraState.REFUSED, detail=evil)
    some.said[RECORDER.name] = RecorderSnapshot((camera,))
    for words in (("drive",), ("drive", "show", "0"), ("bay",), ("camera",), ("camera", "show", "gate"), ("status",)):
        text = rackeye(some, *words).output
        assert "\x1b" not in text
        assert "\x07" not in text
    assert "[bold red]x[/]" in rackeye(some, "drive").output


def test_a_check_names_the_exact_stripes() -> None:
    result = CheckResult("vd0", CheckVerdict.WRONG, 1_799_999_000.0, 5000, (17, 23), 4, "The parity disagrees.")
    some = client()
    some.said[RAID.name] = replace(RAID_GOOD, checks=(result,))
    text = rackeye(some, "check", "show", "vd0").stdout
    assert "Wrong stripes      17, 23 and 2 more" in text
    checks = json.loads(rackeye(some, "check", "--json").stdout)["checks"]
    assert checks[0]["last"]["wrong"] == [17, 23]
    assert checks[1] == {"vd": "vd1", "running": None, "last": None, "next": None}


def test_cameras_say_where_how_fast_and_how_long_ago() -> None:
    row = rackeye(client(), "camera").stdout.splitlines()[2]
    assert row.split() == [
        "gate", "recording", "vd0", "1920x1080", "4.1", "Mbit/s", "1", "s", "ago", "none",
    ]
    assert "rtsp://10.0.0.7/main" in rackeye(client(), "camera", "show", "gate").stdout
    none = client()
    none.said[RECORDER.name] = replace(RECORDER_GOOD, volumes=(), problems=("No volume.",))
    text = rackeye(none, "camera").stdout
    assert "No recording volume: nothing is recorded." in text
    assert "Problem: No volume." in text


def test_an_alarm_tells_what_to_do() -> None:
    text = rackeye(pulled(), "alarm", "show", "12").stdout
    for part in ("Put a blank drive into bay 2.", "rackeye explain ALARM-101", "not yet", "SN2"):
        assert part in text
    missing = rackeye(pulled(), "alarm", "show", "99")
    assert missing.exit_code == 1
    assert "ALARM-001" in missing.stderr
    silent = client()
    silent.said[POLICY.name] = PolicySnapshot(Health.UNKNOWN, (), (), {"rackeye-raidd": False})
    text = rackeye(silent, "alarm").stdout
    assert "rackeye-raidd does not answer: what it watches is unknown." in text
    assert "No alarm is open." not in text


def test_what_is_not_there_is_said_with_what_is() -> None:
    for words, text in (
        (("vd", "show", "vd9"), "There is no virtual drive vd9; there is: vd0, vd1."),
        (("bay", "9"), "There is no bay 9; there is: 0, 1, 2, 3, 4, 5, 6, 7."),
        (("drive", "show", "9"), "No drive is known in bay 9; drives are in: 0, 1, 2, 3, 4, 5, 6, 7."),
    ):
        result = rackeye(client(), *words)
        assert result.exit_code == 1
        assert text in result.stderr
        assert json.loads(rackeye(client(), *words, "--json").stdout)["error"]["sentence"] == text
