"""`rackeye drive smart`, and S.M.A.R.T. in `rackeye drive show`."""

import json

from nvr.cli.client import RAID
from raid.model import Done, DriveState, RaidSnapshot
from raid.smart_model import (
    Figures,
    ReadSmartRequest,
    Smart,
    SmartHealth,
    SmartHistory,
    SmartHistoryRequest,
    SmartRecord,
)
from tests.unit.nvr.cli.fakes import FakeClient, client, drive, rackeye

WORN = Figures("ATA", True, 34, 21_456, 93, None, 12, 8, 0)
SMART = Smart(SmartHealth.WATCH, "93 % of its rated endurance is used.", WORN, 1000.0)


def with_smart() -> FakeClient:
    some = client(replies={
        "ReadSmart": Done("The drive in bay 3 is being asked."),
        "SmartHistory": SmartHistory("SN3", "RACK 6TB", (SmartRecord(1000.0, SMART.health, SMART.detail, WORN),)),
    })
    gone = drive(4, DriveState.MISSING, device=None)
    some.said[RAID.name] = RaidSnapshot(drives=(drive(2), drive(3, smart=SMART), gone))
    return some


def test_what_a_drive_says_of_itself() -> None:
    words = rackeye(with_smart(), "drive", "smart", "--bay", "3").stdout
    for word in ("Watch", "93 % of its rated endurance is used.", "PASSED", "34 °C", "21456 h", "93 %"):
        assert word in words
    assert "Grown defects" not in words  # no such list on an ATA drive
    table = rackeye(with_smart(), "drive", "smart").stdout.splitlines()
    assert table[2].split()[:5] == ["2", "???", "???", "???", "???"]
    assert table[3].split()[:9] == ["3", "Watch", "PASSED", "34", "21456", "93", "12", "8", "0"]
    assert not any(line.startswith("  4") for line in table)  # a drive that is gone says nothing
    shown = rackeye(with_smart(), "drive", "show", "3").stdout
    assert "Watch" in shown
    assert "34 °C" in shown


def test_a_drive_is_asked_now_and_for_what_it_said_earlier() -> None:
    some = with_smart()
    assert rackeye(some, "drive", "smart", "--bay", "3", "--read").stdout == "The drive in bay 3 is being asked.\n"
    assert "21456" in rackeye(some, "drive", "smart", "--bay", "3", "--history").stdout
    assert [(command, request) for _, command, request in some.calls] == [
        ("ReadSmart", ReadSmartRequest(3)), ("SmartHistory", SmartHistoryRequest("SN3")),
    ]  # fmt: skip
    document = json.loads(rackeye(some, "drive", "smart", "--bay", "3", "--history", "--json").stdout)
    assert document["history"]["records"][0]["figures"]["wear"] == 93
    assert rackeye(some, "drive", "smart", "--history").exit_code == 2
    assert rackeye(some, "drive", "smart", "--bay", "9").exit_code == 1
