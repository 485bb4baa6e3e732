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
    ├── AlarmError                ALARM-*  alarms (ALARM-101 and up are the alarms themselves: nvr/alarms/kinds/)
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
    ├── MemoryUnwritable          MEM-001
    └── InternalError             INT-001

`error_class(code)` finds the class of a code; `rackeye explain CODE` prints it.
"""

from collections.abc import Iterator

from core.errors.base import RackeyeError as RackeyeError
from core.errors.boot import *
from core.errors.chassis import *
from core.errors.people import *
from core.errors.rack import *
from core.errors.recorder import *
from core.errors.storage import *
from core.errors.system import *


def all_errors(base: type[RackeyeError] = RackeyeError) -> Iterator[type[RackeyeError]]:
    """Every error class that has a code."""
    for kind in base.__subclasses__():
        if kind.code:
            yield kind
        yield from all_errors(kind)


def error_class(code: str) -> type[RackeyeError] | None:
    """The class of a code, None for a code that this version does not know."""
    return next((kind for kind in all_errors() if kind.code == code), None)
