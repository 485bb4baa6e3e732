"""Files, writer and index agree, whatever is cut off where."""

import os
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import ManualClock
from core.errors import BadVideoFile
from nvr.recorder.files import (
    adopt_all,
    file_path,
    make_folders,
    mend_open,
    read_segment,
    remove_file,
    start_of,
    video_files,
)
from nvr.recorder.fmp4 import Sample, fragment_head
from nvr.recorder.fmp4_reader import read_contents
from nvr.recorder.index import Index, Segment, SegmentState, open_index
from nvr.recorder.recording import Recording
from nvr.recorder.writer import VolumeWriter
from tests.unit.nvr.recorder.pictures import FRAME, Shelf, stream, unit

START = 1_795_000_000_250  # 2026-11-18


@pytest.fixture
def recordings(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "recordings").mkdir()
    fd = os.open(tmp_path / "recordings", os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    index = Index(tmp_path / "index.sqlite")
    yield index
    index.close()


def video(frames: int = 30) -> tuple[bytes, list[int]]:
    """A file's bytes, and where its fragments end."""
    shelf, recording = Shelf(), Recording("cam", ManualClock(), 300.0)
    recording.use(shelf)
    for one in stream(0, frames):
        recording.add(one)
    recording.session_ended()
    data, ends = shelf.taken[0].beginning, []
    for fragment in shelf.taken:
        data += b"".join(fragment.parts)
        ends.append(len(data))
    return data, ends


def contents_of(data: bytes, folder: Path) -> tuple[int, int, float]:
    (folder / "x").write_bytes(data)
    with (folder / "x").open("rb") as file:
        found = read_contents(file.fileno())
    return found.whole, found.frames, found.duration


VIDEO, ENDS = video()


@given(cut=st.integers(len(VIDEO) - (ENDS[-1] - ENDS[0]) - 1, len(VIDEO)), zeros=st.sampled_from((0, 1, 7, 5000)))
@settings(deadline=None)
def test_wherever_a_file_is_cut_its_whole_fragments_count(
    tmp_path_factory: pytest.TempPathFactory, cut: int, zeros: int
) -> None:
    data = VIDEO[:cut] + bytes(zeros)
    whole = max([end for end in ENDS if end <= cut], default=None)
    found = contents_of(data, tmp_path_factory.getbasetemp())
    if whole is not None:
        fragments = ENDS.index(whole) + 1
        assert found[:2] == (whole, 10 * fragments)
        assert found[2] == pytest.approx(0.4 * fragments)
    else:
        assert found[1] == 0


def test_a_tail_of_full_length_full_of_zeros_is_torn(tmp_path: Path) -> None:
    data = VIDEO[: ENDS[0] + 300] + bytes(len(VIDEO) - ENDS[0] - 300)
    assert contents_of(data, tmp_path)[:2] == (ENDS[0], 10)


@pytest.mark.parametrize("data", [b"", b"x", bytes(1000), VIDEO[:100], b"\0\0\0\x08free" + VIDEO])
def test_what_is_no_recording_is_told(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(BadVideoFile):
        contents_of(data, tmp_path)


def test_pictures_shown_in_another_order_get_offsets(tmp_path: Path) -> None:
    shown = [0, 3, 1, 2]  # I P B B
    data = bytearray()
    for number in shown:
        data += unit(number).data
    samples = [Sample(n * FRAME, len(unit(n).data), n == 0) for n in shown]
    head = fragment_head(1, samples, 4 * FRAME)
    assert contents_of(VIDEO[: ENDS[0] - (ENDS[1] - ENDS[0])] + head + bytes(data), tmp_path)[1:] == (4, 4 / 25)


def test_names() -> None:
    path = file_path("cam-1", START)
    assert path == "cam-1/2026/11/18/20261118T110640.250Z.mp4"
    assert start_of(path) == START
    assert start_of("holiday.mp4") is None
    assert start_of("20261399T100640.250Z.mp4") is None


@given(st.integers(0, 4_000_000_000_000))
def test_a_name_tells_its_beginning(start: int) -> None:
    assert start_of(file_path("cam", start)) == start


def put_file(recordings: int, start: int, data: bytes, camera: str = "cam") -> str:
    path = file_path(camera, start)
    make_folders(recordings, path)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, dir_fd=recordings)
    os.write(fd, data)
    os.close(fd)
    return path


def test_after_a_crash_open_files_are_mended_and_only_they(recordings: int, index: Index) -> None:
    torn = put_file(recordings, START, VIDEO[: ENDS[1] + 9])
    begun = put_file(recordings, START + 1000, VIDEO[:100])
    never = file_path("cam", START + 2000)
    closed = put_file(recordings, START + 3000, VIDEO + b"tail")
    for number, path in enumerate((torn, begun, never, closed)):
        index.begin("cam", "vd0", path, START + number * 1000)
    index.finish("vd0", closed, START + 4200, len(VIDEO), 30)
    said = mend_open(index, recordings, "vd0")
    assert len(said) == 2
    assert index.of_volume("vd0") == (
        Segment("cam", "vd0", torn, START, START + 800, ENDS[1], 20, SegmentState.CLOSED),
        Segment("cam", "vd0", closed, START + 3000, START + 4200, len(VIDEO), 30, SegmentState.CLOSED),
    )
    assert os.stat(torn, dir_fd=recordings).st_size == ENDS[1]
    assert os.stat(closed, dir_fd=recordings).st_size == len(VIDEO) + 4
    assert sorted(video_files(recordings)) == sorted((torn, closed))


def test_index_out_of_files_alone(recordings: int, index: Index, tmp_path: Path) -> None:
    paths = [put_file(recordings, START + n * 1200, VIDEO, camera) for n in range(3) for camera in ("a", "b")]
    (tmp_path / "recordings/a/2026/11/18/holiday.mp4").write_bytes(VIDEO)
    spoilt = put_file(recordings, START + 60_000, b"spoilt")
    assert adopt_all(index, recordings, "vd0") == (6, 1)
    assert adopt_all(index, recordings, "vd0") == (0, 1)
    assert sorted(row.path for row in index.of_volume("vd0")) == sorted(paths)
    assert index.recorded_until("a") == START + 2400 + 1200
    assert index.totals("vd0").bytes == 6 * len(VIDEO)
    assert {row.path for row in index.oldest("vd0", 2)} == {paths[0], paths[1]}
    assert (tmp_path / "recordings" / spoilt).exists()


def test_removing_takes_empty_folders_along_and_no_other_file(recordings: int, tmp_path: Path) -> None:
    path = put_file(recordings, START, VIDEO)
    other = put_file(recordings, START + 86_400_000, VIDEO)
    remove_file(recordings, path)
    remove_file(recordings, path)
    assert sorted(video_files(recordings)) == [other]
    assert not (tmp_path / "recordings/cam/2026/11/18").exists()
    assert (tmp_path / "recordings/cam/2026/11/19").exists()


def test_a_spoilt_index_is_put_aside(tmp_path: Path) -> None:
    file = tmp_path / "state/index.sqlite"
    file.parent.mkdir()
    file.write_bytes(b"this is no database at all" * 100)
    index, said = open_index(file)
    assert "put aside" in said
    assert file.with_name("index.sqlite.broken").read_bytes().startswith(b"this is no database")
    assert index.of_volume("vd0") == ()
    index.close()


def write(index: Index, recordings: int, frames: int, seconds: float = 300.0) -> tuple[VolumeWriter, Recording]:
    """A camera's pictures through the real thread to real files."""
    writer = VolumeWriter("vd0", os.dup(recordings), index, 0, lambda: None)
    recording = Recording("cam", ManualClock(), seconds)
    recording.use(writer)
    for one in stream(0, frames):
        recording.add(one)
    recording.session_ended()
    return writer, recording


def test_what_is_written_is_what_the_index_says(recordings: int, index: Index) -> None:
    writer, recording = write(index, recordings, 100, 1.0)
    assert writer.stop()
    rows = index.of_volume("vd0")
    assert [row.frames for row in rows] == [30, 30, 30, 10]
    assert [read_segment(recordings, "vd0", row.path, mend=False) for row in rows] == list(rows)
    assert recording.coverage.count == 0


@pytest.fixture
def on_a_drive() -> Iterator[int]:
    """A folder that is not in memory, as a descriptor."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        kind = subprocess.run(["/usr/bin/stat", "-fc", "%T", folder], capture_output=True, text=True, check=True).stdout
        if kind.strip() == "tmpfs":
            pytest.skip("needs a /var/tmp that is on a drive")
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        yield fd
        os.close(fd)


def test_video_that_is_on_the_drives_takes_no_memory(on_a_drive: int, index: Index) -> None:
    writer, _ = write(index, on_a_drive, 100)
    assert writer.stop()
    (row,) = index.of_volume("vd0")
    fd = os.open(row.path, os.O_RDONLY, dir_fd=on_a_drive)
    with pytest.raises(BlockingIOError):  # it would have to be read from the drives
        os.preadv(fd, [bytearray(os.fstat(fd).st_size)], 0, os.RWF_NOWAIT)
    os.close(fd)


def test_names_in_use_are_left(recordings: int, index: Index) -> None:
    for _ in range(2):  # the clock was set back to the same millisecond
        writer, _ = write(index, recordings, 10)
        assert writer.stop()
    rows = index.of_volume("vd0")
    assert [row.start - rows[0].start for row in rows] == [0, 1]


def test_a_volume_that_refuses_writes_fails_and_says_what_was_lost(index: Index) -> None:
    woken: list[int] = []
    sysfs = os.open("/sys/kernel", os.O_RDONLY | os.O_DIRECTORY)  # a kernel that lets nobody make a folder
    writer = VolumeWriter("vd0", sysfs, index, 0, lambda: woken.append(1))
    recording = Recording("cam", ManualClock(), 300.0)
    recording.use(writer)
    for one in stream(0, 31):
        recording.add(one)
    writer._thread.join(5)
    assert "vd0 cannot be written" in writer.failure
    assert woken
    for one in stream(31, 20):
        recording.add(one)
    recording.use(None)
    assert not recording.flowing
    assert recording.coverage.total == pytest.approx(1.2, abs=0.1)
    assert index.of_volume("vd0") == ()


def test_a_file_that_cannot_grow_ends_with_its_last_whole_fragment(recordings: int) -> None:
    index = Index(":memory:")
    woken: list[int] = []
    writer = VolumeWriter("vd0", os.dup(recordings), index, 0, lambda: woken.append(1))
    recording = Recording("cam", ManualClock(), 300.0)
    recording.use(writer)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ENDS[1] + 100, hard))  # the kernel takes a part, then says EFBIG
    try:
        for one in stream(0, 31):
            recording.add(one)
        while not woken:
            os.sched_yield()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    for one in stream(31, 20)[9:]:  # not fresh: the run goes on
        recording.add(one)
    recording.session_ended()
    assert writer.stop()
    rows = index.of_volume("vd0")
    assert [row.frames for row in rows] == [20, 10]
    assert [read_segment(recordings, "vd0", row.path, mend=False) for row in rows] == list(rows)
    assert [os.stat(row.path, dir_fd=recordings).st_size for row in rows] == [row.bytes for row in rows]
    assert "File too large" in writer.trouble
    index.close()


def test_a_volume_that_is_gone_stops_at_once_and_closes_its_descriptors(recordings: int, index: Index) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    writer, recording = write(index, recordings, 10)
    assert writer.stop("Volume vd0 was unmounted.")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    fragment = Shelf()
    recording.use(fragment)
    for one in stream(50, 20):
        recording.add(one)
    assert not writer.put(fragment.taken[0])
