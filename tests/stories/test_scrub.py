"""raid/scrub.py on whole arrays in plain files. What only a live md shows is in tests/rig/test_parity.py."""

import errno
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from libaio import AIOBlock, AIOContext

from core.clock import ManualClock
from core.errors import CannotCheck, CheckRunning, RackeyeError
from core.paths import Paths
from raid import readers, scrub, scrub_run
from raid.geometry import Member, array_name, checking, clear_suspended, read_geometry
from raid.layout import Level
from raid.parity import Engine, NumpyEngine, engine
from raid.progress_file import Pace
from raid.scrub import check
from raid.scrub_result import BadExtent, ScrubProgress, WrongMember, sentences
from raid.scrub_run import piece_size
from tests.unit.raid.plain_array import OFFSET, PlainArray

ENGINES: list[Any] = [
    pytest.param(NumpyEngine(), id="numpy"),
    pytest.param(None, id="the-machine's"),
]
KINDS = [(Level.RAID4, 0), (Level.RAID5, 2), (Level.RAID5, 1), (Level.RAID6, 2), (Level.RAID6, 9), (Level.RAID6, 18)]


@pytest.mark.parametrize("by", ENGINES)
@pytest.mark.parametrize(("level", "layout"), KINDS)
def test_a_right_array_is_clean(tmp_path: Path, by: Engine | None, level: Level, layout: int) -> None:
    array = PlainArray(tmp_path, level, layout, disks=5)
    result = check("/dev/md127", sysfs=array.sysfs, opener=array.opener, by=by)
    assert result.clean
    assert (result.stripes, result.of, result.bytes) == (20, 20, 5 * 20 * array.chunk)
    assert result.engine == (by or engine()).name
    assert next(sentences(result)) == "md127: clean."


@pytest.mark.parametrize("by", ENGINES)
def test_a_wrong_stripe_of_a_raid5_is_found_and_named(tmp_path: Path, by: Engine | None) -> None:
    array = PlainArray(tmp_path)
    array.damage(2, stripe=13, at=3 * 4096 + 77)
    result = check("md127", sysfs=array.sysfs, opener=array.opener, by=by)
    assert not result.clean
    assert result.complete
    [bad] = result.bad
    assert (bad.number, bad.array_offset, bad.member_offset, bad.pages) == (13, 13 * 3 * 65536, 13 * 65536, 1)
    assert bad.wrong is None
    assert bad.extents == (BadExtent(13 * 65536 + 3 * 4096, 1, None),)
    assert "stripe 13: 1 pages wrong" in "\n".join(sentences(result))


@pytest.mark.parametrize(("by", "layout"), [(None, 2), (NumpyEngine(), 10), (None, 20)])
@pytest.mark.parametrize("slot", range(5))
def test_the_wrong_member_of_a_raid6_is_named(tmp_path: Path, by: Engine | None, layout: int, slot: int) -> None:
    array = PlainArray(tmp_path, Level.RAID6, layout, disks=5, stripes=9)
    array.damage(slot, stripe=4, at=4096, length=3 * 4096)
    row = array.row(4)
    role = "P" if slot == row.p else "Q" if slot == row.q else "data"
    [bad] = check("md127", sysfs=array.sysfs, opener=array.opener, by=by).bad
    assert bad.number == 4
    assert bad.extents == (BadExtent(4 * 65536 + 4096, 3, WrongMember(slot, f"/dev/disk{slot}", role)),)
    assert bad.wrong == bad.extents[0].wrong


def test_each_page_has_its_own_verdict(tmp_path: Path) -> None:
    array = PlainArray(tmp_path, Level.RAID6, disks=6)
    array.damage(0, stripe=3, at=0)
    array.damage(1, stripe=3, at=4096)
    array.damage(2, stripe=3, at=8192)
    array.damage(3, stripe=3, at=8192 + 50)
    [bad] = check("md127", sysfs=array.sysfs, opener=array.opener).bad
    assert [extent.wrong and extent.wrong.slot for extent in bad.extents] == [0, 1, None]
    assert bad.wrong is None


