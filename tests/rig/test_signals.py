"""Information LED, warning LED and beeper on a rack: what policyd and paneld do with them, and without each other."""

import contextlib
import itertools
import json
from email import message_from_string, policy

import pytest

from hw.model import InformationLight, Sound
from raid.model import VdState
from rig.daemons import open_alarms, panel
from rig.daemons import policy as told_by_policyd
from rig.layer import CHECKOUT
from rig.rack import Rack
from rig.sandbox import GUEST
from tests.rig import raid_rig
from tests.rig.mailbox import PASSWORD, USER

pytestmark = [pytest.mark.rig]

RED, BLUE, WARNING = "panel:red:information", "panel:blue:information", "panel:amber:warning"


def cli(rack: Rack, *words: str) -> str:
    return rack.exec(["rackeye", *words], 30, check=True).stdout


def shows(rack: Rack, red: str, blue: str, warning: str, within: float = 20) -> None:
    wanted = {RED: red, BLUE: blue, WARNING: warning}

    def holds() -> bool:
        leds = rack.state()["leds"]
        return all(leds[name]["state"] == state for name, state in wanted.items())

    rack.wait_until(holds, within, str(wanted))


def now(rack: Rack) -> float:
    return float(rack.state()["monotonic"])


def long_tones(rack: Rack, since: float) -> int:
    """Tones of the alarm that came to their end."""
    return sum(end is not None and 0.9 < end - start < 1.1 for start, end in rack.tones(since))


def heard(rack: Rack, since: float, count: int) -> list[float]:
    """Waits for so many tones, then for the silence after them; their lengths."""
    rack.wait_until(lambda: len(rack.tones(since)) >= count, 30, f"{count} tones")
    rack.wait_until(lambda: panel(rack).beeper.code is None and not panel(rack).beeper.queue, 30, "the end")
    return [round((end or 0) - start, 2) for start, end in rack.tones(since)]


@pytest.fixture(scope="module")
def front(rack: Rack) -> Rack:
    """A rack on which all is quiet: policyd has said so once."""
    rack.wait_until(lambda: not panel(rack).problems, 30, "a panel without problems")
    rack.wait_until(lambda: not panel(rack).conditions.alarms, 30, "nothing to be heard")
    shows(rack, "off", "off", "off")
    return rack


@pytest.mark.parametrize("code", [1, 4, 5, 6, 7, 8])
def test_codes_are_counted_exactly(front: Rack, code: int) -> None:
    since = now(front)
    assert f"Beep code {code}" in cli(front, "beep", str(code))
    assert heard(front, since, code) == [0.2] * code


def test_codes_wait_for_each_other(front: Rack) -> None:
    since = now(front)
    for code in (1, 4):
        cli(front, "beep", str(code))
    assert heard(front, since, 5) == [0.2] * 5
    starts = [start for start, _ in front.tones(since)]
    assert starts[1] - starts[0] > 2, "two codes are not one"
    assert max(after - before for before, after in itertools.pairwise(starts[1:])) < 0.5


def test_a_count_that_means_nothing_is_refused(front: Rack) -> None:
    done = front.exec(["rackeye", "beep", "3"])
    assert done.rc == 1
    assert "There is no beep code 3" in done.stderr
    assert front.exec(["rackeye", "beep", "explain", "5"]).stdout.startswith("5 beeps: No console")


def test_overheat_is_red_and_heard_and_silence_lasts_until_something_new(front: Rack) -> None:
    since = now(front)
    with contextlib.ExitStack() as undo:
        undo.callback(front.set_temperature, 35)
        undo.callback(front.stop_fan, False)
        front.set_temperature(70)
        shows(front, "on", "off", "on")
        assert panel(front).information is InformationLight.OVERHEAT
        front.wait_until(lambda: long_tones(front, since) >= 3, 20, "three long tones")
        cli(front, "panel", "silence")
        quiet = now(front)
        front.wait_until(lambda: panel(front).beeper.sound is Sound.SILENT, 5, "silence")
        shows(front, "on", "off", "on")
        front.stop_fan()  # something new
        front.wait_until(lambda: long_tones(front, quiet) >= 1, 30, "the alarm again")
        shows(front, "on", "off", "on")  # overheat outranks the fan
        since = now(front)
        cli(front, "beep", "5")  # a code in the midst of it
        front.wait_until(lambda: sum(end is not None and end - start < 0.3 for start, end in front.tones(since)) == 5,
                         20, "five short tones")
        front.wait_until(lambda: long_tones(front, now(front) - 2.5) >= 1, 20, "then the alarm goes on")
        cli(front, "panel", "uid", "on")
        shows(front, "off", "blink 1.00 Hz", "on")
        cli(front, "panel", "uid", "off")
        front.set_temperature(35)
        shows(front, "blink 1.00 Hz", "off", "on", within=30)
        assert panel(front).information is InformationLight.FAN
    shows(front, "off", "off", "off", within=30)
    front.wait_until(lambda: panel(front).beeper.sound is Sound.SILENT, 10, "silence at the end")


