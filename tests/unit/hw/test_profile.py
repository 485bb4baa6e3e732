from pathlib import Path

import pytest

from core.errors import BadToml, BadValue, ConfigError, MissingKey, UnknownKey, Unreadable, WrongType
from core.paths import Paths
from hw import profile
from hw.paneld import main

GOOD = """\
name = "box"
title = "A box"
front = [[0, 1]]

[[chips]]
name = "tray"
kind = "pca9552"

[[bays]]
number = 0
match = { id_path = "pci-0000:00:1f.2-ata-1" }
activity = { driver = "sysfs_led", name = "bay0:green", chip = "tray" }
status = { driver = "sysfs_led", name = "bay0:amber", chip = "tray" }

[[bays]]
number = 1
match = { id_path = "pci-0000:00:1f.2-ata-2" }
activity = { driver = "sysfs_led", name = "bay1:green", chip = "tray" }
status = { driver = "sysfs_led", name = "bay1:amber", chip = "tray" }

[[temperatures]]
name = "CPU"
driver = "hwmon"
chip = "coretemp"
label = "Package id 0"
limit = 90

[[fans]]
name = "Fan 1"
driver = "hwmon"
chip = "nct6775"
index = 2
minimum = 500
"""
LINES = GOOD.splitlines()
SUPPLY = """

[[power_supplies]]
name = "{name}"
driver = "pmbus"
bus = "SMBus I801"
address = {address}
"""
LAST = len(LINES)


def second(text: str) -> int:
    """Line number of the second line that begins so."""
    return [n for n, line in enumerate(LINES, 1) if line.startswith(text)][1]


def first(text: str) -> int:
    return next(n for n, line in enumerate(LINES, 1) if line.startswith(text))


def change(number: int, line: str) -> str:
    return "\n".join([*LINES[: number - 1], line, *LINES[number:]])


def write(folder: Path, text: str) -> Path:
    file = folder / "box.toml"
    file.write_text(text)
    return file


def test_a_good_one(tmp_path: Path) -> None:
    box = profile.read(write(tmp_path, GOOD))
    assert box.front == ((0, 1),)
    assert [bay.match.place() for bay in box.bays] == ["pci-0000:00:1f.2-ata-1", "pci-0000:00:1f.2-ata-2"]
    assert box.temperatures[0].limit == 90.0
    assert box.fans[0].readings == 3


