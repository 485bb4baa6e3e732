"""The console as a person meets it: Debian's chromium on the rack's own page, over HTTPS, logged in.

RACKEYE_SHOTS=FOLDER keeps a picture of each state; docs/pictures.py makes the guide's from them.
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from boot.model import Intent, Mode
from rig.daemons import raid, recorder
from rig.drives import DriveKind
from rig.rack import Rack
from tests.rig.boot_rig import boot_id, up
from tests.rig.page_rig import (
    PASSWORD,
    SHOTS,
    SOON,
    change_password,
    dialog,
    log_in,
    needs_chromium,
    opened,
    press,
    shot,
)

pytestmark = [pytest.mark.rig, pytest.mark.timeout(300), needs_chromium]
LOOK = """video => ({ at: video.currentTime, width: video.videoWidth, error: video.error?.message ?? null,
  frames: video.getVideoPlaybackQuality().totalVideoFrames })"""


def said(rack: Rack, name: str, *words: str) -> None:
    """Keeps what a command prints on a terminal, in its colours."""
    if SHOTS:
        line = f"$ rackeye {' '.join(words)}\n"
        told = rack.sh(f"FORCE_COLOR=1 COLUMNS=96 TERM=xterm-256color rackeye {' '.join(words)}")
        (Path(SHOTS) / f"{name}.ansi").write_text(line + told)


@pytest.fixture(scope="module")
def page(rack: Rack) -> Iterator[Page]:
    yield from opened(rack)


@pytest.fixture(scope="module")
def complaints(page: Page) -> list[str]:
    """What the browser complained about."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda said: found.append(said.text) if said.type == "error" else None)
    return found


def until_plays(page: Page, video: Locator) -> None:
    """It shows pictures of the place that was chosen. (wait_for_function would need eval, which the page forbids.)"""
    end = time.monotonic() + 60
    while not video.evaluate("one => one.videoWidth > 0 && one.currentTime > 0 && !one.seeking && one.readyState > 2"):
        assert time.monotonic() < end, (video.evaluate(LOOK), page.locator("#media").inner_text())
        page.wait_for_timeout(200)


def until_whole(page: Page, vd: str = "vd0") -> None:
    """The page says that it is Optimal and nothing runs."""
    card = page.locator("#storage .vd").filter(has_text=re.compile(f"^{vd} "))
    expect(card.locator("h3")).to_have_text(re.compile("Optimal"), timeout=120_000)
    expect(card.locator("progress")).to_have_count(0, timeout=120_000)


def test_the_first_login_is_the_change_of_the_password(page: Page, complaints: list[str]) -> None:
    log_in(page, "admin")
    expect(page).to_have_url(re.compile("/password$"))
    shot(page, "first-login")
    change_password(page, "admin", PASSWORD)
    expect(page.locator("#chassis .bay")).to_have_count(8)
    expect(page.locator("#storage")).to_contain_text("nothing is recorded")
    assert complaints == []


def test_volumes_are_made_after_the_plan_was_seen(page: Page, rack: Rack) -> None:
    expect(page.locator("#bay-7")).to_contain_text("Blank")
    page.get_by_role("button", name="New virtual drives").click()
    press(page, "Show the plan")
    expect(dialog(page)).to_contain_text("vd1: RAID5")
    shot(page, "plan", "#dialog")
    press(page, "Make vd0 and vd1")
    expect(page.locator("#storage .vd")).to_have_count(2)
    expect(page.locator("#storage")).to_contain_text("Mounted at /srv/rackeye/vd1", timeout=60_000)


def test_a_camera_is_added_and_watched_live(page: Page, cameras: dict[str, str]) -> None:
    for name in ("cam1", "cam2"):
        page.get_by_role("button", name="Add a camera").click()
        page.fill("#camera-name", name)
        page.fill("#camera-url", cameras[name])
        press(page, "Add")
        expect(dialog(page)).to_be_hidden(timeout=SOON)
    rows = page.locator("#cameras tbody tr")
    expect(rows.get_by_text("recording", exact=True)).to_have_count(2, timeout=60_000)
    page.get_by_role("button", name="Watch cam1").click()
    page.get_by_role("button", name="Watch cam2").click()
    video = page.locator("[data-camera=cam1] video")
    until_plays(page, video)
    before, began = video.evaluate(LOOK), time.monotonic()
    page.wait_for_timeout(6000)
    after, took = video.evaluate(LOOK), time.monotonic() - began
    assert (after["width"], after["error"]) == (640, None)
    assert took - 3 < after["at"] - before["at"] < took + 3, (before, after, took)
    assert after["frames"] - before["frames"] > 12 * took, (before, after, took)  # of 25 a second, from one slow CPU
    shot(page, "live", "#media .wall")


