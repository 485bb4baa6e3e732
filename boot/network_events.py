"""Interfaces and addresses that come and go, as the kernel tells them (rtnetlink(7)): a lease of DHCP, a cable."""

import asyncio
import socket
from collections.abc import Callable

GROUPS = 0x1 | 0x10 | 0x100
"""Links, IPv4 addresses, IPv6 addresses."""
GATHER = 0.3
"""Seconds: one change is several messages, and one look does for them."""


async def network_events(wake: Callable[[], None]) -> None:
    """Calls `wake` soon after each change, until cancelled. Raises OSError when the kernel has no such socket."""
    loop = asyncio.get_running_loop()
    timers: list[asyncio.TimerHandle] = []

    def look() -> None:
        timers.clear()
        wake()

    def drain() -> None:
        try:
            while news.recv(65536):
                pass
        except OSError:  # nothing more, or more than the buffer holds: look in any case
            pass
        if not timers:
            timers.append(loop.call_later(GATHER, look))

    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE) as news:
        news.bind((0, GROUPS))
        loop.add_reader(news.fileno(), drain)
        try:
            await asyncio.Event().wait()
        finally:
            loop.remove_reader(news.fileno())
            for timer in timers:
                timer.cancel()
