"""Playback: what the index and the files say about a span of time, and video from any moment of it."""

import os
import struct
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from core.clock import ManualClock
from core.errors import NothingRecorded
from core.paths import Paths
from nvr.cameras.h264 import ParameterSets
from nvr.recorder.files import file_path, make_folders
from nvr.recorder.fmp4_reader import MovieFragment, movie_fragment
from nvr.recorder.index import Index, ReasonedGap, Segment, SegmentState
from nvr.recorder.model import Gap
from nvr.recorder.playback import UNKNOWN, Edge, Library, groups
from nvr.recorder.recording import Recording
from nvr.recorder.viewing_model import Hole, PlayRequest, Recorded, Span
from tests.unit.nvr.cameras.packets import OTHER_SPS, PPS, SETS
from tests.unit.nvr.recorder.pictures import Shelf, stream

BASE = 1_800_000_000.0
GOP = 0.4  # seconds: ten pictures


@dataclass
class Shop:
    """A volume with recordings made by the real Recording, an index of them, and the library."""

    root: Path
    index: Index = field(default_factory=lambda: Index(":memory:"))
    now: float = BASE + 1000
    edge: Edge | None = None

    def __post_init__(self) -> None:
        self.paths = Paths(self.root)
        self.library = Library(self.paths, self.index, lambda _: self.edge, lambda: self.now)

    def record(
        self, at: float, groups: int, sets: ParameterSets = SETS, volume: str = "vd0", *, open_: bool = False
    ) -> Path:
        """One file of so many groups of pictures from BASE + at on."""
        clock, shelf = ManualClock(utc=BASE + at), Shelf()
        recording = Recording("cam", clock, 3600)
        recording.use(shelf)
        for one in stream(0, groups * 10, sets=sets):
            recording.add(one)
            clock.advance(1 / 25)
        recording.session_ended()
        start = round((BASE + at) * 1000)
        folder = self.paths.volumes / volume / "recordings"
        folder.mkdir(parents=True, exist_ok=True)
        path = file_path("cam", start)
        fd = os.open(folder, os.O_RDONLY)
        make_folders(fd, path)
        os.close(fd)
        data = b"".join(part for one in shelf.taken for part in (one.beginning, *one.parts))
        (folder / path).write_bytes(data)
        if open_:
            self.index.begin("cam", volume, path, start)
        else:
            end = start + round(groups * GOP * 1000)
            self.index.adopt(Segment("cam", volume, path, start, end, len(data), groups * 10, SegmentState.CLOSED))
        return folder / path

    def timeline(self, start: float, end: float) -> tuple[list[tuple[float, float]], list[tuple[float, float, str]]]:
        """Seconds from BASE."""
        found = self.library.timeline(Span("cam", BASE + start, BASE + end))
        there = [(round(r.start - BASE, 2), round(r.end - BASE, 2)) for r in found.recorded]
        return there, [(round(h.start - BASE, 2), round(h.end - BASE, 2), h.reason) for h in found.holes]

    def play(
        self, start: float, end: float | None = None, epoch: float | None = 0.0
    ) -> tuple[list[MovieFragment], int]:
        """The fragments of a stream, and how many beginnings it has."""
        request = PlayRequest(
            "cam", BASE + start, None if end is None else BASE + end, None if epoch is None else BASE + epoch
        )
        return taken_apart(b"".join(self.library.play(request)))


def taken_apart(data: bytes) -> tuple[list[MovieFragment], int]:
    at, found, beginnings = 0, [], 0
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"moof":
            moof = movie_fragment(data[at : at + length], 0, length)
            assert moof is not None
            found.append(moof)
        beginnings += kind == b"ftyp"
        at += length
    assert at == len(data)
    return found, beginnings


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def seconds(moofs: list[MovieFragment]) -> list[float]:
    return [round(moof.start / 90_000, 2) for moof in moofs]


def test_a_stream_begins_with_the_group_that_holds_the_moment(shop: Shop) -> None:
    shop.record(0, 10)
    moofs, beginnings = shop.play(1.0, 2.5)
    assert (seconds(moofs), beginnings) == ([0.8, 1.2, 1.6, 2.0, 2.4], 1)
    assert all(a.start + a.ticks == b.start for a, b in pairwise(moofs))


def test_without_an_epoch_the_stream_begins_at_nothing(shop: Shop) -> None:
    shop.record(0, 10)
    moofs, _ = shop.play(1.0, 2.0, None)
    assert seconds(moofs) == [0.0, 0.4, 0.8]


def test_a_stream_goes_from_file_to_file_over_gaps_at_the_right_times(shop: Shop) -> None:
    shop.record(0, 5)
    shop.record(2.0, 5)
    shop.record(60, 2, ParameterSets((OTHER_SPS,), (PPS,)))
    moofs, beginnings = shop.play(1.6)
    assert seconds(moofs) == [1.6, 2.0, 2.4, 2.8, 3.2, 3.6, 60.0, 60.4]
    assert beginnings == 2  # the second file has the first one's
    moofs, _ = shop.play(30)  # in the gap: what comes after it
    assert seconds(moofs) == [60.0, 60.4]


def test_nothing_from_a_moment_on_is_an_error(shop: Shop) -> None:
    shop.record(0, 5)
    with pytest.raises(NothingRecorded):
        shop.play(2.1)
    with pytest.raises(NothingRecorded):
        shop.play(-100, -50)


