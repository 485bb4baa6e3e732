"""The switch to Failover Mode (spec/boot.md): what stands against it, and the one write that makes it.

`look` reads the world, `refusals` judges (pure), `convert` writes the mode: one record, so that a cut at any moment
leaves one mode or the other, whole.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from boot import factory, power
from boot.model import Intent, Mode, Refusal, SwitchPlan
from boot.state import StateStore
from core.errors import (
    AlreadyRedundant,
    CannotTell,
    DriveGroupsLeft,
    NotRestored,
    RackeyeError,
    RaidNotClear,
    RecordingRuns,
    RunError,
    VolumesLeft,
)
from core.paths import Paths
from core.run import run
from core.udev_facts import BAY, of_an_earlier_drive, serial

HOMEHOST = "rackeye:"
RECORDER = "rackeye-recorder.service"
DRIVES = ("sd", "nvme", "vd", "xvd", "hd", "mmcblk")
STEPS = (
    "The mode becomes Failover Mode: this appliance is then a redundant server, configured from the CMS.",
    "The appliance reboots.",
    "Switching back is not supported: the way back is Restore to default.",
)
QUESTION = "This is one-way. Switch to Failover Mode? [y]"


@dataclass(frozen=True, slots=True)
class Superblock:
    """A RAID signature on a drive. group: name of the virtual drive when it is one of ours, else empty."""

    drive: str
    kind: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """The world as far as the switch depends on it.

    recording: None is unknown. arrays: running md arrays. mounted: recording volumes. contents: file systems and
    partition tables on drives that are not the system's, in words. changed: settings that are not the factory's.
    unknown: what could not be read, in sentences.
    """

    mode: Mode = Mode.STANDARD
    intent: Intent = Intent.NONE
    recording: bool | None = False
    arrays: tuple[str, ...] = ()
    mounted: tuple[str, ...] = ()
    superblocks: tuple[Superblock, ...] = ()
    contents: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def refusals(look: Look) -> tuple[RackeyeError, ...]:
    """Everything that stands against the switch, in the order in which it is best mended. Pure."""
    if look.mode is Mode.FAILOVER:
        return (AlreadyRedundant("This appliance is in Failover Mode already.",
                                 hint="The way back is Restore to default."),)
    said: list[RackeyeError] = []
    if look.recording:
        said.append(RecordingRuns("The recording services are running.", hint="systemctl stop rackeye-recorder"))
    if look.recording is None:
        said.append(CannotTell("Whether the recording services run is not known.", hint="systemctl status"))
    groups = sorted({*look.arrays, *(found.group for found in look.superblocks if found.group)})
    if groups:
        said.append(DriveGroupsLeft(f"There are drive groups: {', '.join(groups)}.",
                                    hint="Delete the virtual drives, then clear the RAID configuration."))
    if look.mounted or look.contents:
        said.append(VolumesLeft(f"There are volumes: {', '.join((*look.mounted, *look.contents))}.",
                                hint="Save what is worth saving, then clear the drives: rackeye drive clear"))
    foreign = [f"{found.drive} ({found.kind})" for found in look.superblocks if not found.group]
    if foreign:
        said.append(RaidNotClear(f"The RAID configuration is not clear: {', '.join(foreign)}.",
                                 hint="Clear them: rackeye drive clear --bay N"))
    if look.changed or look.intent is not Intent.NONE:
        what = ", ".join(look.changed) or "a restore is not finished"
        said.append(NotRestored(f"The settings are not the factory's: {what}.",
                                hint="Restore to default first, in the boot menu; back up before."))
    said += [CannotTell(sentence, hint="What is not known is not taken as good.") for sentence in look.unknown]
    return tuple(said)


def plan(paths: Paths, store: StateStore) -> SwitchPlan:
    """What would be done, and what stands against it. Changes nothing."""
    against = refusals(look(paths, store))
    return SwitchPlan(STEPS, tuple(Refusal(error.code, error.sentence, error.hint) for error in against))


def convert(paths: Paths, store: StateStore) -> None:
    """Looks once more, then writes the mode. Raises the first refusal, StateUnwritable."""
    for error in refusals(look(paths, store)):
        raise error
    store.change(lambda record: replace(record, mode=Mode.FAILOVER))


def look(paths: Paths, store: StateStore) -> Look:
    """Reads the world; what cannot be read is in `unknown`."""
    record = store.load().record
    unknown: list[str] = []
    arrays, mounted, system = _storage(paths, unknown)
    superblocks: list[Superblock] = []
    contents: list[str] = []
    for drive in _drives(paths, system):
        for found in _signatures(paths, drive, unknown):
            if isinstance(found, Superblock):
                superblocks.append(found)
            else:
                contents.append(found)
    changed = factory.changed(paths, unknown)
    return Look(record.mode, record.intent, power.is_active(RECORDER), arrays, mounted, tuple(superblocks),
                tuple(contents), changed, tuple(unknown))


def _storage(paths: Paths, unknown: list[str]) -> tuple[tuple[str, ...], tuple[str, ...], frozenset[str]]:
    """Running arrays and mounted volumes that are not the system's; the names of block devices that are."""
    try:
        mounts = [line.split() for line in (paths.proc / "self/mountinfo").read_text().splitlines()]
        names = sorted(entry.name for entry in (paths.sys / "block").iterdir())
    except OSError as error:
        unknown.append(f"Drives and mounts cannot be read: {error}.")
        return (), (), frozenset()
    volumes = tuple(line[4] for line in mounts if line[4].startswith("/srv/rackeye/"))
    used = {line[2] for line in mounts if not line[4].startswith("/srv/rackeye/")}
    with_swap = {line.split()[0].rsplit("/", 1)[-1] for line in _lines(paths.proc / "swaps")[1:] if line.split()}
    system = frozenset(name for name in names if _carries(paths, name, used, with_swap))
    arrays = tuple(name for name in names if name.startswith("md") and name not in system and _runs(paths, name))
    return arrays, volumes, system


