"""A mail server inside a rack: STARTTLS with the console's certificate, a login, and each mail as a file.

In the guest: python -m tests.rig.mailbox ADDRESS PORT FOLDER; the login is USER and PASSWORD.
"""

import asyncio
import ssl
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

USER, PASSWORD = "nvr", "word-of-the-mailbox"
CERTIFICATE = Path("/var/lib/rackeye/web")


class Folder:
    """Writes what comes: 1.eml, 2.eml ..."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name
        self._count += 1
        assert isinstance(envelope.content, bytes)
        new = self._path / f"{self._count}.new"
        new.write_bytes(envelope.content)
        new.rename(new.with_suffix(".eml"))
        return "250 put into the box"


def _login(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


async def serve(address: str, port: int, folder: Path) -> None:
    """Until it is killed."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE / "cert.pem", CERTIFICATE / "key.pem")
    handler = Folder(folder)

    def door() -> SMTP:
        return SMTP(handler, tls_context=tls, require_starttls=True, authenticator=_login, auth_required=True,
                    hostname="mailbox")  # else it asks for the rack's name in a network without name servers

    server = await asyncio.get_running_loop().create_server(door, address, port)
    await server.serve_forever()


if __name__ == "__main__":
    Path(sys.argv[3]).mkdir(parents=True, exist_ok=True)
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
