"""From pictures to fragments: groups, files, the time line, gaps."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import ManualClock
from nvr.cameras.depacketizer import AccessUnit
from nvr.cameras.h264 import ParameterSets
from nvr.recorder.gop import Gop, GopAssembler
from nvr.recorder.model import Gap
from nvr.recorder.recording import Recording
from nvr.recorder.timeline import SLEW, Coverage, Placement
from tests.unit.nvr.cameras.packets import OTHER_SPS, PPS
from tests.unit.nvr.recorder.pictures import FRAME, Shelf, stream, unit


def gops(units: list[AccessUnit]) -> list[Gop]:
    assembler = GopAssembler()
    done = [assembler.add(one) for one in units] + [assembler.flush()]
    return [gop for gop in done if gop is not None]


def test_groups_cover_the_time_without_a_hole() -> None:
    found = gops(stream(0, 35))
    assert [len(gop.units) for gop in found] == [10, 10, 10, 5]
    assert [gop.fresh for gop in found] == [True, False, False, False]
    assert all(one.end == other.start for one, other in pairwise(found))
    assert found[-1].end == 35 * FRAME


def test_a_loss_ends_the_run_and_only_a_key_frame_begins_one() -> None:
    found = gops([*stream(0, 14), unit(30, key=False, loss=True), *stream(40, 10)])
    seen = [(gop.start // FRAME, len(gop.units), gop.fresh) for gop in found]
    assert seen == [(0, 10, True), (10, 4, False), (40, 10, True)]
    assert found[1].end == 14 * FRAME


@pytest.mark.parametrize("jump", [-100, 100 * 60])
def test_a_camera_clock_that_jumps_begins_a_run(jump: int) -> None:
    later = [unit(10 + jump + n, key=n == 0) for n in range(5)]
    assert [gop.fresh for gop in gops([*stream(0, 10), *later])] == [True, True]


def test_very_long_groups_come_in_parts() -> None:
    found = gops(stream(0, 600, gop=600))
    assert [gop.key for gop in found] == [True, False, False]
    assert sum(len(gop.units) for gop in found) == 600


@given(st.lists(st.tuples(st.integers(0, 400), st.booleans(), st.booleans()), max_size=60))
def test_groups_hold_each_picture_once_at_most_and_begin_with_keys(rows: list[tuple[int, bool, bool]]) -> None:
    units = [unit(number, key=key, loss=loss) for number, key, loss in rows]
    found = gops(units)
    kept = [id(one) for gop in found for one in gop.units]
    assert [id(one) for one in units if id(one) in kept] == kept
    assert all(gop.key for gop in found if gop.fresh)
    assert all(gop.end >= gop.start for gop in found)


def play(recording: Recording, clock: ManualClock, units: list[AccessUnit]) -> None:
    """Pictures arrive 25 a second."""
    for one in units:
        clock.advance(1 / 25)
        recording.add(one)


def recorded(seconds: float = 300.0, until: float | None = None) -> tuple[Recording, Shelf, ManualClock]:
    clock, shelf = ManualClock(), Shelf()
    recording = Recording("cam", clock, seconds, until)
    recording.use(shelf)
    return recording, shelf, clock


def test_files_are_cut_at_key_frames_when_they_are_long_enough() -> None:
    recording, shelf, clock = recorded(1.0)
    play(recording, clock, stream(0, 200))
    recording.session_ended()
    assert [sum(f.frames for f in file) for file in shelf.files] == [30, 30, 30, 30, 30, 30, 20]
    starts = [file[0].start for file in shelf.files]
    assert starts[1] - starts[0] == pytest.approx(1.2, abs=0.001)
    assert recording.coverage.count == 0
    assert shelf.finished == 1


def test_other_parameter_sets_begin_a_file() -> None:
    recording, shelf, clock = recorded()
    play(recording, clock, stream(0, 20))
    big = [unit(n, key=n == 20, sets=ParameterSets((OTHER_SPS,), (PPS,))) for n in range(20, 30)]
    play(recording, clock, big)
    recording.session_ended()
    assert [sum(f.frames for f in file) for file in shelf.files] == [20, 10]
    assert recording.figures.size.width == 1920
    assert recording.coverage.count == 0


def test_a_loss_is_a_gap_between_two_files() -> None:
    recording, shelf, clock = recorded()
    play(recording, clock, stream(0, 20))
    clock.advance(1.0)
    play(recording, clock, stream(45, 20))
    recording.session_ended()
    assert len(shelf.files) == 2
    (gap,) = recording.coverage.gaps
    assert gap.seconds == pytest.approx(1.0, abs=0.01)
    assert gap.end == pytest.approx(shelf.files[1][0].start)


def test_another_session_is_placed_by_its_arrival() -> None:
    recording, shelf, clock = recorded()
    play(recording, clock, stream(0, 20))
    recording.session_ended()
    clock.advance(5.0)
    play(recording, clock, stream(0, 20, base=123_456_789))
    recording.session_ended()
    assert recording.coverage.total == pytest.approx(5.0, abs=0.05)
    assert shelf.files[1][0].start == pytest.approx(clock.now() - 20 / 25, abs=0.05)


def test_the_time_that_the_recorder_was_down_is_a_gap() -> None:
    recording, _, clock = recorded(until=ManualClock().now() - 60)
    play(recording, clock, stream(0, 20))
    assert recording.coverage.total == pytest.approx(60, abs=0.1)


def test_without_a_volume_nothing_is_taken_and_with_one_it_goes_on_at_a_key_frame() -> None:
    recording, shelf, clock = recorded()
    flows: list[str] = []
    recording.on_flow = lambda: flows.append("flows")
    play(recording, clock, stream(0, 20))
    recording.use(None)
    assert shelf.finished == 1
    play(recording, clock, [unit(n, key=n % 10 == 0) for n in range(20, 50)])
    assert not recording.flowing
    other = Shelf()
    recording.use(other)
    play(recording, clock, [unit(n, key=n % 10 == 0) for n in range(50, 80)])
    assert recording.flowing
    assert other.taken[0].beginning
    assert flows == ["flows", "flows"]
    # the group that ends at picture 20 was not complete when the volume went; up to 40 nothing was there
    assert recording.coverage.total == pytest.approx(30 / 25, abs=0.01)


def test_a_volume_that_is_too_slow_or_loses_is_told_as_gaps() -> None:
    recording, shelf, clock = recorded()
    gaps: list[Gap] = []
    recording.on_gap = gaps.append
    play(recording, clock, stream(0, 20))
    shelf.refuses = True
    play(recording, clock, [unit(n, key=n % 10 == 0) for n in range(20, 40)])
    shelf.refuses = False
    play(recording, clock, [unit(n, key=n % 10 == 0) for n in range(40, 60)])
    assert recording.coverage.total == pytest.approx(20 / 25, abs=0.01)
    shelf.lost.append(Gap(100.0, 102.0))
    play(recording, clock, [unit(n, key=n % 10 == 0) for n in range(60, 80)])
    assert recording.coverage.total == pytest.approx(2.0 + 20 / 25, abs=0.01)
    assert len(gaps) == recording.coverage.count == 2


def test_bit_rate() -> None:
    recording, _, clock = recorded()
    play(recording, clock, stream(0, 251))
    size = len(unit(0).data)
    assert recording.figures.bitrate(clock.monotonic()) == pytest.approx(size * 8 * 25)
    clock.advance(60)
    assert recording.figures.bitrate(clock.monotonic()) == 0


def test_gaps_that_touch_are_one_and_short_holes_are_none() -> None:
    coverage = Coverage()
    coverage.recorded(0.0, 10.0)
    assert coverage.recorded(10.3, 22.0) is None
    coverage.missing(Gap(20.0, 22.0))  # handed over, and lost by the volume
    assert coverage.recorded(24.0, 30.0) == Gap(22.0, 24.0)
    assert list(coverage.gaps) == [Gap(20.0, 24.0)]
    assert (coverage.count, coverage.total) == (1, 4.0)


def test_drift_is_slewed_and_a_step_is_not() -> None:
    place = Placement()
    place.arrived(0, 1000.0)
    place.begin_file(0)
    place.arrived(90_000 * 300, 1300.4)  # 1300 ppm fast
    place.begin_file(90_000 * 300)
    assert place.utc(90_000 * 300) == pytest.approx(1300 + 300 * SLEW)
    place.arrived(90_000 * 600, 5000.0)  # somebody set the clock
    place.begin_file(90_000 * 600)
    assert place.utc(90_000 * 600) == pytest.approx(5000.0)