POWER = """
[[power_supplies]]
name = "PSU {number}"
driver = "pmbus"
bus = "SMBus stub driver"
address = {address}
"""
STATUS_WORD, READ_POUT, WATTS_80 = 0x79, 0x96, 0x0050


def supplies(rack: Rack, *addresses: int) -> None:
    """The kernel's stub of an I2C bus with a good power supply at each address."""
    chips = ",".join(map(hex, addresses))
    rack.sh("for i in 1 2 3 4 5; do modprobe -r i2c-stub && break; sleep 0.3; done")  # fand may be reading
    rack.sh(f"modprobe i2c-stub chip_addr={chips}; udevadm settle")
    for address in addresses:
        says(rack, address, STATUS_WORD, 0)
        says(rack, address, READ_POUT, WATTS_80)


def says(rack: Rack, address: int, register: int, word: int) -> None:
    bus = "next(p.name for p in pathlib.Path('/sys/class/i2c-dev').iterdir() if 'stub' in (p / 'name').read_text())"
    write = f"smbus2.SMBus('/dev/' + {bus}).write_word_data({address}, {register}, {word})"
    rack.exec(["/usr/lib/rackeye/bin/python", "-c", f"import pathlib, smbus2; {write}"], check=True)


def test_a_power_supply_that_is_pulled_or_not_good_is_a_quarter_of_a_hertz(front: Rack) -> None:
    """Real PMBus registers on the kernel's I2C stub; the profile is the rack's, with two power supplies."""
    supplies(front, 0x58, 0x59)
    both = "".join(POWER.format(number=number, address=address) for number, address in ((1, 0x58), (2, 0x59)))
    own = "/etc/rackeye/profiles"
    front.sh(f"mkdir -p {own}; cp {CHECKOUT}/hw/profiles/virtual-8.toml {own}/")
    front.exec(["tee", "-a", f"{own}/virtual-8.toml"], stdin=both, check=True)
    try:
        front.sh("systemctl reload rackeye-fand")
        front.wait_until(lambda: "PSU 2: 80 W OK" in cli(front, "status"), 20, "both are read")
        shows(front, "off", "off", "off")
        since = now(front)
        supplies(front, 0x58)
        shows(front, "blink 0.25 Hz", "off", "on", within=30)
        assert panel(front).information is InformationLight.PSU
        assert "PSU 2 is missing. Nothing answers at 0x59" in cli(front, "alarm")
        front.wait_until(lambda: long_tones(front, since) >= 1, 20, "it is heard")
        cli(front, "panel", "silence")
        supplies(front, 0x58, 0x59)
        shows(front, "off", "off", "off", within=20)
        says(front, 0x58, STATUS_WORD, 0x0848)
        shows(front, "blink 0.25 Hz", "off", "on", within=30)
        assert "PSU 1 is not good. Its input is too low: is the cord plugged in?" in cli(front, "alarm")
        says(front, 0x58, STATUS_WORD, 0)
        shows(front, "off", "off", "off", within=20)
    finally:
        front.sh(f"rm -r {own}; systemctl reload rackeye-fand; modprobe -r i2c-stub || true")
    front.wait_until(lambda: "PSU" not in cli(front, "status"), 20, "the rack's own profile")


@pytest.mark.parametrize("how", ["hung", "gone"])
def test_policyd_hung_or_gone_is_noticed_in_5_s(front: Rack, how: str) -> None:
    front.wait_until(lambda: not panel(front).policy_silent, 20, "policyd is heard")
    since = now(front)
    if how == "hung":
        front.sh("systemctl kill -s STOP rackeye-policyd")
    else:
        front.sh("systemctl stop rackeye-policyd")
    try:
        shows(front, "off", "off", "on", within=10)
        lit = next(change["at"] for change in front.led_history(since) if change["led"] == WARNING)
        assert 2.5 < lit - since < 7.5, "5 s after its last word, which comes each 2 s"
        assert panel(front).policy_silent
        front.wait_until(lambda: long_tones(front, since) >= 2, 15, "the alarm")
        assert "policyd-silent" in panel(front).beeper.heard
    finally:
        front.sh("systemctl kill -s CONT rackeye-policyd; systemctl start rackeye-policyd", 60)
    shows(front, "off", "off", "off")
    front.wait_until(lambda: panel(front).beeper.sound is Sound.SILENT, 10, "silence")


