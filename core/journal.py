"""Log lines with fields (bay, array, serial, code) in the systemd journal; on stderr elsewhere."""

import logging
import os
import socket
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

JOURNAL_SOCKET = "/run/systemd/journal/socket"
LEVELS = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class Logger(logging.LoggerAdapter[logging.Logger]):
    """A logger whose calls take fields by keyword: `log.info("Rebuild started", bay=3, array="vd0")`."""

    def process(self, msg: object, kwargs: MutableMapping[str, Any]) -> tuple[object, MutableMapping[str, Any]]:
        known = {"exc_info", "stack_info", "stacklevel"}
        fields = {key: kwargs.pop(key) for key in list(kwargs) if key not in known}
        kwargs["extra"] = {"fields": fields}
        return msg, kwargs


class JournalHandler(logging.Handler):
    """Speaks the journal's native protocol (systemd, docs/JOURNAL_NATIVE_PROTOCOL)."""

    def __init__(self, path: str = JOURNAL_SOCKET) -> None:
        super().__init__()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, object] = getattr(record, "fields", {})
        text = self.format(record)
        entry = {"MESSAGE": text, "PRIORITY": LEVELS.get(record.levelno, 6), "SYSLOG_IDENTIFIER": record.name}
        entry |= {key.upper(): value for key, value in fields.items()}
        try:
            self._socket.sendto(b"".join(_field(key, str(value)) for key, value in entry.items()), self._path)
        except OSError:
            self.handleError(record)


def _field(key: str, value: str) -> bytes:
    data = value.encode()
    if b"\n" not in data:
        return key.encode() + b"=" + data + b"\n"
    return key.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"


class PlainFormatter(logging.Formatter):
    """One line, the fields behind it in brackets."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = getattr(record, "fields", {})
        tail = " ".join(f"{key}={value}" for key, value in fields.items())
        text = super().format(record)
        return f"{text} [{tail}]" if tail else text


def fields_of(thing: object) -> dict[str, Any]:
    """The journal's fields of an action or an alarm: `journalctl BAY=2` finds all that was done to a bay."""
    names = {"bay": "bay", "serial": "serial", "vd": "array", "array": "array", "camera": "camera"}
    found = {field: getattr(thing, name, None) for name, field in reversed(names.items())}
    return {field: value for field, value in found.items() if value not in (None, "")}


def get_logger(name: str) -> Logger:
    """The logger of a part of a daemon, such as `rackeye-raidd`."""
    return Logger(logging.getLogger(name), {})


def set_up(level: int = logging.INFO) -> None:
    """To the journal when systemd started us (JOURNAL_STREAM is set), else to stderr."""
    handler: logging.Handler
    if "JOURNAL_STREAM" in os.environ and Path(JOURNAL_SOCKET).exists():
        handler = JournalHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(PlainFormatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
