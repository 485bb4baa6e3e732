"""How the replacement of a drive stands: (what was so at its begin, what is so now) -> a stage and a sentence. Pure.

Nothing but the world says how far it is, so a wizard that was left is found again at the same place.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum, unique

from core.errors import CannotReplace, NoSuchDrive, NotNow, RackeyeError, SystemDrive
from core.units import human_bytes
from hw.model import PanelSnapshot
from raid.model import Drive, DriveState, Progress, RaidSnapshot, VdState, VirtualDrive, Work
from raid.model_shares import redundancy, shares

BEARS_NOTHING = (VdState.FAILED, VdState.OFFLINE, VdState.UNKNOWN)


@unique
class Stage(StrEnum):
    """Where it stands. HOLD: the drive must not be pulled now. WRONG: another bay is empty that was not."""

    PULL = "pull"
    HOLD = "hold"
    WRONG = "wrong bay"
    INSERT = "insert"
    CLEAR = "clear"
    UNFIT = "unfit"
    SETTLE = "settle"
    REBUILD = "rebuild"
    DONE = "done"
    FAILED = "failed"


WORKS = (DriveState.ONLINE, DriveState.SHIELD)
"""A full member of its virtual drive, also when it is expected to fail."""


@dataclass(frozen=True, slots=True)
class Case:
    """What was so when it began. size: the least that the new drive needs, as far as it is known here.

    present: the other bays that held a drive, with its serial. was: the state of the old drive. loses: bays whose
    places the pull was to lose.
    """

    bay: int
    serial: str
    model: str
    size: int
    was: DriveState
    vd: str | None
    present: tuple[tuple[int, str], ...]
    out: bool
    """The bay is empty, or another drive is in it: the pull is done."""
    loses: tuple[int | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands now. loud: the person must act at once. drive: the new one, when it is there."""

    stage: Stage
    text: str
    loud: bool = False
    progress: Progress | None = None
    drive: Drive | None = None


def presence(raid: RaidSnapshot, panel: PanelSnapshot | None) -> dict[int, bool]:
    """Which bays hold a drive: as the panel sees it, else as raidd does. A bay that nobody knows is left out."""
    here = {drive.bay: drive.device is not None for drive in _missing_first(raid) if drive.bay is not None}
    seen = {} if panel is None else {view.bay: view.present for view in panel.bays if view.present is not None}
    return here | seen


def begin(bay: int, raid: RaidSnapshot, panel: PanelSnapshot | None) -> Case:
    """The case, when this drive may be replaced at all.

    Raises NoSuchDrive, SystemDrive, NotNow, CannotReplace with the reason.
    """
    rows = [drive for drive in raid.drives if drive.bay == bay]
    here = next((drive for drive in rows if drive.device is not None), None)
    gone = next((drive for drive in rows if drive.device is None), None)
    there = presence(raid, panel)
    if here is None and gone is None:
        if there.get(bay):
            raise NotNow(f"The drive in bay {bay} is still being read.", hint="Try again in a few seconds.")
        known = ", ".join(map(str, sorted(there))) or "none"
        raise NoSuchDrive(
            f"Bay {bay} is empty and no virtual drive misses a drive there: nothing is to be replaced. "
            f"Bays that are known: {known}.", hint="rackeye bay",
        )
    old = here if gone is None else gone
    assert old is not None
    vd = None if old.vd is None else _vd(old.vd, raid)
    if gone is None and (refusal := _refusal(old, vd, bay)) is not None:
        raise refusal
    serials = {drive.bay: drive.serial for drive in raid.drives if drive.device is not None}
    others = tuple((other, serials.get(other, "")) for other, full in sorted(there.items()) if full and other != bay)
    joined = here is not None and gone is None and here.state in (DriveState.REBUILD, DriveState.COPYBACK)
    case = Case(
        bay, old.serial, old.model, old.size, old.state, old.vd, others, out=gone is not None or joined,
    )
    return replace(case, loses=lost_by(case, raid))


