"""The page's forms for name, time, network, accounts and erasing, in Chromium, against the daemons of a rack."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from boot.model import BoxSnapshot, InterfaceSettings, Mode
from rig.daemons import raid
from rig.rack import Rack
from tests.house.test_guide import commands
from tests.rig.boot_rig import VIDEO, boot_id, box, make_video, up
from tests.rig.page_rig import PASSWORD, SOON, change_password, dialog, log_in, needs_chromium, opened, press, shot
from tests.rig.raid_rig import checksum
from tests.rig.test_network import address, interface

pytestmark = [pytest.mark.rig, pytest.mark.timeout(300), pytest.mark.rack(drives=3), needs_chromium]
VIEWER = "five words for a guard"


@pytest.fixture(scope="module")
def page(rack: Rack) -> Iterator[Page]:
    """Logged in as administrator, beside an interface that nobody else needs."""
    units = "systemd-networkd.service systemd-networkd.socket systemd-timesyncd.service"
    rack.sh(f"cd /etc/systemd/system; rm -f {units}; systemctl daemon-reload")  # the rack masks what a real box has
    interface(rack)
    for page in opened(rack):
        log_in(page, "admin")
        change_password(page, "admin", PASSWORD)
        rack.sh("systemctl kill -s HUP rackeye-boxd")  # it looks anew: the interface is younger than its last look
        expect(page.locator("#system")).to_contain_text("dummy0", timeout=60_000)
        yield page


def open_form(page: Page, key: str) -> None:
    page.locator(f"[data-key='{key}']").click()
    expect(dialog(page)).to_be_visible()


def refused(page: Page, code: str, why: str) -> None:
    """The form stays, and says why; what stands in it is kept."""
    alert = dialog(page).get_by_role("alert")
    expect(alert).to_contain_text(why)
    expect(alert).to_contain_text(code)


def test_the_name(page: Page, rack: Rack) -> None:
    open_form(page, "set-name")
    page.fill("#set-name", "Front Door!")
    press(page, "Set the name")
    refused(page, "BOOT-020", "'Front Door!' is no host name")
    assert page.input_value("#set-name") == "Front Door!"
    page.fill("#set-name", "front-door")
    press(page, "Set the name")
    expect(dialog(page)).to_be_hidden()
    expect(page.locator("#system")).to_contain_text("front-door")
    expect(page.locator("#top .name")).to_contain_text("front-door")
    assert rack.sh("hostname; cat /etc/hostname").split() == ["front-door", "front-door"]


def test_the_time(page: Page, rack: Rack) -> None:
    open_form(page, "set-time")
    page.fill("#set-zone", "Europe/Nowhere")
    page.fill("#set-ntp", "10.0.2.2")
    press(page, "Set the time")
    refused(page, "BOOT-023", "There is no time zone 'Europe/Nowhere'")
    page.fill("#set-zone", "Europe/Berlin")
    page.fill("#set-ntp", "10.0.2.2 a;reboot")
    press(page, "Set the time")
    refused(page, "BOOT-023", "'a;reboot' is no NTP server")
    assert "Berlin" not in rack.sh("readlink /etc/localtime || true"), "half of it was done"
    page.fill("#set-ntp", "10.0.2.2")
    press(page, "Set the time")
    expect(page.locator("#system")).to_contain_text("Europe/Berlin", timeout=SOON)
    assert box(rack).time.servers == ("10.0.2.2",)
    open_form(page, "set-time")
    later = rack.sh("date -u -d '+40 minutes' +%Y-%m-%dT%H:%M").strip()  # a session bears it
    page.fill("#set-clock", f"{later}:00")
    press(page, "Set the time")
    refused(page, "BOOT-023", "The clock is set by NTP")
    page.fill("#set-ntp", "")
    press(page, "Set the time")
    expect(dialog(page)).to_be_hidden()
    assert rack.sh("date -u +%Y-%m-%dT%H:%M").strip() >= later
    rack.wait_until(lambda: not box(rack).time.servers, 30, "NTP is off")
    assert up(rack).time.zone == "Europe/Berlin"
    open_form(page, "set-time")
    press(page, "Set the time")
    refused(page, "BOOT-023", "Nothing was asked for")
    page.keyboard.press("Escape")


def fill_network(page: Page, at: str, gateway: str = "") -> None:
    page.uncheck("#set-dhcp")
    page.fill("#set-address", at)
    page.fill("#set-gateway", gateway)
    page.select_option("#set-seconds", "60")
    press(page, "Change the network")


def test_a_network_that_cannot_be_meant_changes_nothing(page: Page, rack: Rack) -> None:
    open_form(page, "network-dummy0")
    page.check("#set-dhcp")
    expect(page.locator("#set-address")).to_be_disabled()
    for wrong, gateway, why in (("10.9.0.5", "", "no prefix length"), ("10.9.0.0/24", "", "no address that a machine"),
                                ("10.9.0.5/24", "10.8.0.1", "is not reached from"), ("", "", "address is missing")):
        fill_network(page, wrong, gateway)
        refused(page, "BOOT-020", why)
    page.keyboard.press("Escape")
    assert box(rack).networks == ()
    assert "10.9" not in address(rack)


@pytest.mark.long
def test_a_network_that_nobody_confirms_is_undone_before_the_persons_eyes(page: Page, rack: Rack) -> None:
    open_form(page, "network-dummy0")
    began = time.monotonic()
    fill_network(page, "10.9.0.5/24")
    banner = page.locator("#waiting")
    expect(banner).to_contain_text(re.compile(r"The network of dummy0 was changed. It is undone in \d+ s"))
    expect(page.locator("#system")).to_contain_text("10.9.0.5/24")
    shot(page, "network-waits")
    open_form(page, "network-dummy0")
    fill_network(page, "10.9.0.6/24")
    refused(page, "BOOT-021", "waits to be confirmed")  # one change at a time
    page.keyboard.press("Escape")
    expect(banner).to_be_empty(timeout=90_000)
    assert time.monotonic() - began > 50
    expect(page.locator("#system")).not_to_contain_text("10.9.0.5")
    assert "10.9.0.5" not in address(rack)
    assert box(rack).networks == ()


def test_a_network_is_undone_at_once_or_kept(page: Page, rack: Rack) -> None:
    banner = page.locator("#waiting")
    for button, at, kept in (("Undo it", "10.9.0.6/24", False), ("Keep it", "10.9.0.7/24", True)):
        open_form(page, "network-dummy0")
        fill_network(page, at)
        banner.get_by_role("button", name=button).click()
        expect(banner).to_be_empty()
        assert (at in address(rack)) is kept
    assert box(rack).networks == (InterfaceSettings("dummy0", address="10.9.0.7/24"),)


def test_a_viewer_is_refused_by_page_and_machine(page: Page, rack: Rack) -> None:
    open_form(page, "add-account")
    page.fill("#people-name", "guard")
    page.fill("#people-password", "a first word or two")
    press(page, "Add account")
    expect(page.locator("#people")).to_contain_text("guard")
    browser = page.context.browser
    assert isinstance(browser, Browser)
    context = browser.new_context(ignore_https_errors=True, base_url=page.url.rpartition("/")[0])
    other = context.new_page()
    log_in(other, "a first word or two", "guard")
    change_password(other, "a first word or two", VIEWER)
    expect(other.locator("#system")).to_contain_text("front-door")
    assert other.locator("#system button").count() == 0
    for room, command, request in (
        ("box", "SetHostname", '{"name": "mine"}'), ("box", "SetTime", '{"zone": "Etc/UTC"}'),
        ("box", "SetNetwork", '{"interface": {"name": "dummy0", "address": "10.9.0.9/24"}}'),
        ("box", "Reboot", "{}"), ("raid", "ClearDrive", '{"bay": 0, "serial": "x"}'),
    ):
        status, said = other.evaluate(
            """async ([path, body]) => { const answer = await fetch(path, { method: "POST", body, headers: {
              "Content-Type": "application/json",
              "X-CSRF-Token": document.querySelector("meta[name='csrf-token']").content } });
              return [answer.status, (await answer.json()).error.sentence]; }""",
            [f"/api/v1/{room}/{command}", request],
        )
        assert (status, said) == (403, "guard is a viewer: may look, not change."), command
    context.close()
    told: BoxSnapshot = up(rack)
    assert told.hostname == "front-door"
    assert "10.9.0.9" not in address(rack)


@pytest.mark.parametrize(("section", "unit"), [
    ("storage", "rackeye-raidd"), ("climate", "rackeye-fand"), ("cameras", "rackeye-recorder"),
    ("alarms", "rackeye-policyd"), ("system", "rackeye-boxd"),
])
def test_what_a_stopped_daemon_told_last_shows_its_age(page: Page, rack: Rack, section: str, unit: str) -> None:
    stale = page.locator(f"#{section} .stale")
    expect(stale).to_be_empty()
    shown = page.locator(f"#{section} .body").inner_text()
    rack.sh(f"systemctl stop {unit}")
    expect(stale).to_contain_text(re.compile(rf"{unit} does not answer for \d+ s. What is shown is \d+ s old"))
    first = stale.inner_text()
    expect(stale).not_to_have_text(first)  # it grows
    assert len(page.locator(f"#{section} .body").inner_text()) > len(shown) / 2  # the last word stays
    if section == "storage":
        expect(page.locator("#chassis .stale")).to_contain_text("rackeye-raidd does not answer")
    if section == "alarms":
        expect(page.locator("#health")).to_contain_text("Unknown")
    shot(page, f"stale-{section}", f"#{section}")
    rack.sh(f"systemctl start {unit}")
    expect(stale).to_be_empty(timeout=60_000)


MEMORY = "/var/lib/rackeye/raid/memory.json"


def with_memory(rack: Rack, change: str) -> None:
    """raidd starts anew with what it remembers changed: m, its virtual drives v."""
    rack.sh("systemctl stop rackeye-recorder rackeye-raidd")
    code = f"import json; m = json.load(open('{MEMORY}')); v = m['vds']; {change}; json.dump(m, open('{MEMORY}', 'w'))"
    rack.exec(["python3", "-c", code], check=True)
    rack.sh("systemctl start rackeye-raidd rackeye-recorder")


def test_a_virtual_drive_from_elsewhere_is_taken_over(page: Page, rack: Rack) -> None:
    make_video(rack)
    kept = checksum(rack, VIDEO)
    rack.sh("systemctl stop rackeye-recorder rackeye-raidd; umount /srv/rackeye/vd0; mdadm --stop /dev/md/vd0")
    with_memory(rack, "v.clear()")
    expect(page.locator("#bay-0")).to_contain_text("Foreign", timeout=60_000)
    page.get_by_role("button", name="Take over vd0").click()
    expect(dialog(page)).to_contain_text("vd0: RAID5")
    expect(dialog(page).locator("tbody tr")).to_have_count(3)
    shot(page, "import", "#dialog")
    press(page, "Take over vd0")
    expect(page.locator("#storage")).to_contain_text("Mounted at /srv/rackeye/vd0", timeout=60_000)
    assert checksum(rack, VIDEO) == kept


def test_a_virtual_drive_that_could_not_be_made_is_given_up(page: Page, rack: Rack) -> None:
    """What a power cut leaves just after it was asked for, with its drives pulled before the power came back."""
    wish = "dict(v[0], name='vd1', uuid='1:2:3:4', stage='Creating', filesystem='', initialized=False, slots=%s)"
    slots = "[dict(s, serial='GONE%d' % i, bay=4 + i) for i, s in enumerate(v[0]['slots'])]"
    with_memory(rack, f"v.append({wish % slots})")
    page.get_by_role("button", name="Give up vd1").click(timeout=60_000)
    expect(dialog(page)).to_contain_text("the drive of bay 4 (serial GONE0) is not there")
    shot(page, "abandon", "#dialog")
    press(page, "Give up vd1")
    expect(page.locator("#storage .vd")).to_have_count(1)
    assert "vd1" not in rack.sh(f"cat {MEMORY}")


def test_the_mode_is_kept_after_its_record_was_lost(page: Page, rack: Rack) -> None:
    rack.sh("systemctl stop rackeye-boxd; cd /var/lib/rackeye/boot; echo x > state.a; echo x > state.b; "
            "systemctl start rackeye-boxd")
    page.get_by_role("button", name="Keep Standard Mode").click(timeout=60_000)
    expect(dialog(page)).to_contain_text("If this was a redundant server")
    shot(page, "keep-mode", "#dialog")
    press(page, "Keep Standard Mode")
    expect(page.locator("[data-key=keep-mode]")).to_have_count(0)
    told = box(rack)
    assert (told.mode, told.state_damaged) == (Mode.STANDARD, False)
    assert "kept the mode" in rack.sh("rackeye account log --json")


def test_a_restore_that_also_erases_recordings(page: Page, rack: Rack) -> None:
    before, boot = raid(rack).virtual_drives[0].uuid, boot_id(rack)
    page.locator("[data-key=restore]").click()
    page.fill("#restore-erase", "erase recordings")
    page.fill("#sure-password", PASSWORD)
    page.fill("#sure-name", "front-door")
    page.press("#sure-name", "Enter")
    refused(page, "ACC-", "must be typed in full")
    assert boot_id(rack) == boot
    page.fill("#restore-erase", "also erase recordings")
    page.fill("#sure-password", PASSWORD)
    page.press("#sure-password", "Enter")
    expect(dialog(page)).to_contain_text("Recordings are erased, drive groups stay.")
    rack.wait_until(lambda: boot_id(rack) != boot, 120, "the reboot")
    expect(page).to_have_url(re.compile("/login$"), timeout=120_000)
    rack.wait_until(lambda: rack.sh("mountpoint -q /srv/rackeye/vd0 && echo yes || true"), 120, "the volume")
    rack.wait_until(lambda: rack.sh(f"test -e {VIDEO} || echo gone"), 120, "the recordings are gone")
    assert raid(rack).virtual_drives[0].uuid == before
    assert "front-door" not in rack.sh("cat /etc/hostname || true")  # in force with the next start


LOOKS = (" --dry-run", " show ", " explain ", " smart", " schedule", "rackeye status", "rackeye alarm", "rackeye drive",
         "rackeye bay", "rackeye vd", "rackeye camera", "rackeye patrol", "rackeye spare", "rackeye check vd0")
CHANGES = ("watch", " locate", " clear ", " import ", " abandon ", " recover ", " replace ", " rebuild ", " dismiss ",
           " start ", " delete", " add ", " remove", "mail-test", "repair", "--read", " create ")


def test_the_commands_of_the_guide_are_understood_by_this_machine(rack: Rack) -> None:
    """Those that only look; the words of all others are checked by tests/house/test_guide.py."""
    all_said = sorted({said for _, said in commands()})
    looks = [said for said in all_said if "--dry-run" in said or (
        any(word in said for word in LOOKS) and not any(word in said for word in CHANGES))]
    assert len(looks) > 15
    for said in looks:
        done = rack.exec(said.split(), 60)
        assert done.rc in (0, 1), (said, done)  # 2: misuse
        assert done.rc == 0 or done.stdout or re.search(r"[A-Z]+-\d{3}", done.stderr), (said, done)
        assert "Traceback" not in done.stderr, said
