"""The page and the API of a redundant server: it says what it is, and nobody misses a recorder."""

import pytest
from playwright.async_api import expect

from boot.failover import SENTENCE
from tests.peers.conftest import Run
from tests.peers.house import House
from tests.peers.test_page import CHROMIUM, console, shot
from tests.peers.visitor import visit


@pytest.mark.skipif(not CHROMIUM, reason="needs chromium (apt-get install chromium)")
def test_the_page_says_that_it_is_a_redundant_server(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            await expect(page.locator("#failover")).to_be_hidden()
            await expect(page.locator("#version")).to_have_text("V0.1.0")
            await house.switch_over()
            await expect(page.locator("#version")).to_have_text("V0.1.0R, Failover Mode")
            await expect(page.locator("#failover .body")).to_contain_text(SENTENCE)
            await expect(page.locator("#failover .body")).to_contain_text("Waiting for a CMS")
            await expect(page.get_by_role("link", name="Failover")).to_be_visible()
            for gone in ("#cameras", "nav a[href='#cameras']"):
                await expect(page.locator(gone)).to_be_hidden()
            await expect(page.locator("#storage")).to_contain_text("There is no virtual drive.")
            assert await page.locator(".problem:visible").all_inner_texts() == []
            await shot(page, "failover")
            house.servers["failover"].close()
            await expect(page.locator("#failover .stale")).to_contain_text("rackeye-failover does not answer for")

    run(story())


def test_the_api_tells_what_runs_in_the_recorders_place(house: House, run: Run) -> None:
    async def story() -> None:
        async with visit(house, "boss") as client:
            asked = await client.get("/api/v1/failover")
            assert (asked.status_code, "rackeye-failover in Standard Mode" in asked.text) == (404, True)
            await house.switch_over()
            told = (await client.get("/api/v1/failover")).json()["data"]
            assert told == {"state": "Waiting for a CMS", "version": "V0.1.0R", "sentence": SENTENCE, "problems": []}
            asked = await client.get("/api/v1/recorder")
            assert (asked.status_code, asked.json()["error"]["hint"]) == (404, "GET /api/v1/failover")
            assert 'daemon="rackeye-recorder"' not in (await client.get("/metrics")).text

    run(story())