def _refusal(old: Drive, vd: VirtualDrive | None, bay: int) -> RackeyeError | None:
    """Why a drive that is there must stay, and will not be free soon; None when nothing keeps it."""
    if old.state is DriveState.SYSTEM:
        return SystemDrive(f"The drive in bay {old.bay} carries the system.", hint="It is not replaced while it runs.")
    if old.state is DriveState.UNKNOWN:
        return NotNow(
            f"It is not known what the drive in bay {old.bay} is good for. {old.detail}".strip(),
            hint="Try again in a few seconds: rackeye drive",
        )
    if vd is None:
        return None
    if vd.state in BEARS_NOTHING and old.state in (DriveState.OFFLINE, *WORKS, DriveState.STALE):
        return CannotReplace(
            f"{vd.name} does not run ({vd.state}), and the drive in bay {old.bay} may be needed to bring it back.",
            hint=f"Look at `rackeye vd show {vd.name}` first; pull nothing.",
        )
    if vd.progress is not None and vd.progress.kind is Work.RECONSTRUCTION:
        return CannotReplace(
            f"{vd.name} is being made anew over its drives: none of them is replaced now.",
            hint="Wait until that has ended: rackeye vd --watch",
        )
    if old.state in WORKS and shares(vd, bay).tolerance < 1:
        return CannotReplace(
            f"{vd.name} is {vd.state} and cannot lose this drive: pulling bay {bay} loses ALL its recordings.",
            hint=f"Make {vd.name} whole first: rackeye vd show {vd.name}",
        )
    return None


def warnings(case: Case, raid: RaidSnapshot) -> tuple[str, ...]:
    """What is to be known before it begins: what the pull costs, and what another pull would."""
    vd = None if case.vd is None else _vd(case.vd, raid)
    if vd is None:
        return (f"The drive in bay {case.bay} belongs to no virtual drive: pulling it costs none of our data.",)
    uses, left = case.was in WORKS, _left(case, vd)
    said = []
    if uses:
        said.append(
            f"The drive in bay {case.bay} works in {vd.name}, which is {_less(vd, left)} from the pull until the new "
            "one is rebuilt."
        )
    else:
        said.append(f"{vd.name} does not use the drive of bay {case.bay} any more ({case.was}). It is {vd.state}.")
    if vd.state in BEARS_NOTHING:
        said.append(f"{vd.name} does not run: a new drive in bay {case.bay} does not bring it back by itself.")
    else:
        said += _another(case, vd)
    said += [f"The drive in bay {one.bay} {one.what}. {_then(one, case, vd, raid)}" for one in weak(case, raid)]
    return tuple(said)


def _another(case: Case, vd: VirtualDrive) -> Iterator[str]:
    """What the pull of another drive would cost, once this one is out."""
    own, left = shares(vd, case.bay), _left(case, vd)
    fatal = [
        bay for one in redundancy(vd) if (left if one is own else one.tolerance) < 1
        for bay in one.bays if bay not in (None, case.bay)
    ]
    others = [bay for bay in vd.bays if bay not in (None, case.bay)]
    safe = ", ".join(str(bay) for bay in others if bay not in fatal)
    bays = ", ".join(map(str, fatal))
    if not safe:
        yield f"If you pull any other drive of it (bays {bays}), ALL recordings of {vd.name} are lost."
    elif fatal:
        which = "bay" if len(fatal) == 1 else "one of the bays"
        yield f"If you pull {which} {bays} as well, ALL recordings of {vd.name} are lost."
        yield f"Of its other drives (bays {safe}) it can then lose 1 more, and no recording."
    else:
        least = min(left if one is own else one.tolerance for one in redundancy(vd))
        yield f"Of its other drives (bays {safe}) it can then lose {least} more, and no recording."


@dataclass(frozen=True, slots=True)
class Weak:
    """Another drive of the same array that is not whole. lacks: places that only the others have. what: in words."""

    bay: int | None
    lacks: bool
    what: str


def weak(case: Case, raid: RaidSnapshot) -> tuple[Weak, ...]:
    """What hangs on the drive that is to be pulled, though the virtual drive may be Optimal: md counts a member with
    bad blocks, unreadable sectors or a failure that is predicted as whole."""
    own = next((drive for drive in raid.drives if drive.bay == case.bay and drive.vd == case.vd), None)
    vd = None if case.vd is None else _vd(case.vd, raid)
    if vd is None or own is None:
        return ()
    found, beside = [], shares(vd, case.bay).bays
    for drive in raid.drives:
        if drive.vd != case.vd or drive.bay not in beside or drive.bay == case.bay or drive.state not in WORKS:
            continue
        places = _places(drive, vd, raid)
        said = [f"lacks {places} place(s) (bad blocks, or sectors that cannot be read)"] if places else []
        if drive.state is DriveState.SHIELD:
            said.append(f"is expected to fail ({drive.smart.detail.rstrip('.')})")
        if said:
            found.append(Weak(drive.bay, bool(places), " and ".join(said)))
    return tuple(found)


