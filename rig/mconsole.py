"""The management console of a User Mode Linux kernel: a datagram a command (arch/um/drivers/mconsole.h)."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

from core.errors import RackBroken

MAGIC, VERSION, MAX_DATA = 0xCAFEBABE, 2, 512
REQUEST = struct.Struct(f"=III{MAX_DATA}s")
REPLY = struct.Struct("=III")


def mconsole(console: Path, command: str, timeout: float = 10.0) -> str:
    """Sends one command (`config ubdb=FILE`, `remove ubdb`, `version`) and returns the answer's text.

    console: the kernel's socket, HOME/.uml/UMID/mconsole. Raises RackBroken when it says no or says nothing.
    """
    data = command.encode()
    answer = b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        sock.bind(f"\0rack-mconsole-{os.getpid()}-{id(sock)}")
        try:
            sock.sendto(REQUEST.pack(MAGIC, VERSION, len(data), data), str(console))
            more, failed = 1, 0
            while more:
                packet = sock.recv(REPLY.size + MAX_DATA)
                failed, more, size = REPLY.unpack_from(packet)
                answer += packet[REPLY.size : REPLY.size + size].rstrip(b"\0")
        except OSError as error:
            raise RackBroken(f"The kernel's console does not answer {command!r}: {error}.") from error
    text = answer.decode(errors="replace").strip()
    if failed:
        raise RackBroken(f"The kernel refused {command!r}: {text}")
    return text
