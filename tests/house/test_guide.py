"""The guide knows every word that the product prints: states, work, titles of alarms."""

from enum import StrEnum
from pathlib import Path

import pytest

from raid.model import DriveState, VdState, Work

GUIDE = Path(__file__).parents[2] / "docs/guide"


@pytest.mark.parametrize("word", [*DriveState, *VdState, *Work], ids=str)
def test_every_state_is_explained(word: StrEnum) -> None:
    text = (GUIDE / "states.md").read_text()
    assert f"| {word.value} |" in text or f"*{word.value}*" in text.replace("\n", " ")
