"""Alarms of the box itself: daemons, mode, restore, switch."""

from dataclasses import dataclass

from nvr.alarms.kinds.condition import Condition
from nvr.alarms.model import Category, Level


@dataclass(frozen=True, slots=True)
class DaemonSilent(Condition):
    """A daemon of ours does not answer: what it watches is unknown."""

    code = "ALARM-401"
    category = Category.SYSTEM
    level = Level.CRITICAL
    title = "Part of the appliance does not answer"
    meaning = "A daemon is gone or hung. systemd starts it again; until then its part is shown as unknown."
    cleared_text = "It answers again."

    daemon: str

    @property
    def same(self) -> str:
        return f"daemon-silent/{self.daemon}"

    @property
    def text(self) -> str:
        return f"{self.daemon} does not answer: what it watches is unknown."

    @property
    def hint(self) -> str:
        return f"systemctl status {self.daemon}"


@dataclass(frozen=True, slots=True)
class Trouble(Condition):
    """A daemon says that something is in its way: a broken settings file, an LED that is gone, a failed command."""

    code = "ALARM-402"
    category = Category.SYSTEM
    level = Level.WARNING
    title = "A part of the appliance reports a problem"
    meaning = "A daemon works, and something is in its way: a broken settings file, an LED that is gone, a program that is missing."  # noqa: E501
    cleared_text = "The problem is gone."

    daemon: str
    sentence: str

    @property
    def same(self) -> str:
        return f"trouble/{self.daemon}/{self.sentence}"

    @property
    def text(self) -> str:
        return self.sentence

    @property
    def hint(self) -> str:
        return f"journalctl -u {self.daemon} has the details."


@dataclass(frozen=True, slots=True)
class ModeRecordLost(Condition):
    """Neither copy of the record of the mode can be read."""

    code = "ALARM-411"
    category = Category.SYSTEM
    level = Level.WARNING
    title = "Record of the mode lost"
    meaning = (
        "Both copies of the record of the mode (/var/lib/rackeye/boot) are damaged. The appliance works in Standard "
        "Mode; nothing was restored or wiped because of it. `rackeye mode keep` writes the record anew. If this was a "
        "redundant server, switch it again. Look at the system drive: its files do not get damaged by themselves."
    )
    cleared_text = "The record of the mode can be read again."

    detail: str

    @property
    def same(self) -> str:
        return "mode-record-lost"

    @property
    def text(self) -> str:
        return self.detail or "The record of the mode cannot be read; Standard Mode is assumed."

    @property
    def hint(self) -> str:
        return "If Standard Mode is right: rackeye mode keep. If it was a redundant server, switch it again."


@dataclass(frozen=True, slots=True)
class ModeRecordDamaged(Condition):
    """One copy of the record of the mode was damaged, and is mended."""

    code = "ALARM-412"
    category = Category.SYSTEM
    level = Level.NOTICE
    title = "Record of the mode was damaged"
    meaning = (
        "One of the two copies of the record of the mode was damaged. The other one holds, and the damaged one is "
        "mended: mode and settings are what they were. Look at the system drive. `rackeye mode keep` says that "
        "somebody has seen it; so does the next start."
    )
    cleared_text = "Both copies of the record of the mode are whole, and somebody has seen it."

    detail: str

    @property
    def same(self) -> str:
        return "mode-record-damaged"

    @property
    def text(self) -> str:
        return self.detail

    @property
    def hint(self) -> str:
        return "Look at the system drive, then: rackeye mode keep"


@dataclass(frozen=True, slots=True)
class RestoreUnfinished(Condition):
    """A restore to default is on record, and the appliance runs."""

    code = "ALARM-413"
    category = Category.SYSTEM
    level = Level.CRITICAL
    title = "Restore to default is not finished"
    meaning = (
        "A restore to default was begun and has not come to its end: something of it could not be reset, or the "
        "appliance was not started again after it was asked for. It is tried again at each start, before anything "
        "else; until then some settings may be the old ones and some the factory's. Video is touched only when that "
        "was asked for in full (`also erase recordings`), and may then be in part there still."
    )
    cleared_text = "The restore to default is done."
    grace = 30.0

    detail: str

    @property
    def same(self) -> str:
        return "restore-unfinished"

    @property
    def text(self) -> str:
        return self.detail

    @property
    def hint(self) -> str:
        return "Reboot: rackeye reboot. If it stays: journalctl -u rackeye-boot-menu -u rackeye-erase says why."


@dataclass(frozen=True, slots=True)
class SwitchUnfinished(Condition):
    """The mode is Failover Mode, and something else runs."""

    code = "ALARM-414"
    category = Category.SYSTEM
    level = Level.CRITICAL
    title = "Switch to Failover Mode is not finished"
    meaning = (
        "The record says Failover Mode, and the redundant server does not run: the reboot after the switch did not "
        "come, or failover.target cannot be started. Nobody takes the place of a station that fails."
    )
    cleared_text = "What runs is what the mode says."
    grace = 60.0

    @property
    def same(self) -> str:
        return "switch-unfinished"

    @property
    def text(self) -> str:
        return "The mode is Failover Mode, and the redundant server does not run."

    @property
    def hint(self) -> str:
        return "Reboot: rackeye reboot. If it stays: systemctl status failover.target"
