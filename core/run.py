"""The one door to processes: list argv, time-out, C locale, no shell."""

import os
import shlex
import subprocess
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from core.errors import CommandFailed, CommandMissing, CommandTimedOut

# The Debian package of each program that we start, for the hint when it is missing.
PACKAGES = {
    "mdadm": "mdadm",
    "mkfs.xfs": "xfsprogs",
    "xfs_info": "xfsprogs",
    "wipefs": "util-linux",
    "blkid": "util-linux",
    "smartctl": "smartmontools",
    "systemd-run": "systemd",
    "udevadm": "udev",
    "bwrap": "bubblewrap",
    "linux.uml": "user-mode-linux",
}
GRACE = 2.0
"""Seconds that a process which was killed is waited for."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a process left: seconds is wall time."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    seconds: float


def environment() -> dict[str, str]:
    """The caller's environment with the C locale and the system's sbin folders in PATH."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("LC_")}
    env["LC_ALL"] = "C"
    env.pop("LANGUAGE", None)
    path = env.get("PATH", "/usr/bin:/bin").split(":")
    env["PATH"] = ":".join(path + [d for d in ("/usr/sbin", "/sbin") if d not in path])
    return env


def run(
    argv: Sequence[str],
    *,
    timeout: float | None = 30.0,
    ok: Collection[int] = (0,),
    input: bytes | None = None,  # noqa: A002 -- the name that subprocess has for it
) -> Result:
    """Runs a process to its end.

    timeout: seconds, for readers; None for what changes something (DESIGN: a time-out never ends a mutation).
    ok: the exit codes that are no error.
    Raises CommandMissing, CommandFailed, CommandTimedOut, each with the command ready to paste.
    """
    command = shlex.join(argv)
    started = time.monotonic()
    try:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL if input is None else subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=environment(),
        )
    except (FileNotFoundError, PermissionError) as error:
        package = PACKAGES.get(os.path.basename(argv[0]))  # noqa: PTH119 -- argv[0] may be a bare name
        hint = f"apt-get install {package}" if package else f"install the program {argv[0]}"
        raise CommandMissing(f"{argv[0]} cannot be started: {error.strerror}.", hint=hint) from error
    try:
        out, err = process.communicate(input, timeout)
    except subprocess.TimeoutExpired as error:
        _abandon(process)
        hint = "Look for a drive that hangs."
        raise CommandTimedOut(f"No answer in {timeout:g} s from: {command}", hint=hint) from error
    except BaseException:
        process.kill()
        raise
    result = Result(
        tuple(argv), process.returncode,
        out.decode(errors="replace"), err.decode(errors="replace"), time.monotonic() - started,
    )
    if process.returncode not in ok:
        words = _shortened(result.stderr.strip() or result.stdout.strip() or "(it said nothing)")
        hint = "Run the command by hand to see more."
        raise CommandFailed(f"Exit {process.returncode} from: {command}\n{words}", hint=hint)
    return result


def _shortened(text: str, most: int = 600) -> str:
    """Both ends: some programs say first what is wrong, and then how they are used."""
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}\n[...]\n{text[-half:]}"


def _abandon(process: subprocess.Popen[bytes]) -> None:
    """Ends a process; not waited for when it hangs in the kernel, which no signal ends: Python reaps it later."""
    process.kill()
    with suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=GRACE)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
