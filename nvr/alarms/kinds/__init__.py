"""One class an alarm: what it is about, its words, what makes two the same, and what to do.

A `Condition` holds now; nvr/policy turns conditions that appear into alarms, and clears alarms whose condition ended.
`explain` serves `rackeye explain ALARM-101`.
"""

from collections.abc import Iterator

from nvr.alarms.kinds.chassis import FanFailed, Overheat, PowerSupplyFailed, SensorLost
from nvr.alarms.kinds.condition import Condition
from nvr.alarms.kinds.drives import (
    DriveFailed,
    DriveFailing,
    DriveWatch,
    MemberLacks,
    ReplacementRefused,
    SpareLost,
    Unreadable,
)
from nvr.alarms.kinds.recording import NoVolume, RecordingStopped
from nvr.alarms.kinds.storage import (
    CheckBlind,
    CheckUndone,
    DataLost,
    ParityWrong,
    StripeTorn,
    VdDegraded,
    VdFailed,
    VdOffline,
)
from nvr.alarms.kinds.system import (
    DaemonSilent,
    ModeRecordDamaged,
    ModeRecordLost,
    RestoreUnfinished,
    SwitchUnfinished,
    Trouble,
)

KINDS: tuple[type[Condition], ...] = (
    DriveFailed, SpareLost, DriveFailing, DriveWatch, Unreadable, MemberLacks, DataLost,
    VdDegraded, VdFailed, VdOffline, ReplacementRefused, ParityWrong, StripeTorn, CheckBlind, CheckUndone,
    NoVolume, RecordingStopped, Overheat, FanFailed, PowerSupplyFailed, SensorLost, DaemonSilent, Trouble,
    ModeRecordLost, ModeRecordDamaged, RestoreUnfinished, SwitchUnfinished,
)


def all_kinds() -> Iterator[type[Condition]]:
    """Every alarm, by its code."""
    return iter(sorted(KINDS, key=lambda kind: kind.code))


def kind_of(code: str) -> type[Condition] | None:
    """The alarm of a code; None for one that this version does not know."""
    return next((kind for kind in KINDS if kind.code == code), None)
