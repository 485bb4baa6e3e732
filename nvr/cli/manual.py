"""docs/ref from the product itself: `python -m nvr.cli.manual man | markdown | codes`.

`make check` (tests/unit/nvr/cli/test_manual.py) fails when the files in docs/ref are older than the commands.
"""

import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import click

from nvr.cli.explain import entries
from nvr.cli.main import cli


@dataclass(frozen=True, slots=True)
class Page:
    """One command: its words as typed, its usage, what it does, its options, its examples."""

    words: str
    usage: str
    text: str
    options: tuple[tuple[str, str], ...]
    examples: tuple[str, ...]
    is_group: bool


def pages(command: click.Command = cli, parent: click.Context | None = None, words: str = "rackeye") -> Iterator[Page]:
    """The command and all below it, in the order of the help."""
    ctx = click.Context(command, parent=parent, info_name=words.rsplit(" ", maxsplit=1)[-1])
    yield Page(
        words,
        " ".join(command.collect_usage_pieces(ctx)),
        inspect.cleandoc(command.help or "").replace("\n", " ").replace("  ", "\n\n"),
        tuple(filter(None, (param.get_help_record(ctx) for param in command.get_params(ctx)))),
        tuple(line.strip() for line in (command.epilog or "").splitlines()[2:]),
        isinstance(command, click.Group),
    )
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            below = command.get_command(ctx, name)
            assert below is not None
            yield from pages(below, ctx, f"{words} {name}")


def markdown() -> str:
    """docs/ref/cli.md"""
    parts = [
        "# The command line", "",
        "Made by `python -m nvr.cli.manual markdown` from the commands themselves; do not edit.", "",
        "Exit codes: 0 done, 1 failed, 2 misuse; `rackeye health`: 0 OK, 1 warning, 2 critical, 3 unknown. What is not "
        "known is shown as `???`. With `--json` there is one document (with `--watch` one a line), its first key "
        "`error` is null or `{code, sentence, hint}`; times are UTC seconds, sizes bytes, speeds bytes a second.", "",
    ]
    for page in pages():
        level = "##" if page.words.count(" ") < 2 else "###"
        parts += [f"{level} `{page.words}`", "", page.text, ""]
        if not page.is_group or page.words == "rackeye":
            parts += ["    " + f"{page.words} {page.usage}".strip(), ""]
        options = [(name, text) for name, text in page.options if text and "--help" not in name]
        parts += [f"- `{name}`: {text}" for name, text in options] + [""] * bool(options)
        if page.examples:
            parts += ["Examples:", "", *(f"    {line}" for line in page.examples), ""]
    return "\n".join(parts).rstrip() + "\n"


def man() -> str:
    """docs/ref/rackeye.1"""
    parts = [
        '.TH RACKEYE 1 "" "Rackeye" "Rackeye"',
        ".SH NAME", r"rackeye \- drives, cameras and alarms of a video recorder",
        ".SH SYNOPSIS", r"\fBrackeye\fR \fINOUN\fR [\fIVERB\fR] [\fIOPTIONS\fR]", ".SH DESCRIPTION",
        _roff(next(pages()).text), ".SH COMMANDS",
    ]
    for page in pages():
        if page.is_group:
            continue
        parts += [rf".SS \fB{_roff(page.words)}\fR {_roff(page.usage)}", _roff(page.text)]
        for name, text in filter(lambda record: record[1], page.options):
            parts += [".TP", rf"\fB{_roff(name)}\fR", _roff(text)]
        if page.examples:
            parts += [".PP", "Examples:", ".nf", *(_roff("    " + line) for line in page.examples), ".fi"]
    parts += [
        ".SH EXIT STATUS", "0 done, 1 failed, 2 misuse.",
        r"\fBrackeye health\fR: 0 OK, 1 warning, 2 critical, 3 unknown.",
        ".SH ENVIRONMENT", r"\fBNO_COLOR\fR: no colours. \fBDBUS_SYSTEM_BUS_ADDRESS\fR: another system bus.",
    ]
    return "\n".join(parts) + "\n"


def codes() -> str:
    """docs/ref/codes.md"""
    parts = [
        "# Codes", "",
        "Made by `python -m nvr.cli.manual codes`; do not edit. `rackeye explain CODE` says the same.", "",
    ]
    for entry in entries():
        level = f" ({entry.level})" if entry.level else ""
        parts += [f"## {entry.code}: {entry.title}{level}", "", entry.meaning, ""]
    return "\n".join(parts)


def _roff(text: str) -> str:
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("\n\n", "\n.PP\n")
    lines = escaped.split("\n")
    return "\n".join(rf"\&{line}" if line.startswith(("'", ".")) and line != ".PP" else line for line in lines)


def main() -> None:
    """Prints one of them."""
    kinds = {"man": man, "markdown": markdown, "codes": codes}
    if len(sys.argv) != 2 or sys.argv[1] not in kinds:
        sys.exit(f"usage: python -m nvr.cli.manual {'|'.join(kinds)}")
    sys.stdout.write(kinds[sys.argv[1]]())


if __name__ == "__main__":
    main()
