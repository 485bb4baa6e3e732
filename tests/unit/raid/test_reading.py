"""What is read from drives and /proc: superblocks as mdadm 4.2 and mkfs.xfs wrote them on the rack, mounts, checks."""

import base64
import zlib
from pathlib import Path

import msgspec
import pytest

from core.clock import ManualClock
from core.errors import MemoryBroken
from core.jobs import Job, JobState
from core.paths import Paths
from raid import check, memory, superblock
from raid.filesystem import mkfs_argv, parse_xfs
from raid.model import CheckResult, CheckVerdict
from raid.mounts import parse_mountinfo, system_disks
from raid.progress_file import ProgressFile, left_behind
from raid.repair_result import Outcome, RepairedStripe, RepairResult
from raid.scrub_result import BadStripe, ScrubProgress, ScrubResult
from raid.sysfs import Sysfs
from raid.world import CheckRun
from tests.unit.raid import worlds as w


def block(text: str) -> bytes:
    return zlib.decompress(base64.b85decode(text))


# RAID5 of four, 256 KiB chunks, bitmap; slot 2 was failed while it resynchronized; `mdadm --examine` says of this one:
# Events 8, clean, Active device 0, Data Offset 2048 sectors, Avail Dev Size 1046528 sectors.
MEMBER = block(
    "c-s5pr@fMqfq?;p!9Y;S*d;Wrykq97-DmE;`(KopoSj;kYE_nEz<>>C*Dz*-XjUL*0x^E@LnMG479hpJKmfoLK=t8L&+WIm>*_1bu4_Ln`z}OGJp"
    ")oH02J4S+7HwB9||g7N&RkMAO<ip{QJ)g*EiAt!zdU9qhJ(_f>AIEM!_f;1*2dTjDisX06}~o;s"
)
# The member that was failed: Events 0, not clean, its own view still counts on all.
FAILED = block(
    "c-s5pr@fMqfq?;p!9Y;S*d;Wrykq97-DmE;`(KopoSj;kYE_nEz<>>C*Dz*-XjUL*0x^E@LnMG479hpJKmfoLK=q-kXM)mm@~-{A9=mXzr@7w$H3z"
    "Tn0jU%~vL79Ut9<_2z(5RO1lqyO@PC8?hEXsIM!_f;1*2dTjDk@x3P!;w7zHB&003D}7Q+"
)
XFS = block(
    "c-o6_3wB~)5MTfU*1rtsKoAI&l#GpCTtdMBEXcy(0Fh;as$yb<(jWmKd;b9-%>fZ}VA#5p38az(*<2n@PG+F3k_<3K5MT>&$DR`m_yGr0&jF}=K-"
    "P9aFc|OxF*k@IJM-OEn2J$=2_hWb-5_xW0^oRKM2c8OgdCV=f#Ch?fVcu@`hciqMbb-m(3hHdax`{{ihobE_y^@HW~i7gC@K6O1^?00d3o6-H?*K+"
    "LCP<TLnr>-eDLIBhC8m4cY*v5WU>J<JGAWO98D3!1B{k{qhJ(_f>AIEM#0Df0K|m&IR"
)


def test_a_member_is_read_as_mdadm_reads_it() -> None:
    own = superblock.parse(MEMBER)
    assert own is not None
    assert (own.array_uuid, own.homehost, own.label) == ("00112233:44556677:8899aabb:ccddeeff", "rackeye", "vd0")
    assert (own.level, own.layout, own.chunk, own.raid_disks) == (5, 2, 256 * 1024, 4)
    assert (own.data_offset, own.component_size) == (2048 * 512, 1046528 * 512)
    assert (own.role, own.events, own.clean, own.bitmap, own.recovering) == (0, 8, True, True, False)
    assert own.device_uuid == "0b4eab8a:d5ea298a:d6f9398e:d05895cc"
    assert own.active_slots() == {0, 1, 3}


def test_a_failed_member_does_not_know_of_it() -> None:
    own = superblock.parse(FAILED)
    assert own is not None
    assert (own.role, own.events, own.clean) == (2, 0, False)
    assert own.active_slots() == {0, 1, 2, 3}


@pytest.mark.parametrize("at", [0, 20, 200, 300])
def test_a_damaged_superblock_is_none(at: int) -> None:
    damaged = bytearray(MEMBER)
    damaged[at] ^= 0x10
    assert superblock.parse(bytes(damaged)) is None


def test_no_superblock_is_none() -> None:
    assert superblock.parse(bytes(4096)) is None
    assert superblock.parse(b"short") is None


