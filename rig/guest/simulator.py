"""The one simulator process of the virtual rack, in the guest, as root, before udev and the daemons.

Puts the drives into their bays, serves the chassis (FUSE), and answers the host on TCP port 7001 of the guest: JSON
lines, one request a line, {"verb": ...}; see Control.answer. Answers carry "ok"; a refusal has "error", a sentence.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dbus_fast import AuthError, BusType, Message, MessageType
from dbus_fast.aio import MessageBus

from rig.guest.bays import BAYS, Backing, Bay, BayError
from rig.guest.beeper import Beeper
from rig.guest.buttons import Buttons
from rig.guest.chassis import ChassisTree, serve
from rig.guest.climate import Climate
from rig.guest.leds import Led, LedBook

PORT = 7001
CHASSIS = "/run/rack/chassis"
BOOT = Path("/rack/boot.json")  # written by the host before each boot: drives by bay
READY = Path("/run/rack/ready")
SMART = Path("/run/rack/smart")  # what rig/guest/smartctl says for a drive, by its serial
UDEV = Path("/run/udev/data")
ENVIRONMENT = {
    "PATH": "/usr/lib/rackeye/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "TERM": "dumb",
}
MAX_LINE = 64 << 20
PANEL_LIGHTS = ("red:information", "blue:information", "amber:warning")


class Rack:
    """Bays and chassis."""

    def __init__(self) -> None:
        self.book = LedBook()
        lights = ("green:activity", "amber:status")
        self.leds = [Led(f"bay{number}:{light}", self.book) for number in range(BAYS) for light in lights]
        self.leds += [Led(f"panel:{light}", self.book) for light in PANEL_LIGHTS]
        self.beeper = Beeper("panel::beeper")
        self.climate = Climate()
        self.buttons = Buttons()
        self.bays = [Bay(number) for number in range(BAYS)]
        self.lock = threading.Lock()

    def begin(self) -> None:
        """Makes all bays in their order, then puts in the drives the host named, and shows the chassis."""
        subprocess.run(["/bin/mount", "-t", "configfs", "none", "/sys/kernel/config"], check=False, capture_output=True)
        for bay in self.bays:
            bay.make()
        for number, drive in json.loads(BOOT.read_text())["bays"].items():
            self.bays[int(number)].insert(Backing(**drive))
        known_to_udev()
        Path(CHASSIS).mkdir(parents=True, exist_ok=True)
        self.buttons.make()
        tree = ChassisTree([*self.leds, self.beeper], self.climate, self.buttons)
        threading.Thread(target=serve, args=(tree, CHASSIS), daemon=True).start()
        deadline = time.monotonic() + 10
        while not os.path.ismount(CHASSIS) and time.monotonic() < deadline:
            time.sleep(0.02)

    def state(self) -> dict[str, Any]:
        """All of it."""
        return {
            "monotonic": time.monotonic(),
            "ready": READY.exists(),
            "leds": {led.name: {"state": led.state, "since": led.since} for led in self.leds},
            "bays": {str(bay.number): bay.state() for bay in self.bays},
            **self.climate.state(),
        }

    def pull(self, bay: int) -> float:
        """Surprise removal. Raises BayError."""
        with self.lock:
            return self.bays[bay].pull()

    def spoil(self, request: dict[str, Any]) -> None:
        """Raises BayError."""
        with self.lock:
            bay = self.bays[request["bay"]]
            bay.spoil(int(request["first"]), int(request["sectors"]), dead=bool(request["dead"]))

    def insert(self, bay: int, drive: Backing) -> float:
        """Raises BayError."""
        with self.lock:
            return self.bays[bay].insert(drive)


def known_to_udev() -> None:
    """The ubd disks that are here at the start count as seen by udev, which is told of the drives only: else raidd
    waits for them for a minute, as for drives that are still coming."""
    UDEV.mkdir(parents=True, exist_ok=True)
    for number in Path("/sys/block").glob("ubd*/dev"):
        (UDEV / f"b{number.read_text().strip()}").write_text("I:1\n")


class Ear:
    """Asks daemons for their snapshots by one connection: to start busctl for each of a waiting test's looks took more
    of the rack's CPU than all daemons together."""

    def __init__(self) -> None:
        self._bus: MessageBus | None = None

    async def snapshot(self, name: str, path: str) -> str:
        """The envelope, as the daemon encodes it. Raises OSError."""
        try:
            if self._bus is None or not self._bus.connected:
                self._bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
            question = Message(destination=name, path=path, interface=name, member="Snapshot")
            reply = await asyncio.wait_for(self._bus.call(question), 10)
        except (EOFError, TimeoutError, AuthError) as error:
            self._bus = None
            raise OSError(f"{name} does not answer: {error!r}") from error
        if reply is None or reply.message_type is not MessageType.METHOD_RETURN:
            raise OSError(f"{name} does not answer: {reply.body if reply else None}")
        return str(reply.body[0])


