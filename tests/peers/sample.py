"""An appliance in the middle of its life: one drive failed and rebuilt, one foreign, a camera that is away."""

import time

from boot.failover import SENTENCE
from boot.failover_model import FailoverSnapshot, FailoverState
from boot.model import BoxSnapshot, Interface, Mode, Refusal, SwitchPlan, TimeView
from hw.model import BayView, FanSnapshot, PanelSnapshot, Sensor, SensorKind, SensorState, TrayCondition, TrayLight
from nvr.alarms.model import Alarm, Category, ChannelView, Health, Level, PolicySnapshot
from nvr.recorder.model import CameraState, CameraView, Gap, RecorderSnapshot, VolumeState, VolumeView
from raid.model import CheckResult, CheckVerdict, Drive, DriveState, Progress, RaidSnapshot, VdState, VirtualDrive, Work
from raid.model_clear import ClearPlan
from raid.model_foreign import AbandonPlan, ImportPlan
from raid.model_plan import DeletePlan, Plan, PlannedDrive, PlannedVd
from raid.model_recover import RecoverPlan
from raid.smart_model import Figures, Smart, SmartHealth, SmartHistory, SmartRecord

NOW = time.time()
SIZE = 6_001_175_126_016


def _drive(
    bay: int, state: DriveState, vd: str | None = "vd0", detail: str = "", smart: Smart | None = None
) -> Drive:
    device = None if state is DriveState.MISSING else f"/dev/sd{'abcdefgh'[bay]}"
    return Drive(
        bay, f"WD-WX12D{bay}0{bay}417", "WDC WD60PURX-64T0ZY0", SIZE, device, state, detail, vd, bay % 4,
        smart=smart or Smart(),
    )


WELL = Smart(SmartHealth.GOOD, "", Figures("ATA", True, 34, 21_456, None, None, 0, 0, 0), NOW - 420)
TIRED = Smart(
    SmartHealth.WATCH, "8 sectors cannot be read and wait to be reallocated.",
    Figures("ATA", True, 41, 43_210, None, None, 12, 8, 0), NOW - 900,
)


DRIVES = (
    _drive(0, DriveState.ONLINE, smart=WELL), _drive(1, DriveState.ONLINE, smart=TIRED), _drive(2, DriveState.REBUILD),
    _drive(3, DriveState.ONLINE), _drive(4, DriveState.FAILED, None, "3 reads failed in a row."),
    _drive(5, DriveState.FOREIGN, None, "It holds an NTFS file system."), _drive(6, DriveState.BLANK, None),
    Drive(None, "SSD0001", "Samsung SSD 870", 250_059_350_016, "/dev/sdi", DriveState.SYSTEM, "The system drive."),
)
RAID = RaidSnapshot(
    drives=DRIVES,
    virtual_drives=(
        VirtualDrive(
            "vd0", "3c5e0d2a:11", 5, VdState.DEGRADED, Progress(Work.REBUILD, 42.3, 181_000_000, 19_140.0),
            "/dev/md127", 3 * SIZE, 262_144, (0, 1, 2, 3), 0, "/srv/rackeye/vd0", "Bay 2 is being rebuilt."),
        VirtualDrive(
            "vd1", "77aa0d2a:12", 5, VdState.OPTIMAL, None, "/dev/md126", 2 * SIZE, 262_144, (5, 6, 7), 1,
            "/srv/rackeye/vd1", ""),
    ),
    checks=(CheckResult("vd1", CheckVerdict.CLEAN, NOW - 86_400, 11_446_000, (), 0, "Every stripe agrees."),),
)


def _bay(bay: int, light: TrayLight | None, condition: TrayCondition = TrayCondition.NONE) -> BayView:
    here = light is not TrayLight.ABSENT
    locate = light is TrayLight.LOCATE
    if not here:
        return BayView(bay, present=False, light=light, locate=locate, condition=condition)
    drive = DRIVES[bay]
    return BayView(bay, True, drive.device, drive.serial, drive.model, light, locate, condition)


PANEL = PanelSnapshot(
    "virtual-8", "Virtual rack, 8 bays", ((4, 5, 6, 7), (0, 1, 2, 3)),
    (
        _bay(0, TrayLight.ACTIVE), _bay(1, TrayLight.PRESENT), _bay(2, TrayLight.REBUILD, TrayCondition.REBUILD),
        _bay(3, TrayLight.ACTIVE), _bay(4, TrayLight.FAILED, TrayCondition.FAILED), _bay(5, TrayLight.LOCATE),
        _bay(6, TrayLight.PRESENT), _bay(7, TrayLight.ABSENT),
    ),
)


def fan(celsius: float, rpm: float) -> FanSnapshot:
    """Temperatures and fans."""
    return FanSnapshot("virtual-8", (
        Sensor("Chassis", SensorKind.TEMPERATURE, celsius, "°C", None, 60.0, SensorState.OK),
        Sensor("CPU", SensorKind.TEMPERATURE, 78.0, "°C", None, 75.0, SensorState.ALARM, "Above 75 °C."),
        Sensor("Fan 1", SensorKind.FAN, rpm, "rpm", 600.0, None, SensorState.OK),
        Sensor("Fan 2", SensorKind.FAN, None, "rpm", 600.0, None, SensorState.MISSING, "fan2_input is not there."),
    ))