def test_xfs_knows_its_stripes() -> None:
    found = parse_xfs(XFS)
    assert found is not None
    assert (found.uuid, found.complete) == ("11111111-2222-3333-4444-555555555555", True)
    assert (found.unit, found.width) == (256 * 1024, 768 * 1024)
    unfinished = bytearray(XFS)
    unfinished[126] = 1
    again = parse_xfs(bytes(unfinished))
    assert again is not None
    assert not again.complete
    assert parse_xfs(bytes(4096)) is None


def test_mkfs_is_told_of_stripes_and_never_forced_on_a_fresh_array() -> None:
    argv = mkfs_argv("/dev/md127", "vd0", w.FS, 262144, 3)
    assert "su=262144,sw=3" in argv
    assert "-f" not in argv


MOUNTINFO = """\
22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw
23 22 0:18 / /run rw - tmpfs run rw
24 22 9:127 / /srv/rackeye/vd0 rw shared:2 - xfs /dev/md127 rw
25 22 253:0 / /var/a\\040b rw - ext4 /dev/mapper/vg-var rw
"""


@pytest.fixture
def machine(tmp_path: Path) -> Sysfs:
    """sda with a partition, md127 of sdb and sdc, dm-0 on sdd1: as links and folders of sysfs."""
    for disk, parts in {"sda": ["sda2"], "sdb": [], "sdc": [], "sdd": ["sdd1"], "md127": [], "dm-0": []}.items():
        for part in parts:
            (tmp_path / "devices" / disk / part).mkdir(parents=True)
            (tmp_path / "devices" / disk / part / "partition").write_text("1")
        (tmp_path / "devices" / disk / "slaves").mkdir(parents=True)
        (tmp_path / "block").mkdir(exist_ok=True)
        (tmp_path / "block" / disk).symlink_to(tmp_path / "devices" / disk)
    for link, target in {
        "dev/block/8:2": "sda/sda2", "dev/block/9:127": "md127", "dev/block/253:0": "dm-0",
        "class/block/sdb": "sdb", "class/block/sdc": "sdc", "class/block/sdd1": "sdd/sdd1",
    }.items():
        (tmp_path / link).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / link).symlink_to(tmp_path / "devices" / target)
    for stack, below in {"md127": ["sdb", "sdc"], "dm-0": ["sdd1"]}.items():
        for name in below:
            (tmp_path / "devices" / stack / "slaves" / name).touch()
    return Sysfs(tmp_path)


def test_the_system_drives_are_found_through_partitions_and_mappings(machine: Sysfs) -> None:
    mounts = parse_mountinfo(MOUNTINFO)
    assert mounts[3].mountpoint == "/var/a b"
    ours = frozenset({"md127"})
    assert system_disks(machine, mounts, (), ours) == {"sda": "mounted at /", "sdd": "mounted at /var/a b"}


def test_the_members_of_a_mounted_array_that_is_not_ours_are_the_systems(machine: Sysfs) -> None:
    found = system_disks(machine, parse_mountinfo(MOUNTINFO), (), frozenset())
    assert {"sdb", "sdc"} <= found.keys()


def test_memory_outlives_a_restart_and_forgets_what_is_fleeting(tmp_path: Path) -> None:
    file = tmp_path / "raid" / "memory.json"
    assert memory.load_or_adopt(file).adopting
    kept = w.memory()
    memory.save(kept, file)
    again = memory.load(file)
    assert again.vds == kept.vds
    assert again.fleeting == memory.Fleeting()
    assert memory.encode(kept) == memory.encode(again)


def test_a_broken_memory_is_put_aside_and_said(tmp_path: Path) -> None:
    file = tmp_path / "memory.json"
    file.write_text('{"vds": [')
    with pytest.raises(MemoryBroken):
        memory.load(file)
    found = memory.load_or_adopt(file)
    assert found.adopting
    assert "memory.json cannot be read" in found.notes[0]
    assert file.with_suffix(".broken").exists()
    assert not file.exists()


def _write(tmp_path: Path, **content: object) -> Paths:
    paths = Paths(tmp_path)
    file = check.file_of(paths, "vd0")
    file.parent.mkdir(parents=True)
    file.write_bytes(msgspec.json.encode({"array": "md127", "percent": 40.0, "done": False, **content}))
    return paths


def job(kind: str = check.KIND) -> Job:
    return Job("vd0-check-1", kind, check.subject("vd0"), (), JobState.RUNNING, "boot", 0.0)


def test_a_check_that_runs_has_progress_and_one_that_was_cut_off_says_so(tmp_path: Path) -> None:
    paths = _write(tmp_path, speed=5, seconds_left=2.0)
    assert check.read(paths, "vd0", "u", job()) == check.Last(CheckRun(40.0, 5, 2.0))
    ended = check.read(paths, "vd0", "u", None).result
    assert ended is not None
    assert (ended.verdict, ended.percent) == (CheckVerdict.STOPPED, 40.0)
    assert ended.detail == "It was cut off at 40 %, and goes on from there."


