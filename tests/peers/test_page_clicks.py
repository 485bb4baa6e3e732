"""What a guard clicks and reads most: silence, "I have seen it", temperatures, cameras, progress."""

import re
import time
from dataclasses import replace

import pytest
from playwright.async_api import expect

from core.bus import Nothing
from hw.model import BeeperView, Sound
from nvr.alarms.model import AcknowledgeRequest
from nvr.recorder.model import Gap
from tests.peers import sample
from tests.peers.conftest import Run
from tests.peers.house import House
from tests.peers.test_page import CHROMIUM, console, shot

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs chromium (apt-get install chromium)")


def test_silence_it_reaches_paneld_and_the_page_says_that_it_is_silent(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            button = page.get_by_role("button", name="Silence it")
            await expect(button).to_have_count(0)  # this chassis sounds nothing
            heard = BeeperView(Sound.ALARM, heard=("drive-failed/vd0/4", "fan/Fan 2"))
            house.show("panel", replace(sample.PANEL, beeper=heard))
            await expect(page.locator("#alarms")).to_contain_text("sounds the alarm, for 2 of the alarms.")
            await button.click()
            await expect(page.locator("#alarms")).to_contain_text("The beeper is silent; 2 silenced.")
            await expect(button).to_have_count(0)
            assert house.called == [Nothing()]

    run(story())


def test_an_alarm_that_was_seen_says_so(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            first = page.locator("#alarms .alarm").first
            await expect(first).to_contain_text("Virtual drive degraded")
            await expect(first).not_to_contain_text("Seen")
            await first.get_by_role("button", name="I have seen it").click()
            await expect(first).to_contain_text(re.compile(r"Seen \d{4}-"))
            await expect(page.get_by_role("button", name="I have seen it")).to_have_count(0)
            assert house.called == [AcknowledgeRequest(12)]

    run(story())


def test_what_only_paneld_sounds_the_alarm_for_is_said(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            house.show("panel", replace(sample.PANEL, policy_silent=True, restoring=True))
            said = page.locator("#alarms .body .problem")
            await expect(said).to_have_text([
                re.compile("rackeye-policyd is silent: nobody watches"), re.compile("begins within a minute")])

    run(story())


POINTS = "one => one.getAttribute('points').split(' ').map((pair) => pair.split(',').map(Number))"


def test_the_plot_draws_the_values_that_came(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            card = page.locator("#climate .sensor").filter(has_text="Chassis")
            for celsius in (30.0, 50.0, 40.0):
                house.show("fan", sample.fan(celsius, 1510.0))
                await expect(card.locator(".figure")).to_have_text(f"{celsius:.1f} °C")
            await expect(card.get_by_role("img")).to_have_attribute(
                "aria-label", "Chassis, last 10 minutes: 30.0 to 50.0 °C")
            points = await card.locator("polyline").evaluate(POINTS)
            across, down = [x for x, _ in points], [y for _, y in points]
            assert across == sorted(across)
            assert 280 < across[0] < across[-1] == 300  # of ten minutes, the last seconds
            # From 3 °C below the coldest to 3 °C above the limit of 60 °C: 36 °C on 60 units, the hottest on top.
            heights = {celsius: 60 * (1 - (celsius - 27) / 36) for celsius in (30.0, 50.0, 40.0)}
            assert down[-4:] == pytest.approx([heights[30.0], heights[50.0], heights[40.0], heights[40.0]], abs=0.06)
            assert float(await card.locator(".limit").get_attribute("y1") or 0) == pytest.approx(5, abs=0.06)
            await expect(page.locator("#climate .sensor").filter(has_text="Fan 2").locator("polyline")).to_have_count(0)

    run(story())


def test_a_camera_tells_its_last_frame_its_rate_and_its_gaps(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            now = time.time()
            first, _, away, _ = sample.RECORDER.cameras
            running = replace(first, last_frame=now - 2, bitrate=640e3, gaps=(), gap_count=0)
            away = replace(away, last_frame=now - 754, gaps=(Gap(now - 754, now), Gap(now - 4000, now - 3988)))
            house.show("recorder", replace(sample.RECORDER, cameras=(running, away)))
            one = page.locator("#cameras tr").filter(has_text="cam1").locator("td")
            other = page.locator("#cameras tr").filter(has_text="cam3").locator("td")
            await expect(one.nth(2)).to_have_text(re.compile(r"^[2-5] s ago$"))
            await expect(one.nth(3)).to_have_text("640 kbit/s")
            await expect(one.nth(5)).to_have_text("none")
            await expect(other.nth(2)).to_have_text(re.compile(r"^12 min 3\d s ago$"))
            await expect(other.nth(3)).to_have_text("-")
            await expect(other.nth(5)).to_contain_text("2, 12 min 46 s in all")
            age = await one.nth(2).inner_text()
            await expect(one.nth(2)).not_to_have_text(age)  # goes on by itself
            house.show("recorder", replace(sample.RECORDER, cameras=(replace(running, last_frame=None),)))
            await expect(one.nth(2)).to_have_text("never")
            await shot(page, "cameras")

    run(story())


def test_a_virtual_drive_tells_its_per_cent_and_the_time_left(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            card = page.locator("#storage .vd").filter(has_text=re.compile("^vd0 "))
            await expect(card.locator(".work")).to_have_text("Rebuild 42.3 %, 181.0 MB/s, time left 5 h 19 min")
            await expect(card.get_by_role("progressbar", name="vd0: Rebuild")).to_have_js_property("value", 42.3)
            vd0, vd1 = sample.RAID.virtual_drives
            assert vd0.progress
            late = replace(vd0, progress=replace(vd0.progress, percent=99.97, seconds_left=None, speed=None))
            house.show("raid", replace(sample.RAID, virtual_drives=(late, vd1)))
            await expect(card.locator(".work")).to_have_text("Rebuild 99.9 %, time left unknown")  # not 100 yet
            house.show("raid", replace(sample.RAID, virtual_drives=(replace(vd0, progress=None), vd1)))
            await expect(card.locator(".work")).to_have_count(0)

    run(story())
