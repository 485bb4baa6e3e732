from pathlib import Path

import pytest

from core.errors import BayUnknown, BayWithoutLeds
from core.paths import Paths
from hw import panel, paneld, profile
from hw.bays import Occupant
from hw.chassis import Bay, Match, Profile
from hw.leds import OFF, ON, Lamp, blink
from hw.model import LocateRequest, TrayCondition, TrayLight
from hw.panel import PanelLook, PanelMemory, SetLamps, SetTray
from hw.paneld import PanelCycle, locate_sentence, memory_file, remembered

RACK = profile.load("virtual-8", Paths())
DARK = {f"bay{bay}:{led}": OFF for bay in range(8) for led in ("green:activity", "amber:status")}
SDC = Occupant(2, "/dev/sdc", "SN2", "DISK")
NOW = 1_000_000.0
FAILED, REBUILD, NONE = TrayCondition.FAILED, TrayCondition.REBUILD, TrayCondition.NONE
MEMBER = TrayCondition.MEMBER


def changes(look: PanelLook, memory: PanelMemory) -> dict[str, Lamp]:
    actions = panel.decide(look, memory, NOW).actions
    return {
        led.name: lamp for action in actions if isinstance(action, SetTray | SetLamps) for led, lamp in action.changes
    }


@pytest.mark.parametrize(
    ("occupants", "memory", "lamps", "expected"),
    [
        ((), PanelMemory(), {}, {}),
        ((SDC,), PanelMemory(), {}, {"bay2:green:activity": ON}),
        ((SDC,), PanelMemory(), {"bay2:green:activity": ON}, {}),
        ((), PanelMemory(), {"bay2:green:activity": ON}, {"bay2:green:activity": OFF}),
        # pulled: the light follows the condition from policyd, not the drive
        ((), PanelMemory({2: FAILED}), {}, {"bay2:amber:status": ON}),
        ((), PanelMemory({2: FAILED}), {"bay2:amber:status": ON}, {}),
        (
            (SDC,),
            PanelMemory({2: REBUILD}),
            {"bay2:green:activity": ON, "bay2:amber:status": ON},
            {"bay2:green:activity": OFF, "bay2:amber:status": blink(1)},
        ),
        ((), PanelMemory({2: FAILED}, locate=(2,)), {"bay2:amber:status": ON}, {"bay2:amber:status": blink(4)}),
        ((), PanelMemory(locate=(5,)), {}, {"bay5:amber:status": blink(4)}),
        # what a chip rounds is left alone
        ((), PanelMemory(locate=(5,)), {"bay5:amber:status": blink(3.81)}, {}),
    ],
)
def test_only_what_differs_is_set(
    occupants: tuple[Occupant, ...], memory: PanelMemory, lamps: dict[str, Lamp], expected: dict[str, Lamp]
) -> None:
    assert changes(PanelLook(RACK, occupants, DARK | lamps), memory) == expected


HERE = DARK | {"bay2:green:activity": ON}


def test_the_kernels_word_that_a_member_is_gone_lights_amber_before_a_look_and_before_policyd() -> None:
    look = PanelLook(RACK, (SDC,), HERE, uptime=100.0)
    idle = PanelMemory({2: MEMBER})
    assert changes(look, idle) == {}
    pulled = idle.with_drive("/dev/sdc", here=False, now=100.5)
    assert changes(look, pulled) == {"bay2:green:activity": OFF, "bay2:amber:status": ON}
    assert [panel.show(look, memory, NOW, ()).bays[2].present for memory in (idle, pulled)] == [True, False]
    assert changes(look, PanelMemory().with_drive("/dev/sdc", here=False, now=100.5)) == {"bay2:green:activity": OFF}
    assert changes(look, pulled.with_drive("/dev/sdc", here=True, now=101.0)) == {}
    gone = PanelLook(RACK, (), HERE, uptime=100.6)
    assert changes(gone, idle) == {"bay2:green:activity": OFF, "bay2:amber:status": ON}
    assert panel.decide(gone, pulled, NOW).memory == idle, "the looks know by themselves"
    assert panel.decide(PanelLook(RACK, (SDC,), HERE, uptime=131.0), pulled, NOW).memory == idle, "it is back, unheard"


def test_active_from_cameras_but_not_from_our_own_looks() -> None:
    lamps = DARK | {"bay2:green:activity": ON}
    assert changes(PanelLook(RACK, (SDC,), lamps, {"/dev/sdc": 400_000}), PanelMemory()) == {
        "bay2:green:activity": blink(4)
    }
    assert changes(PanelLook(RACK, (SDC,), lamps, {"/dev/sdc": 2_000}), PanelMemory()) == {}


def test_with_udev_silent_nothing_is_called_empty_and_alarms_still_show() -> None:
    look = PanelLook(RACK, None, DARK | {"bay2:green:activity": ON}, problems=("udev is silent.",))
    assert changes(look, PanelMemory({3: FAILED, 2: MEMBER}, locate=(4,))) == {
        "bay3:amber:status": ON,
        "bay4:amber:status": blink(4),
    }
    shown = panel.show(look, PanelMemory(), NOW, ())
    assert {bay.present for bay in shown.bays} == {None}
    assert shown.problems == ("udev is silent.",)


