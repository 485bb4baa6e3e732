"""Fixtures of all tests: `bus`, a dbus-daemon of the test's own."""

from tests.private_bus import private_bus

__all__ = ["private_bus"]
