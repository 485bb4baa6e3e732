"""What `smartctl --json` says of drives of four kinds, in its own form (7.3, json_format_version 1), as short as it can
be: the rack's drives answer with these when they are told to, and the tests of raid/smart.py read them.

The keys are those of smartctl's own output for such drives; an exit status is a set of bits (smartctl(8)).
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

Document = dict[str, Any]
DISK_FAILING, PREFAIL_NOW = 1 << 3, 1 << 4
# Bits of an attribute's flags, from the lowest, with smartctl's letters.
FLAGS = {
    "prefailure": "P", "updated_online": "O", "performance": "S", "error_rate": "R", "event_count": "C",
    "auto_keep": "K",
}  # fmt: skip


class SmartMood(StrEnum):
    """How a drive's S.M.A.R.T. shall be. REAL: what the rack's drive says itself. HANG: smartctl gives no answer."""

    GOOD = "good"
    FAILING = "failing"
    WORN = "worn"
    ASLEEP = "asleep"
    GARBAGE = "garbage"
    HANG = "hang"
    REAL = "real"


def told(how: SmartMood | Document, serial: str) -> tuple[str | None, int | None]:
    """Text and exit status of smartctl for a drive: no text means that it hangs (no status), or speaks for itself."""
    match how:
        case SmartMood.HANG:
            return None, None
        case SmartMood.REAL:
            return None, 0
        case SmartMood.GARBAGE:
            return '{"smart_status": {"passed": tr', 0
        case SmartMood.GOOD:
            document = sata_hdd(serial)
        case SmartMood.FAILING:
            document = sata_hdd(serial, passed=False, reallocated=1975, pending=8)
        case SmartMood.WORN:
            document = sata_ssd(serial, left=6)
        case SmartMood.ASLEEP:
            document = asleep(serial)
        case _:
            document = how
    return json.dumps(document, indent=2), int(document["smartctl"]["exit_status"])


def sata_hdd(
    serial: str, *, passed: bool = True, temperature: int = 34, hours: int = 21_456, reallocated: int = 0,
    pending: int = 0, uncorrectable: int = 0,
) -> Document:
    """A SATA hard disk. A disk that says FAILED has its attribute of reallocated sectors below the limit."""
    heat = f"{temperature} (Min/Max 19/44)"
    table = [
        _attribute(5, "Reallocated_Sector_Ct", 100 if passed else 1, 5, "PO--CK", reallocated),
        _attribute(9, "Power_On_Hours", 71, 0, "-O--CK", hours),
        _attribute(187, "Reported_Uncorrect", 100, 0, "-O--CK", 0),
        _attribute(194, "Temperature_Celsius", 64, 0, "-O---K", temperature + (19 << 32), heat),
        _attribute(197, "Current_Pending_Sector", 100, 0, "-O--C-", pending),
        _attribute(198, "Offline_Uncorrectable", 100, 0, "----C-", uncorrectable),
    ]
    return _document(
        "sat", "ATA", serial, 0 if passed else DISK_FAILING | PREFAIL_NOW, model="WDC WD60PURX-64T0ZY0",
        rotation_rate=5700, firmware_version="80.00A80", smart_status={"passed": passed},
        ata_smart_attributes={"revision": 16, "table": table},
        power_on_time={"hours": hours}, power_cycle_count=41, temperature={"current": temperature},
        ata_smart_error_log={"summary": {"revision": 1, "count": 0}},
    )  # fmt: skip


def sata_ssd(
    serial: str, *, passed: bool = True, left: int = 90, used: int | None = None, temperature: int = 27,
    hours: int = 8_462,
) -> Document:
    """A SATA SSD. left: the maker's attribute, per cent; used: the standard device statistic, when it has one."""
    table = [
        _attribute(5, "Reallocated_Sector_Ct", 100, 10, "PO--CK", 0),
        _attribute(9, "Power_On_Hours", 83, 0, "-O--CK", hours),
        _attribute(177, "Wear_Leveling_Count", left, 5, "PO--C-", 1773),
        _attribute(187, "Uncorrectable_Error_Cnt", 100, 0, "-O--CK", 0),
        _attribute(190, "Airflow_Temperature_Cel", 100 - temperature, 0, "-O--CK", temperature),
        _attribute(241, "Total_LBAs_Written", 99, 0, "-O--CK", 218_759_569_150),
    ]
    statistics: Document = {} if used is None else {"ata_device_statistics": {"pages": [{
        "number": 7, "name": "Solid State Device Statistics", "revision": 1, "table": [{
            "offset": 8, "name": "Percentage Used Endurance Indicator", "size": 1, "value": used,
            "flags": {"value": 192, "string": "V---C- ", "valid": True, "normalized": True, "supports_dsn": False,
                      "monitored_condition_met": False}}]}]}}  # fmt: skip
    return _document(
        "sat", "ATA", serial, 0 if passed else DISK_FAILING, model="SAMSUNG MZ7WD240HAFV-00003", rotation_rate=0,
        smart_status={"passed": passed}, ata_smart_attributes={"revision": 1, "table": table},
        power_on_time={"hours": hours}, power_cycle_count=6, temperature={"current": temperature}, **statistics,
    )


