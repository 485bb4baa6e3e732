"""What the wizard says before a drive is pulled: of a virtual drive that does not run, of mirrors and of spans."""

from dataclasses import replace

import pytest
from playwright.async_api import expect

from raid.model import Drive, DriveState, MirrorSet, Progress, RaidSnapshot, Span, VdState, Work
from raid.model_care import BadBlocks
from tests.peers import sample
from tests.peers.conftest import Run
from tests.peers.house import House
from tests.peers.test_page import CHROMIUM, console, shot

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs chromium (apt-get install chromium)")

VD0, VD1 = sample.RAID.virtual_drives
WHOLE = replace(VD0, state=VdState.OPTIMAL, tolerance=1, progress=None, bays=(0, 1, 2, 3), spans=(), bad_blocks=())
SPANS = tuple(Span(n, VdState.OPTIMAL, bays, 1, None, "") for n, bays in enumerate(((0, 1), (2, 3)), start=1))


def raid(here: DriveState = DriveState.ONLINE, **vd: object) -> RaidSnapshot:
    """vd0 over the bays 0 to 3; here: how the drive in bay 0 is."""
    first = sample.RAID.drives[0]
    rows: tuple[Drive, ...] = tuple(
        replace(first, bay=bay, serial=f"SN{bay}", vd="vd0", slot=bay, state=here if bay == 0 else DriveState.ONLINE)
        for bay in range(4)
    )
    others = tuple(row for row in sample.RAID.drives if row.bay not in range(4))
    known = replace(WHOLE, **vd)  # type: ignore[arg-type]
    return replace(sample.RAID, drives=(*rows, *others), virtual_drives=(known, VD1))


@pytest.mark.parametrize(("told", "says", "goes_on"), [
    (raid(DriveState.OFFLINE, state=VdState.FAILED, tolerance=0), "vd0 does not run (Failed)", False),
    (raid(DriveState.STALE, state=VdState.OFFLINE, tolerance=0), "vd0 does not run (Offline)", False),
    (raid(state=VdState.FAILED, tolerance=0, spans=SPANS), "may be needed to bring it back. Pull nothing.", False),
    (raid(DriveState.UNKNOWN), "It is not known yet what this drive is good for", False),
    (raid(mirrors=(MirrorSet((0, 1), 0), MirrorSet((2, 3), 1)), tolerance=0), "loses ALL its recordings", False),
    (raid(mirrors=(MirrorSet((0, 1), 1), MirrorSet((2, 3), 1))), "without the one in bay 1 ALL recordings", True),
    (raid(mirrors=(MirrorSet((0, 1), 1), MirrorSet((2, 3), 0)), tolerance=0), "bays 1, 2, 3 hold vd0 too", True),
    (raid(spans=SPANS, level=50), "without the one in bay 1 ALL recordings", True),
], ids=["failed", "stale", "span", "unknown", "mirror out", "mirrors", "other mirror out", "spans"])
def test_what_is_said_before_the_pull(house: House, run: Run, told: RaidSnapshot, says: str, *, goes_on: bool) -> None:
    async def story() -> None:
        async with console(house) as page:
            dialog = page.locator("#dialog")
            house.show("raid", told)
            await page.locator("#bay-0").click()
            await dialog.get_by_role("button", name="Replace").click()
            await expect(dialog).to_contain_text(says)
            await expect(dialog.get_by_role("button", name="It is this one")).to_have_count(int(goes_on))
            await shot(page, "replace-" + says.split(maxsplit=1)[0])

    run(story())


RESYNC = Progress(Work.RESYNC, 42.0, 120_000_000, 60.0)


def held() -> RaidSnapshot:
    """Something is at work on the drives of vd0."""
    told = raid(progress=RESYNC)
    rows = (replace(row, hold="It is made right." if row.vd == "vd0" else "") for row in told.drives)
    return replace(told, drives=tuple(rows))


def test_it_waits_for_what_is_at_work_on_the_drive_and_goes_on(house: House, run: Run) -> None:
    async def story() -> None:
        async with console(house) as page:
            dialog = page.locator("#dialog")
            house.show("raid", held())
            await page.locator("#bay-0").click()
            await dialog.get_by_role("button", name="Replace").click()
            await expect(dialog).to_contain_text("It is made right. This page waits until that has ended.")
            await expect(dialog).to_contain_text("Resync: 42")
            await expect(dialog.get_by_role("progressbar")).to_be_visible()
            await expect(dialog.get_by_role("button", name="It is this one")).to_have_count(0)
            house.show("raid", raid())
            await dialog.get_by_role("button", name="It is this one").click()
            await dialog.get_by_role("button", name="Make bay 0 blink").click()
            await dialog.get_by_role("button", name="I stand before bay 0").click()
            await expect(dialog).to_contain_text("Pull the drive out of bay 0 now.")
            house.show("raid", held())
            await expect(dialog).to_contain_text("Do not pull bay 0 now. It is made right.")
            await expect(dialog.get_by_role("progressbar")).to_be_visible()
            await shot(page, "replace-waits")
            house.show("raid", raid())
            await expect(dialog).to_contain_text("Pull the drive out of bay 0 now.")

    run(story())


@pytest.mark.parametrize(("before", "after", "says"), [
    ("spare", raid(DriveState.REBUILD), "vd0 is being rebuilt onto this drive"),
    ("spare", raid(), "The drive works and belongs to vd0"),
    ("member", raid(bad_blocks=(BadBlocks(1, "SN1", 3, 4096, 0),)), "is LOST with the pull of bay 0"),
])
def test_what_nobody_agreed_to_is_begun_again(
    house: House, run: Run, before: str, after: RaidSnapshot, says: str
) -> None:
    """A hot spare that becomes a member meanwhile, and a place that only this drive has by now."""
    first = raid()
    if before == "spare":
        spare = replace(first.drives[0], state=DriveState.HOT_SPARE, vd=None, slot=None)
        first = replace(first, drives=(spare, *first.drives[1:]))

    async def story() -> None:
        async with console(house) as page:
            dialog = page.locator("#dialog")
            house.show("raid", first)
            await page.locator("#bay-0").click()
            await dialog.get_by_role("button", name="Replace").click()
            await dialog.get_by_role("button", name="It is this one").click()
            await dialog.get_by_role("button", name="Make bay 0 blink").click()
            await dialog.get_by_role("button", name="I stand before bay 0").click()
            await expect(dialog).to_contain_text("Pull the drive out of bay 0 now.")
            house.show("raid", after)
            await expect(dialog).to_contain_text("Do not pull bay 0 now.")
            await expect(dialog).to_contain_text(says)
            await dialog.get_by_role("button", name="Begin again").click()
            await expect(dialog.get_by_role("button", name="Back")).to_be_visible()

    run(story())
