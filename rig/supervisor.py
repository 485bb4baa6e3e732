"""The rack's first program in the sandbox: owns drives, kernel, network and cameras; answers the outside on a socket.

/rack/config.json says how the rack shall be; /rack/control.sock takes JSON lines, see Supervisor.answer.
"""

from __future__ import annotations

import asyncio
import json
import string
import sys
import time
from pathlib import Path
from typing import Any

from core.errors import RackAbsent, RackBroken, RackRefused, RackTimeout
from core.run import run
from rig.consoles import Terminals
from rig.drives import MIB, DriveKind, DriveStore, make_system_drive
from rig.guest.bays import BAYS
from rig.guest.simulator import PORT
from rig.kernel import Kernel, last_words
from rig.layer import CHECKOUT
from rig.sandbox import GUEST, HOST, NETWORK
from rig.wire import MAX_LINE, Message, answer_lines, ask, pump

WORK = Path("/rack")
SYSTEM = WORK / "system.img"
RELAYED = ("exec", "snapshot", "history", "tones", "temperature", "fan", "press", "smart", "spoil")
SHELL_PORT = 7002


class Supervisor:
    """Everything of one rack that outlives a power cut."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.store = DriveStore(WORK / "drives", config["bay_mib"] * MIB)
        self.kernel = Kernel(config["memory_mib"], config["cpu"])
        self.terminals = Terminals(config["consoles"], WORK)
        self.dust = bool(config["dust"])
        self.disks: dict[int, str] = {}  # ubd name by bay
        self.forwards: dict[int, asyncio.Server] = {}
        self.cameras: asyncio.subprocess.Process | None = None
        self.lock = asyncio.Lock()
        self.reboots: asyncio.Task[None] | None = None
        self.done = asyncio.Event()
        for bay in range(config["drives"]):
            self.store.put(bay, self.store.fresh(DriveKind.BLANK))
            self.disks[bay] = self._free_disk()

    def prepare(self) -> None:
        """Network and system drive."""
        for command in (
            "ip link set lo up",
            "ip tuntap add dev tap0 mode tap",
            f"ip addr add {NETWORK} dev tap0",
            "ip link set tap0 up",
        ):
            run(command.split())
        if not SYSTEM.exists():
            make_system_drive(SYSTEM)

    async def answer(self, request: Message) -> Message:  # noqa: PLR0911, PLR0912 -- a table of verbs
        """One request."""
        match request["verb"]:
            case "boot":
                return await self.boot(float(request["timeout"]), whole=bool(request["whole"]))
            case "powered":
                return {"powered": self.kernel.running}
            case "type":
                self.terminals.send(int(request["console"]), request["text"].encode("latin-1"))
                return {}
            case "hang-up":
                self.terminals.hang_up(int(request["console"]))
                return {}
            case "power-cut":
                async with self.lock:
                    await self.kernel.cut()
                return {}
            case "pull":
                async with self.lock:
                    return await self.pull(int(request["bay"]))
            case "insert":
                async with self.lock:
                    kind = DriveKind(request.get("kind", DriveKind.BLANK))
                    return await self.insert(int(request["bay"]), kind, request.get("serial"))
            case "state":
                return await self.state()
            case "forward":
                return {"socket": (await self.forward(int(request["port"]))).name}
            case "cameras":
                return await self.start_cameras(int(request["cameras"]), int(request["liars"]), request["clips"])
            case "camera":
                return await self.camera(request["request"])
            case "quit":
                self.done.set()
                return {}
            case verb if verb in RELAYED:
                return await self.guest(request)
            case verb:
                raise RackRefused(f"The rack does not know {verb!r}.")

    async def guest(self, request: Message) -> Message:
        """Asks the simulator in the guest."""
        if not self.kernel.running:
            self.kernel.check()
            raise RackAbsent("The rack's power is cut.", hint="rackeye-rack boot")
        try:
            reader, writer = await asyncio.open_connection(GUEST, PORT, limit=MAX_LINE)
        except OSError as error:
            raise RackBroken(f"The guest does not answer: {error}.\n{last_words()}") from error
        try:
            return await ask(reader, writer, request)
        finally:
            writer.close()

    async def boot(self, timeout: float, *, whole: bool) -> Message:  # noqa: ASYNC109 -- it is the guest that has to be in time
        """Powers on with the drives as they are; answers when everything in the guest was started, or with `whole`
        false as soon as the guest answers."""
        async with self.lock:
            if self.kernel.running:
                raise RackRefused("The rack is powered already.", hint="rackeye-rack power-cut")
            started = time.monotonic()
            await self.power_on()
            self.reboots = asyncio.create_task(self.follow_reboots())
        while True:
            self.kernel.check()
            try:
                if (await asyncio.wait_for(self.guest({"verb": "state"}), 5))["ready"] or not whole:
                    return {"seconds": round(time.monotonic() - started, 2)}
            except (RackBroken, TimeoutError):
                pass  # not up yet
            if time.monotonic() - started > timeout:
                raise RackTimeout(f"The guest was not ready {timeout:g} s after power on.\n{last_words()}")
            await asyncio.sleep(0.1)

    async def power_on(self) -> None:
        """Starts the kernel with the drives as they are."""
        bays = {}
        for bay, serial in self.store.bays.items():
            drive = self.store.drives[serial]
            bays[bay] = {"ubd": self.disks[bay], "serial": drive.serial, "model": drive.model, "dust": self.dust}
        (WORK / "boot.json").write_text(json.dumps({"bays": bays}))
        disks = {self.disks[bay]: self.store.drives[serial].path for bay, serial in self.store.bays.items()}
        self.terminals.clear()
        await self.kernel.start({"ubda": SYSTEM, **disks}, self.terminals.arguments)

    async def follow_reboots(self) -> None:
        """A guest that reboots is powered on again, as a machine does it; one that switches itself off stays off."""
        while await self.kernel.restarted():
            async with self.lock:
                await self.kernel.cut()  # what is left of it holds the network
                await self.power_on()

    async def pull(self, bay: int) -> Message:
        """Surprise removal; works with the power cut, too."""
        if bay not in self.store.bays:
            raise RackRefused(f"Bay {bay} has no drive.", hint="rackeye-rack state")
        answer: Message = {}
        if self.kernel.running:
            answer = await self.guest({"verb": "pull", "bay": bay})
            await self.kernel.console(f"remove {self.disks[bay]}")
        del self.disks[bay]
        return {"serial": self.store.take(bay).serial, "at": answer.get("at")}

    async def insert(self, bay: int, kind: DriveKind, serial: str | None) -> Message:
        """Puts a drive in; works with the power cut, too."""
        if bay not in range(BAYS):
            raise RackRefused(f"There is no bay {bay}.", hint=f"Bays are 0 to {BAYS - 1}.")
        drive = await asyncio.to_thread(self.store.choose, bay, kind, serial)
        disk = self._free_disk()
        answer: Message = {}
        if self.kernel.running:
            await self.kernel.console(f"config {disk}={drive.path}")
            request = {"verb": "insert", "bay": bay, "ubd": disk, "serial": drive.serial, "model": drive.model,
                       "dust": self.dust}
            answer = await self.guest(request)
        self.disks[bay] = disk
        self.store.put(bay, drive)
        return {"serial": drive.serial, "at": answer.get("at")}

    async def state(self) -> Message:
        """What is known from outside, and what the simulator says when it runs."""
        outside = {
            "powered": self.kernel.running,
            "drives": {
                drive.serial: {"model": drive.model, "size": drive.size, "file": drive.path.name}
                for drive in self.store.drives.values()
            },
            "inserted": {str(bay): serial for bay, serial in sorted(self.store.bays.items())},
        }
        return {**outside, **(await self.guest({"verb": "state"}) if self.kernel.running else {})}

    async def forward(self, port: int) -> Path:
        """A unix socket in the work folder that leads to a port of the guest."""
        path = WORK / f"port-{port}.sock"
        if port not in self.forwards:
            self.forwards[port] = await asyncio.start_unix_server(lambda r, w: _bridge(r, w, port), path)
        return path

    async def start_cameras(self, cameras: int, liars: int, clips: str) -> Message:
        """The test cameras, on the host's side of the rack's network."""
        if self.cameras is None:
            with (WORK / "cameras.log").open("ab") as log:
                self.cameras = await asyncio.create_subprocess_exec(
                    "/usr/bin/python3", f"{CHECKOUT}/rig/cameras.py", "--bind", HOST, "--cameras", str(cameras),
                    "--liars", str(liars), "--clips", clips, "--control", str(WORK / "cameras.sock"),
                    stdout=asyncio.subprocess.PIPE, stderr=log,
                )  # fmt: skip
            assert self.cameras.stdout is not None
            if await self.cameras.stdout.readline() != b"READY\n":
                self.cameras = None
                raise RackBroken(f"The cameras did not start.\n{(WORK / 'cameras.log').read_text()[-2000:]}")
        return await self.camera({"state": True})

    async def camera(self, request: Message) -> Message:
        """Asks the cameras' control."""
        if self.cameras is None:
            raise RackAbsent("The rack has no cameras yet.", hint="start_cameras() first")
        reader, writer = await asyncio.open_unix_connection(WORK / "cameras.sock")
        try:
            return await ask(reader, writer, request)
        finally:
            writer.close()

    def _free_disk(self) -> str:
        # ubda is the system drive; a name is only used again once the kernel has let it go
        return next(name for c in string.ascii_lowercase[1:16] if (name := f"ubd{c}") not in self.disks.values())


async def _bridge(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    try:
        far_reader, far_writer = await asyncio.open_connection(GUEST, port)
    except OSError:
        writer.close()
        return
    await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
    writer.close()
    far_writer.close()


async def serve() -> None:
    """Until told to quit, or killed with the sandbox."""
    supervisor = Supervisor(json.loads((WORK / "config.json").read_text()))
    await asyncio.to_thread(supervisor.prepare)
    await supervisor.forward(SHELL_PORT)
    part = WORK / "control.part"
    await asyncio.start_unix_server(lambda r, w: answer_lines(r, w, supervisor.answer), part, limit=MAX_LINE)
    part.rename(WORK / "control.sock")  # there means listening
    await supervisor.done.wait()
    await supervisor.kernel.cut()


if __name__ == "__main__":
    asyncio.run(serve())
    sys.exit(0)
