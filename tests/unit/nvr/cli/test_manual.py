"""Help, completion, man page, reference, explain: all from the same commands; and a start that costs little."""

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from core.errors import all_errors
from nvr.alarms.kinds import all_kinds
from nvr.cli import manual
from nvr.cli.main import cli
from nvr.cli.session import Session
from tests.unit.nvr.cli.fakes import client, rackeye

DOCS = Path(__file__).parents[4] / "docs" / "ref"
PAGES = tuple(manual.pages())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.words)
def test_every_command_has_a_help_and_every_verb_examples(page: manual.Page) -> None:
    result = rackeye(client(), *page.words.split()[1:], "--help")
    assert result.exit_code == 0
    assert page.text
    if not page.is_group:
        assert page.examples
    for example in page.examples:
        assert _resolves(example), example


def _resolves(line: str) -> bool:
    """True when the words after `rackeye` lead to a command, and its options exist."""
    words = re.split(r"[|<>;]", line)[0].split()[1:]
    command: click.Command = cli
    ctx = click.Context(cli)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        below = command.get_command(ctx, words.pop(0))
        if below is None:
            return False
        command = below
    if isinstance(command, click.Group):
        below = command.get_command(ctx, getattr(command, "default", ""))
        command = below or command
    known = {option for param in command.get_params(ctx) for option in param.opts}
    return {word for word in words if word.startswith("--")} <= known


def test_what_errors_and_alarms_tell_people_to_type_exists() -> None:
    meanings = [*(kind.meaning for kind in all_errors()), *(kind.meaning for kind in all_kinds())]
    told = [line for meaning in meanings for line in re.findall(r"`(rackeye [^`]+)`", meaning)]
    assert len(told) > 5
    assert [line for line in told if not _resolves(line)] == []


def test_the_reference_is_as_new_as_the_commands() -> None:
    hint = "run: make reference"
    assert (DOCS / "cli.md").read_text() == manual.markdown(), hint
    assert (DOCS / "rackeye.1").read_text() == manual.man(), hint
    assert (DOCS / "codes.md").read_text() == manual.codes(), hint


def test_no_line_of_the_man_page_is_taken_for_a_request_by_mistake() -> None:
    known = {".TH", ".SH", ".SS", ".PP", ".TP", ".nf", ".fi"}
    requests = {line.split()[0] for line in manual.man().splitlines() if line.startswith((".", "'"))}
    assert requests <= known


def test_completion_knows_commands_codes_and_names() -> None:
    def complete(*words: str) -> list[str]:
        begun = words[-1]
        some = client()
        shell = ShellComplete(cli, {"obj": Session(some, some.clock)}, "rackeye", "_RACKEYE_COMPLETE")
        return [item.value for item in shell.get_completions(list(words[:-1]), begun)]

    assert complete("ch") == ["check"]
    assert complete("vd", "s") == ["show", "start", "stop"]
    assert complete("vd", "show", "") == ["vd0", "vd1"]
    assert complete("camera", "remove", "g") == ["gate"]
    assert complete("bay", "3", "locate", "o") == ["on", "off"]
    assert complete("explain", "BUS-00") == [f"BUS-00{number}" for number in range(1, 6)]
    assert "_RACKEYE_COMPLETE" in rackeye(client(), "completion", "bash").stdout


def test_explain() -> None:
    every = rackeye(client(), "explain").stdout
    meanings = {kind.code: kind.meaning for kind in all_errors()} | {kind.code: kind.meaning for kind in all_kinds()}
    for code, meaning in meanings.items():
        assert code in every
        one = rackeye(client(), "explain", code.lower())
        assert one.exit_code == 0
        assert "".join(meaning.split()) in "".join(one.stdout.split())  # a hyphen may end a line
    (entry,) = json.loads(rackeye(client(), "explain", "ALARM-101", "--json").stdout)["codes"]
    assert list(entry) == ["code", "kind", "title", "level", "meaning"]
    unknown = rackeye(client(), "explain", "RAID-999")
    assert unknown.exit_code == 1
    assert "INT-002" in unknown.stderr


def test_a_full_disk_is_a_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        program = "import sys; sys.argv[1:] = ['explain']; from nvr.cli.main import main; main()"
        argv = [sys.executable, "-c", program]
        done = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "rackeye: The output cannot be written: No space left on device.\n"


def test_help_and_explain_start_without_what_they_do_not_need() -> None:
    program = (
        "import sys; from nvr.cli.main import cli\n"
        "cli(['explain', 'BUS-001'], standalone_mode=False)\ncli(['--help'], standalone_mode=False)\n"
        "print([name for name in ('rich', 'dbus_fast', 'numpy', 'asyncio') if name in sys.modules])\n"
        "import nvr.cli.status; print([name for name in ('numpy', 'cffi', 'pyudev') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-2:] == ["[]", "[]"]
