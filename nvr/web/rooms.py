"""What the page and the API are about: each daemon, what it tells, and the commands that a person may give it.

One table, from which the routes, the OpenAPI document and the bus policy (systemd/dbus/org.rackeye.conf, compared by a
test) follow. What is not here cannot be reached over the network.
"""

from dataclasses import dataclass
from typing import Any

from boot import failover_model
from boot.failover_model import FailoverSnapshot
from boot.model import (
    BoxSnapshot,
    KeepModeRequest,
    NetworkRequest,
    PowerRequest,
    RestoreRequest,
    SetHostnameRequest,
    SetNetworkRequest,
    SetTimeRequest,
    SwitchPlan,
    SwitchRequest,
)
from core.bus import Nothing, Sentence
from hw.model import BeepRequest, FanSnapshot, LocateRequest, PanelSnapshot, UidRequest
from nvr.alarms.model import AcknowledgeRequest, PolicySnapshot
from nvr.recorder.model import AddCamera, RecorderSnapshot, RemoveCamera
from raid.grow_model import GrowPlan, GrowRequest, PlanGrowRequest
from raid.model import ClearDriveRequest, DeleteVdRequest, DismissDriveRequest, Done, RaidSnapshot, VdRequest
from raid.model_care import RepairPlan, RepairRequest, ScheduleRequest
from raid.model_clear import ClearPlan
from raid.model_foreign import AbandonPlan, AbandonRequest, ImportPlan, ImportRequest
from raid.model_plan import CreateSimpleReply, CreateSimpleRequest, DeletePlan, Plan, PlanSimpleRequest
from raid.model_recover import RecoverPlan, RecoverRequest
from raid.smart_model import ReadSmartRequest, SmartHistory, SmartHistoryRequest
from raid.spare_model import AddSpareRequest, RebuildOnRequest, RemoveSpareRequest, SetRateRequest


@dataclass(frozen=True, slots=True)
class Order:
    """A command. looks: it changes nothing, so a viewer may give it. timeout: seconds to wait for the answer.

    sure: a browser's session is not enough, the person's password is asked once more (guard.sure).
    """

    name: str
    request: type[Any]
    reply: type[Any]
    says: str
    looks: bool = False
    sure: bool = False
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class Room:
    """A daemon. key: its name in the API; bus: its name on the bus; unit: its name for systemd."""

    key: str
    bus: str
    unit: str
    says: str
    snapshot: type[Any]
    orders: tuple[Order, ...] = ()

    def order(self, name: str) -> Order | None:
        """The command of this name."""
        return next((order for order in self.orders if order.name == name), None)


