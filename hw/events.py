"""Drives that come and go, as they do: the kernel's own uevents and udev's, which follow when its rules have run.

A drive that is pulled is known from the kernel at once; the bay of one that is put in, only from udev.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress

import pyudev

from core.daemon import Wake
from hw.bays import NOT_IN_BAYS

_BUFFER = 8 * 1024 * 1024
GATHER = 0.05
"""Seconds. A drive that comes or goes is a dozen events, and one look does for them. A pulled one's amber LED does not
wait for it, and a look would only stand in its way on a busy CPU."""

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
        for event in events:
            if monitor is kernels and event.device_node is not None and event.action in ("add", "remove"):
                group.create_task(moved(event.device_node, event.action == "add"))
        if events:
            later()

    context = pyudev.Context()
    kernels, udevs = (pyudev.Monitor.from_netlink(context, source=source) for source in ("kernel", "udev"))
    async with asyncio.TaskGroup() as group:
        for monitor in (kernels, udevs):
            monitor.filter_by("block", "disk")
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
