"""The certificate's files as the console uses them, with the standard library alone."""

import hashlib
import ssl
import sys
from pathlib import Path

from core.clock import Clock
from core.run import run

YOUNG_DAYS = 795
"""A file that is younger than this needs no look at the date inside."""


def ready(folder: Path, clock: Clock) -> tuple[Path, Path]:
    """Certificate and key, made when they are missing, broken or old. Raises RunError when that cannot be done."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    if not _good(cert, key, clock):
        run([sys.executable, "-m", "nvr.web.certificate", str(folder)])
    return cert, key


def fingerprint(cert: Path) -> str:
    """SHA-256 as browsers show it: AB:CD:... Raises OSError, ValueError."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(cert.read_text())).digest().hex(":").upper()


def _good(cert: Path, key: Path, clock: Clock) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
        return 0 <= clock.now() - cert.stat().st_mtime < YOUNG_DAYS * 86_400
    except (OSError, ssl.SSLError):
        return False
