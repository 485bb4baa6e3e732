"""First light: a drive fails while four cameras are recorded, and is mended: `make run ARGS=--scenario`."""

import pytest

from rig.rack import Rack
from rig.story import Story

pytestmark = pytest.mark.rig


def test_the_story_of_a_failed_drive(rack: Rack) -> None:
    told: list[str] = []
    Story(rack, told.append).play()
    assert all("  ok  " in line for line in told)
    assert "at the end all is well" in told[-1]
