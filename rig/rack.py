"""The virtual rack from outside: what tests and `rackeye-rack` use.

with Rack() as rack:                      # boots; ends without leaving anything
    rack.exec(["lsblk"]).stdout
    rack.pull(2)
    rack.insert(2, DriveKind.BLANK)
    rack.power_cut(); rack.boot()
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from core.errors import RackAbsent, RackBroken, RackeyeError, RackRefused, RackTimeout
from rig.clips import CACHE, make_clips
from rig.consoles import picture
from rig.drives import DriveKind
from rig.layer import build_layer
from rig.liars import Mood
from rig.sandbox import sandbox_command
from rig.smart_documents import Document, SmartMood, told
from rig.wire import Message, unwrap
from rig.workdir import SOCKET, WorkDir, claim, find

__all__ = ["DriveKind", "Executed", "Mood", "Rack", "RackClient", "SmartMood"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Executed:
    """What a command in the guest left."""

    argv: tuple[str, ...]
    rc: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Screen:
    """One console of a rack: /dev/tty<number> in the guest."""

    rack: RackClient
    number: int

    def send(self, text: str) -> None:
        """Types; characters are bytes (latin-1), so that noise can be sent, too."""
        self.rack.ask("type", console=self.number, text=text)

    def screen(self) -> str:
        """What a person would see there now."""
        return picture((self.rack.path / f"console-{self.number}.log").read_bytes())

    def wait_for(self, text: str, timeout: float = 30.0) -> str:
        """Until the text stands on the screen; returns the screen. Raises RackTimeout with what stood there."""
        def shown() -> str:
            screen = self.screen()
            return screen if text in screen else ""

        try:
            return self.rack.wait_until(shown, timeout, repr(text))
        except RackTimeout as error:
            raise RackTimeout(f"{error}\nOn console {self.number}:\n{self.screen()}") from error

    def hang_up(self) -> None:
        """Pulls its plug."""
        self.rack.ask("hang-up", console=self.number)


class RackClient:
    """A rack that is up, by its work folder. All methods raise RigErrors."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def attach(cls, name: str = "rack") -> RackClient:
        """The rack of this name that somebody else owns. Raises RackAbsent."""
        return RackClient(find(name))

    def exec(self, argv: Sequence[str], timeout: float = 30.0, *, stdin: str = "", check: bool = False) -> Executed:
        """Runs a command in the guest as root.

        Raises RackTimeout (the command is killed then), and with `check` RackRefused when its exit code is not 0.
        """
        answer = self._ask("exec", timeout + 15, argv=list(argv), stdin=stdin, timeout=timeout)
        if answer["rc"] is None:
            raise RackTimeout(f"Not done in {timeout:g} s in the guest: {' '.join(argv)}\n{answer['stdout'][-2000:]}")
        done = Executed(tuple(argv), answer["rc"], answer["stdout"], answer["stderr"])
        if check and done.rc:
            raise RackRefused(f"Exit {done.rc} in the guest from: {' '.join(argv)}\n{done.stdout}{done.stderr}".strip())
        return done

    def sh(self, script: str, timeout: float = 30.0) -> str:
        """Runs a shell script in the guest and returns what it printed. Raises as exec() with check."""
        return self.exec(["/bin/sh", "-euc", script], timeout, check=True).stdout

    def pull(self, bay: int) -> float:
        """Surprise removal; returns the moment by the guest's monotonic clock (0 with the power cut)."""
        return float(self._ask("pull", bay=bay)["at"] or 0)

    def insert(self, bay: int, kind: DriveKind = DriveKind.BLANK, *, serial: str | None = None) -> str:
        """Puts a drive in: one of the kind, or the pulled one with this serial. Returns its serial."""
        return str(self._ask("insert", bay=bay, kind=kind.value, serial=serial)["serial"])

    def spoil(self, bay: int, lba: int, sectors: int = 8, *, dead: bool = False) -> None:
        """Makes sectors of the drive in a bay unreadable until they are written, as on a real drive; dead: for ever.

        For a Rack(spoilable=True). Sectors of 512 bytes. A power cut makes them good again.
        """
        self._ask("spoil", bay=bay, first=lba, sectors=sectors, dead=dead)

    def console(self, number: int = 1) -> Screen:
        """A console; there are as many as Rack(consoles=...) says, from 1."""
        return Screen(self, number)

    def power_cut(self) -> None:
        """SIGKILL for the whole guest. What it had written to its drives stays, what it had not is lost."""
        self._ask("power-cut")

    def boot(self, timeout: float = 120.0, *, whole: bool = True) -> float:
        """Powers on; returns after how many seconds everything was started (`whole` false: the guest answers)."""
        return float(self._ask("boot", timeout + 10, timeout=timeout, whole=whole)["seconds"])

    def ask(self, verb: str, **arguments: Any) -> Message:
        """A request to the rack's supervisor (rig/supervisor.py)."""
        return self._ask(verb, **arguments)

    def state(self) -> dict[str, Any]:
        """LEDs, bays, drives, temperature, fan; `monotonic` is the guest's clock of all times in it."""
        answer = self._ask("state")
        del answer["ok"]
        return answer

    def powered(self) -> bool:
        """Whether the kernel runs: false after a cut, and once the guest has switched itself off."""
        return bool(self._ask("powered")["powered"])

    def led(self, name: str) -> str:
        """`off`, `on` or `blink 4.00 Hz`, e.g. of `bay3:amber:status`."""
        return str(self.state()["leds"][name]["state"])

    def led_history(self, since: float = 0.0) -> list[dict[str, Any]]:
        """Changes of LEDs: at (the guest's monotonic seconds), led, state."""
        return list(self._ask("history", since=since)["changes"])

    def tones(self, since: float = 0.0) -> list[tuple[float, float | None]]:
        """Tones of the beeper: from, until (the guest's monotonic seconds; until is None while one sounds)."""
        return [(tone["start"], tone["end"]) for tone in self._ask("tones", since=since)["tones"]]

    def set_temperature(self, celsius: float) -> None:
        """The chassis' air goes there within a few seconds."""
        self._ask("temperature", celsius=celsius)

    def stop_fan(self, stopped: bool = True) -> None:
        """Blocks the fan, or lets it go again."""
        self._ask("fan", stopped=stopped)

    def press(self, button: str, *, down: bool) -> float:
        """Presses a button of the front (power, reset, uid), or lets it go; when, by the guest's monotonic clock."""
        return float(self._ask("press", button=button, down=down)["at"])

    def smart(self, bay: int, how: SmartMood | Document, *, status: int | None = None) -> None:
        """What `smartctl` says of the drive in a bay from now on, also in another bay; a power cut ends it.

        how: a mood, or a document of rig/smart_documents.py. status: smartctl's exit status, else the document's own.
        """
        serial = self._ask("state")["inserted"].get(str(bay))
        if serial is None:
            raise RackRefused(f"Bay {bay} has no drive.")
        text, code = told(how, serial)
        self._ask("smart", serial=serial, document=text, status=code if status is None else status)

    def drive_file(self, bay: int) -> Path:
        """The file of the drive in a bay: bytes changed there are changed behind the kernel's back."""
        state = self._ask("state")
        serial = state["inserted"].get(str(bay))
        if serial is None:
            raise RackRefused(f"Bay {bay} has no drive.")
        return self.path / "drives" / str(state["drives"][serial]["file"])

    def journal(self, lines: int = 200, *args: str) -> str:
        """The end of the guest's journal. args: more for journalctl, e.g. "-u", "rackeye-raidd"."""
        return self.exec(["journalctl", "--no-pager", "-o", "short-monotonic", "-n", str(lines), *args]).stdout

    def wait_until(self, holds: Callable[[], T], timeout: float = 30.0, what: str = "it") -> T:
        """Polls until `holds` returns something true, and returns that. Raises RackTimeout with the journal's end.

        An error of the guest's counts as not yet.
        """
        deadline = time.monotonic() + timeout
        last: object = None
        while True:
            try:
                last = value = holds()
                if value:
                    return value
            except RackeyeError as error:
                last = error
            if time.monotonic() > deadline:
                with contextlib.suppress(RackeyeError):
                    last = f"{last!r}\n{self.journal(40)}"
                raise RackTimeout(f"Not within {timeout:g} s: {what}. Last: {last}")
            time.sleep(0.1)

    def forward(self, port: int) -> Path:
        """A unix socket that leads to a TCP port of the guest (for 127.0.0.1: socat TCP-LISTEN to it)."""
        return self.path / str(self._ask("forward", port=port)["socket"])

    def start_cameras(self, cameras: int = 4, liars: int = 2) -> dict[str, str]:
        """Starts the test cameras; returns their URLs by name: cam1.., secure, liar1.. (reachable from the guest)."""
        clips = CACHE if os.access(CACHE.parent.parent, os.W_OK) else self.path / "clips"
        make_clips(clips)
        inside = str(clips) if clips == CACHE else "/rack/clips"
        return dict(self._ask("cameras", cameras=cameras, liars=liars, clips=inside)["urls"])

    def camera_url(self, name: str) -> str:
        """URL of a running camera."""
        return str(self._ask("camera", request={"state": True})["urls"][name])

    def set_mood(self, liar: str, mood: Mood) -> None:
        """Changes how a lying camera behaves, at once."""
        self._ask("camera", request={"liar": liar, "mood": mood.value})

    def _ask(self, verb: str, wait: float = 60.0, **arguments: Any) -> Message:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(wait)
            try:
                sock.connect(str(self.path / SOCKET))
                sock.sendall(json.dumps({"verb": verb, **arguments}).encode() + b"\n")
                line = sock.makefile("rb").readline()
            except TimeoutError as error:
                raise RackTimeout(f"The rack did not answer {verb!r} in {wait:g} s.") from error
            except OSError as error:
                raise RackAbsent(f"The rack does not answer: {error}.", hint="rackeye-rack up") from error
        if not line:
            raise RackBroken(f"The rack went away at {verb!r}.")
        return unwrap(json.loads(line))


