"""`rackeye health`: a plug-in for monitoring (Nagios, Icinga, Checkmk): one line, and 0, 1, 2 or 3.

Order: what is known to be critical goes first; then what is not known (it could be anything); then warnings.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import assert_never

import click

from boot.failover_model import FailoverSnapshot
from core.errors import RackeyeError
from nvr.alarms.model import Health, Level
from nvr.cli.client import FAILOVER, FAN, POLICY, RAID, RECORDER, View
from nvr.cli.output import STALE_AFTER, age, clean, document, print_json
from nvr.cli.session import Session
from nvr.cli.shape import examples, json_option, pass_session
from nvr.cli.status import ALL, is_moving, is_redundant, parts
from nvr.recorder.model import CameraState
from raid.model import VdState


class Code(IntEnum):
    """Exit codes of the plug-in interface (monitoring-plugins.org, development guidelines)."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


RANK = (Code.CRITICAL, Code.UNKNOWN, Code.WARNING, Code.OK)
OF_LEVEL = {Level.CRITICAL: Code.CRITICAL, Level.WARNING: Code.WARNING, Level.NOTICE: Code.OK}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be."""

    code: Code
    text: str


def findings(view: View) -> tuple[Finding, ...]:
    """All of them, the worst first."""
    found = [*_silent(view), *_alarms(view), *_virtual_drives(view), *_failover(view)]
    return tuple(sorted(found, key=lambda finding: RANK.index(finding.code)))


def _silent(view: View) -> list[Finding]:
    found = []
    for _, _, source in parts(view):
        answer = view.of(source)
        old = age(answer, view.at)
        if answer.error is not None:
            found.append(Finding(Code.UNKNOWN, answer.error.sentence))
        elif old is not None and old > STALE_AFTER and is_moving(view, source):
            found.append(Finding(Code.UNKNOWN, f"{source.unit} has said nothing new for {old:.0f} s."))
    return found


def _alarms(view: View) -> list[Finding]:
    answer = view.of(POLICY)
    if answer.envelope is None:
        return []
    data = answer.envelope.data
    found = [Finding(OF_LEVEL[alarm.level], alarm.text) for alarm in data.alarms]
    if data.health is Health.UNKNOWN:
        quiet = ", ".join(name for name, answers in data.daemons.items() if not answers) or "a part"
        found.append(Finding(Code.UNKNOWN, f"The health is not known: {quiet} does not answer."))
    return found


def _virtual_drives(view: View) -> list[Finding]:
    """Read here too, so that a policyd that is gone or behind hides nothing."""
    answer = view.of(RAID)
    found = []
    for vd in answer.envelope.data.virtual_drives if answer.envelope else ():
        match vd.state:
            case VdState.OPTIMAL:
                continue
            case VdState.DEGRADED | VdState.PARTIALLY_DEGRADED:
                code = Code.WARNING
            case VdState.FAILED | VdState.OFFLINE:
                code = Code.CRITICAL
            case VdState.UNKNOWN:
                code = Code.UNKNOWN
            case _:
                assert_never(vd.state)
        found.append(Finding(code, f"{vd.name} is {vd.state}."))
    return found


def _failover(view: View) -> list[Finding]:
    """Nobody else watches over the redundant server."""
    server = redundant(view)
    return [] if server is None else [Finding(Code.WARNING, problem) for problem in server.problems]


def redundant(view: View) -> FailoverSnapshot | None:
    """What the redundant server says of itself; None where there is none."""
    answer = view.of(FAILOVER)
    return answer.envelope.data if answer.envelope is not None and is_redundant(view) else None


def figures(view: View) -> dict[str, float | None]:
    """Performance data; None for what is not known."""
    recorder, fan = view.of(RECORDER).envelope, view.of(FAN).envelope
    cameras = None if recorder is None else recorder.data.cameras
    made: dict[str, float | None] = {} if is_redundant(view) else {
        "cameras": None if cameras is None else len(cameras),
        "recording": None if cameras is None else sum(camera.state is CameraState.RECORDING for camera in cameras),
    }
    for sensor in fan.data.sensors if fan else ():
        made[sensor.name.lower().replace(" ", "_")] = sensor.value
    for volume in recorder.data.volumes if recorder else ():
        made[f"{volume.name}_free"] = volume.free if volume.total else None
    return made


def line(code: Code, found: tuple[Finding, ...], numbers: dict[str, float | None], server: str = "") -> str:
    """The line of the plug-in; U is its word for an unknown value, | may stand only before the figures.

    server: what a redundant server says of itself.
    """
    said = " ".join(dict.fromkeys(finding.text for finding in found if finding.code is not Code.OK)) or "All is well."
    said = f"{said} {server}".rstrip()
    values = " ".join(f"'{name}'={'U' if value is None else f'{value:.15g}'}" for name, value in numbers.items())
    words = clean(said).replace("|", "/").replace("\n", " ")
    return f"RACKEYE {code.name} - {words} | {values}".rstrip()


class Misuse(click.UsageError):
    """A misuse of a plug-in is UNKNOWN, as 2 would be CRITICAL."""

    exit_code = Code.UNKNOWN


class PlugIn(click.Command):
    """A command whose misuse is UNKNOWN."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise Misuse(error.message, ctx) from error


@click.command(cls=PlugIn, epilog=examples("rackeye health", "rackeye health; echo $?"))
@json_option
@pass_session
@click.pass_context
def command(ctx: click.Context, session: Session) -> None:
    """One line for monitoring. Exit 0 OK, 1 warning, 2 critical, 3 unknown."""
    try:
        view = session.client.look(*ALL)
    except RackeyeError as error:
        found: tuple[Finding, ...] = (Finding(Code.UNKNOWN, error.sentence),)
        numbers: dict[str, float | None] = {}
        server = None
    else:
        found, numbers, server = findings(view), figures(view), redundant(view)
    code = found[0].code if found else Code.OK
    if session.as_json:
        listed = [{"level": finding.code.name, "text": finding.text} for finding in found]
        health = {"exit_code": int(code), "health": code.name, "findings": listed, "figures": numbers}
        print_json(document(session, {**health, "failover": server}))
    else:
        click.echo(line(code, found, numbers, server.sentence if server else ""))
    ctx.exit(code)
