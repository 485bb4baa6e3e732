"""Reads one drive with `smartctl --json`, and what its answer means. `judge` is pure; only `read` runs a program.

The forms are those of smartctl 7.0 to 7.5 (json_format_version 1). smartctl's exit status is a set of bits; only the
two lowest mean that the answer is no answer. What is not understood is unknown, never good.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum, unique
from typing import Any

import msgspec

from core.errors import CommandMissing, RunError
from core.run import run
from raid.smart_limits import HOT, HOT_SSD, found
from raid.smart_model import Figures, SmartHealth

TIMEOUT = 20.0
"""Seconds. A drive that spins answers in one; one that tries to read a bad sector may take ten."""
ASLEEP = 3
"""The exit status that we ask for when the drive sleeps: bits 0 and 1 never come together otherwise."""
NOT_UNDERSTOOD, NOT_OPENED = 1 << 0, 1 << 1
DISK_FAILING, PREFAIL_NOW, PREFAIL_PAST = 1 << 3, 1 << 4, 1 << 5
LARGEST = 1 << 53
PROTOCOLS = ("ATA", "NVMe", "SCSI")
# Attributes of SSDs that count down from 100, by smartctl's name: the same number means other things to other makers.
LIFE_LEFT = {
    "SSD_Life_Left", "Media_Wearout_Indicator", "Percent_Lifetime_Remain", "Remaining_Lifetime_Perc",
    "Wear_Leveling_Count",
}  # fmt: skip
LEADING = re.compile(r"[0-9]{1,15}(?![0-9])", re.ASCII)
# NVMe base specification, critical warning: a bit each.
NVME_FAILING = {
    0: "its spare blocks are below the limit", 2: "its reliability is degraded", 3: "it has become read-only",
    4: "its memory backup has failed",
}  # fmt: skip
NVME_HOT = 1


@unique
class Outcome(StrEnum):
    """How a try to read ended. BROKEN: the drive or smartctl does not answer as it should, which people are told."""

    READ = "read"
    ASLEEP = "asleep"
    NOT_OFFERED = "not offered"
    BROKEN = "broken"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Reading:
    """One try. detail: a sentence; empty when all is well."""

    outcome: Outcome
    health: SmartHealth = SmartHealth.UNKNOWN
    detail: str = ""
    figures: Figures = Figures()


def read(device: str) -> Reading:
    """Asks one drive, and does not wake it. Never raises; takes TIMEOUT at the most."""
    argv = ["smartctl", "--json", "-n", f"standby,{ASLEEP}", "-i", "-H", "-A", "-l", "error", "-l", "ssd", device]
    try:
        done = run(argv, timeout=TIMEOUT, ok=range(256))
    except CommandMissing as error:
        return Reading(Outcome.MISSING, detail=f"{error.sentence} {error.hint}.")
    except RunError as error:
        return Reading(Outcome.BROKEN, detail=error.sentence)
    return judge(done.stdout, done.returncode)


def judge(text: str, status: int) -> Reading:
    """What an answer of smartctl means. Never raises."""
    if status == ASLEEP:
        return Reading(Outcome.ASLEEP, detail="It sleeps, and was not woken.")
    try:
        document = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return Reading(Outcome.BROKEN, detail="smartctl's answer is no JSON.")
    figures = _figures(document)
    return _no_answer(document, status, figures) or _weigh(document, status, figures)


def _no_answer(document: object, status: int, figures: Figures) -> Reading | None:
    """Why nothing can be said of the drive by this document."""
    if _number(document, "json_format_version", 0) != 1:
        return Reading(Outcome.BROKEN, detail="smartctl's answer has a form that is not known.")
    if status & NOT_OPENED or status < 0:
        return Reading(Outcome.BROKEN, detail=f"smartctl cannot read it.{_message(document)}")
    if status & NOT_UNDERSTOOD:  # what it says of a drive whose kind it does not know, such as a virtual machine's
        return Reading(Outcome.NOT_OFFERED, detail=f"It offers no S.M.A.R.T.{_message(document)}")
    if _at(document, "smart_support", "available") is False:
        return Reading(Outcome.NOT_OFFERED, detail="It offers no S.M.A.R.T.")
    if _at(document, "smart_support", "enabled") is False:
        return Reading(Outcome.NOT_OFFERED, detail="S.M.A.R.T. is switched off in the drive (smartctl -s on).")
    if not figures.protocol:
        return Reading(Outcome.BROKEN, detail="smartctl's answer does not say what kind of drive it is.")
    return None


def _weigh(document: object, status: int, figures: Figures) -> Reading:
    said = list(_signs(document, status, figures))
    words = "; ".join(words for _, words in said)
    detail = f"{words[:1].upper()}{words[1:]}." if words else ""
    if any(failing for failing, _ in said):
        return Reading(Outcome.READ, SmartHealth.FAILING, detail, figures)
    if figures.passed is None:
        detail = f"{detail} The drive gives no verdict of its own.".strip()
        return Reading(Outcome.READ, SmartHealth.WATCH if said else SmartHealth.UNKNOWN, detail, figures)
    return Reading(Outcome.READ, SmartHealth.WATCH if said else SmartHealth.GOOD, detail, figures)


def _signs(document: object, status: int, figures: Figures) -> Iterator[tuple[bool, str]]:
    """(is it failing, in words), the gravest kind first."""
    if figures.passed is False or status & DISK_FAILING:
        said = _at(document, "smart_status", "scsi", "ie_string")
        words = f" ({said.lower()})" if isinstance(said, str) and said else ""
        yield True, f"the drive itself says that it is failing{words}"
    failed = tuple(_attributes_failed(document))
    for now, name in failed:
        yield now, f"{name} {'is' if now else 'has been'} below its limit"
    if status & PREFAIL_NOW and not any(now for now, _ in failed):
        yield True, "a pre-failure attribute is below its limit"
    if status & PREFAIL_PAST and not failed:
        yield False, "an attribute has been below its limit"
    warning = _number(document, "nvme_smart_health_information_log", "critical_warning") or 0
    for bit, words in NVME_FAILING.items():
        if warning >> bit & 1:
            yield True, words
    yield from found(figures)
    threshold = _number(document, "nvme_smart_health_information_log", "available_spare_threshold")
    if figures.spare is not None and threshold is not None and figures.spare < threshold and not warning & 1:
        yield True, f"{figures.spare} % of its spare blocks are left, and its limit is {threshold} %"
    if figures.temperature is not None and (
        figures.temperature >= _hot(document, figures) or warning >> NVME_HOT & 1
    ):
        yield False, f"it has {figures.temperature} °C"


def _hot(document: object, figures: Figures) -> int:
    """The drive's own limit, °C, where it tells one."""
    if figures.protocol == "NVMe":
        return 1000  # it says itself when it is too hot
    trip = _number(document, "temperature", "drive_trip") or _number(document, "scsi_temperature", "drive_trip")
    return trip or (HOT_SSD if _number(document, "rotation_rate") == 0 else HOT)


