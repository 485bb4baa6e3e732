"""Alarms of cameras and recording volumes."""

from dataclasses import dataclass

from nvr.alarms.kinds.condition import Condition
from nvr.alarms.model import Category, Level


@dataclass(frozen=True, slots=True)
class NoVolume(Condition):
    """Cameras are set, and there is nowhere to record."""

    code = "ALARM-201"
    category = Category.RECORDING
    level = Level.CRITICAL
    title = "No volume: nothing is recorded"
    meaning = (
        "There is no recording volume, so that nothing is recorded: never to the system drive. Make one with "
        "`rackeye vd create --simple --level 5`, or mend the virtual drive that failed."
    )
    cleared_text = "There is a volume again."
    sounds = True
    loud = True
    grace = 5.0

    cameras: int

    @property
    def same(self) -> str:
        return "no-volume"

    @property
    def text(self) -> str:
        return f"There is no volume: {self.cameras} camera(s) are not recorded."

    @property
    def hint(self) -> str:
        return "See `rackeye vd`; make one: rackeye vd create --simple --level 5"


@dataclass(frozen=True, slots=True)
class RecordingStopped(Condition):
    """A camera that should be recorded is not."""

    code = "ALARM-202"
    category = Category.RECORDING
    level = Level.CRITICAL
    title = "Recording stopped"
    meaning = (
        "A camera that should be recorded is not. The text says why: refused, no answer, wrong password, not "
        "understood, or frozen (connected, without pictures)."
    )
    cleared_text = "The camera is recorded again."
    sounds = True
    loud = True

    camera: str
    state: str
    detail: str

    @property
    def same(self) -> str:
        return f"recording-stopped/{self.camera}"

    @property
    def text(self) -> str:
        return f"{self.camera} is not recorded: {self.state}. {self.detail}".strip()

    @property
    def hint(self) -> str:
        return "Check the camera's power, network and password; it is tried again by itself."
