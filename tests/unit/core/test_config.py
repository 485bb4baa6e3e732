"""core.config: what is refused, in which words; layers; what a torn file and a lost power leave."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import pytest

from core.config import convert, from_toml, load_settings, update_settings, write_atomic
from core.errors import BadToml, BadValue, ConfigError, MissingKey, UnknownKey, Unreadable, Unwritable, WrongType
from core.paths import Paths
from core.settings import Camera, Settings


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Led:
    name: str
    rates: tuple[float, ...] = ()
    colour: Colour = Colour.RED


@dataclass(frozen=True)
class Chassis:
    title: str
    leds: tuple[Led, ...] = ()
    slots: dict[str, int] | None = None


def write(folder: Path, text: str) -> Path:
    file = folder / "chassis.toml"
    file.write_text(text)
    return file


def test_reads_nested_tables(tmp_path: Path) -> None:
    file = write(
        tmp_path, 'title = "2U"\nslots = { a = 1 }\n[[leds]]\nname = "warn"\nrates = [1, 0.25]\ncolour = "blue"\n'
    )
    assert from_toml(Chassis, file) == Chassis("2U", (Led("warn", (1.0, 0.25), Colour.BLUE),), {"a": 1})


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ('title = "x"\ncolor = 1\n', UnknownKey, "chassis.toml:2: unknown key `color`; known here: leds, slots"),
        ("title = 3\n", WrongType, "chassis.toml:1: `title` is 3; expected text."),
        ("leds = []\n", MissingKey, "`title` is missing; expected text."),
        ('title = "x"\n[[leds]]\nname = "a"\nrates = "f"\n', WrongType, "`leds[0].rates` is 'f'; expected a list"),
        ('title = "x"\n[[leds]]\nname = "a"\ncolour = "green"\n', WrongType, "expected one of 'red', 'blue'."),
        ('title = "x"\nslots = { a = true }\n', WrongType, "`slots.a` is True; expected a whole number."),
        ('title = "x', BadToml, "is not valid TOML"),
    ],
)  # fmt: skip
def test_refuses_with_place_and_expectation(tmp_path: Path, text: str, kind: type[ConfigError], words: str) -> None:
    with pytest.raises(kind) as caught:
        from_toml(Chassis, write(tmp_path, text))
    assert words in caught.value.sentence
    assert "chassis.toml" in caught.value.sentence
    assert caught.value.hint


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="No such file"):
        from_toml(Chassis, tmp_path / "none.toml")


def test_a_dataclass_may_refuse_a_value() -> None:
    with pytest.raises(BadValue, match="must begin with rtsp://"):
        convert(Camera, {"name": "door", "url": "http://x/"}, Path("settings.toml"))


def layers(tmp_path: Path) -> tuple[Paths, Path, Path]:
    paths = Paths(tmp_path)
    for folder in (paths.share, paths.etc, paths.state):
        folder.mkdir(parents=True)
    (paths.share / "rackeye.toml").write_text('[chassis]\nprofile = "generic"\n[raid]\nsettle_seconds = 10\n')
    return paths, paths.etc / "rackeye.toml", paths.state / "settings.toml"


def test_layers_lie_over_each_other(tmp_path: Path) -> None:
    paths, person, console = layers(tmp_path)
    person.write_text('[chassis]\nprofile = "virtual-8"\n')
    console.write_text('[[cameras]]\nname = "door"\nurl = "rtsp://10.0.0.9/1"\n')
    loaded = load_settings(Settings, paths)
    assert loaded.problems == ()
    assert loaded.settings.chassis.profile == "virtual-8"
    assert loaded.settings.raid.settle_seconds == 10
    assert [camera.name for camera in loaded.settings.cameras] == ["door"]


def test_a_torn_settings_file_leaves_the_last_good_in_force(tmp_path: Path) -> None:
    paths, _, console = layers(tmp_path)
    whole = '[[cameras]]\nname = "door"\nurl = "rtsp://10.0.0.9/1"\n'
    console.write_text(whole)
    load_settings(Settings, paths)
    console.write_text(whole[: len(whole) // 2])
    loaded = load_settings(Settings, paths)
    assert [camera.name for camera in loaded.settings.cameras] == ["door"]
    assert len(loaded.problems) == 1
    assert "settings.toml" in loaded.problems[0]
    assert "last good settings stay in force" in loaded.problems[0]


def test_a_torn_file_without_a_good_copy_leaves_the_layers_below(tmp_path: Path) -> None:
    paths, person, _ = layers(tmp_path)
    person.write_text('[chassis]\nprofile = "virt')
    loaded = load_settings(Settings, paths)
    assert loaded.settings.chassis.profile == "generic"
    assert "no good copy" in loaded.problems[0]


def test_a_broken_settings_file_is_not_overwritten(tmp_path: Path) -> None:
    paths, _, console = layers(tmp_path)
    console.write_text("[[cameras")
    with pytest.raises(BadToml):
        update_settings(Settings, paths, lambda table: table.clear())
    assert console.read_text() == "[[cameras"


def test_an_update_keeps_what_others_set(tmp_path: Path) -> None:
    paths, _, console = layers(tmp_path)
    console.write_text("[raid]\nsettle_seconds = 3\n")

    def add(table: dict[str, object]) -> None:
        table["cameras"] = [{"name": "gate", "url": "rtsp://10.0.0.8/2"}]

    update_settings(Settings, paths, add)
    settings = load_settings(Settings, paths).settings
    assert settings.raid.settle_seconds == 3
    assert settings.cameras[0].name == "gate"


def test_an_update_that_is_wrong_changes_nothing(tmp_path: Path) -> None:
    paths, _, console = layers(tmp_path)
    with pytest.raises(BadValue, match="two cameras have the name gate"):
        update_settings(
            Settings, paths, lambda t: t.update(cameras=[{"name": "gate", "url": "rtsp://a/1"}] * 2)
        )
    assert not console.exists()


def test_settings_that_cannot_be_written_are_a_sentence(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.state.parent.mkdir(parents=True)
    paths.state.write_text("a file in place of the folder")
    with pytest.raises(Unwritable, match=r"settings.toml cannot be written") as caught:
        update_settings(Settings, paths, lambda _: None)
    assert "chown" in caught.value.hint


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    write_atomic(file, b"old")
    with pytest.raises(TypeError):
        write_atomic(file, "not bytes")  # type: ignore[arg-type]
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]
