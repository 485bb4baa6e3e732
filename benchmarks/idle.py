"""`idle`: CPU and memory of all daemons together when nothing happens (benchmarks/box.py)."""

import asyncio
import time

from benchmarks.box import BUS_NAMES, DAEMONS, box, environment
from benchmarks.procs import BenchFailed, cpu_seconds, pss_bytes
from benchmarks.rows import Section, Tell, alone
from core.bus import BusClient
from core.errors import RackeyeError

SETTLE, WINDOW, QUICK_WINDOW = 15.0, 60.0, 20.0  # seconds; the slowest daemon looks each 30 s
MIB = 1 << 20


def bench(tell: Tell, *, quick: bool = False) -> Section:
    """The rows. Raises BenchFailed when a daemon does not answer."""
    with box() as one:
        with environment(one.env):
            asyncio.run(_all_answer())
        tell("all daemons answer; idle begins")
        time.sleep(SETTLE)
        before, began = {name: cpu_seconds([pid]) for name, pid in one.pids.items()}, time.monotonic()
        time.sleep(QUICK_WINDOW if quick else WINDOW)
        seconds = time.monotonic() - began
        cpu = {name: 100 * (cpu_seconds([pid]) - before[name]) / seconds for name, pid in one.pids.items()}
        memory = {name: pss_bytes([pid]) / MIB for name, pid in one.pids.items()}
        with environment(one.env):
            asyncio.run(_all_answer())
    each = ", ".join(f"{name} {cpu[name]:.2f} % {memory[name]:.0f} MiB" for name in DAEMONS)
    tell(each)
    return Section(
        (
            alone("idle cpu, all daemons", "% of a core", sum(cpu.values()), "<= 0.5"),
            alone("idle memory, all daemons", "MiB PSS", sum(memory.values()), "<= 180"),
        ),
        (
            f"{len(DAEMONS)} daemons as they are, on the host, on a bus of their own, over {seconds:.0f} s: {each}.",
            "Below one folder: the host's own /sys (its drive, no array), LEDs and sensors of virtual-8 as plain "
            "files, a recording volume, no cameras, nobody at the console. raidd with eight drives reads more in its "
            "look each 30 s: 200 sysfs files are 4.3 ms (facts/raid.md), 0.01 % of a core. dbus-daemon is not counted.",
        ),
    )


async def _all_answer() -> None:
    async with BusClient() as client:
        for name in BUS_NAMES:
            for left in range(60, -1, -1):
                try:
                    await client.snapshot(f"org.rackeye.{name}", dict)
                    break
                except RackeyeError as error:
                    if not left:
                        raise BenchFailed(f"{name} does not answer: {error.sentence}") from error
                    await asyncio.sleep(0.5)