def _figures(document: object) -> Figures:
    protocol = _at(document, "device", "protocol")
    passed = _at(document, "smart_status", "passed")
    common = Figures(
        protocol=protocol if isinstance(protocol, str) and protocol in PROTOCOLS else "",
        passed=passed if isinstance(passed, bool) else None,
        temperature=_temperature(document),
        hours=_number(document, "power_on_time", "hours"),
        wear=_number(document, "endurance_used", "current_percent"),
        firmware=_firmware(document),
    )
    match common.protocol:
        case "ATA":
            return _ata(document, common)
        case "NVMe":
            return _nvme(document, common)
        case "SCSI":
            return _scsi(document, common)
        case _:
            return common


def _firmware(document: object) -> str:
    told = (_at(document, "firmware_version"), _at(document, "scsi_revision"))
    return next((word.strip()[:32] for word in told if isinstance(word, str) and word.strip()), "")


def _temperature(document: object) -> int | None:
    """A target without a sensor tells 0 °C, and 0 as its limit (LIO does)."""
    value = _number(document, "temperature", "current", least=-60)
    trip = (_number(document, "temperature", "drive_trip"), _number(document, "scsi_temperature", "drive_trip"))
    if value is None or value > 150 or (value == 0 and 0 in trip):
        return None
    return value


