"""Mode, restore, switch; network and time."""

from core.errors.base import RackeyeError


class BootError(RackeyeError):
    """Mode, restore to default, the switch to Failover Mode."""


class StateUnwritable(BootError):
    code = "BOOT-001"
    meaning = (
        "The record of the mode (/var/lib/rackeye/boot) cannot be written: the system drive is full, read-only or "
        "failing. Nothing was changed: the mode is what it was."
    )


class RestoreFailed(BootError):
    code = "BOOT-002"
    meaning = (
        "Some of what a restore to default resets could not be reset. The sentence names it. The restore stays noted, "
        "and is tried again at each start; video and drive groups are not touched."
    )


class AlreadyRedundant(BootError):
    code = "BOOT-010"
    meaning = (
        "The appliance is in Failover Mode already. Switching back is not supported: the way back is Restore to "
        "default. Back up first."
    )


class RecordingRuns(BootError):
    code = "BOOT-011"
    meaning = (
        "The switch to Failover Mode needs the recording services stopped. Stop them with `systemctl stop "
        "rackeye-recorder`, or use entry 4 of the boot menu, where they have not started yet."
    )


class DriveGroupsLeft(BootError):
    code = "BOOT-012"
    meaning = (
        "The switch to Failover Mode needs an appliance without drive groups. Save what is worth saving, delete the "
        "virtual drives and drive groups, then clear the RAID configuration of the drives."
    )


class VolumesLeft(BootError):
    code = "BOOT-013"
    meaning = (
        "The switch to Failover Mode needs an appliance without volumes but the system's. A file system or partition "
        "was found on a drive that is not the system's. Save what is worth saving, then clear the drive."
    )


class RaidNotClear(BootError):
    code = "BOOT-014"
    meaning = (
        "A drive carries the superblock of a RAID, maybe of another machine. Clear it with `rackeye drive clear --bay "
        "N`, or pull the drive."
    )


class NotRestored(BootError):
    code = "BOOT-015"
    meaning = (
        "The switch to Failover Mode needs an appliance with factory settings: a restore to default must be the last "
        "thing that happened. Back up, choose `1 Restore to default` in the boot menu, then switch."
    )


class CannotTell(BootError):
    code = "BOOT-016"
    meaning = (
        "Something that the switch to Failover Mode depends on cannot be read. What is not known is not taken as good: "
        "the switch is refused until it can be read."
    )


class SwitchNotConfirmed(BootError):
    code = "BOOT-017"
    meaning = "The switch to Failover Mode is one-way and is made only after a `y`. Nothing was changed."


class NetworkRefused(BootError):
    code = "BOOT-020"
    meaning = "What was asked for the network cannot be meant; the sentence says why. Nothing was changed."


class NetworkBusy(BootError):
    code = "BOOT-021"
    meaning = (
        "A change of the network waits to be confirmed: `rackeye network confirm` keeps it, `rackeye network undo` "
        "puts back what was before; without either it is undone by itself."
    )


class NoNetworkPending(BootError):
    code = "BOOT-022"
    meaning = "No change of the network waits: it was confirmed, or was undone because nobody confirmed it in time."


class SettingsUnwritable(BootError):
    code = "BOOT-024"
    meaning = (
        "A setting of network or time cannot be written: the system drive is full, read-only or failing, or the kernel "
        "refuses it. What was there before holds."
    )


class TimeRefused(BootError):
    code = "BOOT-023"
    meaning = "The time zone, the NTP server or the time cannot be set as asked; the sentence says why."
