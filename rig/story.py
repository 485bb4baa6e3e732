"""The story of a failed drive, told on a rack: each step is something that must hold, and is printed with its time.

`make run ARGS=--scenario` plays it for people, tests/rig/test_story.py for CI.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.errors import RackRefused, RackTimeout
from nvr.recorder.model import CameraState, RecorderSnapshot
from raid.model import CheckVerdict, DriveState, VdState, Work
from rig.daemons import open_alarms, policy, raid, recorder, virtual_drive
from rig.drives import DriveKind
from rig.rack import RackClient

AMBER = "bay{}:amber:status"
CAMERAS = 4

# In the guest: the index's rows against the files, and ffprobe over every file. Prints JSON.
EXAMINE = r"""
import json, pathlib, sqlite3, subprocess
db = sqlite3.connect("file:/var/lib/rackeye/recorder/index.sqlite?mode=ro", uri=True)
rows = {(volume, path): frames for volume, path, frames in db.execute("select volume, path, frames from segments")}
files, bad = {}, []
for volume in pathlib.Path("/srv/rackeye").iterdir():
    for file in (volume / "recordings").rglob("*.mp4"):
        key = volume.name, str(file.relative_to(volume / "recordings"))
        probe = subprocess.run(
            ["ffprobe", "-v", "error", "-select_streams", "v", "-count_packets", "-show_entries",
             "stream=nb_read_packets", "-of", "csv=p=0", str(file)], capture_output=True, text=True)
        files[key] = int(probe.stdout.strip(", \n") or 0)
        if probe.returncode or probe.stderr.strip():
            bad.append(f"{file}: {probe.stderr.strip()}")
