"""The console's own certificate, made at the first start and kept in /var/lib/rackeye/web.

Self-signed: the box has no name that an authority could vouch for. Its SHA-256 fingerprint is said in the journal, so
that a careful person can compare. A person's own certificate is put in place of the two files.

Run as a program it makes what is needed: `cryptography` costs 8 MB, which the console would keep for its whole life.
"""

import ipaddress
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from core.clock import Clock, SystemClock
from core.config import write_atomic
from nvr.web.certificate_files import YOUNG_DAYS

LIFE = timedelta(days=YOUNG_DAYS + 30)  # 825 days are the longest that Apple's and other clients take
RENEW = timedelta(days=30)


def ensure(folder: Path, clock: Clock) -> tuple[Path, Path]:
    """The files of certificate and key; made anew when missing, unreadable, not of one pair, or soon too old.

    A certificate that we did not make ourselves is never replaced because of its age. Raises OSError.
    """
    cert, key = folder / "cert.pem", folder / "key.pem"
    if not _good(cert, key, clock):
        private = ec.generate_private_key(ec.SECP256R1())
        write_atomic(key, private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()), 0o600)
        write_atomic(cert, _certificate(private, clock).public_bytes(serialization.Encoding.PEM), 0o644)
    return cert, key


def _good(cert: Path, key: Path, clock: Clock) -> bool:
    try:
        found = x509.load_pem_x509_certificate(cert.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except (FileNotFoundError, ValueError, TypeError):
        return False
    encoding = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if found.public_key().public_bytes(*encoding) != private.public_key().public_bytes(*encoding):
        return False
    ours = found.subject == found.issuer == _subject(found)
    left = found.not_valid_after_utc - datetime.fromtimestamp(clock.now(), UTC)
    return not ours or left > RENEW


def _subject(found: x509.Certificate | None) -> x509.Name:
    names = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME) if found else []
    common = names[0].value if names else socket.gethostname()
    return x509.Name([
        x509.NameAttribute(NameOID.COMMON_NAME, str(common)[:64]),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Rackeye console"),
    ])


def _certificate(private: ec.EllipticCurvePrivateKey, clock: Clock) -> x509.Certificate:
    host = socket.gethostname() or "rackeye"
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in sorted({host, "localhost", "rackeye.local"})]
    names += [x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1")]
    now = datetime.fromtimestamp(clock.now(), UTC)
    subject = _subject(None)
    return (
        x509.CertificateBuilder()
        .subject_name(subject).issuer_name(subject).public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + LIFE)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )


if __name__ == "__main__":
    ensure(Path(sys.argv[1]), SystemClock())
