"""/metrics in Prometheus' text format. Base units; what is not known has no sample, never a zero."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from boot.failover_model import FailoverSnapshot, FailoverState
from boot.model import Mode
from hw.model import FanSnapshot, PanelSnapshot, SensorKind, SensorState, TrayLight
from nvr.alarms.model import Health, PolicySnapshot
from nvr.recorder.model import CameraState, RecorderSnapshot, VolumeState
from nvr.web.hub import Hub
from nvr.web.rooms import FAILOVER, FAN, PANEL, POLICY, RAID, RECORDER
from raid.model import DriveState, RaidSnapshot, VdState
from raid.smart_model import Smart, SmartHealth

Labels = Mapping[str, str]
Sample = tuple[Labels, float | None]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric with its samples."""

    name: str
    kind: str
    says: str
    samples: list[Sample] = field(default_factory=list)


def text(hub: Hub) -> str:
    """All of it. Raises BadReply."""
    families: list[Family] = [Family("rackeye_daemon_up", "gauge", "1 when the daemon answers.", [
        ({"daemon": room.unit}, float(hub.words[room.key].answers)) for room in hub.awaited])]
    policy = hub.data(POLICY, PolicySnapshot)
    raid = hub.data(RAID, RaidSnapshot)
    panel = hub.data(PANEL, PanelSnapshot)
    fan = hub.data(FAN, FanSnapshot)
    recorder = hub.data(RECORDER, RecorderSnapshot)
    failover = hub.data(FAILOVER, FailoverSnapshot)
    health = policy.health if policy else Health.UNKNOWN
    families.append(Family("rackeye_health", "gauge", "The appliance in one word: 1 at what it is.",
                           list(_states(Health, health, {}, "health"))))
    families.append(Family("rackeye_mode", "gauge", "What the appliance is: 1 at what it is.",
                           list(_states(Mode, hub.mode, {}, "mode"))))
    families += _policy(policy) if policy else []
    families += _raid(raid) if raid else []
    families += _panel(panel) if panel else []
    families += _fan(fan) if fan else []
    families += _recorder(recorder) if recorder else []
    families += _failover(failover) if failover else []
    return "".join(line for family in families for line in _lines(family))


def _policy(data: PolicySnapshot) -> Iterator[Family]:
    yield Family("rackeye_alarm_raised_timestamp_seconds", "gauge", "Open alarms: when each was raised.", [
        ({"id": str(alarm.id), "code": alarm.code, "level": alarm.level, "title": alarm.title}, alarm.raised)
        for alarm in data.alarms])
    yield Family("rackeye_alarms_open", "gauge", "Number of open alarms.", [({}, float(len(data.alarms)))])


def _raid(data: RaidSnapshot) -> Iterator[Family]:
    drives = [({"bay": "" if d.bay is None else str(d.bay), "serial": d.serial}, d) for d in data.drives]
    yield Family("rackeye_drive_info", "gauge", "Drives that are there or should be.", [
        ({**who, "model": d.model, "vd": d.vd or ""}, 1.0) for who, d in drives])
    yield Family("rackeye_drive_state", "gauge", "State of a drive: 1 at what it is.", [
        sample for who, d in drives for sample in _states(DriveState, d.state, who, "state")])
    yield Family("rackeye_drive_size_bytes", "gauge", "Size of a drive.", [(who, float(d.size)) for who, d in drives])
    yield from _smart([(who, d.smart) for who, d in drives if d.device is not None])
    vds = [({"vd": vd.name}, vd) for vd in data.virtual_drives]
    yield Family("rackeye_vd_info", "gauge", "Virtual drives.", [
        ({**who, "uuid": vd.uuid, "level": str(vd.level)}, 1.0) for who, vd in vds])
    yield Family("rackeye_vd_state", "gauge", "State of a virtual drive: 1 at what it is.", [
        sample for who, vd in vds for sample in _states(VdState, vd.state, who, "state")])
    yield Family("rackeye_vd_size_bytes", "gauge", "Usable size.", [(who, float(vd.size)) for who, vd in vds])
    yield Family("rackeye_vd_tolerance_drives", "gauge", "Drives that may be lost now without losing data.", [
        (who, float(vd.tolerance)) for who, vd in vds])
    yield Family("rackeye_vd_work_ratio", "gauge", "How far the work on a virtual drive is, 0 to 1.", [
        ({**who, "work": vd.progress.kind}, vd.progress.percent / 100) for who, vd in vds if vd.progress])


def _smart(drives: list[tuple[Labels, Smart]]) -> Iterator[Family]:
    def of(value: int | None, factor: float = 1.0) -> float | None:
        return None if value is None else value * factor

    yield Family("rackeye_drive_smart_health", "gauge", "What a drive says of itself means: 1 at what it is.", [
        sample for who, d in drives for sample in _states(SmartHealth, d.health, who, "health")])
    yield Family("rackeye_drive_smart_passed", "gauge", "The drive's own verdict: 1 passed, 0 failed.", [
        (who, None if d.figures.passed is None else float(d.figures.passed)) for who, d in drives])
    yield Family("rackeye_drive_smart_read_timestamp_seconds", "gauge", "When the drive was read.", [
        (who, d.read) for who, d in drives])
    yield Family("rackeye_drive_temperature_celsius", "gauge", "Temperature of a drive.", [
        (who, of(d.figures.temperature)) for who, d in drives])
    yield Family("rackeye_drive_power_on_seconds", "gauge", "Time that a drive was powered on, in whole hours.", [
        (who, of(d.figures.hours, 3600.0)) for who, d in drives])
    yield Family("rackeye_drive_endurance_used_ratio", "gauge", "Part of the rated endurance that is used.", [
        (who, of(d.figures.wear, 0.01)) for who, d in drives])
    yield Family("rackeye_drive_spare_ratio", "gauge", "Part of the spare blocks that is left.", [
        (who, of(d.figures.spare, 0.01)) for who, d in drives])
    for name, says in (
        ("reallocated", "Sectors that were reallocated."), ("pending", "Sectors that wait to be reallocated."),
        ("uncorrectable", "Errors that could not be corrected."), ("grown_defects", "Defects of a SCSI drive's list."),
    ):
        yield Family(f"rackeye_drive_{name}", "gauge", says, [(who, of(getattr(d.figures, name))) for who, d in drives])


