"""Worlds to decide about: a virtual drive vd0 of four drives in bays 0 to 3, and what can befall it."""

from dataclasses import replace

from core.settings import Care, Raid
from raid.assemble import fingerprint, recovery
from raid.memory import Fleeting, KnownVd, Memory, Slot, Stage, Wish
from raid.scene import Scene
from raid.superblock import ROLE_FAULTY, ROLE_SPARE, Superblock
from raid.sysfs import Array, Member
from raid.world import Disk, Filesystem, Probe, Running, Volume, World

NOW = 1_800_000_000.0
UUID = "00112233:44556677:8899aabb:ccddeeff"
FS = "11111111-2222-3333-4444-555555555555"
BOOT = "boot-1"
MIB = 1024**2
SIZE = 512 * MIB
COMPONENT = 500 * MIB
OFFSET = 4 * MIB
STRIP = 256 * 1024
SETTINGS = Raid(settle_seconds=10.0, sync_speed_min=1000, care=Care(check_days=0, patrol_days=0))


def serial(bay: int) -> str:
    return f"SN{bay:04}"


def disk(bay: int, probe: Probe | None = None, **changes: object) -> Disk:
    """The first drive of a bay, sda in bay 0."""
    made = Disk(f"sd{chr(97 + bay)}", 10 + bay, bay, serial(bay), "RACK DRIVE", SIZE, probe=probe)
    return replace(made, **changes)  # type: ignore[arg-type]


def newcomer(bay: int, probe: Probe, size: int = SIZE) -> Disk:
    """Another drive in the same bay."""
    return Disk(f"sd{chr(107 + bay)}", 50 + bay, bay, f"NEW{bay:04}", "RACK DRIVE", size, probe=probe)


def superblock(slot: int | None, events: int = 100, out: tuple[int, ...] = (), **changes: object) -> Superblock:
    """A member's; out: device numbers that it saw put out."""
    roles = tuple(ROLE_FAULTY if number in out else number for number in range(4))
    made = Superblock(
        array_uuid=UUID, name="rackeye:vd0", level=5, layout=2, chunk=STRIP, raid_disks=4, component_size=COMPONENT,
        data_offset=OFFSET, device_uuid=f"dev-{slot}", device_number=slot or 0, role=slot, events=events,
        utime=int(NOW) - 60, clean=True, recovering=False, reshaping=False, bitmap=True,
        roles=roles if slot is not None else (*roles, ROLE_SPARE),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def probe(slot: int | None, events: int = 100, out: tuple[int, ...] = (), **changes: object) -> Probe:
    return Probe(("linux_raid_member",), superblock(slot, events, out, **changes))


BLANK = Probe()
EXT4 = Probe(("ext4",))


def member(bay: int, slot: int | None = None, states: str = "in_sync", *, present: bool = True) -> Member:
    place = bay if slot is None else slot
    return Member(f"sd{chr(97 + bay)}", place, frozenset(states.split(",")), present, OFFSET)


def array(*members: Member, **changes: object) -> Array:
    made = Array(
        device="md127", devnum="9:127", diskseq=99, level=5, layout=2, chunk=STRIP, raid_disks=4,
        component_size=COMPONENT, size=3 * COMPONENT, state="clean", degraded=4 - len(members), parity_complete=True,
        sync_action="idle", sync_done=0, sync_total=0, sync_speed=None, sync_speed_min=1000, bitmap=True,
        members=members,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def half_assembled(*bays: int) -> Array:
    """As `mdadm -I` leaves it when there are too few for a start: md has read no superblock yet (seen on the rack)."""
    members = (replace(member(bay, states="spare"), slot=None) for bay in bays)
    return array(*members, state="inactive", level=None, raid_disks=0, component_size=0, size=0, degraded=0)


MOUNTED = Volume(mountpoint="/srv/rackeye/vd0", prepared=True)
UNMOUNTED = Volume(read=True, filesystem=Filesystem(FS, complete=True, unit=STRIP, width=3 * STRIP))


def running(md: Array, events: int | None = 120, volume: Volume = MOUNTED) -> Running:
    return Running(md, UUID, "vd0", "rackeye", events, volume)


def known(**changes: object) -> KnownVd:
    slots = tuple(Slot(bay, serial(bay), "RACK DRIVE", SIZE) for bay in range(4))
    made = KnownVd("vd0", UUID, 5, STRIP, slots, Stage.READY, FS, initialized=True)
    return replace(made, **changes)  # type: ignore[arg-type]


def memory(vd: KnownVd | None = None, **changes: object) -> Memory:
    """Long after the start; every drive of these worlds was first seen a minute ago."""
    seen = tuple((number, NOW - 60) for number in range(100))
    return replace(Memory((vd or known(),), fleeting=Fleeting(NOW - 600, seen)), **changes)  # type: ignore[arg-type]


def world(disks: tuple[Disk, ...], *arrays: Running, **changes: object) -> World:
    return replace(World(BOOT, disks, arrays), **changes)  # type: ignore[arg-type]


def scene(of: World, remembered: Memory | None = None) -> Scene:
    return Scene(of, remembered or memory(), SETTINGS, NOW)


def wish(of: World, vd: KnownVd | None = None, after: str = "") -> Wish:
    """A person was shown how it would be recovered from these drives, and confirmed it."""
    vd = vd or known()
    plan = recovery(vd, scene(of))
    assert plan is not None
    return Wish(vd.name, fingerprint(vd, plan), after)


def healthy() -> World:
    """All four drives in, all is well."""
    return world(tuple(disk(bay) for bay in range(4)), running(array(*(member(bay) for bay in range(4)))))


def pulled(bay: int = 2, *newcomers: Disk, events: int | None = 120) -> World:
    """One drive gone and taken off the array; newcomers: what came since."""
    left = [number for number in range(4) if number != bay]
    disks = (*(disk(number) for number in left), *newcomers)
    return world(disks, running(array(*(member(number) for number in left)), events))


def asleep(*probes: Probe | None) -> World:
    """No array runs; the drives of bays 0.. carry these."""
    return world(tuple(disk(bay, found) for bay, found in enumerate(probes)))