def test_a_stripe_larger_than_a_piece_is_reported_once(tmp_path: Path) -> None:
    array = PlainArray(tmp_path, disks=4, chunk=2 * 1024 * 1024, stripes=3)
    assert piece_size(4) < array.chunk
    array.damage(0, stripe=1, at=0)
    array.damage(0, stripe=1, at=array.chunk - 1)
    result = check("md127", sysfs=array.sysfs, opener=array.opener)
    assert result.bad_stripes == 1
    assert [extent.member_offset for extent in result.bad[0].extents] == [array.chunk, 2 * array.chunk - 4096]


def test_many_wrong_stripes_are_counted_and_the_first_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrub_run, "NAMED", 5)
    array = PlainArray(tmp_path)
    for stripe in range(2, 14):
        array.damage(0, stripe)
    result = check("md127", sysfs=array.sysfs, opener=array.opener)
    assert (result.bad_stripes, [bad.number for bad in result.bad]) == (12, [2, 3, 4, 5, 6])
    assert "and 7 more wrong stripes." in sentences(result)


@pytest.mark.parametrize("missing", range(5))
def test_a_raid6_without_one_member_detects_and_names_nobody(tmp_path: Path, missing: int) -> None:
    array = PlainArray(tmp_path, Level.RAID6, disks=5)
    (array.md / f"dev-disk{missing}/state").write_text("faulty\n")
    assert check("md127", sysfs=array.sysfs, opener=array.opener).clean
    assert f"disk{missing}" not in array.opened
    for stripe in range(10, 15):
        array.damage((missing + 1) % 5, stripe)
    result = check("md127", sysfs=array.sysfs, opener=array.opener)
    assert [(bad.number, bad.wrong) for bad in result.bad] == [(stripe, None) for stripe in range(10, 15)]
    assert result.missing_slot == missing


def test_a_stripe_that_was_just_being_written_is_no_alarm(tmp_path: Path) -> None:
    array = PlainArray(tmp_path)
    array.damage(1, stripe=7)
    held: list[tuple[int, int]] = []

    def mend_when_suspended(self: readers.Readers, start: int, length: int) -> readers.Piece:
        held.append(array.held)
        array.damage(1, stripe=7)  # damages back: md's write has now reached the member
        return again(self, start, length)

    again = readers.Readers.again
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readers.Readers, "again", mend_when_suspended)
        assert check("md127", sysfs=array.sysfs, opener=array.opener).clean
    stripe = 3 * array.chunk // 512
    assert held == [(7 * stripe, 8 * stripe)]
    assert array.held == (0, 0)


def fails_at(patch: pytest.MonkeyPatch, array: PlainArray, slot: int, bad: range, error: int) -> None:
    """One range of one member cannot be read, neither among many reads nor by itself."""
    target, real = array.disk(slot), os.preadv

    def hit(fd: int, offset: int, length: int) -> bool:
        return Path(f"/proc/self/fd/{fd}").readlink() == target and offset < bad.stop and bad.start < offset + length

    class Failing(AIOContext):  # type: ignore[misc]
        def getEvents(self, least: int) -> list[tuple[AIOBlock, int, int]]:  # noqa: N802 -- its name there
            return [
                (read, 2**64 - error if hit(read.target_file, read.offset, len(read.buffer_list[0])) else got, more)
                for read, got, more in super().getEvents(least)
            ]

    def preadv(fd: int, buffers: list[memoryview], offset: int) -> int:
        if hit(fd, offset, buffers[0].nbytes):
            raise OSError(error, os.strerror(error))
        return real(fd, buffers, offset)

    patch.setattr(readers, "AIOContext", Failing)
    patch.setattr(os, "preadv", preadv)


def test_what_cannot_be_read_is_named_and_never_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    array = PlainArray(tmp_path)
    at = array.place(3, stripe=5, at=4096)
    fails_at(monkeypatch, array, 3, range(at + 100, at + 600), errno.EIO)
    array.damage(0, stripe=5, at=8192)
    result = check("md127", sysfs=array.sysfs, opener=array.opener)
    assert not result.complete
    assert not result.clean
    [place] = result.unreadable
    assert (place.slot, place.device, place.offset, place.length) == (3, "/dev/disk3", at, 4096)
    assert place.why == "I/O error"
    assert [bad.number for bad in result.bad] == [5]  # the readable pages beside it are judged


