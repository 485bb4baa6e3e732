"""`rackeye alarm`: what is wrong, since when, and what to do."""

import click
from rich.console import Group, RenderableType

from core.bus import Nothing, Sentence
from core.errors import NoSuchAlarm
from core.units import utc_text
from hw.model import PanelSnapshot
from nvr.alarms.model import AcknowledgeRequest, Alarm, PolicySnapshot, Told
from nvr.cli.client import PANEL, POLICY, View
from nvr.cli.output import ago, notes, origin, pairs, problems, say, show, styled, table
from nvr.cli.session import Session
from nvr.cli.shape import NounGroup, examples, json_option, pass_session, watch_option


def alarm_table(alarms: tuple[Alarm, ...], now: float) -> RenderableType:
    """One row an alarm."""

    def cells(alarm: Alarm) -> list[RenderableType]:
        state = "open" if alarm.acknowledged is None else "acknowledged"
        state = state if alarm.cleared is None else "cleared"
        level = styled(alarm.level) if alarm.cleared is None else str(alarm.level)
        return [str(alarm.id), level, alarm.code, state, ago(alarm.raised, now), alarm.text]

    return table(("ID", "Level", "Code", "State", "Raised", "What"), map(cells, alarms), right=("ID",))


def panel_alarms(panel: PanelSnapshot) -> tuple[str, ...]:
    """What paneld sounds the alarm for by itself: policyd knows nothing of it."""
    silent = "rackeye-policyd is silent: nobody watches over the chassis. See: systemctl status rackeye-policyd"
    restore = "Restore to default by the reset button begins within a minute. Any button of the chassis ends it."
    return (silent,) * panel.policy_silent + (restore,) * panel.restoring


def _of_panel(view: View) -> tuple[str, ...]:
    panel = view.of(PANEL).envelope
    return () if panel is None else panel_alarms(panel.data)


def _chosen(data: PolicySnapshot, everything: bool) -> tuple[Alarm, ...]:
    return (*data.alarms, *data.cleared) if everything else data.alarms


def _find(data: PolicySnapshot, number: int) -> Alarm:
    for alarm in _chosen(data, True):
        if alarm.id == number:
            return alarm
    raise NoSuchAlarm(f"There is no alarm {number}.", hint="`rackeye alarm list --all` lists them.")


def _facts(alarm: Alarm) -> RenderableType:
    def when(at: float | None) -> str:
        return "not yet" if at is None else utc_text(at)

    return pairs([
        ("Alarm", str(alarm.id)),
        ("Code", f"{alarm.code} (rackeye explain {alarm.code})"),
        ("Level", styled(alarm.level)),
        ("About", f"{alarm.category}: {alarm.title}"),
        ("What", alarm.text),
        ("What to do", alarm.hint or "-"),
        ("Raised", when(alarm.raised)),
        ("Acknowledged", when(alarm.acknowledged)),
        ("Cleared", f"{when(alarm.cleared)}. {alarm.cleared_text}" if alarm.cleared else when(None)),
        ("Bay", "-" if alarm.bay is None else str(alarm.bay)),
        ("Serial", alarm.serial or "-"),
        ("Virtual drive", alarm.vd or "-"),
        ("Camera", alarm.camera or "-"),
        *((f"{note.event} told" if not note.error else f"{note.event} not told", _told(note)) for note in alarm.told),
    ])


def _told(note: Told) -> str:
    return f"{note.who} by {note.channel}, {utc_text(note.at)}{f': {note.error}' if note.error else ''}"


@click.group(cls=NounGroup)
def command() -> None:
    """Alarms stay open until what they are about is mended."""


@command.command("list", epilog=examples("rackeye alarm", "rackeye alarm list --all", "rackeye alarm --watch"))
@click.option("--all", "everything", is_flag=True, help="Those that were cleared lately, too.")
@json_option
@watch_option
@pass_session
def list_(session: Session, *, everything: bool, watch: bool) -> None:
    """The open alarms, newest first (this is what `rackeye alarm` alone does)."""

    def render(view: View) -> RenderableType:
        answer = view.of(POLICY)
        alarms = _chosen(answer.data, everything)
        quiet = [name for name, answers in answer.data.daemons.items() if not answers]
        silent = [f"{name} does not answer: what it watches is unknown." for name in quiet]
        untold = [f"{way.name} cannot be delivered: {way.error}" for way in answer.data.channels if way.error]
        silent += _of_panel(view)
        none = "No alarm is known to be open." if silent else "No alarm is open."
        body = alarm_table(alarms, view.at) if alarms else none
        return Group(*notes(POLICY, answer, view.at), *problems((*silent, *untold, *answer.data.problems)), body)

    def to_json(view: View) -> dict[str, object]:
        answer = view.of(POLICY)
        return {
            "health": answer.data.health,
            "alarms": _chosen(answer.data, everything),
            "daemons": answer.data.daemons,
            "problems": answer.data.problems,
            "channels": answer.data.channels,
            "panel": _of_panel(view),
            "policy": origin(answer, view.at),
        }

    show(session, (POLICY, PANEL), render, to_json, watch=watch)


@command.command("show", epilog=examples("rackeye alarm show 12"))
@click.argument("number", metavar="ID", type=click.IntRange(min=1))
@json_option
@pass_session
def show_(session: Session, *, number: int) -> None:
    """The alarm ID: what happened, and what to do."""

    def render(view: View) -> RenderableType:
        return Group(*notes(POLICY, view.of(POLICY), view.at), _facts(_find(view.of(POLICY).data, number)))

    def to_json(view: View) -> dict[str, object]:
        return {"alarm": _find(view.of(POLICY).data, number), "policy": origin(view.of(POLICY), view.at)}

    show(session, (POLICY,), render, to_json, watch=False)


@command.command(epilog=examples("rackeye alarm acknowledge 12"))
@click.argument("number", metavar="ID", type=click.IntRange(min=1))
@json_option
@pass_session
def acknowledge(session: Session, *, number: int) -> None:
    """Say that somebody has seen the alarm ID. It stays open until what it is about is mended."""
    say(session, session.client.call(POLICY, "Acknowledge", AcknowledgeRequest(number), Sentence).text)


@command.command("mail-test", epilog=examples("rackeye alarm mail-test"))
@json_option
@pass_session
def mail_test(session: Session) -> None:
    """Send a test mail now, and say what the mail server answered."""
    say(session, session.client.call(POLICY, "MailTest", Nothing(), Sentence).text)