def test_a_picture_that_stands_still_says_how_old_it_is(page: Page, rack: Rack) -> None:
    tile = page.locator("[data-camera=cam1]")
    expect(tile.get_by_text("This picture is")).to_be_hidden()
    rack.sh("systemctl kill -s STOP rackeye-recorder")
    try:
        expect(tile.get_by_text(re.compile(r"This picture is \d+ s old"))).to_be_visible(timeout=15_000)
    finally:
        rack.sh("systemctl kill -s CONT rackeye-recorder")
    expect(tile.get_by_text("This picture is")).to_be_hidden(timeout=SOON)
    for name in ("cam1", "cam2"):
        page.get_by_role("button", name=f"Stop {name}").click()


def test_the_last_day_is_played_back_by_the_timeline(page: Page) -> None:
    play = page.locator(".playback")
    play.get_by_label("Time").select_option("3600")  # of which a second is wide enough for a mouse
    expect(play.locator(".timeline .there").first).to_be_visible()
    bar = play.locator(".timeline")
    stretch = page.request.get("/api/v1/recordings/cam1/timeline").json()["recorded"][0]
    wanted = stretch["start"] + 2
    wide = bar.evaluate("one => one.clientWidth")
    end = float(play.locator("input[type=range]").get_attribute("max") or 0)
    per = 3600 / wide
    bar.click(position={"x": wide - (end - wanted) / per, "y": 10})
    video = play.locator("video")
    until_plays(page, video)
    clock = "one => Number(one.value)"
    at = play.locator("input[type=range]").evaluate(clock)
    assert abs(at - wanted) < 2 * per + 3, (at, wanted, per)
    before = video.evaluate(LOOK)
    page.wait_for_timeout(4000)
    after = video.evaluate(LOOK)
    assert (after["width"], after["error"]) == (640, None)
    assert 2 < after["at"] - before["at"] < 7, (before, after)
    assert after["frames"] - before["frames"] > 40, (before, after)
    assert play.locator("input[type=range]").evaluate(clock) > at
    shot(page, "playback", ".playback")
    play.get_by_label("Time").select_option("86400")  # the last day, by keyboard alone
    page.wait_for_timeout(1000)
    slider = play.get_by_label("Moment of the day")
    slider.focus()
    page.keyboard.press("ArrowRight")
    until_plays(page, video)
    assert abs(slider.evaluate(clock) - (stretch["start"] + 1)) < 120
    assert video.evaluate(LOOK)["error"] is None


def pull_the_wrong_one(page: Page, rack: Rack, serial: str) -> None:
    """Bay 3 in place of bay 2, and back; until all is whole again."""
    rack.pull(3)
    expect(dialog(page).get_by_role("alert")).to_contain_text("Bay 3 was pulled, not bay 2!")
    expect(dialog(page)).to_contain_text("Do not pull bay 2 now. vd0 cannot lose this drive")
    shot(page, "replace-3-wrong", "#dialog")
    rack.insert(3, DriveKind.SAME, serial=serial)
    expect(dialog(page).get_by_role("alert")).to_have_count(0)
    expect(dialog(page)).to_contain_text("Pull the drive out of bay 2 now", timeout=120_000)
    until_whole(page)


