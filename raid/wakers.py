"""What wakes raidd: uevents of block devices, and changes of md's attributes. No threads, no polling."""

import asyncio
import os
import select
from collections.abc import Callable
from contextlib import suppress

import pyudev

from core.daemon import Wake
from raid.sysfs import Sysfs

RESCAN = 30.0
"""Seconds between two looks for new md attributes, should an event have been lost."""


class Wakers:
    """Two sources of events for one daemon; a uevent of an array tells the second to look for its attributes."""

    def __init__(self, sysfs: Sysfs, forget: Callable[[str], None]) -> None:
        """forget: is told the kernel name of each whole disk that had an event."""
        self._sysfs = sysfs
        self._forget = forget
        self._md_event = asyncio.Event()
        self._files: dict[str, int] = {}

    async def watch_udev(self, wake: Wake) -> None:
        """Wakes at each uevent of a disk or array. Never returns.

        The kernel's events, because they come at once, and udev's (up to 200 ms later, facts/raid.md), because only
        then are bay and serial known.
        """
        context = pyudev.Context()
        monitors = [_monitor(context, source) for source in ("kernel", "udev")]
        loop = asyncio.get_running_loop()
        for monitor in monitors:
            loop.add_reader(monitor.fileno(), self._hear, monitor, wake)
        try:
            await asyncio.Event().wait()
        finally:
            for monitor in monitors:
                loop.remove_reader(monitor.fileno())

    def _hear(self, monitor: pyudev.Monitor, wake: Wake) -> None:
        while (device := monitor.poll(timeout=0)) is not None:
            whole = device if device.device_type == "disk" else device.find_parent("block", "disk")
            if whole is not None:
                self._forget(whole.sys_name)
                if whole.sys_name.startswith("md"):
                    self._md_event.set()
        wake()

    async def watch_md(self, wake: Wake) -> None:
        """Wakes when an md attribute changes (POLLPRI of sysfs). Never returns.

        sysfs files are always readable, so asyncio cannot watch them itself: an epoll of its own, asked only for
        EPOLLPRI, stands between.
        """
        loop = asyncio.get_running_loop()
        with select.epoll() as poll:
            loop.add_reader(poll.fileno(), self._md_event.set)
            try:
                while True:
                    self._keep(poll)
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._md_event.wait(), RESCAN)
                    self._md_event.clear()
                    if self._take(poll):
                        wake()
            finally:
                loop.remove_reader(poll.fileno())
                for handle in self._files.values():
                    os.close(handle)
                self._files.clear()

    def _keep(self, poll: select.epoll) -> None:
        """Opens what is new, closes what has gone."""
        wanted = set(self._sysfs.md_attributes())
        for path in [path for path in self._files if path not in wanted]:
            os.close(self._files.pop(path))
        for path in wanted - self._files.keys():
            with suppress(OSError):
                handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                os.pread(handle, 256, 0)
                poll.register(handle, select.EPOLLPRI)
                self._files[path] = handle

    def _take(self, poll: select.epoll) -> bool:
        """Reads what has changed, so that the next change wakes again; an attribute that has gone reads as an error."""
        changed = {handle for handle, _ in poll.poll(0)}
        for path, handle in list(self._files.items()):
            if handle not in changed:
                continue
            try:
                os.pread(handle, 256, 0)
            except OSError:
                os.close(self._files.pop(path))
        return bool(changed)


def _monitor(context: pyudev.Context, source: str) -> pyudev.Monitor:
    monitor = pyudev.Monitor.from_netlink(context, source=source)
    monitor.filter_by("block")
    monitor.start()
    return monitor
