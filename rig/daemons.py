"""What the daemons in a rack say, as the product's own types."""

from typing import TypeVar

import msgspec

from core.bus import Envelope, object_path
from hw.model import FanSnapshot, PanelSnapshot
from nvr.alarms.model import PolicySnapshot
from nvr.recorder.model import RecorderSnapshot
from raid.model import RaidSnapshot, VirtualDrive
from rig.rack import RackClient

T = TypeVar("T")


def snapshot(rack: RackClient, name: str, kind: type[T]) -> T:
    """The snapshot of org.rackeye.<name>. Raises RackRefused when it does not answer."""
    bus = f"org.rackeye.{name}"
    text = rack.ask("snapshot", name=bus, path=object_path(bus))["text"]
    return msgspec.json.decode(text, type=Envelope[kind]).data  # type: ignore[valid-type]


def raid(rack: RackClient) -> RaidSnapshot:
    return snapshot(rack, "Raid1", RaidSnapshot)


def panel(rack: RackClient) -> PanelSnapshot:
    return snapshot(rack, "Panel1", PanelSnapshot)


def fan(rack: RackClient) -> FanSnapshot:
    return snapshot(rack, "Fan1", FanSnapshot)


def recorder(rack: RackClient) -> RecorderSnapshot:
    return snapshot(rack, "Recorder1", RecorderSnapshot)


def policy(rack: RackClient) -> PolicySnapshot:
    return snapshot(rack, "Policy1", PolicySnapshot)


def virtual_drive(rack: RackClient, name: str) -> VirtualDrive:
    """Raises KeyError when there is none of this name."""
    found = {vd.name: vd for vd in raid(rack).virtual_drives}
    return found[name]


def open_alarms(rack: RackClient) -> set[str]:
    """Codes of the open alarms."""
    return {alarm.code for alarm in policy(rack).alarms}
