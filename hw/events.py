"""Drives that come and go, as they do: the kernel's own uevents and udev's, which follow when its rules have run.

A drive that is pulled is known from the kernel at once; the bay of one that is put in, only from udev.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path

import pyudev

from core.daemon import Wake
from hw.bays import NOT_IN_BAYS

_BUFFER = 8 * 1024 * 1024
GATHER = 0.05
"""Seconds. A drive that comes or goes is a dozen events, and one look does for them. A pulled one's amber LED does not
wait for it, and a look would only stand in its way on a busy CPU."""

SIDES = (("bsg", None), ("scsi_device", None))
"""What else the kernel has of a SATA or SAS drive. When it is pulled these go first, and its block device only when the
block layer has waited for all that was under way: 20 to 40 ms later in the rack, seconds where requests hang."""

Moved = Callable[[str, bool], Coroutine[None, None, None]]


async def drive_events(moved: Moved, wake: Wake) -> None:
    """Calls `wake` soon after events of whole drives, until cancelled.

    moved: hears at once of each drive that the kernel has (True) or has no more: its node, such as /dev/sda.
    """
    loop = asyncio.get_running_loop()
    gathering = False

    def later() -> None:
        nonlocal gathering
        if not gathering:
            gathering = True
            loop.call_later(GATHER, look)

    def look() -> None:
        nonlocal gathering
        gathering = False
        wake()

    def heard(monitor: pyudev.Monitor, group: asyncio.TaskGroup) -> None:
        try:
            events = list(iter(lambda: monitor.poll(timeout=0), None))
        except OSError:  # the buffer ran over: events are lost, so look
            later()
            return
        events = [event for event in events if not event.sys_name.startswith(NOT_IN_BAYS)]
        for event in events if monitor is kernels else ():
            node = _node(event)
            if node is not None:
                group.create_task(moved(node, event.action == "add"))
        if events:
            later()

    context = pyudev.Context()
    kernels, udevs = (pyudev.Monitor.from_netlink(context, source=source) for source in ("kernel", "udev"))
    async with asyncio.TaskGroup() as group:
        for monitor in (kernels, udevs):
            for subsystem, kind in (("block", "disk"), *SIDES) if monitor is kernels else (("block", "disk"),):
                monitor.filter_by(subsystem, kind)
            with suppress(OSError):  # only root may have more than the system's limit
                monitor.set_receive_buffer_size(_BUFFER)
            monitor.start()
            loop.add_reader(monitor.fileno(), heard, monitor, group)
        try:
            wake()  # what happened before the monitors stood
            await asyncio.Event().wait()
        finally:
            for monitor in (kernels, udevs):
                loop.remove_reader(monitor.fileno())


def _node(event: pyudev.Device) -> str | None:
    """The drive that has come or gone with this event of the kernel; None when it says neither."""
    if event.subsystem == "block":
        return event.device_node if event.action in ("add", "remove") else None
    if event.action != "remove":
        return None
    with suppress(OSError):
        return next((f"/dev/{path.name}" for path in (Path(event.sys_path).parents[1] / "block").iterdir()), None)
    return None