def _panel(data: PanelSnapshot) -> Iterator[Family]:
    bays = [({"bay": str(bay.bay)}, bay) for bay in data.bays]
    yield Family("rackeye_bay_info", "gauge", "Bays with the drive that is in each.", [
        ({**who, "serial": bay.serial or "", "model": bay.model or ""}, 1.0) for who, bay in bays])
    yield Family("rackeye_bay_present", "gauge", "1 when a drive is in the bay.", [
        (who, None if bay.present is None else float(bay.present)) for who, bay in bays])
    yield Family("rackeye_bay_locate", "gauge", "1 while the bay blinks to be found.", [
        (who, float(bay.locate)) for who, bay in bays])
    yield Family("rackeye_bay_light", "gauge", "What the LEDs of a bay show: 1 at what it is.", [
        sample for who, bay in bays if bay.light for sample in _states(TrayLight, bay.light, who, "light")])


def _fan(data: FanSnapshot) -> Iterator[Family]:
    heat = [sensor for sensor in data.sensors if sensor.kind is SensorKind.TEMPERATURE]
    fans = [sensor for sensor in data.sensors if sensor.kind is SensorKind.FAN]
    yield Family("rackeye_temperature_celsius", "gauge", "Temperatures.", [
        ({"sensor": sensor.name}, sensor.value) for sensor in heat])
    yield Family("rackeye_fan_speed_rpm", "gauge", "Speeds of fans, revolutions a minute.", [
        ({"sensor": sensor.name}, sensor.value) for sensor in fans])
    yield Family("rackeye_power_supply_watts", "gauge", "What a power supply gives.", [
        ({"sensor": sensor.name}, sensor.value) for sensor in data.sensors if sensor.kind is SensorKind.POWER])
    yield Family("rackeye_sensor_state", "gauge", "State of a sensor: 1 at what it is.", [
        sample for sensor in data.sensors
        for sample in _states(SensorState, sensor.state, {"sensor": sensor.name}, "state")])


def _recorder(data: RecorderSnapshot) -> Iterator[Family]:
    cameras = [({"camera": camera.name}, camera) for camera in data.cameras]
    yield Family("rackeye_camera_state", "gauge", "State of a camera: 1 at what it is.", [
        sample for who, camera in cameras for sample in _states(CameraState, camera.state, who, "state")])
    yield Family("rackeye_camera_received_bytes_per_second", "gauge", "Video over the last ten seconds or so.", [
        (who, camera.bitrate / 8) for who, camera in cameras])
    yield Family("rackeye_camera_frames_total", "counter", "Frames since the recorder started.", [
        (who, float(camera.frames)) for who, camera in cameras])
    yield Family("rackeye_camera_last_frame_timestamp_seconds", "gauge", "When the last frame came.", [
        (who, camera.last_frame) for who, camera in cameras])
    yield Family("rackeye_camera_gap_seconds_total", "counter", "Time without a picture on any volume.", [
        (who, camera.gap_seconds) for who, camera in cameras])
    yield Family("rackeye_camera_gaps_total", "counter", "Gaps.", [(who, float(c.gap_count)) for who, c in cameras])
    volumes = [({"volume": volume.name}, volume) for volume in data.volumes]
    yield Family("rackeye_volume_state", "gauge", "State of a recording volume: 1 at what it is.", [
        sample for who, volume in volumes for sample in _states(VolumeState, volume.state, who, "state")])
    ready = [(who, volume) for who, volume in volumes if volume.state is VolumeState.READY]
    yield Family("rackeye_volume_free_bytes", "gauge", "Free space.", [(who, float(v.free)) for who, v in ready])
    yield Family("rackeye_volume_size_bytes", "gauge", "Size.", [(who, float(v.total)) for who, v in ready])
    yield Family("rackeye_volume_recorded_bytes", "gauge", "Video on it.", [
        (who, float(volume.recorded)) for who, volume in ready])
    yield Family("rackeye_volume_oldest_timestamp_seconds", "gauge", "The first picture.", [
        (who, volume.oldest) for who, volume in ready])


def _failover(data: FailoverSnapshot) -> Iterator[Family]:
    yield Family("rackeye_failover_state", "gauge", "How far the redundant server is: 1 at what it is.", list(
        _states(FailoverState, data.state, {}, "state")))


def _states(kind: type[StrEnum], now: str, labels: Labels, name: str) -> Iterable[Sample]:
    return [({**labels, name: str(state)}, float(state == now)) for state in kind]


def _lines(family: Family) -> Iterator[str]:
    samples = [(labels, value) for labels, value in family.samples if value is not None]
    if not samples:
        return
    yield f"# HELP {family.name} {family.says}\n# TYPE {family.name} {family.kind}\n"
    for labels, value in samples:
        inside = ",".join(f'{key}="{_escaped(label)}"' for key, label in labels.items())
        figure = int(value) if value == int(value) else value
        yield f"{family.name}{{{inside}}} {figure}\n" if inside else f"{family.name} {figure}\n"


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
