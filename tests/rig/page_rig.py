"""What the tests of the page on a rack share: Debian's chromium, logging in, its dialog, pictures."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from rig.forward import forwarded
from rig.rack import Rack
from tests.peers.test_page import ARGUMENTS, CHROMIUM

PASSWORD = "four words nobody guesses"
SHOTS = os.environ.get("RACKEYE_SHOTS")
"""A folder that keeps a picture of each state, for people and for docs/pictures.py."""
SOON = 30_000  # milliseconds
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="needs chromium")


def shot(page: Page, name: str, part: str = "") -> None:
    """part: only what this selector names."""
    if SHOTS:
        file = Path(SHOTS) / f"{name}.png"
        if part:
            page.locator(part).first.screenshot(path=file)
        else:
            page.screenshot(path=file)


def opened(rack: Rack) -> Iterator[Page]:
    """The page before anybody has logged in."""
    with forwarded(rack.forward(3443)) as port, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = chromium.new_context(
            ignore_https_errors=True, viewport={"width": 1280, "height": 800}, base_url=f"https://127.0.0.1:{port}")
        page = context.new_page()
        page.set_default_timeout(SOON)
        expect.set_options(timeout=SOON)
        try:
            yield page
        finally:
            expect.set_options(timeout=5000)
            chromium.close()


def dialog(page: Page) -> Locator:
    return page.locator("#dialog")


def press(page: Page, name: str) -> None:
    """A button of the dialog."""
    dialog(page).get_by_role("button", name=name).click()


def log_in(page: Page, password: str, user: str = "admin") -> None:
    page.goto("/login")
    page.fill("#user", user)
    page.fill("#password", password)
    page.press("#password", "Enter")


def change_password(page: Page, old: str, new: str) -> None:
    """At the page that wants it after a first login."""
    expect(page).to_have_url(re.compile("/password$"))
    page.fill("#old", old)
    page.fill("#new", new)
    page.fill("#again", new)
    page.press("#again", "Enter")
    expect(page.locator("#health .word")).not_to_have_text("…")
