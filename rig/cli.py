"""`rackeye-rack`: the virtual rack by hand."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import click

from core.errors import RackAbsent, RackBroken, RackeyeError
from rig.drives import DriveKind
from rig.rack import RackClient
from rig.smart_documents import SmartMood
from rig.wire import unwrap
from rig.workdir import find, sweep

P = ParamSpec("P")
BAY = click.IntRange(0, 7)


def says_errors(command: Callable[P, None]) -> Callable[P, None]:
    """One sentence and the hint to stderr, exit code 1."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except RackeyeError as error:
            click.echo(f"{error.code}: {error.sentence}", err=True)
            if error.hint:
                click.echo(f"  {error.hint}", err=True)
            sys.exit(1)

    return wrapped


def client() -> RackClient:
    """The rack that --name says."""
    return RackClient.attach(click.get_current_context().find_root().params["name"])


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--name", default="rack", show_default=True, help="Which rack; several can be up side by side.")
def main(name: str) -> None:
    """The virtual rack: a real kernel with eight bays, in a sandbox.

    Exit codes: 0 done, 1 failed, 2 misuse. `exec` gives the command's own.
    """


@main.command()
@click.option("--daemons/--no-daemons", default=True, show_default=True, help="Start Rackeye's daemons (nvr.target).")
@click.option("--drives", type=click.IntRange(0, 8), default=8, show_default=True, help="How many bays are filled.")
@click.option("--bay-mib", type=click.IntRange(64), default=512, show_default=True, help="Size of a drive in MiB.")
@click.option("--memory-mib", type=click.IntRange(256), default=768, show_default=True, help="Memory of the guest.")
@says_errors
def up(daemons: bool, drives: int, bay_mib: int, memory_mib: int) -> None:
    """Boots a rack with new, blank drives, and leaves it running."""
    name = click.get_current_context().find_root().params["name"]
    keeper = [sys.executable, "-m", "rig.keeper", "--name", name, "--drives", str(drives), "--bay-mib", str(bay_mib)]
    keeper += ["--memory-mib", str(memory_mib), *([] if daemons else ["--no-daemons"])]
    process = subprocess.Popen(
        keeper, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RackBroken(
            "The rack's keeper ended without a word.", hint="By hand: python -m rig.keeper --name x"
        )
    answer = unwrap(json.loads(line))
    click.echo(f"Rack {name!r} is up after {answer['seconds']:.1f} s. Files: {answer['path']}")
    click.echo("  rackeye-rack shell | state | pull 3 | insert 3 --blank | power-cut | down")


@main.command()
@says_errors
def down() -> None:
    """Ends the rack and removes all its files, drives too."""
    path = find(click.get_current_context().find_root().params["name"])
    RackClient(path)._ask("quit", 10)
    deadline = time.monotonic() + 15
    while path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    sweep()
    if path.exists():
        raise RackBroken(f"{path} is still in use.", hint="Is a test running with this rack?")


@main.command(name="list")
@says_errors
def list_racks() -> None:
    """Names of the racks that are up."""
    for path in sweep():
        click.echo(path.name.rpartition("-")[0])


@main.command()
@click.argument("bay", type=BAY)
@says_errors
def pull(bay: int) -> None:
    """Pulls the drive out of BAY, now, whatever it is doing."""
    rack = client()
    rack.pull(bay)
    click.echo(f"Bay {bay} is empty.")


@main.command()
@click.argument("bay", type=BAY)
@click.option("--same", "kind", flag_value="same", default="same", help="The drive that was pulled from it (default).")
@click.option("--blank", "kind", flag_value="blank", help="A new drive.")
@click.option("--small", "kind", flag_value="small", help="A new drive of three quarters of the size.")
@click.option("--foreign", "kind", flag_value="foreign", help="Somebody's drive: a partition with files.")
@click.option("--drive", "serial", metavar="SERIAL", help="A drive that was pulled from any bay.")
@says_errors
def insert(bay: int, kind: str, serial: str | None) -> None:
    """Puts a drive into BAY."""
    click.echo(f"Bay {bay} has drive {client().insert(bay, DriveKind(kind), serial=serial)}.")


@main.command()
@click.argument("bay", type=BAY)
@click.option("--good", "how", flag_value="good", help="A SATA disk that is well.")
@click.option("--failing", "how", flag_value="failing", help="A SATA disk whose own verdict is FAILED.")
@click.option("--worn", "how", flag_value="worn", help="A SATA SSD, 94 % worn.")
@click.option("--asleep", "how", flag_value="asleep", help="It sleeps.")
@click.option("--garbage", "how", flag_value="garbage", help="smartctl says something that is no JSON.")
@click.option("--hang", "how", flag_value="hang", help="smartctl never answers.")
@click.option("--real", "how", flag_value="real", default="real", help="What the rack's drive says itself (default).")
@says_errors
def smart(bay: int, how: str) -> None:
    """What smartctl says of the drive in BAY, wherever it goes, until the next boot.

    raidd asks each half hour; now: rackeye-rack exec -- rackeye drive smart --bay BAY --read
    """
    client().smart(bay, SmartMood(how))
    click.echo(f"The S.M.A.R.T. of the drive in bay {bay} is {how} now.")


@main.command("power-cut")
@says_errors
def power_cut() -> None:
    """Cuts the power: nothing is flushed, drives keep what was written."""
    client().power_cut()


@main.command()
@says_errors
def boot() -> None:
    """Powers on after a power cut."""
    click.echo(f"Up after {client().boot():.1f} s.")


@main.command()
@says_errors
def shell() -> None:
    """A shell in the guest, as root; Ctrl-D leaves it."""
    rack = client()
    if not rack.state()["powered"]:
        raise RackAbsent("The rack's power is cut.", hint="rackeye-rack boot")
    here = "STDIO,raw,echo=0" if sys.stdin.isatty() else "STDIO"
    command = ["/usr/bin/socat", "-t", "30", here, f"UNIX-CONNECT:{rack.path}/port-7002.sock"]
    sys.exit(subprocess.run(command, check=False).returncode)


@main.command("exec", context_settings={"ignore_unknown_options": True})
@click.option("--timeout", type=float, default=60, show_default=True, help="Seconds; the command is killed then.")
@click.argument("argv", nargs=-1, required=True, type=click.UNPROCESSED)
@says_errors
def execute(timeout: float, argv: tuple[str, ...]) -> None:
    """Runs a command in the guest as root: rackeye-rack exec -- lsblk -f."""
    stdin = "" if sys.stdin.isatty() else sys.stdin.read()
    done = client().exec(argv, timeout, stdin=stdin)
    click.echo(done.stdout, nl=False)
    click.echo(done.stderr, nl=False, err=True)
    sys.exit(done.rc if done.rc >= 0 else 128 - done.rc)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="All of it, for programs.")
