"""Which storage conditions hold, by raidd's snapshot. Pure."""

from typing import assert_never

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
from nvr.alarms.kinds.system import Trouble
from raid.model import CheckVerdict, Drive, DriveState, RaidSnapshot, VdState, VirtualDrive, Work
from raid.model_care import BadPlace, WrongPlace
from raid.scrub_result import LISTED
from raid.smart_model import SmartHealth
from raid.spare_model import SpareState

JUDGES = {
    "drive-failed", "vd-degraded", "vd-failed", "vd-offline", "replacement-refused", "parity-wrong", "spare-lost",
    "unreadable", "drive-failing", "drive-watch", "member-lacks", "data-lost",
    "check-blind", "check-undone", "stripe-torn",
}
BROKEN = {DriveState.FAILED, DriveState.MISSING}
NOT_YET = {DriveState.REBUILD, DriveState.COPYBACK, DriveState.STALE, DriveState.UNKNOWN, DriveState.OFFLINE}
"""A failed drive's place is not filled yet, whatever is said of the drive that is there by now."""
WHOLE = 100.0
PAGE_SECTORS = 8
ASLEEP = {VdState.OFFLINE, VdState.FAILED, VdState.UNKNOWN}
UNUSED = {DriveState.BLANK, DriveState.FOREIGN, DriveState.UNCONFIGURED_BAD, DriveState.STALE, DriveState.SHIELD}


def conditions(raid: RaidSnapshot, was_open: set[str]) -> list[Condition]:
    """was_open: `same` of the open alarms; a failed drive's alarm goes on while its place is rebuilt."""
    return [
        *_drives(raid.drives, was_open), *_replacements(raid.drives),
        *(condition for vd in raid.virtual_drives for condition in _vd(vd, was_open)),
        *_parity(raid), *_checks(raid, was_open), *_spares(raid, was_open), *_unreadable(raid),
        *_foretold(raid.drives, was_open), *_lacking(raid),
    ]


def unseen(raid: RaidSnapshot) -> set[str]:
    """Beginnings of `same` of what cannot be seen now: it has not ended by that, and its open alarms stay as they are.

    md's lists are read of arrays that run, and not during a repair, which writes into them itself; a drive is refused
    only for a virtual drive that runs; and just after a start of raidd a drive may not have come yet.
    """
    found = {"drive-failing", "drive-watch", "unreadable"} if raid.starting else set[str]()
    for vd in raid.virtual_drives:
        asleep = vd.state in ASLEEP
        if asleep or (vd.progress is not None and vd.progress.kind is Work.REPAIR):
            found |= {f"member-lacks/{vd.name}", f"data-lost/{vd.name}"}
        if asleep:
            found |= {f"replacement-refused/{bay}" for bay in vd.bays}
    return found


def _drives(drives: tuple[Drive, ...], was_open: set[str]) -> list[Condition]:
    found: dict[str, Condition] = {}
    for drive in sorted(drives, key=lambda drive: drive.state not in BROKEN):  # before the spare that stands in
        if drive.vd is None:
            continue
        failed = DriveFailed(drive.vd, drive.slot, drive.bay, drive.serial, drive.model, drive.size, drive.state.value)
        if drive.state in BROKEN or (drive.state in NOT_YET and failed.same in was_open):
            found.setdefault(failed.same, failed)
    return list(found.values())


def _foretold(drives: tuple[Drive, ...], was_open: set[str]) -> list[Condition]:
    """What the drives say of themselves. A drive that cannot be read for a while is not well by that."""
    found: list[Condition] = []
    for drive in drives:
        if drive.state in BROKEN:  # an alarm of its own
            continue
        who = (drive.bay, drive.serial, drive.model, drive.vd, drive.smart.detail)
        failing, watch, health = DriveFailing(*who), DriveWatch(*who), drive.smart.health
        unread = health is SmartHealth.UNKNOWN
        if health is SmartHealth.FAILING or (unread and failing.same in was_open):
            found.append(failing)
        elif health is SmartHealth.WATCH or (unread and watch.same in was_open):
            found.append(watch)
    return found


def _replacements(drives: tuple[Drive, ...]) -> list[Condition]:
    missing = {drive.bay: drive.vd for drive in drives if drive.state in BROKEN and drive.vd and drive.bay is not None}
    return [
        ReplacementRefused(drive.bay, drive.serial, missing[drive.bay] or "", drive.detail)
        for drive in drives
        if drive.state in UNUSED and drive.refused and drive.bay is not None and drive.bay in missing
    ]