FAN = fan(31.5, 1510.0)


def _camera(number: int, state: CameraState, **more: object) -> CameraView:
    base: dict[str, object] = {
        "volume": "vd1", "width": 1920, "height": 1080, "bitrate": 4.1e6, "frames": 12_345, "last_frame": NOW,
        "recorded_until": NOW, **more}
    return CameraView(f"cam{number}", f"rtsp://192.0.2.{number}:554/stream1", state, **base)  # type: ignore[arg-type]


RECORDER = RecorderSnapshot(
    cameras=(
        _camera(1, CameraState.RECORDING), _camera(2, CameraState.RECORDING, width=3840, height=2160, bitrate=11.4e6),
        _camera(3, CameraState.UNREACHABLE, detail="No answer from 192.0.2.3:554.", bitrate=0.0, last_frame=NOW - 754,
                gaps=(Gap(NOW - 754, NOW), Gap(NOW - 4000, NOW - 3988)), gap_count=2, gap_seconds=766.0),
        _camera(4, CameraState.RECORDING),
    ),
    volumes=(
        VolumeView("vd1", "/srv/rackeye/vd1", VolumeState.READY, "", 7_100_000_000_000, 12_000_000_000_000,
                   600_000_000_000, ("cam1", "cam2", "cam4"), 8123, 4_900_000_000_000, NOW - 9.5 * 86_400),
    ),
)
POLICY = PolicySnapshot(
    Health.CRITICAL,
    (
        Alarm(12, "ALARM-103", Category.STORAGE, Level.CRITICAL, "Virtual drive degraded",
              "vd0 has lost bay 4 (WDC WD60PURX-64T0ZY0, WD-WX12D404417) and is being rebuilt onto bay 2.",
              "Wait until the rebuild is done; pull no other drive. Then replace the drive in bay 4.", "vd0",
              NOW - 3600, vd="vd0", bay=4),
        Alarm(11, "ALARM-120", Category.RECORDING, Level.WARNING, "Camera unreachable",
              "cam3 has sent nothing for 12 minutes.", "Check its power and network cable.", "cam3", NOW - 754,
              acknowledged=NOW - 300, camera="cam3"),
    ),
    (Alarm(9, "ALARM-140", Category.CHASSIS, Level.NOTICE, "Bay located", "Bay 5 blinks.", "", "bay5", NOW - 9000,
           cleared=NOW - 8000, cleared_text="Bay 5 blinks no more."),),
    {"rackeye-raidd": True, "rackeye-paneld": True, "rackeye-fand": True, "rackeye-recorder": True},
    channels=(ChannelView("mail", ("guard@example.org",), 0, "", NOW - 3590),),
)
CLEARING = ClearPlan(
    5, DRIVES[5].serial, DRIVES[5].model, SIZE, "/dev/sdf", ("ntfs",), "It holds: ntfs.", "",
)
SWITCH = SwitchPlan(
    ("The mode becomes Failover Mode.", "The appliance reboots."),
    (Refusal("BOOT-013", "There are volumes: /srv/rackeye/vd0.", "Save what is worth saving, then clear the drives."),),
)
BOX = BoxSnapshot(
    version="V0.1.0", hostname="rack", interfaces=(Interface("eth0", "52:54:00:12:34:56", True, ("192.0.2.2/24",)),),
    time=TimeView("Europe/Berlin", None))
REDUNDANT = BoxSnapshot(Mode.FAILOVER, version="V0.1.0R", hostname="rack", failover_runs=True)
FAILOVER = FailoverSnapshot(FailoverState.WAITING, "V0.1.0R", SENTENCE)
_PLANNED = tuple(PlannedDrive(bay, f"WD-WX12D{bay}0{bay}417", "WDC WD60PURX-64T0ZY0", SIZE) for bay in (4, 5, 6, 7))
PLAN = Plan(
    (PlannedVd("vd2", 5, _PLANNED, 3 * SIZE, 1, 262_144, 3 * 262_144),),
    ("The drive in bay 7 has another firmware.",), (), (), "f1n6e2",
)
DELETION = DeletePlan(
    "vd1", "77aa0d2a:12", "RAID5", 2 * SIZE, 4_900_000_000_000, _PLANNED, "/srv/rackeye/vd1",
    "All 4.9 TB of recordings on vd1 are lost.", "",
)
IMPORT = ImportPlan(
    "vd1", "RAID5", 3 * SIZE, _PLANNED, 1,
    "It is started and mounted. 1 of its drives is not here or behind the others: it is Degraded.", "", "e1sewhere")
ABANDON = AbandonPlan(
    "vd2", "88aa0d2a:13", "RAID5", _PLANNED, "vd2 is not made yet: the drive of bay 7 is not there. Put it back.",
    "Nothing was ever recorded on vd2. Its drives are free for something else.", "")
RECOVERY = RecoverPlan("vd0", (0, 1, 3), (2,), "What was written in the last 3 s may be lost.", "c0nfirmed")
HISTORY = SmartHistory("WD-WX12D101417", "WDC WD60PURX-64T0ZY0", (
    SmartRecord(NOW - 900, TIRED.health, TIRED.detail, TIRED.figures),
    SmartRecord(NOW - 86_400, SmartHealth.GOOD, "", WELL.figures),
))
