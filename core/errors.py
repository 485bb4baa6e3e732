"""Every error of Rackeye: a code, a sentence, and what to do about it.

    RackeyeError
    ├── ConfigError               CONF-*   a profile or a settings file
    │   ├── BadToml               CONF-001
    │   ├── UnknownKey            CONF-002
    │   ├── WrongType             CONF-003
    │   ├── MissingKey            CONF-004
    │   ├── Unreadable            CONF-005
    │   ├── BadValue              CONF-006
    │   └── Unwritable            CONF-007
    ├── RunError                  RUN-*    a process that we started
    │   ├── CommandMissing        RUN-001
    │   ├── CommandFailed         RUN-002
    │   └── CommandTimedOut       RUN-003
    ├── BusError                  BUS-*    talking to a daemon
    │   ├── DaemonGone            BUS-001
    │   ├── NotAllowed            BUS-002
    │   ├── BadRequest            BUS-003
    │   ├── BadReply              BUS-004
    │   └── BusMissing            BUS-005
    ├── JobError                  JOB-*    long mutations
    │   ├── JobRunning            JOB-001
    │   └── JobRecordBroken       JOB-002
    ├── RaidError                 RAID-*   drives, drive groups, virtual drives
    │   ├── DriveChanged          RAID-001
    │   ├── DriveInUse            RAID-002
    │   ├── SystemDrive           RAID-003
    │   ├── NoSuchDrive           RAID-004
    │   ├── NoSuchVd              RAID-005
    │   ├── PlanImpossible        RAID-006
    │   ├── PlanChanged           RAID-007
    │   ├── RaidBusy              RAID-008
    │   ├── SysfsRefused          RAID-009
    │   ├── MemoryBroken          RAID-010
    │   ├── CannotRecover         RAID-011
    │   ├── FilesystemWrong       RAID-012
    │   ├── NotNow                RAID-013
    │   ├── VdInUse               RAID-014
    │   ├── SpareUnfit            RAID-041
    │   ├── NotASpare             RAID-042
    │   ├── CannotCheck           RAID-051
    │   ├── CheckRunning          RAID-052
    │   ├── UnknownLayout         RAID-053
    │   ├── CannotReconstruct     RAID-021
    │   ├── ReconstructionStopped RAID-022
    │   ├── CannotReplace         RAID-071
    │   ├── CannotRepair          RAID-072
    │   └── CannotCut             RAID-080
    ├── HwError                   HW-*     chassis, LEDs, sensors
    │   ├── LedGone               HW-001
    │   ├── LedStuck              HW-002
    │   ├── BayUnknown            HW-003
    │   ├── BayWithoutLeds        HW-004
    │   ├── UdevSilent            HW-005
    │   ├── BeeperGone            HW-006
    │   ├── NoBeeper              HW-007
    │   └── NoSuchBeep            HW-008
    ├── RecorderError             REC-*    cameras and video
    │   ├── CameraError                    what a camera did
    │   │   ├── CameraRefused     REC-001
    │   │   ├── CameraUnreachable REC-002
    │   │   ├── WrongPassword     REC-003
    │   │   ├── BadStream         REC-004
    │   │   ├── CameraFrozen      REC-005
    │   │   └── CameraClosed      REC-006
    │   ├── CameraExists          REC-010
    │   ├── CameraUnknown         REC-011
    │   ├── BadCamera             REC-012
    │   ├── VolumeFailed          REC-020
    │   ├── BadVideoFile          REC-021
    │   ├── IndexBroken           REC-022
    │   ├── NothingRecorded       REC-030
    │   ├── ViewingAbsent         REC-031
    │   └── BadViewingRequest     REC-032
    ├── AlarmError                ALARM-*  alarms (ALARM-101 and up are the alarms themselves: nvr/alarms/kinds.py)
    │   ├── NoSuchAlarm           ALARM-001
    │   ├── NoMail                ALARM-002
    │   ├── MailFailed            ALARM-003
    │   └── WebhookFailed         ALARM-004
    ├── AccountError              ACC-*    who may do what
    │   ├── WrongLogin            ACC-001
    │   ├── AccountLocked         ACC-002
    │   ├── MustChangePassword    ACC-003
    │   ├── BadPassword           ACC-004
    │   ├── NoSuchAccount         ACC-005
    │   ├── AccountExists         ACC-006
    │   ├── LastAdministrator     ACC-007
    │   ├── SessionOver           ACC-008
    │   ├── NotPermitted          ACC-009
    │   ├── AccountsBroken        ACC-010
    │   └── BadAccountName        ACC-011
    ├── BootError                 BOOT-*   mode, restore, switch
    │   ├── StateUnwritable       BOOT-001
    │   ├── RestoreFailed         BOOT-002
    │   ├── AlreadyRedundant      BOOT-010
    │   ├── RecordingRuns         BOOT-011
    │   ├── DriveGroupsLeft       BOOT-012
    │   ├── VolumesLeft           BOOT-013
    │   ├── RaidNotClear          BOOT-014
    │   ├── NotRestored           BOOT-015
    │   ├── CannotTell            BOOT-016
    │   └── SwitchNotConfirmed    BOOT-017
    ├── WebError                  WEB-*    the console and its API
    │   ├── Forged                WEB-001
    │   ├── TooManyRequests       WEB-002
    │   └── NotThere              WEB-003
    ├── CliError                  CLI-*    the command line
    │   ├── NotConfirmed          CLI-001
    │   └── WorkFailed            CLI-002
    ├── RigError                  RIG-*    the virtual rack
    │   ├── RackAbsent            RIG-001
    │   ├── RackExists            RIG-002
    │   ├── RackBroken            RIG-003
    │   ├── RackTimeout           RIG-004
    │   └── RackRefused           RIG-005
    └── InternalError             INT-001

`explain(code)` finds the class of a code; `rackeye explain CODE` prints it.
"""