print(json.dumps({
    "files": len(files), "rows": len(rows), "bad": bad, "packets": sum(files.values()),
    "differ": sorted(str(key) for key in rows.keys() | files.keys() if rows.get(key) != files.get(key)),
}))
"""

# In the guest: the end of the last file that began before a moment (milliseconds), of one camera or of any.
LAST_END = """
import sqlite3, sys
db = sqlite3.connect("file:/var/lib/rackeye/recorder/index.sqlite?mode=ro", uri=True)
camera = sys.argv[2] if len(sys.argv) > 2 else "%"
rows = db.execute("select max(end) from segments where start < ? and camera like ?", (int(sys.argv[1]), camera))
print(rows.fetchone()[0])
"""


class StoryFailed(AssertionError):
    """A step that did not hold."""


@dataclass(slots=True)
class Story:
    """Plays on `rack`, and says each step to `tell`."""

    rack: RackClient
    tell: Callable[[str], None] = print
    began: float = field(default_factory=time.monotonic)

    @contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """A step; what is appended to the yielded list is told behind its name."""
        start, more = time.monotonic(), list[str]()
        try:
            yield more
        except Exception:
            self.tell(f"[{start - self.began:6.1f} s]  FAILED  {name}")
            raise
        took = time.monotonic() - start
        self.tell(f"[{start - self.began:6.1f} s]  ok      {name}  ({', '.join([*more, f'{took:.1f} s'])})")

    def until(self, what: str, holds: Callable[[], object], timeout: float = 60.0) -> None:
        """Waits. Raises StoryFailed with the journal's end."""
        try:
            self.rack.wait_until(holds, timeout, what)
        except RackTimeout as error:
            raise StoryFailed(str(error)) from error

    def cli(self, *words: str, timeout: float = 120.0) -> str:
        """A command as a user types it. Raises StoryFailed when it fails."""
        done = self.rack.exec(["rackeye", *words], timeout)
        if done.rc:
            raise StoryFailed(f"rackeye {' '.join(words)}: exit {done.rc}\n{done.stdout}{done.stderr}")
        return done.stdout

    # -- the parts ---------------------------------------------------------------------------------------------------

    def set_up(self) -> None:
        """Two virtual drives of four, four cameras, two on each."""
        with self.step("two RAID5 virtual drives of four by simple configuration"):
            self.until("raidd sees eight blank drives", lambda: self._blank() == 8)
            self.cli("vd", "create", "--simple", "--level", "5", "--yes", "--no-wait")
            self.until("both are mounted", lambda: [vd.mountpoint for vd in raid(self.rack).virtual_drives] == [
                "/srv/rackeye/vd0", "/srv/rackeye/vd1",
            ], 180)
        with self.step(f"{CAMERAS} cameras are recorded, on both volumes"):
            urls = self.rack.start_cameras(CAMERAS)
            for number in range(1, CAMERAS + 1):
                self.cli("camera", "add", f"cam{number}", urls[f"cam{number}"])
            self.until("all record", lambda: self.recording() == CAMERAS)
            volumes = {camera.volume for camera in recorder(self.rack).cameras}
            if volumes != {"vd0", "vd1"}:
                raise StoryFailed(f"The cameras are on {volumes}.")

    def wait_initialized(self) -> None:
        """Until parity is made on both."""
        with self.step("both are initialized"):
            self.until("Optimal and idle", lambda: all(
                vd.state is VdState.OPTIMAL and vd.progress is None for vd in raid(self.rack).virtual_drives
            ), 300)

    def fail(self, bay: int) -> RecorderSnapshot:
        """The drive is pulled while it is recorded. Returns the recorder's word of before."""
        vd = self.vd_of(bay)
        before = recorder(self.rack)
        with self.step(f"bay {bay} is pulled while recording: its LED is amber") as more:
            pulled = self.rack.pull(bay)
            self.until("amber", lambda: self.led(bay) == "on", 10)
            more.append(f"LED after {1000 * self._led_delay(bay, pulled, 'on'):.0f} ms")
        with self.step(f"alarm is raised, {vd} is Degraded, the drive is Missing"):
            self.until("alarm", lambda: {"ALARM-101", "ALARM-102"} <= open_alarms(self.rack), 20)
            self.until("Degraded", lambda: virtual_drive(self.rack, vd).state is VdState.DEGRADED, 10)
            self.until("Missing", lambda: any(
                drive.bay == bay and drive.state is DriveState.MISSING for drive in raid(self.rack).drives
            ), 10)
        return before

    def mend(self, bay: int) -> None:
        """A blank drive in: it rebuilds by itself."""
        vd = self.vd_of(bay)
        with self.step(f"a blank drive is put into bay {bay}: Rebuild, the LED blinks at 1 Hz"):
            self.rack.insert(bay, DriveKind.BLANK)
            self.until("rebuild and 1 Hz", lambda: self._rebuilds(vd) and self.led(bay) == "blink 1.00 Hz", 60)
        with self.step(f"{vd} is Optimal, LED off, alarms cleared"):
            self.until("Optimal", lambda: virtual_drive(self.rack, vd).state is VdState.OPTIMAL, 300)
            self.until("LED off", lambda: self.led(bay) == "off", 20)
            self.until("alarms cleared", lambda: not open_alarms(self.rack) & {"ALARM-101", "ALARM-102"}, 20)

    def no_gap(self, before: RecorderSnapshot) -> None:
        """Since then every camera was recorded without a gap."""
        with self.step("recorded without a gap") as more:
            then = {camera.name: camera for camera in before.cameras}
            # The recorder tells its counts when it looks, every few seconds when nothing happens.
            self.until("frames of all cameras", lambda: all(
                camera.frames > then[camera.name].frames for camera in recorder(self.rack).cameras
            ), 30)
            now = {camera.name: camera for camera in recorder(self.rack).cameras}
            for name, camera in now.items():
                if camera.gap_count != then[name].gap_count:
                    raise StoryFailed(f"{name}: {camera.gap_count - then[name].gap_count} gaps: {camera.gaps}")
            more.append(f"{sum(now[name].frames - then[name].frames for name in now)} frames")

    def check_parity(self) -> None:
        """Every stripe of both, natively."""
        for vd in ("vd0", "vd1"):
            with self.step(f"parity of {vd} is clean, checked natively while recording") as more:
                self.cli("check", "start", vd, "--watch", timeout=300)
                result = next(check for check in raid(self.rack).checks if check.vd == vd)
                if result.verdict is not CheckVerdict.CLEAN:
                    raise StoryFailed(f"{vd}: {result}")
                more.append(f"{result.stripes} stripes")

    def examine(self) -> None:
        """Ends the recording, then every file in ffprobe, and the index against the files."""
        with self.step("every segment plays in ffprobe, the index equals the files") as more:
            self.rack.sh("systemctl stop rackeye-recorder.service", 30)
            found = json.loads(self.rack.exec(
                ["/usr/lib/rackeye/bin/python", "-c", EXAMINE], 300, check=True,
            ).stdout)
            self.rack.sh("systemctl start rackeye-recorder.service", 60)
            if found["bad"] or found["differ"] or not found["files"]:
                raise StoryFailed(json.dumps(found, indent=1))
            more.append(f"{found['files']} files, {found['packets']} frames")

    def play(self, bay: int = 2) -> None:
        """The whole story. Raises StoryFailed, RackeyeError."""
        self.set_up()
        self.wait_initialized()
        before = self.fail(bay)
        self.mend(bay)
        self.no_gap(before)
        self.check_parity()
        self.examine()
        with self.step("at the end all is well"):
            self.until("recording again", lambda: self.recording() == CAMERAS)
            self.until("no alarm", lambda: not policy(self.rack).alarms, 30)

    # -- looks -------------------------------------------------------------------------------------------------------

    def recording(self) -> int:
        """How many cameras are recorded."""
        return sum(camera.state is CameraState.RECORDING for camera in recorder(self.rack).cameras)

    def led(self, bay: int) -> str:
        """The amber LED of a bay."""
        return self.rack.led(AMBER.format(bay))

    def vd_of(self, bay: int) -> str:
        """The virtual drive that a bay belongs to."""
        for vd in raid(self.rack).virtual_drives:
            if bay in vd.bays:
                return vd.name
        raise StoryFailed(f"Bay {bay} belongs to no virtual drive.")

    def _blank(self) -> int:
        return sum(drive.state is DriveState.BLANK for drive in raid(self.rack).drives)

    def _rebuilds(self, vd: str) -> bool:
        progress = virtual_drive(self.rack, vd).progress
        return progress is not None and progress.kind is Work.REBUILD

    def _led_delay(self, bay: int, since: float, state: str) -> float:
        """Seconds by the guest's own clock."""
        for change in self.rack.led_history(since):
            if change["led"] == AMBER.format(bay) and change["state"] == state:
                return float(change["at"]) - since
        raise RackRefused(f"The LED of bay {bay} has no history of {state}.")
