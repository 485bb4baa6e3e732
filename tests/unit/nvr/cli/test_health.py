"""`rackeye health` as monitoring sees it."""

import json
from dataclasses import replace

import pytest

from boot.failover import SENTENCE
from boot.failover_model import FailoverSnapshot, FailoverState
from core.errors import DaemonGone
from nvr.alarms.model import Health, Level, PolicySnapshot
from nvr.cli.client import FAILOVER, FAN, POLICY, RAID
from nvr.cli.mode import BOX
from raid.model import RaidSnapshot, VdState
from tests.unit.nvr.cli.fakes import ALARM, POLICY_GOOD, REDUNDANT, FakeClient, client, rackeye, virtual_drive


def with_alarm(level: Level) -> FakeClient:
    some = client()
    some.said[POLICY.name] = replace(POLICY_GOOD, alarms=(replace(ALARM, level=level),))
    return some


def with_vd(state: VdState) -> FakeClient:
    some = client()
    some.said[RAID.name] = RaidSnapshot(virtual_drives=(virtual_drive(0, state=state),))
    return some


def gone(some: FakeClient, *names: str) -> FakeClient:
    for name in names:
        some.said[name] = DaemonGone(f"{name} is not running.")
    return some


@pytest.mark.parametrize(("some", "code", "word"), [
    (client(), 0, "OK"),
    (with_alarm(Level.NOTICE), 0, "OK"),
    (with_alarm(Level.WARNING), 1, "WARNING"),
    (with_alarm(Level.CRITICAL), 2, "CRITICAL"),
    (with_vd(VdState.DEGRADED), 1, "WARNING"),
    (with_vd(VdState.FAILED), 2, "CRITICAL"),
    (with_vd(VdState.UNKNOWN), 3, "UNKNOWN"),
    (gone(client(), FAN.name), 3, "UNKNOWN"),
    (gone(with_alarm(Level.WARNING), FAN.name), 3, "UNKNOWN"),
    (gone(with_alarm(Level.CRITICAL), FAN.name), 2, "CRITICAL"),
    (gone(with_vd(VdState.FAILED), POLICY.name), 2, "CRITICAL"),
    (client(said={}), 3, "UNKNOWN"),
    (gone(client(), BOX.name), 3, "UNKNOWN"),
    (client(said=dict(REDUNDANT)), 0, "OK"),
    (gone(client(said=dict(REDUNDANT)), FAILOVER.name), 3, "UNKNOWN"),
    (client(old=100.0), 3, "UNKNOWN"),  # a recording whose figures stand still
])
def test_the_code_and_the_word(some: FakeClient, code: int, word: str) -> None:
    result = rackeye(some, "health")
    assert result.exit_code == code
    assert result.stdout.startswith(f"RACKEYE {word} - ")
    assert len(result.stdout.splitlines()) == 1
    document = json.loads(rackeye(some, "health", "--json").stdout)
    assert (document["exit_code"], document["health"]) == (code, word)


def test_the_line_has_figures_and_only_one_bar() -> None:
    assert rackeye(client(), "health").stdout == (
        "RACKEYE OK - All is well. | 'cameras'=1 'recording'=1 'chassis'=31 'fan_1'=1200 'vd0_free'=9000000000000\n"
    )
    some = client()
    some.said[POLICY.name] = replace(POLICY_GOOD, alarms=(replace(ALARM, text="a|b\nc\x1b"),))
    assert rackeye(some, "health").stdout.startswith("RACKEYE CRITICAL - a/b c? | ")


def test_a_redundant_server_tells_what_it_is_and_has_no_cameras() -> None:
    some = client(said=dict(REDUNDANT))
    assert rackeye(some, "health").stdout == f"RACKEYE OK - All is well. {SENTENCE} | 'chassis'=31 'fan_1'=1200\n"
    assert json.loads(rackeye(some, "health", "--json").stdout)["failover"]["state"] == "Waiting for a CMS"
    assert json.loads(rackeye(client(), "health", "--json").stdout)["failover"] is None
    some.said[FAILOVER.name] = FailoverSnapshot(FailoverState.WAITING, "V0.1.0R", SENTENCE, ("The bus went away.",))
    assert rackeye(some, "health").stdout.startswith(f"RACKEYE WARNING - The bus went away. {SENTENCE} | ")


def test_a_silent_part_is_named_and_its_figures_are_unknown() -> None:
    some = client()
    some.said[POLICY.name] = PolicySnapshot(Health.UNKNOWN, (), (), {"rackeye-raidd": False})
    assert "rackeye-raidd does not answer" in rackeye(some, "health").stdout
    assert "'cameras'=U 'recording'=U" in rackeye(client(said={}), "health").stdout


def test_a_misuse_is_unknown_as_2_would_be_critical() -> None:
    result = rackeye(client(), "health", "--nonsense")
    assert result.exit_code == 3
    assert "No such option" in result.stderr
