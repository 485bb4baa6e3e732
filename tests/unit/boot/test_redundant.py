"""The switch to Failover Mode: every precondition with its own message; one write."""

from dataclasses import replace
from pathlib import Path

import pytest

from boot import power, redundant
from boot.model import Intent, Mode
from boot.redundant import Look, Superblock, refusals
from boot.restore import factory_settings
from boot.state import Record, StateStore
from boot.switch_command import main
from core.errors import RecordingRuns
from core.paths import Paths

OURS = Superblock("bay 1 (sdb, serial RK000002)", "linux_raid_member", "vd0")
FOREIGN = Superblock("bay 2 (sdc)", "isw_raid_member")


@pytest.mark.parametrize(
    ("look", "code", "says"),
    [
        (Look(mode=Mode.FAILOVER, recording=True), "BOOT-010", "already"),
        (Look(recording=True), "BOOT-011", "recording services"),
        (Look(arrays=("md127",)), "BOOT-012", "md127"),
        (Look(superblocks=(OURS,)), "BOOT-012", "vd0"),
        (Look(mounted=("/srv/rackeye/vd0",)), "BOOT-013", "/srv/rackeye/vd0"),
        (Look(contents=("ext4 'CUSTOMER' on bay 3 (sdd)",)), "BOOT-013", "CUSTOMER"),
        (Look(superblocks=(FOREIGN,)), "BOOT-014", "bay 2 (sdc) (isw_raid_member)"),
        (Look(changed=("/var/lib/rackeye/settings.toml",)), "BOOT-015", "settings.toml"),
        (Look(intent=Intent.RESTORE), "BOOT-015", "restore"),
        (Look(recording=None), "BOOT-016", "not known"),
        (Look(unknown=("What lies on bay 5 cannot be read.",)), "BOOT-016", "bay 5"),
    ],
)
def test_each_precondition_has_its_own_message(look: Look, code: str, says: str) -> None:
    (only,) = refusals(look)
    assert only.code == code
    assert says in only.sentence
    assert only.hint


def test_nothing_stands_against_an_untouched_appliance() -> None:
    assert refusals(Look()) == ()


def test_all_that_stands_against_it_is_said_at_once() -> None:
    look = Look(recording=True, superblocks=(OURS, FOREIGN), mounted=("/srv/rackeye/vd0",), changed=("x",))
    assert [e.code for e in refusals(look)] == ["BOOT-011", "BOOT-012", "BOOT-013", "BOOT-014", "BOOT-015"]


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """A world without drives; reboots are counted, not done."""
    for folder in ("sys/block", "proc/self", "etc/rackeye"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n")
    monkeypatch.setattr(power, "is_active", lambda _: False)
    monkeypatch.setattr(power, "reboot", (tmp_path / "rebooted").touch)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    return Paths(tmp_path)


def test_the_system_drive_counts_as_no_volume(box: Paths) -> None:
    disk = box.sys / "block/sda"
    (disk / "sda1").mkdir(parents=True)
    (disk / "size").write_text("1000\n")
    (disk / "sda1/partition").write_text("1\n")
    (disk / "sda1/dev").write_text("8:1\n")
    assert refusals(redundant.look(box, StateStore(box))) == ()


def test_a_drive_that_cannot_be_read_is_not_taken_as_empty(box: Paths) -> None:
    disk = box.sys / "block/sdb"
    disk.mkdir(parents=True)
    (disk / "size").write_text("1000\n")
    assert [e.code for e in refusals(redundant.look(box, StateStore(box)))] == ["BOOT-016"]


def test_settings_of_a_person_are_found(box: Paths) -> None:
    box.state.mkdir(parents=True)
    factory_settings(box).parent.mkdir(parents=True)
    factory_settings(box).write_text("[chassis]\n")
    (box.etc / "rackeye.toml").write_text("[chassis]\n")
    (box.state / "settings.toml").write_text("")
    assert redundant.look(box, StateStore(box)).changed == ()
    (box.state / "settings.toml").write_text('[[cameras]]\nname = "a"\n')
    (box.etc / "rackeye.toml").write_text("[chassis]\nprofile = 'x'\n")
    assert redundant.look(box, StateStore(box)).changed == (
        str(box.state / "settings.toml"), str(box.etc / "rackeye.toml"),
    )


def test_convert_looks_again_before_it_writes(box: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power, "is_active", lambda _: True)
    with pytest.raises(RecordingRuns):
        redundant.convert(box, StateStore(box))
    assert StateStore(box).load().record == Record()


@pytest.mark.parametrize(
    ("answer", "code", "mode"), [("y", 0, Mode.FAILOVER), ("n", 1, Mode.STANDARD), ("", 1, Mode.STANDARD)]
)
def test_the_script_asks_y(
    box: Paths, capsys: pytest.CaptureFixture[str], answer: str, code: int, mode: Mode
) -> None:
    assert main(["--root", str(box.root)], lambda _: answer) == code
    assert StateStore(box).load().record.mode is mode
    assert (box.root / "rebooted").exists() == (code == 0)
    assert "one-way" in capsys.readouterr().out


def test_the_script_says_all_that_is_wrong_and_what_to_do(
    box: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    StateStore(box).change(lambda record: replace(record, mode=Mode.FAILOVER))
    assert main(["--root", str(box.root)], lambda _: "y") == 1
    said = capsys.readouterr().err
    assert "[BOOT-010]" in said
    assert "Restore to default" in said


def test_a_dry_run_changes_nothing(box: Paths) -> None:
    assert main(["--root", str(box.root), "--dry-run"], lambda _: "y") == 0
    assert StateStore(box).load().record == Record()