from collections.abc import Iterator
from typing import ClassVar


class RackeyeError(Exception):
    """An error that a person can act on.

    sentence: what happened, with the names of the things concerned.
    hint: what to do now.
    """

    code: ClassVar[str] = ""
    meaning: ClassVar[str] = ""

    def __init__(self, sentence: str, *, hint: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint


# -- configuration ---------------------------------------------------------------------------------------------------


class ConfigError(RackeyeError):
    """A profile or a settings file that cannot be used."""


class BadToml(ConfigError):
    code = "CONF-001"
    meaning = (
        "The file is not valid TOML: often it was cut off in the middle of a write by another program, or a quote or "
        "bracket is missing. The last good settings stay in force. Mend the line named in the message, or remove the "
        "file to go back to the settings below it."
    )


class UnknownKey(ConfigError):
    code = "CONF-002"
    meaning = (
        "The file has a key that nothing reads, most often a spelling mistake. It is refused so that a setting is "
        "never silently without effect. The message lists the keys that are known at this place."
    )


class WrongType(ConfigError):
    code = "CONF-003"
    meaning = "A value has another type than the key wants, such as text in place of a number."


class MissingKey(ConfigError):
    code = "CONF-004"
    meaning = "A key that has no default is missing."


class Unreadable(ConfigError):
    code = "CONF-005"
    meaning = "The file is missing or may not be read by this process."


class Unwritable(ConfigError):
    code = "CONF-007"
    meaning = (
        "The settings cannot be written: the system drive is full or read-only, or the file was made by another user "
        "(an editor run as root). Give /var/lib/rackeye/settings.toml to the user rackeye. Nothing was changed."
    )


class BadValue(ConfigError):
    code = "CONF-006"
    meaning = "A value has the right type but cannot be meant: out of range, or in contradiction to another key."


# -- processes -------------------------------------------------------------------------------------------------------


class RunError(RackeyeError):
    """A process that could not do its work."""


class CommandMissing(RunError):
    code = "RUN-001"
    meaning = "A program that Rackeye needs is not installed. `make setup` or the Debian package named brings it."


class CommandFailed(RunError):
    code = "RUN-002"
    meaning = "A program ended with an error. The message holds the command, ready to paste, and its last words."


class CommandTimedOut(RunError):
    code = "RUN-003"
    meaning = (
        "A program that only reads did not answer in time: often a drive that hangs. Programs that change something "
        "are never ended by a time-out."
    )


# -- bus -------------------------------------------------------------------------------------------------------------


class BusError(RackeyeError):
    """A daemon could not be asked."""


class DaemonGone(BusError):
    code = "BUS-001"
    meaning = "The daemon that owns this does not run or does not answer. `systemctl status` of its unit says why."


class NotAllowed(BusError):
    code = "BUS-002"
    meaning = "Reading is open to every user of the appliance; commands that change something need root (sudo)."


class BadRequest(BusError):
    code = "BUS-003"
    meaning = "A command reached a daemon with a missing, unknown or wrong argument."


class BadReply(BusError):
    code = "BUS-004"
    meaning = "A daemon answered with something this program does not know: their versions differ. Restart both."


class BusMissing(BusError):
    code = "BUS-005"
    meaning = "The system's D-Bus cannot be reached: not on an appliance, or dbus.service is down."


# -- jobs ------------------------------------------------------------------------------------------------------------


class JobError(RackeyeError):
    """A long mutation cannot be started or followed."""


class JobRunning(JobError):
    code = "JOB-001"
    meaning = "Only one change at a time is made to an array. Wait for the running one, or look at it in `rackeye vd`."


class JobRecordBroken(JobError):
    code = "JOB-002"
    meaning = "The record of a job cannot be read. The array itself is looked at instead; nothing is started twice."


# -- storage ---------------------------------------------------------------------------------------------------------


class RaidError(RackeyeError):
    """Drives, drive groups and virtual drives."""


class DriveChanged(RaidError):
    code = "RAID-001"
    meaning = (
        "Bay, model and serial are read again just before a drive is touched, and they were not what was planned: the "
        "drive was pulled or another one put in. Nothing was done. Look at the bays and make a new plan."
    )


class DriveInUse(RaidError):
    code = "RAID-002"
    meaning = (
        "The drive is a member of a virtual drive, or something else holds it: a mounted file system, swap, a mapping. "
        "Nothing was done."
    )


class SystemDrive(RaidError):
    code = "RAID-003"
    meaning = (
        "The drive carries the system, or sits in no bay of the chassis. No command of Rackeye formats it, puts it "
        "into a drive group, or takes it as a spare."
    )


class NoSuchDrive(RaidError):
    code = "RAID-004"
    meaning = "There is no drive in that bay, or it has another serial number than the command names."


class NoSuchVd(RaidError):
    code = "RAID-005"
    meaning = "There is no virtual drive of that name. `rackeye vd` lists them."


class PlanImpossible(RaidError):
    code = "RAID-006"
    meaning = (
        "What was asked for cannot be made of the drives that are there. Only Blank drives are taken; a drive with "
        "data is Foreign until you clear it by name with `rackeye drive clear`."
    )


class PlanChanged(RaidError):
    code = "RAID-007"
    meaning = "The drives are not those of the plan that was shown. Nothing was done. Ask for the plan again."


class RaidBusy(RaidError):
    code = "RAID-008"
    meaning = "The kernel still has work on the array; the change is tried again by itself."


class SysfsRefused(RaidError):
    code = "RAID-009"
    meaning = "The kernel did not take a change of an array. Its log (`journalctl -k`) says why."


class MemoryBroken(RaidError):
    code = "RAID-010"
    meaning = (
        "The file with the virtual drives that should exist cannot be read. It was put aside, and the arrays were "
        "taken over from their own superblocks; a drive that is missing may not be known by bay and serial any more."
    )


class CannotRecover(RaidError):
    code = "RAID-011"
    meaning = (
        "A failed virtual drive is recovered only when enough of its own drives are back, and only when it has really "
        "failed. Put the drives that were pulled last back into their bays."
    )


class FilesystemWrong(RaidError):
    code = "RAID-012"
    meaning = (
        "What lies on the virtual drive is not the file system that Rackeye made there. It is not mounted and nothing "
        "is written, so that nothing is lost."
    )


class NotNow(RaidError):
    code = "RAID-013"
    meaning = "The command contradicts what the virtual drive is doing now. The sentence says what to wait for."


class VdInUse(RaidError):
    code = "RAID-014"
    meaning = (
        "A virtual drive is stopped or deleted only when nothing but Rackeye's own recorder uses it: no other program "
        "has files of it open, it is mounted nowhere else, and nothing is built on it. The sentence names what uses it."
    )


class CannotReconstruct(RaidError):
    code = "RAID-021"
    meaning = (
        "Drives are added and levels changed only when nothing can go wrong by it: the virtual drive is Optimal and "
        "nothing runs on it, its last check found no wrong stripe, the drives to add are blank, large enough and in a "
        "bay, and md knows the way from the one shape to the other. The sentence names what is missing. Nothing was "
        "changed."
    )


class ReconstructionStopped(RaidError):
    code = "RAID-022"
    meaning = (
        "The reconstruction of a virtual drive has come to a stop: drives were lost, or md waits for somebody. "
        "Nothing is overwritten meanwhile. It goes on by itself from where it was, once its drives are there."
    )


class SpareUnfit(RaidError):
    code = "RAID-041"
    meaning = (
        "This drive cannot be a hot spare, or cannot be named for this rebuild: only a blank drive in a bay, with a "
        "serial, large enough, and wanted by nothing else. A drive with data is cleared by name with `rackeye drive "
        "clear`; a drive in the bay of a missing member is used for that place by itself."
    )


class NotASpare(RaidError):
    code = "RAID-042"
    meaning = "The drive that was named is no hot spare. `rackeye spare` lists them."


class CannotCheck(RaidError):
    code = "RAID-051"
    meaning = (
        "The parity of this array cannot be checked now: it is no RAID4, 5 or 6, it is initializing, rebuilding or "
        "reshaping, a member is missing so that nothing is left to compare with, or a member went away during the "
        "check. Nothing is said about its data, good or bad. Mend what the message names, then check again."
    )


class CheckRunning(RaidError):
    code = "RAID-052"
    meaning = "One native parity check at a time runs on an array. Wait for the running one, or stop it."


class UnknownLayout(RaidError):
    code = "RAID-053"
    meaning = "The array has a parity layout that Rackeye does not know. Check it with the kernel's own check."


class SmartHistoryBroken(RaidError):
    code = "RAID-060"
    meaning = (
        "The file with the earlier S.M.A.R.T. readings of the drives cannot be read or written. The drives are read "
        "and judged all the same; only what they said earlier is not known. Look at the free space of the system drive."
    )


class CannotReplace(RaidError):
    code = "RAID-071"
    meaning = (
        "The drive of that bay must not be pulled now: its virtual drive would be lost, or needs it to come back. "
        "The sentence says which one, the hint what comes first."
    )


class CannotRepair(RaidError):
    code = "RAID-072"
    meaning = (
        "The wrong stripes are not repaired now: nothing is known of them, a member is missing, md is busy, or the "
        "drives have changed since the check. Only what is known to be wrong is written, so nothing was written here."
    )


class CannotCut(RaidError):
    code = "RAID-080"
    meaning = (
        "The virtual drive's part of its drive group could not be written into the group's table: its place is taken "
        "or does not fit, or the table that was there is gone. Nothing was written. `rackeye group` shows what is "
        "free."
    )


# -- chassis ---------------------------------------------------------------------------------------------------------


class HwError(RackeyeError):
    """Bays, LEDs and sensors."""


class LedGone(HwError):
    code = "HW-001"
    meaning = (
        "An LED that the chassis profile names cannot be read or set: its file is gone or its chip does not answer. "
        "The other LEDs go on. Check the profile (`rackeye-paneld --check FILE`), the LED's driver module, the cable."
    )


class LedStuck(HwError):
    code = "HW-002"
    meaning = (
        "An LED was set and reads back as something else: another program drives it too, or its chip cannot do the "
        "blink rate. The profile's `chips` say what a chip can do (docs/ref/profile.md)."
    )


class BayUnknown(HwError):
    code = "HW-003"
    meaning = "The chassis profile names no bay of this number. `rackeye bay` lists them."


class BayWithoutLeds(HwError):
    code = "HW-004"
    meaning = "The chassis profile names no status LED for this bay, so that it cannot blink to be found."


class UdevSilent(HwError):
    code = "HW-005"
    meaning = (
        "udev's database cannot be read, so that it is not known which bay holds a drive. Every bay is shown as "
        "unknown, not as empty. `systemctl status systemd-udevd` says why."
    )


class BeeperGone(HwError):
    code = "HW-006"
    meaning = (
        "The beeper that the chassis profile names is not there, or the kernel does not take what is written to it. "
        "Alarms are then not heard; LEDs, mail and the page go on. The sentence says which file or device it is."
    )


class NoBeeper(HwError):
    code = "HW-007"
    meaning = "The chassis profile names no beeper: nothing can be played. The table [beeper] of a profile names one."


class NoSuchBeep(HwError):
    code = "HW-008"
    meaning = (
        "There is no beep code of that number. Codes are short tones of one length; long tones that do not end are an "
        "alarm, which `rackeye alarm` explains."
    )


class ButtonsGone(HwError):
    code = "HW-009"
    meaning = (
        "An input device that the chassis profile names for a button is not there or cannot be read. Presses are not "
        "seen; it is tried again every 30 s. Check the profile and the driver (gpio-keys, ACPI's button)."
    )


# -- recorder --------------------------------------------------------------------------------------------------------


class RecorderError(RackeyeError):
    """Cameras, video and its index."""


class CameraError(RecorderError):
    """A connection to a camera ended."""


class CameraRefused(CameraError):
    code = "REC-001"
    meaning = (
        "The camera (or whatever stands at its address) answers, and says no: nothing listens on the port, or RTSP "
        "answered with an error such as 404 Not Found. Check port and path of the URL; some cameras also refuse when "
        "too many viewers are connected."
    )


class CameraUnreachable(CameraError):
    code = "REC-002"
    meaning = (
        "Nothing answers at the camera's address in time: no power, a cable, another address, or a camera that hangs. "
        "The recorder goes on trying, at most every 30 s."
    )


class WrongPassword(CameraError):
    code = "REC-003"
    meaning = "The camera answers and refuses user name or password. Many cameras lock a user after some wrong tries."


class BadStream(CameraError):
    code = "REC-004"
    meaning = (
        "The camera sends something that this recorder cannot read: no RTSP, no H.264, no key frame, or spoilt data. "
        "Set the camera's stream to H.264 (Main or High profile) with a key frame each second or two."
    )


class CameraFrozen(CameraError):
    code = "REC-005"
    meaning = (
        "The connection is open, and no frame comes. The recorder connects again by itself; when it happens often, "
        "look at the camera's load, its firmware and the network."
    )


class CameraClosed(CameraError):
    code = "REC-006"
    meaning = (
        "The camera closed the connection: it restarts, or was set up anew. The recorder connects again by itself."
    )


class CameraExists(RecorderError):
    code = "REC-010"
    meaning = (
        "A camera's name is its folder on the volumes and must be unique. Remove the old one or take another name."
    )


class CameraUnknown(RecorderError):
    code = "REC-011"
    meaning = "No camera has this name. `rackeye camera` lists them."


class BadCamera(RecorderError):
    code = "REC-012"
    meaning = (
        "A camera's name is 1 to 32 of a-z, 0-9 and -; its URL is rtsp://host[:port]/path, and user and password are "
        "given apart from it or before the host, not both."
    )


class VolumeFailed(RecorderError):
    code = "REC-020"
    meaning = (
        "A recording volume cannot be written. Its cameras move to another recording volume when there is one; without "
        "one nothing is recorded. The system drive is never written to instead. Look at `rackeye vd` and `rackeye bay`."
    )


class BadVideoFile(RecorderError):
    code = "REC-021"
    meaning = (
        "A video file is not one of Rackeye's, or its beginning is damaged. It is left as it is and never deleted."
    )


class IndexBroken(RecorderError):
    code = "REC-022"
    meaning = (
        "The index of the recordings cannot be read or written. Recording goes on. The index can be built anew from "
        "the files alone: stop the recorder, run `rackeye-recorder rebuild`, start it again."
    )


class NothingRecorded(RecorderError):
    code = "REC-030"
    meaning = "There is no video of this camera at that time or after it. The timeline shows what there is."


class ViewingAbsent(RecorderError):
    code = "REC-031"
    meaning = (
        "Live view and playback go through a socket of rackeye-recorder, and it does not answer there. Recording may "
        "go on all the same: `rackeye status` tells. The journal of rackeye-recorder says why."
    )


class BadViewingRequest(RecorderError):
    code = "REC-032"
    meaning = "A request for live view or playback that the recorder does not understand: a time, or its form."


# -- alarms ----------------------------------------------------------------------------------------------------------


class AlarmError(RackeyeError):
    """Alarms that are asked for and cannot be found."""


class NoSuchAlarm(AlarmError):
    code = "ALARM-001"
    meaning = "The number names no open alarm: it was cleared meanwhile, or never was. `rackeye alarm` lists them."


class NoMail(AlarmError):
    code = "ALARM-002"
    meaning = (
        "No mail server is set. In /etc/rackeye/rackeye.toml: [mail] host, port, tls (starttls, tls, none), user, "
        "password, sender, to = [...]; then `systemctl reload rackeye-policyd` and `rackeye alarm mail-test`."
    )


class MailFailed(AlarmError):
    code = "ALARM-003"
    meaning = (
        "The mail server could not be reached, refused the password, or took none of the addresses; its own words are "
        "in the sentence. Alarms wait and are tried again for a day; `rackeye alarm show ID` says who was not told."
    )


class WebhookFailed(AlarmError):
    code = "ALARM-004"
    meaning = (
        "The webhook's server could not be reached or did not answer with success (2xx). Events wait and are tried "
        "again for a day, ever more seldom."
    )


# -- boot ------------------------------------------------------------------------------------------------------------


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


# -- the command line ------------------------------------------------------------------------------------------------


class CliError(RackeyeError):
    """The command line."""


class NotConfirmed(CliError):
    code = "CLI-001"
    meaning = (
        "The command would destroy or change data, and was not confirmed: the name that it asked for was not typed. "
        "Nothing was changed. In scripts, `--yes` confirms."
    )


class WorkFailed(CliError):
    code = "CLI-002"
    meaning = (
        "The work that was asked for began, and did not come to its end. The message says what the daemon said of it; "
        "`rackeye vd` shows how things stand now, and nothing is lost by looking."
    )


# -- accounts --------------------------------------------------------------------------------------------------------


class AccountError(RackeyeError):
    """Who somebody is, and what they may do."""


class WrongLogin(AccountError):
    code = "ACC-001"
    meaning = (
        "User and password do not fit together; which of the two is wrong is not said. After five wrong passwords "
        "from one place the account is locked for that place, each time twice as long. An administrator can set a "
        "new password: `sudo rackeye account password NAME`. When all are forgotten, restore to default from the "
        "console's boot menu."
    )


class AccountLocked(AccountError):
    code = "ACC-002"
    meaning = (
        "There were too many wrong passwords. The message says how long no password is looked at; each further wrong "
        "one doubles that, up to an hour. The console at the machine has a count of its own, so that nobody on the "
        "network can lock the person who stands before the box."
    )


class MustChangePassword(AccountError):
    code = "ACC-003"
    meaning = (
        "The account still has the password that somebody else knows (the factory's, or one that an administrator "
        "set). Until it is changed nothing else is allowed."
    )


class BadPassword(AccountError):
    code = "ACC-004"
    meaning = (
        "The new password is refused: it needs 8 to 256 characters, must not be the name or the old password, and not "
        "one of those that everybody tries first."
    )


class NoSuchAccount(AccountError):
    code = "ACC-005"
    meaning = "There is no account or API token of this name. `sudo rackeye account list` shows them."


class AccountExists(AccountError):
    code = "ACC-006"
    meaning = "There is an account of this name already."


class LastAdministrator(AccountError):
    code = "ACC-007"
    meaning = "The last administrator cannot be removed or made a viewer: nobody could mend that. Add another first."


class SessionOver(AccountError):
    code = "ACC-008"
    meaning = (
        "The session or API token is not (or no longer) valid: logged out, two hours without use, seven days old, the "
        "password changed, or the appliance restored to default. Log in again."
    )


class NotPermitted(AccountError):
    code = "ACC-009"
    meaning = "A viewer may look at everything and change nothing. An administrator can do it."


class AccountsBroken(AccountError):
    code = "ACC-010"
    meaning = (
        "The accounts' database cannot be read or written, so nobody can log in over the network; recording goes on. "
        "Look for a full or failing system drive. If the file is damaged, `Restore to default` of the console's boot "
        "menu makes a new one with the factory account."
    )


class BadAccountName(AccountError):
    code = "ACC-011"
    meaning = "A name of an account or token has 1 to 32 characters of a-z, 0-9, dot, underscore and hyphen."


# -- the console -----------------------------------------------------------------------------------------------------


class WebError(RackeyeError):
    """The console's page and its API."""


class Forged(WebError):
    code = "WEB-001"
    meaning = (
        "A request that would change something did not come from this console's own page: another site tried to use "
        "the session of somebody who is logged in here, or the page is of a session that has ended. Load the page "
        "again. A program sends an API token in the header `Authorization: Bearer ...` instead."
    )


class TooManyRequests(WebError):
    code = "WEB-002"
    meaning = "One address asks for more than the console gives to one address. Wait a few seconds."


class NotThere(WebError):
    code = "WEB-003"
    meaning = "The API has nothing of this name. /api/v1/openapi.json lists all it has."


# -- the virtual rack ------------------------------------------------------------------------------------------------


class RigError(RackeyeError):
    """The virtual rack."""


class RackAbsent(RigError):
    code = "RIG-001"
    meaning = "No virtual rack of this name is up, or its power is cut. `rackeye-rack up` starts one, `boot` powers it."


class RackExists(RigError):
    code = "RIG-002"
    meaning = (
        "A virtual rack of this name is up already. Use it, end it with `rackeye-rack down`, or give another --name."
    )


class RackBroken(RigError):
    code = "RIG-003"
    meaning = (
        "The virtual rack could not be built or its kernel ended. The message ends with what was last said: by "
        "bubblewrap when the sandbox could not be made, by the kernel when the guest did not come up."
    )


class RackTimeout(RigError):
    code = "RIG-004"
    meaning = "Something in the virtual rack did not happen in time: the boot, a command, or what a test waited for."


class RackRefused(RigError):
    code = "RIG-005"
    meaning = (
        "The virtual rack cannot do this now, for instance pull a drive from an empty bay. The message says why."
    )


# -- the rest --------------------------------------------------------------------------------------------------------


class InternalError(RackeyeError):
    code = "INT-001"
    meaning = "A defect in Rackeye itself. The journal of the daemon has the details; please report it."


class UnknownCode(RackeyeError):
    code = "INT-002"
    meaning = "`rackeye explain` was asked for a code that does not exist. `rackeye explain` alone lists them all."


def all_errors(base: type[RackeyeError] = RackeyeError) -> Iterator[type[RackeyeError]]:
    """Every error class that has a code."""
    for kind in base.__subclasses__():
        if kind.code:
            yield kind
        yield from all_errors(kind)


def error_class(code: str) -> type[RackeyeError] | None:
    """The class of a code, None for a code that this version does not know."""
    return next((kind for kind in all_errors() if kind.code == code), None)
