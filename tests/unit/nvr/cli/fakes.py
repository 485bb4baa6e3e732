"""A client with answers that a test sets; the bus itself is tried in tests/unit/core/test_bus.py."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from click.testing import CliRunner, Result

from boot.failover import SENTENCE
from boot.failover_model import FailoverSnapshot, FailoverState
from boot.model import BoxSnapshot, Mode
from core.bus import Envelope
from core.clock import ManualClock
from core.errors import DaemonGone, RackeyeError
from hw.model import BayView, FanSnapshot, PanelSnapshot, Sensor, SensorKind, SensorState, TrayCondition, TrayLight
from nvr.alarms.model import Alarm, Category, Health, Level, PolicySnapshot
from nvr.cli.client import FAILOVER, FAN, PANEL, POLICY, RAID, RECORDER, Answer, Source, View
from nvr.cli.main import cli
from nvr.cli.mode import BOX
from nvr.cli.session import Session
from nvr.recorder.model import CameraState, CameraView, RecorderSnapshot, VolumeState, VolumeView
from raid.model import Drive, DriveState, Progress, RaidSnapshot, VdState, VirtualDrive, Work

R = TypeVar("R")
TB = 10**12


@dataclass(slots=True)
class FakeClient:
    """said: by bus name, a snapshot or the error of a daemon that is gone. told: what a watch yields, one after the
    other. replies: by command. calls: what was asked for."""

    clock: ManualClock
    said: dict[str, object] = field(default_factory=dict)
    told: list[dict[str, object]] = field(default_factory=list)
    replies: dict[str, object] = field(default_factory=dict)
    calls: list[tuple[str, str, object]] = field(default_factory=list)
    old: float = 2.0
    before_each: Callable[[], None] = lambda: None

    def look(self, *sources: Source[Any]) -> View:
        return self._view(self.said, sources)

    def call(self, source: Source[Any], command: str, request: object, reply: type[R]) -> R:
        self.calls.append((source.name, command, request))
        answer = self.replies[command]
        if isinstance(answer, RackeyeError):
            raise answer
        assert isinstance(answer, reply)
        return answer

    def watch(self, *sources: Source[Any]) -> Iterator[View]:
        for said in self.told:
            self.before_each()
            self.said = self.said | said
            yield self._view(self.said, sources)
        raise KeyboardInterrupt

    def close(self) -> None: ...

    def _view(self, said: dict[str, object], sources: tuple[Source[Any], ...]) -> View:
        return View(self.clock.now(), {source.name: self._answer(said, source) for source in sources})

    def _answer(self, said: dict[str, object], source: Source[Any]) -> Answer[Any]:
        data = said.get(source.name, DaemonGone(f"{source.name} is not running.", hint="systemctl status says why."))
        if isinstance(data, Answer):
            return data
        if isinstance(data, RackeyeError):
            return Answer(None, data)
        return Answer(Envelope(7, self.clock.now() - self.old, data))


def rackeye(client: FakeClient, *arguments: str, answer: str | None = None) -> Result:
    """Runs the command line. Output is no terminal, so lines are not broken."""
    session = Session(client, client.clock)
    return CliRunner().invoke(cli, list(arguments), obj=session, input=answer, prog_name="rackeye")


def drive(bay: int, state: DriveState = DriveState.ONLINE, **other: Any) -> Drive:
    """A drive of 6 TB in a bay."""
    facts: dict[str, Any] = {
        "serial": f"SN{bay}", "model": "RACK 6TB", "size": 6 * TB, "device": f"/dev/sd{'abcdefgh'[bay]}", "detail": "",
        "vd": f"vd{bay // 4}", "slot": bay % 4,
    }
    return Drive(bay=bay, state=state, **(facts | other))


def virtual_drive(number: int = 0, **other: Any) -> VirtualDrive:
    """A RAID5 over the bays of one row."""
    facts: dict[str, Any] = {
        "level": 5, "state": VdState.OPTIMAL, "progress": None, "device": f"/dev/md12{number}", "size": 18 * TB,
        "strip": 256 * 1024, "bays": tuple(range(number * 4, number * 4 + 4)), "tolerance": 1,
        "mountpoint": f"/srv/rackeye/vd{number}", "detail": "", "uuid": f"0000000{number}",
    }
    return VirtualDrive(name=f"vd{number}", **(facts | other))


RAID_GOOD = RaidSnapshot(
    drives=tuple(drive(bay) for bay in range(8)), virtual_drives=(virtual_drive(0), virtual_drive(1)),
)
PANEL_GOOD = PanelSnapshot(
    "virtual-8", "Virtual rack, 8 bays", ((4, 5, 6, 7), (0, 1, 2, 3)),
    tuple(
        BayView(bay, present=True, device=f"/dev/sd{'abcdefgh'[bay]}", serial=f"SN{bay}", light=TrayLight.PRESENT)
        for bay in range(8)
    ),
)
FAN_GOOD = FanSnapshot("virtual-8", (
    Sensor("Chassis", SensorKind.TEMPERATURE, 31.0, "°C", None, 60.0, SensorState.OK),
    Sensor("Fan 1", SensorKind.FAN, 1200.0, "rpm", 600.0, None, SensorState.OK),
))
RECORDER_GOOD = RecorderSnapshot(
    (
        CameraView(
            "gate", "rtsp://10.0.0.7/main", CameraState.RECORDING, volume="vd0", width=1920, height=1080,
            bitrate=4.1e6, frames=500, last_frame=1_800_000_000.0 - 1,
        ),
    ),
    (VolumeView("vd0", "/srv/rackeye/vd0", VolumeState.READY, free=9 * TB, total=18 * TB, cameras=("gate",)),),
)
POLICY_GOOD = PolicySnapshot(Health.GOOD, (), (), {"rackeye-raidd": True})
ALARM = Alarm(
    12, "ALARM-101", Category.STORAGE, Level.CRITICAL, "Drive failed", "The drive of vd0 in bay 2 is missing.",
    "Put a blank drive into bay 2.", "drive-failed/vd0/2", raised=1_800_000_000.0 - 65, bay=2, serial="SN2", vd="vd0",
)
GOOD: dict[str, object] = {
    RAID.name: RAID_GOOD, PANEL.name: PANEL_GOOD, FAN.name: FAN_GOOD, RECORDER.name: RECORDER_GOOD,
    POLICY.name: POLICY_GOOD, BOX.name: BoxSnapshot(version="V0.1.0"),
}
REDUNDANT: dict[str, object] = {
    **{name: said for name, said in GOOD.items() if name != RECORDER.name},
    RAID.name: RaidSnapshot(),
    BOX.name: BoxSnapshot(Mode.FAILOVER, version="V0.1.0R"),
    FAILOVER.name: FailoverSnapshot(FailoverState.WAITING, "V0.1.0R", SENTENCE),
}
"""A redundant server: no recorder, no virtual drive."""
REBUILD = Progress(Work.REBUILD, 42.3, 120_000_000, 3900.0)
PULLED = RaidSnapshot(
    drives=(
        *(drive(bay) for bay in range(8) if bay != 2),
        drive(2, DriveState.MISSING, device=None, detail="It was pulled."),
        drive(2, DriveState.FOREIGN, vd=None, slot=None, serial="OTHER", detail="It holds an ext4 file system."),
    ),
    virtual_drives=(virtual_drive(0, state=VdState.DEGRADED, tolerance=0, progress=REBUILD), virtual_drive(1)),
)
PANEL_PULLED = PanelSnapshot(
    PANEL_GOOD.profile, PANEL_GOOD.title, PANEL_GOOD.front,
    tuple(
        bay if bay.bay != 2 else BayView(
            2, present=True, serial="OTHER", light=TrayLight.FAILED, condition=TrayCondition.FAILED
        )
        for bay in PANEL_GOOD.bays
    ),
)


def client(**other: Any) -> FakeClient:
    """All is well; other: fields of FakeClient."""
    facts: dict[str, Any] = {"clock": ManualClock(), "said": dict(GOOD)}
    return FakeClient(**(facts | other))
