"""What md is at work on in an array, as the product calls it. Pure."""

from raid.members import copies_back
from raid.memory import KnownVd
from raid.model import Work
from raid.sysfs import Array

_DOING = {
    Work.COPYBACK: "'s data goes back to the drive in its own bay",
    Work.RECONSTRUCTION: " is being reconstructed",
    Work.REBUILD: " is being rebuilt",
    Work.CHECK: " is being checked by md",
    Work.REPAIR: " is being repaired by md",
    Work.RESYNC: " is being resynced after a power cut: its parity is not right everywhere yet",
    Work.INITIALIZING: " is being initialized: its parity is not there yet",
}


def work_of(md: Array, vd: KnownVd) -> Work:
    """Of an array that works; of one that is about to, what it will be."""
    if copies_back(md):
        return Work.COPYBACK
    if vd.growth is not None and md.sync_action == "recover":
        return Work.RECONSTRUCTION  # the second parity is computed onto the drive that came in
    match md.sync_action:
        case "recover":
            return Work.REBUILD
        case "check":
            return Work.CHECK
        case "repair":
            return Work.REPAIR
        case "reshape":
            return Work.RECONSTRUCTION
        case _:
            return Work.RESYNC if vd.initialized else Work.INITIALIZING


def doing(md: Array, vd: KnownVd) -> str:
    """ "vd0 is being rebuilt." """
    return f"{vd.name}{_DOING[work_of(md, vd)]}."