@says_errors
def state(as_json: bool) -> None:
    """Bays with their LEDs, temperature, fan."""
    now = client().state()
    if as_json:
        click.echo(json.dumps(now, indent=2))
        return
    click.echo(f"power {'on' if now['powered'] else 'cut'}")
    for bay in range(8):
        click.echo(_bay_line(now, bay))
    if now["powered"]:
        stopped = ", blocked" if now["fan_stopped"] else ""
        click.echo(f"temperature {now['temperature']:.1f} °C   fan {now['fan']} rpm{stopped}   pwm {now['pwm']}")


def _bay_line(now: dict[str, Any], bay: int) -> str:
    serial = now["inserted"].get(str(bay), "-")
    if not now["powered"]:
        return f"bay {bay}  {serial}"
    device = now["bays"][str(bay)]["device"] or "-"
    green, amber = (now["leds"][f"bay{bay}:{light}"]["state"] for light in ("green:activity", "amber:status"))
    return f"bay {bay}  {serial:10} {device:10} green {green:14} amber {amber}"


@main.command("set-temp")
@click.argument("celsius", type=click.FloatRange(-40, 150))
@says_errors
def set_temp(celsius: float) -> None:
    """Lets the chassis' air go to CELSIUS."""
    client().set_temperature(celsius)


@main.command("stop-fan")
@click.option("--go", is_flag=True, help="Let it turn again.")
@says_errors
def stop_fan(go: bool) -> None:
    """Blocks the fan."""
    client().stop_fan(not go)


if __name__ == "__main__":
    main()
