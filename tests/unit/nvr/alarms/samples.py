"""Alarms to tell."""

from nvr.alarms.model import Alarm, Category, Level

NOW = 1_800_000_000.0


def alarm(number: int, *, loud: bool = False, same: str = "", cleared: float | None = None) -> Alarm:
    """A failed drive, or with `loud` a camera that is not recorded."""
    if loud:
        return Alarm(
            id=number, code="ALARM-202", category=Category.RECORDING, level=Level.CRITICAL, title="Recording stopped",
            text="cam1 is not recorded.", hint="Look at the camera.", same=same or f"recording-stopped/cam{number}",
            raised=NOW, camera="cam1", loud=True, cleared=cleared, cleared_text="It is recorded again.",
        )
    return Alarm(
        id=number, code="ALARM-101", category=Category.STORAGE, level=Level.CRITICAL, title="Drive failed",
        text="The drive of vd0 in bay 2 (DISK SN2) is missing.", hint="Put a blank drive into bay 2.",
        same=same or f"drive-failed/vd0/{number}", raised=NOW, vd="vd0", bay=2, serial="SN2", cleared=cleared,
        cleared_text="The drive is rebuilt.",
    )
