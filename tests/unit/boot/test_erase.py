"""`also erase recordings`: only our own volumes, only after the phrase in full, and to its end whatever cuts it off."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from boot import erase, restore
from boot.box import BoxLook, BoxMemory, show
from boot.erase import PHRASE, Volume, check, ours, volumes_of, wait_for_volumes
from boot.keys import Special
from boot.menu import Effect, Menu, Screen, begin, press, proved
from boot.model import Intent, Mode
from boot.redundant import look, refusals
from boot.screen import draw
from boot.state import Loaded, Record, StateStore
from core.errors import NotPermitted
from core.paths import Paths


class Cut(BaseException):
    """The power goes."""


def make(paths: Paths, name: str, *, identity: str | None = None) -> Path:
    folder = paths.volumes / name
    (folder / "recordings/door").mkdir(parents=True)
    (folder / "recordings/door/1.mp4").write_bytes(b"video")
    (folder / "somebody's.txt").write_text("kept")
    (folder / "recordings").chmod(0o750)
    (folder / "rackeye-volume.json").write_text(identity if identity is not None else json.dumps({"volume": name}))
    return folder


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    (tmp_path / "var/lib/rackeye").mkdir(parents=True)
    return Paths(tmp_path)


def mounted(_: Path) -> bool:
    return True


def test_only_mounted_volumes_of_ours(paths: Paths) -> None:
    make(paths, "vd0")
    make(paths, "copy", identity=json.dumps({"volume": "vd0"}))
    make(paths, "broken", identity="{")
    (paths.volumes / "empty").mkdir()
    (paths.volumes / "link").symlink_to("vd0")
    assert [one.name for one in ours(paths, mounted)] == ["vd0"]
    assert list(ours(paths, lambda _: False)) == [], "an empty mount point is the system drive"


def test_all_recordings_go_and_nothing_else(paths: Paths) -> None:
    store, volumes = StateStore(paths), [make(paths, name) for name in ("vd0", "vd1")]
    foreign = make(paths, "usb", identity="{}")
    restore.intend(store, erase=True)
    restore.finish(paths, store)
    assert store.load().record.intent is Intent.ERASE
    said: list[bool] = []
    erase.erase(paths, store, lambda: said.append(any((volumes[0] / "recordings").iterdir())), mounted)
    assert said == [False], "the recorder starts with an empty folder"
    for volume in volumes:
        left = ["rackeye-volume.json", "recordings", "somebody's.txt"]
        assert sorted(entry.name for entry in volume.iterdir()) == left
        assert list((volume / "recordings").iterdir()) == []
        assert (volume / "recordings").stat().st_mode & 0o7777 == 0o750
    assert (foreign / "recordings/door/1.mp4").exists()
    assert store.load().record.intent is Intent.NONE


@pytest.mark.parametrize("step", range(8))
def test_a_cut_at_any_step_is_finished_at_the_next_start_and_takes_nothing_new(
    paths: Paths, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, volumes = StateStore(paths), [make(paths, name) for name in ("vd0", "vd1")]
    store.change(lambda record: replace(record, intent=Intent.ERASE))
    left = [step]
    recorded: list[Path] = []

    def cutting(name: str) -> None:
        real = getattr(erase, name)

        def cut(volume: Path) -> None:
            for moment in ("before", "after"):
                if left[0] == 0:
                    raise Cut(moment)
                left[0] -= 1
                if moment == "before":
                    real(volume)

        monkeypatch.setattr(erase, name, cut)

    def recorder() -> None:
        for volume in volumes:
            new = volume / "recordings/new.mp4"
            new.write_bytes(b"new")
            recorded.append(new)

    with monkeypatch.context():
        cutting("move_aside")
        cutting("delete")
        with pytest.raises(Cut):
            erase.erase(paths, store, recorder, mounted)
    monkeypatch.undo()
    if not recorded:
        assert store.load().record.intent is Intent.ERASE
    erase.erase(paths, store, recorder, mounted)
    for volume in volumes:
        assert [entry.name for entry in (volume / "recordings").iterdir()] == ["new.mp4"], "what is new stays"
        assert not list(volume.glob(".erased-*"))
    assert store.load().record.intent is Intent.NONE


@pytest.mark.parametrize("typed", ["y", "Also erase recordings", "also erase", "also erase recordings "])
def test_the_phrase_must_be_typed_in_full(typed: str) -> None:
    with pytest.raises(NotPermitted):
        check(typed)
    assert check(PHRASE)
    assert not check("")


def test_raidd_is_waited_for_and_one_volume_that_stays_away_is_not_for_ever() -> None:
    told = {"data": {"virtual_drives": [
        {"name": "vd0", "state": "Optimal", "mountpoint": "/srv/rackeye/vd0"},
        {"name": "vd1", "state": "Degraded", "mountpoint": None},
        {"name": "vd2", "state": "Failed", "mountpoint": None},
    ]}}
    volumes = volumes_of(json.dumps(told))
    assert volumes == (Volume("vd0", True), Volume("vd1", False), Volume("vd2", False))
    answers, pauses = [None, (), volumes, (Volume("vd1", True),)], list[float]()
    wait_for_volumes(lambda: answers.pop(0), pauses.append)
    assert len(pauses) == 3, "no answer yet, none assembled yet, one not mounted yet"
    pauses.clear()
    wait_for_volumes(tuple, pauses.append)
    assert len(pauses) == 30
    pauses.clear()
    wait_for_volumes(lambda: volumes, pauses.append, 5.0)
    assert len(pauses) == 5


def typed(menu: Menu, text: str) -> tuple[Menu, Effect | None]:
    for char in text:
        menu, _ = press(menu, char, 1.0)
    return press(menu, Special.ENTER, 1.0)


def test_the_menu_asks_twice() -> None:
    asked = proved(begin(Mode.STANDARD, "V1", 0.0, 10.0), 1.0)
    assert any(PHRASE in line for line in draw(asked, 1.0))
    assert typed(asked, "y")[1] is Effect.RESTORE
    again, effect = typed(asked, PHRASE)
    assert (again.screen, effect) == (Screen.ERASE, None)
    assert any("all recordings of all volumes are erased" in line for line in draw(again, 1.0))
    assert typed(again, "y")[1] is Effect.RESTORE_AND_ERASE
    assert typed(again, "n")[0].screen is Screen.MAIN
    assert typed(again, PHRASE)[1] is None
    assert typed(asked, "also erase")[0].screen is Screen.MAIN


def test_what_is_not_erased_is_said_and_refuses_the_switch(paths: Paths) -> None:
    state = Loaded(Record(intent=Intent.ERASING))
    assert "not all are" in show(BoxLook(state, "V1", "rack", erase_runs=False), BoxMemory(), ()).problems[0]
    assert show(BoxLook(state, "V1", "rack", erase_runs=True), BoxMemory(), ()).problems == ()
    store = StateStore(paths)
    store.change(lambda record: replace(record, intent=Intent.ERASING))
    assert any(error.code == "BOOT-015" for error in refusals(look(paths, store)))
    erase.mark(paths, Intent.NONE)
    assert not (paths.run / erase.MARK).exists()
    erase.mark(paths, Intent.ERASING)
    assert (paths.run / erase.MARK).exists()
