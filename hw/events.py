"""Drives that come and go, as they do: the kernel's own uevents and udev's, which follow when its rules have run.

A drive that is pulled is known from the kernel at once; the bay of one that is put in, only from udev.
"""

import asyncio
from contextlib import suppress

import pyudev

from core.daemon import Wake
from hw.bays import NOT_IN_BAYS

_BUFFER = 8 * 1024 * 1024
GATHER = 0.05
"""Seconds. A drive that comes or goes is a dozen events, and one look does for them. A pulled one's amber LED does not
wait for it: that is policyd's word, on its way meanwhile, and a look would only stand in its way on a busy CPU."""


async def drive_events(wake: Wake) -> None:
    """Calls `wake` soon after events of whole drives, until cancelled."""
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

    context = pyudev.Context()
    monitors = [pyudev.Monitor.from_netlink(context, source=source) for source in ("kernel", "udev")]
    for monitor in monitors:
        monitor.filter_by("block", "disk")
        with suppress(OSError):  # only root may have more than the system's limit
            monitor.set_receive_buffer_size(_BUFFER)
        monitor.start()
        loop.add_reader(monitor.fileno(), _drain, monitor, later)
    try:
        wake()  # what happened before the monitors stood
        await asyncio.Event().wait()
    finally:
        for monitor in monitors:
            loop.remove_reader(monitor.fileno())


def _drain(monitor: pyudev.Monitor, wake: Wake) -> None:
    """Takes all events that wait; one look is enough for all of them."""
    try:
        events = list(iter(lambda: monitor.poll(timeout=0), None))
    except OSError:  # the buffer ran over: events are lost, so look
        wake()
        return
    if any(not event.sys_name.startswith(NOT_IN_BAYS) for event in events):
        wake()
