"""The console's page in Debian's chromium, over real HTTPS, with daemons that say what a test wants."""

import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from boot.model import RestoreRequest, SwitchRequest
from hw.model import BayView, InformationLight, LocateRequest, TrayLight
from raid.model import DeleteVdRequest, Drive, DriveState
from raid.model_plan import PlanSimpleRequest
from raid.smart_model import ReadSmartRequest, SmartHealth, SmartHistoryRequest
from tests.peers import sample
from tests.peers.conftest import Run
from tests.peers.house import PASSWORD, House

CHROMIUM = shutil.which("chromium") or ""
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs chromium (apt-get install chromium)")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PHONE = {"width": 390, "height": 844}
SHOTS = os.environ.get("RACKEYE_SHOTS")
"""A folder for screenshots, for people to look at."""


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield opened
        finally:
            await opened.close()


@asynccontextmanager
async def console(house: House, user: str = "boss", *, width: int = 1280, dark: bool = False) -> AsyncIterator[Page]:
    """The page, logged in. Fails at its end when the browser complained: a script error, a refusal by the CSP."""
    async with browser() as opened:
        context = await opened.new_context(
            ignore_https_errors=True, viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light")
        page = await context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        await page.goto(house.url + "/login")
        await page.fill("#user", user)
        await page.fill("#password", PASSWORD)
        await page.press("#password", "Enter")
        await expect(page.locator("#health .word")).to_have_text("Critical")
        yield page
        # This house has no recorder's socket for the pictures: that is answered, and no defect of the page.
        assert [said for said in complaints if "Failed to load resource" not in said and "ERR_" not in said] == []


async def shot(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


def test_the_picture_shows_every_led_as_it_is(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            await expect(page.locator("#health .count")).to_have_text("2 alarms")
            wanted = {0: ("blink4", "off"), 1: ("on", "off"), 2: ("off", "blink1"), 4: ("off", "on"),
                      5: ("off", "blink4"), 7: ("off", "off")}
            for bay, (green, amber) in wanted.items():
                await expect(page.locator(f"#bay-{bay} .led.green")).to_have_class(f"led green {green}")
                await expect(page.locator(f"#bay-{bay} .led.amber")).to_have_class(f"led amber {amber}")
            for bay, colour, period in ((0, "green", "0.25s"), (2, "amber", "1s"), (5, "amber", "0.25s")):
                led = page.locator(f"#bay-{bay} .led.{colour}")
                assert await led.evaluate("one => getComputedStyle(one).animationDuration") == period
            top = await page.locator("#bay-4 .grille").bounding_box()
            bottom = await page.locator("#bay-0 .grille").bounding_box()
            assert top
            assert bottom
            assert abs(top["x"] - bottom["x"]) < 1  # 4 sits over 0
            assert top["y"] < bottom["y"]
            house.show("panel", replace(sample.PANEL, information=InformationLight.FAN, warning=True))
            await expect(page.get_by_role("img", name="Information LED: red 1 Hz")).to_be_visible()
            await shot(page, "desk")

    run(story())


def test_a_person_with_a_keyboard_alone_finds_a_bay(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            await page.locator("#bay-6").focus()
            await page.keyboard.press("Enter")
            dialog = page.locator("#dialog")
            await expect(dialog.get_by_role("heading")).to_have_text("Bay 6")
            await expect(dialog).to_contain_text("WD-WX12D606417")
            await expect(dialog.locator("dt:text-is('S.M.A.R.T.') + dd")).to_have_text("unknown")
            await dialog.get_by_role("button", name="Make it blink").focus()
            await page.keyboard.press("Enter")
            await expect(page.locator("#bay-6 .led.amber")).to_have_class("led amber blink4")
            await expect(dialog.get_by_role("button", name="Stop blinking")).to_be_focused()  # news keep the focus
            assert house.called == [LocateRequest(6, on=True)]
            await page.keyboard.press("Escape")
            await expect(dialog).to_be_hidden()

    run(story())


def test_a_bay_tells_what_its_drive_says_of_itself(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            dialog = page.locator("#dialog")
            await page.locator("#bay-1").click()
            await expect(dialog.locator("dt:text-is('S.M.A.R.T.') + dd")).to_have_text("Watch")
            await expect(dialog).to_contain_text("8 sectors cannot be read and wait to be reallocated.")
            await expect(dialog).to_contain_text(re.compile(r"The drive.s own verdict: PASSED; read \d+ (min|h)"))
            await expect(dialog.locator("dt:text-is('Temperature') + dd")).to_have_text("41 °C")
            await expect(dialog.locator("dt:text-is('Bad sectors') + dd")).to_have_text(
                "12 reallocated, 8 pending, 0 uncorrectable")
            await shot(page, "smart")
            await dialog.get_by_role("button", name="Ask the drive now").click()
            await expect(page.locator("#toast")).to_contain_text("The drive in bay 1 is being asked.")
            await dialog.get_by_role("button", name="Earlier S.M.A.R.T.").click()
            await expect(dialog.locator("tbody tr")).to_have_count(2)
            await shot(page, "smart-history")
            await dialog.get_by_role("button", name="Back").click()
            await expect(dialog.get_by_role("heading")).to_have_text("Bay 1")
            assert house.called == [ReadSmartRequest(1), SmartHistoryRequest("WD-WX12D101417", 100)]
            drives = sample.RAID.drives
            doomed = replace(drives[1], state=DriveState.SHIELD, smart=replace(
                sample.TIRED, health=SmartHealth.FAILING, detail="The drive itself says that it is failing."))
            house.show("raid", replace(sample.RAID, drives=(drives[0], doomed, *drives[2:])))
            await expect(dialog.locator("dt:text-is('State') + dd")).to_have_text("Shield")
            await expect(dialog.locator("dt:text-is('S.M.A.R.T.') + dd")).to_have_text("Failing")
            await shot(page, "smart-failing")
            await dialog.get_by_role("button", name="Replace").click()  # it is still a member: vd0 needs it
            await expect(dialog).to_contain_text("loses ALL its recordings")

    run(story())


def test_the_wizard_sees_the_wrong_drive_pulled(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            dialog = page.locator("#dialog")
            await page.locator("#bay-0").click()
            await dialog.get_by_role("button", name="Replace").click()
            await expect(dialog).to_contain_text("loses ALL its recordings")
            await expect(dialog.get_by_role("button", name="It is this one")).to_have_count(0)
            await page.keyboard.press("Escape")
            await page.locator("#bay-4").click()
            await dialog.get_by_role("button", name="Replace").click()
            await dialog.get_by_role("button", name="It is this one").click()
            await dialog.get_by_role("button", name="Make bay 4 blink").click()
            await dialog.get_by_role("button", name="I stand before bay 4").click()
            empty = BayView(3, present=False, light=TrayLight.ABSENT)
            _replace_bay(house, empty)
            await expect(dialog.get_by_role("alert")).to_contain_text("Bay 3 was pulled, not bay 4!")
            _replace_bay(house, sample.PANEL.bays[3])
            await expect(dialog.get_by_role("alert")).to_have_count(0)
            _replace_bay(house, BayView(4, present=False, light=TrayLight.ABSENT))
            await expect(dialog).to_contain_text("Put the new drive into bay 4")
            new = Drive(4, "NEW1", "ST6000", sample.SIZE, "/dev/sde", DriveState.BLANK, "", None)
            others = tuple(drive for drive in sample.DRIVES if drive.bay != 4)
            house.show("raid", replace(sample.RAID, drives=(*others, new)))
            _replace_bay(house, BayView(4, present=True, serial="NEW1", model="ST6000", light=TrayLight.PRESENT))
            await expect(dialog).to_contain_text("ST6000 NEW1")
            rebuilding = replace(new, state=DriveState.REBUILD, vd="vd0")
            house.show("raid", replace(sample.RAID, drives=(*others, rebuilding)))
            await expect(dialog.get_by_role("progressbar")).to_be_visible()
            house.show("raid", replace(sample.RAID, drives=(*others, replace(rebuilding, state=DriveState.ONLINE))))
            await expect(dialog).to_contain_text("Done: the drive is a full member.")

    run(story())


def _replace_bay(house: House, view: BayView) -> None:
    panel = house.shown["panel"]
    house.show("panel", replace(panel, bays=tuple(view if one.bay == view.bay else one for one in panel.bays)))


def test_the_plan_is_seen_before_it_is_done(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            await page.get_by_role("button", name="New virtual drives").click()
            dialog = page.locator("#dialog")
            await expect(dialog.get_by_label("Spans")).to_be_hidden()
            await dialog.get_by_label("Level").select_option("60")
            await expect(dialog.get_by_label("Spans")).to_be_visible()
            await dialog.get_by_label("How").select_option("full")
            await expect(dialog.get_by_label("Virtual drives")).to_be_hidden()
            await dialog.get_by_label("6: WDC").check()  # the one blank drive
            await dialog.get_by_role("button", name="Show the plan").click()
            await expect(dialog).to_contain_text("vd2: RAID5, 18.0 TB")
            assert house.called.pop() == PlanSimpleRequest(level=60, spans=2, full=True, bays=(6,))
            await dialog.get_by_label("How").select_option("simple")
            await dialog.get_by_label("Level").select_option("6")
            await dialog.get_by_role("button", name="Show the plan").click()
            await expect(dialog).to_contain_text("vd2: RAID5, 18.0 TB")
            await expect(dialog).to_contain_text("another firmware")
            await dialog.get_by_label("Level").select_option("5")
            await expect(dialog.get_by_role("button", name="Make vd2")).to_have_count(0)  # of another wish
            await dialog.get_by_role("button", name="Show the plan").click()
            await dialog.get_by_role("button", name="Make vd2").click()
            await expect(page.locator("#toast")).to_contain_text("Being made: vd1")
            assert [type(asked).__name__ for asked in house.called] == [
                "PlanSimpleRequest", "PlanSimpleRequest", "CreateSimpleRequest"]
            assert house.called[2].fingerprint == sample.PLAN.fingerprint

    run(story())


def test_what_is_old_says_so(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            await expect(page.locator("#climate .stale")).to_be_empty()
            house.servers["fan"].close()
            await expect(page.locator("#climate .stale")).to_contain_text("rackeye-fand does not answer for")
            await expect(page.locator("#climate .stale")).to_contain_text("What is shown is")
            house.servers["policy"].close()
            await expect(page.locator("#health .word")).to_have_text("Unknown")
            await expect(page.locator("#health .count")).to_have_text(re.compile(r"2 alarms \(\d+ s old\)"))
            await page.locator("#bay-1").click()
            await expect(page.locator("#dialog .problem")).to_have_count(0)
            house.servers["raid"].close()
            await expect(page.locator("#dialog .problem")).to_have_text(re.compile(r"is \d+ s old: rackeye-raidd"))
            await page.keyboard.press("Escape")
            house.cut()
            await expect(page.locator("#link")).to_contain_text("No connection for")
            await expect(page.locator("#storage .stale")).to_contain_text("The machine does not answer")

    run(story())


async def _be_sure(page: Page, password: str, name: str) -> None:
    await page.locator("#sure-password").fill(password)
    await page.locator("#sure-name").fill(name)
    await page.locator("#sure-name").press("Enter")


def test_a_restore_wants_the_password_and_the_name_of_the_machine(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            dialog = page.locator("#dialog")
            await page.get_by_role("button", name="Restore to default").click()
            await expect(dialog).to_contain_text("video, virtual drives and drive groups.")
            await expect(dialog).to_contain_text("vd0 (18.0 TB), vd1 (12.0 TB)")
            go = dialog.get_by_role("button", name="Restore to default")
            await _be_sure(page, PASSWORD, "another")
            await expect(go).to_be_disabled()
            house.show("raid", replace(sample.RAID, problems=("News.",)))
            await expect(page.locator("#storage")).to_contain_text("News.")
            assert await page.locator("#sure-password").input_value() == PASSWORD  # news take nothing away
            await _be_sure(page, "guessed", "rack")
            await expect(dialog.get_by_role("alert")).to_contain_text("ACC-")
            assert house.called == []
            await shot(page, "restore")
            await _be_sure(page, PASSWORD, "rack")
            await expect(dialog).to_contain_text("The appliance reboots and restores")
            await expect(dialog).to_contain_text("password admin, which must be changed")
            assert house.called == [RestoreRequest("boss", PASSWORD, "127.0.0.1")]
            assert not any(PASSWORD in entry.what for entry in house.accounts.audit_list())

    run(story())


def test_a_switch_says_what_stands_against_it_and_wants_the_password(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            dialog = page.locator("#dialog")
            await page.get_by_role("button", name="Switch to Failover Mode").click()
            await expect(dialog).to_contain_text("There are volumes: /srv/rackeye/vd0.")
            await expect(dialog.locator("input")).to_have_count(0)
            await shot(page, "switch-refused")
            house.switch = replace(sample.SWITCH, refusals=())
            await dialog.get_by_role("button", name="Look again").click()
            await expect(dialog).to_contain_text("This is one-way.")
            await _be_sure(page, "guessed", "rack")
            await expect(dialog.get_by_role("alert")).to_contain_text("ACC-")
            assert house.called == []
            await _be_sure(page, PASSWORD, "rack")
            await expect(dialog).to_contain_text("The appliance is in Failover Mode")
            assert house.called == [SwitchRequest("y", "boss", "127.0.0.1")]

    run(story())


def test_a_virtual_drive_is_deleted_after_its_name_was_typed(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            dialog = page.locator("#dialog")
            house.deletion = replace(sample.DELETION, refusal="vd1 is being rebuilt.")
            await page.get_by_role("button", name="Delete vd1").click()
            await expect(dialog).to_contain_text("vd1 is being rebuilt.")
            await expect(dialog.locator("input")).to_have_count(0)
            house.deletion = sample.DELETION
            await dialog.get_by_role("button", name="Look again").click()
            await expect(dialog).to_contain_text("All 4.9 TB of recordings on vd1 are lost.")
            await expect(dialog).to_contain_text("bay 7: WDC")
            await page.locator("#vd-name").fill("vd0")
            await expect(dialog.get_by_role("button", name="Delete vd1")).to_be_disabled()
            await page.locator("#vd-name").fill("vd1")
            await page.locator("#vd-name").press("Enter")
            await expect(page.locator("#toast")).to_contain_text("vd1 is being deleted.")
            assert house.called == [DeleteVdRequest("vd1", sample.DELETION.uuid)]

    run(story())


def test_a_test_mail_from_the_page(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            await expect(page.locator("#alarms .told")).to_contain_text("told by mail to guard@example.org")
            await page.get_by_role("button", name="Send a test mail").click()
            await expect(page.locator("#toast")).to_contain_text("mail.example.org took the test mail")
            channel = replace(sample.POLICY.channels[0], error="Connection refused.", waiting=3)
            house.show("policy", replace(sample.POLICY, channels=(channel,)))
            await expect(page.locator("#alarms .told .problem")).to_contain_text("Connection refused. 3 waiting.")

    run(story())


# What can be clicked, and what of it a keyboard cannot reach or a screen reader cannot name.
UNREACHED = """() => [...document.querySelectorAll('button, a, input, select, summary, [role=button]')]
  .filter((one) => one.checkVisibility() && !one.disabled)
  .filter((one) => one.tabIndex < 0 || !(one.textContent.trim() || one.ariaLabel || one.labels?.length))
  .map((one) => one.outerHTML.slice(0, 120))"""


def test_everything_can_be_reached_by_keyboard_and_has_a_name(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            await expect(page.locator("#people table").first).to_be_visible()
            assert await page.evaluate(UNREACHED) == []
            for name in ("New virtual drives", "Add a camera", "Add an account", "Make an API token", "Reboot",
                         "Restore to default", "Time", "Network eth0"):
                opener = page.get_by_role("button", name=name)
                await opener.focus()
                await page.keyboard.press("Enter")
                await expect(page.locator("#dialog")).to_be_visible()
                assert await page.evaluate(UNREACHED) == []
                assert await page.evaluate("document.querySelector('#dialog').contains(document.activeElement)")
                house.show("raid", replace(sample.RAID, problems=(name,)))  # the opener is drawn anew meanwhile
                await expect(page.locator("#storage")).to_contain_text(f"{name}", use_inner_text=True)
                await page.keyboard.press("Escape")
                await expect(page.locator("#dialog")).to_be_hidden()
                await expect(opener).to_be_focused()

    run(story())


def test_nothing_that_is_said_is_ever_markup(house: House, run: Run) -> None:
    async def story() -> None:
        evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
        drive = replace(sample.DRIVES[0], model=evil, serial=evil, detail=evil)
        camera = replace(sample.RECORDER.cameras[0], name=evil, url=evil, detail=evil)
        alarm = replace(sample.POLICY.alarms[0], title=evil, text=evil, hint=f"See `rackeye vd {evil}`, then wait.")
        house.show("raid", replace(sample.RAID, drives=(drive,), problems=(evil,)))
        house.show("recorder", replace(sample.RECORDER, cameras=(camera,)))
        house.show("policy", replace(sample.POLICY, alarms=(alarm,)))
        async with console(house) as page:
            await expect(page.locator("#storage tbody")).to_contain_text(evil)
            await page.locator("#bay-0").click()
            await expect(page.locator("#dialog")).to_contain_text(evil)
            assert await page.locator("main img, main script, dialog img").count() == 0
            await expect(page.locator("#alarms .todo code")).to_have_text(f"rackeye vd {evil}")
            await expect(page.locator("#alarms .todo")).to_contain_text(f"See rackeye vd {evil}, then wait.")

    run(story())


def test_a_viewer_sees_no_buttons_that_change_something(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house, "guard") as page:
            names = await page.locator("section:not(#cameras) button").all_inner_texts()
            assert set(names) <= {"Look again", "0", "1", "2", "3", "4", "5", "6"}
            await page.locator("#bay-0").click()
            await expect(page.locator("#dialog")).to_contain_text("A viewer may look, not change.")

    run(story())


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_fits_a_phone(house: House, run: Run, dark: bool) -> None:
    async def story() -> None:
        async with console(house, width=PHONE["width"], dark=dark) as page:
            await expect(page.locator("#bay-7")).to_be_visible()
            assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
            box = await page.locator("#bay-0 .tray").bounding_box()
            assert box
            assert min(box["width"], box["height"]) >= 44  # a finger
            await shot(page, f"phone-{'dark' if dark else 'light'}")

    run(story())
