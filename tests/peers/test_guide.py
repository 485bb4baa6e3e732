"""The guide's pictures are there and small, and what is to be printed is one page."""

import re
import shutil
from pathlib import Path

import pytest

from docs import pictures

CHROMIUM = shutil.which("chromium")


@pytest.mark.skipif(not CHROMIUM, reason="needs chromium")
def test_the_lights_and_beeps_are_one_printed_page(tmp_path: Path) -> None:
    file = tmp_path / "lights.pdf"
    pictures.print_page(file)
    assert len(re.findall(rb"/Type\s*/Page\b", file.read_bytes())) == 1


def test_every_picture_that_is_made_is_small_and_used() -> None:
    shown = "".join(page.read_text() for page in (*pictures.GUIDE.glob("*.md"), pictures.TOP / "README.md"))
    files = sorted(pictures.PICTURES.iterdir())
    assert files
    for file in files:
        assert file.stat().st_size <= pictures.LARGEST, file
        assert f"pictures/{file.name})" in shown, f"{file.name} is shown nowhere"
