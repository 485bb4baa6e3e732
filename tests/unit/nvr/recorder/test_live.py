"""Live view: what viewers get, when they get it, and that the recording pays for nothing else."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from core.clock import ManualClock
from nvr.cameras.depacketizer import AccessUnit
from nvr.cameras.h264 import ParameterSets, PictureSize
from nvr.recorder.fmp4_reader import MovieFragment, movie_fragment
from nvr.recorder.live import Live, LiveTimeline
from nvr.recorder.recording import Recording
from tests.unit.nvr.cameras.packets import OTHER_SPS, PPS
from tests.unit.nvr.recorder.pictures import FRAME, stream, unit


@dataclass(eq=False)
class Eye:
    """A viewer that writes down what it sees; slow when told."""

    slow: bool = False
    begun: list[str] = field(default_factory=list)
    fragments: list[bytes] = field(default_factory=list)

    def begin(self, name: str, size: PictureSize, head: bytes) -> None:
        assert head[4:8] == b"ftyp"
        self.begun.append(f"{name} {size.width}x{size.height}")

    def show(self, fragment: bytes) -> bool:
        if not self.slow:
            self.fragments.append(fragment)
        return not self.slow

    @property
    def seen(self) -> list[MovieFragment]:
        """What was shown, taken apart; every box fits."""
        found = []
        for fragment in self.fragments:
            (head,) = struct.unpack_from(">I", fragment)
            (body,) = struct.unpack_from(">I", fragment, head)
            assert head + body == len(fragment)
            moof = movie_fragment(fragment, 0, head)
            assert moof is not None
            assert moof.data_at + sum(moof.sizes) == len(fragment)
            found.append(moof)
        return found

    @property
    def pictures(self) -> int:
        return sum(len(moof.sizes) for moof in self.seen)


@dataclass
class Scene:
    live: Live
    recording: Recording
    clock: ManualClock

    async def sweep(self, units: list[AccessUnit], each: int = 3) -> None:
        """Pictures arrive, `each` in one sweep."""
        for at in range(0, len(units), each):
            for one in units[at : at + each]:
                self.clock.advance(1 / 25)
                self.recording.add(one)
            await asyncio.sleep(0)  # the loop goes on to what was scheduled
            await asyncio.sleep(0)


def scene(play: Callable[[Scene], Awaitable[None]]) -> None:
    clock = ManualClock()
    live, recording = Live(clock), Recording("cam", clock, 300)
    live.attach("cam", recording)

    async def run() -> None:
        await play(Scene(live, recording, clock))

    asyncio.run(run())


def test_nothing_is_made_without_viewers_and_nothing_after_the_last() -> None:
    async def play(at: Scene) -> None:
        await at.sweep(stream(0, 10))
        assert at.recording.watcher is None
        eye = Eye()
        at.live.join("cam", eye)
        assert at.recording.watcher is not None
        at.live.leave("cam", eye)
        assert at.recording.watcher is None
        await at.sweep(stream(10, 10))
        assert eye.pictures == 9  # of the group in the making, the last one held back

    scene(play)


def test_a_newcomer_sees_the_group_in_the_making_at_once_and_then_each_picture_once() -> None:
    async def play(at: Scene) -> None:
        units = stream(0, 60)
        await at.sweep(units[:16])
        first, second = Eye(), Eye()
        at.live.join("cam", first)
        assert first.begun == ["avc1.4d4016 640x360"]
        assert first.pictures == 5  # numbers 10 to 14; 15 is held back
        await at.sweep(units[16:28])
        at.live.join("cam", second)
        assert (second.begun, second.pictures) == (first.begun, 7)  # 20 to 26
        await at.sweep(units[28:])
        assert (first.pictures, second.pictures) == (49, 39)
        assert first.fragments[-3:] == second.fragments[-3:]
        assert first.fragments[-1] is second.fragments[-1]  # made once for all
        for eye in (first, second):
            assert all(a.start + a.ticks == b.start for a, b in pairwise(eye.seen))
        assert first.seen[-1].start + first.seen[-1].ticks == 49 * FRAME

    scene(play)


def test_a_slow_viewer_loses_pictures_up_to_the_next_key_frame_and_others_none() -> None:
    async def play(at: Scene) -> None:
        good, slow = Eye(), Eye()
        at.live.join("cam", good)
        at.live.join("cam", slow)
        await at.sweep(stream(0, 24, gop=10), each=2)
        before = len(slow.fragments)
        slow.slow = True
        await at.sweep([unit(24)], each=1)
        await at.sweep([unit(25)], each=1)
        slow.slow = False
        await at.sweep([unit(n, key=n == 30) for n in range(26, 40)], each=2)
        back = slow.seen[before]
        assert back.start == 30 * FRAME
        assert len(slow.begun) == 2
        assert good.pictures == 39
        assert all(a.start + a.ticks == b.start for a, b in pairwise(good.seen))

    scene(play)


def test_other_parameters_begin_another_stream_at_a_fragments_border() -> None:
    async def play(at: Scene) -> None:
        eye = Eye()
        at.live.join("cam", eye)
        await at.sweep(stream(0, 5))
        await at.sweep([unit(n, key=n == 5, sets=ParameterSets((OTHER_SPS,), (PPS,))) for n in range(5, 12)])
        assert eye.begun == ["avc1.4d4016 640x360", "avc1.640028 1920x1080"]
        assert [moof.start // FRAME for moof in eye.seen if moof.start >= 4 * FRAME][:2] == [4, 5]

    scene(play)


def test_after_another_session_time_goes_on_by_the_clock() -> None:
    async def play(at: Scene) -> None:
        eye = Eye()
        at.live.join("cam", eye)
        await at.sweep(stream(0, 10))
        at.recording.session_ended()
        assert eye.pictures == 10  # the one held back, too
        at.clock.advance(30)
        await at.sweep(stream(0, 11, base=77_000_000))
        later = eye.seen[-1]
        assert later.start / 90_000 == pytest.approx(0.4 + 30 + 0.4, abs=0.2)

    scene(play)


def test_a_camera_that_comes_back_after_its_removal_is_seen_again() -> None:
    async def play(at: Scene) -> None:
        eye = Eye()
        at.live.join("cam", eye)
        await at.sweep(stream(0, 10))
        at.live.attach("cam", None)
        assert at.recording.watcher is None
        at.recording = Recording("cam", at.clock, 300)
        at.live.attach("cam", at.recording)
        await at.sweep(stream(0, 11, base=5_000_000))
        assert eye.pictures == 20
        starts = [moof.start for moof in eye.seen]
        assert starts == sorted(starts)

    scene(play)


def test_parameter_sets_without_sense_reach_no_viewer_and_do_not_end_live_view() -> None:
    async def play(at: Scene) -> None:
        eye = Eye()
        at.live.join("cam", eye)
        at.live._cameras["cam"].add(unit(0, key=True, sets=ParameterSets((b"\x67\x4d",), (PPS,))))
        await asyncio.sleep(0)
        assert eye.fragments == []
        at.live._cameras["cam"].add(unit(1, key=True))
        at.live._cameras["cam"].add(unit(2))
        await asyncio.sleep(0)
        assert eye.pictures == 1

    scene(play)


def test_b_frames_are_decoded_in_order_and_shown_at_their_times() -> None:
    timeline = LiveTimeline(ManualClock())
    order = [0, 3, 1, 2, 6, 4, 5]
    shown = [9 * group + number for group in range(4) for number in order]
    placed = [timeline.place(unit(n, key=n % 9 == 0)) for n in shown]
    decoded = [decode for decode, _ in placed]
    assert decoded == sorted(set(decoded))
    assert [at for _, at in placed] == [n * FRAME for n in shown]
