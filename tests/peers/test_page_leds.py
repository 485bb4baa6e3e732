"""The front of the chassis on the page: every LED of the profile, in a lamp test and when one cannot be read."""

from dataclasses import replace

import pytest
from playwright.async_api import expect

from hw.model import InformationLight, LampMode, LedView, PanelSnapshot
from tests.peers import sample
from tests.peers.conftest import Run
from tests.peers.house import House
from tests.peers.test_page import CHROMIUM, console, shot

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs chromium (apt-get install chromium)")
ON, OFF = LampMode.ON, LampMode.OFF
PANEL = {
    "power": ON, "system": ON, "activity": OFF, "warning": OFF, "power-failure": OFF, "information-red": OFF,
    "information-blue": OFF,
}


def shown(**other: LampMode | None) -> PanelSnapshot:
    """The rack with every LED of the panel; other: role (with _) and what it does, all bays by `trays`."""
    trays = [LedView(f"bay{bay}:{role}", role, bay, ON) for bay in range(8) for role in ("activity", "status")]
    lamps = PANEL | {role.replace("_", "-"): lamp for role, lamp in other.items()}
    return replace(sample.PANEL, information=InformationLight.OFF, leds=(
        *trays, *(LedView(f"panel:{role}", role, None, lamp) for role, lamp in lamps.items())))


def lamp_test(panel: PanelSnapshot) -> PanelSnapshot:
    """All on: that is no light of a bay, and none of the Information LED."""
    bays = tuple(replace(bay, light=None) for bay in panel.bays)
    leds = tuple(led if led.lamp is None else replace(led, lamp=ON) for led in panel.leds)
    return replace(panel, bays=bays, leds=leds, information=None, lamp_test=True)


def test_every_led_of_the_panel_is_drawn_as_it_is(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            blinks = LedView("panel:activity", "activity", None, LampMode.BLINK, 3.81)
            panel = shown(warning=ON, power_failure=None)
            house.show("panel", replace(panel, leds=tuple(
                blinks if led.bay is None and led.role == "activity" else led for led in panel.leds)))
            for name, kind in (
                ("Power LED: on", "green on"), ("System LED: on", "green on"), ("Warning LED: on", "amber on"),
                ("HDD activity LED: blinks at 4 Hz", "green blink4"), ("Power failure LED: unknown", "red unknown"),
                ("Information LED: off", "blue off"),
            ):
                await expect(page.get_by_role("img", name=name, exact=True)).to_have_class(f"led {kind}")
            await shot(page, "leds")
            house.show("panel", replace(panel, information=None))  # neither of its two can be read
            await expect(page.get_by_role("img", name="Information LED: unknown")).to_be_visible()
            house.show("panel", replace(panel, information=InformationLight.PSU))
            lens = page.get_by_role("img", name="Information LED: red 0.25 Hz").locator(".lens")
            assert await lens.evaluate("one => getComputedStyle(one).fill") == "rgb(255, 74, 67)"

    run(story())


def test_a_lamp_test_is_shown_as_one_and_a_dark_led_in_it(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            panel = shown(system=None)
            broken = tuple(replace(led, lamp=None) if led.name == "bay3:status" else led for led in panel.leds)
            house.show("panel", lamp_test(replace(panel, leds=broken)))
            await expect(page.locator("#chassis [role=status]")).to_contain_text("Lamp test: every LED is on.")
            for bay in (0, 4, 7):
                await expect(page.locator(f"#bay-{bay} .led.green")).to_have_class("led green on")
                await expect(page.locator(f"#bay-{bay} .led.amber")).to_have_class("led amber on")
            await expect(page.locator("#bay-3 .led.amber")).to_have_class("led amber unknown")
            await expect(page.get_by_role("img", name="Information LED: red and blue on")).to_be_visible()
            await expect(page.get_by_role("img", name="System LED: unknown")).to_be_visible()
            await expect(page.get_by_role("button", name="Lamp test")).to_be_visible()
            await shot(page, "lamp-test")
            await page.locator("#bay-1").click()
            await expect(page.locator("#dialog dt:text-is('Lights') + dd")).to_have_text("both LEDs on")

    run(story())
