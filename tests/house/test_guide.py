"""The guide knows every word that the product prints (states, work, titles of alarms); each of its commands is one."""

import re
from enum import StrEnum
from pathlib import Path

import click
import pytest

from boot.restore import GOES
from nvr.alarms.kinds import KINDS
from nvr.alarms.kinds.condition import Condition
from nvr.cli.main import cli
from nvr.cli.shape import NounGroup
from raid.model import DriveState, VdState, Work

GUIDE = Path(__file__).parents[2] / "docs/guide"


@pytest.mark.parametrize("word", [*DriveState, *VdState, *Work], ids=str)
def test_every_state_is_explained(word: StrEnum) -> None:
    text = (GUIDE / "states.md").read_text()
    assert f"| {word.value} |" in text or f"*{word.value}*" in text.replace("\n", " ")


PAGES = {page.name: page.read_text() for page in GUIDE.glob("*.md")}
HEADINGS = {line.lstrip("#").strip() for text in PAGES.values() for line in text.splitlines() if line.startswith("#")}
INDEX = " ".join(PAGES["index.md"].split())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_every_alarm_is_a_heading_by_the_words_that_it_prints(kind: type[Condition]) -> None:
    assert kind.title in HEADINGS
    assert f"*{kind.title}*" in INDEX


def test_all_that_a_restore_resets_is_named() -> None:
    page = " ".join(PAGES["restore-to-default.md"].split())
    assert f"These go: {GOES}." in page


@pytest.mark.parametrize("lit", ["too hot", "a fan", "power supply", "`rackeye-policyd` is dead or hung"])
def test_the_printed_page_says_when_the_warning_led_is_on(lit: str) -> None:
    page = " ".join(PAGES["lights-and-beeps.md"].split())
    assert lit in page[page.index("warning LED goes on"):page.index("## Beeps")]


def test_the_printed_page_tells_the_alarms_that_are_paneld_s_own() -> None:
    beeps = PAGES["lights-and-beeps.md"].split("## Beeps")[1]
    assert "nobody watches over the chassis" in beeps
    assert "restore to default begins" in beeps


def commands() -> list[tuple[str, str]]:
    """Every `rackeye ...` that the guide tells to type, with its page."""
    found = []
    for name, text in PAGES.items():
        for said in (*re.findall(r"`([^`]+)`", text.replace("\n", " ")), *re.findall(r"(?m)^    (.+)$", text)):
            at = re.search(r"(?:^|-- )(rackeye [^;|]+)$", said)
            if at:
                found.append((name, at[1]))
    return found


@pytest.mark.parametrize(("page", "said"), commands())
def test_every_command_of_the_guide_is_one(page: str, said: str) -> None:
    words = said.split()[1:]
    command: click.Command = cli
    context = click.Context(command)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        _, inner, words = command.resolve_command(context, words)
        assert inner is not None, f"{page}: {said}"
        command = inner
        context = click.Context(command, parent=context)
    if isinstance(command, NounGroup):
        command = command.commands[command.default]
    assert command is not cli, f"{page}: {said}"
    options = {name: one for one in command.params if isinstance(one, click.Option) for name in one.opts}
    places = sum(one.nargs % 100 for one in command.params if isinstance(one, click.Argument))  # -1: any number
    given = 0
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            assert word in options, f"{page}: {said}: {word}"
            words = words if options[word].is_flag else words[1:]
        else:
            given += 1
    assert given <= places, f"{page}: {said}"
