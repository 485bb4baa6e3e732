"""The page's plans that come before the doing: taking over, giving up, keeping the mode, the network that waits,
what hangs on a drive that is to be replaced, what clearing one loses."""

import re
import time
from dataclasses import replace

import pytest
from playwright.async_api import expect

from boot.model import KeepModeRequest
from raid.model import ClearDriveRequest, DriveGroup, VdState, VirtualDrive
from raid.model_care import BadBlocks
from raid.model_foreign import AbandonRequest, ImportRequest
from raid.model_plan import PlanSimpleRequest
from raid.model_recover import RecoverRequest
from tests.peers import sample
from tests.peers.conftest import Run
from tests.peers.house import House
from tests.peers.test_page import CHROMIUM, console, shot

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs chromium (apt-get install chromium)")


def test_a_virtual_drive_from_elsewhere_is_taken_over_after_its_plan(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            await expect(page.locator("#storage")).not_to_contain_text("another Rackeye")
            house.show("raid", replace(sample.RAID, foreign=("vd7",)))
            await page.get_by_role("button", name="Take over vd7").click()
            dialog = page.locator("#dialog")
            await expect(dialog).to_contain_text("vd7: RAID5, 18.0 TB")
            await expect(dialog).to_contain_text("1 of its drives is not here")
            await expect(dialog.locator("tbody tr")).to_have_count(4)
            await shot(page, "import")
            assert house.called == []
            await dialog.get_by_role("button", name="Take over vd7").click()
            await expect(dialog).to_be_hidden()
            assert house.called == [ImportRequest("vd7", sample.IMPORT.fingerprint)]

    run(story())


def test_one_that_could_not_be_made_is_given_up_after_its_plan(house: House, run: Run) -> None:
    async def story() -> None:
        wished = VirtualDrive(
            "vd2", sample.ABANDON.uuid, 5, VdState.OFFLINE, None, None, 0, 262_144, (4, 5, 6, 7), 0, None,
            sample.ABANDON.why)
        vds = (*sample.RAID.virtual_drives, wished)
        house.show("raid", replace(sample.RAID, virtual_drives=vds, unmade=("vd2",)))
        async with console(house) as page:
            card = page.locator("#storage .vd").filter(has_text=re.compile("^vd2 "))
            assert await card.get_by_role("button").all_inner_texts() == ["Give up vd2 …"]
            await card.get_by_role("button").click()
            dialog = page.locator("#dialog")
            await expect(dialog).to_contain_text("the drive of bay 7 is not there")
            await expect(dialog).to_contain_text("Nothing was ever recorded on vd2.")
            await shot(page, "abandon")
            await dialog.get_by_role("button", name="Give up vd2").click()
            await expect(dialog).to_be_hidden()
            assert house.called == [AbandonRequest("vd2", sample.ABANDON.uuid)]

    run(story())


def test_a_failed_one_is_recovered_from_the_drives_that_were_shown(house: House, run: Run) -> None:
    async def story() -> None:
        failed = replace(sample.RAID.virtual_drives[0], state=VdState.FAILED, progress=None, mountpoint=None)
        house.show("raid", replace(sample.RAID, virtual_drives=(failed, *sample.RAID.virtual_drives[1:])))
        async with console(house) as page:
            await page.get_by_role("button", name="Recover …").click()
            dialog = page.locator("#dialog")
            await expect(dialog).to_contain_text("0 1 3")
            await expect(dialog).to_contain_text("What was written in the last 3 s may be lost.")
            assert house.called == []
            await dialog.get_by_role("button", name="Recover vd0").click()
            await expect(dialog).to_be_hidden()
            assert house.called == [RecoverRequest("vd0", sample.RECOVERY.fingerprint)]

    run(story())


def test_the_mode_is_kept_after_it_was_said_what_that_means(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            await expect(page.get_by_role("button", name="Keep Standard Mode")).to_have_count(0)
            lost = "The record of the mode was lost; Standard Mode is assumed."
            house.show("box", replace(sample.BOX, state_damaged=True, state_lost=lost, problems=(lost,)))
            await page.get_by_role("button", name="Keep Standard Mode").click()
            dialog = page.locator("#dialog")
            await expect(dialog).to_contain_text(lost)
            await expect(dialog).to_contain_text("If this was a redundant server, do not keep Standard Mode")
            await shot(page, "keep-mode")
            assert house.called == []
            await dialog.get_by_role("button", name="Keep Standard Mode").click()
            await expect(dialog).to_be_hidden()
            assert house.called == [KeepModeRequest("boss", "127.0.0.1")]

    run(story())


def test_a_network_that_waits_stands_on_top_and_counts_down(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house, width=390) as page:
            house.show("box", replace(sample.BOX, undo_at=time.time() + 90, undo_of="eth0"))
            banner = page.locator("#waiting")
            await expect(banner).to_contain_text(re.compile(r"eth0 was changed. It is undone in 1 min 2\d s"))
            await expect(banner.get_by_role("button", name="Keep it")).to_be_in_viewport()
            await shot(page, "network-waits-phone")
            house.show("box", sample.BOX)
            await expect(banner).to_be_empty()

    run(story())


def test_a_part_of_the_drives_and_the_room_that_is_left(house: House, run: Run) -> None:
    group = DriveGroup("dg0", 6, 0, 131_072, (0, 1, 2, 3), ("vd0",), 30 * 10**12, 12 * 10**12, 10 * 10**12, shared=True)

    async def story() -> None:
        house.show("raid", replace(sample.RAID, groups=(group,)))
        async with console(house) as page:
            await page.get_by_role("button", name="New virtual drives").click()
            dialog = page.locator("#dialog")
            await expect(dialog.get_by_label("Size in GB")).to_be_hidden()
            await dialog.get_by_label("How").select_option("full")
            await dialog.get_by_label("6: WDC").check()
            await dialog.get_by_label("Size in GB").fill("1500.5")
            await dialog.get_by_role("button", name="Show the plan").click()
            await expect(dialog.get_by_role("button", name="Make vd2")).to_be_visible()
            assert house.called.pop() == PlanSimpleRequest(full=True, bays=(6,), size=1_500_500_000_000)
            await dialog.get_by_label("How").select_option("group")
            await expect(dialog.get_by_label("Level")).to_be_hidden()
            await expect(dialog.get_by_label("Drive group")).to_have_text("dg0: RAID6 with vd0; 10.0 TB in one piece")
            await dialog.get_by_label("Size in GB").fill("")
            await dialog.get_by_label("Name").fill("yard")
            await dialog.get_by_role("button", name="Show the plan").click()
            await expect(dialog.get_by_role("button", name="Make vd2")).to_be_visible()
            await shot(page, "group")
            assert house.called.pop() == PlanSimpleRequest(
                6, strip=131_072, full=True, name="yard", size=10 * 10**12, group="dg0")

    run(story())


def test_the_wizard_says_what_hangs_on_a_drive_and_asks_once_more(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            dialog = page.locator("#dialog")
            vd0, vd1 = sample.RAID.virtual_drives
            bad = (BadBlocks(1, sample.DRIVES[1].serial, 3, 4096, 0),)
            whole = replace(vd0, state=VdState.OPTIMAL, tolerance=1, progress=None, bad_blocks=bad)
            house.show("raid", replace(sample.RAID, virtual_drives=(whole, vd1)))
            await page.locator("#bay-0").click()
            await dialog.get_by_role("button", name="Replace").click()
            await expect(dialog).to_contain_text("The drive in bay 1 lacks 3 place(s)")
            await expect(dialog).to_contain_text("is LOST with the pull of bay 0. Replace the drive in bay 1 first.")
            await dialog.get_by_role("button", name="It is this one").click()
            await dialog.get_by_role("button", name="Go on: what bay 1 lacks may be lost").click()
            await expect(dialog.get_by_role("button", name="Make bay 0 blink")).to_be_visible()

    run(story())


def test_a_drive_is_cleared_after_its_plan_and_a_refusal_asks_for_nothing(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            dialog = page.locator("#dialog")
            house.clearing = replace(sample.CLEARING, refusal="It is in use by dm-3.")
            await page.locator("#bay-5").click()
            await dialog.get_by_role("button", name="Clear it").click()
            await expect(dialog).to_contain_text("It cannot be cleared: It is in use by dm-3.")
            await expect(dialog.locator("#serial")).to_have_count(0)
            await dialog.get_by_role("button", name="Back").click()
            house.clearing = sample.CLEARING
            await dialog.get_by_role("button", name="Clear it").click()
            await expect(dialog).to_contain_text("It holds: ntfs.")
            await dialog.locator("#serial").fill(sample.CLEARING.serial)
            await dialog.get_by_role("button", name="Clear this drive").click()
            await expect(dialog.get_by_role("heading")).to_have_text("Bay 5")
            assert house.called == [ClearDriveRequest(5, sample.CLEARING.serial)] * 3

    run(story())