class Rack(RackClient):
    """A rack of one's own: it lives as long as this process, and not longer, however this process ends.

    up() has to be called in a thread that lives as long as the rack shall: the kernel sends the death signal when the
    thread that started the sandbox ends (prctl(2), PR_SET_PDEATHSIG).
    """

    def __init__(
        self, name: str = "rack", *, daemons: bool = True, drives: int = 8, bay_mib: int = 512, memory_mib: int = 768,
        consoles: int = 0, menu_seconds: float = 10.0, without: tuple[str, ...] = (), spoilable: bool = False,
    ) -> None:
        """daemons: whether nvr.target is booted. drives: how many bays are filled, from bay 0. Sizes in MiB.

        spoilable: whether spoil() works; its drives have one more layer.
        consoles: how many there are; with any, the boot menu is shown for menu_seconds, and up() does not wait for
        its end but only until the guest answers. without: units that are not started, for a lighter rack.
        """
        super().__init__(Path())
        self.name, self._daemons, self._without = name, daemons, without
        self._menu = (tuple(f"tty{number + 1}" for number in range(consoles)), menu_seconds)
        self._config = {
            "drives": drives, "bay_mib": bay_mib, "memory_mib": memory_mib, "consoles": consoles,
            "dust": int(spoilable),
        }
        self._work: WorkDir | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def up(self, timeout: float = 120.0) -> float:
        """Builds and boots; returns the seconds from power on to everything started. Raises RackExists, RackBroken."""
        self._work = claim(self.name)
        self.path = self._work.path
        try:
            if len(str(self.path / SOCKET)) > 100:  # sun_path holds 108 bytes
                raise RackBroken(f"The path {self.path} is too long for a socket.", hint="Set TMPDIR to a shorter one.")
            consoles, seconds = self._menu
            build_layer(
                self.path / "layer", daemons=self._daemons, consoles=consoles, menu_seconds=seconds,
                without=self._without,
            )
            (self.path / "config.json").write_text(json.dumps({**self._config, "cpu": self._work.cpu}))
            self._start_sandbox()
            return self.boot(timeout, whole=not self._menu[0])
        except BaseException:
            self.down()
            raise

    def down(self) -> None:
        """Ends it and removes its files; a rack that is down already is fine."""
        if self._process is not None:
            with contextlib.suppress(RackeyeError):
                self._ask("quit", 5)
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()  # bubblewrap takes all its processes along
                self._process.wait()
            self._process = None
        if self._work is not None:
            self._work.remove()
            self._work = None

    def wait(self) -> None:
        """Returns when the sandbox ended, e.g. after somebody else said `down`."""
        if self._process is not None:
            self._process.wait()

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def _start_sandbox(self) -> None:
        log = self.path / "supervisor.log"
        command = sandbox_command(self.path, [sys.executable, "-m", "rig.supervisor"])
        with log.open("ab") as out:
            try:
                # a session of its own: Ctrl-C is for us, and we then end the rack in good order
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
                )
            except FileNotFoundError as error:
                raise RackBroken("bubblewrap is not installed.", hint="apt-get install bubblewrap") from error
        deadline = time.monotonic() + 20
        while not (self.path / SOCKET).exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RackBroken(f"The sandbox did not come up.\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)
