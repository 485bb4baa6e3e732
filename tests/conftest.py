"""Of all tests: the fixture `bus`, a dbus-daemon of the test's own, and how long hypothesis looks for an example."""

from hypothesis import settings

from tests.private_bus import private_bus

__all__ = ["private_bus"]

settings.register_profile("quick", max_examples=25)
settings.register_profile("thorough", max_examples=2000, deadline=None)  # the long tier: `make test-long`
settings.load_profile("quick")