def test_the_alarm_sounds_on_when_paneld_is_killed_and_paneld_takes_it_over(front: Rack) -> None:
    with contextlib.ExitStack() as undo:
        undo.callback(front.set_temperature, 35)
        front.set_temperature(70)
        front.wait_until(lambda: "ALARM-301" in open_alarms(front), 20, "the alarm")
        since = now(front)
        front.wait_until(lambda: long_tones(front, since) >= 1, 10, "a tone")
        front.sh("systemctl kill -s KILL --kill-whom=main rackeye-paneld")
        killed = now(front)
        front.wait_until(lambda: long_tones(front, killed) >= 2, 10, "the kernel plays on")
        front.wait_until(lambda: panel(front).beeper.sound is Sound.ALARM, 20, "paneld knows it")
    front.wait_until(lambda: panel(front).beeper.sound is Sound.SILENT, 30, "silence, said by the new paneld")


def test_a_lamp_test_lights_every_led(front: Rack) -> None:
    assert "Every LED is on for 10 s" in cli(front, "panel", "lamp-test")
    front.wait_until(lambda: {led["state"] for led in front.state()["leds"].values()} == {"on"}, 8, "all on")
    shows(front, "off", "off", "off")


def test_panel_show(front: Rack) -> None:
    said = cli(front, "panel", "show")
    assert "Information LED" in said
    document = json.loads(cli(front, "panel", "show", "--json"))
    assert document["panel"]["information"] == "OFF"
    assert document["panel"]["beeper"]["sound"] == "SILENT"


MAIL = f"""
[mail]
host = "{GUEST}"
port = 2525
tls = "starttls"
verify = false
user = "{USER}"
password = "{PASSWORD}"
sender = "rack@example.org"
to = ["guard@example.org"]
"""
SETTINGS = "/etc/rackeye/rackeye.toml"


def arrives(rack: Rack, *words: str) -> str:
    """Waits for a mail with these words inside the rack: its subject and text."""
    def look() -> str | None:
        text = rack.sh("for f in $(ls -v /run/mailbox/*.eml 2>/dev/null); do cat $f; printf '\\0'; done")
        mails = [message_from_string(one, policy=policy.default) for one in text.split("\0") if one]
        read = [f"{mail['Subject']}\n{mail.get_content()}" for mail in mails]
        return next((one for one in read if all(word in one for word in words)), None)

    found = rack.wait_until(look, 30, f"a mail with {words}")
    assert found is not None
    return found


def test_a_pulled_drive_is_mailed_with_all_that_a_person_needs(front: Rack) -> None:
    assert front.exec(["rackeye", "alarm", "mail-test"]).rc == 1, "no mail server is set yet"
    front.exec(["tee", "-a", SETTINGS], stdin=MAIL, check=True)
    front.sh("systemctl reload rackeye-policyd")
    python = "/usr/lib/rackeye/bin/python -m tests.rig.mailbox"
    front.sh(f"systemd-run -q --unit=mailbox -p WorkingDirectory={CHECKOUT} {python} {GUEST} 2525 /run/mailbox")
    front.wait_until(lambda: "took a test mail" in cli(front, "alarm", "mail-test"), 60, "a test mail is taken")
    arrives(front, "Test mail")
    assert told_by_policyd(front).channels[0].to == ("guard@example.org",)

    raid_rig.create(front, bays=(0, 1, 2))
    told = raid_rig.until(front, lambda told: bool(told.virtual_drives), "vd0")
    raid_rig.until(front, lambda told: raid_rig.vd(told, "vd0").state is VdState.OPTIMAL, "vd0 is Optimal", 120)
    serial = next(drive.serial for drive in told.drives if drive.bay == 1)
    front.pull(1)
    mail = arrives(front, "RAISED: Drive failed")
    host = front.sh("hostname").strip()
    assert mail.startswith(f"[{host}]")
    todo = "into bay 1; pull no other drive of vd0"
    for line in (f"Host:        {host}", "Array:       vd0", "Bay:         1", f"Serial:      {serial}", todo):
        assert line in mail, mail
    notes = front.wait_until(
        lambda: [note for alarm in told_by_policyd(front).alarms for note in alarm.told], 30, "that is noted"
    )
    note = notes[0]
    assert (note.channel, note.who, note.error) == ("mail", "guard@example.org", "")


def test_the_mail_password_is_read_by_the_daemons_and_nobody_else(front: Rack) -> None:
    assert front.sh(f"stat -c '%a %U %G' {SETTINGS}").strip() == "640 root rackeye"
    places = "/etc/rackeye /var/lib/rackeye /run/rackeye /usr/share/rackeye"
    files = front.sh(f"grep -rslF {PASSWORD} {places} || true").split()
    assert SETTINGS in files
    for user, group in (("rackeye-web", "rackeye-web"), ("nobody", "nogroup"), ("rackeye", "rackeye")):
        become = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "cat"]
        read = [file for file in files if PASSWORD in front.exec([*become, file]).stdout]
        assert read == [] or (user == "rackeye" and SETTINGS in read), f"{user} reads {read}"
    front.sh(f"chmod 644 {SETTINGS}; systemd-tmpfiles --create rackeye.conf")  # as at each boot
    assert front.sh(f"stat -c '%a %U %G' {SETTINGS}").strip() == "640 root rackeye"