def test_a_file_being_written_plays_up_to_its_last_whole_fragment(shop: Shop) -> None:
    file = shop.record(0, 5, open_=True)
    whole = file.read_bytes()
    file.write_bytes(whole[:-30])
    shop.edge = Edge(BASE + 2.0, flowing=True, reason="")
    found = shop.library.play(PlayRequest("cam", BASE, epoch=BASE))
    pieces = iter(found)
    first = next(pieces) + next(pieces)
    file.write_bytes(whole)  # meanwhile the rest came
    moofs, _ = taken_apart(first + b"".join(pieces))
    assert seconds(moofs) == [0.0, 0.4, 0.8, 1.2, 1.6]
    assert found.at == pytest.approx(BASE + 2.0)


def test_recycled_files_are_passed_over(shop: Shop) -> None:
    gone = shop.record(0, 5)
    shop.record(2.0, 2)
    gone.unlink()
    assert seconds(shop.play(0)[0]) == [2.0, 2.4]


def test_a_file_that_is_no_video_is_passed_over(shop: Shop) -> None:
    shop.record(0, 5).write_bytes(bytes(5000))
    shop.record(2.0, 2)
    assert seconds(shop.play(0)[0]) == [2.0, 2.4]


def test_very_long_heads_are_read_whole(shop: Shop) -> None:
    file = shop.record(0, 1)
    clock, shelf = ManualClock(), Shelf()
    recording = Recording("cam", clock, 3600)
    recording.use(shelf)
    for one in stream(0, 800, gop=800):
        recording.add(one)
    recording.session_ended()
    file.write_bytes(b"".join(part for one in shelf.taken for part in (one.beginning, *one.parts)))
    fd = os.open(file, os.O_RDONLY)
    found = list(groups(fd))
    os.close(fd)
    assert sum(len(group.moof.sizes) for group in found) == 800
    assert max(group.head for group in found) > 4096 - 8 or len(found) > 1


def test_the_timeline_joins_files_and_tells_why_there_are_gaps(shop: Shop) -> None:
    shop.record(0, 5)
    shop.record(2.003, 5)
    shop.record(60, 5)
    shop.record(100, 5)
    shop.library.explain("cam", Gap(BASE + 4.0, BASE + 60), "The camera did not answer.")
    shop.edge = Edge(BASE + 102, flowing=True, reason="")
    shop.now = BASE + 103
    there, holes = shop.timeline(-50, 2000)
    assert there == [(0, 4.0), (60, 62), (100, 102)]
    assert holes == [(4.0, 60, "The camera did not answer."), (62, 100, UNKNOWN)]


def test_a_gap_that_lasts_is_told_with_todays_reason(shop: Shop) -> None:
    shop.record(0, 5)
    shop.edge = Edge(BASE + 2, flowing=False, reason="Nothing listens at 10.0.0.1:554.")
    shop.now = BASE + 50
    found = shop.library.timeline(Span("cam", BASE - 5, BASE + 500))
    assert found.recorded == (Recorded(BASE, BASE + 2),)
    assert found.holes == (Hole(BASE + 2, BASE + 50, "Nothing listens at 10.0.0.1:554.", now=True),)
    shop.edge = None  # the camera was removed: nothing is missing
    assert shop.timeline(-5, 500)[1] == []


def test_what_is_on_its_way_to_the_volume_is_not_missing(shop: Shop) -> None:
    shop.record(0, 5)
    shop.edge = Edge(BASE + 2, flowing=True, reason="")
    shop.now = BASE + 5
    assert shop.timeline(-5, 4.99)[1] == []
    shop.now = BASE + 50
    assert shop.timeline(-5, 49.99)[1] == [(2, 50, UNKNOWN)]


def test_a_day_within_a_gap_is_a_gap_and_a_day_before_everything_is_not(shop: Shop) -> None:
    shop.record(0, 5)
    shop.record(500, 5)
    shop.edge = Edge(BASE + 502, flowing=True, reason="")
    shop.library.explain("cam", Gap(BASE + 2, BASE + 500), "The recorder was not running.")
    assert shop.timeline(100, 200) == ([], [(100, 200, "The recorder was not running.")])
    assert shop.timeline(400, 501) == ([(500, 502)], [(400, 500, "The recorder was not running.")])
    assert shop.timeline(-200, -100) == ([], [])


def test_video_on_a_volume_that_is_away_is_told_so(shop: Shop) -> None:
    shop.record(0, 5)
    file = shop.record(2, 5, volume="vd1")
    shop.record(4, 5)
    for folder in (file, *file.parents):
        if folder.name == "vd1":
            folder.rename(folder.with_name("away"))
            break
    there, holes = shop.timeline(-5, 6)
    assert there == [(0, 2), (4, 6)]
    assert holes == [(2, 4, "The video is on volume vd1, which is not there.")]


def test_reasons_go_when_there_is_nothing_older(shop: Shop) -> None:
    shop.index.explain_gap("cam", ReasonedGap(0, 10, "long ago"))
    shop.record(0, 1)
    shop.library.explain("cam", Gap(BASE + 1, BASE + 2), "lately")
    assert [gap.reason for gap in shop.index.gaps("cam", 0, 1 << 60)] == ["lately"]