def nvme(
    serial: str, *, warning: int = 0, spare: int = 99, used: int = 3, temperature: int = 35, errors: int = 0
) -> Document:
    """An NVMe drive. warning: the bits of its critical warning; with one of them its verdict is FAILED."""
    return _document(
        "nvme", "NVMe", serial, DISK_FAILING if warning else 0, model="Samsung SSD 970 EVO 500GB",
        smart_status={"passed": not warning, "nvme": {"value": warning}},
        nvme_smart_health_information_log={
            "critical_warning": warning, "temperature": temperature, "available_spare": spare,
            "available_spare_threshold": 10, "percentage_used": used, "data_units_read": 17_176_794,
            "data_units_written": 65_602_088, "power_cycles": 25, "power_on_hours": 12_798, "unsafe_shutdowns": 10,
            "media_errors": errors, "num_err_log_entries": 62, "warning_temp_time": 0, "critical_comp_time": 0,
        },
        temperature={"current": temperature}, power_cycle_count=25, power_on_time={"hours": 12_798},
    )  # fmt: skip


def sas(
    serial: str, *, verdict: str = "", grown: int = 0, uncorrected: int = 0, pending: int | None = None,
    temperature: int = 31,
) -> Document:
    """A SAS hard disk. verdict: what it says when it fails, such as "FAILURE PREDICTION THRESHOLD EXCEEDED"."""
    status: Document = {"passed": not verdict}
    if verdict:
        status["scsi"] = {"asc": 93, "ascq": 0, "ie_string": verdict}
    counters = {"errors_corrected_by_eccfast": 0, "errors_corrected_by_eccdelayed": 40_247,
                "errors_corrected_by_rereads_rewrites": 0, "total_errors_corrected": 40_247,
                "correction_algorithm_invocations": 304_122, "gigabytes_processed": "162438.759"}  # fmt: skip
    more: Document = {} if pending is None else {"scsi_pending_defects": {"count": pending}}
    return _document(
        "scsi", "SCSI", serial, DISK_FAILING if verdict else 0, rotation_rate=10_500, scsi_vendor="SEAGATE",
        scsi_product="ST1200MM0088", scsi_model_name="SEAGATE ST1200MM0088", scsi_version="SPC-4", scsi_revision="N004",
        temperature_warning={"enabled": True}, smart_status=status,
        temperature={"current": temperature, "drive_trip": 60}, power_on_time={"hours": 5675, "minutes": 39},
        scsi_grown_defect_list=grown,
        scsi_error_counter_log={
            "read": {**counters, "total_uncorrected_errors": uncorrected},
            "write": {**counters, "total_uncorrected_errors": 0},
        },
        **more,
    )  # fmt: skip


def asleep(serial: str, status: int = 3) -> Document:
    """A drive that sleeps, asked with `-n standby,3`."""
    document = _document("sat", "ATA", serial, status)
    document["smartctl"]["messages"] = [
        {"string": f"Device is in STANDBY mode, exit({status})", "severity": "information"}
    ]
    del document["smart_support"]
    return document


def _document(kind: str, protocol: str, serial: str, status: int, *, model: str = "", **more: Any) -> Document:
    return {
        "json_format_version": [1, 0],
        "smartctl": {
            "version": [7, 3], "svn_revision": "5338", "platform_info": "x86_64-linux", "build_info": "(local build)",
            "argv": ["smartctl", "--json", "/dev/sda"], "exit_status": status,
        },
        "device": {"name": "/dev/sda", "info_name": "/dev/sda", "type": kind, "protocol": protocol},
        **({"model_name": model} if model else {}),
        "serial_number": serial,
        "smart_support": {"available": True, "enabled": True},
        **more,
    }  # fmt: skip


def _attribute(  # noqa: PLR0917 -- a row of smartctl's table, in its order
    number: int, name: str, value: int, limit: int, flags: str, raw: int, text: str = ""
) -> Document:
    bits = {key: flag in flags for key, flag in FLAGS.items()}
    return {
        "id": number, "name": name, "value": value, "worst": value, "thresh": limit,
        "when_failed": "now" if value <= limit else "",
        "flags": {"value": sum(1 << at for at, on in enumerate(bits.values()) if on), "string": f"{flags} ", **bits},
        "raw": {"value": raw, "string": text or str(raw)},
    }  # fmt: skip