def test_a_member_that_vanishes_ends_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    array = PlainArray(tmp_path)
    fails_at(monkeypatch, array, 1, range(array.place(1, 9), 2**40), errno.ENXIO)
    with pytest.raises(CannotCheck, match=r"disk1 \(slot 1\) went away"):
        check("md127", sysfs=array.sysfs, opener=array.opener)
    assert array.held == (0, 0)


def test_a_member_that_fails_meanwhile_ends_the_check(tmp_path: Path) -> None:
    array = PlainArray(tmp_path)
    array.damage(0, stripe=19)
    opened = 0

    def opener(member: Member) -> int:
        nonlocal opened
        opened += 1
        if opened == array.disks:
            (array.md / "dev-disk2/state").write_text("faulty\n")
        return array.opener(member)

    with pytest.raises(CannotCheck, match="lacks the member in slot 2"):
        check("md127", sysfs=array.sysfs, opener=opener)
    assert array.held == (0, 0)


def test_md_s_own_bad_blocks_are_reported(tmp_path: Path) -> None:
    array = PlainArray(tmp_path)
    (array.md / "dev-disk1/bad_blocks").write_text(f"{OFFSET + 1 + 4 * 128} 8\n")
    array.damage(1, stripe=4, at=17)
    result = check("md127", sysfs=array.sysfs, opener=array.opener)
    assert result.bad == ()
    [place] = result.unreadable
    assert (place.slot, place.offset, place.length) == (1, array.place(1, 4), 4096)


REFUSED: list[tuple[dict[str, object], str]] = [
    ({"level": "raid0"}, "is raid0 and has no redundancy"),
    ({"sync_action": "resync"}, "initializing"),
    ({"sync_action": "recover"}, "rebuilding"),
    ({"sync_action": "reshape"}, "reshaping"),
    ({"reshape_position": "1024"}, "reshaping"),
    ({"resync_start": "81920"}, "still has to initialize"),
    ({"raid_disks": 5}, "lacks the member in slot 4"),
    ({"level": ""}, "not running"),
    ({"component_size": "x"}, "no running md array"),
    ({"layout": 7}, "no layout 7"),
]


@pytest.mark.parametrize(("files", "why"), REFUSED)
def test_refused_with_the_reason(tmp_path: Path, files: dict[str, object], why: str) -> None:
    array = PlainArray(tmp_path)
    array.set(**files)
    with pytest.raises(RackeyeError, match=why):
        check("md127", sysfs=array.sysfs, opener=array.opener)


def test_a_drive_that_is_gone_is_missing_whatever_md_says(tmp_path: Path) -> None:
    array = PlainArray(tmp_path)
    (array.md / "dev-disk1/block/dev").unlink()
    (array.md / "dev-disk1/block").rmdir()
    with pytest.raises(CannotCheck, match="lacks the member in slot 1"):
        check("md127", sysfs=array.sysfs, opener=array.opener)


def test_spares_and_replacements_are_no_members(tmp_path: Path) -> None:
    array = PlainArray(tmp_path)
    for name, slot, state in (("dev-spare", "none", "spare"), ("dev-new", "1", "in_sync,replacement")):
        (array.md / name).mkdir()
        (array.md / name / "slot").write_text(slot)
        (array.md / name / "state").write_text(state)
    names = [member and member.name for member in read_geometry("md127", array.sysfs).members]
    assert names == ["disk0", "disk1", "disk2", "disk3"]


def test_no_such_array(tmp_path: Path) -> None:
    (tmp_path / "sys/block").mkdir(parents=True)
    with pytest.raises(CannotCheck, match="md9"):
        check("md9", sysfs=tmp_path / "sys")


def test_stop_ends_it_and_says_so(tmp_path: Path) -> None:
    array, stop = PlainArray(tmp_path, stripes=64), threading.Event()
    stop.set()
    result = check("md127", sysfs=array.sysfs, opener=array.opener, stop=stop)
    assert result.stopped
    assert not result.clean
    assert 0 < result.stripes < result.of