RAID = Room(
    "raid", "org.rackeye.Raid1", "rackeye-raidd", "Drives, virtual drives, jobs and checks", RaidSnapshot,
    (
        Order("PlanSimple", PlanSimpleRequest, Plan, "What simple configuration would make", looks=True),
        Order("CreateSimple", CreateSimpleRequest, CreateSimpleReply, "Make what PlanSimple showed"),
        Order("PlanClear", ClearDriveRequest, ClearPlan, "What would be lost when a drive is cleared", looks=True),
        Order("ClearDrive", ClearDriveRequest, Done, "Wipe the signatures off a drive that is in no use"),
        Order("DismissDrive", DismissDriveRequest, Done, "A missing drive is not shown until it is seen again"),
        Order("ReadSmart", ReadSmartRequest, Done, "Ask a drive for its S.M.A.R.T. figures now"),
        Order("SmartHistory", SmartHistoryRequest, SmartHistory, "What a drive said of itself earlier", looks=True),
        Order("PlanRecover", VdRequest, RecoverPlan, "What recovering a failed virtual drive may lose", looks=True),
        Order("RecoverVd", RecoverRequest, Done, "Start a failed virtual drive from the members that were shown"),
        Order("PlanImport", VdRequest, ImportPlan, "What taking over a virtual drive from elsewhere does", looks=True),
        Order("ImportVd", ImportRequest, Done, "Take over the virtual drive that PlanImport showed"),
        Order("PlanAbandon", VdRequest, AbandonPlan, "What giving up one that could not be made does", looks=True),
        Order("AbandonVd", AbandonRequest, Done, "Give up the virtual drive that PlanAbandon showed"),
        Order("PlanDelete", VdRequest, DeletePlan, "What would be lost with a virtual drive", looks=True),
        Order("DeleteVd", DeleteVdRequest, Done, "Delete the virtual drive that PlanDelete showed"),
        Order("PlanGrow", PlanGrowRequest, GrowPlan, "What adding drives or changing the level would make", looks=True),
        Order("GrowVd", GrowRequest, Done, "Do what PlanGrow showed; what is recorded stays"),
        Order("StopVd", VdRequest, Done, "Unmount and stop a virtual drive; nothing on it changes"),
        Order("StartVd", VdRequest, Done, "Start a virtual drive that was stopped"),
        Order("StartCheck", VdRequest, Done, "Start a consistency check"),
        Order("StopCheck", VdRequest, Done, "Stop a consistency check, or a repair"),
        Order("PlanRepair", VdRequest, RepairPlan, "What a repair of the wrong stripes would write", looks=True),
        Order("StartRepair", RepairRequest, Done, "Do what PlanRepair showed"),
        Order("StartPatrol", Nothing, Done, "Read all drives for bad sectors"),
        Order("StopPatrol", Nothing, Done, "Stop the patrol read"),
        Order("SetSchedule", ScheduleRequest, Done, "When checks and patrol reads come by themselves"),
        Order("AddSpare", AddSpareRequest, Done, "Make a blank drive a hot spare"),
        Order("RemoveSpare", RemoveSpareRequest, Done, "A drive is no hot spare any more"),
        Order("RebuildOn", RebuildOnRequest, Done, "Rebuild a virtual drive on a blank drive that is named"),
        Order("SetRate", SetRateRequest, Done, "How much of the drives a kind of work may use"),
    ),
)
PANEL = Room(
    "panel", "org.rackeye.Panel1", "rackeye-paneld", "Bays and lights of the front", PanelSnapshot,
    (
        Order("Locate", LocateRequest, Sentence, "Blink a bay so that a person finds it, or stop"),
        Order("Silence", Nothing, Sentence, "Silence the alarms that sound, until a new one comes"),
        Order("Beep", BeepRequest, Sentence, "Play a code of beeps once"),
        Order("LampTest", Nothing, Sentence, "Show every light for a moment"),
        Order("Uid", UidRequest, Sentence, "Light the UID LED, or stop"),
    ),
)
FAN = Room("fan", "org.rackeye.Fan1", "rackeye-fand", "Temperatures, fans, power supplies", FanSnapshot)
RECORDER = Room(
    "recorder", "org.rackeye.Recorder1", "rackeye-recorder", "Cameras, volumes and gaps", RecorderSnapshot,
    (
        Order("AddCamera", AddCamera, Sentence, "Add a camera by its RTSP address"),
        Order("RemoveCamera", RemoveCamera, Sentence, "Remove a camera; its recordings stay"),
        Order("Recheck", Nothing, Sentence, "Look at mounts, settings and cameras now"),
    ),
)
POLICY = Room(
    "policy", "org.rackeye.Policy1", "rackeye-policyd", "Health and alarms", PolicySnapshot,
    (
        Order("Acknowledge", AcknowledgeRequest, Sentence, "Somebody has seen this alarm"),
        Order("MailTest", Nothing, Sentence, "Send a test mail now, and say what the mail server answered"),
    ),
)
BOX_ROOM = Room(
    "box", "org.rackeye.Box1", "rackeye-boxd", "Mode, version, name, network and time", BoxSnapshot,
    (
        Order("Reboot", PowerRequest, Sentence, "Reboot in good order"),
        Order("Shutdown", PowerRequest, Sentence, "Shut down in good order"),
        Order("KeepMode", KeepModeRequest, Sentence, "Write the record of the mode anew, after it was damaged"),
        Order("Restore", RestoreRequest, Sentence, "Restore to default; video and drive groups stay"),
        Order("SetNetwork", SetNetworkRequest, Sentence, "Set addresses; undone unless confirmed in time"),
        Order("ConfirmNetwork", NetworkRequest, Sentence, "Keep the addresses that were set"),
        Order("UndoNetwork", NetworkRequest, Sentence, "Put the addresses of before back now"),
        Order("SetHostname", SetHostnameRequest, Sentence, "Set the name of the appliance"),
        Order("SetTime", SetTimeRequest, Sentence, "Set time zone, NTP servers, the clock"),
        Order("PlanSwitch", Nothing, SwitchPlan, "What the switch to Failover Mode would do", looks=True),
        Order("SwitchToRedundant", SwitchRequest, Sentence, "Switch to Failover Mode", sure=True),
    ),
)
FAILOVER = Room(
    "failover", failover_model.BUS_NAME, failover_model.NAME, "The redundant server, in Failover Mode only",
    FailoverSnapshot,
)
ROOMS: tuple[Room, ...] = (RAID, PANEL, FAN, RECORDER, POLICY, BOX_ROOM, FAILOVER)
BY_KEY = {room.key: room for room in ROOMS}
BOX = BOX_ROOM.bus
"""boxd also has accounts, sessions and the log of who did what; asked by nvr/web/guard.py."""
ASKED_OF_BOX = (
    "OpenSession", "Session", "ApiToken", "CloseSession", "ChangePassword", "Audit", "AuditList",
    "ListAccounts", "AddAccount", "RemoveAccount", "AddToken", "RemoveToken",
)