AT_BAY_1 = second("match")
REFUSED: list[tuple[str, type[ConfigError], int, str]] = [
    # two bays on one slot, in every way to say it
    (
        change(AT_BAY_1, 'match = { id_path = "pci-0000:00:1f.2-ata-1" }'),
        BadValue,
        AT_BAY_1,
        "`bays[1].match`: bay 1 is on the same slot as bay 0 (pci-0000:00:1f.2-ata-1); expected a slot of its own",
    ),
    (
        change(AT_BAY_1, 'match = { id_path = "pci-0000:00:1f.2-ata-1.0" }'),
        BadValue,
        AT_BAY_1,
        "bay 1 is on the same slot as bay 0",
    ),
    (change(second("number"), "number = 0"), BadValue, second("number"), "bay 0 is already bays[0]"),
    (change(second("number"), "number = 1000"), BadValue, second("number"), "expected 0 to 999"),
    (change(AT_BAY_1, "match = {}"), BadValue, AT_BAY_1, "nothing given; expected exactly one of id_path"),
    (
        change(AT_BAY_1, 'match = { scsi_host = 2, hctl = "2:0:1:0" }'),
        BadValue,
        AT_BAY_1,
        "hctl and scsi_host given; expected exactly one of",
    ),
    (change(AT_BAY_1, 'match = { parent = "usb*" }'), BadValue, AT_BAY_1, "expected one exact name without spaces"),
    (change(AT_BAY_1, 'match = { hctl = "2:0:1" }'), BadValue, AT_BAY_1, 'expected "host:channel:target:lun"'),
    (change(AT_BAY_1, "match = { scsi_host = -1 }"), BadValue, AT_BAY_1, "expected the number of a SCSI host"),
    # keys and types
    (
        change(second("number"), "number = 1\ncolour = 3"),
        UnknownKey,
        second("number") + 1,
        "unknown key `bays[1].colour`",
    ),
    (change(2, 'titel = "A box"'), UnknownKey, 2, "unknown key `titel`; known here: bays, beeper, buttons, chips"),
    (change(second("number"), 'number = "1"'), WrongType, second("number"), "is '1'; expected a whole number"),
    (change(first("limit"), 'limit = "hot"'), WrongType, first("limit"), "is 'hot'; expected a number"),
    (change(first("limit"), "limit = true"), WrongType, first("limit"), "is True; expected a number"),
    (change(7, 'kind = "pca9999"'), WrongType, 7, "is 'pca9999'; expected one of 'timer', 'static', 'pca9552'"),
    (change(3, "front = [0, 1]"), WrongType, 3, "`front[0]` is 0; expected a list of a whole number"),
    (change(second("number"), ""), MissingKey, 15, "`bays[1].number` is missing"),
    # front view
    (change(3, "front = [[0, 1, 2]]"), BadValue, 3, "bay 2 is in the front view and is no bay; expected one of 0, 1"),
    (change(3, "front = [[0], [1, 0]]"), BadValue, 3, "bay 0 is twice in the front view"),
    (change(3, "front = [[0]]"), BadValue, 3, "bay 1 is not in the front view"),
    # LEDs
    (
        change(second("status"), 'status = { driver = "sysfs_led", name = "bay0:amber" }'),
        BadValue,
        second("status"),
        "`bays[1].status.name`: bay0:amber is already the LED of bays[0].status; expected a line of its own",
    ),
    (
        change(second("status"), 'status = { driver = "sysfs_led", name = "x", chip = "try" }'),
        BadValue,
        second("status"),
        "there is no chip 'try'; expected one of tray",
    ),
    (
        change(second("status"), 'status = { driver = "sysfs_led", name = "../x" }'),
        BadValue,
        second("status"),
        "'../x' is no LED; expected a name under class/leds",
    ),
    (
        change(second("status"), 'status = { driver = "ses", name = "x" }'),
        WrongType,
        second("status"),
        "is 'ses'; expected one of 'sysfs_led'",
    ),
    (
        GOOD + '[[panel]]\nrole = "information-red"\nled = { driver = "sysfs_led", name = "info", chip = "tray" }\n',
        BadValue,
        7,
        "but it has 2 blink rates for all its LEDs; wanted: 0.25, 1, 4 Hz",
    ),
    (change(7, 'kind = "static"'), BadValue, 7, "must blink, but it cannot blink; wanted: 1, 4 Hz"),
    # sensors
    (change(first("limit"), "limit = 200"), BadValue, first("limit"), "expected more than -40 and less than 150"),
    (change(first("limit"), "limit = 90\nhysteresis = -1"), BadValue, first("limit") + 1, "expected 0 or more"),
    (change(first("label"), ""), BadValue, first("[[temperatures]]"), "expected exactly one of label and index"),
    (change(first("index"), "index = 0"), BadValue, first("index"), "0; expected 1 or more"),
    (change(first("minimum"), "minimum = 0"), BadValue, first("minimum"), "expected more than 0 and less than 30000"),
    (change(first("minimum"), "minimum = nan"), BadValue, first("minimum"), "expected more than 0"),
    (GOOD + SUPPLY.format(name="A", address=0x80), BadValue, LAST + 7, "expected an I2C address from 0x08 to 0x77"),
    (
        GOOD + SUPPLY.format(name="A", address=0x58) + SUPPLY.format(name="B", address=0x58), BadValue, LAST + 14,
        "0x58 is A; expected an address of its own",
    ),
    (change(2, 'title = "A\\nBUS=1"'), BadValue, 2, "expected one line of text"),
]


