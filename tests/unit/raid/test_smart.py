"""What a drive says of itself: four kinds of drives, the limits, and that nothing unknown is ever called good."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raid.smart import ASLEEP, Outcome, Reading, judge
from raid.smart_limits import LIMITS
from raid.smart_model import Figures, SmartHealth
from rig import smart_documents as docs

GOOD, WATCH, FAILING, UNKNOWN = SmartHealth.GOOD, SmartHealth.WATCH, SmartHealth.FAILING, SmartHealth.UNKNOWN
Document = docs.Document


def read(document: Document) -> Reading:
    return judge(json.dumps(document), document["smartctl"]["exit_status"])


@pytest.mark.parametrize(
    ("document", "figures"),
    [
        (docs.sata_hdd("S"), Figures("ATA", True, 34, 21_456, None, None, 0, 0, 0, firmware="80.00A80")),
        (docs.sata_ssd("S"), Figures("ATA", True, 27, 8_462, 10, None, 0, None, 0)),
        (docs.sata_ssd("S", left=90, used=4), Figures("ATA", True, 27, 8_462, 4, None, 0, None, 0)),
        (docs.nvme("S"), Figures("NVMe", True, 35, 12_798, 3, 99, None, None, 0)),
        (docs.sas("S", grown=4), Figures("SCSI", True, 31, 5_675, None, None, None, None, 0, 4, "N004")),
    ],
    ids=["SATA hard disk", "SATA SSD", "SATA SSD with statistics", "NVMe", "SAS"],
)
def test_a_good_drive_of_each_kind(document: Document, figures: Figures) -> None:
    assert read(document) == Reading(Outcome.READ, GOOD, "", figures)


@pytest.mark.parametrize(
    ("document", "health", "words"),
    [
        (docs.sata_hdd("S", passed=False, reallocated=1975), FAILING, "The drive itself says that it is failing"),
        (docs.sata_hdd("S", pending=8), WATCH, "8 sectors cannot be read"),
        (docs.sata_hdd("S", pending=50), FAILING, "50 sectors cannot be read"),
        (docs.sata_hdd("S", reallocated=1), WATCH, "1 sectors were reallocated"),
        (docs.sata_hdd("S", uncorrectable=60), FAILING, "60 errors could not be corrected"),
        (docs.sata_hdd("S", temperature=61), WATCH, "It has 61 °C"),
        (docs.sata_ssd("S", temperature=65), GOOD, ""),
        (docs.sata_ssd("S", left=6), WATCH, "94 % of its rated endurance"),
        (docs.sata_ssd("S", left=4), FAILING, "Wear Leveling Count is below its limit"),
        (docs.sata_ssd("S", used=100), FAILING, "100 % of its rated endurance"),
        (docs.nvme("S", warning=0b100), FAILING, "its reliability is degraded"),
        (docs.nvme("S", warning=0b1000), FAILING, "it has become read-only"),
        (docs.nvme("S", spare=9), FAILING, "9 % of its spare blocks are left, and its limit is 10 %"),
        (docs.nvme("S", used=240), FAILING, "240 %"),
        (docs.nvme("S", errors=7), WATCH, "7 errors"),
        (docs.sas("S", verdict="HARDWARE IMPENDING FAILURE"), FAILING, "(hardware impending failure)"),
        (docs.sas("S", grown=200), FAILING, "200 defects have grown"),
        (docs.sas("S", uncorrected=3), WATCH, "3 errors"),
        (docs.sas("S", pending=2), WATCH, "2 sectors"),
        (docs.sas("S", temperature=60), WATCH, "It has 60 °C"),
    ],
)
def test_signs(document: Document, health: SmartHealth, words: str) -> None:
    reading = read(document)
    assert (reading.outcome, reading.health) == (Outcome.READ, health)
    assert words in reading.detail
    assert bool(reading.detail) is (health is not GOOD)


@pytest.mark.parametrize("limit", LIMITS, ids=[limit.figure for limit in LIMITS])
def test_every_limit_is_a_step(limit: Any) -> None:
    assert 0 < limit.watch < limit.failing
    assert limit.figure in Figures.__dataclass_fields__


def changed(alter: Callable[[Document], object], document: Document | None = None) -> Reading:
    made = document or docs.sata_hdd("S")
    alter(made)
    return read(made)


@pytest.mark.parametrize(
    ("alter", "outcome", "health", "words"),
    [
        (lambda d: d.pop("smart_status"), Outcome.READ, UNKNOWN, "no verdict"),
        (lambda d: d["smart_status"].update(passed="yes"), Outcome.READ, UNKNOWN, "no verdict"),
        (lambda d: d.pop("device"), Outcome.BROKEN, UNKNOWN, "what kind of drive"),
        (lambda d: d.update(json_format_version=[2, 0]), Outcome.BROKEN, UNKNOWN, "not known"),
        (lambda d: d["smart_support"].update(available=False), Outcome.NOT_OFFERED, UNKNOWN, "offers no"),
        (lambda d: d["smart_support"].update(enabled=False), Outcome.NOT_OFFERED, UNKNOWN, "switched off"),
        (lambda d: d["smartctl"].update(exit_status=2), Outcome.BROKEN, UNKNOWN, "cannot read it"),
        (lambda d: d["smartctl"].update(exit_status=1), Outcome.NOT_OFFERED, UNKNOWN, "offers no"),
        (lambda d: d["smartctl"].update(exit_status=4), Outcome.READ, GOOD, ""),
        (lambda d: d["smartctl"].update(exit_status=8), Outcome.READ, FAILING, "says that it is failing"),
        (lambda d: d["smartctl"].update(exit_status=16), Outcome.READ, FAILING, "pre-failure attribute"),
        (lambda d: d["smartctl"].update(exit_status=32), Outcome.READ, WATCH, "has been below"),
    ],
)
def test_what_is_not_understood_is_not_good(
    alter: Callable[[Document], object], outcome: Outcome, health: SmartHealth, words: str
) -> None:
    reading = changed(alter)
    assert (reading.outcome, reading.health) == (outcome, health)
    assert words in reading.detail


def test_a_drive_that_sleeps() -> None:
    assert read(docs.asleep("S")) == Reading(Outcome.ASLEEP, detail="It sleeps, and was not woken.")
    assert docs.asleep("S")["smartctl"]["exit_status"] == ASLEEP


def test_a_drive_that_smartctl_does_not_know_is_no_trouble() -> None:
    """What smartctl 7.3 says of a virtual machine's disk."""
    said = {
        "json_format_version": [1, 0],
        "smartctl": {
            "version": [7, 3], "exit_status": 1,
            "messages": [{"string": "/dev/vda: Unable to detect device type", "severity": "error"}],
        },
    }
    reading = read(said)
    assert reading.outcome is Outcome.NOT_OFFERED
    assert reading.detail == "It offers no S.M.A.R.T. smartctl: /dev/vda: Unable to detect device type."