def test_one_that_was_stopped_goes_on_and_keeps_what_it_had_found(tmp_path: Path) -> None:
    array, stop = PlainArray(tmp_path, stripes=64), threading.Event()
    array.damage(1, stripe=2)
    array.damage(1, stripe=60)
    stop.set()
    first = check("md127", sysfs=array.sysfs, opener=array.opener, stop=stop)
    assert [bad.number for bad in first.bad] == [2]
    paced: list[float] = []
    second = check("md127", sysfs=array.sysfs, opener=array.opener, before=first, pace=paced.append)
    assert ([bad.number for bad in second.bad], second.bad_stripes) == ([2, 60], 2)
    assert (second.stripes, second.complete) == (64, True)
    assert len(paced) == 7  # of eight pieces one was looked at before
    another = PlainArray(tmp_path / "other", stripes=32)
    assert check("md127", sysfs=another.sysfs, opener=another.opener, before=first).clean  # from its start


def test_the_pace_leaves_the_drives_to_others(tmp_path: Path) -> None:
    paths, waits = Paths(tmp_path), []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout)
            return False

    pace = Pace(Stop(), "check", paths, ManualClock())
    pace.after(0.3)
    assert waits == [pytest.approx(0.7)]
    pace.after(60.0)
    assert waits[1] == 5.0  # nothing waits longer
    paths.state.mkdir(parents=True)
    (paths.state / "settings.toml").write_text("[raid.rates]\ncheck = 100\n")
    pace.clock.advance(11.0)  # type: ignore[attr-defined]
    pace.after(1.0)
    assert len(waits) == 2


def test_progress(tmp_path: Path) -> None:
    array, clock = PlainArray(tmp_path, stripes=64), ManualClock()
    seen: list[ScrubProgress] = []

    class Ticking(ManualClock):
        def monotonic(self) -> float:
            clock.advance(1.0)
            return clock.monotonic()

    check("md127", sysfs=array.sysfs, opener=array.opener, on_progress=lambda now, _: seen.append(now), clock=Ticking())
    assert [round(progress.percent) for progress in seen] == [12, 25, 38, 50, 62, 75, 88, 100]
    assert seen[0].speed == 8 * 65536
    assert seen[0].seconds_left == 7
    assert seen[-1].seconds_left == 0


def test_what_a_killed_check_left_is_cleared(tmp_path: Path) -> None:
    array = PlainArray(tmp_path)
    array.set(suspend_lo=384, suspend_hi=768)
    assert clear_suspended("md127", array.sysfs)
    assert array.held == (0, 0)
    assert not clear_suspended("md127", array.sysfs)
    array.set(suspend_lo=384, suspend_hi=768)
    assert check("md127", sysfs=array.sysfs, opener=array.opener).clean
    assert array.held == (0, 0)


def test_what_a_reshape_or_a_running_check_holds_is_left_alone(tmp_path: Path) -> None:
    array = PlainArray(tmp_path)
    array.set(suspend_lo=384, suspend_hi=768, reshape_position=4096)
    assert not clear_suspended("md127", array.sysfs)
    array.set(reshape_position="none")
    with checking("md127", array.sysfs):
        array.set(suspend_lo=384, suspend_hi=768)
        assert not clear_suspended("md127", array.sysfs)
        with pytest.raises(CheckRunning):
            check("md127", sysfs=array.sysfs, opener=array.opener)
        assert array.held == (384, 768)
    assert array.held == (0, 0)


def test_pieces_fit_the_cache() -> None:
    assert [piece_size(n) // 1024 for n in (3, 8, 9, 16, 32)] == [512, 512, 256, 256, 128]


def test_array_names(tmp_path: Path) -> None:
    (tmp_path / "md127").touch()
    (tmp_path / "vd0").symlink_to("md127")
    assert array_name(str(tmp_path / "vd0")) == array_name("/dev/md127") == array_name("md127") == "md127"


def test_the_program_says_why_it_cannot_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "progress.json"
    assert scrub.main(["/dev/md99", "--progress-file", str(file)]) == 2
    assert "RAID-051" in capsys.readouterr().err
    said = json.loads(file.read_text())
    assert set(said) == {
        "array", "percent", "speed", "seconds_left", "done", "result", "repair", "error", "identity",
        "finished", "last",
    }
    assert said["done"] is True
    assert said["error"]["code"] == "RAID-051"