def _vd(vd: VirtualDrive, was_open: set[str]) -> list[Condition]:
    if vd.progress is not None and vd.progress.kind is Work.DELETING:
        return []  # as a person asked for
    return [*_works(vd, was_open), *([StripeTorn(vd.name, vd.torn)] if vd.torn else [])]


def _works(vd: VirtualDrive, was_open: set[str]) -> list[Condition]:
    failed, degraded = VdFailed(vd.name, vd.detail), VdDegraded(vd.name, vd.state.value, vd.tolerance)
    match vd.state:
        case VdState.OPTIMAL:
            return []
        case VdState.DEGRADED | VdState.PARTIALLY_DEGRADED:
            return [degraded]
        case VdState.FAILED:
            return [failed]
        case VdState.OFFLINE | VdState.UNKNOWN if failed.same in was_open:
            return [failed]  # its drives are read anew, or it is started: it is not well by that
        case VdState.OFFLINE | VdState.UNKNOWN:
            before = [degraded] if degraded.same in was_open else []  # nor does it get its drive back by a start
            return [*before, VdOffline(vd.name, vd.state.value, vd.detail)]
        case _:
            assert_never(vd.state)


def _parity(raid: RaidSnapshot) -> list[Condition]:
    return [
        ParityWrong(check.vd, check.wrong_count, check.detail)
        for check in raid.checks
        if check.verdict is CheckVerdict.WRONG
    ]


def _checks(raid: RaidSnapshot, was_open: set[str]) -> list[Condition]:
    """Checks that could not be done, or could not read everything. What was not done stays told until one has ended."""
    results = {check.vd: check for check in raid.checks}
    found: list[Condition] = []
    for vd in raid.virtual_drives:
        check = results.get(vd.name)
        undone = CheckUndone(vd.name, "It is being checked now." if check is None else check.detail)
        if check is None:
            going_on = vd.progress is not None and vd.progress.kind is Work.CHECK
            found += [undone] if going_on and undone.same in was_open else []
            continue
        unread = [place for place in check.places if place.why]
        failed = check.verdict is CheckVerdict.FAILED
        blind = CheckBlind(vd.name, check.detail)
        known = not raid.starting or blind.same in was_open  # a drive that tells of it itself may not have come yet
        if failed and known and any(not _told(place, raid) for place in unread):
            found.append(blind)
        if failed and not unread:
            found += [undone] if vd.state is VdState.OPTIMAL or undone.same in was_open else []
        elif check.percent < WHOLE and undone.same in was_open:
            found.append(undone)
    return found


def _told(place: WrongPlace, raid: RaidSnapshot) -> bool:
    """Whether an alarm of the drive itself tells of a place that could not be read."""
    first = place.lba or 0
    return place.why == LISTED or any(
        bad.bay in place.bays and bad.lba < first + place.pages * PAGE_SECTORS and first < bad.lba + bad.sectors
        for bad in raid.patrol.bad
    )


def _spares(raid: RaidSnapshot, was_open: set[str]) -> list[Condition]:
    """One that is read, or awaited after a start, is not well by that."""
    lost = (SpareState.FAILED, SpareState.MISSING, SpareState.NOT_BLANK)
    told = [(SpareLost(one.serial, one.bay, one.model, one.state.value, one.detail), one.state) for one in raid.spares]
    return [
        spare for spare, state in told if state in lost or (state is SpareState.UNKNOWN and spare.same in was_open)
    ]


def _unreadable(raid: RaidSnapshot) -> list[Condition]:
    """One a drive, so that a dying one does not send a hundred mails."""
    found: dict[str, list[BadPlace]] = {}
    for place in raid.patrol.bad:
        found.setdefault(place.serial, []).append(place)
    return [
        Unreadable(
            places[0].bay, serial, sum(not place.rewritten for place in places), sum(p.rewritten for p in places),
            next((place for place in places if not place.rewritten), places[0]).detail,
        )
        for serial, places in found.items()
    ]


def _lacking(raid: RaidSnapshot) -> list[Condition]:
    """md's lists of bad blocks: one a drive, and one more a virtual drive of which something is lost."""
    found: list[Condition] = []
    for vd in raid.virtual_drives:
        found += [MemberLacks(vd.name, bad.bay, bad.serial, bad.places, bad.size) for bad in vd.bad_blocks]
        lost = max((bad.lost or 0 for bad in vd.bad_blocks), default=0)
        if lost:
            bays = tuple(bad.bay for bad in vd.bad_blocks if bad.lost)
            found.append(DataLost(vd.name, lost, bays))
    return found


def troubles(daemon: str, problems: tuple[str, ...]) -> list[Condition]:
    """What a daemon itself calls a problem."""
    return [Trouble(daemon, sentence) for sentence in dict.fromkeys(problems)]
