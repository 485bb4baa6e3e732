"""core.run: each way a process can fail has its own error, with the command ready to paste."""

import time

import pytest

from core.errors import CommandFailed, CommandMissing, CommandTimedOut
from core.run import run


def test_a_process_in_the_c_locale() -> None:
    result = run(["sh", "-c", "echo $LC_ALL; cat; exit 3"], ok=(3,), input=b"in")
    assert (result.stdout, result.returncode) == ("C\nin", 3)


def test_the_failing_command_can_be_pasted() -> None:
    with pytest.raises(CommandFailed) as caught:
        run(["sh", "-c", "echo 'no such drive' >&2; exit 4"])
    assert "Exit 4 from: sh -c 'echo '\"'\"'no such drive'\"'\"' >&2; exit 4'\nno such drive" in caught.value.sentence


def test_a_program_that_is_missing_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CommandMissing) as caught:
        run(["/nowhere/mdadm", "--version"])
    assert "/nowhere/mdadm cannot be started" in caught.value.sentence
    assert caught.value.hint == "apt-get install mdadm"


def test_a_reader_that_hangs() -> None:
    with pytest.raises(CommandTimedOut, match=r"No answer in 0.05 s from: sleep 5"):
        run(["sleep", "5"], timeout=0.05)


def test_a_reader_that_cannot_be_ended_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that hangs in the kernel: its end is not seen, here because a child of it holds its output."""
    monkeypatch.setattr("core.run.GRACE", 0.1)
    began = time.monotonic()
    with pytest.raises(CommandTimedOut):
        run(["sh", "-c", "sleep 20 & sleep 20"], timeout=0.1)
    assert time.monotonic() - began < 10


def test_of_a_long_complaint_both_ends_are_kept() -> None:
    with pytest.raises(CommandFailed) as caught:
        run(["sh", "-c", "echo 'Log size must be at least 64MB.' >&2; seq 1000 >&2; echo usage ends here >&2; exit 1"])
    assert "Log size must be at least 64MB." in caught.value.sentence
    assert "usage ends here" in caught.value.sentence
    assert len(caught.value.sentence) < 900
