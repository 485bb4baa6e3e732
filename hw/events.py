"""Drives that come and go, as they do: the kernel's own uevents and udev's, which follow when its rules have run.

A drive that is pulled is known from the kernel at once; the bay of one that is put in, only from udev.
"""

import asyncio
from contextlib import suppress

import pyudev

from core.daemon import Wake
from hw.bays import NOT_IN_BAYS

_BUFFER = 8 * 1024 * 1024


async def drive_events(wake: Wake) -> None:
    """Calls `wake` at each event of a whole drive, until cancelled."""
    loop = asyncio.get_running_loop()
    context = pyudev.Context()
    monitors = [pyudev.Monitor.from_netlink(context, source=source) for source in ("kernel", "udev")]
    for monitor in monitors:
        monitor.filter_by("block", "disk")
        with suppress(OSError):  # only root may have more than the system's limit
            monitor.set_receive_buffer_size(_BUFFER)
        monitor.start()
        loop.add_reader(monitor.fileno(), _drain, monitor, wake)
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