def test_the_wizard_leads_from_the_failed_drive_to_the_whole_array(page: Page, rack: Rack) -> None:
    until_whole(page)
    until_whole(page, "vd1")
    old = {drive.bay: drive.serial for drive in raid(rack).drives}
    page.locator("#bay-2").click()
    expect(dialog(page)).to_contain_text(old[2])
    shot(page, "bay", "#dialog")
    press(page, "Replace this drive")
    expect(dialog(page)).to_contain_text("will be Degraded until the new one is rebuilt")
    expect(dialog(page)).to_contain_text("Pull no other drive: bays 0, 1, 3 hold vd0 too")
    shot(page, "replace-1", "#dialog")
    press(page, "It is this one")
    press(page, "Make bay 2 blink")
    rack.wait_until(lambda: rack.led("bay2:amber:status").startswith("blink 4"), 10, "bay 2 blinks")
    expect(dialog(page)).to_contain_text(old[2])
    shot(page, "replace-2", "#dialog")
    press(page, "I stand before bay 2")
    expect(dialog(page)).to_contain_text("Waiting: bay 2 still holds")
    shot(page, "replace-3", "#dialog")

    pull_the_wrong_one(page, rack, old[3])
    rack.pull(2)
    expect(dialog(page)).to_contain_text("Put the new drive into bay 2")
    expect(dialog(page)).to_contain_text("ALL its recordings are lost")
    shot(page, "replace-4", "#dialog")
    said(rack, "alarm", "alarm")
    said(rack, "bay", "bay")
    new = rack.insert(2, DriveKind.FOREIGN)
    expect(dialog(page)).to_contain_text("It holds data of somebody")
    page.wait_for_timeout(1500)  # its partition appears, and it is read once more
    expect(dialog(page)).to_contain_text("It holds data of somebody")
    shot(page, "replace-4-foreign", "#dialog")
    press(page, "Clear it")
    page.fill("#serial", old[2])
    expect(dialog(page).get_by_role("button", name="Clear this drive")).to_be_disabled()  # of another drive
    page.fill("#serial", new)
    press(page, "Clear this drive")
    expect(dialog(page).get_by_role("progressbar")).to_be_visible(timeout=60_000)
    expect(dialog(page)).to_contain_text("left. It goes on without this page")
    expect(page.locator("#bay-2 .led.amber")).to_have_class(re.compile("blink"))
    expect(dialog(page)).not_to_contain_text("Rebuild: 0.0 %")
    shot(page, "replace-5", "#dialog")
    expect(dialog(page)).to_contain_text("Done: the drive is a full member.", timeout=120_000)
    shot(page, "replace-5-done", "#dialog")
    press(page, "Finish")
    rack.wait_until(lambda: rack.led("bay2:amber:status") == "off", 20, "bay 2 is dark")
    until_whole(page)


def test_the_whole_page_on_a_desk_and_on_a_phone(page: Page, rack: Rack, complaints: list[str]) -> None:
    expect(page.locator("#alarms")).not_to_contain_text("(bay 2")
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator("#toast p")).to_have_count(0)
    shot(page, "page")
    said(rack, "status", "status")
    for width, scheme in ((390, "dark"), (390, "light"), (1280, "dark"), (1280, "light")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"whole-{width}-{scheme}.png", full_page=True)
    assert [said for said in complaints if "ERR_" not in said and "Failed to load" not in said] == []


def test_the_switch_is_refused_with_what_stands_against_it(page: Page, rack: Rack) -> None:
    page.get_by_role("button", name="Switch to Failover Mode").click()
    expect(dialog(page)).to_contain_text("BOOT-")
    expect(dialog(page).locator("input")).to_have_count(0)
    shot(page, "switch-refused", "#dialog")
    page.keyboard.press("Escape")
    assert up(rack).mode is Mode.STANDARD


@pytest.mark.long
def test_restore_to_default_from_the_page(page: Page, rack: Rack) -> None:
    boot, files = boot_id(rack), videos(rack)
    assert files
    page.get_by_role("button", name="Restore to default").click()
    expect(dialog(page)).to_contain_text("Cameras that go")
    shot(page, "restore", "#dialog")
    page.fill("#sure-password", "guessed")
    page.fill("#sure-name", up(rack).hostname)
    page.press("#sure-name", "Enter")
    expect(dialog(page).get_by_role("alert")).to_contain_text("ACC-001")
    assert up(rack).intent is Intent.NONE
    page.fill("#sure-password", PASSWORD)
    page.press("#sure-password", "Enter")
    expect(dialog(page)).to_contain_text("password admin, which must be changed")
    shot(page, "restore-done", "#dialog")
    rack.wait_until(lambda: boot_id(rack) != boot, 120, "the reboot")
    assert (up(rack).mode, up(rack).intent) == (Mode.STANDARD, Intent.NONE)
    expect(page).to_have_url(re.compile("/login$"), timeout=90_000)  # the page comes back by itself
    log_in(page, "admin")
    expect(page).to_have_url(re.compile("/password$"))
    rack.wait_until(lambda: recorder(rack).cameras == (), 60, "no camera")
    rack.wait_until(lambda: files <= videos(rack), 60, "the video stays")


def videos(rack: Rack) -> set[str]:
    return set(rack.sh("find /srv/rackeye -name '*.mp4'").split())