def _ata(document: object, common: Figures) -> Figures:
    raw = {number: _raw(row) for number, row in _attributes(document)}
    unreadable = [value for value in (raw.get(198), raw.get(187)) if value is not None]
    return replace(
        common,
        wear=common.wear if common.wear is not None else _ata_wear(document),
        reallocated=raw.get(5), pending=raw.get(197), uncorrectable=max(unreadable, default=None),
    )


def _ata_wear(document: object) -> int | None:
    """The standard figure (device statistics, page 7); else the makers' attributes, which count down from 100."""
    for page in _list(document, "ata_device_statistics", "pages"):
        for row in _list(page, "table"):
            if _number(page, "number") == 7 and _number(row, "offset") == 8:
                return _number(row, "value")
    if _number(document, "rotation_rate") != 0:
        return None
    for _, row in _attributes(document):
        left = _number(row, "value")
        if _at(row, "name") in LIFE_LEFT and left is not None and 1 <= left <= 100:
            return 100 - left
    return None


def _raw(row: object) -> int | None:
    """The raw value as smartctl's database reads it ("25 (Min/Max 19/39)"): makers pack other things into its bytes."""
    text = _at(row, "raw", "string")
    head = LEADING.match(text) if isinstance(text, str) else None
    return int(head[0]) if head is not None else _number(row, "raw", "value")


def _nvme(document: object, common: Figures) -> Figures:
    def of(key: str) -> int | None:
        return _number(document, "nvme_smart_health_information_log", key)

    return replace(
        common,
        temperature=common.temperature if common.temperature is not None else of("temperature"),
        hours=common.hours if common.hours is not None else of("power_on_hours"),
        wear=of("percentage_used"), spare=of("available_spare"), uncorrectable=of("media_errors"),
    )


def _scsi(document: object, common: Figures) -> Figures:
    counters = (
        _number(document, "scsi_error_counter_log", kind, "total_uncorrected_errors")
        for kind in ("read", "write", "verify")
    )
    told = [value for value in counters if value is not None]
    wear = _number(document, "scsi_percentage_used_endurance_indicator")
    return replace(
        common,
        wear=common.wear if wear is None else wear,
        pending=_number(document, "scsi_pending_defects", "count"),
        uncorrectable=sum(told) if told else None,
        grown_defects=_number(document, "scsi_grown_defect_list"),
    )


def _attributes(document: object) -> Iterator[tuple[int, object]]:
    for row in _list(document, "ata_smart_attributes", "table"):
        number = _number(row, "id")
        if number is not None:
            yield number, row


def _attributes_failed(document: object) -> Iterator[tuple[bool, str]]:
    """(now, name) of the attributes below their limit. Only pre-failure ones mean a failure; the others are age."""
    for _, row in _attributes(document):
        when, name = _at(row, "when_failed"), _at(row, "name")
        if when in ("now", "past") and isinstance(name, str):
            yield when == "now" and _at(row, "flags", "prefailure") is True, name.replace("_", " ")


def _message(document: object) -> str:
    """What smartctl said itself."""
    for row in _list(document, "smartctl", "messages"):
        text = _at(row, "string")
        if isinstance(text, str) and text:
            return f" smartctl: {text.rstrip('.')}."
    return ""


def _at(value: Any, *path: str | int) -> Any:
    """The value at a path of JSON; None where there is none."""
    for key in path:
        if isinstance(key, str) and isinstance(value, dict):
            value = value.get(key)
        elif isinstance(key, int) and isinstance(value, list) and key < len(value):
            value = value[key]
        else:
            return None
    return value


def _list(value: Any, *path: str) -> list[Any]:
    found_there = _at(value, *path)
    return found_there if isinstance(found_there, list) else []


def _number(value: Any, *path: str | int, least: int = 0) -> int | None:
    """A whole number at a path; None for everything else, for negative ones, and for what cannot be."""
    there = _at(value, *path)
    if isinstance(there, bool) or not isinstance(there, int) or not least <= there < LARGEST:
        return None
    return there