def test_a_check_that_was_refused_is_failed_and_not_clean(tmp_path: Path) -> None:
    paths = _write(tmp_path, done=True, error={"code": "RAID-051", "sentence": "It rebuilds.", "hint": ""})
    ended = check.read(paths, "vd0", "u", None).result
    assert ended is not None
    assert (ended.verdict, ended.detail) == (CheckVerdict.FAILED, "It rebuilds.")


def test_no_check_yet(tmp_path: Path) -> None:
    assert check.read(Paths(tmp_path), "vd0", "u", None) == check.Last()
    assert check.read(Paths(tmp_path), "vd0", "u", job()) == check.Last(CheckRun(0.0))


def found(*numbers: int, stripes: int = 100) -> ScrubResult:
    bad = tuple(BadStripe(number, 0, 0, 1, None, ()) for number in numbers)
    return ScrubResult("md127", 5, stripes, 100, 1, 1.0, bad, len(bad), (), None, stripes < 100, "ISA-L")


def test_what_a_check_found_holds_until_another_has_seen_all(tmp_path: Path) -> None:
    file = check.file_of(Paths(tmp_path), "vd0")
    first = ProgressFile("md127", file, "u", clock=ManualClock(1000.0))
    first.done(found(7))

    def told(running: Job | None = None) -> CheckResult:
        result = check.read(Paths(tmp_path), "vd0", "u", running).result
        assert result is not None
        return result

    assert (told().verdict, told().wrong, told().finished) == (CheckVerdict.WRONG, (7,), 1000.0)
    second = ProgressFile("md127", file, "u", clock=ManualClock(2000.0))
    assert told(job()).wrong == (7,)
    second.write(ScrubProgress(30.0, 1, 1.0), found(stripes=30))
    assert told().wrong == (7,)  # cut off
    assert (told().percent, told().finished, told().tried) == (30.0, 1000.0, 0.0)
    second.done(found(stripes=60))
    assert (told().wrong, told().percent, told().tried) == ((7,), 60.0, 2000.0)
    third = ProgressFile("md127", file, "u", left_behind(file, "u"), ManualClock(3000.0))
    third.done(found())
    assert (told().verdict, told().finished, told().percent) == (CheckVerdict.CLEAN, 3000.0, 100.0)
    assert left_behind(file, "u") is None


def test_the_check_of_another_virtual_drive_of_that_name_counts_for_nothing(tmp_path: Path) -> None:
    file = check.file_of(Paths(tmp_path), "vd0")
    ProgressFile("md127", file, "old").done(found(7))
    assert check.read(Paths(tmp_path), "vd0", "new", None) == check.Last()
    assert left_behind(file, "new") is None


def test_a_repair_takes_out_what_is_right_now(tmp_path: Path) -> None:
    file = check.file_of(Paths(tmp_path), "vd0")
    ProgressFile("md127", file, "u").done(found(7, 8))
    before = check.load(file)
    assert before is not None
    steps = (RepairedStripe(7, Outcome.REPAIRED, 1), RepairedStripe(8, Outcome.LEFT, 1, why="two are wrong"))
    after = check.judged("vd0", check.after_repair(before, RepairResult("md127", 6, steps, 2, 1.0)))
    assert (after.verdict, after.wrong) == (CheckVerdict.WRONG, (8,))
    assert "1 of 2 stripes were repaired and read again, 1 were left alone." in after.detail
    steps = (steps[0], RepairedStripe(8, Outcome.RIGHT, 0))
    mended = check.after_repair(before, RepairResult("md127", 6, steps, 2, 1.0))
    assert check.judged("vd0", mended).verdict is CheckVerdict.CLEAN


def test_a_repair_that_was_cut_off_is_told_until_another_check_or_repair(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    file = check.file_of(paths, "vd0")
    ProgressFile("md127", file, "u", clock=ManualClock(1000.0)).done(found(7, 8))
    before = check.load(file)
    assert before is not None
    mark = check.fingerprint("u", before)
    ProgressFile("md127", check.repair_file_of(paths, "vd0"), mark).write(ScrubProgress(50.0, None, 1.0))

    def told() -> str:
        result = check.read(paths, "vd0", "u", None).result
        assert result is not None
        assert result.verdict is CheckVerdict.WRONG
        return result.detail

    assert "cut off at 50 %" in told()
    again = ProgressFile("md127", check.repair_file_of(paths, "vd0"), mark)
    again.repaired(RepairResult("md127", 6, (), 2, 1.0))
    assert "cut off" not in told()
    ProgressFile("md127", check.repair_file_of(paths, "vd0"), mark).write(ScrubProgress(50.0, None, 1.0))
    ProgressFile("md127", file, "u", clock=ManualClock(2000.0)).done(found(7, 8))
    assert "cut off" not in told()