@pytest.mark.parametrize(("text", "error", "line", "said"), REFUSED, ids=[case[3][:50] for case in REFUSED])
def test_refused_with_file_line_and_what_was_expected(
    tmp_path: Path, text: str, error: type[ConfigError], line: int, said: str
) -> None:
    file = write(tmp_path, text)
    with pytest.raises(error) as caught:
        profile.read(file)
    assert caught.value.sentence.startswith(f"{file}:{line}: ")
    assert said in caught.value.sentence
    assert caught.value.hint


def test_an_address_on_a_host_that_is_a_bay(tmp_path: Path) -> None:
    text = change(AT_BAY_1, 'match = { hctl = "2:0:1:0" }')
    file = write(tmp_path, text.replace('{ id_path = "pci-0000:00:1f.2-ata-1" }', "{ scsi_host = 2 }"))
    with pytest.raises(BadValue, match="bay 1 is on the same slot as bay 0"):
        profile.read(file)


def test_torn_in_half(tmp_path: Path) -> None:
    with pytest.raises(BadToml, match="is not valid TOML"):
        profile.read(write(tmp_path, GOOD[: GOOD.index("bay0:amber")]))


def test_shipped_profiles() -> None:
    assert profile.names(Paths()) == ("generic", "virtual-8")
    rack = profile.load("virtual-8", Paths())
    assert [bay.number for bay in rack.bays] == list(range(8))
    assert rack.front == ((4, 5, 6, 7), (0, 1, 2, 3))
    assert all(bay.activity and bay.status for bay in rack.bays)
    generic = profile.load("generic", Paths())
    assert (generic.bays, generic.temperatures, generic.fans) == ((), (), ())


def test_a_persons_own_profile_goes_first_and_a_path_is_taken(tmp_path: Path) -> None:
    own = tmp_path / "etc/rackeye/profiles"
    own.mkdir(parents=True)
    (own / "virtual-8.toml").write_text('name = "mine"\ntitle = "t"\n')
    assert profile.load("virtual-8", Paths(tmp_path)).name == "mine"
    assert profile.load(str(own / "virtual-8.toml"), Paths()).name == "mine"
    with pytest.raises(Unreadable, match='There is no chassis profile "absent"') as caught:
        profile.load("absent", Paths(tmp_path))
    assert "generic, virtual-8" in caught.value.hint


def test_lines_of_tables_written_out(tmp_path: Path) -> None:
    """The same bay with [bays.status] in place of an inline table."""
    text = change(second("status"), '[bays.status]\ndriver = "sysfs_led"\nname = "bay0:amber"')
    with pytest.raises(BadValue, match=rf"box.toml:{second('status') + 2}: `bays\[1\].status.name`"):
        profile.read(write(tmp_path, text))


def settings(root: Path, text: str) -> None:
    file = root / "etc/rackeye/rackeye.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_a_bad_profile_leaves_the_last_good_one_in_force(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    settings(tmp_path, '[chassis]\nprofile = "virtual-8"\nsysfs = "/run/rack/chassis"\n')
    good = profile.in_force(paths)
    assert (good.profile.name, good.sysfs, good.problems) == ("virtual-8", Path("/run/rack/chassis"), ())
    bad = write(tmp_path, change(second("number"), "number = 0"))
    settings(tmp_path, f'[chassis]\nprofile = "{bad}"\n')
    later = profile.in_force(paths, good.profile)
    assert later.profile.name == "virtual-8"
    assert "bay 0 is already bays[0]" in later.problems[0]
    assert "The profile virtual-8 is in force." in later.problems[0]
    assert profile.in_force(paths).profile.name == "generic"


def test_check_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", str(write(tmp_path, GOOD))]) == 0
    assert "profile box is good" in capsys.readouterr().out
    assert main(["--check", str(write(tmp_path, change(3, "front = [[9]]")))]) == 1
    said = capsys.readouterr().err
    assert said.startswith("[CONF-006] ")
    assert "box.toml:3: `front`: bay 9 is in the front view and is no bay" in said
