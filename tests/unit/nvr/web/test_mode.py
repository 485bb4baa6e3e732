"""A redundant server has no recorder: nobody misses it, and what runs in its place is shown."""

import msgspec
import pytest

from boot.failover import SENTENCE
from boot.failover_model import FailoverSnapshot, FailoverState
from boot.model import BoxSnapshot, Mode
from core.bus import Envelope
from core.clock import ManualClock
from nvr.web import metrics
from nvr.web.hub import Hub
from nvr.web.rooms import BOX_ROOM, FAILOVER, RECORDER


def hear(hub: Hub, key: str, data: object) -> None:
    hub.hear(key, Envelope(1, 0.0, msgspec.Raw(msgspec.json.encode(data))))


@pytest.fixture
def hub() -> Hub:
    made = Hub(ManualClock())
    hear(made, "box", BoxSnapshot(Mode.FAILOVER))
    hear(made, "failover", FailoverSnapshot(FailoverState.WAITING, "V0.1.0R", SENTENCE))
    return made


def test_the_metrics_of_a_redundant_server(hub: Hub) -> None:
    lines = metrics.text(hub).splitlines()
    assert 'rackeye_daemon_up{daemon="rackeye-failover"} 1' in lines
    assert not any("rackeye-recorder" in line for line in lines)
    assert 'rackeye_mode{mode="Failover Mode"} 1' in lines
    assert 'rackeye_failover_state{state="Waiting for a CMS"} 1' in lines


def test_what_the_mode_lacks_is_said_and_not_missed(hub: Hub) -> None:
    assert hub.gone(RECORDER).sentence == "There is no rackeye-recorder in Failover Mode."
    assert hub.gone(FAILOVER).sentence == "rackeye-failover is not running."
    standard = Hub(ManualClock())
    hear(standard, "box", BoxSnapshot())
    assert standard.gone(FAILOVER).sentence == "There is no rackeye-failover in Standard Mode."
    assert standard.gone(RECORDER).sentence == "rackeye-recorder is not running."
    assert 'daemon="rackeye-failover"' not in metrics.text(standard)


def test_the_mode_outlives_boxd_and_without_its_word_the_failover_service_tells(hub: Hub) -> None:
    hub.hear("failover", None)
    hub.hear("box", None)
    assert hub.mode is Mode.FAILOVER
    young = Hub(ManualClock())
    assert young.mode is Mode.STANDARD
    hear(young, "failover", FailoverSnapshot(FailoverState.WAITING, "V0.1.0R", SENTENCE))
    assert (young.mode, BOX_ROOM in young.awaited, RECORDER in young.awaited) == (Mode.FAILOVER, True, False)
