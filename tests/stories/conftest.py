"""Arrays in plain files: in memory, as the unit tests are."""

from tests.unit.conftest import tmp_path

__all__ = ["tmp_path"]
