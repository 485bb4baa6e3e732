"""What RAID means for the trays: which bay's amber LED shows a failure, which a rebuild, which will when its drive is
pulled. Pure."""

from collections.abc import Collection
from typing import assert_never

from hw.model import TrayCondition
from raid.model import Drive, DriveState, VirtualDrive
from raid.model_shares import shares

# A person who sees the LED must find the worst of the drives that belong to a bay.
RANK = {TrayCondition.NONE: 0, TrayCondition.MEMBER: 1, TrayCondition.REBUILD: 2, TrayCondition.FAILED: 3}


def condition(drive: Drive) -> TrayCondition:
    """What one drive asks of its tray (spec/panel.md, tray LEDs)."""
    match drive.state:
        case DriveState.MISSING if drive.vd is None:
            return TrayCondition.NONE  # nothing lacks it
        case DriveState.FAILED | DriveState.MISSING | DriveState.UNCONFIGURED_BAD | DriveState.SHIELD:
            return TrayCondition.FAILED
        case DriveState.REBUILD | DriveState.COPYBACK:
            return TrayCondition.REBUILD
        case DriveState.ONLINE:
            return TrayCondition.MEMBER
        case (
            # Offline: the drive is good, its virtual drive does not run. Nobody must be led to pull it.
            DriveState.OFFLINE | DriveState.UNCONFIGURED_GOOD
            | DriveState.HOT_SPARE | DriveState.BLANK | DriveState.FOREIGN
            | DriveState.STALE | DriveState.SYSTEM | DriveState.UNKNOWN
        ):
            return TrayCondition.NONE
        case _:
            assert_never(drive.state)


def conditions(
    drives: tuple[Drive, ...], failed: Collection[int | None] = (), vds: Collection[VirtualDrive] = (),
) -> dict[int, TrayCondition]:
    """The condition of every bay that has one; a missing member and the drive put in its place share a bay.

    failed: bays of the open alarms. A drive that is awaited after a start, and had failed before it, shows so still.
    """
    worst: dict[int, TrayCondition] = {}
    for drive in drives:
        wanted = condition(drive)
        if drive.state is DriveState.UNKNOWN and drive.device is None and drive.bay in failed:
            wanted = TrayCondition.FAILED
        if drive.state is DriveState.SHIELD and _is_needed(drive, vds):
            wanted = TrayCondition.MEMBER
        if drive.bay is None or wanted is TrayCondition.NONE:
            continue
        if RANK[wanted] > RANK[worst.get(drive.bay, TrayCondition.NONE)]:
            worst[drive.bay] = wanted
    return worst


def _is_needed(drive: Drive, vds: Collection[VirtualDrive]) -> bool:
    """It is expected to fail, and without it all is lost now: nobody must be led to pull it before the rebuild."""
    vd = next((vd for vd in vds if vd.name == drive.vd), None)
    return vd is not None and shares(vd, drive.bay).tolerance < 1