def _carries(paths: Paths, name: str, used: set[str], swaps: set[str]) -> bool:
    """Whether the device, a partition of it, or anything built upon either is mounted or swap."""
    folder = paths.sys / "block" / name
    above = [folder, *(part.parent for part in folder.glob("*/partition"))]
    for part in above:
        if _text(part / "dev") in used or part.name in swaps:
            return True
        if any(_carries(paths, holder.name, used, swaps) for holder in (part / "holders").glob("*")):
            return True
    return False


def _runs(paths: Paths, name: str) -> bool:
    return _text(paths.sys / "block" / name / "md/array_state") not in ("", "clear")


def _drives(paths: Paths, system: frozenset[str]) -> Iterator[str]:
    for entry in sorted((paths.sys / "block").glob("*")):
        if entry.name.startswith(DRIVES) and entry.name not in system and _text(entry / "size") not in ("", "0"):
            yield entry.name


def _signatures(paths: Paths, name: str, unknown: list[str]) -> Iterator[Superblock | str]:
    """What wipefs finds on a drive and its partitions: superblocks, and anything else in words."""
    where = _place(paths, name)
    parts = sorted(part.parent.name for part in (paths.sys / "block" / name).glob("*/partition"))
    for device in (name, *parts):
        try:
            said = run(["wipefs", "--json", "--no-act", str(paths.dev / device)]).stdout
            found = json.loads(said or "{}").get("signatures", [])
        except (RunError, ValueError) as error:
            unknown.append(f"What lies on {where} cannot be read: {str(error).splitlines()[0]}")
            continue
        for kind, label in sorted({(str(one.get("type")), str(one.get("label") or "")) for one in found}):
            if kind.endswith("raid_member"):
                yield Superblock(where, kind, _group(paths.dev / device))
            else:
                yield f"{kind}{f' {label!r}' if label else ''} on {where}"


def _group(device: Path) -> str:
    """The name of our virtual drive whose member this is; empty for anybody else's."""
    try:
        said = run(["mdadm", "--examine", "--export", str(device)], ok=(0, 1)).stdout
    except RunError:
        return ""
    table = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    name = table.get("MD_NAME", "")
    return name.removeprefix(HOMEHOST) if name.startswith(HOMEHOST) else ""


def _place(paths: Paths, name: str) -> str:
    """`bay 3 (sdd, serial RK000004)` by udev's word, else the device."""
    facts = {}
    for line in _lines(paths.root / "run/udev/data" / f"b{_text(paths.sys / 'block' / name / 'dev')}"):
        if line.startswith("E:"):
            key, _, value = line[2:].partition("=")
            facts[key] = value
    facts["DISKSEQ"] = _text(paths.sys / "block" / name / "diskseq")
    if of_an_earlier_drive(facts):
        return name
    own = serial(facts)
    tail = f"{name}, serial {own}" if own else name
    bay = facts.get(BAY)
    return f"bay {bay} ({tail})" if bay else f"{tail}"


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""


def _lines(file: Path) -> list[str]:
    return _text(file).splitlines()