def _places(drive: Drive, vd: VirtualDrive, raid: RaidSnapshot) -> int:
    """Those that md has in its list of bad blocks, and those that the last patrol read could not read."""
    who = (drive.bay, drive.serial)
    listed = sum(bad.places for bad in vd.bad_blocks if (bad.bay, bad.serial) == who)
    return listed + sum((bad.bay, bad.serial) == who and not bad.rewritten for bad in raid.patrol.bad)


def lost_by(case: Case, raid: RaidSnapshot) -> tuple[int | None, ...]:
    """Bays whose places the pull would lose: more drives lack some than the virtual drive then bears to miss."""
    vd = None if case.vd is None else _vd(case.vd, raid)
    bays = tuple(one.bay for one in weak(case, raid) if one.lacks)
    return bays if vd is not None and case.was in WORKS and len(bays) > _left(case, vd) else ()


def _left(case: Case, vd: VirtualDrive) -> int:
    """How many more of the drives beside it may go after the pull."""
    bears = shares(vd, case.bay).tolerance
    return bears - 1 if case.was in WORKS else bears


def _then(one: Weak, case: Case, vd: VirtualDrive, raid: RaidSnapshot) -> str:
    """What that means for the pull, and what to do first."""
    first = "" if case.was is not DriveState.ONLINE else f" Replace it first: rackeye drive replace --bay {one.bay}"
    if one.bay in lost_by(case, raid):
        return f"What lies there is LOST with the pull of bay {case.bay}.{first}"
    if _left(case, vd) > 0:
        return f"{vd.name} bears that, too, while bay {case.bay} is out."
    if one.lacks:
        return f"What lies there cannot be read or rebuilt while bay {case.bay} is out."
    return f"Should it fail before bay {case.bay} is rebuilt, ALL recordings of {vd.name} are lost.{first}"


def _less(vd: VirtualDrive, left: int) -> str:
    return VdState.PARTIALLY_DEGRADED if left > 0 and vd.level in (6, 60) else VdState.DEGRADED


def stand(case: Case, raid: RaidSnapshot, panel: PanelSnapshot | None, *, out: bool) -> Standing:
    """How it stands. out: the bay was seen empty before, or with another drive."""
    there = presence(raid, panel)
    wrong = [(bay, serial) for bay, serial in case.present if there.get(bay) is False]
    vd = None if case.vd is None else _vd(case.vd, raid)
    if wrong:
        return Standing(Stage.WRONG, _wrong(case, wrong, vd), loud=True)
    if case.vd is not None and vd is None:
        return Standing(Stage.FAILED, f"{case.vd} is gone.")
    if vd is not None and vd.state is VdState.FAILED and out:
        return Standing(Stage.FAILED, f"{vd.name} has failed. {vd.detail}", loud=True)
    new = next((drive for drive in raid.drives if drive.bay == case.bay and drive.device is not None), None)
    if there.get(case.bay) is False:
        return Standing(
            Stage.INSERT,
            f"Bay {case.bay} is empty. Put in a new drive: blank, and of at least {human_bytes(case.size)}.",
        )
    if not out:
        return _before(case, raid)
    if new is None:
        return Standing(Stage.SETTLE, f"The new drive in bay {case.bay} is being read.")
    return _with(new, case, raid)


def _wrong(case: Case, wrong: list[tuple[int, str]], vd: VirtualDrive | None) -> str:
    bays = " and ".join(str(bay) for bay, _ in wrong)
    drives = " and ".join(f"{serial or 'its drive'} into bay {bay}" for bay, serial in wrong)
    what = f" {vd.name} is {vd.state}: nothing more is written to it." if vd and vd.state in BEARS_NOTHING else ""
    return f"STOP: bay {bays} was pulled, and that is not bay {case.bay}! Put it back at once: {drives}.{what}"


def _before(case: Case, raid: RaidSnapshot) -> Standing:
    """The old drive is still in its bay. What it is now counts: a hot spare may have become a member since."""
    rows = [drive for drive in _missing_first(raid) if drive.bay == case.bay]
    old = rows[-1] if rows else None
    vd = None if old is None or old.vd is None else _vd(old.vd, raid)
    if old is not None and (why := _held(old, vd, case.bay)):
        text = f"Do NOT pull bay {case.bay} now: {why}"
        return Standing(Stage.HOLD, text, loud=True, progress=None if vd is None else vd.progress)
    if old is None and raid.starting:
        return Standing(Stage.HOLD, f"Do NOT pull bay {case.bay} now: its drive is being read.", loud=True)
    if old is not None and (news := _not_agreed(old, vd, case, raid)):
        again = f"To replace it all the same begin again: rackeye drive replace --bay {case.bay}"
        return Standing(Stage.FAILED, f"Pull nothing: {news} {again}", loud=True)
    return Standing(
        Stage.PULL, f"Pull the drive out of bay {case.bay}: {case.model} {case.serial}. Its tray blinks fast.",
    )