class Control:
    """The host's requests."""

    def __init__(self, rack: Rack) -> None:
        self.rack = rack
        self.ear = Ear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: requests one after the other; several connections run side by side."""
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                try:
                    reply = {"ok": True, **await self.answer(json.loads(line))}
                except (BayError, OSError, ValueError, KeyError, IndexError, TypeError) as error:
                    text = str(error) if isinstance(error, BayError) else f"{type(error).__name__}: {error}"
                    reply = {"ok": False, "error": text}
                writer.write(json.dumps(reply).encode() + b"\n")
                await writer.drain()
        writer.close()

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: PLR0911, PLR0912 -- a table of verbs
        """One request."""
        match request["verb"]:
            case "exec":
                return await execute(request["argv"], request.get("stdin", ""), float(request["timeout"]))
            case "state":
                return await asyncio.to_thread(self.rack.state)
            case "snapshot":
                return {"text": await self.ear.snapshot(request["name"], request["path"])}
            case "history":
                since = float(request.get("since", 0))
                return {"changes": [asdict(change) for change in tuple(self.rack.book.changes) if change.at >= since]}
            case "tones":
                return {"tones": [asdict(tone) for tone in self.rack.beeper.tones(float(request.get("since", 0)))]}
            case "pull":
                return {"at": await asyncio.to_thread(self.rack.pull, request["bay"])}
            case "insert":
                drive = Backing(request["ubd"], request["serial"], request["model"], bool(request["dust"]))
                return {"at": await asyncio.to_thread(self.rack.insert, request["bay"], drive)}
            case "spoil":
                await asyncio.to_thread(self.rack.spoil, request)
                return {}
            case "smart":
                await asyncio.to_thread(tell_smart, request["serial"], request["document"], request["status"])
                return {}
            case "temperature":
                self.rack.climate.set_temperature(float(request["celsius"]))
                return {}
            case "press":
                at = time.monotonic()
                self.rack.buttons.set(str(request["button"]), down=bool(request["down"]))
                return {"at": at}
            case "fan":
                self.rack.climate.stop_fan(bool(request["stopped"]))
                return {}
            case verb:
                raise ValueError(f"unknown verb {verb!r}")


def tell_smart(serial: str, document: str | None, status: int | None) -> None:
    """What smartctl says of a drive from now on: this document with this exit status; without a status nothing, for
    ever; without a document what the drive says itself."""
    place = SMART / serial
    part = place.with_suffix(".part")
    for old in (part, place):
        shutil.rmtree(old, ignore_errors=True)
    if document is None and status is not None:
        return
    part.mkdir(parents=True)
    if document is None:
        (part / "hang").touch()
    else:
        (part / "document").write_text(document)
        (part / "status").write_text(str(status))
    part.rename(place)


async def execute(argv: list[str], stdin: str, timeout: float) -> dict[str, Any]:  # noqa: ASYNC109
    """Runs a command; at the time-out its whole process group is killed, rc is None then."""
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=ENVIRONMENT, cwd="/", start_new_session=True,
    )  # fmt: skip
    talk = asyncio.ensure_future(process.communicate(stdin.encode()))
    done, _ = await asyncio.wait([talk], timeout=timeout)
    if not done:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        done, _ = await asyncio.wait([talk], timeout=2)  # a grandchild in a session of its own may hold the pipes
        if not done:
            talk.cancel()
        return {"rc": None, "stdout": talk.result()[0].decode(errors="replace") if done else "", "stderr": ""}
    out, err = talk.result()
    return {
        "rc": process.returncode,
        "stdout": out.decode(errors="replace"),
        "stderr": err.decode(errors="replace"),
    }


def notify(text: str) -> None:
    """sd_notify(3), without the daemons' code: the rig must work when they do not."""
    if address := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(text.encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)


async def run() -> None:
    """Until the power goes."""
    rack = Rack()
    await asyncio.to_thread(rack.begin)
    server = await asyncio.start_server(Control(rack).serve, "0.0.0.0", PORT, limit=MAX_LINE)  # noqa: S104 -- own network
    notify("READY=1")
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(run())
