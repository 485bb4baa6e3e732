"""Which recording conditions hold, by the recorder's snapshot. Pure."""

from typing import assert_never

from nvr.alarms.kinds.condition import Condition
from nvr.alarms.kinds.recording import NoVolume, RecordingStopped
from nvr.recorder.model import CameraState, CameraView, RecorderSnapshot, VolumeState

JUDGES = {"no-volume", "recording-stopped"}


def conditions(recorder: RecorderSnapshot) -> list[Condition]:
    """Without a volume there is one alarm for all cameras, and none for each."""
    wanted = [camera for camera in recorder.cameras if camera.state is not CameraState.DISABLED]
    if wanted and not any(volume.state is VolumeState.READY for volume in recorder.volumes):
        return [NoVolume(len(wanted))]
    return [condition for camera in wanted for condition in _camera(camera)]


def _camera(camera: CameraView) -> list[Condition]:
    match camera.state:
        case CameraState.DISABLED | CameraState.RECORDING | CameraState.CONNECTING:
            return []
        case (
            CameraState.NO_VOLUME | CameraState.REFUSED | CameraState.UNREACHABLE | CameraState.WRONG_PASSWORD
            | CameraState.BAD_STREAM | CameraState.FROZEN
        ):
            return [RecordingStopped(camera.name, camera.state.value, camera.detail)]
        case _:
            assert_never(camera.state)
