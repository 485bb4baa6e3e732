"""The guest's kernel: started, cut off, and spoken to. Runs in the sandbox."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

from core.errors import RackAbsent, RackBroken
from rig.layer import CHECKOUT
from rig.mconsole import mconsole

UMID = "rack"
PRELOAD = CHECKOUT / ".venv/lib/uml_host.so"
CONSOLE_LOG = Path("/rack/console.log")


class Kernel:
    """One User Mode Linux kernel with its process group."""

    def __init__(self, memory_mib: int, cpu: int) -> None:
        """cpu: the host's, on which it stays. The kernel and the guest's processes wake each other at each system call
        and page fault: between two CPUs that takes two to three times as long as on one."""
        self._memory, self._cpu = memory_mib, cpu
        self._process: asyncio.subprocess.Process | None = None

    @property
    def running(self) -> bool:
        """Whether the power is on."""
        return self._process is not None and self._process.returncode is None

    async def start(self, disks: dict[str, Path], consoles: tuple[str, ...] = ()) -> None:
        """Powers on. disks: files by ubd name, e.g. ubda. consoles: arguments of rig.consoles.

        `stderr=1`: what the kernel says is in the log at once; its console's last words are lost when it aborts.
        `pty.legacy_count=0`: no kernel of a box has the 512 old terminals in /dev, all of which mdadm and udev look at.
        """
        argv = [
            "taskset", "--cpu-list", str(self._cpu), "linux.uml", f"mem={self._memory}M",
            "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro",
            f"init={CHECKOUT}/rig/guest/init.sh", f"rack.checkout={CHECKOUT}", f"umid={UMID}",
            "con=null", "con0=null,fd:1", "pty.legacy_count=0", *consoles,
            "quiet", "stderr=1", "noreboot", "selinux=0", "audit=0", "systemd.show_status=0",
            "vec0:transport=tap,ifname=tap0,depth=128,gro=1",
            *(f"{name}={path}" for name, path in disks.items()),
        ]  # fmt: skip
        with CONSOLE_LOG.open("ab") as log:  # noqa: ASYNC230 -- a local file
            log.write(f"\n--- power on, {time.strftime('%H:%M:%S')}\n".encode())
            log.flush()
            self._process = await asyncio.create_subprocess_exec(
                *argv, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "LD_PRELOAD": str(PRELOAD)},
            )

    async def restarted(self) -> bool:
        """Waits until this kernel has ended; whether it asked to be started again.

        `noreboot`: left to itself it would execute itself anew, and find its network held by itself. User Mode Linux
        now and then aborts (SIGABRT) on its way out, when all is said and done; SIGKILL is `cut`.
        """
        process = self._process
        if process is None:
            return False
        code = await process.wait()
        said = last_words().rpartition("--- power on")[2]
        return code != -signal.SIGKILL and self._process is process and "reboot: Restarting system" in said

    async def cut(self) -> None:
        """Cuts the power: nothing is flushed. Returns when no process of it lives, so nothing more reaches a file."""
        if self._process is None:
            return
        group = self._process.pid
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        await self._process.wait()
        self._process = None
        while _living(group):  # noqa: ASYNC110 -- processes of others end without an event
            await asyncio.sleep(0.02)

    async def console(self, command: str) -> str:
        """A command to the kernel's management console. Raises RackAbsent, RackBroken."""
        if not self.running:
            raise RackAbsent("The rack's power is cut.", hint="rackeye-rack boot")
        return await asyncio.to_thread(mconsole, Path(f"/tmp/.uml/{UMID}/mconsole"), command)  # noqa: S108

    def check(self) -> None:
        """Raises RackBroken with the last words when the kernel ended by itself."""
        if self._process is not None and self._process.returncode is not None:
            code = self._process.returncode
            raise RackBroken(f"The rack's kernel ended by itself (exit {code}).\n{last_words()}")


def last_words(size: int = 2000) -> str:
    """The end of what the guest's console said."""
    with contextlib.suppress(OSError):
        return CONSOLE_LOG.read_bytes()[-size:].decode(errors="replace")
    return ""


def _living(group: int) -> bool:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] not in "ZX":
                return True
    return False
