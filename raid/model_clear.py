"""What clearing a drive would destroy (org.rackeye.Raid1.Admin). Travels as msgspec JSON."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClearPlan:
    """PlanClear: the drive that ClearDrive would wipe for the same request.

    signatures: their kinds, as wipefs names them; empty on a blank drive, None while they are not known. loses: the
    same in words. refusal: why it is not cleared; empty when it can be.
    """

    bay: int
    serial: str
    model: str
    size: int
    device: str
    signatures: tuple[str, ...] | None
    loses: str
    refusal: str