def _held(old: Drive, vd: VirtualDrive | None, bay: int) -> str:
    """Why the old drive must stay as it is now; empty when it may be pulled."""
    refusal = _refusal(old, vd, bay)
    if refusal is not None:
        return f"{refusal.sentence} {vd.detail if vd is not None else ''}".strip()
    if old.hold:
        return f"{old.hold} This waits until that has ended."
    if old.state in (DriveState.REBUILD, DriveState.COPYBACK):
        return f"{old.vd} is being rebuilt onto its drive."
    return ""


def _not_agreed(old: Drive, vd: VirtualDrive | None, case: Case, raid: RaidSnapshot) -> str:
    """What the pull costs by now, and did not when it was agreed to; empty when it costs no more."""
    if vd is None or old.state not in WORKS:
        return ""
    if case.vd is None or case.was not in WORKS:
        less = _less(vd, shares(vd, case.bay).tolerance - 1)
        return f"the drive in bay {case.bay} works in {vd.name} by now, which would be {less} without it."
    more = [str(bay) for bay in lost_by(replace(case, was=old.state), raid) if bay not in case.loses]
    return f"what bay {' and '.join(more)} lacks would be LOST with it by now." if more else ""


def _with(new: Drive, case: Case, raid: RaidSnapshot) -> Standing:  # noqa: PLR0911 -- one return a state
    """There is a drive in the bay after the pull."""
    name = f"{new.model} {new.serial} ({human_bytes(new.size)}) in bay {case.bay}"
    vd = None if new.vd is None else _vd(new.vd, raid)
    match new.state:
        case DriveState.ONLINE:
            whole = f"{new.vd} is {vd.state}." if vd is not None else ""
            return Standing(Stage.DONE, f"Done: {name} is a full member of {new.vd}. {whole}".strip(), drive=new)
        case DriveState.REBUILD | DriveState.COPYBACK:
            text = f"{new.vd} is being rebuilt onto {name}. Pull no other drive of it until this is done."
            return Standing(Stage.REBUILD, text, progress=None if vd is None else vd.progress, drive=new)
        case DriveState.FOREIGN:
            text = f"{name} holds data: {new.detail} Nothing is overwritten without a word."
            return Standing(Stage.CLEAR, text, loud=True, drive=new)
        case DriveState.UNCONFIGURED_BAD | DriveState.FAILED | DriveState.SHIELD:
            text = f"{name} is no good ({new.state}). {new.detail} Put another one in."
            return Standing(Stage.UNFIT, text, loud=True, drive=new)
        case DriveState.HOT_SPARE:
            return Standing(Stage.DONE, f"Done: {name} is a hot spare.", drive=new)
        case DriveState.SYSTEM:
            return Standing(Stage.UNFIT, f"{name} carries a system in use: it is not taken.", loud=True, drive=new)
        case _:
            pass
    if new.refused:
        return Standing(Stage.UNFIT, f"{name}: {new.detail}", loud=True, drive=new)
    if new.state is DriveState.BLANK and not _wanted(case, raid):
        text = f"Done: {name} is in its place and blank. No virtual drive misses a drive there."
        return Standing(Stage.DONE, text, drive=new)
    return Standing(Stage.SETTLE, f"{name}: {new.detail or new.state}", drive=new)


def _wanted(case: Case, raid: RaidSnapshot) -> bool:
    """A virtual drive waits for a drive in this bay, or is about to take it."""
    rows = [drive for drive in raid.drives if drive.bay == case.bay]
    return any(drive.device is None or drive.detail for drive in rows)


def _vd(name: str, raid: RaidSnapshot) -> VirtualDrive | None:
    """By its name, or by that of the drive group of several: then all that share it, as one."""
    found = [vd for vd in raid.virtual_drives if name in (vd.name, vd.group)]
    if len(found) < 2:
        return found[0] if found else None
    return replace(found[0], name=" and ".join(vd.name for vd in found))


def _missing_first(raid: RaidSnapshot) -> list[Drive]:
    """A bay can have two rows: the drive that is there counts."""
    return sorted(raid.drives, key=lambda drive: drive.device is not None)