def test_an_led_that_is_gone_is_not_written_and_its_neighbour_is() -> None:
    lamps = {name: lamp for name, lamp in DARK.items() if name != "bay2:green:activity"}
    look = PanelLook(RACK, (SDC,), lamps)
    assert changes(look, PanelMemory({2: FAILED})) == {"bay2:amber:status": ON}
    assert panel.show(look, PanelMemory(), NOW, ()).bays[2].light is None


def test_the_view_of_a_bay() -> None:
    look = PanelLook(RACK, (SDC,), DARK | {"bay2:amber:status": ON})
    bay = panel.show(look, PanelMemory({2: FAILED}, locate=(2,)), NOW, ()).bays[2]
    assert (bay.bay, bay.present, bay.device, bay.serial, bay.model) == (2, True, "/dev/sdc", "SN2", "DISK")
    assert (bay.light, bay.locate, bay.condition) == (TrayLight.FAILED, True, FAILED)


def test_two_drives_in_a_bay_are_a_problem_and_neither_is_named() -> None:
    look = PanelLook(RACK, (SDC, Occupant(2, "/dev/sdd", "SN9", None)), DARK)
    shown = panel.show(look, PanelMemory(), NOW, ("Else.",))
    assert (shown.bays[2].present, shown.bays[2].serial) == (True, None)
    assert shown.problems == ("Bay 2 holds 2 drives (/dev/sdc, /dev/sdd): the profile's match is too wide.", "Else.")


def test_memory() -> None:
    memory = PanelMemory({1: FAILED}).with_conditions({2: REBUILD, 3: NONE})
    assert memory.conditions == {2: REBUILD}
    memory = memory.with_locate(5, True).with_locate(3, True).with_locate(3, True)
    assert memory.locate == (3, 5)
    assert memory.with_locate(5, False).with_locate(7, False) == PanelMemory({2: REBUILD}, (3,))


class NoDrives:
    def drives(self) -> tuple[()]:
        return ()


def test_memory_outlives_the_daemon_and_a_torn_file_is_forgotten(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    assert remembered(paths) == PanelMemory()
    said = PanelMemory({2: REBUILD, 11: FAILED}, (3, 5))
    PanelCycle(paths, NoDrives()).save(said)
    assert remembered(paths) == said
    memory_file(paths).write_bytes(memory_file(paths).read_bytes()[:9])
    assert remembered(paths) == PanelMemory()


def test_a_look_at_a_chassis_whose_leds_are_gone_is_no_crash(tmp_path: Path) -> None:
    file = tmp_path / "etc/rackeye/rackeye.toml"
    file.parent.mkdir(parents=True)
    file.write_text(f'[chassis]\nprofile = "virtual-8"\nsysfs = "{tmp_path}/chassis"\n')
    cycle = PanelCycle(Paths(tmp_path), NoDrives())
    look = cycle.observe()
    assert look.lamps == {}
    assert sum("cannot be read" in problem for problem in look.problems) == 20, "16 trays', 3 of the panel, the beeper"
    assert panel.decide(look, PanelMemory({1: FAILED}), NOW).actions == ()


def test_locate_names_the_drive_and_refuses_what_is_not_there() -> None:
    look = PanelLook(RACK, (SDC,), DARK)
    assert locate_sentence(look, LocateRequest(2)) == "Bay 2 (DISK, serial SN2) blinks amber."
    assert locate_sentence(look, LocateRequest(3, on=False)) == "Bay 3 (no drive) no longer blinks."
    assert "(not known what it holds)" in locate_sentence(PanelLook(RACK, None), LocateRequest(3))
    with pytest.raises(BayUnknown, match="There is no bay 8") as caught:
        locate_sentence(look, LocateRequest(8))
    assert caught.value.hint == "Bays of virtual-8: 0, 1, 2, 3, 4, 5, 6, 7."
    bare = Profile("bare", "Bare", ((0,),), bays=(Bay(0, Match(scsi_host=0)),))
    with pytest.raises(BayWithoutLeds):
        locate_sentence(PanelLook(bare), LocateRequest(0))


def test_generic_has_nothing_to_do() -> None:
    generic = profile.load("generic", Paths())
    decision = panel.decide(PanelLook(generic, (SDC,)), PanelMemory({2: FAILED}), NOW)
    assert (decision.actions, decision.again) == ((), None)
    assert panel.show(PanelLook(generic, (SDC,)), PanelMemory(), NOW, ()).bays == ()


def test_rules_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert paneld.main(["--root", str(tmp_path), "--udev-rules", "virtual-8"]) == 0
    assert 'KERNELS=="tcm_loop_adapter_7", ENV{RACKEYE_BAY}="7"' in capsys.readouterr().out
    assert paneld.main(["--root", str(tmp_path), "--udev-rules"]) == 0
    assert "It names no bays" in capsys.readouterr().out
    assert paneld.main(["--root", str(tmp_path), "--udev-rules", "absent"]) == 1
    assert capsys.readouterr().err.startswith('[CONF-005] There is no chassis profile "absent".')
