"""Drives, drive groups, virtual drives."""

from core.errors.base import RackeyeError


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
