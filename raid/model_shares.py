"""Which drives of a virtual drive bear losses together, for all who say what a pull would cost. Pure."""

from collections.abc import Sequence

from raid.model import MirrorSet, Span, VirtualDrive


def redundancy(vd: VirtualDrive) -> Sequence[VirtualDrive | Span | MirrorSet]:
    """What bears losses by itself, whatever becomes of the rest: each span, each set of mirrors, or all of it."""
    return vd.mirrors or vd.spans or (vd,)


def shares(vd: VirtualDrive, bay: int | None) -> VirtualDrive | Span | MirrorSet:
    """The drives that hold the data of this bay's, with how many of them may be lost now."""
    return next((one for one in redundancy(vd) if bay in one.bays), vd)
