"""The recorder's decisions, by tables and by hypothesis."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.settings import Camera
from nvr.recorder.decide import (
    RETRY_VOLUME,
    SETTLE_FREE,
    Action,
    Assign,
    CloseVolume,
    Connect,
    Disconnect,
    Memory,
    OpenVolume,
    Recycle,
    SessionNow,
    SessionPhase,
    Snapshot,
    WriterNow,
    assign,
    back_off,
    decide,
    recycle,
    spread,
)
from nvr.recorder.index import Segment, SegmentState
from nvr.recorder.model import VolumeState
from nvr.recorder.volumes import VolumeNow, reserve_bytes

GB = 10**9
CAM = Camera("cam1", "rtsp://10.0.0.1/a", "u", "p")
NOW = 1_800_000_000.0


def volume(name: str, state: VolumeState = VolumeState.READY, mount: int = 31, free: int = 500 * GB) -> VolumeNow:
    return VolumeNow(name, f"/srv/rackeye/{name}", state, "Because.", mount, f"uuid-{name}", free, 1000 * GB)


def running(camera: Camera = CAM, *, played: bool = True, phase: SessionPhase = SessionPhase.RUNNING) -> SessionNow:
    return SessionNow(camera, phase, played)


STEADY = Snapshot((CAM,), (running(),), (volume("vd0"),), (WriterNow("vd0", 31),), {"cam1": "vd0"})
KNOWN = Memory(homes={"cam1": "vd0"}, failures={"cam1": 0})


def actions(snapshot: Snapshot, memory: Memory = KNOWN, now: float = NOW) -> tuple[Action, ...]:
    return decide(snapshot, memory, now).actions


def test_when_all_is_well_nothing_is_done_and_nothing_is_waited_for() -> None:
    decision = decide(STEADY, KNOWN, NOW)
    assert decision.actions == ()
    assert decision.memory == KNOWN
    assert decision.again is None


def test_start_before_there_is_a_volume() -> None:
    assert actions(Snapshot((CAM,)), Memory()) == (Connect(CAM, 0.0),)


def test_a_volume_that_comes_is_opened_and_then_assigned() -> None:
    first = replace(STEADY, writers=(), assigned={})
    decision = decide(first, Memory(), NOW)
    assert decision.actions == (OpenVolume(volume("vd0")),)
    # it could not be opened: not again at once
    assert decide(first, decision.memory, NOW + 1).actions == ()
    assert decide(first, decision.memory, NOW + 1).again == pytest.approx(RETRY_VOLUME - 1)
    assert decide(first, decision.memory, NOW + RETRY_VOLUME).actions == (OpenVolume(volume("vd0")),)
    # mounted anew: at once
    again = replace(first, volumes=(volume("vd0", mount=32),))
    assert decide(again, decision.memory, NOW + 1).actions == (OpenVolume(volume("vd0", mount=32)),)
    opened = decide(replace(STEADY, assigned={}), decision.memory, NOW + 1)
    assert opened.actions == (Assign("cam1", "vd0"),)
    assert opened.memory.retry == {}


@pytest.mark.parametrize(
    "now",
    [
        (),
        (volume("vd0", VolumeState.UNMOUNTED),),
        (volume("vd0", mount=32),),
        (volume("vd0", VolumeState.READ_ONLY),),
        (volume("vd0", VolumeState.NO_IDENTITY),),
        (volume("vd0", VolumeState.SYSTEM_DRIVE),),
    ],
)
def test_a_volume_that_is_not_what_it_was_is_closed_and_nobody_writes(now: tuple[VolumeNow, ...]) -> None:
    done = [a for a in actions(replace(STEADY, volumes=now)) if not isinstance(a, OpenVolume)]
    assert isinstance(done[0], CloseVolume)
    assert done[1:] == [Assign("cam1", None)]


def test_a_volume_that_fails_is_closed_its_cameras_move_and_come_home() -> None:
    two = (volume("vd0"), volume("vd1"))
    writers = (WriterNow("vd0", 31, "Input/output error"), WriterNow("vd1", 31))
    failed = decide(replace(STEADY, volumes=two, writers=writers), KNOWN, NOW)
    assert failed.actions == (CloseVolume("vd0", "Input/output error"), Assign("cam1", "vd1"))
    away = replace(STEADY, volumes=two, writers=writers[1:], assigned={"cam1": "vd1"})
    assert decide(away, failed.memory, NOW + 1).actions == ()
    assert decide(away, failed.memory, NOW + RETRY_VOLUME).actions == (OpenVolume(two[0]),)
    back = replace(away, writers=(WriterNow("vd0", 31), WriterNow("vd1", 31)))
    assert decide(back, failed.memory, NOW + RETRY_VOLUME + 1).actions == (Assign("cam1", "vd0"),)


def test_sessions() -> None:
    changed = replace(CAM, url="rtsp://10.0.0.2/b")
    assert actions(replace(STEADY, cameras=(changed,))) == (Disconnect("cam1"),)
    assert actions(replace(STEADY, cameras=(replace(CAM, volume="vd0"),))) == ()
    assert actions(replace(STEADY, cameras=())) == (Assign("cam1", None), Disconnect("cam1"))
    assert Disconnect("cam1") in actions(replace(STEADY, cameras=(replace(CAM, enabled=False),)))
    assert actions(replace(STEADY, cameras=(), sessions=(), assigned={})) == ()


def test_failures_count_until_pictures_come() -> None:
    ended = replace(STEADY, sessions=(running(played=False, phase=SessionPhase.ENDED),))
    memory, delays = KNOWN, []
    for _ in range(9):
        decision = decide(ended, memory, NOW)
        (connect,) = decision.actions
        assert isinstance(connect, Connect)
        delays.append(connect.delay)
        memory = decision.memory
    assert delays[0] < 4
    assert all(15 <= delay <= 30 for delay in delays[-4:])
    played = replace(STEADY, sessions=(running(played=True, phase=SessionPhase.ENDED),))
    decision = decide(played, memory, NOW)
    assert decision.memory.failures == {"cam1": 0}
    assert decision.actions == (Connect(CAM, back_off("cam1", 0)),)


@given(st.text(min_size=1), st.integers(0, 1000))
def test_back_off_is_between_1_and_30_seconds(name: str, failures: int) -> None:
    assert 1 <= back_off(name, failures) <= 30


def test_first_connects_are_staggered_and_back_offs_differ() -> None:
    many = tuple(Camera(f"c{n}", "rtsp://h/") for n in range(20))
    delays = [a.delay for a in actions(Snapshot(many), Memory()) if isinstance(a, Connect)]
    assert delays == [pytest.approx(0.05 * n) for n in range(20)]
    assert len({back_off(camera.name, 5) for camera in many}) == 20


names = st.integers(0, 30).map("c{}".format)
volumes = st.lists(st.sampled_from(("vd0", "vd1", "vd2", "vd3")), unique=True, min_size=1).map(sorted)


@given(st.sets(names), volumes, st.dictionaries(names, st.sampled_from(("vd0", "vd1", "vd7"))))
def test_cameras_are_spread_evenly_and_stay(free: set[str], there: list[str], homes: dict[str, str]) -> None:
    cameras = [Camera(name, "rtsp://h/") for name in sorted(free)]
    found = spread(cameras, there, homes)
    load = Counter(found.values())
    assert set(found) == free
    assert set(load) <= set(there)
    assert max(load.values(), default=0) - min((load[v] for v in there), default=0) <= 1
    assert spread(cameras, there, found) == found


@given(st.sets(names), volumes, st.sets(st.sampled_from(("vd0", "vd1", "vd2", "vd3"))), st.dictionaries(names, names))
def test_cameras_write_only_where_it_is_possible(
    free: set[str], there: list[str], usable: set[str], old: dict[str, str]
) -> None:
    cameras = [Camera(name, "rtsp://h/") for name in sorted(free)]
    homes = spread(cameras, there, {})
    found = assign(cameras, homes, usable, old)
    assert set(found) == (free if usable else set())
    assert set(found.values()) <= usable
    assert all(found[name] == homes[name] for name in found if homes[name] in usable)
    assert assign(cameras, homes, usable, found) == found


def test_a_setting_counts_more_than_evenness_and_a_stray_folder_is_no_home() -> None:
    cameras = (Camera("a", "rtsp://h/", volume="vd1"), Camera("b", "rtsp://h/", volume="vd1"), Camera("c", "rtsp://h/"))
    assert spread(cameras, ["vd0", "vd1"], {"c": "vd1"}) == {"a": "vd1", "b": "vd1", "c": "vd0"}
    stray = replace(STEADY, volumes=(volume("vd0"), volume("lost", VolumeState.UNMOUNTED)))
    assert decide(stray, Memory(), NOW).memory.homes == {"cam1": "vd0"}


def segment(number: int, size: int = 10 * GB) -> Segment:
    return Segment("cam1", "vd0", f"p{number}", number, number + 1, size, 1, SegmentState.CLOSED)


def test_the_oldest_go_before_a_volume_is_full() -> None:
    oldest = tuple(segment(n) for n in range(64))
    full = replace(STEADY, volumes=(volume("vd0", free=35 * GB),), oldest={"vd0": oldest}, reserve_percent=5.0)
    decision = decide(full, KNOWN, NOW)
    assert decision.actions == (Recycle("vd0", oldest[:2]),)
    # what was removed is not counted as free at once
    assert decide(full, decision.memory, NOW + 1).actions == ()
    assert decide(full, decision.memory, NOW + 1).again == pytest.approx(SETTLE_FREE - 1)
    assert decide(full, decision.memory, NOW + SETTLE_FREE).actions != ()
    enough = replace(full, volumes=(volume("vd0", free=50 * GB),))
    assert decide(enough, KNOWN, NOW).actions == ()
    assert actions(replace(full, volumes=(volume("vd0", VolumeState.UNMOUNTED, free=0),)))[2:] == ()


@given(st.lists(st.integers(1, 100), max_size=20), st.integers(-50, 500), st.integers(0, 50))
def test_recycling_takes_the_oldest_enough_and_no_more(sizes: list[int], missing: int, slack: int) -> None:
    oldest = [segment(n, size) for n, size in enumerate(sizes)]
    chosen = recycle(oldest, missing, slack)
    assert list(chosen) == oldest[: len(chosen)]
    if missing <= 0:
        assert chosen == ()
    else:
        assert sum(s.bytes for s in chosen) >= min(missing, sum(sizes))
        assert sum(s.bytes for s in chosen[:-1]) < missing + slack


@given(st.integers(1 << 20, 1 << 48), st.floats(0, 50))
def test_the_reserve_is_never_nothing(total: int, percent: float) -> None:
    assert min(256 << 20, total // 51) <= reserve_bytes(total, percent) <= total // 2 + 1