def test_a_scsi_target_without_sensors() -> None:
    """What smartctl 7.3 says of a drive of the rack (LIO): it says that it is well, and nothing else."""
    said = {
        "json_format_version": [1, 0], "smartctl": {"version": [7, 3], "exit_status": 0},
        "device": {"name": "/dev/sda", "info_name": "/dev/sda", "type": "scsi", "protocol": "SCSI"},
        "smart_support": {"available": True, "enabled": True}, "temperature_warning": {"enabled": False},
        "smart_status": {"passed": True}, "temperature": {"current": 0}, "scsi_temperature": {"drive_trip": 0},
    }  # fmt: skip
    assert read(said) == Reading(Outcome.READ, GOOD, "", Figures("SCSI", True))


def test_a_maker_packs_other_things_into_the_raw_bytes() -> None:
    def packed(document: Document) -> None:
        document["ata_smart_attributes"]["table"][0]["raw"] = {"value": 8_589_934_592_000, "string": "0 (2000, 0)"}

    assert changed(packed).figures.reallocated == 0


def test_the_number_of_an_attribute_means_other_things_to_other_makers() -> None:
    def other(document: Document) -> None:
        document["ata_smart_attributes"]["table"][2].update(id=233, name="SandForce_Internal", value=0, thresh=0)
        document["ata_smart_attributes"]["table"][2]["when_failed"] = ""

    assert changed(other, docs.sata_ssd("S")).figures.wear is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KINDS = (docs.sata_hdd("S"), docs.sata_ssd("S", used=3), docs.nvme("S"), docs.sas("S", pending=0))


def paths(value: object, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for key, one in inner for path in paths(one, (*here, key)))]


def put(document: Document, path: tuple[Any, ...], value: object) -> object:
    copy: Any = json.loads(json.dumps(document))
    if not path:
        return value
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copy


@given(text=st.text(max_size=200) | JSON.map(json.dumps), status=st.integers(-20, 255))
def test_garbage_is_never_good(text: str, status: int) -> None:
    assert judge(text, status).health in (UNKNOWN, FAILING)


@given(kind=st.sampled_from(KINDS), data=st.data(), value=JSON, status=st.integers(0, 255))
def test_a_document_with_a_piece_of_garbage(kind: Document, data: st.DataObject, value: object, status: int) -> None:
    """Good is only what says so itself, with a good exit status, in a form that we know."""
    broken: Any = put(kind, data.draw(st.sampled_from(paths(kind))), value)
    reading = judge(json.dumps(broken), status)
    if reading.health is GOOD:
        assert broken["smart_status"]["passed"] is True
        assert broken["device"]["protocol"] in ("ATA", "NVMe", "SCSI")
        assert broken["json_format_version"][0] == 1
        assert status & 0b111011 == 0
        assert reading.figures.passed is True


@given(kind=st.sampled_from(KINDS), data=st.data(), value=JSON, status=st.integers(0, 255))
def test_failed_stays_failed_whatever_else_is_garbage(
    kind: Document, data: st.DataObject, value: object, status: int
) -> None:
    failed: Any = put(kind, ("smart_status", "passed"), False)
    safe = ("smart_status", "json_format_version", "device", "smart_support")
    path = data.draw(st.sampled_from([path for path in paths(failed) if path and path[0] not in safe]))
    reading = judge(json.dumps(put(failed, path, value)), status & ~0b11)
    assert reading.health is FAILING
