"""What policyd sees, made up for the tests."""

from typing import Any

from boot.model import BoxSnapshot
from core.daemon import Decision
from hw.model import BayView, FanSnapshot, PanelSnapshot, TrayCondition
from nvr.policy.decide import Action, Memory, SetTrays
from nvr.policy.world import Word, World
from nvr.recorder.model import CameraState, CameraView, RecorderSnapshot, VolumeState, VolumeView
from raid.model import Drive, DriveState, RaidSnapshot, VdState, VirtualDrive

NOW = 1000.0


def drive(bay: int, state: DriveState = DriveState.ONLINE, **more: Any) -> Drive:
    device = None if state is DriveState.MISSING else f"/dev/sd{'abcdefgh'[bay]}"
    fields: dict[str, Any] = {"detail": "", "vd": "vd0", "slot": bay} | more
    return Drive(bay, f"SN{bay}", "RACK DISK", 512 << 20, device, state, **fields)


def vd(state: VdState = VdState.OPTIMAL, tolerance: int = 1) -> VirtualDrive:
    return VirtualDrive(
        "vd0", "u", 5, state, None, "/dev/md127", 1 << 30, 65536, (0, 1, 2, 3), tolerance, "/srv/rackeye/vd0", ""
    )


def raid(*changed: Drive, state: VdState = VdState.OPTIMAL, **more: Any) -> RaidSnapshot:
    bays = {change.bay for change in changed}
    whole = tuple(drive(bay) for bay in range(4) if bay not in bays)
    return RaidSnapshot(drives=whole + changed, virtual_drives=(vd(state),), **more)


MEMBERS = dict.fromkeys(range(4), TrayCondition.MEMBER)


def panel(**shown: TrayCondition) -> PanelSnapshot:
    told = MEMBERS | {int(bay[3:]): kind for bay, kind in shown.items()}
    bays = tuple(BayView(bay, True, condition=told.get(bay, TrayCondition.NONE)) for bay in range(8))
    return PanelSnapshot("virtual-8", bays=bays)


CAMERA = CameraView("door", "rtsp://10.0.0.1/", CameraState.RECORDING)
VOLUME = VolumeView("vd0", "/srv/rackeye/vd0", VolumeState.READY)
RECORDING = RecorderSnapshot((CAMERA,), (VOLUME,))


def world(
    raid_: RaidSnapshot | None = None, panel_: PanelSnapshot | None = None, fan: FanSnapshot | None = None,
    recorder: RecorderSnapshot | None = None, silent: tuple[str, ...] = (), *, box: BoxSnapshot | None = None,
) -> World:
    words: dict[str, Any] = {
        "raid": raid_ or raid(), "panel": panel_ or panel(), "fan": fan or FanSnapshot(),
        "recorder": recorder or RECORDING, "box": box or BoxSnapshot(),
    }  # fmt: skip
    said: dict[str, Any] = {
        key: Word(f"rackeye-{key}", None if key in silent else data, NOW, key not in silent)
        for key, data in words.items()
    }
    return World(**said)


def trays(decision: Decision[Memory, Action]) -> list[Action]:
    return [action for action in decision.actions if isinstance(action, SetTrays)]


def with_bay_2(condition: TrayCondition) -> SetTrays:
    return SetTrays(tuple((MEMBERS | {2: condition}).items()))


def codes(decision: Decision[Memory, Action]) -> list[str]:
    return sorted(alarm.code for alarm in decision.memory.open)

